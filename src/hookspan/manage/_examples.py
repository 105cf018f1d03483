"""Credentials to show signing with: they say of themselves what they are, where their form allows it. They sign nothing
that is sent.
"""

import base64
from typing import Final

from hookspan.errors import InvalidCredential
from hookspan.profiles import CredentialKind, NewCredential, Profile

EXAMPLES_MAX: Final = 256  # kept in memory: one for each credential of each profile that was looked at
_TEXT: Final = "EXAMPLE-{}-this-is-not-yours"
_WHSEC: Final = "whsec_" + base64.b64encode(b"EXAMPLE: this is not your secret").decode()


class Examples:
    """Example credentials, each made once: a key pair takes a processor up to a second."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], NewCredential] = {}

    def of(self, profile: Profile, kind: CredentialKind) -> NewCredential:
        key = (profile.name, kind.name)
        found = self._made.get(key)
        if found is None:
            found = _example(kind)
            if len(self._made) >= EXAMPLES_MAX:
                self._made.clear()
            self._made[key] = found
        return found


def _example(kind: CredentialKind) -> NewCredential:
    """One that says what it is, where its form allows it; else one that was made for this."""
    if kind.pair is None:
        try:
            return kind.take(_WHSEC if kind.kind == "whsec" else _TEXT.format(kind.name))
        except InvalidCredential:
            pass
    return kind.make()
