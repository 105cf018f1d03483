"""What a person sends to a webhook by hand: its profile's test, or one event once more. Also while it is disabled."""

from hookspan.domain.subscription import compile_subscription
from hookspan.errors import Fault, NoTestEvent, UnknownEventType
from hookspan.ids import to_text
from hookspan.manage import views
from hookspan.manage._ground import Ground
from hookspan.manage._rights import Right
from hookspan.manage._show import show_attempt, show_delivery
from hookspan.manage._why import why_after
from hookspan.manage.inputs import SendEvent, SendTest


class ByHand:
    """Test webhooks, and send them single events."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def test(self, application_id: str, webhook_id: str, given: SendTest) -> views.Attempt:
        """One attempt, now; what came back is the answer, and nothing follows from it.

        Raises NoTestEvent where the profile has none, UnknownEventType for a type that is not in its catalog,
        StateForbidden while sending is paused: a test can't wait.
        """
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        webhook = await ground.webhook(application, webhook_id)
        profile = ground.profile(application)
        asks_for = compile_subscription(webhook.events, profile.rules.subscription_absent)
        try:
            test = profile.test_event(given.type or None, asks_for)
        except UnknownEventType as error:
            error.errors = (Fault("/type", error.code, error.detail),)
            raise
        if test is None:
            raise NoTestEvent(
                f"Profile {profile.name} has no test event. Publish a sample (POST …/events/sample) and send it to the "
                "webhook by hand (POST …/send)."
            )
        event_id = ground.engine.ids.make()
        body = test.body(to_text(profile.event_prefix, event_id), ground.clock.now_ms(), application.uuid)
        # Kept with the attempt: what was refused before it was sent leaves neither.
        shown = to_text(profile.webhook_prefix, webhook.id)
        store = ground.audited("webhook.tested", "webhook", shown, application, type=test.type)
        attempt = await ground.engine.try_out(webhook, test.type, event_id, body, store=store)
        return show_attempt(attempt, profile, webhook.url, body)

    async def send(self, application_id: str, webhook_id: str, given: SendEvent) -> views.Delivery:
        """A delivery of its own of an event that was published, whether or not the webhook asked for it and whatever
        else waits for it.
        """
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        webhook = await ground.webhook(application, webhook_id)
        event = await ground.event(application, given.event_id)
        profile = ground.profile(application)
        to = to_text(profile.webhook_prefix, webhook.id)
        shown = to_text(profile.event_prefix, event.id)
        store = ground.audited("event.sent", "event", shown, application, webhook_id=to, type=event.type)
        delivery = await ground.engine.send(webhook, event, store=store)
        why = await why_after(ground, application, profile, delivery)
        return show_delivery(delivery, application, profile, why)
