"""Credentials: who makes them, who may give them, what their text must look like and how it becomes a key.

A credential is kept as the bytes of its text (UTF-8), as people know it: a UUID, ``whsec_…``, ``whsk_…``, a PEM. No
error here repeats any of it.
"""

import base64
import os
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from hookspan.errors import Fault, InvalidCredential, NotAllowed, NotRotatable, UnknownField
from hookspan.jsontext import escape_pointer
from hookspan.profiles._attempt import NO_CREDENTIAL
from hookspan.profiles._document import Credential, Refused
from hookspan.profiles._durations import duration_ms
from hookspan.profiles._key_pairs import KEY_PAIRS, Unfit, read_base64

TEXT_CHARACTERS_MAX: Final = 1024  # key pairs have bounds of their own: a PEM is longer
WHSEC_BYTES: Final = range(24, 65)  # Standard Webhooks 1.0.0
HEX_BYTES: Final = range(16, 65)
OVERLAP_MS_MAX: Final = 30 * 86_400_000
_BASE64_KEY = re.compile(r"base64_after_prefix:(\d{1,4})-(\d{1,4})", re.ASCII)
_RANDOM_BYTES = re.compile(r"(whsec|hex):(\d{1,3})", re.ASCII)


class NewCredential(msgspec.Struct, frozen=True):
    """One secret to seal. `public` may always be shown; `shown` is shown once, now, because we made it."""

    name: str
    secret: bytes
    public: str | None
    shown: str | None

    def __repr__(self) -> str:
        return f"NewCredential(name={self.name!r}, secret=***, public={self.public!r}, shown=***)"


class LiveSecret(msgspec.Struct, frozen=True):
    """One secret that signs now, as NewCredential.secret had it."""

    name: str
    secret: bytes

    def __repr__(self) -> str:
        return f"LiveSecret(name={self.name!r}, secret=***)"


class CredentialKind:
    """One ``[credential.NAME]`` of a profile, compiled."""

    def __init__(self, name: str, table: Credential) -> None:
        key = f"credential.{name}"
        self.name = name
        self.kind = table.kind
        self.pair = KEY_PAIRS.get(table.kind)
        self.given_as = "private_key" if self.pair else name
        self.may_give = table.give
        self.shown = table.shown
        self.is_required = table.required is True
        self.one_of = _one_of(f"{key}.required", table.required)
        self.rotation = _rotation(key, table)
        prefix = "" if table.kind == "text" else "whsec_"
        self._read_key = _key_reader(f"{key}.key", table, prefix)
        self._make = _maker(f"{key}.make", table)

    @property
    def makes_slowly(self) -> bool:
        """Making one, or checking a given one, takes tens of milliseconds at least."""
        return self.pair is not None and self.pair.is_made_slowly

    @property
    def overlaps(self) -> bool:
        """Whether two of them may sign at one time, in a rotation."""
        return self.rotation is not None and self.rotation[0] > 0 and self.rotation[1] > 1

    @property
    def is_made(self) -> bool:
        """Whether Hookspan makes one."""
        return self._make is not None

    def make(self) -> NewCredential:
        if self._make is None:
            raise InvalidCredential(f"The {self.given_as} must be given; nothing here makes one.")
        return self._new(self._make(), is_made=True)

    def take(self, text: str) -> NewCredential:
        """A given one, checked. Raises InvalidCredential."""
        try:
            _check_length(text, TEXT_CHARACTERS_MAX if self.pair is None else self.pair.characters_max)
            if self.pair is None or not self.pair.has_lines:
                _check_line(text)
            if self.pair is None:
                self._read_key(text)
            else:
                text = self.pair.read(text)
        except Unfit as unfit:
            detail = f"The {self.given_as} can't be used: {unfit}."
            fault = Fault(f"/credentials/{self.given_as}", InvalidCredential.code, detail)
            raise InvalidCredential(detail, errors=(fault,)) from None
        return self._new(text, is_made=False)

    def key_of(self, secret: bytes) -> bytes:
        """The signing key behind a kept secret (for Ed25519, the private one's 32 bytes; for RSA, its PEM)."""
        try:
            return self._read_key(secret.decode())
        except (Unfit, UnicodeDecodeError):
            raise InvalidCredential(f"The kept {self.given_as} does not fit this profile.") from None

    def _new(self, text: str, *, is_made: bool) -> NewCredential:
        public = self.pair.public_of(text) if self.pair else None
        shown = text if is_made and self.shown == "once" else None
        return NewCredential(self.name, text.encode(), public, shown)


class Credentials:
    """All kinds of one profile."""

    def __init__(self, tables: Mapping[str, Credential]) -> None:
        self.kinds: Final = {name: CredentialKind(name, table) for name, table in tables.items()}
        self._by_input = {kind.given_as: kind for kind in self.kinds.values()}
        if len(self._by_input) != len(self.kinds):
            raise Refused("credential", "at most one key pair, and none called private_key beside it")

    def new(self, given: Mapping[str, str] | None, may_give: str) -> tuple[NewCredential, ...]:
        """Take what is given, make what is required and was not. Raises NotAllowed, InvalidCredential, UnknownField."""
        fresh: dict[str, NewCredential] = {}
        for name, text in (given or {}).items():
            kind = self._by_input.get(name)
            if kind is None:
                detail = f"This profile has no credential {name[:100]!r}; it has {', '.join(self._by_input) or 'none'}."
                raise UnknownField(
                    detail, errors=(Fault(f"/credentials/{escape_pointer(name)}", UnknownField.code, detail),)
                )
            _check_giver(kind, may_give)
            fresh[kind.name] = kind.take(text)
        for kind in self.kinds.values():
            if kind.name not in fresh and self._is_lacking(kind, fresh):
                fresh[kind.name] = kind.make()
        return tuple(fresh.values())

    def rotate(self, name: str, given: str | None, may_give: str) -> NewCredential:
        """The successor of a credential. Raises NotRotatable, NotAllowed, InvalidCredential."""
        kind = self.kinds[name] if self.rotation(name) else None
        assert kind is not None
        if given is None:
            return kind.make()
        _check_giver(kind, may_give)
        return kind.take(given)

    def rotation(self, name: str) -> tuple[int, int]:
        """(how long the former stays valid in ms, how many may be live). Raises NotRotatable."""
        kind = self.kinds.get(name)
        if kind is None or kind.rotation is None:
            raise NotRotatable(f"This profile has no {name} that could be rotated.")
        return kind.rotation

    @property
    def makes_slowly(self) -> bool:
        """Whether making, checking or rotating one of them belongs in a thread."""
        return any(kind.makes_slowly for kind in self.kinds.values())

    @property
    def rotatable(self) -> tuple[str, ...]:
        return tuple(kind.name for kind in self.kinds.values() if kind.rotation is not None)

    def check_complete(self, names: set[str]) -> None:
        """Raise InvalidCredential unless secrets of these names suffice to sign."""
        for kind in self.kinds.values():
            peers = {peer.name for peer in self.kinds.values() if kind.one_of and peer.one_of == kind.one_of}
            if (kind.is_required and kind.name not in names) or (peers and not peers & names):
                raise InvalidCredential(f"This webhook has no {kind.given_as}, so nothing can be signed for it.")

    def _is_lacking(self, kind: CredentialKind, fresh: Mapping[str, NewCredential]) -> bool:
        if kind.is_required:
            return True
        return kind.one_of is not None and all(self.kinds[name].one_of != kind.one_of for name in fresh)


def _check_giver(kind: CredentialKind, may_give: str) -> None:
    """An operator may give whatever a configurer may."""
    if may_give not in kind.may_give and not (may_give == "operator" and kind.may_give):
        who = " or ".join(kind.may_give) or "nobody"
        raise NotAllowed(f"The {kind.given_as} can be given only by: {who}. Leave it out; one is made if need be.")


# --- texts and keys ---------------------------------------------------------------------------------------------------


def _check_length(text: str, characters_max: int) -> None:
    if not 1 <= len(text) <= characters_max:
        raise Unfit(f"it has {len(text):,} characters, 1 to {characters_max:,} are possible")


def _check_line(text: str) -> None:
    if NO_CREDENTIAL.search(text.encode(errors="replace")):
        raise Unfit("it holds a line break or NUL; it must be one line")
    if text != text.strip():
        raise Unfit("it begins or ends with white space")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unfit("it holds half of a surrogate pair") from None


def _key_reader(key: str, table: Credential, prefix: str) -> Callable[[str], bytes]:
    pair = KEY_PAIRS.get(table.kind)
    if pair is not None:
        if table.key is not None:
            raise Refused(key, "a key pair has a form of its own; leave this out")
        return pair.key_of
    if table.key is None or table.key == "utf8":
        return str.encode
    match = _BASE64_KEY.fullmatch(table.key)
    if match is None or int(match[1]) > int(match[2]):
        raise Refused(key, f'{table.key!r} is not known; known are "utf8" and "base64_after_prefix:LEAST-MOST" (bytes)')
    least, most = int(match[1]), int(match[2])

    def read(text: str) -> bytes:
        value = read_base64(text.removeprefix(prefix))
        if not least <= len(value) <= most:
            raise Unfit(f"it stands for {len(value)} bytes, {least} to {most} are possible")
        return value

    return read


# --- compiling --------------------------------------------------------------------------------------------------------


def _maker(key: str, table: Credential) -> Callable[[], str] | None:
    if table.make is None:
        return None
    pair = KEY_PAIRS.get(table.kind)
    if pair is not None and table.make == table.kind:
        return pair.make
    if table.kind == "text" and table.make == "uuid4":
        return lambda: str(uuid.uuid4())
    random_bytes = _RANDOM_BYTES.fullmatch(table.make)
    if random_bytes:
        form, count = random_bytes[1], int(random_bytes[2])
        if (table.kind, form) == ("text", "hex") and count in HEX_BYTES:
            return lambda: os.urandom(count).hex()
        if (table.kind, form) == ("whsec", "whsec") and count in WHSEC_BYTES:
            return lambda: "whsec_" + base64.b64encode(os.urandom(count)).decode()
    known = (
        'text has "uuid4" and "hex:16" to "hex:64", whsec "whsec:24" to "whsec:64", key pairs the name of their kind'
    )
    raise Refused(key, f"{table.make!r} makes no {table.kind}; {known}")


def _one_of(key: str, required: bool | str) -> str | None:  # noqa: FBT001 - the file's own word
    if isinstance(required, bool):
        return None
    name = required.removeprefix("one_of:")
    if name == required or not name:
        raise Refused(key, 'write true, false or "one_of:NAME"')
    return name


def _rotation(key: str, table: Credential) -> tuple[int, int] | None:
    if table.rotate is None:
        return None
    overlap_ms = duration_ms(f"{key}.rotate.overlap", table.rotate.overlap, least_ms=0, most_ms=OVERLAP_MS_MAX)
    return overlap_ms, table.rotate.live
