"""Publishing in SQL, from the platform's transaction to the kept event, on a real PostgreSQL."""

import asyncio
import json

import pytest
from psycopg.types.json import Json

from hookspan.domain import times
from hookspan.store.idempotency import KeyUse
from tests.support.platform import Platform, publish

pytestmark = pytest.mark.anyio


async def test_what_commits_is_published_once_and_what_rolls_back_never(shop: Platform) -> None:
    """An event shares the fate of the transaction that it was published in."""
    async with shop.node() as node:
        acme = await node.application("acme")
        with shop.connect() as connection:
            publish(connection, "acme", "order.paid", '{"number": 1}')
            connection.rollback()
            publish(connection, "acme", "order.paid", '{"number": 2}')
            await node.drain()
            assert await node.events(acme) == []
            connection.commit()
        await node.drain()
        (event,) = await node.events(acme)
        assert json.loads(event.body)["data"] == {"number": 2}
        assert shop.query("select count(*) from inbox") == [(0,)]
        assert shop.query("select count(*) from inbox_hold") == [(0,)]
        await node.drain()
        assert len(await node.events(acme)) == 1


async def test_an_event_is_as_it_would_be_by_http(shop: Platform) -> None:
    """Numbers, order and escapes as they were written; type, publisher id, context and time; the same profile."""
    async with shop.node() as node:
        acme = await node.application("acme")
        content = '{"b": 1.10, "a": "\\u00e9", "n": 12345678901234567890.5}'
        shop.publish("acme", "order.paid", content, publisher_id="o-1", occurred_at="2026-03-01 12:00:00.1239+02")
        await node.drain()
        (event,) = await node.events(acme)
        assert content.encode() == event.content
        assert (event.type, event.publisher_id) == ("order.paid", "o-1")
        assert times.to_text(event.occurred_at) == "2026-03-01T10:00:00.123Z"


async def test_an_event_occurred_when_it_was_published(shop: Platform) -> None:
    """Not when a node came to take it in."""
    async with shop.node() as node:
        acme = await node.application("acme")
        shop.publish("acme", "order.paid", "{}")
        ((published_at,),) = shop.query("select published_at from inbox")
        await node.drain()
        (event,) = await node.events(acme)
        assert event.occurred_at == published_at


async def test_order_within_an_application_is_the_order_of_the_calls(shop: Platform) -> None:
    """Over more rows than one look takes, and with other applications between."""
    async with shop.node(inbox_each_max=7, inbox_rows_max=16) as node:
        applications = [await node.application(name) for name in ("a", "b", "c")]
        with shop.connect() as connection:
            for number in range(60):
                publish(connection, "abc"[number % 3], "order.paid", Json({"number": number}))
        await node.drain()
        for place, application in enumerate(applications):
            numbers = [json.loads(event.body)["data"]["number"] for event in await node.events(application)]
            assert numbers == list(range(place, 60, 3))


async def test_three_nodes_take_in_each_event_once(shop: Platform) -> None:
    """Eight writers, two hundred events each, three nodes at once; each writer's order is kept."""

    def write(writer: int) -> None:
        with shop.connect(autocommit=True) as connection:
            for number in range(200):
                publish(connection, f"app-{writer % 4}", "order.paid", Json({"writer": writer, "number": number}))

    async with shop.node() as one, shop.node() as two, shop.node() as three:
        applications = [await one.application(f"app-{number}") for number in range(4)]
        writers = [asyncio.to_thread(write, writer) for writer in range(8)]

        async def work(node) -> None:
            while not written.done() or shop.query("select count(*) from inbox") != [(0,)]:
                await node.look()

        written = asyncio.gather(*writers)
        await asyncio.gather(work(one), work(two), work(three), written)
        found = [json.loads(event.body)["data"] for app in applications for event in await one.events(app)]
        for writer in range(8):
            assert [data["number"] for data in found if data["writer"] == writer] == list(range(200))
        assert shop.query("select count(*) from inbox_hold") == [(0,)]


async def test_an_application_is_one_node_s_at_a_time(shop: Platform) -> None:
    """While a node that lives holds it no other takes it in; of one that was taken out it is free."""
    async with shop.node() as one, shop.node() as two:
        acme = await one.application("acme")
        shop.publish("acme", "order.paid", "{}")
        assert await one.store.draw_inbox(one.engine.node.id, ["acme"], each=9, limit=9, bytes_max=9)
        await two.drain()
        assert await two.store.draw_inbox(two.engine.node.id, ["acme"], each=9, limit=9, bytes_max=9) == []
        assert await two.events(acme) == []
        await two.store.deregister_node(one.engine.node.id, shop.clock.now_ms())
        await two.drain()
        assert len(await two.events(acme)) == 1


async def test_a_node_that_is_not_registered_holds_nothing(shop: Platform) -> None:
    """It was taken out, and others take in what it would."""
    async with shop.node() as node:
        await node.application("acme")
        shop.publish("acme", "order.paid", "{}")
        await node.store.deregister_node(node.engine.node.id, shop.clock.now_ms())
        assert await node.store.draw_inbox(node.engine.node.id, ["acme"], each=9, limit=9, bytes_max=9) == []


async def test_a_row_that_another_node_took_in_meanwhile_is_no_second_event(shop: Platform) -> None:
    """A paused node that goes on with what it had drawn keeps nothing, whatever of its batch is gone."""
    async with shop.node() as one, shop.node() as two:
        acme = await one.application("acme")
        for number in range(2):
            shop.publish("acme", "order.paid", Json({"number": number}))
        drawn = await one.store.draw_inbox(one.engine.node.id, ["acme"], each=9, limit=9, bytes_max=1 << 20)
        shop.query("delete from inbox_hold")
        await two.drain()
        shop.publish("acme", "order.paid", Json({"number": 2}))
        answer = one.engine.intake.take_in(await one.engine.index.find("acme"), drawn)
        await one.engine.intake.turn()
        await answer
        await one.drain()
        numbers = [json.loads(event.body)["data"]["number"] for event in await two.events(acme)]
        assert numbers == [0, 1, 2]
        assert one.counters.events_accepted == 1


async def test_it_shares_a_commit_with_requests_under_keys(shop: Platform) -> None:
    """Each is answered as if it were alone."""
    async with shop.node() as node:
        acme = await node.application("acme")
        intake = node.engine.intake
        entry = await node.engine.index.find("acme")
        now_ms = shop.clock.now_ms()
        use = KeyUse("owner", "key", b"f", now_ms, now_ms - 1)
        tasks = [
            asyncio.ensure_future(intake.publish_keyed("acme", b'{"type":"a.b","content":{}}', use)) for _ in range(2)
        ]
        shop.publish("acme", "c.d", "{}")
        drawn = await node.store.draw_inbox(node.engine.node.id, ["acme"], each=9, limit=9, bytes_max=1 << 20)
        assert intake.waiting_events == 2
        taken = intake.take_in(entry, drawn)
        await intake.turn()
        assert [is_replay for _, is_replay in await asyncio.gather(*tasks)] == [False, True]
        assert len(await taken) == 1
        assert [event.type for event in await node.events(acme)] == ["a.b", "c.d"]
        assert node.counters.appends == 1
        assert shop.query("select count(*) from inbox") == [(0,)]


async def test_a_commit_that_fails_leaves_the_row_and_is_tried_again(shop: Platform) -> None:
    """Event and row go together: the database refuses the row's going, and the event is not there either."""
    async with shop.node() as node:
        acme = await node.application("acme")
        shop.publish("acme", "order.paid", "{}")
        shop.query(
            "create function stop() returns trigger language plpgsql as "
            "$$ begin raise exception using errcode = '55000'; end $$"
        )
        shop.query("create trigger stop before delete on inbox execute function stop()")
        await node.look()
        assert await node.events(acme) == []
        assert shop.query("select count(*) from inbox") == [(1,)]
        shop.query("drop trigger stop on inbox")
        assert await node.look() == node.engine.options.inbox_interval_s  # it rests
        shop.clock.move(1_100)
        await node.drain()
        assert len(await node.events(acme)) == 1


async def test_a_publisher_id_makes_it_once(shop: Platform) -> None:
    """Published again with the same content it is the same event; with another it is refused, and the first stays."""
    async with shop.node() as node:
        acme = await node.application("acme")
        for content in ('{"a": 1}', '{"a": 1}', '{"a": 2}'):
            shop.publish("acme", "order.paid", content, publisher_id="o-1")
        await node.drain()
        (event,) = await node.events(acme)
        assert event.content == b'{"a": 1}'
        assert shop.query("select content::text, code from hookspan.refused") == [('{"a": 2}', "event_id_conflict")]


async def test_what_is_committed_is_taken_in_within_a_second(shop: Platform) -> None:
    """Nobody rings: an empty inbox is looked at again after half a second, one that was not after a twentieth."""
    async with shop.node() as node:
        acme = await node.application("acme")
        assert await node.look() <= 0.5
        shop.publish("acme", "order.paid", "{}")
        assert await node.look() <= 0.05
        assert len(await node.events(acme)) == 1


async def test_deliveries_are_made_as_for_any_event(shop: Platform) -> None:
    """The application's webhooks get it, claimed at birth by the node that took it in."""
    async with shop.node() as node:
        acme = await node.application("acme")
        await node.webhook(acme)
        shop.publish("acme", "order.paid", "{}")
        await node.drain()
        assert shop.query("select count(*), max(node) from delivery") == [(1, node.engine.node.id)]


async def test_gauges_tell_what_waits(shop: Platform) -> None:
    """How many, for how long, and how many were refused."""
    async with shop.node() as node:
        await node.application("acme")
        for _ in range(3):
            shop.publish("acme", "order.paid", "{}")
        shop.query("update inbox set published_at = %s", shop.clock.now_ms() - 7_000)
        stats = await node.store.stats()
        assert (stats["inbox_waiting"], stats["inbox_oldest_seconds"], stats["inbox_refused"]) == (3, 7, 0)
        await node.drain()
        shop.publish("nobody", "order.paid", "{}")
        await node.drain()
        stats = await node.store.stats()
        assert (stats["inbox_waiting"], stats["inbox_oldest_seconds"], stats["inbox_refused"]) == (0, 0, 1)


async def test_only_who_takes_in_looks(shop: Platform) -> None:
    """A node that only sends leaves the inbox to the others."""
    async with shop.node() as one, shop.node(takes_in=False) as two:
        assert one.engine.inbox in one.engine._duties()
        assert two.engine.inbox not in two.engine._duties()
