"""The small grammar inside a profile's texts: ``literal {name:form?} and {first | second | null}``.

A text is pieces in order: literals and choices. A choice has one or more alternatives, tried from the left; each is
a reference to something that exists when an event is rendered or signed, or a constant (``null``, ``empty``).
``?`` after a reference allows it to be missing. ``name[other]`` is what `other` names: ``{context[parents]}`` the
members of the context that the list `parents` of the type's group names.
"""

import re
from typing import Final

import msgspec

from hookspan.profiles._document import Refused

CONSTANTS: Final = {"null": b"null", "empty": b"{}"}
_ALTERNATIVE = re.compile(
    r"(?P<name>[a-z][a-zA-Z0-9_.-]*(?:\[[a-zA-Z0-9_-]+\])?)(?::(?P<form>[a-z_]+))?(?P<optional>\?)?", re.ASCII
)
_INDEXED = re.compile(r"([a-z]+)\[(.*)\]", re.ASCII)
_PIECE = re.compile(r"\{([^{}]*)\}|([^{}]+)|(.)", re.DOTALL)


class Reference(msgspec.Struct, frozen=True):
    """One alternative. `form` is how to write it (``ms``, ``iso``, ``no_null``), None for the usual way."""

    name: str
    form: str | None = None
    is_optional: bool = False

    @property
    def text(self) -> str:
        """As it is written, with its braces."""
        return f"{{{self.name}{f':{self.form}' if self.form else ''}{'?' if self.is_optional else ''}}}"

    @property
    def root(self) -> str:
        return self.name.partition(".")[0]

    @property
    def member(self) -> str:
        """What stands after the first dot."""
        return self.name.partition(".")[2]

    def index_of(self, root: str) -> str | None:
        """NAME of ``root[NAME]`` and nothing more, else None."""
        match = _INDEXED.fullmatch(self.name)
        return match[2] if match and match[1] == root and self.form is None and not self.is_optional else None


class Choice(msgspec.Struct, frozen=True):
    alternatives: tuple[Reference, ...]

    @property
    def is_optional(self) -> bool:
        return any(one.is_optional for one in self.alternatives)


Piece = str | Choice


def parse(key: str, text: str) -> tuple[Piece, ...]:
    """The pieces of `text`. Raises Refused in the name of `key`."""
    pieces: list[Piece] = []
    for inside, literal, stray in _PIECE.findall(text):
        if stray:
            raise Refused(key, f"a brace without its partner in {text!r}")
        pieces.append(literal or _choice(key, inside))
    return tuple(pieces)


def references(key: str, text: str) -> list[Reference]:
    """Every reference in `text`, alternatives too. Raises Refused."""
    return [one for piece in parse(key, text) if isinstance(piece, Choice) for one in piece.alternatives]


def sole(key: str, text: str) -> Reference:
    """The reference of a text that is one reference and nothing else."""
    pieces = parse(key, text)
    if len(pieces) == 1 and isinstance(pieces[0], Choice) and len(pieces[0].alternatives) == 1:
        return pieces[0].alternatives[0]
    raise Refused(key, f"{text!r} must be exactly one reference, such as {{body.type}}")


def _choice(key: str, inside: str) -> Choice:
    alternatives = []
    for part in inside.split("|"):
        match = _ALTERNATIVE.fullmatch(part.strip())
        if match is None:
            raise Refused(key, f"{{{inside}}} is no reference")
        alternatives.append(Reference(match["name"], match["form"], match["optional"] is not None))
    for one in alternatives[:-1]:
        if one.name in CONSTANTS or one.is_optional:
            raise Refused(key, f"in {{{inside}}} nothing after {one.name!r} could ever be reached")
    return Choice(tuple(alternatives))
