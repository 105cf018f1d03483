"""``[test]``: what is sent to see whether a receiver answers and verifies."""

from collections.abc import Callable
from typing import Final

import msgspec

from hookspan import jsontext
from hookspan.errors import HookspanError
from hookspan.profiles._catalog import Catalog
from hookspan.profiles._document import Refused, Test
from hookspan.profiles._schemas import Sample

AsksFor = Callable[[str, str | None], bool]  # (event type, category): whether a webhook subscribes to it
Render = Callable[[str, bytes, bytes | None, str, int, str], tuple[bytes, int, int]]
Check = Callable[[str, bytes, bytes | None], None]


class TestEvent(msgspec.Struct, frozen=True):
    """A test, of the profile's own type or of another. `body` makes its bytes from (event id text, at in ms,
    application uuid).
    """

    __test__ = False  # not one of pytest's

    type: str
    body: Callable[[str, int, str], bytes]


class TestPlan:
    """A profile's ``[test]``, checked."""

    __test__ = False

    def __init__(self, table: Test, catalog: Catalog, render: Render, check: Check) -> None:
        """Raises Refused."""
        self._catalog: Final = catalog
        self._render: Final = render
        self._own: Final = _own(table, render, check)
        if self._own is None and not catalog.entries():
            raise Refused("test.sample", "an open catalog has no samples; write type and content")

    @property
    def types(self) -> tuple[str, ...]:
        """Its own type where it is written out, else all that are listed."""
        own = self._own
        return tuple(one.type for one in self._catalog.entries()) if own is None else (own.type,)

    def event(self, event_type: str | None, asks_for: AsksFor | None) -> TestEvent:
        """Raises UnknownEventType."""
        own = self._own
        if own is not None and event_type in {None, own.type}:
            return own
        name = event_type or self._subscribed(asks_for)
        return _rendered(name, self._catalog.sample(name), self._render)

    def _subscribed(self, asks_for: AsksFor | None) -> str:
        """The first listed type that is asked for, else the first."""
        entries = self._catalog.entries()
        asked = (one.type for one in entries if asks_for is not None and asks_for(one.type, one.category))
        return next(asked, entries[0].type)


def _own(test: Test, render: Render, check: Check) -> TestEvent | None:
    """The test that is written out; None for a sample."""
    if (test.sample is not None) + (test.verbatim is not None) + (test.content is not None) != 1:
        raise Refused("test", 'write either "sample", or "type" and one of "verbatim" and "content"')
    if test.sample is not None:
        if test.type is not None or test.at is not None:
            raise Refused("test.type" if test.type is not None else "test.at", "does not go with test.sample")
        return None
    if not test.type or not test.type.isprintable():
        raise Refused("test.type", "this key is missing, or no printable text")
    raw = (test.verbatim or test.content or "").encode()
    try:
        jsontext.check(raw)
        if test.verbatim is not None:
            return TestEvent(test.type, lambda _event_id, _at_ms, _uuid: raw)
        check(test.type, raw, None)
    except HookspanError as error:
        raise Refused("test", error.detail) from None
    return _rendered(test.type, Sample(raw), render)


def _rendered(name: str, sample: Sample, render: Render) -> TestEvent:
    return TestEvent(name, lambda *rest: render(name, sample.content, sample.context, *rest)[0])
