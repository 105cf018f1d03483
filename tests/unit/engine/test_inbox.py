"""Publishing in SQL, from the platform's transaction to the kept event, on a real PostgreSQL."""

import asyncio
import json
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors
from psycopg.types.json import Json

from hookspan.domain import times
from hookspan.engine.inbox import TEXT_CHARACTERS_MAX
from hookspan.store.idempotency import KeyUse
from tests.support.platform import Platform, platform, publish

pytestmark = pytest.mark.anyio


@pytest.fixture
def shop() -> Iterator[Platform]:
    with platform() as made:
        yield made


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


async def test_what_is_refused_is_put_aside_and_holds_up_nobody(shop: Platform) -> None:
    """With code, sentence and place; counted once; the events around it are taken in."""
    async with shop.node() as node:
        acme = await node.application("acme")
        lms = await node.application("lms", "bridge-lms")
        shop.publish("nobody", "order.paid", "{}")
        for number, (application, event_type, content) in enumerate(
            (
                ("acme", "order.paid", "{}"),
                ("acme", "no spaces", "{}"),
                ("acme", "order.paid", '{"a": 1, "a": 2}'),
                ("acme", "order.paid", '{"a": "\\ud800"}'),
                ("acme", "order.paid", "{}"),
                ("lms", "order.paid", "{}"),
            )
        ):
            shop.publish(application, event_type, content, publisher_id=f"n{number}")
        await node.drain()
        assert len(await node.events(acme)) == 2
        assert await node.events(lms) == []
        found = shop.query("select application, code, pointer, published_by from hookspan.refused order by id")
        assert [row[:3] for row in found] == [
            ("nobody", "not_found", None),
            ("acme", "unknown_event_type", "/type"),
            ("acme", "duplicate_key", "/content/a"),
            ("acme", "invalid_json", None),
            ("lms", "unknown_event_type", "/type"),
        ]
        assert {row[3] for row in found} == {shop.role}
        counted = node.counters.inbox_refused_by_code
        assert counted == {"not_found": 1, "unknown_event_type": 2, "duplicate_key": 1, "invalid_json": 1}


async def test_a_refusal_that_can_t_be_kept_as_it_is_is_kept(shop: Platform) -> None:
    """It repeats a key of the content: with a character that the database has not, or longer than a sentence."""
    async with shop.node() as node:
        await node.application("acme")
        shop.publish("acme", "order.paid", '{"a\\u0000": 1, "a\\u0000": 2}')
        long = "x" * 5_000
        shop.publish("acme", "order.paid", f'{{"{long}": 1, "{long}": 2}}')
        await node.drain()
        found = shop.query("select code, pointer, length(detail) from hookspan.refused order by id")
        assert [code for code, _, _ in found] == ["duplicate_key"] * 2
        assert found[0][1] == "/content/a\ufffd"
        assert all(len(pointer) <= TEXT_CHARACTERS_MAX and size <= TEXT_CHARACTERS_MAX for _, pointer, size in found)


async def test_a_schema_that_does_not_fit_says_where(shop: Platform) -> None:
    """The same look at the content as a publish over HTTP has, with a pointer into it."""
    async with shop.node() as node:
        await node.application("bank", "bridge-api")
        shop.publish("bank", "item.created", '{"no_such_thing": []}')
        await node.drain()
        ((code, pointer),) = shop.query("select code, pointer from hookspan.refused")
        assert (code, pointer is not None) == ("schema_mismatch", True)


async def test_a_frozen_application_waits_and_the_others_do_not(shop: Platform) -> None:
    """While it is being moved nothing is refused; it is asked for again after a second, then more seldom."""
    async with shop.node() as node:
        acme, other = await node.application("acme"), await node.application("other")
        await node.store.freeze_application(acme.id, shop.clock.now_ms())
        for name in ("acme", "other"):
            shop.publish(name, "order.paid", "{}")
        await node.drain()
        assert len(await node.events(other)) == 1
        assert shop.query("select application from inbox") == [("acme",)]
        await node.store.freeze_application(acme.id, None)
        await node.drain()
        assert await node.events(acme) == []
        shop.clock.move(1_100)
        await node.drain()
        assert len(await node.events(acme)) == 1
        assert shop.query("select count(*) from inbox_refused") == [(0,)]


async def test_an_application_s_rest_is_bounded(shop: Platform) -> None:
    """However often it could not be taken in, it is asked for again within ten seconds."""
    async with shop.node() as node:
        acme = await node.application("acme")
        await node.store.freeze_application(acme.id, shop.clock.now_ms())
        shop.publish("acme", "order.paid", "{}")
        for _ in range(8):
            await node.look()
            shop.clock.move(10_100)
        await node.store.freeze_application(acme.id, None)
        await node.drain()
        assert len(await node.events(acme)) == 1


async def test_a_full_node_leaves_what_it_has_no_room_for(shop: Platform) -> None:
    """It waits in the inbox, and goes on when there is room."""
    async with shop.node(intake_events_max=2) as node:
        acme = await node.application("acme")
        with shop.connect() as connection:
            for number in range(3):
                publish(connection, "acme", "order.paid", Json({"number": number}))
        await node.look()
        assert await node.events(acme) == []
        assert shop.query("select count(*) from inbox, inbox_refused") == [(0,)]
        assert shop.query("select count(*) from inbox") == [(3,)]


async def test_a_look_is_bounded(shop: Platform) -> None:
    """In rows of one application, in all rows, in bytes, in applications, and in names that it walks past."""
    async with shop.node(inbox_applications_max=2, inbox_walked_max=3) as node:
        with shop.connect() as connection:
            for number in range(5):
                for _ in range(4):
                    publish(connection, f"app-{number}", "order.paid", Json({"x": "x" * 1_000}))
        store, own = node.store, node.engine.node.id
        names = [f"app-{number}" for number in range(5)]

        async def drawn(**bounds: int) -> list[str]:
            rows = await store.draw_inbox(own, names, **({"each": 99, "limit": 99, "bytes_max": 1 << 20} | bounds))
            return [row.application for row in rows]

        assert await drawn(each=1) == names
        assert await drawn(limit=5) == ["app-0"] * 4 + ["app-1"]
        assert await drawn(bytes_max=1) == ["app-0"]
        assert await drawn(bytes_max=1_500) == ["app-0"] * 2
        assert [one.public_id for one in await store.inbox_applications(own, "app-0", 2)] == ["app-1", "app-2"]
        await store.settle_inbox(own, names, [], 0)
        assert await node.look() == 0
        assert shop.query("select distinct application from inbox_refused order by 1") == [("app-0",), ("app-1",)]
        await node.drain()
        assert shop.query("select count(*) from inbox") == [(0,)]


async def test_a_backlog_of_one_application_holds_up_no_other(shop: Platform) -> None:
    """What went into one look is followed by the applications that had no room in it."""
    async with shop.node(inbox_rows_max=2, inbox_each_max=2) as node:
        first, second, third = [await node.application(name) for name in ("a", "b", "c")]
        with shop.connect() as connection:
            for name in "aaaaaaaabc":
                publish(connection, name, "order.paid", "{}")
        for _ in range(2):
            assert await node.look() == 0
        assert [len(await node.events(one)) for one in (first, second, third)] == [2, 1, 1]
        await node.drain()
        assert len(await node.events(first)) == 8


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


async def test_retention_drops_what_was_refused_thirty_days_ago(shop: Platform) -> None:
    """And nothing younger, at most as many as a turn may."""
    async with shop.node() as node:
        for _ in range(3):
            shop.publish("nobody", "order.paid", "{}")
        await node.drain()
        shop.clock.move(20 * 86_400_000)
        shop.publish("nobody", "order.paid", "{}")
        await node.drain()
        shop.clock.move(11 * 86_400_000)
        turn = await node.store.expire(0, 0, 2, shop.clock.now_ms())
        assert not turn.is_done
        assert shop.query("select count(*) from inbox_refused") == [(2,)]
        assert (await node.store.expire(0, 0, 2, shop.clock.now_ms())).is_done
        assert shop.query("select count(*) from inbox_refused") == [(1,)]


async def test_an_application_that_was_deleted_meanwhile_is_unknown(shop: Platform) -> None:
    """Also where this node still has it in memory."""
    async with shop.node() as node:
        acme = await node.application("acme")
        await node.engine.index.find("acme")
        await node.store.delete_application(acme.id, shop.clock.now_ms())
        shop.publish("acme", "order.paid", "{}")
        await node.drain()
        assert shop.query("select code from hookspan.refused") == [("not_found",)]


async def test_a_row_that_the_database_refuses_holds_up_nobody(shop: Platform) -> None:
    """It is found by trying each by itself, and put aside; those before and after it are kept in order."""
    async with shop.node() as node:
        acme = await node.application("acme")
        shop.query(
            "create function refuse() returns trigger language plpgsql as "
            "$$ begin if new.type = 'bad.one' then raise exception using errcode = '22000'; end if; return new; end $$"
        )
        shop.query("create trigger refuse before insert on event for each row execute function refuse()")
        for event_type in ("a.a", "bad.one", "b.b"):
            shop.publish("acme", event_type, "{}")
        await node.drain()
        assert [event.type for event in await node.events(acme)] == ["a.a", "b.b"]
        assert shop.query("select type, code from hookspan.refused") == [("bad.one", "store_unavailable")]


async def test_a_row_that_can_t_be_read_is_put_aside(shop: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is no reason to try it for ever before all others."""
    async with shop.node() as node:
        acme = await node.application("acme")
        profile = (await node.engine.index.find("acme")).profile
        category_of = profile.category_of
        monkeypatch.setattr(profile, "category_of", lambda name: category_of(name) if name != "a.b" else 1 / 0)
        shop.publish("acme", "a.b", "{}")
        shop.publish("acme", "c.d", "{}")
        await node.drain()
        assert [event.type for event in await node.events(acme)] == ["c.d"]
        assert shop.query("select type, code from hookspan.refused") == [("a.b", "internal")]


async def test_a_profile_that_only_other_nodes_have_is_left_to_them(shop: Platform) -> None:
    """This one leaves the application alone; nothing of it is refused."""
    async with shop.node() as node:
        await node.application("acme", "of-others")
        shop.publish("acme", "order.paid", "{}")
        await node.drain()
        assert shop.query("select (select count(*) from inbox), (select count(*) from inbox_refused)") == [(1, 0)]
        assert shop.query("select count(*) from inbox_hold") == [(0,)]


async def test_a_flood_of_refusals_is_a_line_in_a_minute(shop: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is counted and kept; the log has the first of a code and application."""
    async with shop.node(inbox_resting_max=1) as node:
        for _ in range(3):
            shop.publish("nobody", "order.paid", "{}")
            await node.drain()
        assert capsys.readouterr().out.count("was refused") == 1
        shop.clock.move(61_000)
        for name in ("nobody", "else"):
            shop.publish(name, "order.paid", "{}")
            await node.drain()
        assert capsys.readouterr().out.count("was refused") == 2
        assert len(node.engine.inbox._told) == 1
        assert node.counters.inbox_refused_by_code == {"not_found": 5}


@pytest.mark.parametrize("remembered", [1, 100])
async def test_applications_that_all_rest_are_not_walked_without_end(shop: Platform, remembered: int) -> None:
    """More of them than one look passes, or than are remembered: having seen them all, the node rests as well. What
    comes for another is found all the same.
    """
    async with shop.node(inbox_walked_max=2, inbox_applications_max=2, inbox_resting_max=remembered) as node:
        for number in range(5):
            await node.application(f"app-{number}", "of-others")
            shop.publish(f"app-{number}", "order.paid", "{}")
        good = await node.application("z")
        shop.publish("z", "order.paid", "{}")
        waits_s = [await node.look() for _ in range(40)]
        assert waits_s.count(0) < 35
        assert len(await node.events(good)) == 1


async def test_who_rests_is_remembered_up_to_a_bound(shop: Platform) -> None:
    """Beyond it the one that rests longest is asked for again early."""
    async with shop.node(inbox_resting_max=2) as node:
        for number in range(4):
            await node.application(f"app-{number}", "of-others")
            shop.publish(f"app-{number}", "order.paid", "{}")
        await node.look()
        assert list(node.engine.inbox._resting) == ["app-2", "app-3"]


async def test_only_who_takes_in_looks(shop: Platform) -> None:
    """A node that only sends leaves the inbox to the others."""
    async with shop.node() as one, shop.node(takes_in=False) as two:
        assert one.engine.inbox in one.engine._duties()
        assert two.engine.inbox not in two.engine._duties()


def test_a_call_leaves_nothing_in_the_session(shop: Platform) -> None:
    """So it goes through a pooler in transaction mode: neither settings nor locks nor statements nor tables stay."""
    looks = (
        "select name, setting from pg_settings where source = 'session' order by 1",
        "select locktype from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'",
        "select name from pg_prepared_statements",
        "select relname from pg_class where relnamespace = pg_my_temp_schema()",
    )
    with shop.connect(autocommit=True) as connection:
        before = [connection.execute(text).fetchall() for text in looks]
        publish(connection, "acme", "order.paid", "{}")
        assert [connection.execute(text).fetchall() for text in looks] == before


# --- the function


@pytest.mark.parametrize(
    ("given", "named", "state", "about"),
    [
        ((None, "order.paid", "{}"), {}, "22004", "must not be null"),
        (("acme", None, "{}"), {}, "22004", "must not be null"),
        (("acme", "order.paid", None), {}, "22004", "must not be null"),
        (("a b", "order.paid", "{}"), {}, "22023", "id of an application"),
        (("a" * 65, "order.paid", "{}"), {}, "22023", "at most 64"),
        (("acme\n", "order.paid", "{}"), {}, "22023", "id of an application"),
        (("acme", "", "{}"), {}, "22023", "1 to 255"),
        (("acme", "t" * 256, "{}"), {}, "22023", "1 to 255"),
        (("acme", "a\nb", "{}"), {}, "22023", "control"),
        (("acme", "order.paid", "[]"), {}, "22023", "not array"),
        (("acme", "order.paid", "{"), {}, "22P02", "json"),
        (("acme", "order.paid", "{}"), {"publisher_id": ""}, "22023", "1 to 256"),
        (("acme", "order.paid", "{}"), {"publisher_id": "p" * 257}, "22023", "1 to 256"),
        (("acme", "order.paid", "{}"), {"occurred_at": "infinity"}, "22008", "1970 to 9999"),
        (("acme", "order.paid", "{}"), {"occurred_at": "1969-12-31 23:59:59+00"}, "22008", "1970 to 9999"),
        (("acme", "order.paid", "{}"), {"occurred_at": "10000-01-01 00:00:00+00"}, "22008", "1970 to 9999"),
        (("acme", "order.paid", '{"x": "%s"}' % ("x" * 262_144)), {}, "22001", "262144"),
        (("acme", "order.paid", "{}"), {"context": '{"x": "%s"}' % ("x" * 262_144)}, "22001", "262144"),
    ],
)
def test_the_function_refuses_what_can_never_be_an_event(shop: Platform, given, named, state, about) -> None:
    """At once, in the platform's own transaction, with what is wrong."""
    with shop.connect() as connection, pytest.raises(errors.DataError) as caught:
        publish(connection, *given, **named)
    assert caught.value.sqlstate == state
    assert about in str(caught.value)
    assert shop.query("select count(*) from inbox") == [(0,)]


async def test_the_largest_event_that_the_function_takes_is_taken_in(shop: Platform) -> None:
    """Its bound is no wider than intake's, whatever has to be escaped."""
    async with shop.node() as node:
        acme = await node.application("acme")
        rest = {"publisher_id": '"\\' * 128, "occurred_at": "9999-12-31 23:59:59.999+00"}
        event_type = "t" * 255
        room = 262_144 - 128 - len('{"x":""}') - 257 - (256 * 2 + 2)
        with shop.connect() as connection, pytest.raises(errors.StringDataRightTruncation):
            publish(connection, "acme", event_type, '{"x":"%s"}' % ("x" * (room + 1)), **rest)
        shop.publish("acme", event_type, '{"x":"%s"}' % ("x" * room), **rest)
        await node.drain()
        assert shop.query("select detail from hookspan.refused") == []
        assert len(await node.events(acme)) == 1


def test_a_role_with_the_grants_can_publish_and_nothing_else(shop: Platform) -> None:
    """No table can be read or written, no refused event seen; and without the grant nobody can publish."""
    tables = [name for (name,) in shop.query("select tablename from pg_tables where schemaname = 'public'")]
    assert {"inbox", "event", "application"} <= set(tables)
    with shop.connect(autocommit=True) as connection:
        publish(connection, "acme", "order.paid", "{}")
        for table in ("hookspan.refused", *(f"public.{name}" for name in tables)):
            for text in (f"select * from {table}", f"insert into {table} default values", f"delete from {table}"):
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(text)
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("select nextval('public.inbox_id_seq')")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("create table hookspan.x (y int)")
    shop.query(f"revoke execute on function hookspan.publish from {shop.role}")
    with shop.connect() as connection, pytest.raises(errors.InsufficientPrivilege):
        publish(connection, "acme", "order.paid", "{}")


def test_nothing_of_the_caller_s_comes_between(shop: Platform) -> None:
    """The path is the function's own: what the caller has under the same names is not used, and quotes are text."""
    with shop.connect(autocommit=True) as connection:
        connection.execute("create temporary table inbox (like pg_class)")
        connection.execute("create function pg_temp.length(text) returns int language sql return 0")
        connection.execute("create function pg_temp.json_typeof(json) returns text language sql return 'object'")
        connection.execute("set search_path = pg_temp, public")
        hostile = "'); drop table inbox; --"
        publish(connection, "acme", hostile, Json({hostile: hostile}), publisher_id=hostile)
        with pytest.raises(errors.InvalidParameterValue):
            publish(connection, "acme", "order.paid", "[]")
    assert shop.query("select type, publisher_id from public.inbox") == [(hostile, hostile)]


def test_text_with_a_nul_can_t_be(shop: Platform) -> None:
    """The client refuses to send it, the server to make it; the escape of one is taken in as text is."""
    with shop.connect() as connection, pytest.raises(psycopg.DataError):
        publish(connection, "acme", "order.paid", "{}", publisher_id="a\0b")
    with shop.connect() as connection, pytest.raises(errors.ProgramLimitExceeded):
        connection.execute("select hookspan.publish('acme', 'order.paid', '{}', chr(0))")


def test_a_call_locks_no_application(shop: Platform) -> None:
    """Whoever publishes waits for nobody, and nobody for him."""
    with shop.owner() as holder, shop.connect() as connection:
        holder.execute("begin; lock table application; lock table webhook; lock table event")
        connection.execute("set lock_timeout = '1s'")
        publish(connection, "acme", "order.paid", "{}")
        held = shop.query(
            "select distinct relation::regclass::text from pg_locks where pid = %s and relation is not null",
            connection.info.backend_pid,
        )
        assert {name for (name,) in held} <= {"inbox", "inbox_pkey", "inbox_application", "inbox_id_seq"}
