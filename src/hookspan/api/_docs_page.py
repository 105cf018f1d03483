"""/docs: the OpenAPI document as one plain page. It loads nothing and runs nothing."""

import html
import re
from typing import Any

import msgspec

CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_STYLE = """
:root { color-scheme: light dark; background: light-dark(#fff, #14161b); color: light-dark(#1c1e24, #e8eaef); }
:root { --line: #8884; --soft: #8881; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3, p, td, a, code { overflow-wrap: anywhere; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
section { margin: 1.5rem 0; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; }
h3 { margin: 0; font-size: 1rem; } code, pre, .m { font-family: ui-monospace, monospace; font-size: .9em; }
code { background: var(--soft); border-radius: .2rem; padding: 0 .2rem; } h3 code { background: none; padding: 0; }
pre { background: var(--soft); border-radius: .5rem; padding: .75rem 1rem; white-space: pre-wrap; }
pre { overflow-wrap: anywhere; }
.m { font-weight: 700; } table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-top: 1px solid var(--line); }
td:first-child { width: 22%; } section td:nth-child(2) { width: 33%; }
.e { font-size: .85em; margin-bottom: 0; }
nav a { display: inline-block; margin-right: 1rem; } .q { opacity: .75; }
@media (max-width: 40rem) {
  tr { display: block; border-top: 1px solid var(--line); padding: .3rem 0; }
  td, td:first-child, section td:nth-child(2) { display: block; width: auto; border: 0; padding: 0; }
  td:empty { display: none; }
}
"""
_EXAMPLE = """\
export KEY=$(hookspan keys show)

curl http://127.0.0.1:8400/v1/applications/app_sample/events \\
  -H "Authorization: Bearer $KEY" \\
  -d '{"type": "order.paid", "content": {"order_id": 17}}'
"""
_PROBLEM = "application/problem+json"
_METHODS_OF_ONE = {"get": 2, "patch": 3, "delete": 4}  # in their order on the page, after create and list
_OTHERS = 5
_CODE = re.compile(r"`([^`]+)`")

_Operation = tuple[str, str, dict[str, Any]]  # method, path, the operation itself


def docs_page(document: dict[str, Any]) -> bytes:
    """The whole page as UTF-8."""
    info = document["info"]
    groups: dict[str, list[_Operation]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            groups.setdefault(operation["tags"][0], []).append((method, path, operation))
    shapes = document["components"]["schemas"]
    problems = document["components"]["examples"]
    title = f"{_text(info['title'])} {_text(info['version'])}"
    links = "".join(f'<a href="#{_text(name)}">{_text(name)}</a>' for name in (*groups, "Shapes", "Errors"))
    body = "".join(
        f'<h2 id="{_text(name)}">{_text(name)}</h2>{"".join(_operation(*one) for one in _in_order(operations))}'
        for name, operations in groups.items()
    )
    body += '<h2 id="Shapes">Shapes</h2>' + "".join(_shape(name, shape) for name, shape in shapes.items())
    body += '<h2 id="Errors">Errors</h2>' + "".join(_problem(code, one["value"]) for code, one in problems.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1>{_paragraphs(info['description'])}{_start()}<nav>{links}</nav>{body}</body></html>"
    ).encode()


def _start() -> str:
    """What holds for every route: the key and an example."""
    return (
        _paragraphs(
            "Every route under `/v1/` asks for the key: `Authorization: Bearer KEY`, or `Api-Key: KEY`. "
            "Here an event is published to the application that `hookspan serve --dev` "
            "makes; its key is the one that `hookspan keys show` prints:"
        )
        + f"<pre>{_text(_EXAMPLE)}</pre>"
        + _paragraphs(
            "Any route may refuse, with a [Problem] whose `code` says why: each names its own, [Errors] explains them."
        )
        .replace("[Problem]", _type({"$ref": "Problem"}))
        .replace("[Errors]", '<a href="#Errors">Errors</a>')
        + '<p>The same for programs: <a href="/openapi.json">openapi.json</a></p>'
    )


def _in_order(operations: list[_Operation]) -> list[_Operation]:
    """Create, list, get, change, delete, then all others as they come."""
    collection = min((path for _, path, _ in operations), key=len)

    def rank(one: _Operation) -> int:
        method, path, _ = one
        if path == collection:
            return 0 if method == "post" else 1
        is_of_one = path.startswith(f"{collection}/{{") and path.count("/") == collection.count("/") + 1
        return _METHODS_OF_ONE.get(method, _OTHERS) if is_of_one else _OTHERS

    return sorted(operations, key=rank)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (one["name"], f"{one['in']}, {_type(one['schema'])}", one.get("description", ""))
        for one in operation.get("parameters", [])
    ]
    bodies = operation.get("requestBody", {}).get("content", {}).values()
    rows += [("body", _type(one["schema"]), "") for one in bodies]
    refused: list[str] = []
    for status, response in operation["responses"].items():
        if _PROBLEM in response.get("content", {}):
            codes = " ".join(f'<a href="#code-{_text(code)}">{_text(code)}</a>' for code in _codes(response))
            refused.append(f"{status} {codes}")
            continue
        shape = " ".join(_type(one.get("schema", {})) for one in response.get("content", {}).values())
        rows.append((f"→ {status}", shape, response.get("description", "")))
    return (
        f'<section id="{_text(operation["operationId"])}"><h3><span class="m">{method.upper()}</span> '
        f"<code>{_text(path)}</code></h3>{_paragraphs(operation.get('description') or operation.get('summary', ''))}"
        f"{_table(rows)}{_examples(operation)}<p class='q e'>{' · '.join(refused)}</p></section>"
    )


def _codes(response: dict[str, Any]) -> list[str]:
    return list(response["content"][_PROBLEM]["examples"])


def _examples(operation: dict[str, Any]) -> str:
    """A request and its answer, folded away."""
    asked = operation.get("requestBody", {}).get("content", {}).values()
    answered = (
        one
        for response in operation["responses"].values()
        for kind, one in response.get("content", {}).items()
        if kind != _PROBLEM
    )
    shown = [
        f"<pre>{_text(msgspec.json.format(msgspec.json.encode(example['value'])).decode())}</pre>"
        for one in (*asked, *answered)
        for example in one.get("examples", {}).values()
    ]
    return f"<details><summary>Example</summary>{''.join(shown)}</details>" if shown else ""


def _problem(code: str, example: dict[str, Any]) -> str:
    return (
        f'<section id="code-{_text(code)}"><h3>{example["status"]} <code>{_text(code)}</code></h3>'
        f"<p>{_text(example['title'])}. {_words(example['detail'])}</p></section>"
    )


def _shape(name: str, shape: dict[str, Any]) -> str:
    required = set(shape.get("required", []))
    rows = [
        (member if member in required else f"{member}?", _type(one), one.get("description", ""))
        for member, one in shape.get("properties", {}).items()
    ]
    return (
        f'<section id="{_text(name)}"><h3><code>{_text(name)}</code></h3>'
        f"{_paragraphs(shape.get('description', ''))}{_table(rows)}</section>"
    )


def _table(rows: list[tuple[str, str, str]]) -> str:
    """The middle column is HTML already."""
    cells = "".join(
        f"<tr><td><code>{_text(name)}</code></td><td>{shape}</td><td class='q'>{_words(words)}</td></tr>"
        for name, shape, words in rows
    )
    return f"<table>{cells}</table>" if rows else ""


def _type(schema: dict[str, Any]) -> str:
    """A JSON Schema in a few words, as HTML."""
    if "$ref" in schema:
        name = _text(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}"><code>{name}</code></a>'
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(_type(one) for one in schema[key])
    if "enum" in schema:
        return " | ".join(f"<code>{_text(str(one))}</code>" for one in schema["enum"])
    kind = schema.get("type", "any")
    if "prefixItems" in schema:
        return f"[{', '.join(_type(one) for one in schema['prefixItems'])}]"
    if kind == "array":
        return f"array of {_type(schema.get('items', {}))}"
    bounds = [f"{word} {schema[key]}" for key, word in _BOUNDS.items() if key in schema]
    return _text(", ".join([" | ".join(kind) if isinstance(kind, list) else str(kind), *bounds]))


_BOUNDS = {
    "format": "as",
    "minimum": "≥",
    "exclusiveMinimum": ">",
    "maximum": "≤",
    "minLength": "characters ≥",
    "maxLength": "characters ≤",
    "maxItems": "items ≤",
}


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_words(part)}</p>" for part in text.split("\n\n") if part.strip())


def _words(text: str) -> str:
    """Prose as HTML: what stands in backticks is code."""
    return _CODE.sub(r"<code>\1</code>", _text(text))


def _text(text: str) -> str:
    return html.escape(text)
