"""What of the inbox is not taken in, for good or for now, and what keeps it from holding up the rest."""

import asyncio
from typing import Any

import msgspec
import pytest
from psycopg.types.json import Json

from hookspan.domain.records import Application
from hookspan.engine.inbox import REST_S, TEXT_CHARACTERS_MAX
from hookspan.errors import StoreUnavailable
from hookspan.store.contract import DataRefused
from hookspan.store.idempotency import KeyUse
from tests.support.platform import Platform, PlatformNode, publish

pytestmark = pytest.mark.anyio


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


async def anew(node: PlatformNode, application: Application, profile: str = "standard") -> Application:
    """It is deleted and made anew under its public id, through this node."""
    assert await node.store.delete_application(application.id, node.clock.now_ms())
    return await node.application(application.public_id, profile)


@pytest.mark.parametrize("profile", ["standard", "bridge-lms"])
async def test_an_application_that_another_node_made_anew_is_known(
    shop: Platform, profile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where this node still has the former one in memory, of whatever profile: at once, and without a word."""
    async with shop.node() as one, shop.node() as two:
        former = await one.application("acme", profile)
        await two.engine.index.find("acme")
        fresh = await anew(one, former)
        for event_type in ("order.paid", "order.sent"):
            shop.publish("acme", event_type, "{}")
        await two.drain()
        assert [event.type for event in await one.events(fresh)] == ["order.paid", "order.sent"]
        assert shop.query("select (select count(*) from inbox), (select count(*) from inbox_refused)") == [(0, 0)]
        assert "published events wait" not in capsys.readouterr().out


async def test_settings_that_another_node_has_changed_decide(shop: Platform) -> None:
    """Nothing is refused by those that were in force before the call."""
    async with shop.node() as one, shop.node() as two:
        bank = await one.application("bank", "bridge-api")
        await two.engine.index.find("bank")
        await one.store.update_application(
            bank.id, shop.clock.now_ms(), name=None, profile=None, uuid=None, settings={"validate": False},
            metadata=None, notify=msgspec.UNSET,
        )  # fmt: skip
        shop.publish("bank", "item.created", '{"no_such_thing": []}')
        await two.drain()
        assert len(await one.events(bank)) == 1


class Anew:
    """Makes an application anew through another node between `node`'s look-up of it and its append, at the look-ups
    that are numbered so.
    """

    def __init__(self, node: PlatformNode, through: PlatformNode, numbers: range) -> None:
        self.fresh: Application
        self.asked = 0
        self._through, self._numbers = through, numbers
        self._entry_of = node.engine.inbox._entry_of
        node.engine.inbox._entry_of = self._entry_then  # type: ignore[method-assign]

    async def _entry_then(self, batch: Any) -> Any:
        entry = await self._entry_of(batch)
        self.asked += 1
        if entry is not None and self.asked in self._numbers:
            self.fresh = await anew(self._through, entry.application)
        return entry


async def test_an_application_that_is_made_anew_on_the_way_is_known(
    shop: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    """The append finds the former one gone, and the next look, which comes at once, finds the new one."""
    async with shop.node() as one, shop.node() as two:
        await one.application("acme")
        on_the_way = Anew(two, one, range(1, 2))
        shop.publish("acme", "order.paid", "{}")
        await two.drain()
        assert len(await one.events(on_the_way.fresh)) == 1
        assert shop.query("select count(*) from inbox_refused") == [(0,)]
        assert "published events wait" not in capsys.readouterr().out


async def test_an_application_that_is_made_anew_while_rows_are_tried_one_by_one_is_known(shop: Platform) -> None:
    """Only the row that the database refuses is refused, and the order stays."""
    async with shop.node() as one, shop.node() as two:
        await one.application("acme")
        refuse_bad_ones(shop)
        on_the_way = Anew(two, one, range(2, 3))
        for event_type in ("a.a", "bad.one", "b.b"):
            shop.publish("acme", event_type, "{}")
        await two.drain()
        assert [event.type for event in await one.events(on_the_way.fresh)] == ["a.a", "b.b"]
        assert shop.query("select type from hookspan.refused") == [("bad.one",)]


async def test_an_application_that_is_made_anew_again_and_again_is_no_endless_loop(
    shop: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the second time on it rests, a second at a time, and the log says so once."""
    async with shop.node() as one, shop.node() as two:
        await one.application("acme")
        on_the_way = Anew(two, one, range(1, 7))
        shop.publish("acme", "order.paid", "{}")
        await two.drain()
        assert on_the_way.asked == 2
        for number in range(4):
            await two.drain()
            assert on_the_way.asked == 2 + number
            shop.clock.move(int(REST_S * 1_000))
            await two.look()
        await two.look()
        assert on_the_way.asked == 6
        shop.clock.move(int(REST_S * 1_000))
        await two.drain()
        assert len(await one.events(on_the_way.fresh)) == 1
        assert shop.query("select count(*) from inbox_refused") == [(0,)]
        assert capsys.readouterr().out.count("published events wait") == 1


def refuse_bad_ones(shop: Platform) -> None:
    """From now on the database refuses events of the type bad.one for what they hold."""
    shop.query(
        "create function refuse() returns trigger language plpgsql as "
        "$$ begin if new.type = 'bad.one' then raise exception using errcode = '22000'; end if; return new; end $$"
    )
    shop.query("create trigger refuse before insert on event for each row execute function refuse()")


async def test_what_the_database_refuses_is_refused_to_nobody_else(shop: Platform) -> None:
    """Requests that share a commit with it are kept and answered as if they had come alone: publishes of others, one
    under a key, a batch with it in it whole, and rows of the inbox.
    """
    async with shop.node() as node:
        acme, other = await node.application("acme"), await node.application("other")
        refuse_bad_ones(shop)
        shop.publish("acme", "from.inbox", "{}")
        drawn = await node.store.draw_inbox(node.engine.node.id, ["acme"], each=9, limit=9, bytes_max=1 << 20)
        entry, _ = [await node.engine.index.find(one) for one in ("acme", "other")]
        intake, now_ms = node.engine.intake, shop.clock.now_ms()
        use = KeyUse("owner", "key", b"f", now_ms, now_ms - 1)
        good, bad = (f'{{"type":"{kind}","content":{{}}}}' for kind in ("good.one", "bad.one"))
        tasks: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(intake.publish("acme", good.encode())),
            asyncio.ensure_future(intake.publish("acme", bad.encode())),
            asyncio.ensure_future(intake.publish_keyed("other", good.encode(), use)),
            asyncio.ensure_future(intake.publish("other", f"[{good},{bad}]".encode())),
            asyncio.ensure_future(intake.publish("other", f"[{good},{good}]".encode())),
        ]
        await asyncio.sleep(0)
        tasks.append(intake.take_in(entry, drawn))
        with pytest.raises(DataRefused):
            await intake.turn()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(one, DataRefused) for one in answers] == [False, True, False, True, False, False]
        assert [event.type for event in await node.events(acme)] == ["good.one", "from.inbox"]
        assert [event.type for event in await node.events(other)] == ["good.one"] * 3
        assert shop.query("select count(*) from inbox") == [(0,)]
        assert (intake.waiting_events, intake.waiting_bytes, node.engine.dispatcher.items) == (0, 0, 0)


async def test_a_store_that_goes_away_between_them_refuses_the_rest(shop: Platform) -> None:
    """While each is tried alone: everybody has an answer, and nothing is promised any more."""
    async with shop.node() as node:
        acme = await node.application("acme")
        refuse_bad_ones(shop)
        shop.query(
            "create function leave() returns trigger language plpgsql as "
            "$$ begin if new.type = 'last.one' then raise exception using errcode = '57014'; end if; return new; end $$"
        )
        shop.query("create trigger leave before insert on event for each row execute function leave()")
        await node.engine.index.find("acme")
        intake = node.engine.intake
        kinds = ("bad.one", "good.one", "last.one", "good.two", "good.three")
        tasks = [
            asyncio.ensure_future(intake.publish("acme", f'{{"type":"{kind}","content":{{}}}}'.encode()))
            for kind in kinds
        ]
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable):
            await intake.turn()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(one, StoreUnavailable) for one in answers] == [True, False, True, True, True]
        assert [event.type for event in await node.events(acme)] == ["good.one"]
        assert (intake.waiting_events, node.engine.dispatcher.items) == (0, 0)


async def test_a_row_that_the_database_refuses_holds_up_nobody(shop: Platform) -> None:
    """It is found by trying each by itself, and put aside; those before and after it are kept in order."""
    async with shop.node() as node:
        acme = await node.application("acme")
        refuse_bad_ones(shop)
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


async def test_who_rests_is_remembered_up_to_a_bound(shop: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond it the one that rests longest is asked for again early, and no more are told of."""
    async with shop.node(inbox_resting_max=2) as node:
        for number in range(4):
            await node.application(f"app-{number}", "of-others")
            shop.publish(f"app-{number}", "order.paid", "{}")
        await node.look()
        assert list(node.engine.inbox._resting) == ["app-2", "app-3"]
        for _ in range(5):
            await node.look()
        assert capsys.readouterr().out.count("published events wait") == 2
