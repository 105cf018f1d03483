"""Intake: what is acknowledged is durable, what is refused left nothing behind."""

import asyncio

import msgspec
import pytest

from hookspan.engine import EngineOptions, Published
from hookspan.errors import (
    DuplicateKey,
    EventIdConflict,
    HookspanError,
    InvalidJson,
    InvalidRequest,
    NotFound,
    Overloaded,
    SchemaMismatch,
    StoreUnavailable,
    TooLarge,
    UnknownEventType,
    UnknownField,
)
from hookspan.store.contract import Page

pytestmark = pytest.mark.anyio

ITEM = {"item_id": 1, "user_uuid": "766b2f5d-a942-492c-9ea7-2e5aa88cb672"}


async def kept(world, application) -> int:
    events = await world.store.list_events(application.id, Page(limit=500), event_types=None, publisher_id=None)
    return len(events)


@pytest.mark.parametrize(
    ("raw", "error", "words"),
    [
        (b"", InvalidJson, ""),
        (b"hello", InvalidJson, ""),
        (b'{"type":"a","content":NaN}', InvalidJson, ""),
        (b'{"type":"a","content":{}} x', InvalidJson, ""),
        (b'{"type":"a","content":{"k":"\xff"}}', InvalidJson, ""),
        (b'{"type":"a","content":{"k":1,"k":2}}', DuplicateKey, "k"),
        (b'{"type":"a","type":"b","content":{}}', DuplicateKey, "type"),
        (b'{"type":"a","content":' + b"[" * 200 + b"]" * 200 + b"}", InvalidJson, "128"),
        (b'"text"', InvalidRequest, ""),
        (b'{"content":{}}', InvalidRequest, "type"),
        (b'{"type":"a.b"}', InvalidRequest, "content"),
        (b'{"type":7,"content":{}}', InvalidRequest, "type"),
        (b'{"type":"a.b","content":{},"kind":1}', UnknownField, "kind"),
        (b'{"type":"a.b","content":{},"publisher_id":""}', InvalidRequest, "publisher_id"),
        (b'{"type":"a.b","content":{},"publisher_id":"' + b"x" * 257 + b'"}', InvalidRequest, "publisher_id"),
        (b'{"type":"a.b","content":{},"occurred_at":"yesterday"}', InvalidRequest, "occurred_at"),
        (b'{"type":"a.b","content":{},"occurred_at":"2026-01-01T00:00:00"}', InvalidRequest, "occurred_at"),
        (b'{"type":"a b","content":{}}', UnknownEventType, "a b"),
        (b'{"type":"a.b","content":"' + b"x" * (256 * 1024) + b'"}', TooLarge, "262,144"),
        (b"[]", InvalidRequest, "empty"),
        (b"[" + b",".join([b"{}"] * 1001) + b"]", TooLarge, "1,000"),
        (b" " * (5 * 1024 * 1024 + 1), TooLarge, "5,242,880"),
    ],
)
async def test_bad_input_is_refused_with_its_place_and_nothing_is_kept(world, raw, error, words):
    application = await world.application()
    with pytest.raises(error) as caught:
        await world.send(application, raw)
    said = caught.value.detail + str(caught.value.errors)
    assert words in said
    assert await kept(world, application) == 0
    assert world.engine.intake.waiting_events == 0
    assert world.engine.intake.waiting_bytes == 0


async def test_an_unknown_application_is_not_found(world):
    with pytest.raises(NotFound, match="app_nobody"):
        await world.engine.intake.publish("app_nobody", b'{"type":"a.b","content":{}}')


async def test_a_profile_refuses_types_and_content_outside_its_catalog(world):
    application = await world.application("bridge-api")
    with pytest.raises(UnknownEventType):
        await world.send(application, {"type": "item.exploded", "content": ITEM})
    with pytest.raises(SchemaMismatch) as caught:
        await world.send(application, {"type": "item.created", "content": {"item_id": "one", "user_uuid": 7}})
    assert any("item_id" in fault.pointer for fault in caught.value.errors)
    assert await kept(world, application) == 0


async def test_one_bad_event_of_a_batch_is_named_and_the_others_are_kept(world):
    application = await world.application("bridge-api")
    good = {"type": "item.created", "content": ITEM}
    receipt = await world.send(application, [good, {"type": "nonsense", "content": {}}, good, {"content": 1}])
    assert [isinstance(one, Published) for one in receipt] == [True, False, True, False]
    assert isinstance(receipt[1], HookspanError)
    assert receipt[1].data["index"] == 1
    assert receipt[3].data["index"] == 3
    assert await kept(world, application) == 2


async def test_the_same_publisher_id_is_the_same_event(world):
    """Sent again it is answered alike and delivered once; with another body it is a conflict that keeps nothing."""
    application = await world.application()
    await world.webhook(application)
    event = {"type": "order.paid", "content": {"number": 1}, "publisher_id": "order-1"}
    first = await world.send(application, event)
    again = await world.send(application, event)
    assert again == first
    with pytest.raises(EventIdConflict):
        await world.send(application, {**event, "content": {"number": 2}})
    await world.settle()
    assert world.numbers() == [1]
    assert await kept(world, application) == 1
    assert world.engine.dispatcher.items == 0


async def test_the_same_publisher_id_in_concurrent_requests_is_kept_once(world):
    application = await world.application()
    await world.webhook(application)
    tasks = [world.publish_soon(application, 1, publisher_id="same") for _ in range(20)]
    await world._commit()
    assert len({receipt.id for receipt in await asyncio.gather(*tasks)}) == 1
    await world.settle()
    assert world.numbers() == [1]


async def test_concurrent_publishes_share_a_commit(world):
    application = await world.application()
    tasks = [world.publish_soon(application, number) for number in range(100)]
    await world._commit()
    await asyncio.gather(*tasks)
    assert world.counters.appends == 1
    assert world.counters.events_accepted == 100


async def test_a_full_queue_refuses_at_once(make_world):
    """Bounded in number and in bytes; what was taken in before is kept all the same."""
    async with make_world(options=EngineOptions(intake_events_max=5)) as world:
        application = await world.application()
        await world.publish(application, 0)
        tasks = [world.publish_soon(application, number) for number in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as caught:
            await world.engine.intake.publish(application.public_id, b'{"type":"a.b","content":{}}')
        assert caught.value.retry_after_s >= 1
        with pytest.raises(Overloaded):
            await world.engine.intake.publish(application.public_id, b'[{"type":"a.b","content":{}}]')
        await world._commit()
        assert len(await asyncio.gather(*tasks)) == 5


async def test_too_many_bytes_refuse_at_once(make_world):
    async with make_world(options=EngineOptions(intake_bytes_max=1_000)) as world:
        application = await world.application()
        await world.publish(application, 0)
        content = {"text": "x" * 900}
        task = asyncio.ensure_future(
            world.engine.intake.publish(application.public_id, msgspec.json.encode({"type": "a.b", "content": content}))
        )
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await world.engine.intake.publish(
                application.public_id, msgspec.json.encode({"type": "a.b", "content": content})
            )
        await world._commit()
        await task


async def test_a_store_that_fails_is_never_a_false_yes(world, monkeypatch):
    """The commit fails: every waiting publisher hears it, nothing is promised, and the next try works."""
    application = await world.application()
    await world.webhook(application)
    await world.publish(application, 0)
    append = world.store.append

    async def broken(*_args):
        raise StoreUnavailable("the database is gone")

    monkeypatch.setattr(world.store, "append", broken)
    tasks = [world.publish_soon(application, number) for number in (1, 2)]
    await world._commit()
    for task in tasks:
        with pytest.raises(StoreUnavailable):
            await task
    assert world.engine.dispatcher.items == 0
    monkeypatch.setattr(world.store, "append", append)
    await world.publish(application, 3)
    await world.settle()
    assert sorted(world.numbers()) == [0, 3]


async def test_a_commit_in_doubt_leaves_nothing_claimed_for_ever(world, monkeypatch):
    """The rows are there but the answer was lost: the publisher sends again, and the event is delivered once."""
    application = await world.application()
    await world.webhook(application)
    append = world.store.append

    async def in_doubt(*args):
        await append(*args)
        raise StoreUnavailable("the connection was lost during COMMIT")

    monkeypatch.setattr(world.store, "append", in_doubt)
    task = world.publish_soon(application, 1, publisher_id="p1")
    await world._commit()
    with pytest.raises(StoreUnavailable):
        await task
    monkeypatch.setattr(world.store, "append", append)
    await world.publish(application, 1, publisher_id="p1")
    await world.settle()
    assert world.numbers() == [], "it stands claimed in this node's name, but in nobody's hands"
    for _ in range(2):
        await world.engine.node.turn()
    await world.settle()
    assert world.numbers() == [1]


async def test_results_in_doubt_are_written_once(world, monkeypatch):
    application = await world.application()
    await world.webhook(application)
    record = world.store.record
    failures = iter([True, False, False])

    async def in_doubt(*args):
        late = await record(*args)
        if next(failures, False):
            raise StoreUnavailable("lost during COMMIT")
        return late

    monkeypatch.setattr(world.store, "record", in_doubt)
    await world.publish(application, 1)
    await world.settle()
    (delivery,) = await world.store.list_deliveries(
        application.id, Page(limit=9), webhook_id=None, state=None, event_type=None
    )
    assert delivery.attempt_count == 1
    assert len(await world.store.attempts_of(delivery)) == 1


async def test_a_deregistered_node_stops_registers_anew_and_its_work_is_done_once_more_at_most(world):
    application = await world.application()
    await world.webhook(application, concurrency=1)
    world.egress.is_holding = True
    await world.publish(application, 1, 2, 3)
    await world.store.deregister_node(world.engine.node.id, world.clock.now_ms())
    task = world.publish_soon(application, 4)
    await world._commit()
    with pytest.raises(StoreUnavailable):
        await task
    await world.engine.node.turn()
    world.egress.is_holding = False
    world.egress.let_go()
    await world.publish(application, 4)
    await world.settle()
    assert sorted(set(world.numbers())) == [1, 2, 3, 4]
    assert world.numbers().count(1) == 2, "its result came too late and was refused"
    assert world.counters.attempts_late == 1
    assert world.engine.dispatcher.held == {}


async def test_positions_are_gap_free_across_refusals_and_duplicates(world):
    application = await world.application()
    for number in (1, 1, 2, 2, 3):
        await world.send(application, {"type": "a.b", "content": {"number": number}, "publisher_id": f"p{number}"})
    events = await world.store.events_after(application.id, 0, 100)
    assert [event.position for event in events] == [1, 2, 3]


async def test_content_and_context_are_kept_as_they_were_sent(world):
    """Number text, escapes and white space are the publisher's; the body that is sent is compact."""
    application = await world.application()
    raw = b'{"type":"a.b","content":{ "amount": 1.50,  "big": 12345678901234567890123, "e": "\\u00e9" }}'
    await world.send(application, raw)
    (event,) = await world.store.events_after(application.id, 0, 1)
    assert event.content == b'{ "amount": 1.50,  "big": 12345678901234567890123, "e": "\\u00e9" }'
    assert b'"data":{"amount":1.50,"big":12345678901234567890123,"e":"\\u00e9"}' in event.body


async def test_stopping_refuses_new_events_and_finishes_what_it_has(world):
    application = await world.application()
    await world.webhook(application)
    await world.engine.start()
    assert world.engine.readiness() is None
    receipts = [world.publish_soon(application, number) for number in range(20)]
    await asyncio.sleep(0)
    await world.engine.stop(5)
    assert len(await asyncio.gather(*receipts)) == 20
    assert world.engine.readiness() is not None
    with pytest.raises(Overloaded):
        await world.engine.intake.publish(application.public_id, b'{"type":"a.b","content":{}}')
    await world.crash()
    await world.settle()
    assert sorted(world.numbers()) == list(range(20)), "sent before the end or given back, never both"
