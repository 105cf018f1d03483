"""/docs: the OpenAPI document as one plain page. It loads nothing and runs nothing."""

import html
from typing import Any

CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
section { margin: 1.5rem 0; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; }
h3 { margin: 0; font-size: 1rem; } code, .m { font-family: ui-monospace, monospace; font-size: .9em; }
.m { font-weight: 700; } table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td, th { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-top: 1px solid var(--line); }
nav a { margin-right: 1rem; } .q { opacity: .7; }
"""


def docs_page(document: dict[str, Any]) -> bytes:
    """The whole page as UTF-8."""
    info = document["info"]
    groups: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    shapes = document["components"]["schemas"]
    title = f"{_text(info['title'])} {_text(info['version'])}"
    links = "".join(f'<a href="#{_text(name)}">{_text(name)}</a>' for name in (*groups, "Shapes"))
    body = "".join(f'<h2 id="{_text(name)}">{_text(name)}</h2>{"".join(parts)}' for name, parts in groups.items())
    body += '<h2 id="Shapes">Shapes</h2>' + "".join(_shape(name, shape) for name, shape in shapes.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><h1>{title}</h1>'
        f'{_paragraphs(info["description"])}<p><a href="/openapi.json">openapi.json</a></p><nav>{links}</nav>'
        f"{body}</body></html>"
    ).encode()


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (one["name"], f"{one['in']}, {_type(one['schema'])}", one.get("description", ""))
        for one in operation.get("parameters", [])
    ]
    bodies = operation.get("requestBody", {}).get("content", {}).values()
    rows += [("body", _type(one["schema"]), "") for one in bodies]
    for status, response in operation["responses"].items():
        shape = " ".join(_type(one.get("schema", {})) for one in response.get("content", {}).values())
        rows.append((f"→ {_text(status)}", shape, response.get("description", "")))
    return (
        f'<section id="{_text(operation["operationId"])}"><h3><span class="m">{method.upper()}</span> '
        f"<code>{_text(path)}</code></h3>{_paragraphs(operation.get('description') or operation.get('summary', ''))}"
        f"{_table(rows)}</section>"
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
        f"<tr><td><code>{_text(name)}</code></td><td>{shape}</td><td class='q'>{_text(words)}</td></tr>"
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
    return "".join(f"<p>{_text(part)}</p>" for part in text.split("\n\n") if part.strip())


def _text(text: str) -> str:
    return html.escape(text)
