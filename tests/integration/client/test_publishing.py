"""Publishing to a real server: one, many, all; with both clients."""

import asyncio
import contextlib
import datetime
import threading

import msgspec
import pytest

from hookspan.client import Accepted, AsyncClient, Client, Conflict, NewEvent, NotFound, Refused, Unauthenticated
from hookspan.client._publishing import BATCH_BYTES_MAX
from tests.support.node import OPERATOR_KEY

pytestmark = pytest.mark.anyio


def numbered(count, **members):
    return [NewEvent(type="order.paid", content={"number": number}, **members) for number in range(count)]


async def kept(client, application):
    """The contents of all events of an application, oldest first."""
    return [event async for event in client.events.read_on(application, wait_s=None)]


async def test_one_event_is_on_disk_when_publish_returns(either, node, client, application):
    """With an id of the client's making, as none was given."""
    async with either(node.base) as one:
        accepted = await one.publish(application, "order.paid", {"order_id": 17, "name": "Zoë ✓"})
    event = await client.events.get(application, accepted.id)
    assert event.content == {"order_id": 17, "name": "Zoë ✓"}
    assert event.publisher_id == accepted.publisher_id
    assert len(accepted.publisher_id) == 32


async def test_what_is_given_arrives(either, node, client, application):
    """Raw content byte for byte, a time with its zone, the publisher's own id."""
    raw = b'{ "n": 1.50e+3, "t": "\\u00e9" }'
    at = datetime.datetime(2026, 5, 1, 14, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    async with either(node.base) as one:
        accepted = await one.publish(application, "order.paid", msgspec.Raw(raw), publisher_id="o/17 ✓", occurred_at=at)
    event = await client.events.get(application, accepted.id)
    assert accepted.publisher_id == event.publisher_id == "o/17 ✓"
    assert event.occurred_at == "2026-05-01T12:00:00.000Z"
    assert '"n":1.50e+3,"t":"\\u00e9"' in event.body


async def test_the_same_publisher_id_is_one_event_alone_or_in_a_batch(either, node, client, application):
    """The encoding is one and the same, so the server sees the same event; another content is a Conflict."""
    async with either(node.base) as one:
        first = await one.publish(application, "order.paid", {"number": 0}, publisher_id="o-0")
        [second] = await one.publish_many(application, numbered(1, publisher_id="o-0"))
        with pytest.raises(Conflict) as caught:
            await one.publish(application, "order.paid", {"number": 1}, publisher_id="o-0")
    assert first == second
    assert (caught.value.code, caught.value.status, caught.value.publisher_id) == ("event_id_conflict", 409, "o-0")
    assert len(await kept(client, application)) == 1


async def test_many_are_answered_in_their_order_with_refusals_in_place(either, node, client, application):
    """More than one request takes; one wrong event does not keep the others from being kept."""
    events = numbered(2_100)
    events[1_500] = NewEvent(type="not a type", content={})
    events[7] = NewEvent(type="order.paid", content={"text": "x" * BATCH_BYTES_MAX})
    async with either(node.base, timeout_s=60) as one:
        results = await one.publish_many(application, events)
    refused = {place: one for place, one in enumerate(results) if isinstance(one, Refused)}
    assert {place: (one.code, one.status) for place, one in refused.items()} == {
        7: ("too_large", 413),
        1_500: ("unknown_event_type", 400),
    }
    assert refused[1_500].publisher_id == events[1_500].publisher_id
    assert refused[1_500].request_id
    accepted = [one for one in results if isinstance(one, Accepted)]
    assert [one.publisher_id for one in accepted] == [
        event.publisher_id for place, event in enumerate(events) if place not in refused
    ]
    found = await kept(client, application)
    assert [event.id for event in found] == [one.id for one in accepted]


async def test_many_again_keeps_nothing_twice(either, node, client, application):
    """The ids are the events' own: after a failure the same list can be given again."""
    events = numbered(30)
    async with either(node.base) as one:
        first = await one.publish_many(application, events)
        assert await one.publish_many(application, events) == first
        assert await one.publish_many(application, []) == []
    assert len(await kept(client, application)) == 30


async def test_refusals_say_what_is_wrong(either, node, application):
    """Code, status, places, the server's name for the request; and never the key."""
    async with either(node.base) as one:
        with pytest.raises(Refused) as caught:
            await one.publish(application, "order.paid", {}, publisher_id="")
        assert (caught.value.status, caught.value.code) == (400, "invalid_request")
        assert caught.value.errors[0].pointer == "/publisher_id"
        assert str(caught.value.request_id).startswith("req_")
        with pytest.raises(NotFound):
            await one.publish("app_nobody", "order.paid", {})
    async with either(node.base, "hk_wrong") as one:
        with pytest.raises(Unauthenticated) as unknown:
            await one.publish(application, "order.paid", {})
    assert "hk_wrong" not in repr(unknown.value) + str(unknown.value) + repr(vars(unknown.value))
    assert either.slept == []


async def test_asyncio_publishes_all_of_an_iterator(node, client, application):
    """Each event with its result, in order; the iterator is not run ahead of what is taken."""
    pulled = 0

    async def source():
        nonlocal pulled
        for event in numbered(500):
            pulled += 1
            yield event

    taken = 0
    ahead = 0
    async for event, result in client.publish_all(application, source(), batch_events=10, in_flight=3):
        assert event.content == {"number": taken}
        assert result.publisher_id == event.publisher_id
        taken += 1
        ahead = max(ahead, pulled - taken)
    assert taken == 500
    assert ahead <= 3 * 10 + 3 * 10  # on their way; and taken in, gathered, being handed out
    assert sorted(event.content["number"] for event in await kept(client, application)) == list(range(500))


async def test_asyncio_does_not_hold_an_event_back_for_a_full_batch(client, application):
    """What lingers goes; its result comes while the source still waits."""
    more = asyncio.Event()

    async def source():
        yield NewEvent(type="order.paid", content={"number": 0})
        await more.wait()
        yield NewEvent(type="order.paid", content={"number": 1})

    taken = []
    async for event, _ in client.publish_all(application, source(), linger_s=0.01):
        taken.append(event.content["number"])
        more.set()
    assert taken == [0, 1]


async def test_asyncio_does_not_wait_for_a_trickle_to_fill_a_batch(client, application):
    """Each event waits its time at most, though another comes before it is over."""
    is_there = asyncio.Event()
    pulled = 0

    async def source():
        nonlocal pulled
        while not is_there.is_set() and pulled < 400:
            pulled += 1
            yield NewEvent(type="order.paid", content={})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(is_there.wait(), 0.005)

    async for _ in client.publish_all(application, source(), linger_s=0.02):
        is_there.set()
    assert pulled < 400


async def test_asyncio_ends_what_it_began_when_it_is_left_early(client, application):
    """No task is left behind."""
    before = asyncio.all_tasks()

    async def endless():
        while True:
            yield NewEvent(type="order.paid", content={})

    for source in (numbered(100), endless()):
        results = client.publish_all(application, source, batch_events=5, in_flight=4)
        async for _ in results:
            break
        async with asyncio.timeout(10):
            await results.aclose()
        assert asyncio.all_tasks() == before


async def test_a_source_that_fails_fails_the_caller(client, application):
    """With the source's own error, not before what was on its way has ended."""

    async def source():
        yield NewEvent(type="order.paid", content={})
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        async for _ in client.publish_all(application, source(), linger_s=0):
            pass


async def test_blocking_publishes_all_of_an_iterator(node, client, application):
    """With threads; in order, not run ahead; left early it leaves no thread behind."""

    def work():
        pulled = 0

        def source():
            nonlocal pulled
            for event in numbered(500):
                pulled += 1
                yield event

        taken = ahead = 0
        with Client(node.base, OPERATOR_KEY) as one:
            for event, result in one.publish_all(application, source(), batch_events=10, in_flight=3):
                assert event.content == {"number": taken}
                assert result.publisher_id == event.publisher_id
                taken += 1
                ahead = max(ahead, pulled - taken)
            results = one.publish_all(application, numbered(100), batch_events=5)
            next(results)
            results.close()
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("hookspan-publish")]
        return taken, ahead

    taken, ahead = await asyncio.to_thread(work)
    assert taken == 500
    assert ahead <= 3 * 10
    numbers = [event.content["number"] for event in await kept(client, application)]
    assert sorted(set(numbers)) == list(range(500))


@pytest.mark.parametrize("in_flight", [0, 65])
async def test_what_is_on_its_way_is_bounded(node, client, application, in_flight):
    """As are batches: a thousand events are what a server takes."""
    with pytest.raises(ValueError, match="in_flight"):
        await anext(client.publish_all(application, [], in_flight=in_flight))
    with pytest.raises(ValueError, match="batch"):
        await anext(client.publish_all(application, [], batch_events=1_001))
    with Client(node.base, OPERATOR_KEY) as one:
        with pytest.raises(ValueError, match="in_flight"):
            next(one.publish_all(application, [], in_flight=in_flight))
        with pytest.raises(ValueError, match="batch"):
            next(one.publish_all(application, [], batch_events=0))


async def test_tasks_and_threads_share_a_client(node, client, application):
    """A hundred at once over ten connections: each is answered with its own event."""
    async with AsyncClient(node.base, OPERATOR_KEY, connections_max=4) as one:
        answers = await asyncio.gather(
            *(one.publish(application, "order.paid", {"number": n}, publisher_id=f"a{n}") for n in range(100))
        )
    assert [answer.publisher_id for answer in answers] == [f"a{n}" for n in range(100)]
    with Client(node.base, OPERATOR_KEY, connections_max=4) as blocking:
        answers = await asyncio.gather(
            *(
                asyncio.to_thread(blocking.publish, application, "order.paid", {"number": n}, publisher_id=f"b{n}")
                for n in range(100)
            )
        )
    assert [answer.publisher_id for answer in answers] == [f"b{n}" for n in range(100)]
    assert len(await kept(client, application)) == 200
