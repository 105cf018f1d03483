"""Where a list goes on: an opaque text that only the list that made it takes back."""

import base64
import binascii
import hashlib
import hmac

from hookspan.errors import InvalidCursor

_IDENT_BYTES = 8
_MARK_BYTES = 8


class Cursors:
    """Writes and reads cursors. `key` is any secret text that all nodes share."""

    def __init__(self, key: str) -> None:
        self._key = hashlib.blake2b(key.encode(), person=b"hookspan cursor").digest()

    def write(self, of: str, *idents: int) -> str:
        """`of` names the list with its filters; `idents` say where the last one that was shown stands in its order."""
        raw = b"".join(ident.to_bytes(_IDENT_BYTES, "big") for ident in idents)
        return base64.urlsafe_b64encode(raw + self._mark(of, raw)).decode().rstrip("=")

    def read(self, of: str, text: str) -> tuple[int, ...]:
        """The idents behind `text`. Raises InvalidCursor when this list with these filters did not make it."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        place, mark = raw[:-_MARK_BYTES], raw[-_MARK_BYTES:]
        idents = tuple(
            int.from_bytes(place[start : start + _IDENT_BYTES], "big") for start in range(0, len(place), _IDENT_BYTES)
        )
        if not hmac.compare_digest(mark, self._mark(of, place)) or self.write(of, *idents) != text:
            raise InvalidCursor(
                "The cursor was not made by this list with these filters. Start again without it, or repeat the "
                "filters of the first page."
            )
        return idents

    def _mark(self, of: str, raw: bytes) -> bytes:
        return hashlib.blake2b(of.encode() + b"\0" + raw, key=self._key, digest_size=_MARK_BYTES).digest()
