"""Another URL for a webhook whose profile lets it change only while the webhook is disabled: switched off, changed and
switched on again in one action.

Each step leaves a webhook that is whole, and what waits for it waits on: whatever fails, the answer says which step it
was, and in which state the webhook is now.
"""

from typing import Literal

import msgspec

from hookspan.domain.states import WebhookStatus
from hookspan.errors import HookspanError, StateForbidden
from hookspan.manage import views
from hookspan.manage._address import check_sent_again, check_where, read_url
from hookspan.manage._ground import Ground
from hookspan.manage._rights import Right
from hookspan.manage.inputs import ChangeWebhook
from hookspan.manage.webhooks import Webhooks, check_version

Step = Literal["check", "disable", "change"]


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `failed` is None when all went well; else `error` says why that step failed. `webhook` is as it
    is now, None where that can't be read.
    """

    failed: Step | None
    error: HookspanError | None
    webhook: views.Webhook | None


class Moving:
    """Move active webhooks."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._webhooks = Webhooks(ground)

    async def move(self, application_id: str, webhook_id: str, url: str, expected_version: int | None = None) -> Moved:
        """Look at `url` first, so that most of what can be wrong leaves the webhook active; then disable it, then
        change the URL and activate it in one transaction, with all that waited.

        Raises NotFound, NotAllowed, and StateForbidden for a webhook that is not active or whose profile needs no
        such thing: then nothing was tried.
        """
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        webhook = await ground.webhook(application, webhook_id)
        profile = ground.profile(application)
        if profile.rules.url_change != "disabled":
            raise StateForbidden("The URL of this webhook can be changed as it is.", allowed=["change"])
        if webhook.status is WebhookStatus.DISABLED:
            raise StateForbidden("The webhook is disabled: change its URL, then activate it.", allowed=["change"])
        step: Step = "check"
        try:
            check_version(webhook, expected_version)
            given = ChangeWebhook(url=url, status="active", resume="keep")
            target = read_url(ground, profile, url)
            check_sent_again(ground, webhook, target, given, profile, self._webhooks.second_of(webhook))
            await check_where(ground, profile, target, application.id)
            step = "disable"
            off = await self._webhooks.change(
                application_id, webhook_id, ChangeWebhook(status="disabled"), webhook.version
            )
            step = "change"
            on = await self._webhooks.change(application_id, webhook_id, given, off.version)
        except HookspanError as error:
            return Moved(failed=step, error=error, webhook=await self._now(application_id, webhook_id))
        return Moved(failed=None, error=None, webhook=on)

    async def _now(self, application_id: str, webhook_id: str) -> views.Webhook | None:
        try:
            return await self._webhooks.get(application_id, webhook_id)
        except HookspanError:
            return None
