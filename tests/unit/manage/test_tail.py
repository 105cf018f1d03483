"""A viewer's turns: what is told, once, also of what is kept late; and what viewers share."""

import contextlib
from types import SimpleNamespace
from typing import Any

import pytest

from hookspan.domain.states import VerdictKind
from hookspan.errors import Overloaded
from hookspan.ids import ATTEMPT_PREFIX, first_id_at, to_text
from hookspan.manage.tail import BACK_MS, NAME_CHARS_MAX, OVERLAP_MS, TailQuery, Watch
from hookspan.manage.watching import (
    FRESH_S,
    LOOK_MAX,
    VIEWERS_APPLICATION_MAX,
    VIEWERS_APPLICATIONS_MAX,
    VIEWERS_MAX,
    Tails,
)
from hookspan.store.contract import AttemptLine
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio


class Kept:
    """A store's attempts, as `Store.attempt_lines` gives them. `reads` counts."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self.reads = 0
        self.name: str | None = None

    async def attempt_lines(self, after_id: int, limit: int, **_place: Any) -> list[AttemptLine]:
        self.reads += 1
        return [line(one, self.name) for one in sorted(self.ids, reverse=True) if one > after_id][:limit]


def line(ident: int, name: str | None) -> AttemptLine:
    return AttemptLine(
        id=ident,
        application="app_1",
        application_name="Acme",
        profile="standard",
        webhook_id=1,
        webhook_name=name,
        webhook_url="https://example.com/hook",
        delivery_id=2,
        event_id=3,
        type="order.paid",
        number=1,
        started_at=0,
        duration_us=1_000,
        verdict=VerdictKind.SUCCEEDED,
        error=None,
        error_message=None,
        response_status=200,
    )


class Node:
    """What a viewer stands on."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.store = Kept()
        self.tails = Tails(self.clock)
        self.profiles = SimpleNamespace(get=lambda _name: SimpleNamespace(webhook_prefix="wh_"))

    def viewer(self, after: str | None = None) -> Watch:
        return Watch(self, (None, None), TailQuery(), after)  # type: ignore[arg-type]

    def keep(self, *, ago_ms: int = 0) -> str:
        """An attempt whose id was made so long ago; its text."""
        ident = first_id_at(self.clock.now_ms() - ago_ms) + len(self.store.ids) + 1
        self.store.ids.add(ident)
        return to_text(ATTEMPT_PREFIX, ident)

    async def told(self, viewer: Watch) -> list[str]:
        self.clock.move(1_000)
        return [one.id for one in (await viewer.turn()).lines]


async def test_what_is_kept_late_is_told_once() -> None:
    """An id that is lower than one told before is told, as long as it is no older than the overlap."""
    node = Node()
    viewer = node.viewer()
    assert await node.told(viewer) == []
    first = node.keep()
    assert await node.told(viewer) == [first]
    late = node.keep(ago_ms=OVERLAP_MS - 2_000)
    assert late < first
    assert await node.told(viewer) == [late]
    node.keep(ago_ms=OVERLAP_MS + 2_000)
    assert await node.told(viewer) == []
    for _ in range(40):
        new = node.keep()
        assert await node.told(viewer) == [new]
    assert len(viewer._told) <= OVERLAP_MS // 1_000 + 1


async def test_who_comes_back_is_told_that_there_was_more() -> None:
    """More than one look takes was sent meanwhile: said so, as it is to who stayed; not where all was seen."""
    node = Node()
    seen = node.keep()
    node.clock.move(1)
    for _ in range(LOOK_MAX):
        newest = node.keep()
    assert (await node.viewer(seen).turn()).is_cut
    node.clock.move(1_000)
    assert not (await node.viewer(newest).turn()).is_cut
    assert not (await node.viewer().turn()).is_cut


async def test_names_are_cut() -> None:
    """They stand on a hundred lines a second, and each may have ten thousand characters."""
    node = Node()
    node.store.name = "n" * 10_000
    node.keep()
    [told] = (await node.viewer().turn()).lines
    assert told.webhook_name == "n" * (NAME_CHARS_MAX - 1) + "\N{HORIZONTAL ELLIPSIS}"
    assert told.application_name == "Acme"


async def test_a_viewer_that_was_held_up_misses_nothing() -> None:
    """What came while it stood still is told afterwards; who comes back says where it was, up to BACK_MS."""
    node = Node()
    viewer = node.viewer()
    await node.told(viewer)
    first = node.keep()
    node.clock.move(10 * OVERLAP_MS)
    assert await node.told(viewer) == [first]
    node.clock.move(BACK_MS // 2)
    assert await node.told(node.viewer(first)) == [first]
    assert await node.told(node.viewer()) == []
    assert await node.told(node.viewer("att_nonsense")) == []
    node.clock.move(BACK_MS)
    assert await node.told(node.viewer(first)) == []


async def test_viewers_of_a_place_share_a_read() -> None:
    """Ten cost as much as one; who needs more than was read reads anew; what is remembered is bounded."""
    node = Node()
    viewers = [node.viewer() for _ in range(10)]
    kept = node.keep()
    for viewer in viewers:
        assert [one.id for one in (await viewer.turn()).lines] == [kept]
    assert node.store.reads == 1
    node.clock.move(int(FRESH_S * 1_000) + 1)
    await viewers[0].turn()
    assert node.store.reads == 2
    await node.tails.lines(node.store, (None, None), 0)  # type: ignore[arg-type]
    assert node.store.reads == 3
    for number in range(2 * VIEWERS_MAX):
        await node.tails.lines(node.store, (number, None), 0)  # type: ignore[arg-type]
    assert len(node.tails._reads) == VIEWERS_MAX
    with node.tails.admit("somebody"):
        assert node.tails.viewers == 1
    assert (node.tails.viewers, node.tails._reads) == (0, {})


def test_customers_leave_places_to_others() -> None:
    """One application's people take no place of another's, and all of them together none of the operator's."""
    tails = Node().tails
    with contextlib.ExitStack() as stack:
        for number in range(VIEWERS_APPLICATION_MAX):
            stack.enter_context(tails.admit(f"portal {number}", "a"))
        with pytest.raises(Overloaded), tails.admit("one more", "a"):
            pass
        for number in range(VIEWERS_APPLICATIONS_MAX - VIEWERS_APPLICATION_MAX):
            stack.enter_context(tails.admit("person", f"b{number}"))
        with pytest.raises(Overloaded), tails.admit("person", "c"):
            pass
        for number in range(VIEWERS_MAX - VIEWERS_APPLICATIONS_MAX):
            stack.enter_context(tails.admit(f"operator {number}"))
        with pytest.raises(Overloaded), tails.admit("operator"):
            pass
    assert tails.viewers == 0
