"""JSON for the eye: indented and coloured, from the text as it is. Numbers, escapes and the order of keys stay as sent.

Only white space between tokens is added, and only for show: what is copied is the text itself.
"""

import re
from itertools import chain, pairwise
from typing import Final

from markupsafe import Markup, escape

from hookspan import jsontext
from hookspan.errors import HookspanError

# Beyond these the text is shown as it is: a page has many of them, and while one is made nothing else is done.
BYTES_MAX: Final = 64 * 1024
HTML_CHARS_MAX: Final = 256 * 1024  # a few bytes deep inside become many
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
    html = _html(text)
    # Of the tokens only texts can have marks of HTML, and those are escaped where they are put in.
    return None if html is None else Markup(html)  # noqa: S704


def _html(text: str) -> str | None:
    """None when it would be too long."""
    pieces: list[str] = []
    depth = chars = 0
    tokens = ((match.group(), match.lastgroup) for match in _TOKEN.finditer(text) if match.lastgroup)
    for (word, kind), (follower, _) in pairwise(chain(tokens, [("", "")])):
        if kind == "mark":
            piece, depth = _mark(word, follower, depth)
        else:
            shown = str(escape(word)) if kind == "text" else word
            name = "key" if kind == "text" and follower == ":" else kind
            piece = f'<span class="j-{name}">{shown}</span>'
            if follower in ("}", "]"):
                depth -= 1
                piece += "\n" + _INDENT * depth
        pieces.append(piece)
        chars += len(piece)
        if chars > HTML_CHARS_MAX:
            return None
    return "".join(pieces)


def _mark(word: str, follower: str, depth: int) -> tuple[str, int]:
    """One of the six marks with the white space after it; the depth after it."""
    if word in "{[":
        if follower in ("}", "]"):  # an empty one stays on its line
            return word, depth
        return word + "\n" + _INDENT * (depth + 1), depth + 1
    if word == ":":
        return ": ", depth
    if word == ",":
        return ",\n" + _INDENT * depth, depth
    if follower in ("}", "]"):
        return word + "\n" + _INDENT * (depth - 1), depth - 1
    return word, depth
