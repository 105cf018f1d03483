"""Statistics: what happened to an application, a webhook, or in all, by the hour or day."""

from collections.abc import Iterable, Sequence
from typing import Literal

from hookspan.domain.latency import add_to, percentiles_us
from hookspan.domain.times import to_text
from hookspan.errors import NotAllowed
from hookspan.manage import views
from hookspan.manage._ground import Ground, instant, invalid
from hookspan.manage._rights import Right
from hookspan.manage._show import rate_of, time_or_none
from hookspan.manage._waiting import waiting_of
from hookspan.manage.inputs import StatisticsQuery
from hookspan.store.contract import Waiting
from hookspan.store.statistics import ALL, HOUR_MS, STATISTICS_HOURS, HourCounts

_DEFAULT_HOURS = 24
_PART_HOURS = {"hour": 1, "day": 24}
_SHARES = (0.5, 0.9, 0.95, 0.99)


class Statistics:
    """What happened, counted by the hour. Of this node to the present moment, of others to some seconds ago."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def of_application(self, application_id: str, query: StatisticsQuery) -> views.Statistics:
        ground = self._ground
        application = await ground.application(application_id, Right.LOOK)
        span = _span(query, ground.clock.now_ms())
        found = await ground.store.webhooks_of(application.id)
        webhooks = () if found is None else found.webhooks
        waiting = await waiting_of(ground.store, ground.profile(application), webhooks)
        return await self._show(application.id, span, _sum(waiting.values()), is_webhook=False)

    async def of_webhook(self, application_id: str, webhook_id: str, query: StatisticsQuery) -> views.Statistics:
        ground = self._ground
        application = await ground.application(application_id, Right.LOOK)
        webhook = await ground.webhook(application, webhook_id)
        span = _span(query, ground.clock.now_ms())
        waiting = await waiting_of(ground.store, ground.profile(application), [webhook])
        return await self._show(webhook.id, span, _sum(waiting.values()), is_webhook=True)

    async def of_all(self, query: StatisticsQuery) -> views.Statistics:
        """All applications; for the operator's people and keys. Raises NotAllowed to others."""
        ground = self._ground
        ground.require(Right.LOOK)
        if ground.caller.application is not None:
            raise NotAllowed(
                "Only the operator's keys and people may look at all applications; ask for the statistics of yours."
            )
        span = _span(query, ground.clock.now_ms())
        return await self._show(ALL, span, await ground.store.waiting_of_all(), is_webhook=False)

    async def _show(self, subject_id: int, span: "_Span", waiting: Waiting, *, is_webhook: bool) -> views.Statistics:
        ground = self._ground
        await ground.engine.settle_statistics()
        hours = await ground.store.statistics(subject_id, span.since, span.until)
        total = _part(hours, span.since, is_webhook=is_webhook)
        parts = _parts(hours, span, is_webhook=is_webhook)
        return views.Statistics(
            since=to_text(span.since * HOUR_MS),
            until=to_text(span.until * HOUR_MS),
            events=total.events,
            attempts=total.attempts,
            attempts_succeeded=total.attempts_succeeded,
            deliveries=total.deliveries,
            success_rate=total.success_rate,
            latency_ms=total.latency_ms,
            waiting=waiting.count,
            oldest_waiting_at=time_or_none(waiting.oldest_at),
            by_hour=parts if span.by == "hour" else None,
            by_day=parts if span.by == "day" else None,
        )


class _Span:
    """Whole hours from `since` to `until` (exclusive), since 1970; whole parts of `by`."""

    def __init__(self, since: int, until: int, by: Literal["hour", "day"]) -> None:
        self.step = _PART_HOURS[by]
        self.since = since // self.step * self.step
        self.until = -(-until // self.step) * self.step
        self.by = by


def _span(query: StatisticsQuery, now_ms: int) -> _Span:
    """The hours that are asked for. What would lie ahead of the present hour is cut off."""
    since, until = instant("since", query.since), instant("until", query.until)
    last = now_ms // HOUR_MS + 1
    until_hour = last if until is None else min(-(-until // HOUR_MS), last)
    since_hour = until_hour - _DEFAULT_HOURS if since is None else since // HOUR_MS
    if since_hour >= until_hour:
        raise invalid("/since", "since must be before until, and not ahead of the present.")
    if until_hour - since_hour > STATISTICS_HOURS:
        raise invalid("/since", f"From since to until there may be {STATISTICS_HOURS // 24} days at most.")
    return _Span(max(since_hour, 0), until_hour, query.by)


def _parts(hours: Sequence[HourCounts], span: _Span, *, is_webhook: bool) -> list[views.StatisticsPart]:
    """One for each hour or day, those without anything too."""
    by_start: dict[int, list[HourCounts]] = {start: [] for start in range(span.since, span.until, span.step)}
    for one in hours:
        by_start[one.hour // span.step * span.step].append(one)
    return [_part(within, start, is_webhook=is_webhook) for start, within in by_start.items()]


def _part(hours: Sequence[HourCounts], start: int, *, is_webhook: bool) -> views.StatisticsPart:
    attempts, succeeded = sum(one.attempts for one in hours), sum(one.attempts_succeeded for one in hours)
    latency: dict[int, int] = {}
    for one in hours:
        add_to(latency, one.latency)
    return views.StatisticsPart(
        at=to_text(start * HOUR_MS),
        events=None if is_webhook else sum(one.events for one in hours),
        attempts=attempts,
        attempts_succeeded=succeeded,
        deliveries=views.DeliveryCounts(
            succeeded=sum(one.deliveries_succeeded for one in hours), failed=sum(one.deliveries_failed for one in hours)
        ),
        success_rate=rate_of(succeeded, attempts),
        latency_ms=_percentiles(latency) if latency else None,
    )


def _percentiles(latency: dict[int, int]) -> views.Percentiles:
    p50, p90, p95, p99 = (round(one / 1000, 3) for one in percentiles_us(latency, _SHARES))
    return views.Percentiles(p50=p50, p90=p90, p95=p95, p99=p99)


def _sum(waiting: Iterable[Waiting]) -> Waiting:
    """Of several webhooks, each exact up to its bound."""
    found = list(waiting)
    times = [one.oldest_at for one in found if one.oldest_at is not None]
    return Waiting(sum(one.count for one in found), min(times, default=None))
