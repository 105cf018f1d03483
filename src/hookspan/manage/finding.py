"""Finding things whose application is not known: by any id, and what is in trouble anywhere."""

from collections.abc import Awaitable, Callable
from typing import Final, Literal

import msgspec

from hookspan.domain.identity import Key, Person
from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import StatusReason, WebhookStatus
from hookspan.errors import NotFound
from hookspan.ids import DELIVERY_PREFIX, JOB_PREFIX, from_text, to_text
from hookspan.manage import _reach, views
from hookspan.manage._ground import Ground
from hookspan.manage._rights import Right, has
from hookspan.manage.webhooks import Webhooks
from hookspan.store.contract import Page

LOOKED_MAX = 200  # applications, the newest, among which `troubled` looks
_Owned = Literal["event", "webhook", "delivery"]
_ACCESS: Final[tuple[tuple[Literal["person", "key"], Callable[[Ground, str], Awaitable[Person | Key]]], ...]] = (
    ("person", _reach.person),
    ("key", _reach.key),
)
_OFF_BY_FAILURE = frozenset({StatusReason.GONE, StatusReason.FAILING})


class Found(msgspec.Struct, frozen=True):
    """Where a thing is. `id` is empty for an application itself, `application_id` for what is the operator's."""

    kind: Literal["application", "webhook", "event", "delivery", "job", "person", "key"]
    application_id: str
    id: str


class Finding:
    """Look-ups across applications, within the caller's reach."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def find(self, text: str, application_id: str | None = None) -> Found | None:
        """What has this id: an application's, webhook's, event's, delivery's, job's; for those who may list them a
        person's or key's; or, inside an application that is named or the caller's only one, a publisher's own id of an
        event.
        """
        ground = self._ground
        ground.require(Right.LOOK)
        inside = ground.caller.application or application_id
        for kind, prefix in self._prefixes():
            ident = from_text(prefix, text)
            if ident is None:
                continue
            owner = await ground.store.application_of(kind, ident)
            if owner is not None and ground.caller.reaches(owner):
                return Found(kind, owner, text)
        if (found := await self._job_or_access(text)) is not None:
            return found
        if ground.caller.reaches(text) and await ground.store.get_application(text) is not None:
            return Found("application", text, "")
        return None if inside is None else await self._published_as(inside, text)

    async def troubled(self) -> list[views.Webhook]:
        """Webhooks that fail, or were switched off because they did; of the newest 200 applications."""
        ground = self._ground
        ground.require(Right.LOOK)
        desk = Webhooks(ground)
        shown: list[views.Webhook] = []
        for application in await self._newest():
            webhooks = await ground.store.webhooks_of(application.id)
            bad = [one for one in (() if webhooks is None else webhooks.webhooks) if _is_bad(one)]
            shown += await desk.shown(bad, application) if bad else []
        return shown

    async def _newest(self) -> list[Application]:
        ground = self._ground
        if ground.caller.application is not None:
            own = await ground.store.get_application(ground.caller.application)
            return [] if own is None else [own]
        return await ground.store.list_applications(Page(limit=LOOKED_MAX))

    async def _published_as(self, application_id: str, text: str) -> Found | None:
        ground = self._ground
        application = await ground.application(application_id, Right.LOOK)
        events = await ground.store.list_events(application.id, Page(limit=1), event_types=None, publisher_id=text)
        if not events:
            return None
        return Found("event", application_id, to_text(ground.profile(application).event_prefix, events[0].id))

    async def _job_or_access(self, text: str) -> Found | None:
        ground = self._ground
        ident = from_text(JOB_PREFIX, text)
        job = None if ident is None else await ground.store.get_job(ident)
        if job is not None:
            return Found("job", job.application, text) if ground.caller.reaches(job.application) else None
        if not has(ground.caller, Right.ADMINISTER):
            return None
        for kind, look in _ACCESS:
            try:
                found = await look(ground, text)
            except NotFound:
                continue
            return Found(kind, found.application or "", text)
        return None

    def _prefixes(self) -> list[tuple[_Owned, str]]:
        profiles = [self._ground.profiles.get(name) for name in self._ground.profiles.names]
        found: set[tuple[_Owned, str]] = {("delivery", DELIVERY_PREFIX)}
        found |= {("event", one.event_prefix) for one in profiles}
        found |= {("webhook", one.webhook_prefix) for one in profiles}
        return sorted(found)


def _is_bad(webhook: Webhook) -> bool:
    if webhook.status is WebhookStatus.DISABLED:
        return webhook.status_reason in _OFF_BY_FAILURE
    return webhook.failing_since is not None
