"""The client's shapes are the server's views, made from them: a program that publishes must not load the server to read
its answers. To write them anew after a change:

    python -m tests.unit.client.mirror
"""

import inspect
import re
import subprocess
import sysconfig
import textwrap
import types
import typing
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from hookspan.manage import views

SHAPES = Path(__file__).parents[3] / "src" / "hookspan" / "client" / "shapes"
LISTS = {"Catalog"}  # and what ends with List: a Page of the client's
HIDDEN = {"key", "link", "secret", "token"}  # shown once: null where the same answer is given again
HIDES_MORE = {"CreatedPortalSession": "url"}  # its last part is a token
_RUFF = Path(sysconfig.get_path("scripts")) / "ruff"
DOCSTRING_CHARS_MAX = 110  # of one line with its quotes
ROOMS = {  # by what a name begins with; all others are in `_delivery`
    "_work": re.compile("DeliveryCounts|Percentiles|Statistics|Replay|Job|Notic|Notify"),
    "_access": re.compile("(Created)?Key|(Invited)?Person|(Opened)?Session|(Created)?Portal|Audit|Actor"),
}
WORDS = {
    "_delivery": "Applications, webhooks, events, deliveries, attempts, profiles, pauses.",
    "_work": "Jobs, statistics, notices.",
    "_access": "Who may come in, and the audit log.",
}
_NOTE = "# Made from hookspan.manage.views by `python -m tests.unit.client.mirror`: change it there.\n"
_FACE = '''"""The shapes of answers, member for member as the API shows them (`/openapi.json`).

They are the server's own, with allowances: what is left out of an answer is None here, and so is what is shown only
once where a call had to be repeated; a word that a newer server may have learned is a plain `str`; members that this
version does not know are passed over. Times are RFC 3339 texts, ids are texts with a prefix.
"""

'''


def mirrored() -> list[type[msgspec.Struct]]:
    """In the order in which they are defined: what others are made of comes first."""
    found = [
        one
        for name, one in vars(views).items()
        if isinstance(one, type)
        and issubclass(one, views.View)
        and one is not views.View
        and name not in LISTS
        and not name.endswith("List")
    ]
    return sorted(found, key=lambda one: (one.__module__, inspect.getsourcelines(one)[1]))


def texts() -> dict[str, str]:
    """Module to text of all that is made."""
    rooms: dict[str, list[type[msgspec.Struct]]] = {room: [] for room in WORDS}
    for one in mirrored():
        rooms[next((room for room, names in ROOMS.items() if names.match(one.__name__)), "_delivery")].append(one)
    names = {"_base": ["Page", "Shape"]} | {room: [one.__name__ for one in classes] for room, classes in rooms.items()}
    found = {room: _module(room, classes, names) for room, classes in rooms.items()}
    imports = "".join(f"from hookspan.client.shapes.{room} import {', '.join(all_)}\n" for room, all_ in names.items())
    exported = sorted(name for all_ in names.values() for name in all_)
    found["__init__"] = _NOTE + _FACE + imports + f"\n__all__ = {exported}\n"
    return {room: _tidy(text) for room, text in found.items()}


def _module(room: str, classes: list[type[msgspec.Struct]], names: dict[str, list[str]]) -> str:
    bodies = "\n\n".join(_class(one) for one in classes)
    lines = [f'{_NOTE}"""{WORDS[room]}"""\n']
    for other, there in {"typing": ["Any", "ClassVar"], **names}.items():
        used = [name for name in there if re.search(rf"[(: \[]{name}\b(?!:)", bodies)]
        if used and other != room:
            source = other if other == "typing" else f"hookspan.client.shapes.{other}"
            lines.append(f"from {source} import {', '.join(used)}")
    return "\n".join(lines) + f"\n\n\n{bodies}"


def _tidy(text: str) -> str:
    for command in (["check", "--select", "I", "--fix", "-q"], ["format", "-q"]):
        text = subprocess.run(
            [_RUFF, *command, "--stdin-filename", str(SHAPES / "made.py"), "-"],
            input=text, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    return text


def _class(one: type[msgspec.Struct]) -> str:
    base = one.__mro__[1]
    lines = [f"class {one.__name__}({'Shape' if base is views.View else base.__name__}, frozen=True, kw_only=True):"]
    if "__doc__" in vars(one) and one.__doc__:
        words = textwrap.dedent("    " + one.__doc__).strip()
        if "\n" not in words:
            words = textwrap.fill(words, DOCSTRING_CHARS_MAX)
        end = '"""' if "\n" not in words else '\n"""'
        lines.append(textwrap.indent(f'"""{words}{end}\n', "    "))
    if one.__name__ in HIDES_MORE:
        lines.append(f'    _hidden: ClassVar[frozenset[str]] = frozenset({{"{HIDES_MORE[one.__name__]}"}})\n')
    hidden = {*HIDDEN, HIDES_MORE.get(one.__name__)}
    lines += [f"    {name}: {_member(kind, name in hidden)}" for name, kind in one.__annotations__.items()]
    return "\n".join(lines) + "\n"


def _member(annotation: Any, is_hidden: bool) -> str:
    kinds = _kinds(annotation)
    named = [one for one in kinds if one not in ("UnsetType", "None")]
    may_be_none = is_hidden or len(named) < len(kinds)
    text = " | ".join([*named, "None"] if may_be_none else named)
    return f"{text} = None" if "UnsetType" in kinds else text


def _kinds(annotation: Any) -> list[str]:
    """A type as the client reads it, each member of a union once: words and times as text, raw JSON decoded."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _kinds(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        kinds = list(dict.fromkeys(kind for one in typing.get_args(annotation) for kind in _kinds(one)))
        return ["Any"] if "Any" in kinds else kinds
    if origin is Literal:
        return list(dict.fromkeys(type(word).__name__ for word in typing.get_args(annotation)))
    if origin is not None:
        inner = ", ".join(" | ".join(_kinds(one)) for one in typing.get_args(annotation))
        return [f"{origin.__name__}[{inner}]"]
    if annotation in (Any, msgspec.Raw):
        return ["Any"]
    return ["None" if annotation in (None, type(None)) else annotation.__name__]


if __name__ == "__main__":
    for module, text in texts().items():
        (SHAPES / f"{module}.py").write_text(text, encoding="utf-8")
