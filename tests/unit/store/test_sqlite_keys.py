"""Bounds of Idempotency-Keys in the SQLite store, and the audit log's own guard."""

import apsw
import msgspec
import pytest

from hookspan.errors import StoreUnavailable
from hookspan.store.idempotency import KEY_FORCE_MS, KeyedPublish, KeyOutcome, KeyState, KeyUse
from tests.contract.test_audit import entry
from tests.contract.test_idempotency import FRESH, publish
from tests.contract.world import World
from tests.unit.store.conftest import Open

pytestmark = pytest.mark.anyio

FULL = KeyOutcome.FULL


def use(world: World, key: str, application_id: int = 1, owner: str = "a") -> KeyUse:
    return KeyUse(owner, key, b"f", world.now, world.now - KEY_FORCE_MS, application_id)


async def test_an_application_has_so_many_keys(open_world: Open) -> None:
    """Whoever takes them. Nothing of the last 24 hours goes for another; what is older does, to the millisecond."""
    world = await open_world(keys_max=2)
    assert await world.store.take_key(use(world, "0"))
    world.clock.move(1)
    assert await world.store.take_key(use(world, "1", owner="b"))
    assert await world.store.take_key(use(world, "2")) is None
    assert await world.store.take_key(use(world, "2", application_id=2))
    again = await world.store.take_key(use(world, "0"))
    assert again is not None
    assert not again.is_fresh
    world.clock.move(KEY_FORCE_MS - 1)
    assert await world.store.take_key(use(world, "2")) is None
    world.clock.move(1)
    assert await world.store.take_key(use(world, "2"))
    assert await world.store.take_key(use(world, "3")) is None
    await world.store.forget_key(again.id)  # is gone already
    assert await world.store.take_key(use(world, "3")) is None


async def test_an_application_has_so_many_bytes_of_answers(open_world: Open) -> None:
    """Beyond them the short answer is kept; those that go make room."""
    world = await open_world(key_answers_bytes_max=10)
    kept = []
    for key in ("0", "1", "2"):
        taken = await world.store.take_key(use(world, key))
        assert taken is not None
        await world.store.finish_key(taken.id, KeyState.DONE, b"x" * 5, short=b"")
        kept.append(await world.store.take_key(use(world, key)))
    assert [one and one.answer for one in kept] == [b"xxxxx", b"xxxxx", b""]
    assert kept[0] is not None
    await world.store.forget_key(kept[0].id)
    taken = await world.store.take_key(use(world, "3"))
    assert taken is not None
    await world.store.finish_key(taken.id, KeyState.DONE, b"y" * 5, short=b"")
    found = await world.store.take_key(use(world, "3"))
    assert found is not None
    assert found.answer == b"yyyyy"


@pytest.mark.parametrize("bound", [{"publish_keys_max": 2}, {"publish_key_answers_bytes_max": 13}])
async def test_publishes_under_keys_are_bounded(open_world: Open, bound: dict[str, int]) -> None:
    """In one commit and over several; what is refused is kept in no part, and keys of management don't count."""
    world = await open_world(**bound)
    application = await world.application()
    events = [world.event(application) for _ in range(4)]
    for key in ("m1", "m2", "m3"):
        await world.store.take_key(use(world, key, application.id))
    keyed = [KeyedPublish(use(world, str(n), application.id), (one.id,), (0,)) for n, one in enumerate(events)]
    first = await publish(world, events[:1], keyed[0])
    second = await publish(world, events[1:2], keyed[1])
    third = await publish(world, events[2:], *keyed[2:])
    assert [one.keyed for one in (first, second, third)] == [(FRESH,), (FRESH,), (FULL, FULL)]
    assert await world.last_position(application) == 2
    world.clock.move(KEY_FORCE_MS + 1)
    later = [msgspec.structs.replace(one.use, began_at=world.now) for one in keyed[2:]]
    appended = await publish(world, events[2:3], KeyedPublish(later[0], (events[2].id,), (0,)))
    assert appended.keyed == (FRESH,)


async def test_keys_go_with_their_application(open_world: Open, path) -> None:
    """Chunk by chunk, once the rest of it has gone; those of others stay."""
    world = await open_world()
    gone, other = await world.application(), await world.application()
    for number in range(5):
        await world.store.take_key(use(world, str(number), gone.id))
        await world.store.take_key(use(world, str(number), other.id))
    await world.store.delete_application(gone.id, world.now)
    turns = await world.expire(0, 0, limit=2)
    assert len(turns) > 2
    assert turns[-1].is_done
    database = apsw.Connection(str(path))
    try:
        left = database.execute("select application_id, count(*) from idempotency group by 1").fetchall()
        tally = database.execute("select application_id, keys, bytes from idempotency_tally").fetchall()
    finally:
        database.close()
    assert (left, tally) == ([(other.id, 5)], [(other.id, 5, 0)])


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
