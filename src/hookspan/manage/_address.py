"""Checking the URLs that people give: their grammar, where they lead, and what must be sent again when they move."""

from msgspec import UNSET, UnsetType

from hookspan.domain.records import Webhook
from hookspan.domain.states import WebhookStatus
from hookspan.egress import Target
from hookspan.engine.post import ALSO
from hookspan.errors import (
    BlockedDestination,
    CredentialsNeededAgain,
    Fault,
    HookspanError,
    InvalidCertificate,
    StateForbidden,
)
from hookspan.manage._also_sign import PLACE
from hookspan.manage._ground import Ground
from hookspan.manage._headers import HEADERS
from hookspan.manage.inputs import ChangeWebhook, Credentials
from hookspan.profiles import Profile


async def check_url(ground: Ground, profile: Profile, url: str, pointer: str = "/url") -> Target:
    """Grammar, scheme and every address that the host has now. Raises InvalidUrl, HttpsRequired, BlockedDestination,
    each naming the place in the request.
    """
    try:
        target = ground.egress.target(url, https_required=profile.rules.https == "required")
        await ground.egress.check_destination(target)
    except HookspanError as error:
        error.errors = (Fault(pointer, error.code, error.detail),)
        raise
    return target


async def check_webhook_url(ground: Ground, profile: Profile, url: str) -> Target:
    """As `check_url`; and one TLS handshake where the profile wants a valid certificate. Raises InvalidCertificate too,
    and Overloaded when too many of them are being made.
    """
    target = await check_url(ground, profile, url)
    if profile.rules.checks_certificate:
        try:
            await ground.egress.check_certificate(target)
        except (BlockedDestination, InvalidCertificate) as error:
            error.errors = (Fault("/url", error.code, error.detail),)
            raise
    return target


def check_move(webhook: Webhook, profile: Profile) -> None:
    """Whether the profile lets this webhook's URL change in the state that it has before the change."""
    if profile.rules.url_change == "disabled" and webhook.status is not WebhookStatus.DISABLED:
        raise StateForbidden(
            f"The URL of an active webhook of profile {profile.name} can't change: disable it first.",
            allowed=["disabled"],
        )


def check_sent_again(
    ground: Ground, webhook: Webhook, target: Target, given: ChangeWebhook, profile: Profile, second: Profile | None
) -> None:
    """When the URL moves to another origin, what is sent as it is must come with it, so that it can't leak to the
    new host. Signing keys stay: a signature tells nothing of them. `second` is the second profile in force afterwards.
    """
    names = {one.name for one in webhook.credentials}
    missing = ["/headers"] if HEADERS in names and given.headers is UNSET else []
    missing += _not_given(profile, names, given.credentials, "", "")
    also = given.also_sign
    if second is not None and webhook.also_sign is not None and webhook.also_sign.profile == second.name:
        missing += _not_given(second, names, UNSET if not also else also.credentials, PLACE, ALSO)
    if not missing or ground.egress.target(webhook.url, https_required=False).origin == target.origin:
        return
    raise CredentialsNeededAgain(
        f"The URL moves to another origin: send {' and '.join(one[1:] for one in missing)} again (or null) with it.",
        errors=tuple(Fault(one, "credentials_needed_again", "Send it again with the new URL.") for one in missing),
    )


def _not_given(profile: Profile, kept: set[str], given: Credentials | UnsetType, place: str, prefix: str) -> list[str]:
    """Places of the credentials that are sent as they are, are there, and don't come again."""
    return [
        f"{place}/credentials/{kind.given_as}"
        for kind in profile.credentials
        if kind.name in profile.sent_credentials and prefix + kind.name in kept and kind.given_as not in (given or {})
    ]
