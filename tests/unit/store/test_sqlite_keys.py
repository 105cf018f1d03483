"""Bounds of Idempotency-Keys in the SQLite store, and the audit log's own guard."""

import apsw
import pytest

from hookspan.errors import StoreUnavailable
from hookspan.store.idempotency import KeyState, KeyUse
from tests.contract.test_audit import entry
from tests.unit.store.conftest import Open

pytestmark = pytest.mark.anyio


async def test_the_oldest_keys_of_an_owner_go(open_world: Open) -> None:
    """Beyond their number; those of others stay, and who is dropped while running ends without harm."""
    world = await open_world(keys_per_owner_max=3)
    taken = [await world.store.take_key(KeyUse("a", str(number), b"f", world.now, 0)) for number in range(3)]
    other = await world.store.take_key(KeyUse("b", "0", b"f", world.now, 0))
    assert (await world.store.take_key(KeyUse("a", "new", b"f", world.now, 0))).is_fresh
    assert not await world.store.finish_key(taken[0].id, KeyState.DONE, b"late")
    assert (await world.store.take_key(KeyUse("a", "0", b"f", world.now, 0))).is_fresh  # and 1 goes for it
    again = [await world.store.take_key(KeyUse("a", key, b"f", world.now, 0)) for key in ("2", "new", "0")]
    assert [one.is_fresh for one in again] == [False, False, False]
    assert (await world.store.take_key(KeyUse("b", "0", b"f", world.now, 0))).id == other.id


async def test_a_failing_log_stops_changes(open_world: Open, path) -> None:
    """A log that can't be written to, here by a trigger of somebody else's, lets no audited change through."""
    world = await open_world()
    database = apsw.Connection(str(path))
    database.execute("create trigger broken before insert on audit begin select raise(abort, 'no'); end")
    database.close()
    application = await world.application()
    with pytest.raises(StoreUnavailable):
        await world.store.audited(entry(world, application)).create_webhook(world.new_webhook(application), 0)
    assert (await world.webhooks_seen(application.id)).webhooks == ()


async def test_lines_can_not_be_changed_or_taken_out(open_world: Open, path) -> None:
    """Not by a statement that comes in by mistake; who drops the triggers is found by the hashes."""
    world = await open_world()
    await world.store.keep_audit(entry(world))
    database = apsw.Connection(str(path))
    try:
        for statement in ("update audit set at = 0", "delete from audit", "update audit set hash = hash"):
            with pytest.raises(apsw.ConstraintError, match="never"):
                database.execute(statement)
    finally:
        database.close()
