"""Tests that people send: a receiver that hangs holds up its own application's, and nobody else's."""

import asyncio

import pytest

from hookspan.domain.outcome import ErrorCode
from hookspan.engine import EngineOptions
from hookspan.errors import Overloaded
from hookspan.store.contract import Page

pytestmark = pytest.mark.anyio

OPTIONS = EngineOptions(tests_max=4, tests_each_max=2, tests_waiting_max=6, tests_wait_s=5.0)


@pytest.fixture
async def world(make_world):
    async with make_world(options=OPTIONS) as made:
        made.egress.is_holding = True
        yield made


async def webhook_of_another(world, url: str = "https://receiver.example.com/hook"):
    return await world.webhook(await world.application(), url=url)


def try_out(world, webhook) -> asyncio.Task:
    return asyncio.create_task(world.engine.try_out(webhook, "webhook.test", world.ids.make(), b"{}"))


async def until_sent(world, count: int) -> None:
    async with asyncio.timeout(10):
        while len(world.egress.requests) < count:
            await asyncio.sleep(0)


async def kept(world, webhook) -> list:
    return await world.store.list_attempts(webhook.id, Page(limit=100))


async def gone(tasks: list[asyncio.Task]) -> None:
    for one in tasks:
        one.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_application_leaves_room_for_another(world) -> None:
    """However many tests A has under way, B's is sent at once."""
    hanging, other = await webhook_of_another(world), await webhook_of_another(world)
    tests = [try_out(world, hanging) for _ in range(8)]
    await until_sent(world, 2)
    world.egress.is_holding = False
    attempt = await try_out(world, other)
    assert attempt.response_status == 200
    assert len(world.egress.requests) == 3
    await gone(tests)


async def test_free_places_go_round(world) -> None:
    """Where two applications have everything, a third has one of the first places that are free, before the second
    request of one that asked earlier.
    """
    first, second, third = [await webhook_of_another(world, f"https://{n}.example.com/") for n in range(3)]
    tests = [try_out(world, one) for one in (first, first, second, second)]
    await until_sent(world, 4)
    tests += [try_out(world, first) for _ in range(2)]
    tests.append(try_out(world, third))
    for _ in range(10):
        await asyncio.sleep(0)
    world.egress.let_go(2)  # of the first
    await until_sent(world, 6)
    assert {one.url for one in world.egress.requests[4:]} == {"https://0.example.com/", "https://2.example.com/"}
    world.egress.let_go()
    await until_sent(world, 7)
    world.egress.let_go()
    assert {(await one).response_status for one in tests} == {200}


async def test_who_waits_too_long_is_refused(world) -> None:
    """And nothing of it is sent; nor when too many wait."""
    webhook = await webhook_of_another(world)
    tests = [try_out(world, webhook) for _ in range(8)]
    await until_sent(world, 2)
    with pytest.raises(Overloaded, match="tests are under way"):
        await try_out(world, webhook)
    world.clock.move(5_000)
    results = await asyncio.gather(*tests[2:], return_exceptions=True)
    assert {type(one) for one in results} == {Overloaded}
    assert len(world.egress.requests) == 2
    await gone(tests)


async def test_who_leaves_holds_nothing(world) -> None:
    """The request ends, the place is another's, and what was sent is in the log."""
    webhook = await webhook_of_another(world)
    tests = [try_out(world, webhook) for _ in range(2)]
    await until_sent(world, 2)
    await gone(tests)
    assert all(one.cancelled() for one in tests)
    assert world.egress.in_flight == 0
    attempts = await kept(world, webhook)
    assert [(one.error, one.response_status) for one in attempts] == [(ErrorCode.SHUTDOWN.value, None)] * 2
    world.egress.is_holding = False
    assert (await try_out(world, webhook)).response_status == 200
