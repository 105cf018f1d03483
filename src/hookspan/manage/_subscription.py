"""Checking what a webhook asks for against its profile's catalog."""

from collections.abc import Sequence

from hookspan.errors import Fault, InvalidRequest, UnknownEventType
from hookspan.manage._ground import invalid
from hookspan.profiles import Profile

_CATEGORY = "category:"
_ANY_DEPTH = ".*"
_SHOWN_MAX = 5


def check_subscription(profile: Profile, events: Sequence[str] | None) -> tuple[str, ...] | None:
    """The subscription to keep. A list must name types, prefixes and categories that the catalog has; where the
    catalog is open any well-formed type will do. Raises InvalidRequest, UnknownEventType.
    """
    if events is None:
        if profile.rules.subscription_absent == "refused":
            raise invalid("/events", f"Profile {profile.name} wants to be told which events: give a list.")
        return None
    catalog = profile.catalog()
    categories = {entry.category for entry in catalog if entry.category is not None}
    types = [entry.type for entry in catalog]
    faults = []
    for place, one in enumerate(events):
        why = _wrong(profile, one, types, categories)
        if why is not None:
            faults.append(Fault(f"/events/{place}", "unknown_event_type", why))
    if faults:
        shown = " ".join(fault.detail for fault in faults[:_SHOWN_MAX])
        raise UnknownEventType(shown, errors=tuple(faults))
    if len(set(events)) != len(events):
        raise InvalidRequest("events names something twice.", errors=(Fault("/events", "invalid_request", "Twice."),))
    return tuple(events)


def _wrong(profile: Profile, one: str, types: Sequence[str], categories: set[str]) -> str | None:
    if one.startswith(_CATEGORY):
        name = one.removeprefix(_CATEGORY)
        return None if name in categories else f"Profile {profile.name} has no category {name!r}."
    stem = one.removesuffix(_ANY_DEPTH)
    if profile.takes_type(stem if stem != one else one):
        return None
    if stem != one and any(known.startswith(f"{stem}.") for known in types):
        return None
    return f"Profile {profile.name} has no event type {one!r}."
