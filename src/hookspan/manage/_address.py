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
    NotAllowed,
    StateForbidden,
)
from hookspan.mail_address import MAILTO, is_mail_address
from hookspan.manage._also_sign import PLACE
from hookspan.manage._ground import Ground, invalid
from hookspan.manage._headers import HEADERS
from hookspan.manage.inputs import ChangeWebhook, Credentials
from hookspan.profiles import Profile


def read_url(ground: Ground, profile: Profile, url: str, pointer: str = "/url") -> Target:
    """Grammar, scheme, and the address of a URL without a name: no network is asked. Raises InvalidUrl, HttpsRequired,
    BlockedDestination, each naming the place in the request.
    """
    try:
        return ground.egress.target(url, https_required=profile.rules.https == "required")
    except HookspanError as error:
        error.errors = (Fault(pointer, error.code, error.detail),)
        raise


async def check_where(ground: Ground, profile: Profile, target: Target, application_id: int) -> None:
    """Every address that a webhook's host has now; and one TLS handshake where the profile wants a valid certificate.
    It comes after every check that needs no network. Raises BlockedDestination, InvalidCertificate, and Overloaded
    when too many handshakes are being made.

    The handshake looks the name up itself, by the same policy: within its time, so that all refusals take equally long.
    """
    egress = ground.egress
    try:
        if profile.rules.checks_certificate and target.is_tls:
            async with ground.certificate_looks.place(application_id):
                await egress.check_certificate(target)
        else:
            await egress.check_destination(target)
    except (BlockedDestination, InvalidCertificate) as error:
        error.errors = (Fault("/url", error.code, error.detail),)
        raise


async def check_notify(ground: Ground, profile: Profile, url: str) -> None:
    """Where an application's people are told: a URL, or `mailto:` and one address, where the operator has set a mail
    server. Addresses are given by the operator's admins: letters go out in the operator's name, and with texts of the
    application's, so that who could choose both would have a relay for any mail.
    """
    if not url.lower().startswith(MAILTO):
        target = read_url(ground, profile, url, "/notify")
        try:
            await ground.egress.check_destination(target)
        except BlockedDestination as error:
            error.errors = (Fault("/notify", error.code, error.detail),)
            raise
        return
    if ground.giver != "operator":
        raise NotAllowed("The operator's admins may have notices sent by mail: ask them, or give a URL.")
    if not ground.engine.has_mail:
        raise invalid(
            "/notify",
            "There is no mail server (the operator sets HOOKSPAN_SMTP_URL and HOOKSPAN_SMTP_FROM): give a URL.",
        )
    if not url.startswith(MAILTO) or not is_mail_address(url.removeprefix(MAILTO)):
        raise invalid("/notify", "notify must be a URL, or one address such as mailto:people@example.com.")


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
