"""Checking what a webhook asks for against its profile's catalog."""

from collections.abc import Sequence

from hookspan.errors import Fault, InvalidRequest, UnknownEventType
from hookspan.manage._ground import invalid
from hookspan.profiles import Profile, did_you_mean

_CATEGORY = "category:"
_ANY_DEPTH = ".*"
_SHOWN_MAX = 5
_CHARACTERS_SHOWN = 100


def check_subscription(
    profile: Profile, events: Sequence[str] | None, member: str = "events"
) -> tuple[str, ...] | None:
    """The subscription to keep. A list must name types, prefixes and categories that the catalog has; where the
    catalog is open any well-formed type will do. `member` is the list's name in the request. Raises InvalidRequest,
    UnknownEventType.
    """
    if events is None:
        if profile.rules.subscription_absent == "refused":
            raise invalid("/events", f"Profile {profile.name} wants to be told which events: give a list.")
        return None
    catalog = profile.catalog()
    categories = {entry.category for entry in catalog if entry.category is not None}
    types = [entry.type for entry in catalog]
    faults: list[Fault] = []
    for place, one in enumerate(events):
        why = _wrong(profile, one, types, categories)
        if why is not None:
            near = did_you_mean(one, [*types, *_patterns(types, categories)]) if len(faults) < _SHOWN_MAX else ""
            faults.append(Fault(f"/{member}/{place}", "unknown_event_type", why + near))
    if faults:
        shown = " ".join(fault.detail for fault in faults[:_SHOWN_MAX])
        raise UnknownEventType(f"{shown} {_what_there_is(profile, categories)}", errors=tuple(faults))
    if len(set(events)) != len(events):
        raise InvalidRequest(
            f"{member} names something twice.", errors=(Fault(f"/{member}", "invalid_request", "Twice."),)
        )
    return tuple(events)


def check_category(profile: Profile, name: str) -> tuple[str, ...]:
    """The types of a category that a list is to be narrowed to. Raises InvalidRequest where there is none."""
    types = profile.types_in(name)
    if not types:
        raise invalid("/category", f"Profile {profile.name} has no category {name!r}.")
    return types


def _wrong(profile: Profile, one: str, types: Sequence[str], categories: set[str]) -> str | None:
    if one.startswith(_CATEGORY):
        name = one.removeprefix(_CATEGORY)
        return None if name in categories else f"Profile {profile.name} has no category {name[:_CHARACTERS_SHOWN]!r}."
    stem = one.removesuffix(_ANY_DEPTH)
    if profile.takes_type(stem if stem != one else one):
        return None
    if stem != one and any(known.startswith(f"{stem}.") for known in types):
        return None
    return f"Profile {profile.name} has no event type {one[:_CHARACTERS_SHOWN]!r}."


def _patterns(types: Sequence[str], categories: set[str]) -> list[str]:
    """What may stand in a list beside types: a prefix of each first part, and each category."""
    prefixes = dict.fromkeys(f"{first}{_ANY_DEPTH}" for first, dot, _ in (one.partition(".") for one in types) if dot)
    return [*prefixes, *(f"{_CATEGORY}{one}" for one in sorted(categories))]


def _what_there_is(profile: Profile, categories: set[str]) -> str:
    """What a list may hold, in words."""
    absent = profile.rules.subscription_absent
    forms = f"a type, a prefix such as {_example(profile)}{_ANY_DEPTH}"
    if categories:
        forms += f", or {_CATEGORY}{min(categories)}"
    every = ", and no list at all for every type" if absent == "all" else ""
    where = profile.form_of_types or f"GET /v1/profiles/{profile.name}/events lists the types."
    return f"A list holds {forms}{every}. {where}"


def _example(profile: Profile) -> str:
    listed = profile.catalog()
    return listed[0].type.partition(".")[0] if listed and profile.form_of_types is None else "order"
