"""What fails: webhooks in trouble, each with how its deliveries fail; and what was given up by those that work again.

Trouble is what the webhook itself says (`failing_since`, or switched off for it), so that the look costs nothing while
all is well; it ends with the first delivery that arrives.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import StatusReason, WebhookStatus
from hookspan.domain.times import to_text as time_text
from hookspan.ids import DELIVERY_PREFIX, first_id_at, to_text
from hookspan.manage._ground import Ground
from hookspan.manage._rights import Right
from hookspan.manage._show import time_or_none
from hookspan.store.contract import FailureGroup, Waiting

WEBHOOKS_MAX: Final = 50  # shown, of each kind
ATTEMPTS_EACH_MAX: Final = 200  # newest ones of a webhook that are put together
GIVEN_UP_EACH_MAX: Final = 100  # newest deliveries of a webhook that failed for good
GIVEN_UP_MAX: Final = 100  # webhooks that have such
_HOUR_MS: Final = 3_600_000

# "off": switched off by its failures; "past": it fails no more, but gave something up; "disabled": so, and a person has
# switched it off.
State = Literal["failing", "off", "past", "disabled"]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One way to fail: an error's code, or a status, or neither (never tried).

    `deliveries` failed so since the webhook last took one, `given_up` of the time that is shown are not tried again by
    themselves; one delivery may be among both. `is_cut`: there were more.
    """

    error: str | None
    response_status: int | None
    deliveries: int
    given_up: int
    first_at: str
    last_at: str
    delivery_id: str
    is_cut: bool


class FailingWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """`since` is the beginning of its trouble; None where that is over."""

    id: str
    name: str | None
    url: str
    application_id: str
    application_name: str
    state: State
    is_gone: bool  # it answered 410, and is off for it
    since: str | None
    waiting: int
    may_configure: bool
    retry_window_ms: int
    failures: list[Failure]

    @property
    def given_up(self) -> int:
        return sum(one.given_up for one in self.failures)


class FailureList(msgspec.Struct, frozen=True, kw_only=True):
    """Those in trouble first, the youngest trouble first. `is_cut`: of more than are shown. `since` is the beginning
    of the time of which what was given up is shown.
    """

    webhooks: list[FailingWebhook]
    is_cut: bool
    since: str


class Failures:
    """See the module."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def of_hours(self, application_id: str | None, hours: int) -> FailureList:
        """Of one application, or of all; what was given up, of the last `hours`. Raises NotFound, NotAllowed."""
        ground = self._ground
        application_id = application_id or ground.caller.application
        if application_id is None:
            ground.require(Right.LOOK)
        within = None if application_id is None else (await ground.application(application_id, Right.LOOK)).id
        since_ms = ground.clock.now_ms() - hours * _HOUR_MS
        in_trouble = await ground.store.in_trouble(within, WEBHOOKS_MAX + 1)
        shown, troubled = in_trouble[:WEBHOOKS_MAX], {one.id for one in in_trouble}
        given_up = _by_webhook(
            await ground.store.given_up(within, first_id_at(since_ms), webhooks=GIVEN_UP_MAX, each=GIVEN_UP_EACH_MAX)
        )
        past = await self._past(given_up, troubled)
        waiting = await ground.store.waiting([one.id for one in shown])
        failing = _by_webhook(await ground.store.failures([one.id for one in shown], ATTEMPTS_EACH_MAX))
        applications = await self._applications([*shown, *past])
        webhooks = [
            self._shown(one, applications[one.application_id], troubled, failing, given_up, waiting)
            for one in [*shown, *past[:WEBHOOKS_MAX]]
            if one.application_id in applications
        ]
        is_cut = len(troubled) > WEBHOOKS_MAX or len(past) > WEBHOOKS_MAX
        return FailureList(webhooks=webhooks, is_cut=is_cut, since=time_text(since_ms))

    async def _past(self, given_up: dict[int, list[FailureGroup]], troubled: set[int]) -> list[Webhook]:
        """Webhooks that work, but have given something up; the newest such first, one more than is shown."""
        others = [one for one in given_up if one not in troubled]
        others.sort(key=lambda one: max(group.last_at for group in given_up[one]), reverse=True)
        found = [await self._ground.store.get_webhook(one) for one in others[: WEBHOOKS_MAX + 1]]
        return [one for one in found if one is not None]

    async def _applications(self, webhooks: Iterable[Webhook]) -> dict[int, Application]:
        found = {}
        for ident in dict.fromkeys(one.application_id for one in webhooks):
            known = await self._ground.store.webhooks_of(ident)
            if known is not None:
                found[ident] = known.application
        return found

    def _shown(
        self,
        webhook: Webhook,
        application: Application,
        troubled: set[int],
        failing: dict[int, list[FailureGroup]],
        given_up: dict[int, list[FailureGroup]],
        waiting: dict[int, Waiting],
    ) -> FailingWebhook:
        profile = self._ground.profile(application)
        state = _state(webhook, is_troubled=webhook.id in troubled)
        is_over = state in {"past", "disabled"}
        return FailingWebhook(
            id=to_text(profile.webhook_prefix, webhook.id),
            name=webhook.name,
            url=webhook.url,
            application_id=application.public_id,
            application_name=application.name,
            state=state,
            is_gone=webhook.status_reason is StatusReason.GONE,
            since=None if is_over else time_or_none(webhook.failing_since or webhook.updated_at),
            waiting=waiting[webhook.id].count if webhook.id in waiting else 0,
            may_configure=self._ground.may(Right.CONFIGURE, application),
            retry_window_ms=profile.rules.delivery.retry.window_ms(),
            failures=_merged(failing.get(webhook.id, []), given_up.get(webhook.id, [])),
        )


def _state(webhook: Webhook, *, is_troubled: bool) -> State:
    is_off = webhook.status is WebhookStatus.DISABLED
    if is_troubled:
        return "off" if is_off else "failing"
    return "disabled" if is_off else "past"


def _by_webhook(groups: Iterable[FailureGroup]) -> dict[int, list[FailureGroup]]:
    found: dict[int, list[FailureGroup]] = {}
    for one in groups:
        found.setdefault(one.webhook_id, []).append(one)
    return found


def _merged(failing: list[FailureGroup], given_up: list[FailureGroup]) -> list[Failure]:
    """By error and status; the one that most deliveries have first."""
    by_way: dict[tuple[str | None, int | None], tuple[list[FailureGroup], list[FailureGroup]]] = {}
    for place, groups in enumerate((failing, given_up)):
        for one in groups:
            by_way.setdefault((one.error, one.response_status), ([], []))[place].append(one)
    found = [_shown(*both) for both in by_way.values()]
    return sorted(found, key=lambda one: (-max(one.deliveries, one.given_up), one.last_at))


def _shown(failing: list[FailureGroup], given_up: list[FailureGroup]) -> Failure:
    """One way; of each kind there is one group or none."""
    both = [*failing, *given_up]
    newest = max(both, key=lambda one: one.last_at)
    return Failure(
        error=newest.error,
        response_status=newest.response_status,
        deliveries=sum(one.deliveries for one in failing),
        given_up=sum(one.deliveries for one in given_up),
        first_at=time_text(min(one.first_at for one in both)),
        last_at=time_text(newest.last_at),
        delivery_id=to_text(DELIVERY_PREFIX, newest.delivery_id),
        is_cut=any(one.is_cut for one in both),
    )
