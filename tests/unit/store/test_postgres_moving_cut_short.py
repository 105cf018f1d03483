"""A move that fails or is killed at any step: at most one side serves, and the next run goes on or undoes it."""

from collections.abc import AsyncIterator

import pytest

from hookspan.errors import NotFound, StateForbidden
from hookspan.store.postgres import Move
from tests.unit.store.moved import Killed, Killer, fill, seen, serving
from tests.unit.store.moving import Cells, two_cells

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cells() -> AsyncIterator[Cells]:
    async with two_cells() as cells:
        yield cells


PHASES = ("copying", "freezing", "comparing", "arriving", "arrived", "left")


@pytest.mark.parametrize("phase", PHASES)
async def test_one_that_failed_leaves_one_that_serves(cells: Cells, phase: str) -> None:
    """The source goes on, unless the target serves already; the next run finishes it."""
    application, _ = await fill(cells.old)
    before = await seen(cells.old, application)
    with pytest.raises(Killed):
        await cells.move("acme", Killer(phase))
    assert await serving(cells, application) == ([1] if phase in {"arrived", "left"} else [0])
    await cells.move("acme")
    assert await serving(cells, application) == [1]
    assert await seen(cells.new, application) == before


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("is_undone", [False, True])
async def test_one_that_was_killed_goes_on_or_is_undone(
    cells: Cells, phase: str, is_undone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no time to clean up: at most one of both serves, ever; then it is finished, or given up without a trace."""
    application, _ = await fill(cells.old)
    before = await seen(cells.old, application)
    monkeypatch.setattr(Move, "_let_go", lambda *_: None)
    with pytest.raises(Killed):
        await cells.move("acme", Killer(phase))
    expected = {"copying": [0], "freezing": [0], "comparing": [], "arriving": [], "arrived": [1], "left": [1]}[phase]
    assert await serving(cells, application) == expected
    if is_undone and expected != [1]:
        await cells.move("acme", what="undo")
        assert await serving(cells, application) == [0]
        assert await seen(cells.old, application) == before
        for table in ("event", "delivery", "publish_key", "webhook", "application"):
            assert cells.query(1, f"select count(*) from {table}") == [(0,)]
    elif is_undone and phase == "arrived":
        with pytest.raises(StateForbidden, match="has arrived"):
            await cells.move("acme", what="undo")
    await cells.move("acme")
    assert await serving(cells, application) == [1]
    assert await seen(cells.new, application) == before
    with pytest.raises(NotFound):
        await cells.move("acme")
