"""How much waits for webhooks: deliveries, and events that a webhook which is off has yet to come to."""

from collections.abc import Callable, Sequence

from hookspan.domain.records import Webhook
from hookspan.domain.states import WebhookStatus
from hookspan.domain.subscription import compile_subscription
from hookspan.profiles import Profile
from hookspan.store.contract import WAITING_MAX, Store, Waiting

_BEHIND = frozenset({WebhookStatus.DISABLED, WebhookStatus.CATCHING_UP})


def asks_for(profile: Profile, webhook: Webhook) -> Callable[[str], bool]:
    """Which event types the webhook's subscription asks for now."""
    asks = compile_subscription(webhook.events, profile.rules.subscription_absent)
    category_of = profile.category_of
    return lambda event_type: asks(event_type, category_of(event_type))


async def waiting_of(store: Store, profile: Profile, webhooks: Sequence[Webhook]) -> dict[int, Waiting]:
    """What waits for each of these webhooks of one application: what activation with `resume` keep would deliver of
    a disabled one, and skip would not. At most WAITING_MAX each.
    """
    found = await store.waiting([one.id for one in webhooks])
    for webhook in webhooks:
        if webhook.status in _BEHIND:
            behind = await store.behind(webhook.id, asks_for(profile, webhook))
            found[webhook.id] = _sum(found[webhook.id], behind)
    return found


def _sum(one: Waiting, other: Waiting) -> Waiting:
    times = [at_ms for at_ms in (one.oldest_at, other.oldest_at) if at_ms is not None]
    return Waiting(min(one.count + other.count, WAITING_MAX), min(times, default=None))
