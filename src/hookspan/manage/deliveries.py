"""Deliveries and their attempts: what is on its way, what came back, and a second try by hand."""

from hookspan.domain.records import Application, Attempt, Delivery
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState
from hookspan.errors import StateForbidden
from hookspan.ids import DELIVERY_PREFIX, to_text
from hookspan.manage import views
from hookspan.manage._ground import Ground, not_found
from hookspan.manage._rights import Right
from hookspan.manage._show import show_attempt, show_delivery
from hookspan.manage._why import Why, place_of, why_after
from hookspan.manage.events import PAGE_BYTES_MAX, PART_EVENTS
from hookspan.manage.inputs import DeliveryQuery, Paging
from hookspan.profiles import Profile
from hookspan.store.contract import Page, Store


class Deliveries:
    """List, get, retry and cancel deliveries; read the attempts of a webhook."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def page(
        self, application_id: str, query: DeliveryQuery, paging: Paging, webhook_id: str | None = None
    ) -> views.DeliveryList:
        """Newest first, of the application or of one of its webhooks."""
        ground = self._ground
        application = await ground.application(application_id, Right.LOOK)
        webhook = None if webhook_id is None else await ground.webhook(application, webhook_id)
        inside = None if webhook is None else webhook.id
        of = f"deliveries/{application.id}/{inside}?state={query.state}&type={query.type!r}"
        page = ground.page(of, paging)
        found = await ground.store.list_deliveries(
            application.id,
            page,
            webhook_id=inside,
            state=None if query.state is None else DeliveryState[query.state.upper()],
            event_type=query.type,
        )
        profile = ground.profile(application)
        why = Why(ground, application, profile)
        return views.DeliveryList(
            data=[show_delivery(one, application, profile, await why.of_delivery(one)) for one in found],
            next=ground.next_of(of, page, *place_of(found[-1])) if len(found) >= page.limit else None,
        )

    async def get(self, application_id: str, delivery_id: str) -> views.Delivery:
        """One delivery with its attempts, oldest first (the newest 200)."""
        application = await self._ground.application(application_id, Right.LOOK)
        delivery = await self._ground.delivery(application, delivery_id)
        profile = self._ground.profile(application)
        sent = _Sent(self._ground, application, profile)
        attempts = [await sent.show(one) for one in await self._ground.store.attempts_of(delivery)]
        why = await Why(self._ground, application, profile).of_delivery(delivery)
        return show_delivery(delivery, application, profile, why, attempts)

    async def retry(self, application_id: str, delivery_id: str) -> views.Delivery:
        """Try now: a final delivery is opened again as a new round, a waiting one becomes due. Raises StateForbidden
        when it is being sent, or its webhook is deleted.
        """
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        delivery = await ground.delivery(application, delivery_id)
        if await ground.store.get_webhook(delivery.webhook_id) is None:
            raise StateForbidden("The webhook of this delivery is deleted.", allowed=[])
        store = self._audited("delivery.retried", application, delivery)
        reopened = await store.reopen_delivery(application.id, delivery.id, Cause.MANUAL, ground.clock.now_ms())
        ground.engine.wake(delivery.webhook_id)
        return await self._one(application, reopened, delivery_id)

    async def cancel(self, application_id: str, delivery_id: str) -> views.Delivery:
        """Never send it. Raises StateForbidden when it is being sent, or final already."""
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        delivery = await ground.delivery(application, delivery_id)
        store = self._audited("delivery.cancelled", application, delivery)
        cancelled = await store.cancel_delivery(
            application.id, delivery.id, DeliveryReason.PERSON, ground.clock.now_ms()
        )
        ground.engine.wake(delivery.webhook_id)
        return await self._one(application, cancelled, delivery_id)

    async def logs(self, application_id: str, webhook_id: str, paging: Paging) -> views.AttemptList:
        """A webhook's attempts, newest first."""
        ground = self._ground
        application = await ground.application(application_id, Right.LOOK)
        webhook = await ground.webhook(application, webhook_id)
        of = f"attempts/{webhook.id}"
        page = ground.page(of, paging)
        sent = _Sent(ground, application, ground.profile(application))
        shown: list[views.Attempt] = []
        last, is_more = page.before, True
        while is_more and len(shown) < page.limit and sent.bytes < PAGE_BYTES_MAX:
            wanted = min(PART_EVENTS, page.limit - len(shown))
            part = Page(limit=wanted, before=last, since=page.since, until=page.until)
            found = await ground.store.list_attempts(webhook.id, part)
            shown += [await sent.show(one) for one in found]
            last = found[-1].id if found else last
            is_more = len(found) == wanted
        return views.AttemptList(data=shown, next=ground.next_of(of, page, last) if is_more and last else None)

    async def _one(self, application: Application, delivery: Delivery | None, text: str) -> views.Delivery:
        if delivery is None:
            not_found("delivery", text)
        profile = self._ground.profile(application)
        why = await why_after(self._ground, application, profile, delivery)
        return show_delivery(delivery, application, profile, why)

    def _audited(self, action: str, application: Application, delivery: Delivery) -> Store:
        profile = self._ground.profile(application)
        return self._ground.audited(
            action,
            "delivery",
            to_text(DELIVERY_PREFIX, delivery.id),
            application,
            webhook_id=to_text(profile.webhook_prefix, delivery.webhook_id),
            event_id=to_text(profile.event_prefix, delivery.event_id),
            type=delivery.type,
        )


class _Sent:
    """Shows attempts with what was sent: the URL of that time, and the event's body or the test's own. Remembers what
    it has read.
    """

    def __init__(self, ground: Ground, application: Application, profile: Profile) -> None:
        self._store = ground.store
        self._application = application
        self._profile = profile
        self._urls: dict[tuple[int, int], str | None] = {}
        self._bodies: dict[int, bytes | None] = {}
        self.bytes = 0  # of bodies in what was shown

    async def show(self, attempt: Attempt) -> views.Attempt:
        body = attempt.request_body or await self._body(attempt.event_id)
        self.bytes += len(body or b"") + len(attempt.response_body or b"")
        return show_attempt(attempt, self._profile, await self._url(attempt), body)

    async def _url(self, attempt: Attempt) -> str | None:
        key = (attempt.webhook_id, attempt.webhook_version)
        if key not in self._urls:
            revision = await self._store.revision(*key)
            self._urls[key] = None if revision is None else revision.url
        return self._urls[key]

    async def _body(self, event_id: int | None) -> bytes | None:
        if event_id is None:
            return None
        if event_id not in self._bodies:
            event = await self._store.get_event(self._application.id, event_id)
            self._bodies[event_id] = None if event is None else event.body
        return self._bodies[event_id]
