"""Rotating a webhook's secret: a new one signs first, the one before goes on signing beside it for a while."""

from hookspan.domain.records import Webhook
from hookspan.errors import ChangedMeanwhile, InvalidCredential, NotAllowed, NotRotatable
from hookspan.ids import to_text
from hookspan.manage import views
from hookspan.manage._credentials import Sealer, after_rotation, placed, previous_until, run_maker
from hookspan.manage._ground import Ground, not_found
from hookspan.manage._rights import Right
from hookspan.manage._show import time_or_none
from hookspan.manage.inputs import RotateSecret
from hookspan.manage.webhooks import TRIES_MAX
from hookspan.profiles import NewCredential, Profile
from hookspan.store.contract import WebhookChange


class Secrets:
    """Rotate what webhooks sign with."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def rotate(self, application_id: str, webhook_id: str, given: RotateSecret) -> views.RotatedSecret:
        """The successor of the credential that the webhook signs with, in force at once. A given one that is in force
        already changes nothing: whoever lost the answer may ask again, and the one before signs as long as it did.

        Raises NotRotatable where the profile does not rotate, InvalidCredential and NotAllowed for a secret that does
        not fit or may not be given, ChangedMeanwhile when others come between again and again.
        """
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        profile = ground.profile(application)
        secret = given.secret or None
        made: NewCredential | None = None
        for _ in range(TRIES_MAX):
            webhook = await ground.webhook(application, webhook_id)
            name = _rotatable(webhook, profile, given.credential or None)
            if made is None or made.name != name:
                made = await self._make(application.id, profile, name, secret)
            now_ms = ground.clock.now_ms()
            sealer = Sealer(ground, application.id, webhook.id, now_ms)
            if secret is not None and sealer.is_in_force(webhook.credentials, name, made.secret):
                until = previous_until(webhook.credentials, name, now_ms)
                return views.RotatedSecret(secret=None, public_key=made.public, previous_until=time_or_none(until))
            fresh = sealer.seal(name, made.secret, made.public)
            credentials, until = after_rotation(webhook.credentials, fresh, profile.rotation(name), now_ms)
            store = ground.audited(
                "secret.rotated",
                "webhook",
                to_text(profile.webhook_prefix, webhook.id),
                application,
                credential=name,
                is_given=secret is not None,
                previous_until=time_or_none(until),
            )
            try:
                changed = await store.update_webhook(
                    webhook.id, WebhookChange(credentials=credentials), webhook.version, now_ms
                )
            except ChangedMeanwhile:
                continue
            if changed is None:
                not_found("webhook", webhook_id)
            await ground.engine.webhooks_changed(application.id)
            return views.RotatedSecret(secret=made.shown, public_key=made.public, previous_until=time_or_none(until))
        raise ChangedMeanwhile("The webhook is being changed by others all the time: try again.")

    async def _make(self, application_id: int, profile: Profile, name: str, secret: str | None) -> NewCredential:
        try:
            return await run_maker(
                self._ground,
                application_id,
                profile,
                lambda: profile.rotated(name, secret, may_give=self._ground.giver),
            )
        except (InvalidCredential, NotAllowed) as error:
            error.errors = ()  # they point at a webhook's credentials; here is one secret
            raise placed(error, "", "/secret") from None


def _rotatable(webhook: Webhook, profile: Profile, wanted: str | None) -> str:
    """The name of the credential that is `wanted` (as it is given), else the first that rotates; the webhook has it."""
    names = {one.name for one in webhook.credentials}
    found = {one.given_as: one.name for one in profile.credentials if one.rotation is not None and one.name in names}
    if wanted is None and found:
        return next(iter(found.values()))
    if wanted in found:
        return found[wanted]
    if not found or wanted is None:
        raise NotRotatable(
            f"Profile {profile.name} has no credential that rotates. To replace one at once, change the webhook's "
            "credentials; for a new key beside the old one, create a second webhook."
        )
    raise NotRotatable(f"This webhook has no {wanted!r} that rotates; what it has of that kind: {', '.join(found)}.")
