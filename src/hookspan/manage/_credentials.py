"""Making, taking and sealing a webhook's credentials. What is sealed here is opened only where requests are made."""

from collections.abc import Mapping, Sequence

import msgspec

from hookspan.domain.records import SealedCredential
from hookspan.errors import Fault, HookspanError, InvalidCredential
from hookspan.manage._ground import Ground, invalid
from hookspan.manage.inputs import Credentials
from hookspan.profiles import NewCredential, Profile

HEADERS = "headers"  # custom headers, sealed as JSON [[name, value], …]: their values may be secrets
TOKEN = "token"  # noqa: S105 - the name of a credential
_KEPT_AS = {"private_key": "keypair"}  # what is given under another name than it is kept under

# Framing, hop-by-hop and identity of the sender: ours to set (RFC 9110 7.6.1, 9112 6).
_RESERVED = frozenset(
    {
        "accept-encoding", "api-key", "authorization", "connection", "content-encoding", "content-length",
        "content-type", "cookie", "date", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
    }
)  # fmt: skip
_RESERVED_PREFIXES = ("webhook-", "x-webhook-", "bridgeapi-", "sec-")


class Sealer:
    """Seals in the name of one webhook."""

    def __init__(self, ground: Ground, application_id: int, webhook_id: int, now_ms: int) -> None:
        self._vault = ground.vault
        self._ids = (application_id, webhook_id)
        self._now_ms = now_ms

    def seal(self, name: str, plain: bytes, public: str | None) -> SealedCredential:
        application_id, webhook_id = self._ids
        sealed = self._vault.seal(plain, application_id=application_id, webhook_id=webhook_id, name=name)
        return SealedCredential(name=name, sealed=sealed, public=public, made_at=self._now_ms, expires_at=None)

    def seal_all(self, made: Sequence[NewCredential]) -> tuple[SealedCredential, ...]:
        return tuple(self.seal(one.name, one.secret, one.public) for one in made)

    def seal_headers(self, headers: Mapping[str, str]) -> tuple[SealedCredential, ...]:
        """Custom headers as one credential; none at all when there are none."""
        if not headers:
            return ()
        pairs = list(headers.items())
        return (
            self.seal(HEADERS, msgspec.json.encode(pairs), msgspec.json.encode([name for name, _ in pairs]).decode()),
        )


def make_credentials(profile: Profile, given: Credentials | None) -> tuple[NewCredential, ...]:
    """A new webhook's credentials: those given, and those that the profile makes. Raises InvalidCredential and
    NotAllowed, naming the place.
    """
    usable: dict[str, str] = {name: value for name, value in (given or {}).items() if value is not None}
    try:
        return profile.new_credentials(usable or None, may_give="operator")
    except HookspanError as error:
        if not error.errors:
            error.errors = (Fault("/credentials", error.code, error.detail),)
        raise


def replaced(
    sealer: Sealer, old: Sequence[SealedCredential], profile: Profile, given: Credentials
) -> tuple[SealedCredential, ...]:
    """A webhook's credentials with those given in the place of the old ones of their name; null takes one out.

    Raises InvalidCredential, also for null where the profile can't do without.
    """
    names = {_KEPT_AS.get(name, name) for name in given}
    taken_out = {_KEPT_AS.get(name, name): name for name, value in given.items() if value is None}
    for one in make_credentials(profile, None) if taken_out else ():
        if one.name in taken_out:
            pointer = f"/credentials/{taken_out[one.name]}"
            detail = f"Profile {profile.name} can't sign without it."
            raise InvalidCredential(detail, errors=(Fault(pointer, "invalid_credential", detail),))
    made = [one for one in make_credentials(profile, given) if one.name in names - taken_out.keys()]
    return (*sealer.seal_all(made), *(one for one in old if one.name not in names))


def shown_secret(made: Sequence[NewCredential]) -> str | None:
    """The text to show this once, or None when nothing was made that may be shown."""
    return next((one.shown for one in made if one.shown is not None), None)


def header_names(credentials: Sequence[SealedCredential]) -> list[str]:
    """The names of a webhook's custom headers, as they were given."""
    for one in credentials:
        if one.name == HEADERS and one.public is not None:
            return msgspec.json.decode(one.public, type=list[str])
    return []


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that are ours to set, and one name in two spellings."""
    seen: set[str] = set()
    for name in headers:
        low = name.lower()
        if low in _RESERVED or low.startswith(_RESERVED_PREFIXES) or low in seen:
            why = "is given twice" if low in seen else "is set by Hookspan or by the connection"
            raise invalid(f"/headers/{name.replace('~', '~0')}", f"The header {name} {why}; it can't be a custom one.")
        seen.add(low)
