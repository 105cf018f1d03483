"""Replays under virtual time: exact counts, progress that moves, live events beside them, crashes, cancels."""

import asyncio
import random
from collections import Counter

import pytest

from hookspan.domain.states import DeliveryState, Order, WebhookStatus
from hookspan.engine import EngineOptions
from hookspan.errors import InvalidRequest, Overloaded, StateForbidden
from hookspan.ids import from_text, to_text
from hookspan.manage._shares import WAIT_S
from hookspan.store.contract import Page
from tests.support.shop import Shop

pytestmark = pytest.mark.anyio

HOOK = "https://receiver.example.com/hook"
STEP_MS = 100
BATCH = 1_000


async def shop_with(world, count: int, **webhook) -> Shop:
    """An application whose webhook has had `count` events, and a moment that has passed since. Nothing was sent yet
    since the test began to look.
    """
    shop = Shop(world)
    await shop.open()
    if webhook:
        await world.set_status(shop.webhook, WebhookStatus.DELETED)
        shop.webhook = await world.webhook(shop.application, **webhook)
        shop.webhook_id = to_text(shop.profile.webhook_prefix, shop.webhook.id)
    await publish(world, shop, range(count))
    await world.settle()
    assert Counter(world.numbers()) == Counter(range(count))
    world.clock.move(5_000)
    world.egress.requests.clear()
    return shop


async def publish(world, shop, numbers, event_type: str = "order.paid") -> None:
    events = [{"type": event_type, "content": {"number": number}} for number in numbers]
    for start in range(0, len(events), BATCH):
        await world.send(shop.application, events[start : start + BATCH])
        await world.settle()


async def pass_time(world, ms: int, each_ms: int = STEP_MS) -> None:
    """Time passes in steps, for a job's pace is no delivery's time."""
    for _ in range(ms // each_ms):
        await world.settle()
        world.clock.move(each_ms)
    await world.settle()


async def deliveries(world, shop, job) -> list:
    """All deliveries that the job has made."""
    ident = from_text("job_", job.id)
    found: list = []
    place = None
    while True:
        page = Page(limit=500, place=place)
        part = await world.store.list_deliveries(
            shop.application.id, page, webhook_id=shop.webhook.id, state=None, event_type=None
        )
        found += [one for one in part if one.job_id == ident]
        if len(part) < page.limit:
            return found
        place = (part[-1].event_id, part[-1].run, part[-1].id)


async def test_ten_thousand_with_a_rate_then_cancelled(world) -> None:
    """The pace is kept, progress moves by it, and after the cancel nothing comes but what was in flight; the counts are
    what the receiver has seen.
    """
    shop = await shop_with(world, 10_000)
    assert (await shop.preview()).count == 10_000
    job = await shop.replay(rate=500)
    assert (job.state, job.total, job.done, job.rate_per_s) == ("running", 10_000, 0, 500)
    began_ms = world.clock.now_ms()
    seen = []
    for _ in range(8):
        await pass_time(world, 1_000)
        shown = await shop.jobs.get(job.id)
        assert shown.succeeded == shown.done == len(world.egress.requests)
        assert shown.ends_about_at is not None
        seen.append(shown.done)
    for second, done in enumerate(seen, start=1):
        assert abs(done - 500 * second) <= 30, "the rate, whatever the turns are"
    at_ms = Counter((request.at_ms - began_ms) // 1_000 for request in world.egress.requests)
    assert all(count <= 530 for count in at_ms.values())

    world.egress.is_holding = True
    await pass_time(world, 1_000)  # the webhook takes ten at a time: the others wait in its lane
    in_flight = world.egress.in_flight
    assert in_flight == 10
    cancelled = await shop.jobs.cancel(job.id)
    assert (cancelled.state, cancelled.finished_at) == ("cancelled", None)
    await world.settle()
    shown = await shop.jobs.get(job.id)
    assert (shown.state, shown.finished_at) == ("cancelled", None)
    assert shown.done == 10_000 - in_flight, "all but those have ended"
    world.egress.is_holding = False
    world.egress.let_go()
    await pass_time(world, 1_000)

    ended = await shop.jobs.get(job.id)
    arrived = world.numbers()
    assert (ended.state, ended.done, ended.total) == ("cancelled", 10_000, 10_000)
    assert (ended.succeeded, ended.failed, ended.skipped) == (len(arrived), 0, 10_000 - len(arrived))
    assert ended.finished_at is not None
    assert arrived == list(range(len(arrived))), "each once, oldest first, and none after"
    await pass_time(world, 3_600_000, 60_000)
    assert len(world.egress.requests) == ended.succeeded
    states = Counter((one.state, one.reason and one.reason.word) for one in await deliveries(world, shop, job))
    assert states[DeliveryState.SUCCEEDED, None] == ended.succeeded
    assert {key for key in states if key[0] is DeliveryState.CANCELLED} == {(DeliveryState.CANCELLED, "job_cancelled")}
    assert (await shop.jobs.cancel(job.id)) == ended, "cancelling again changes nothing"


async def test_without_a_rate_all_arrive_once(world) -> None:
    """As fast as the webhook takes them; the job is done when the last one is."""
    shop = await shop_with(world, 3_000)
    job = await shop.replay()
    await pass_time(world, 5_000)
    done = await shop.jobs.get(job.id)
    assert (done.state, done.done, done.succeeded) == ("succeeded", 3_000, 3_000)
    assert Counter(world.numbers()) == Counter(range(3_000))
    assert {one.run for one in await deliveries(world, shop, job)} == {1}
    with pytest.raises(StateForbidden, match="succeeded already"):
        await shop.jobs.cancel(job.id)


async def test_live_events_wait_behind_few(make_world) -> None:
    """However large the job is, a live event has no more before it than may be waiting for their first attempt."""
    options = EngineOptions(job_chunk=50, job_untried_max=100)
    async with make_world(options=options) as world:
        shop = await shop_with(world, 2_000)
        await shop.replay()
        world.egress.is_holding = True
        await pass_time(world, 1_000)
        await publish(world, shop, [9_999])
        before = len(world.egress.requests)
        while 9_999 not in world.numbers():
            world.egress.let_go(1)
            await pass_time(world, STEP_MS)
        assert len(world.egress.requests) - before <= options.job_untried_max
        assert len(world.egress.requests) < 2_000


async def test_a_fifo_webhook_gets_them_in_order(world) -> None:
    """One at a time, oldest first, and a failure holds back those behind it, as always."""
    shop = await shop_with(world, 40, order=Order.FIFO)
    failures = iter([500, 500])
    world.egress.answer = lambda request: world.egress.status(
        next(failures, 200) if b'"number":7}' in request.body else 200
    )
    job = await shop.replay()
    await world.run_for(3_600_000)
    assert world.numbers() == [*range(7), 7, 7, *range(7, 40)]
    assert world.egress.in_flight_most <= 1 + 9  # nine of the originals' webhook may have been at once before
    assert (await shop.jobs.get(job.id)).succeeded == 40


@pytest.mark.parametrize("seed", range(6))
async def test_crashes_take_nothing_twice_and_leave_nothing_out(make_world, seed) -> None:
    """The process dies at any moment: each event has one delivery of the job, each arrives, the sum is right."""
    options = EngineOptions(job_chunk=7, job_untried_max=20, orphans_max=100)
    dice = random.Random(seed)
    async with make_world(options=options, seed=seed) as world:
        shop = await shop_with(world, 300)
        job = await shop.replay(rate=dice.choice([None, 100, 1_000]))
        for _ in range(12):
            engine = world.engine
            world.egress.is_holding = dice.random() < 0.3
            for _ in range(dice.randrange(1, 12)):
                await dice.choice((engine.jobs, engine.jobs, engine.poller, engine.recorder))._guarded_turn()
                world.clock.move(dice.choice([0, 10, 60]))
            await world.crash()
            world.clock.move(100)
        world.egress.is_holding = False
        shop = reopened(world, shop)
        await pass_time(world, 120_000, 1_000)  # what was held as three processes died goes one at a time
        done = await shop.jobs.get(job.id)
        assert (done.state, done.total, done.done, done.succeeded) == ("succeeded", 300, 300, 300)
        assert set(world.numbers()) == set(range(300))
        made = Counter(one.event_id for one in await deliveries(world, shop, job))
        assert set(made.values()) == {1}
        assert len(made) == 300


def reopened(world, old: Shop) -> Shop:
    """The same shop over the store of the new process."""
    shop = Shop(world)
    shop.application, shop.webhook, shop.webhook_id = old.application, old.webhook, old.webhook_id
    shop.opened_ms, shop.profile = old.opened_ms, old.profile
    return shop


async def test_a_crash_after_a_cancel_sends_nothing(world) -> None:
    """What a node held as it died is cancelled, not sent by the next one."""
    shop = await shop_with(world, 200)
    job = await shop.replay()
    world.egress.is_holding = True
    await world.settle()
    await shop.jobs.cancel(job.id)
    sent = len(world.egress.requests)
    await world.crash()
    world.egress.is_holding = False
    shop = reopened(world, shop)
    await pass_time(world, 120_000, 1_000)
    assert len(world.egress.requests) == sent
    ended = await shop.jobs.get(job.id)
    assert (ended.done, ended.succeeded, ended.skipped) == (200, 0, 200), "nobody knows what came of those in flight"


async def test_a_job_waits_for_its_webhook_and_says_so(world) -> None:
    """Disabled meanwhile: nothing is sent, the job says what it waits for; activated, it goes on."""
    shop = await shop_with(world, 50, concurrency=5)
    world.egress.is_holding = True
    job = await shop.replay()
    await world.settle()
    await world.set_status(shop.webhook, WebhookStatus.DISABLED)
    world.egress.is_holding = False
    world.egress.let_go()
    await pass_time(world, 60_000, 1_000)
    waiting = await shop.jobs.get(job.id)
    assert (waiting.state, waiting.done, waiting.ends_about_at) == ("running", 5, None)
    assert "goes on when it is activated" in (waiting.problem or "")
    await world.set_status(shop.webhook, WebhookStatus.CATCHING_UP)
    await pass_time(world, 1_000)
    assert (await shop.jobs.get(job.id)).succeeded == 50
    assert Counter(world.numbers()) == Counter(range(50))


async def test_a_stalled_webhook_keeps_a_job_waiting(world) -> None:
    """It says what to do; a sent event that is accepted lets everything go on."""
    shop = Shop(world)
    await shop.open(
        order=Order.FIFO,
        delivery={"when_exhausted": "stall"},
        retry={"first": "5s", "cap": "6h", "until": "48h"},
    )
    [event] = await world.publish(shop.application, 1)
    await world.settle()
    world.egress.answer = lambda request: world.egress.status(500)
    await world.publish(shop.application, 2)
    await world.run_for(3 * 86_400_000)
    job = await shop.replay(state="succeeded")
    await world.settle()
    assert "by hand" in ((await shop.jobs.get(job.id)).problem or "")
    world.egress.answer = lambda request: world.egress.status(200)
    world.egress.requests.clear()
    await world.send_by_hand(shop.application, shop.webhook, event)
    await pass_time(world, 1_000)
    assert world.numbers() == [1, 2, 1]
    assert (await shop.jobs.get(job.id)).state == "succeeded"


async def test_while_catching_up_nothing_is_doubled(world) -> None:
    """What a webhook has yet to come to is left to the catch-up: a replay has only what it has been past."""
    shop = await shop_with(world, 10)
    await world.set_status(shop.webhook, WebhookStatus.DISABLED)
    await publish(world, shop, range(10, 20))
    world.clock.move(5_000)
    assert (await shop.preview()).count == 10
    with pytest.raises(StateForbidden, match="activate it first"):
        await shop.replay()
    await world.store.set_webhook_status(
        shop.webhook.id,
        WebhookStatus.CATCHING_UP,
        None,
        keep=True,
        expected_version=None,
        changed_at=world.clock.now_ms(),
    )
    await shop.replay()
    await world.engine.webhooks_changed(shop.application.id)
    await pass_time(world, 2_000)
    assert Counter(world.numbers()) == Counter(range(20))


async def test_what_fits(world) -> None:
    """By the webhook's subscription as it is now, narrowed by types and by what became of each event."""
    shop = await shop_with(world, 3, events=("order.*", "user.created"))
    await publish(world, shop, [10], "user.created")
    await publish(world, shop, [20], "other.type")
    world.egress.answer = lambda request: world.egress.status(500)
    await publish(world, shop, [30], "order.lost")
    await world.run_for(5 * 86_400_000)
    shown = await shop.preview()
    assert shown.by_type == {"order.lost": 1, "order.paid": 3, "user.created": 1}
    assert shown.first_at < shown.last_at
    for members, count in (
        ({"types": ["order.*"]}, 4),
        ({"types": ["user.created", "other.type"]}, 1),
        ({"state": "failed"}, 1),
        ({"state": "succeeded"}, 4),
        ({"state": "cancelled"}, 0),
        ({"state": "missing"}, 0),
        ({"state": "failed", "types": ["order.paid"]}, 0),
    ):
        assert (await shop.preview(**members)).count == count, members
    await shop.change(events=["other.type"])
    assert (await shop.preview()).by_type == {"other.type": 1}
    assert (await shop.preview(state="missing")).count == 1
    empty = await shop.preview(types=["order.paid"])
    assert (empty.count, empty.by_type, empty.first_at, empty.last_at) == (0, {}, None, None)


async def test_jobs_take_turns(make_world) -> None:
    """Of many applications, a few a turn, and each gets on."""
    async with make_world(options=EngineOptions(jobs_per_turn=2, job_chunk=5, job_untried_max=1_000)) as world:
        shops = [await shop_with(world, 20) for _ in range(5)]
        jobs = [await shop.replay() for shop in shops]
        for _ in range(6):
            await world.engine.jobs.turn()
        done = [len(await deliveries(world, shop, job)) for shop, job in zip(shops, jobs, strict=True)]
        assert done == [10, 10, 10, 10, 10]
        await pass_time(world, 5_000)
        assert [(await shop.jobs.get(job.id)).succeeded for shop, job in zip(shops, jobs, strict=True)] == [20] * 5


async def test_windows_have_bounds(make_world) -> None:
    """Too many events, too old, too many at once: each is said."""
    async with make_world(options=EngineOptions(replay_events_max=10, retention_days=30)) as world:
        shop = await shop_with(world, 10)
        assert (await shop.preview()).count == 10
        for more in range(10, 40, 15):  # a few too many, and so many that they need not be counted
            await publish(world, shop, range(more, more + 15))
            world.clock.move(1_000)
            with pytest.raises(InvalidRequest, match="go in one replay") as caught:
                await shop.preview()
            assert caught.value.errors[0].pointer == "/since"
        world.clock.move(120_000)
        now_ms = world.clock.now_ms()
        with pytest.raises(InvalidRequest, match="Events are kept for 30 days, now since 2025-12-02"):
            await shop.preview(now_ms - 31 * 86_400_000)
        assert (await shop.preview(now_ms)).count == 0


async def test_counting_is_shared(world) -> None:
    """Whoever counts all the time leaves room for others, who get in at once; and it waits a bounded time itself."""
    shop, other = await shop_with(world, 3), await shop_with(world, 3)
    async with shop.ground.scans.place(shop.application.id):  # as a long count has it
        waiting = asyncio.create_task(shop.preview())
        other.ground.scans = shop.ground.scans  # of one node
        assert (await other.preview()).count == 3
        assert not waiting.done()
        world.clock.move(int(WAIT_S * 1000))
        with pytest.raises(Overloaded, match="counted at this moment"):
            await waiting
    assert (await shop.preview()).count == 3


async def test_jobs_of_one_application_are_bounded(make_world) -> None:
    """Beyond those that run and wait: refused, and nothing is kept."""
    async with make_world(options=EngineOptions(jobs_running_max=1, jobs_queued_max=1)) as world:
        shop = await shop_with(world, 5)
        running, queued = await shop.replay(rate=0.1), await shop.replay()
        assert (running.state, queued.state, queued.started_at) == ("running", "queued", None)
        with pytest.raises(StateForbidden, match="1 jobs of this application wait already"):
            await shop.replay()
        await shop.jobs.cancel(running.id)
        await pass_time(world, 1_000)
        assert (await shop.jobs.get(queued.id)).state == "succeeded"
