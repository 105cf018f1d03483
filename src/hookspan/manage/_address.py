"""Checking the URLs that people give: their grammar, where they lead, and what must be sent again when they move."""

from hookspan.domain.records import Webhook
from hookspan.domain.states import WebhookStatus
from hookspan.egress import Target
from hookspan.errors import CredentialsNeededAgain, Fault, HookspanError, StateForbidden
from hookspan.manage._credentials import HEADERS, TOKEN
from hookspan.manage._ground import Ground
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


def check_move(webhook: Webhook, profile: Profile) -> None:
    """Whether the profile lets this webhook's URL change in the state that it has before the change."""
    if profile.rules.url_change == "disabled" and webhook.status is not WebhookStatus.DISABLED:
        raise StateForbidden(
            f"The URL of an active webhook of profile {profile.name} can't change: disable it first.",
            allowed=["disabled"],
        )


def check_sent_again(ground: Ground, webhook: Webhook, target: Target, given: set[str]) -> None:
    """When the URL moves to another origin, what is sent as it is must come with it, so that it can't leak to the
    new host. Signing keys stay: a signature tells nothing of them.
    """
    missing = [one.name for one in webhook.credentials if one.name in {HEADERS, TOKEN} and one.name not in given]
    if not missing or ground.egress.target(webhook.url, https_required=False).origin == target.origin:
        return
    pointers = {HEADERS: "/headers", TOKEN: "/credentials/token"}
    raise CredentialsNeededAgain(
        f"The URL moves to another origin: send {' and '.join(sorted(set(missing)))} again (or null) with it.",
        errors=tuple(
            Fault(pointers[name], "credentials_needed_again", "Send it again with the new URL.")
            for name in sorted(set(missing))
        ),
    )
