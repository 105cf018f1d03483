"""What can't be moved, and the command that says so."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookspan.cli._output import Exit
from hookspan.cli._root import run
from hookspan.errors import ConfigurationError, HookspanError, NotFound, StateForbidden
from hookspan.settings import decode_encryption_key, new_encryption_key
from hookspan.store.copying import Step
from hookspan.store.postgres import Move, PostgresStore
from hookspan.vault import Vault
from tests.support.postgres import OPTIONS
from tests.unit.store.moved import Killed, Killer, fill, serving
from tests.unit.store.moving import Cells, two_cells

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cells() -> AsyncIterator[Cells]:
    async with two_cells() as cells:
        yield cells


async def refused(cells: Cells, error: type[HookspanError], text: str, **how: Any) -> None:
    """And the source goes on."""
    with pytest.raises(error, match=text):
        await cells.move("acme", **how)
    found = await cells.old.store.get_application("acme")
    if found is not None:
        assert 0 in await serving(cells, found)


async def test_what_can_not_go_is_refused(cells: Cells) -> None:
    """Each in words: nothing there, a name that is taken, the same cell, another key, another move."""
    await refused(cells, NotFound, "no application 'acme'")
    await refused(cells, NotFound, "no application 'acme'", what="undo")
    await refused(cells, NotFound, "no application 'acme'", what="look")
    await fill(cells.old)
    await refused(cells, StateForbidden, "No move of acme", what="undo")
    await refused(cells, ConfigurationError, "both cell 0", urls=(cells.urls[0], cells.urls[0]))
    await cells.new.application("acme")
    await refused(cells, StateForbidden, "already")
    await refused(cells, StateForbidden, "already", what="look")


async def test_another_key_is_refused(cells: Cells) -> None:
    """Credentials could not be opened in the target."""
    await fill(cells.old)
    cells.query(1, "update fact set bytes = 'other' where name = 'check_value'")
    await refused(cells, ConfigurationError, "encryption key is not the one")


async def test_another_schema_is_refused(cells: Cells) -> None:
    """And one that nobody has served."""
    await fill(cells.old)
    cells.query(1, "delete from fact where name = 'cell'")
    await refused(cells, ConfigurationError, "No node has ever served")
    cells.query(1, "update hookspan set version = version - 1")
    await refused(cells, ConfigurationError, "has schema")


async def test_a_second_target_is_refused(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a move to another one is under way: both could come to serve it."""
    application, _ = await fill(cells.old)
    monkeypatch.setattr(Move, "_let_go", lambda *_: None)
    with pytest.raises(Killed):
        await cells.move("acme", Killer("arrived"))
    async with two_cells() as others:
        urls = (cells.urls[0], others.urls[1])
        for what in ("run", "undo"):
            with pytest.raises(StateForbidden, match="being moved to"):
                await cells.move("acme", urls=urls, what=what)
    assert await serving(cells, application) == [1]


async def test_two_runs_at_once_are_refused(cells: Cells) -> None:
    """The second says so, and the first is not disturbed."""
    application, _ = await fill(cells.old)
    refusals: list[str] = []
    loop = asyncio.get_running_loop()

    async def second() -> None:
        with pytest.raises(StateForbidden, match="by another run"):
            await cells.move("acme")
        refusals.append("second")

    def told(step: Step) -> None:
        if step.phase == "arriving" and not refusals:
            asyncio.run_coroutine_threadsafe(second(), loop).result(10)

    await cells.move("acme", told)
    assert refusals == ["second"]
    assert await serving(cells, application) == [1]


@pytest.mark.usefixtures("no_settings")
async def test_the_command_moves(
    cells: Cells, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Says how many, for people and programs; addresses come from anywhere; refuses in one line."""
    await fill(cells.old)
    key = new_encryption_key()
    sealed = Vault(decode_encryption_key(key)).check_value()
    for which in (0, 1):
        cells.query(which, "update fact set bytes = %s where name = 'check_value'", sealed)
    file = tmp_path / "to"
    file.write_text(cells.urls[1] + "\n")

    async def say(*flags: str) -> tuple[int, str]:
        code = await asyncio.to_thread(run, ["db", "move-application", "acme", *flags])
        said = capsys.readouterr()
        return code, said.out + said.err

    source = ("--from", cells.urls[0])
    for flags, wanted, text in (
        (source, Exit.USAGE, "HOOKSPAN_MOVE_TO"),
        ((*source, "--to", "x", "--to-file", str(file)), Exit.USAGE, "exclude each other"),
        ((*source, "--to", "x", "--undo", "--dry-run"), Exit.USAGE, "exclude each other"),
        ((*source, "--to-file", str(tmp_path / "none")), Exit.CANT_START, "can't read"),
        ((*source, "--to-file", str(file)), Exit.CANT_START, "HOOKSPAN_ENCRYPTION_KEY"),
    ):
        got, said = await say(*flags)
        assert (got, text in said) == (wanted, True), said
    monkeypatch.setenv("HOOKSPAN_ENCRYPTION_KEY", key)
    code, said = await say("--to-file", str(file))
    assert (code, "must begin with postgresql" in said) == (Exit.CANT_START, True), said
    monkeypatch.setenv("HOOKSPAN_MOVE_FROM", cells.urls[0])
    monkeypatch.setenv("HOOKSPAN_MOVE_TO", cells.urls[1])
    code, said = await say("--undo")
    assert (code, "No move of acme" in said) == (Exit.FAILED, True), said
    code, said = await say("--dry-run", "--json")
    assert (code, json.loads(said)["rows"]["event"]) == (Exit.OK, 7)
    code, said = await say()
    assert (code, "the same on both sides" in said) == (Exit.OK, True), said
    code, said = await say()
    assert (code, "no application 'acme'" in said) == (Exit.FAILED, True), said


async def test_a_node_of_another_cell_is_refused(cells: Cells) -> None:
    """A database keeps the number of its first node: its ids are made with it."""
    options = msgspec.structs.replace(OPTIONS, cell=3)
    store = PostgresStore(cells.urls[1], clock=cells.new.clock, options=options)
    await store.open()
    try:
        with pytest.raises(ConfigurationError, match="set HOOKSPAN_CELL=1"):
            await store.register_node(cells.new.now)
    finally:
        await store.close()
