"""A profile's rules as scalars: limits, states, subscription, order, timeout, retry, epoch."""

from typing import Final

import msgspec

from hookspan.domain.retry import RetryPolicy
from hookspan.domain.states import Order, WebhookStatus
from hookspan.domain.verdict import DeliveryRules
from hookspan.profiles._document import Delivery, Document, Refused, Retry
from hookspan.profiles._durations import duration_ms

_SECOND_MS: Final = 1000
_DAY_MS: Final = 86_400_000
TIMEOUT_MS_MAX: Final = 60 * _SECOND_MS
DELAYS_MAX: Final = 100
DELAY_MS_MAX: Final = 7 * _DAY_MS
WINDOW_MS_MAX: Final = 30 * _DAY_MS
FACTOR_MAX: Final = 10.0
_SERIES: Final = ("first", "factor", "cap", "until")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine and management ask of a profile. Names of states and orders are the domain's.

    `webhooks_max` 0 is no limit. `checks_certificate`: a URL is saved only where a valid one answers. `configure`
    names the roles that may. `subscription_absent` is what a webhook without a list gets. `epoch_values` are the starts
    that may be asked for, `epoch_default` is the one without a wish, and `epoch_before` how many events before its
    creation ``webhook_creation`` means. `validate`: contents are held against their schemas.
    """

    webhooks_max: int
    name: str  # "optional" | "required" | "none"
    https: str  # "required" | "unless_operator_allows"
    checks_certificate: bool
    new_status: WebhookStatus
    url_change: str  # "any" | "disabled"
    configure: tuple[str, ...]
    subscription_by: str
    subscription_absent: str  # "all" | "none" | "refused"
    order: Order
    timeout_ms: int
    delivery: DeliveryRules
    epoch_default: str
    epoch_values: tuple[str, ...]
    epoch_before: int
    validate: bool


def compile_rules(document: Document) -> Rules:
    """Raises Refused."""
    epoch_values = document.epoch.values or (document.epoch.default,)
    if document.epoch.default not in epoch_values:
        raise Refused("epoch.default", f"{document.epoch.default!r} is not one of epoch.values")
    return Rules(
        webhooks_max=document.limits.webhooks,
        name=document.limits.name,
        https=document.limits.https,
        checks_certificate=document.limits.certificate == "checked_at_save",
        new_status=WebhookStatus[document.states.new.upper()],
        url_change=document.states.url_change,
        configure=document.access.configure,
        subscription_by=document.subscription.by,
        subscription_absent=document.subscription.absent,
        order=Order[document.delivery.order.upper()],
        timeout_ms=duration_ms(
            "delivery.timeout", document.delivery.timeout, least_ms=_SECOND_MS, most_ms=TIMEOUT_MS_MAX
        ),
        delivery=DeliveryRules(
            retry=_retry(document.retry),
            gone_disables=document.delivery.gone == "disable",
            disable_after_ms=_disable_after_ms(document.delivery),
            stalls=document.delivery.when_exhausted == "stall",
        ),
        epoch_default=document.epoch.default,
        epoch_values=epoch_values,
        epoch_before=document.epoch.before,
        validate=document.validate,
    )


def _disable_after_ms(delivery: Delivery) -> int | None:
    match delivery.auto_disable:
        case False:
            return None
        case True:
            raise Refused("delivery.auto_disable", 'write false, or after how long: "5d"')
        case str(text):
            return duration_ms("delivery.auto_disable", text, least_ms=60_000, most_ms=365 * _DAY_MS)


def _retry(retry: Retry) -> RetryPolicy:
    if not 0 <= retry.jitter < 1:
        raise Refused("retry.jitter", f"{retry.jitter} is not between 0 and 1")
    if retry.delays is not None:
        return _list(retry, retry.delays)
    if retry.first is None or retry.until is None:
        raise Refused("retry", 'write either "delays", or "first" and "until" (and "factor", "cap")')
    factor = 3.0 if retry.factor is None else retry.factor
    if not 1 <= factor <= FACTOR_MAX:
        raise Refused("retry.factor", f"{factor} is not between 1 and {FACTOR_MAX:g}")
    first_ms = duration_ms("retry.first", retry.first, least_ms=_SECOND_MS, most_ms=DELAY_MS_MAX)
    until_ms = duration_ms("retry.until", retry.until, least_ms=_SECOND_MS, most_ms=WINDOW_MS_MAX)
    if until_ms < first_ms:
        raise Refused("retry.until", f"{retry.until!r} is before the first retry, {retry.first!r}: there would be none")
    return RetryPolicy(
        first_ms=first_ms,
        factor=factor,
        cap_ms=duration_ms("retry.cap", retry.cap or "6h", least_ms=_SECOND_MS, most_ms=DELAY_MS_MAX),
        until_ms=until_ms,
        jitter=retry.jitter,
    )


def _list(retry: Retry, delays: tuple[str, ...]) -> RetryPolicy:
    for name in _SERIES:
        if getattr(retry, name) is not None:
            raise Refused(f"retry.{name}", 'does not go with "delays"')
    if not 1 <= len(delays) <= DELAYS_MAX:
        raise Refused("retry.delays", f"there must be 1 to {DELAYS_MAX} delays")
    delays_ms = tuple(
        duration_ms(f"retry.delays.{index}", text, least_ms=0, most_ms=DELAY_MS_MAX)
        for index, text in enumerate(delays)
    )
    policy = RetryPolicy(delays_ms=delays_ms, jitter=retry.jitter)
    if policy.window_ms() > WINDOW_MS_MAX:
        raise Refused("retry.delays", f"together they are longer than {WINDOW_MS_MAX // _DAY_MS} days")
    return policy
