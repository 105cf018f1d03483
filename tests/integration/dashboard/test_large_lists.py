"""Lists stay fast however much there is: by the work that the database does, and, in the long runs, by the clock."""

import base64
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path

import apsw
import msgspec
import pytest

from hookspan.domain.states import DeliveryState
from hookspan.store.contract import Page
from hookspan.store.sqlite._deliveries import list_deliveries
from hookspan.store.sqlite._events import list_events, undelivered
from tests.integration.api.conftest import api_in
from tests.integration.dashboard._large import DAY_MS, DAYS, RARE, RARE_TYPE, Large, fill, ident_of, measured, settle

pytestmark = pytest.mark.anyio
FEW, MANY = 500, 5_000
PAGE = Page(limit=50)
TYPES = (None, RARE_TYPE, "order.never")
# Steps of SQLite's machine: of a list that need not walk, however much there is; of one that walks, for each row; of
# one that looks at all that waits (WAITING_MAX at most), for each row. About half as much again as was seen.
FLAT_STEPS_MAX = 8_000
WALK_STEPS_MAX = 35
WAITING_STEPS_MAX = 100
LARGE, PAGE_MS_MAX = 100_000, 200.0


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def places(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[DeliveryState, int], tuple[Path, Large]]:
    """The file and the application with FEW and with MANY events, by the state that most are in."""
    folder = tmp_path_factory.mktemp("large")
    async with api_in(folder, encryption_key=base64.b64encode(secrets.token_bytes(32)).decode()) as api:
        made = {(state, count): await settle(api, state) for state in DeliveryState for count in (FEW, MANY)}
    for (_, count), large in made.items():
        fill(folder / "hookspan.db", large, count)
    return {key: (folder / "hookspan.db", large) for key, large in made.items()}


def steps(path: Path, large: Large, look: Callable[[apsw.Connection, int], object]) -> int:
    """How many steps of SQLite's machine a look takes."""
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    application, counted = ident_of(database, large), 0

    def count() -> bool:
        nonlocal counted
        counted += 10
        return False

    database.set_progress_handler(count, 10)
    look(database, application)
    database.close()
    return counted


@pytest.mark.parametrize("count", [FEW, MANY])
@pytest.mark.parametrize("usual", list(DeliveryState))
async def test_what_is_common_is_found_without_a_walk(places, usual: DeliveryState, count: int) -> None:
    """All deliveries, those in the usual state, and events, of any time or of a day: a page takes the same work among
    few and among many.
    """
    path, large = places[usual, count]
    middle = large.begins_ms + DAYS * DAY_MS // 2
    day = msgspec.structs.replace(PAGE, since=middle, until=middle + DAY_MS)
    states = {None, usual} - {DeliveryState.PENDING}  # see below
    spent: dict[tuple[str, object], int] = {}
    for name, page in (("all", PAGE), ("a day", day)):
        for state in states:
            spent[name, state] = steps(path, large, partial(deliveries, page=page, state=state))
        spent[name, "events"] = steps(path, large, partial(events, page=page))
    assert max(spent.values()) < FLAT_STEPS_MAX, spent


@pytest.mark.parametrize("usual", list(DeliveryState))
async def test_what_is_rare_costs_one_walk(places, usual: DeliveryState) -> None:
    """A rare type, a state that few are in: some steps for each row that is there, never for each pair of them."""
    path, large = places[usual, MANY]
    walked = MANY + MANY // 100
    spent: dict[tuple[object, object], int] = {}
    for event_type in TYPES:
        for state in (None, DeliveryState.SUCCEEDED, DeliveryState.FAILED, DeliveryState.CANCELLED):
            spent[state, event_type] = steps(path, large, partial(deliveries, state=state, event_type=event_type))
        spent["events", event_type] = steps(path, large, partial(events, event_type=event_type))
        spent["undelivered", event_type] = steps(path, large, partial(not_everywhere, event_type=event_type))
    assert max(spent.values()) < FLAT_STEPS_MAX + walked * WALK_STEPS_MAX, spent
    waiting = {
        one: steps(path, large, partial(deliveries, state=DeliveryState.PENDING, event_type=one)) for one in TYPES
    }
    assert max(waiting.values()) < FLAT_STEPS_MAX + walked * WAITING_STEPS_MAX, waiting


def deliveries(
    database: apsw.Connection,
    application: int,
    page: Page = PAGE,
    state: DeliveryState | None = None,
    event_type: str | None = None,
) -> object:
    return list_deliveries(database, application, page, None, state, event_type)


def events(database: apsw.Connection, application: int, page: Page = PAGE, event_type: str | None = None) -> object:
    return list_events(database, application, page, None if event_type is None else [event_type], None)


def not_everywhere(database: apsw.Connection, application: int, event_type: str | None) -> object:
    return undelivered(database, application, PAGE, None if event_type is None else [event_type])


async def test_the_rare_ones_are_found(places) -> None:
    """What the lists above look for is there: the look is not quick because it finds nothing."""
    path, large = places[DeliveryState.SUCCEEDED, MANY]
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    application = ident_of(database, large)
    for state in DeliveryState:
        found = list_deliveries(database, application, PAGE, None, state, RARE_TYPE)
        assert {(one.state, one.type) for one in found} == {(state, RARE_TYPE)}
        assert len(found) >= RARE
    database.close()


@pytest.mark.soak
async def test_every_list_of_a_hundred_thousand(tmp_path: Path) -> None:
    """Over HTTP, with every filter: less than 200 ms of work for each page."""
    found = await measured(tmp_path, LARGE)
    assert {name: spent for name, spent in found.items() if spent > PAGE_MS_MAX} == {}
