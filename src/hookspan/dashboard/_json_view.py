"""JSON for the eye: indented and coloured, from the text as it is. Numbers, escapes and the order of keys stay as sent.

Only white space between tokens is added, and only for show: what is copied is the text itself.
"""

import re
from typing import Final

from markupsafe import Markup, escape

from hookspan import jsontext
from hookspan.errors import HookspanError

BYTES_MAX: Final = 64 * 1024  # beyond it the text is shown as it is
_TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?[0-9][0-9eE+.-]*)'
    r"|(?P<word>true|false|null)|(?P<mark>[{}\[\]:,])|[ \t\r\n]+",
    re.DOTALL,
)
_INDENT: Final = "  "


def json_view(text: str) -> Markup | None:
    """Highlighted HTML, all of it escaped; None when `text` is no JSON, or too large to be worth it."""
    if len(text) > BYTES_MAX:
        return None
    try:
        jsontext.check(text.encode("utf-8", "surrogatepass"))
    except HookspanError:
        return None
    return Markup("").join(_pieces(text))


def _pieces(text: str) -> list[Markup]:
    pieces: list[Markup] = []
    depth = 0
    tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup]
    for number, token in enumerate(tokens):
        follower = tokens[number + 1].group() if number + 1 < len(tokens) else ""
        word = token.group()
        match token.lastgroup:
            case "text":
                kind = "key" if follower == ":" else "text"
                pieces.append(Markup('<span class="j-{}">{}</span>').format(kind, word))
            case "number" | "word":
                pieces.append(Markup('<span class="j-{}">{}</span>').format(token.lastgroup, word))
            case _:
                depth = _mark(pieces, word, follower, depth)
        if token.lastgroup != "mark" and follower in ("}", "]"):
            depth -= 1
            pieces.append(escape("\n" + _INDENT * depth))
    return pieces


def _mark(pieces: list[Markup], word: str, follower: str, depth: int) -> int:
    """One of the six marks with the white space after it; the depth after it."""
    if word in "{[":
        if follower in ("}", "]"):  # an empty one stays on its line
            pieces.append(escape(word))
            return depth
        pieces.append(escape(word + "\n" + _INDENT * (depth + 1)))
        return depth + 1
    if word == ":":
        pieces.append(escape(": "))
    elif word == ",":
        pieces.append(escape(",\n" + _INDENT * depth))
    else:
        pieces.append(escape(word))
        if follower in ("}", "]"):
            depth -= 1
            pieces.append(escape("\n" + _INDENT * depth))
    return depth
