"""Replays: past events are delivered to a webhook again, as a job; or only counted beforehand."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from hookspan.domain import times
from hookspan.domain.jobs import JobKind, ScannedEvent
from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import DeliveryState, WebhookStatus
from hookspan.domain.subscription import compile_subscription
from hookspan.errors import InvalidRequest, StateForbidden
from hookspan.ids import JOB_PREFIX, from_text, to_text
from hookspan.manage import views
from hookspan.manage._ground import Ground, instant, invalid, not_found
from hookspan.manage._rights import Right
from hookspan.manage._show import time_or_none
from hookspan.manage._subscription import check_subscription
from hookspan.manage.inputs import StartReplay
from hookspan.manage.jobs import show_job
from hookspan.profiles import Profile
from hookspan.store.jobs import NewJob

SCAN_EVENTS: Final = 2_000  # of one read: others read between
MISSING: Final = "missing"
_DAY_MS = 86_400_000
_SLACK_MS = 60_000  # who asks for all that is kept has reckoned a moment ago, by another clock

Fits = Callable[[ScannedEvent], bool]


class Plan(msgspec.Struct, frozen=True):
    """A replay that was found in order. `until` is exclusive."""

    application: Application
    webhook: Webhook
    profile: Profile
    since: int
    until: int
    state: str | None
    types: tuple[str, ...] | None
    rate: float | None

    def input(self) -> dict[str, Any]:
        """As jobs keep and show it."""
        return {
            "since": times.to_text(self.since),
            "until": times.to_text(self.until),
            "state": self.state,
            "types": None if self.types is None else list(self.types),
            "rate": self.rate,
        }

    def fits(self) -> Fits:
        """Whether an event is delivered again, by its type and its newest delivery."""
        asks_for = compile_subscription(self.webhook.events, self.profile.rules.subscription_absent)
        names = compile_subscription(self.types, "all")
        category_of = self.profile.category_of
        is_any = self.state is None
        state = None if self.state in (None, MISSING) else DeliveryState[str(self.state).upper()]
        known: dict[str, bool] = {}

        def fits(event: ScannedEvent) -> bool:
            is_wanted = known.get(event.type)
            if is_wanted is None:
                category = category_of(event.type)
                is_wanted = known[event.type] = asks_for(event.type, category) and names(event.type, category)
            return is_wanted and (is_any or event.state == state)

        return fits


class Found(msgspec.Struct):
    """What a look through the window has found, in order."""

    event_ids: list[int] = []
    by_type: Counter[str] = msgspec.field(default_factory=Counter)
    first_at: int | None = None
    last_at: int | None = None

    def add(self, event: ScannedEvent) -> None:
        self.event_ids.append(event.id)
        self.by_type[event.type] += 1
        if self.first_at is None:
            self.first_at = event.accepted_at
        self.last_at = event.accepted_at


class Replays:
    """Count and start replays."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def preview(self, application_id: str, webhook_id: str, given: StartReplay) -> views.ReplayPreview:
        """What a replay would deliver again. Also of a disabled webhook."""
        plan = await self._plan(application_id, webhook_id, given)
        found = await self._look(plan)
        return views.ReplayPreview(
            count=len(found.event_ids),
            by_type=dict(sorted(found.by_type.items())),
            first_at=time_or_none(found.first_at),
            last_at=time_or_none(found.last_at),
        )

    async def start(self, application_id: str, webhook_id: str, given: StartReplay) -> views.Job:
        """A job that delivers them again. Raises StateForbidden where the webhook is disabled, or too many jobs of the
        application wait already.
        """
        ground = self._ground
        plan = await self._plan(application_id, webhook_id, given)
        if plan.webhook.status is WebhookStatus.DISABLED:
            raise StateForbidden("The webhook is disabled: activate it first.", allowed=["active"])
        found = await self._look(plan)
        job_id = ground.engine.ids.make()
        options = ground.engine.options
        new = NewJob(
            id=job_id,
            application_id=plan.application.id,
            webhook_id=plan.webhook.id,
            kind=JobKind.REPLAY,
            input=plan.input(),
            rate=plan.rate,
            event_state=None if plan.state in (None, MISSING) else DeliveryState[str(plan.state).upper()],
            is_missing=plan.state == MISSING,
            event_ids=found.event_ids,
            created_at=ground.clock.now_ms(),
        )
        detail = {"webhook_id": webhook_id, "total": len(found.event_ids), **plan.input()}
        store = ground.audited("replay.started", "job", to_text(JOB_PREFIX, job_id), plan.application, **detail)
        job = await store.create_job(new, options.jobs_running_max, options.jobs_queued_max)
        ground.engine.job_created()
        return show_job(job, plan.profile.webhook_prefix, new.created_at)

    async def _plan(self, application_id: str, webhook_id: str, given: StartReplay) -> Plan:
        """Raises NotFound, NotAllowed, UnknownEventType, and InvalidRequest with the place."""
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        profile = ground.profile(application)
        ident = from_text(profile.webhook_prefix, webhook_id)
        found = await ground.store.webhooks_of(application.id)  # both at one version: where the webhook has come to
        webhook = None if found is None else next((one for one in found.webhooks if one.id == ident), None)
        if found is None or webhook is None:
            not_found("webhook", webhook_id)
        since, until = self._window(given)
        return Plan(
            application=found.application,
            webhook=webhook,
            profile=profile,
            since=since,
            until=until,
            state=_or_none(given.state),
            types=_types(profile, _or_none(given.types)),
            rate=_or_none(given.rate),
        )

    def _window(self, given: StartReplay) -> tuple[int, int]:
        now_ms = self._ground.clock.now_ms()
        since = instant("since", given.since)
        until = instant("until", _or_none(given.until))
        assert since is not None, "it is required"
        if until is None:
            until = now_ms + 1  # with what was accepted in this very millisecond
        elif until > now_ms:
            raise invalid("/until", "until is in the future: leave it out for all events until now.")
        if since >= until:
            raise invalid("/since", "The window is empty: since must be before until, and not in the future.")
        kept_days = self._ground.engine.options.retention_days
        kept_since = now_ms - kept_days * _DAY_MS
        if since < kept_since - _SLACK_MS:
            detail = f"Events are kept for {kept_days} days, now since {times.to_text(kept_since)}: since is older."
            raise invalid("/since", detail)
        return since, until

    async def _look(self, plan: Plan) -> Found:
        """Through the window, a part at a time. What the webhook has yet to come to (it is disabled or catching up) is
        left out: it gets that by itself.
        """
        ground = self._ground
        application, webhook = plan.application, plan.webhook
        last = application.last_position if webhook.status is WebhookStatus.ACTIVE else webhook.position
        found, fits = Found(), plan.fits()
        async with ground.scans.place(application.id):
            window = await ground.store.find_window(application.id, plan.since, plan.until, last)
            most = ground.engine.options.replay_events_max
            seen = 0
            position: int | None = window.after
            while position is not None:
                part = await ground.store.scan_events(
                    application.id,
                    webhook.id,
                    msgspec.structs.replace(window, after=position),
                    plan.since,
                    plan.until,
                    SCAN_EVENTS,
                    with_state=plan.state is not None,
                )
                seen += len(part.events)
                if seen > most:
                    raise _too_many(most)
                for event in part.events:
                    if fits(event):
                        found.add(event)
                position = part.position
        return found


def _too_many(most: int) -> InvalidRequest:
    return invalid("/since", f"There are more than {most:,} events in this window, which go in one replay: narrow it.")


def _types(profile: Profile, types: list[str] | None) -> tuple[str, ...] | None:
    if types is None:
        return None
    if not types:
        raise invalid("/types", "types names none: leave it out for all that the webhook asks for.")
    return check_subscription(profile, types, "types")


def _or_none(given: Any | UnsetType | None) -> Any:
    return None if given is UNSET else given
