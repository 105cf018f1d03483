"""The texts that let somebody in: made here, shown once, kept as digests only."""

import re
import secrets

import msgspec

from hookspan.domain.caller import Scope
from hookspan.domain.identity import digest_of

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"  # base58
_CHARS = 44  # 257 bits
_HINT_CHARS = 4
KEY_STARTS = {Scope.OPERATOR: "hk_op_", Scope.PUBLISHER: "hk_pub_", Scope.APPLICATION: "hk_app_"}
SESSION_START = "hk_session_"
PORTAL_START = "hk_portal_"
LINK_START = "hk_link_"
ENTRY_START = "hk_enter_"  # of credential links, which are nobody's: `is_token` says no
_SHAPE = re.compile(rb"hk_(?:op|pub|app|session|portal|link)_[1-9A-HJ-NP-Za-km-z]{44}")


class Token(msgspec.Struct, frozen=True):
    """A fresh token. `hint` is what may be shown for ever."""

    text: str
    digest: bytes
    hint: str

    def __repr__(self) -> str:
        return f"Token(…{self.hint})"


def new_token(prefix: str) -> Token:
    """256 random bits and more behind a prefix that people and secret scanners know."""
    text = prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_CHARS))
    return Token(text, digest_of(text.encode()), text[-_HINT_CHARS:])


def is_token(raw: bytes) -> bool:
    """Whether `raw` looks like one: what does not is refused without a look into the store."""
    return _SHAPE.fullmatch(raw) is not None
