"""Webhooks: where an application's events are sent, which ones, in which state."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType, structs

from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import Order, StatusReason, WebhookStatus, check_webhook_move
from hookspan.errors import ChangedMeanwhile, Overloaded, StoreUnavailable, WebhookLimit
from hookspan.ids import to_text
from hookspan.manage import views
from hookspan.manage._address import check_move, check_sent_again, check_where, read_url
from hookspan.manage._also_sign import NO_SECOND, Plan, Second, check_beside, plan_second, set_second, without_second
from hookspan.manage._audit_detail import of_webhook, of_webhook_change
from hookspan.manage._credentials import Maker, Sealer, shown_secret
from hookspan.manage._fitting import fitting
from hookspan.manage._ground import Ground, invalid, not_found
from hookspan.manage._headers import HEADERS, check_headers, header_names
from hookspan.manage._rights import Right
from hookspan.manage._show import NOTHING, Once, epoch_text, show_health, show_webhook
from hookspan.manage._signing import can_sign
from hookspan.manage._subscription import check_subscription
from hookspan.manage._waiting import waiting_of
from hookspan.manage.inputs import ChangeWebhook, CreateWebhook, EpochAt, Paging
from hookspan.profiles import Profile
from hookspan.store.contract import NewWebhook, Page, WebhookChange
from hookspan.store.statistics import HOUR_MS

HEALTH_HOURS = 24  # the present one and those before it
TRIES_MAX = 5  # of a change that others come between
_STATUS = {"active": WebhookStatus.ACTIVE, "disabled": WebhookStatus.DISABLED}


class Webhooks:
    """Create, list, get, change and delete an application's webhooks."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def create(self, application_id: str, given: CreateWebhook) -> views.Webhook:
        """The answer holds a secret that was made, this once. Raises WebhookLimit and what a wrong member raises."""
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        profile = ground.profile(application)
        _check_name(profile, given.name)
        events = check_subscription(profile, None if given.events is UNSET else given.events)
        plan = plan_second(ground, profile, given.also_sign, None) if given.also_sign else None
        headers = {} if given.headers is UNSET else given.headers
        check_headers(headers, [profile] if plan is None else [profile, plan.profile])
        status, position, epoch = _start(application, profile, given)
        target = read_url(ground, profile, given.url)
        await self._check_room(application, profile)
        maker = Maker(ground, application.id)
        credentials = None if given.credentials is UNSET else given.credentials
        await maker.judge(profile, credentials)
        ident, now_ms = ground.engine.ids.make(), ground.clock.now_ms()
        sealer = Sealer(ground, application.id, ident, now_ms)
        second = NO_SECOND if plan is None else await set_second(maker, sealer, plan, ())
        await check_where(ground, profile, target, application.id)
        made = await maker.make(profile, credentials)
        new = NewWebhook(
            id=ident,
            application_id=application.id,
            name=given.name,
            url=given.url,
            status=status,
            status_reason=StatusReason.CREATED if status is WebhookStatus.DISABLED else None,
            events=events,
            order=profile.rules.order if given.order is UNSET else Order[given.order.upper()],
            rate=given.rate,
            concurrency=given.concurrency,
            event_epoch=epoch,
            also_sign=second.also_sign,
            credentials=(*sealer.seal_all(made), *sealer.seal_headers(headers), *second.credentials),
            position=position,
            created_at=now_ms,
        )
        shown = to_text(profile.webhook_prefix, ident)
        store = ground.audited("webhook.created", "webhook", shown, application, **of_webhook(new))
        kept = await store.create_webhook(new, profile.rules.webhooks_max)
        if kept is None:
            raise _too_many(profile)
        await ground.engine.webhooks_changed(application.id)
        # Nothing is read any more: an error now would lose the secret of a webhook that is there.
        once = Once(shown_secret(made), second.secret)
        return show_webhook(kept, application, profile, show_health(kept), now_ms, once)

    async def _check_room(self, application: Application, profile: Profile) -> None:
        """Refuse early what the store would refuse, where a key or a handshake would be made in vain."""
        if profile.makes_slowly or profile.rules.checks_certificate:
            found = await self._ground.store.webhooks_of(application.id)
            if found is not None and 0 < profile.rules.webhooks_max <= len(found.webhooks):
                raise _too_many(profile)

    async def page(self, application_id: str, paging: Paging) -> views.WebhookList:
        """Newest first. One read of all: no profile allows so many that it would matter."""
        ground = self._ground
        application = await ground.application(application_id, Right.LOOK)
        of = f"webhooks/{application.id}"
        page = ground.page(of, paging)
        found = await ground.store.webhooks_of(application.id)
        if found is None:
            not_found("application", application_id)
        wanted = sorted((one for one in found.webhooks if _is_in(one, page)), key=lambda one: -one.id)
        part = wanted[: page.limit]
        profile = ground.profile(application)
        data = fitting(await self._show(part, application, profile))
        return views.WebhookList(
            data=data,
            next=ground.next_of(of, page, part[len(data) - 1].id) if len(wanted) > len(data) else None,
        )

    async def get(self, application_id: str, webhook_id: str) -> views.Webhook:
        application = await self._ground.application(application_id, Right.LOOK)
        webhook = await self._ground.webhook(application, webhook_id)
        [shown] = await self._show([webhook], application, self._ground.profile(application))
        return shown

    async def change(
        self, application_id: str, webhook_id: str, given: ChangeWebhook, expected_version: int | None = None
    ) -> views.Webhook:
        """Members first, then the status, in one transaction.

        Raises ChangedMeanwhile when `expected_version` is not the webhook's, StateForbidden, CredentialsNeededAgain
        and what a wrong member raises; then nothing was changed.
        """
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        profile = ground.profile(application)
        if given.resume is not UNSET and given.status != "active":
            raise invalid("/resume", 'resume goes with "status": "active".')
        maker = Maker(ground, application.id)
        for _ in range(TRIES_MAX):
            changed = await self._try_change(application, profile, webhook_id, given, expected_version, maker)
            if changed is not None:
                await ground.engine.webhooks_changed(application.id)
                ground.engine.wake()
                webhook, secret = changed
                return await self._show_after(webhook, application, profile, Once(also_secret=secret))
        raise ChangedMeanwhile("The webhook is being changed by others all the time: try again.")

    async def _try_change(
        self,
        application: Application,
        profile: Profile,
        webhook_id: str,
        given: ChangeWebhook,
        expected_version: int | None,
        maker: Maker,
    ) -> tuple[Webhook, str | None] | None:
        """The webhook, and a secret of its second profile that was made. None: it was changed between the checks and
        the writing, and nobody asked for a version; nothing was done.

        The checks and the credentials that stay are of the webhook that was read, so it is that version or none.
        """
        ground = self._ground
        webhook = await ground.webhook(application, webhook_id)
        if given.status is not UNSET:
            check_webhook_move(webhook.status, _STATUS[given.status])
        check_version(webhook, expected_version)
        change, secret = await self._checked(webhook, profile, given, maker)
        if change == WebhookChange():
            return webhook, None
        shown, detail = to_text(profile.webhook_prefix, webhook.id), of_webhook_change(webhook, change)
        store = ground.audited("webhook.changed", "webhook", shown, application, **detail)
        try:
            changed = await store.update_webhook(webhook.id, change, webhook.version, ground.clock.now_ms())
        except ChangedMeanwhile:
            if expected_version is not None:
                raise
            return None
        return (changed, secret) if changed is not None else not_found("webhook", webhook_id)

    async def delete(self, application_id: str, webhook_id: str, expected_version: int | None = None) -> views.Webhook:
        """The webhook as it was last, with status deleted: it is shown this once more and then never again."""
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        webhook = await ground.webhook(application, webhook_id)
        check_version(webhook, expected_version)
        profile = ground.profile(application)
        shown = to_text(profile.webhook_prefix, webhook.id)
        store = ground.audited("webhook.deleted", "webhook", shown, application, url=webhook.url)
        deleted = await store.set_webhook_status(
            webhook.id,
            WebhookStatus.DELETED,
            None,
            keep=True,
            expected_version=expected_version,
            changed_at=ground.clock.now_ms(),
        )
        if deleted is None:
            not_found("webhook", webhook_id)
        await ground.engine.webhooks_changed(application.id)
        # Its credentials are erased; what was shown of them, such as the public key, is shown as it was.
        last = structs.replace(deleted, credentials=webhook.credentials)
        return await self._show_after(last, application, profile)

    async def _checked(
        self, webhook: Webhook, profile: Profile, given: ChangeWebhook, maker: Maker
    ) -> tuple[WebhookChange, str | None]:
        """The members to change, each checked, and a secret that was made; nothing is written here."""
        ground = self._ground
        if given.name is not UNSET:
            _check_name(profile, given.name)
        events = UNSET if given.events is UNSET else check_subscription(profile, given.events)
        plan = plan_second(ground, profile, given.also_sign, webhook.also_sign) if given.also_sign else None
        second = self._second_profile(webhook, plan, given)
        if given.headers is not UNSET:
            check_headers(given.headers, [profile] if second is None else [profile, second])
        elif plan is not None:
            check_beside(plan.profile, header_names(webhook.credentials))
        target = None
        if given.url is not UNSET and given.url != webhook.url:
            check_move(webhook, profile)
            target = read_url(ground, profile, given.url)
            check_sent_again(ground, webhook, target, given, profile, second)
        status, reason = _move(webhook, given)
        changed = await self._credentials(webhook, profile, plan, given, maker)
        if target is not None:
            await check_where(ground, profile, target, webhook.application_id)
        change = WebhookChange(
            name=given.name,
            url=given.url,
            events=events,
            order=UNSET if given.order is UNSET else Order[given.order.upper()],
            rate=given.rate,
            concurrency=given.concurrency,
            also_sign=UNSET if given.also_sign is UNSET else changed.also_sign,
            credentials=UNSET if changed.credentials == webhook.credentials else changed.credentials,
            status=status,
            status_reason=reason,
            keep=given.resume != "skip",
        )
        return change, changed.secret

    def _second_profile(self, webhook: Webhook, plan: Plan | None, given: ChangeWebhook) -> Profile | None:
        """The second profile that will be in force."""
        if given.also_sign is not UNSET or webhook.also_sign is None:
            return None if plan is None else plan.profile
        return self.second_of(webhook)

    def second_of(self, webhook: Webhook) -> Profile | None:
        """The second profile of a webhook as it is. One whose folder is gone can still be left alone, or taken away."""
        profiles, old = self._ground.profiles, webhook.also_sign
        return profiles.get(old.profile) if old is not None and old.profile in profiles.names else None

    async def _credentials(
        self, webhook: Webhook, profile: Profile, plan: Plan | None, given: ChangeWebhook, maker: Maker
    ) -> Second:
        """The webhook's credentials with those given in the place of their old ones; null takes one out."""
        sealer = Sealer(self._ground, webhook.application_id, webhook.id, self._ground.clock.now_ms())
        kept = webhook.credentials
        if given.credentials is not UNSET and given.credentials:
            kept = await maker.replace(sealer, kept, profile, given.credentials)
        if given.headers is not UNSET:
            kept = (*(one for one in kept if one.name != HEADERS), *sealer.seal_headers(given.headers))
        if given.also_sign is UNSET:
            return Second(webhook.also_sign, kept)
        if plan is None:
            return Second(None, without_second(kept))
        return await set_second(maker, sealer, plan, kept)

    async def shown(self, webhooks: Sequence[Webhook], application: Application) -> list[views.Webhook]:
        """These webhooks of one application, for management's own rooms."""
        return await self._show(webhooks, application, self._ground.profile(application))

    async def _show(
        self, webhooks: Sequence[Webhook], application: Application, profile: Profile, once: Once = NOTHING
    ) -> list[views.Webhook]:
        store, now_ms = self._ground.store, self._ground.clock.now_ms()
        await self._ground.engine.settle_statistics()
        waiting = await waiting_of(store, profile, webhooks)
        numbers = await store.health([one.id for one in webhooks], now_ms // HOUR_MS - HEALTH_HOURS + 1)
        healths = [
            show_health(
                one,
                waiting.get(one.id),
                numbers[one.id],
                can_sign=one.status is not WebhookStatus.ACTIVE or can_sign(self._ground, profile, one),
            )
            for one in webhooks
        ]
        return [
            show_webhook(one, application, profile, health, now_ms, once)
            for one, health in zip(webhooks, healths, strict=True)
        ]

    async def _show_after(
        self, webhook: Webhook, application: Application, profile: Profile, once: Once = NOTHING
    ) -> views.Webhook:
        """A webhook that was changed: what is done is not answered by an error because its health can't be read."""
        try:
            [shown] = await self._show([webhook], application, profile, once)
        except (Overloaded, StoreUnavailable):
            shown = show_webhook(webhook, application, profile, show_health(webhook), self._ground.clock.now_ms(), once)
        return shown


def _move(webhook: Webhook, given: ChangeWebhook) -> tuple[WebhookStatus | UnsetType, StatusReason | None]:
    """The status that a change leads to, and why. An active webhook that is to be active stays as it is."""
    if given.status == "disabled":
        return WebhookStatus.DISABLED, StatusReason.PERSON
    if given.status == "active" and webhook.status is WebhookStatus.DISABLED:
        return WebhookStatus.CATCHING_UP, None
    return UNSET, None


def check_version(webhook: Webhook, expected_version: int | None) -> None:
    """Raise ChangedMeanwhile unless the webhook is at the version that the caller has seen."""
    if expected_version is not None and webhook.version != expected_version:
        raise ChangedMeanwhile(
            f"The webhook is at version {webhook.version}, not {expected_version}: read it again.",
            version=webhook.version,
        )


def _too_many(profile: Profile) -> WebhookLimit:
    most = profile.rules.webhooks_max
    return WebhookLimit(
        f"The application has {most} webhooks, as many as profile {profile.name} allows: delete one first.", limit=most
    )


def _check_name(profile: Profile, name: str | None) -> None:
    rule = profile.rules.name
    if rule == "required" and name is None:
        raise invalid("/name", f"Profile {profile.name} wants a name for each webhook.")
    if rule == "none" and name is not None:
        raise invalid("/name", f"Webhooks of profile {profile.name} have no name.")


def _start(application: Application, profile: Profile, given: CreateWebhook) -> tuple[WebhookStatus, int | None, str]:
    """Status, position (None is now) and epoch of a new webhook. One that starts before now has to catch up."""
    rules = profile.rules
    status = rules.new_status if given.status is UNSET else _STATUS[given.status]
    epoch: str | EpochAt = rules.epoch_default if given.event_epoch is UNSET else given.event_epoch
    word = "position" if isinstance(epoch, EpochAt) else epoch
    if given.event_epoch is not UNSET and word not in {rules.epoch_default, *rules.epoch_values}:
        allowed = sorted({rules.epoch_default, *rules.epoch_values})
        raise invalid("/event_epoch", f"Profile {profile.name} lets event_epoch be one of: {', '.join(allowed)}.")
    position: int | None = None
    if isinstance(epoch, EpochAt):
        if epoch.position > application.last_position:
            raise invalid("/event_epoch/position", f"The newest event has position {application.last_position}.")
        position, word = epoch.position, epoch_text(epoch.position)
    elif epoch == "beginning_of_time":
        position = 0
    elif epoch == "webhook_creation" and rules.epoch_before:
        position = max(0, application.last_position - rules.epoch_before)
    if position is not None and status is WebhookStatus.ACTIVE:
        status = WebhookStatus.CATCHING_UP
    return status, position, word


def _is_in(webhook: Webhook, page: Page) -> bool:
    return (
        (page.before is None or webhook.id < page.before)
        and (page.since is None or webhook.created_at >= page.since)
        and (page.until is None or webhook.created_at < page.until)
    )
