"""Making, taking, replacing and sealing a webhook's credentials. What is sealed here is opened only where requests are
made.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from hookspan.domain.records import SealedCredential
from hookspan.engine.post import ALSO
from hookspan.errors import Fault, HookspanError, InvalidCredential, NotAllowed, UnknownField
from hookspan.jsontext import escape_pointer
from hookspan.manage._ground import Ground
from hookspan.manage._headers import HEADERS
from hookspan.manage.inputs import Credentials
from hookspan.profiles import NewCredential, Profile
from hookspan.vault import SecretUnreadable

T = TypeVar("T")


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

    def seal_all(self, made: Sequence[NewCredential], prefix: str = "") -> tuple[SealedCredential, ...]:
        return tuple(self.seal(prefix + one.name, one.secret, one.public) for one in made)

    def is_in_force(self, credentials: Sequence[SealedCredential], name: str, plain: bytes) -> bool:
        """Whether `plain` is what these `credentials` sign first with by this name. One that can't be opened is
        another.
        """
        application_id, webhook_id = self._ids
        current = next((one for one in credentials if one.name == name), None)
        if current is None or current.expires_at is not None:
            return False
        try:
            kept = self._vault.open(current.sealed, application_id=application_id, webhook_id=webhook_id, name=name)
        except SecretUnreadable:
            return False
        return hmac.compare_digest(kept, plain)

    def rotate(
        self, old: Sequence[SealedCredential], new: NewCredential, rotation: tuple[int, int], prefix: str = ""
    ) -> tuple[SealedCredential, ...]:
        """All credentials once `new` has come: where it is in force already, as they are."""
        name = prefix + new.name
        if self.is_in_force(old, name, new.secret):
            return tuple(old)
        return after_rotation(old, self.seal(name, new.secret, new.public), rotation, self._now_ms)[0]

    def seal_headers(self, headers: Mapping[str, str]) -> tuple[SealedCredential, ...]:
        """Custom headers as one credential; none at all when there are none."""
        if not headers:
            return ()
        pairs = list(headers.items())
        return (
            self.seal(HEADERS, msgspec.json.encode(pairs), msgspec.json.encode([name for name, _ in pairs]).decode()),
        )


class Maker:
    """Makes the credentials of one request, each once, though a change may be tried several times.

    `place` is the JSON pointer of the object that holds ``credentials``; it stands before the pointers of refusals.
    """

    def __init__(self, ground: Ground, application_id: int) -> None:
        self._ground = ground
        self._application_id = application_id
        self._made: dict[str, tuple[NewCredential, ...]] = {}

    async def judge(self, profile: Profile, given: Credentials | None) -> None:
        """All that can be wrong with a new webhook's credentials, before what takes long: those that are given are
        taken, and only keys that are made slowly are left for `make`. Raises as that.
        """
        if given or not profile.makes_slowly:
            await self.make(profile, given)

    async def make(self, profile: Profile, given: Credentials | None, place: str = "") -> tuple[NewCredential, ...]:
        """A new webhook's credentials: those given, and those that the profile makes. Raises InvalidCredential,
        NotAllowed and UnknownField, naming the place; Overloaded when too many keys are being made.
        """
        made = self._made.get(place)
        if made is None:
            usable: dict[str, str] = {name: value for name, value in (given or {}).items() if value is not None}
            try:
                made = await run_maker(
                    self._ground,
                    self._application_id,
                    profile,
                    lambda: profile.new_credentials(usable or None, may_give=self._ground.giver),
                )
            except (InvalidCredential, NotAllowed, UnknownField) as error:
                raise placed(error, place, "/credentials") from None
            self._made[place] = made
        return made

    async def replace(
        self,
        sealer: Sealer,
        old: Sequence[SealedCredential],
        profile: Profile,
        given: Credentials,
        place: str = "",
        prefix: str = "",
    ) -> tuple[SealedCredential, ...]:
        """A webhook's credentials with those given in the place of the old ones of their name; null takes one out, and
        all of its name at once. One that the profile rotates does not end the one before, which signs too for the
        overlap; and given again it changes nothing.

        `prefix` tells the credentials of `profile` from others. Raises InvalidCredential, also for null where the
        profile can't do without.
        """
        kept_as = _check_known(profile, given, place)
        fresh = {kept_as[name] for name, value in given.items() if value is not None}
        made = [one for one in await self.make(profile, given, place) if one.name in fresh] if fresh else []
        rotated = [one for one in made if one.name in profile.rotatable]
        gone = {prefix + kept_as[name] for name in given} - {prefix + one.name for one in rotated}
        plain = [one for one in made if one.name not in profile.rotatable]
        kept = (*sealer.seal_all(plain, prefix), *(one for one in old if one.name not in gone))
        for one in rotated:
            kept = sealer.rotate(kept, one, profile.rotation(one.name), prefix)
        taken_out = next((name for name, value in given.items() if value is None), None)
        if taken_out is not None:
            names = {one.name.removeprefix(prefix) for one in kept if one.name.startswith(prefix)}
            try:
                profile.check_complete(names)
            except InvalidCredential:
                detail = f"Profile {profile.name} can't sign without it."
                fault = Fault(f"{place}/credentials/{taken_out}", InvalidCredential.code, detail)
                raise InvalidCredential(detail, errors=(fault,)) from None
        return kept


async def run_maker(ground: Ground, application_id: int, profile: Profile, make: Callable[[], T]) -> T:
    """Call `make`, in a thread where this profile's keys take long to make."""
    return await ground.slow.run(application_id, make) if profile.makes_slowly else make()


def placed(error: HookspanError, place: str, default: str) -> HookspanError:
    """`error` with `place` before its pointers; one that names no place gets `default`."""
    faults = error.errors or (Fault(default, error.code, error.detail),)
    error.errors = tuple(msgspec.structs.replace(one, pointer=place + one.pointer) for one in faults)
    return error


def shown_secret(made: Sequence[NewCredential]) -> str | None:
    """The text to show this once, or None when nothing was made that may be shown."""
    return next((one.shown for one in made if one.shown is not None), None)


def own(credentials: Sequence[SealedCredential]) -> list[SealedCredential]:
    """Those of the application's own profile."""
    return [one for one in credentials if one.name != HEADERS and not one.name.startswith(ALSO)]


def after_rotation(
    old: Sequence[SealedCredential], new: SealedCredential, rotation: tuple[int, int], now_ms: int
) -> tuple[tuple[SealedCredential, ...], int | None]:
    """All credentials once `new` has come, newest first; and until when the last of those before it signs too.

    `rotation` is the overlap in ms and how many may be live at once, the new one among them. Those that are too many go
    at once, and an end that was set before is never put off.
    """
    overlap_ms, live_max = rotation
    until = now_ms + overlap_ms
    former = [one for one in old if one.name == new.name and (one.expires_at is None or one.expires_at > now_ms)]
    staying = [
        msgspec.structs.replace(one, expires_at=until if one.expires_at is None else min(until, one.expires_at))
        for one in (former[: live_max - 1] if overlap_ms else ())
    ]
    others = (one for one in old if one.name != new.name)
    return (new, *staying, *others), max((one.expires_at or until for one in staying), default=None)


def previous_until(credentials: Sequence[SealedCredential], name: str, now_ms: int) -> int | None:
    """Until when the last of those before the present one signs too."""
    ends = [one.expires_at for one in credentials if one.name == name and one.expires_at is not None]
    return max((at_ms for at_ms in ends if at_ms > now_ms), default=None)


def _check_known(profile: Profile, given: Credentials, place: str) -> dict[str, str]:
    """Each credential's name as it is given, with the name that it is kept under. Raises UnknownField, for null too."""
    kept_as = {kind.given_as: kind.name for kind in profile.credentials}
    for name in given:
        if name not in kept_as:
            there_are = ", ".join(kept_as) or "none"
            detail = f"Profile {profile.name} has no credential {name!r}; there are: {there_are}."
            pointer = f"{place}/credentials/{escape_pointer(name)}"
            raise UnknownField(detail, errors=(Fault(pointer, UnknownField.code, detail),))
    return kept_as
