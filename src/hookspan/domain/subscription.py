"""Which webhooks asked for an event."""

from collections.abc import Callable

ABSENT_ALL = "all"
ABSENT_NONE = "none"


def compile_subscription(events: tuple[str, ...] | None, absent: str) -> Callable[[str, str | None], bool]:
    """A function of (event type, category) that tells whether this subscription asks for it.

    `events` holds types, ``prefix.*`` (any depth) and ``category:NAME``; empty asks for none; None is the profile's
    rule `absent` ("all" or "none"). "All" includes types that are added later, a list does not.
    """
    if events is None:
        wants_all = absent == ABSENT_ALL
        return lambda _type, _category: wants_all
    types = frozenset(one for one in events if not one.endswith(".*") and not one.startswith("category:"))
    prefixes = tuple(one[:-1] for one in events if one.endswith(".*"))
    categories = frozenset(one[len("category:") :] for one in events if one.startswith("category:"))

    def asks_for(event_type: str, category: str | None) -> bool:
        return event_type in types or category in categories or event_type.startswith(prefixes)

    return asks_for
