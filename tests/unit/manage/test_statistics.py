"""Statistics and health as people see them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookspan.domain.caller import Caller, Scope
from hookspan.domain.states import DeliveryState, Order
from hookspan.domain.times import to_text
from hookspan.errors import InvalidRequest, NotAllowed, NotFound
from hookspan.manage._show import rate_of
from hookspan.manage.deliveries import Deliveries
from hookspan.manage.inputs import DeliveryQuery, Paging, StatisticsQuery
from hookspan.manage.statistics import Statistics
from hookspan.store.contract import Page
from hookspan.store.statistics import HOUR_MS
from tests.support.shop import Shop
from tests.support.world import World

pytestmark = pytest.mark.anyio

DAY_MS = 24 * HOUR_MS
QUERY = StatisticsQuery()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with World(tmp_path) as world:
        shop = Shop(world)
        await shop.open(retry={"delays": ["0s", "1h", "1h"]})
        yield shop


def at(shop: Shop, hours: float = 0) -> str:
    """A time so many hours from now."""
    return to_text(shop.world.clock.now_ms() + int(hours * HOUR_MS))


async def of_webhook(shop: Shop, **query):
    return await Statistics(shop.ground).of_webhook(
        shop.application.public_id, shop.webhook_id, StatisticsQuery(**query)
    )


async def test_a_day_by_the_hour(shop):
    """The present hour and the 23 before it; the sums of the parts are the whole."""
    shop.world.egress.answer = lambda _: shop.world.egress.status(500)
    await shop.world.publish(shop.application, 1, 2)
    await shop.world.run_for(90 * 60_000)
    shop.world.egress.answer = lambda _: shop.world.egress.status(200)
    await shop.world.run_for(90 * 60_000)
    shown = await of_webhook(shop)
    assert len(shown.by_hour) == 24
    assert shown.by_day is None
    assert shown.events is None
    assert (shown.since, shown.until) == (shown.by_hour[0].at, at(shop, 1))
    assert (shown.attempts, shown.attempts_succeeded) == (6, 2)
    assert sum(one.attempts for one in shown.by_hour) == 6
    assert [one.attempts for one in shown.by_hour][-4:] == [2, 2, 2, 0]
    assert (shown.deliveries.succeeded, shown.deliveries.failed) == (2, 0)
    assert shown.success_rate == 0.3333
    assert shown.by_hour[-1].success_rate is None
    assert shown.by_hour[-1].latency_ms is None
    assert abs(shown.latency_ms.p50 - 1.0) <= 1 / 16
    of_all = await Statistics(shop.ground).of_all(QUERY)
    assert (of_all.events, of_all.attempts, of_all.waiting) == (2, 6, 0)


async def test_parts_are_whole_hours_and_days(shop):
    """What is asked for is widened to them; what lies ahead is cut off."""
    shown = await of_webhook(shop, since=at(shop, -2.5), until=at(shop, -0.5))
    assert (shown.since, shown.until) == (at(shop, -3), at(shop, 0))
    shown = await of_webhook(shop, since=at(shop, -30), until=at(shop, 999), by="day")
    assert (shown.since, shown.until, shown.by_hour) == (at(shop, -48), at(shop, 24), None)
    assert [one.at for one in shown.by_day] == [at(shop, -48), at(shop, -24), at(shop, 0)]


async def test_days_add_up_their_hours(shop):
    """Of UTC."""
    for _ in range(3):
        await shop.world.publish(shop.application, 1)
        await shop.world.run_for(13 * HOUR_MS)
    shown = await Statistics(shop.ground).of_application(
        shop.application.public_id, StatisticsQuery(since=at(shop, -39), by="day")
    )
    assert [(one.events, one.deliveries.succeeded) for one in shown.by_day or ()] == [(2, 2), (1, 1)]


@pytest.mark.parametrize(("since", "until"), [(0, 0), (-1, -2), (5, None), (-90 * 24, None), (-100 * 24, -1), (5, 9)])
async def test_a_time_that_is_none(shop, since, until):
    """Empty, inverted, ahead, or more than 90 days."""
    query = StatisticsQuery(since=at(shop, since), until=None if until is None else at(shop, until))
    with pytest.raises(InvalidRequest):
        await Statistics(shop.ground).of_all(query)


async def test_ninety_days_are_the_most(shop):
    """2,160 hours; or 90 days."""
    assert len((await of_webhook(shop, since=at(shop, -90 * 24 + 1))).by_hour) == 90 * 24
    assert len((await of_webhook(shop, since=at(shop, -90 * 24 + 1), by="day")).by_day) <= 91


async def test_what_waits(shop):
    """The same as in the webhook's health."""
    shop.world.egress.answer = lambda _: shop.world.egress.status(500)
    began = at(shop)
    await shop.world.publish(shop.application, 1, 2)
    await shop.world.settle()
    for shown in (
        await of_webhook(shop),
        await Statistics(shop.ground).of_application(shop.application.public_id, QUERY),
        await Statistics(shop.ground).of_all(QUERY),
    ):
        assert (shown.waiting, shown.oldest_waiting_at) == (2, began)
    webhook = await shop.webhooks.get(shop.application.public_id, shop.webhook_id)
    assert (webhook.health.waiting, webhook.health.oldest_waiting_at) == (2, began)


async def test_only_the_operator_s_see_all(shop):
    """An application's admin sees its own, and nothing of others."""
    caller = Caller(kind="key", name="ci", scope=Scope.APPLICATION, application=shop.application.public_id)
    statistics = Statistics(shop.ground.with_caller(caller))
    assert (await statistics.of_application(shop.application.public_id, QUERY)).attempts == 0
    with pytest.raises(NotAllowed):
        await statistics.of_all(QUERY)
    other = await shop.world.application()
    with pytest.raises(NotFound):
        await statistics.of_application(other.public_id, QUERY)


async def test_health_counts_a_day(shop):
    """By single look and by list; what is older than a day is forgotten."""
    outcomes = iter([500, 200, 200, 200])
    shop.world.egress.answer = lambda _: shop.world.egress.status(next(outcomes))
    await shop.world.publish(shop.application, 1)
    await shop.world.run_for(2 * HOUR_MS)
    last = to_text(shop.world.egress.requests[-1].at_ms + 1)
    for webhook in (
        await shop.webhooks.get(shop.application.public_id, shop.webhook_id),
        (await shop.webhooks.page(shop.application.public_id, Paging())).data[0],
    ):
        assert (webhook.health.success_rate_24h, webhook.health.last_delivery_at) == (0.5, last)
        assert (webhook.health.state, webhook.health.since) == ("healthy", None)
    await shop.world.run_for(DAY_MS)
    webhook = await shop.webhooks.get(shop.application.public_id, shop.webhook_id)
    assert (webhook.health.success_rate_24h, webhook.health.last_delivery_at) == (None, last)


async def test_a_list_of_webhooks_is_few_reads(shop, monkeypatch):
    """However many there are."""
    for _ in range(30):
        await shop.world.webhook(shop.application)
    readers = shop.world.store._readers
    read, reads = readers.read, []

    async def counting(*given, **named):
        reads.append(given)
        return await read(*given, **named)

    monkeypatch.setattr(readers, "read", counting)
    shown = await shop.webhooks.page(shop.application.public_id, Paging())
    assert len(shown.data) == 31
    assert len(reads) <= 4, "the application, its webhooks, what waits, health"


async def delivery(shop: Shop):
    [one] = await shop.world.store.list_deliveries(
        shop.application.id, Page(limit=9), webhook_id=None, state=DeliveryState.PENDING, event_type=None
    )
    page = await Deliveries(shop.ground).page(shop.application.public_id, DeliveryQuery(), Paging())
    assert page.data[0].attempt_count == one.attempt_count
    return page.data[0]


@pytest.mark.parametrize(
    ("succeeded", "attempts", "rate"),
    [(0, 0, None), (0, 3, 0.0), (3, 3, 1.0), (1, 3, 0.3333), (99_999, 100_000, 0.9999)],
)
def test_a_rate_is_one_only_if_all_succeeded(succeeded, attempts, rate):
    """Rounding tells no lies."""
    assert rate_of(succeeded, attempts) == rate


async def test_a_delivery_gives_up_at_the_end_of_its_window(shop):
    """Not known before the first attempt; then fixed, however much patience the receiver asks for."""
    shop.world.egress.is_holding = True
    await shop.world.publish(shop.application, 1)
    began_ms = shop.world.clock.now_ms()
    await shop.world.settle()
    assert (await delivery(shop)).gives_up_at is None
    shop.world.egress.answer = lambda _: shop.world.egress.status(503)
    shop.world.egress.is_holding = False
    shop.world.egress.let_go()
    await shop.world.settle()
    window_ms = shop.profile.rules.delivery.retry.window_ms()
    shown = await delivery(shop)
    assert shown.gives_up_at == to_text(began_ms + window_ms)
    assert shown.next_attempt_at <= shown.gives_up_at
    shop.world.egress.answer = lambda _: shop.world.egress.status(503, retry_after="36000")
    await shop.world.run_for(80 * 60_000)
    shown = await delivery(shop)
    assert shown.attempt_count == 2
    assert shown.next_attempt_at <= shown.gives_up_at == to_text(began_ms + window_ms)


async def test_a_webhook_that_is_off_lets_nothing_give_up(shop):
    """Switched on again, its deliveries have a whole window before them, counted from their next attempts."""
    shop.world.egress.answer = lambda _: shop.world.egress.status(500)
    await shop.world.publish(shop.application, 1)
    await shop.world.settle()
    await shop.change(status="disabled")
    assert (await delivery(shop)).gives_up_at is None
    await shop.world.run_for(DAY_MS)
    await shop.change(status="active")
    assert (await delivery(shop)).gives_up_at is None
    await shop.world.settle()
    window_ms = shop.profile.rules.delivery.retry.window_ms()
    assert (await delivery(shop)).gives_up_at == to_text(shop.world.clock.now_ms() + window_ms)


async def test_one_that_stalled_has_given_up(tmp_path):
    """Its retries are over; nothing more comes of itself."""
    async with World(tmp_path) as world:
        shop = Shop(world)
        await shop.open(order=Order.FIFO, delivery={"when_exhausted": "stall"}, retry={"delays": ["0s", "1h"]})
        world.egress.answer = lambda _: world.egress.status(500)
        await world.publish(shop.application, 1)
        await world.run_for(3 * HOUR_MS)
        shown = await delivery(shop)
        assert (shown.reason, shown.gives_up_at) == ("stalled", None)
