"""Applications: the customers of the platform, each with one profile."""

import uuid
from typing import Any

import msgspec

from hookspan.domain.caller import Scope
from hookspan.domain.records import Application
from hookspan.errors import StateForbidden
from hookspan.ids import APPLICATION_PREFIX, to_text
from hookspan.manage import views
from hookspan.manage._address import check_notify
from hookspan.manage._audit_detail import of_application, of_application_change
from hookspan.manage._fitting import fitting
from hookspan.manage._ground import Ground, invalid, not_found
from hookspan.manage._headers import header_names
from hookspan.manage._rights import Right
from hookspan.manage._show import show_application
from hookspan.manage.inputs import ChangeApplication, CreateApplication, Paging
from hookspan.profiles import Profile
from hookspan.store.contract import NewApplication, Page

METADATA_BYTES_MAX = 16_384
_CHANGE = "change applications (an application's own admins its `notify`, alone)"


class Applications:
    """Create, list, get, change and delete applications."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def create(self, given: CreateApplication) -> views.Application:
        """Raises UnknownProfile, StateForbidden when `id` is taken, and what a wrong member raises."""
        ground = self._ground
        ground.require(Right.OPERATE, "create applications")
        settings = {} if given.settings is msgspec.UNSET else given.settings
        metadata = {} if given.metadata is msgspec.UNSET else given.metadata
        self._check_trees(settings, metadata)
        profile = self._profile(given.profile, settings)
        if given.notify is not None:
            await check_notify(ground, profile, given.notify)
        ident = ground.engine.ids.make()
        public_id = to_text(APPLICATION_PREFIX, ident) if given.id is msgspec.UNSET else given.id
        new = NewApplication(
            id=ident,
            public_id=public_id,
            name=given.name,
            profile=profile.name,
            uuid=str(uuid.uuid4()) if given.uuid is msgspec.UNSET else given.uuid.lower(),
            settings=settings,
            metadata=metadata,
            notify=given.notify,
            created_at=ground.clock.now_ms(),
        )
        store = ground.audited("application.created", "application", public_id, new, **of_application(new))
        kept = await store.create_application(new)
        if kept is None:
            raise StateForbidden(f"There is an application {public_id!r} already: give another id, or none.")
        await ground.engine.webhooks_changed(kept.id)
        return self._shown(kept)

    async def page(self, paging: Paging) -> views.ApplicationList:
        """Those within reach, newest first."""
        ground = self._ground
        ground.require(Right.LOOK)
        page = ground.page("applications", paging)
        if ground.caller.application is not None:
            return await self._own(ground.caller.application, page)
        found = await ground.store.list_applications(page)
        data = fitting([self._shown(one) for one in found])
        is_more = len(found) >= page.limit or len(data) < len(found)
        return views.ApplicationList(
            data=data,
            next=ground.next_of("applications", page, found[len(data) - 1].id) if is_more else None,
        )

    async def _own(self, public_id: str, page: Page) -> views.ApplicationList:
        """The one application that the caller reaches, if it is in the part that is asked for."""
        found = await self._ground.store.get_application(public_id)
        data = [] if found is None or not _is_in(found, page) else [self._shown(found)]
        return views.ApplicationList(data=data, next=None)

    async def get(self, public_id: str) -> views.Application:
        return self._shown(await self._ground.application(public_id, Right.LOOK))

    async def speaking(self, management_api: str) -> str | None:
        """The public id of the caller's own application, where the caller is a key of one whose profile speaks that
        vendor's API too. None for everybody else.
        """
        ground, caller = self._ground, self._ground.caller
        if caller.kind != "key" or caller.scope is not Scope.APPLICATION or caller.application is None:
            return None
        found = await ground.store.get_application(caller.application)
        if found is None or ground.profile(found).management_api != management_api:
            return None
        return found.public_id

    async def change(self, public_id: str, given: ChangeApplication) -> views.Application:
        """`notify` alone is also for an application's own admins: it is their people who are told. Raises
        StateForbidden for another profile once there are webhooks or events.
        """
        ground = self._ground
        if _is_notify_alone(given):
            old = await ground.application(public_id, Right.ADMINISTER, "change where notices go")
        else:
            old = await ground.application(public_id, Right.OPERATE, _CHANGE)
        settings = None if given.settings is msgspec.UNSET else given.settings
        metadata = None if given.metadata is msgspec.UNSET else given.metadata
        self._check_trees(settings or {}, metadata or {})
        name = old.profile if given.profile is msgspec.UNSET else given.profile
        profile = self._profile(name, old.settings if settings is None else settings)
        if name != old.profile:
            await self._check_may_move(old)
        else:
            await self._check_headers(old, profile)
        if isinstance(given.notify, str):
            await check_notify(ground, profile, given.notify)
        members: dict[str, Any] = {
            "name": None if given.name is msgspec.UNSET else given.name,
            "profile": profile.name if name != old.profile else None,
            "uuid": None if given.uuid is msgspec.UNSET else given.uuid.lower(),
            "settings": settings,
            "metadata": metadata,
        }
        new = {member: value for member, value in members.items() if value is not None}
        if given.notify is not msgspec.UNSET:
            new["notify"] = given.notify
        store = ground.audited("application.changed", "application", public_id, old, **of_application_change(old, new))
        changed = await store.update_application(old.id, ground.clock.now_ms(), **members, notify=given.notify)
        if changed is None:
            not_found("application", public_id)
        await ground.engine.webhooks_changed(old.id)
        return self._shown(changed)

    async def delete(self, public_id: str) -> None:
        """Its webhooks, events and deliveries go with it, out of reach at once."""
        ground = self._ground
        application = await ground.application(public_id, Right.OPERATE, "delete applications")
        store = ground.audited("application.deleted", "application", public_id, application)
        if not await store.delete_application(application.id, ground.clock.now_ms()):
            not_found("application", public_id)
        ground.callers.forget(public_id)
        await ground.engine.webhooks_changed(application.id)
        if any(one.application_id == application.id for one in ground.engine.pauses.in_force):
            await ground.engine.pauses_changed()  # its own has gone with it

    def _shown(self, application: Application) -> views.Application:
        return show_application(application, self._ground.pause_of(application))

    def _profile(self, name: str, settings: dict[str, Any]) -> Profile:
        return self._ground.profiles.get(name).with_settings(settings)

    async def _check_may_move(self, application: Application) -> None:
        """Ids and credentials of webhooks are in the profile's form, so none may be left behind in another."""
        found = await self._ground.store.webhooks_of(application.id)
        if application.last_position or (found is not None and found.webhooks):
            raise StateForbidden("The profile is fixed once the application has events or webhooks.", allowed=[])

    async def _check_headers(self, application: Application, profile: Profile) -> None:
        """Settings may name the profile's headers: they must not become custom ones of a webhook, or its second
        profile's.
        """
        ground = self._ground
        fresh = profile.header_names - ground.profile(application).header_names
        found = await ground.store.webhooks_of(application.id) if fresh else None
        for webhook in () if found is None else found.webhooks:
            taken = {name.lower() for name in header_names(webhook.credentials)}
            if webhook.also_sign is not None and webhook.also_sign.profile in ground.profiles.names:
                taken |= ground.profiles.get(webhook.also_sign.profile).header_names
            for name in sorted(fresh & taken):
                shown = to_text(profile.webhook_prefix, webhook.id)
                raise invalid("/settings", f"Webhook {shown} has a header {name} already; the profile can't write it.")

    @staticmethod
    def _check_trees(settings: dict[str, Any], metadata: dict[str, Any]) -> None:
        for name, tree in (("settings", settings), ("metadata", metadata)):
            try:
                size = len(msgspec.json.encode(tree))
            except (OverflowError, UnicodeEncodeError):
                raise invalid(f"/{name}", f"{name} holds a number or text that can't be kept exactly.") from None
            if size > METADATA_BYTES_MAX:
                raise invalid(f"/{name}", f"{name} may have {METADATA_BYTES_MAX:,} bytes as JSON; this has {size:,}.")


def _is_notify_alone(given: ChangeApplication) -> bool:
    others = (given.name, given.profile, given.uuid, given.settings, given.metadata)
    return given.notify is not msgspec.UNSET and all(one is msgspec.UNSET for one in others)


def _is_in(application: Application, page: Page) -> bool:
    return (page.since is None or application.created_at >= page.since) and (
        page.until is None or application.created_at < page.until
    )
