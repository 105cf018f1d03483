"""The profile language's small texts, ``literal {reference:form}``, from the receiver's side: what stands where in a
header that arrived, and which bytes were signed.
"""

import dataclasses
import re
from collections.abc import Mapping

from hookspan.verify._errors import VerificationError

VALUE_CHARS_MAX = 64 * 1024  # of a header that is read: a hundred RSA signatures
_REFERENCE = re.compile(r"\{([^{}]*)\}")
_WORD = r"[!-~]{1,256}?"  # an event's id or type: visible ASCII, bounded, as short as what follows allows

# How each reference is written in a header. All are bounded, so that no value can make the match expensive.
_SHAPES = {
    "attempt.at:s": r"(?:0|[1-9][0-9]{0,10})",  # up to the year 5138
    "attempt.at:ms": r"(?:0|[1-9][0-9]{0,13})",
    "attempt.at:iso": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z",
    "event.id": _WORD,
    "type": _WORD,
    "signatures": f".{{0,{VALUE_CHARS_MAX}}}",
}


def split(text: str) -> list[tuple[str, bool]]:
    """The pieces of a text in order, each with whether it is a reference (then without its braces)."""
    pieces = [(piece, index % 2 == 1) for index, piece in enumerate(_REFERENCE.split(text))]
    return [(piece, is_reference) for piece, is_reference in pieces if piece or is_reference]


@dataclasses.dataclass(frozen=True)
class Line:
    """One header as the profile writes it. `carried` are the references whose values a receiver finds in it."""

    name: str
    form: str
    pattern: re.Pattern[str]
    carried: tuple[str, ...]

    def read(self, value: str) -> dict[str, str]:
        """The values in this header's text by reference. Raises malformed_header."""
        match = self.pattern.fullmatch(value)
        if match is None:
            shown = self.form.replace("{", "<").replace("}", ">")
            raise VerificationError(
                "malformed_header",
                f"{self.name} does not read {shown!r}. Does something between the sender and this code change headers,"
                " or is this a request of another profile?",
            )
        return dict(zip(self.carried, match.groups(), strict=True))


def line(name: str, form: str) -> Line | None:
    """The reader of a header; None when it holds something that a receiver can't know, such as a credential."""
    pattern, carried = "", []
    for piece, is_reference in split(form):
        shape = _SHAPES.get(piece, _WORD if piece.startswith("type.") else None)
        if not is_reference:
            pattern += re.escape(piece)
        elif shape is None or piece in carried:
            return None
        else:
            pattern += f"({shape})"
            carried.append(piece)
    return Line(name, form, re.compile(pattern, re.DOTALL), tuple(carried))


def signed_bytes(text: str, carried: Mapping[str, str], body: bytes) -> bytes:
    """What was signed: `text` with the body and with what the headers carry, exactly as it stands there."""
    return b"".join(
        piece.encode() if not is_reference else body if piece == "body" else carried[piece].encode("ascii")
        for piece, is_reference in split(text)
    )
