"""A second signature beside the first: for a receiver that moves from one wire format to another."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET

from hookspan.domain import times
from hookspan.domain.records import AlsoSign, SealedCredential
from hookspan.engine.post import ALSO
from hookspan.errors import Fault, InvalidCredential, UnknownProfile
from hookspan.manage._credentials import Maker, Sealer, placed, shown_secret
from hookspan.manage._ground import Ground, invalid
from hookspan.manage.inputs import Credentials, SetAlsoSign
from hookspan.profiles import Profile

PLACE: Final = "/also_sign"
ALSO_SIGN_MS_MAX: Final = 366 * 86_400_000  # a move that is to take longer has no end yet: null


class Plan(msgspec.Struct, frozen=True):
    """A second profile that is asked for, found to go beside the first; the record that is to be kept of it; and
    whether the webhook has it already, so that its credentials stay.
    """

    profile: Profile
    also_sign: AlsoSign
    credentials: Credentials | None
    is_same: bool


class Second(msgspec.Struct, frozen=True):
    """What a webhook has beside its first profile's: the record, all of its credentials, and a secret to show once."""

    also_sign: AlsoSign | None
    credentials: tuple[SealedCredential, ...]
    secret: str | None = None


NO_SECOND: Final = Second(None, ())


def plan_second(ground: Ground, first: Profile, given: SetAlsoSign, old: AlsoSign | None) -> Plan:
    """All checks that cost nothing; `old` is what the webhook has. Raises UnknownProfile, and InvalidRequest when it
    can't go beside the first, or not until then.
    """
    try:
        second = ground.profiles.get(given.profile)
    except UnknownProfile as error:
        raise placed(error, PLACE, "/profile") from None
    if second.name == first.name:
        raise invalid(f"{PLACE}/profile", f"The webhook signs by {first.name} already: name another profile, or null.")
    both = sorted(first.header_names & second.header_names)
    if both:
        detail = f"Profiles {first.name} and {second.name} can't go together: both write {', '.join(both)}."
        raise invalid(f"{PLACE}/profile", detail)
    is_same = old is not None and old.profile == second.name
    now_ms = ground.clock.now_ms()
    is_kept = is_same and given.until is UNSET
    until = _going_on(old, now_ms) if old is not None and is_kept else _until(given, now_ms)
    credentials = None if given.credentials is UNSET else given.credentials
    return Plan(second, AlsoSign(profile=second.name, until=until), credentials, is_same)


def check_beside(second: Profile, custom: Sequence[str]) -> None:
    """Refuse a second profile that writes one of the webhook's custom headers."""
    for name in custom:
        if name.lower() in second.header_names:
            detail = f"Profile {second.name} writes {name}, which is a custom header of this webhook: take that away."
            raise invalid(f"{PLACE}/profile", detail)


async def set_second(maker: Maker, sealer: Sealer, plan: Plan, kept: tuple[SealedCredential, ...]) -> Second:
    """`plan` in force; `kept` are all of the webhook's credentials. Those of the same profile stay unless others are
    given. Raises as `Maker.make`, and InvalidCredential where nothing would be signed.
    """
    secret = None
    if not plan.is_same:
        made = await maker.make(plan.profile, plan.credentials, PLACE)
        kept, secret = (*without_second(kept), *sealer.seal_all(made, ALSO)), shown_secret(made)
    elif plan.credentials:
        kept = await maker.replace(sealer, kept, plan.profile, plan.credentials, PLACE, ALSO)
    _check_signs(plan.profile, kept)
    return Second(plan.also_sign, kept, secret)


def _check_signs(second: Profile, kept: Sequence[SealedCredential]) -> None:
    """A webhook may do without credentials where its profile lets it; a second signature without any is none."""
    names = [one.given_as for one in second.credentials]
    if names and not any(one.name.startswith(ALSO) for one in kept):
        detail = f"Profile {second.name} would sign nothing without credentials: give {' or '.join(names)}."
        raise InvalidCredential(detail, errors=(Fault(f"{PLACE}/credentials", InvalidCredential.code, detail),))


def without_second(credentials: Sequence[SealedCredential]) -> tuple[SealedCredential, ...]:
    return tuple(one for one in credentials if not one.name.startswith(ALSO))


def _going_on(old: AlsoSign, now_ms: int) -> int | None:
    """The end that a second signature has, unless that has passed: then nothing would sign, whatever was given."""
    if old.until is not None and old.until <= now_ms:
        detail = f"The second signature by {old.profile} has ended: give until, with a new end, or null for none."
        raise invalid(f"{PLACE}/until", detail)
    return old.until


def _until(given: SetAlsoSign, now_ms: int) -> int | None:
    if given.until is UNSET or given.until is None:
        return None
    at_ms = times.from_text(given.until)
    if at_ms is None:
        raise invalid(f"{PLACE}/until", "until must be a time such as 2026-12-31T00:00:00Z (RFC 3339), or null.")
    if not now_ms < at_ms <= now_ms + ALSO_SIGN_MS_MAX:
        raise invalid(f"{PLACE}/until", "until must be in the future, a year ahead at most; null is without an end.")
    return at_ms
