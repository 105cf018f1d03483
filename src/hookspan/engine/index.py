"""The subscription index: each application's webhooks in memory, at a known version, ready to fan out."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec
import structlog

from hookspan.domain.records import Application, Webhook, Webhooks
from hookspan.domain.states import WebhookStatus
from hookspan.domain.subscription import compile_subscription
from hookspan.errors import HookspanError, InvalidCredential, NotFound, UnknownProfile
from hookspan.profiles import Profile, Profiles
from hookspan.store.contract import Store

_TYPES_REMEMBERED_MAX = 1_000

log = structlog.get_logger()

AsksFor = Callable[[str, str | None], bool]


class Entry:
    """One application as intake needs it. Replaced whole when anything about it changes."""

    __slots__ = ("_active", "_by_type", "_profiles", "application", "profile", "webhooks")

    def __init__(self, webhooks: Webhooks, profile: Profile, profiles: Profiles) -> None:
        self.application: Application = webhooks.application
        self.profile = profile
        self._profiles = profiles
        self.webhooks = webhooks.webhooks
        self._active: list[tuple[AsksFor, Webhook]] = [
            (self.asks_for(webhook), webhook) for webhook in webhooks.webhooks if webhook.status is WebhookStatus.ACTIVE
        ]
        self._by_type: dict[str, tuple[Webhook, ...]] = {}

    @property
    def version(self) -> int:
        return self.application.webhooks_version

    def asks_for(self, webhook: Webhook) -> AsksFor:
        """The compiled subscription of one of its webhooks."""
        return compile_subscription(webhook.events, self.profile.rules.subscription_absent)

    def webhook(self, webhook_id: int) -> Webhook | None:
        """One of its webhooks."""
        for webhook in self.webhooks:
            if webhook.id == webhook_id:
                return webhook
        return None

    def profile_called(self, name: str) -> Profile:
        """Another profile, that one of its webhooks signs by too. Raises InvalidCredential where it is not loaded."""
        try:
            return self._profiles.get(name)
        except UnknownProfile as error:
            raise InvalidCredential(error.detail) from None

    def subscribers(self, event_type: str, category: str | None) -> tuple[Webhook, ...]:
        """The active webhooks that asked for this type."""
        found = self._by_type.get(event_type)
        if found is None:
            found = tuple(webhook for asks_for, webhook in self._active if asks_for(event_type, category))
            if len(self._by_type) >= _TYPES_REMEMBERED_MAX:
                self._by_type.clear()  # standard takes any dotted name, so their number has no end
            self._by_type[event_type] = found
        return found


class Watcher(Protocol):
    """Told of every new entry (lanes follow their webhooks by it)."""

    def entry_changed(self, entry: Entry) -> None: ...

    def application_gone(self, application_id: int) -> None: ...


class Index:
    """Entries by application; beyond `applications_max` the one that was loaded or changed longest ago is forgotten."""

    def __init__(self, store: Store, profiles: Profiles, applications_max: int) -> None:
        self._store = store
        self._profiles = profiles
        self._max = applications_max
        self._by_id: OrderedDict[int, Entry] = OrderedDict()
        self._ids: dict[str, int] = {}
        self._loading: dict[int, asyncio.Future[Entry | None]] = {}
        self._profile_cache: dict[tuple[str, bytes], Profile] = {}
        self.watcher: Watcher | None = None

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._by_id.values())

    def known(self, public_id: str) -> Entry | None:
        """The entry if it is in memory: the hot path's look-up."""
        ident = self._ids.get(public_id)
        return None if ident is None else self._by_id[ident]

    def known_by_id(self, application_id: int) -> Entry | None:
        return self._by_id.get(application_id)

    async def find(self, public_id: str) -> Entry:
        """The entry, loaded if need be. Raises NotFound."""
        entry = self.known(public_id)
        if entry is None:
            application = await self._store.get_application(public_id)
            entry = None if application is None else await self.find_by_id(application.id)
        if entry is None:
            raise NotFound(f"There is no application {public_id!r} within reach of this key.")
        return entry

    async def find_by_id(self, application_id: int) -> Entry | None:
        """The entry, loaded if need be, or None when there is no such application. Loads are shared."""
        entry = self._by_id.get(application_id)
        if entry is not None:
            return entry
        loading = self._loading.get(application_id)
        if loading is None:
            loading = asyncio.ensure_future(self.reload(application_id))
            self._loading[application_id] = loading
            loading.add_done_callback(lambda _: self._loading.pop(application_id, None))
        return await asyncio.shield(loading)

    async def reload(self, application_id: int) -> Entry | None:
        """Read the application's webhooks anew and put them in force."""
        webhooks = await self._store.webhooks_of(application_id)
        if webhooks is None:
            self.forget(application_id)
            return None
        return self.replace(webhooks)

    async def refresh(self, application_id: int) -> None:
        """Put what the store has in force, and never fail: where it can't be read, nothing old stays in force. Its
        lanes give back what they hold, and the next publish or claim loads it anew.
        """
        try:
            await self.reload(application_id)
        except HookspanError as error:
            log.warning("application could not be reloaded, forgotten for now", code=error.code, detail=error.detail)
            self.forget(application_id)

    def replace(self, webhooks: Webhooks) -> Entry:
        """Put freshly read webhooks in force, unless newer ones are in force already."""
        application = webhooks.application
        entry = self._by_id.get(application.id)
        if entry is not None and entry.version > application.webhooks_version:
            return entry
        entry = self.entry_of(webhooks)
        self._by_id[application.id] = entry
        self._by_id.move_to_end(application.id)
        self._ids[application.public_id] = application.id
        if len(self._by_id) > self._max:
            _, oldest = self._by_id.popitem(last=False)
            self._forget_name(oldest)
        if self.watcher is not None:
            self.watcher.entry_changed(entry)
        return entry

    def entry_of(self, webhooks: Webhooks) -> Entry:
        """Freshly read webhooks made ready to fan out, without putting them in force. Safe on any thread."""
        return Entry(webhooks, self._profile_of(webhooks.application), self._profiles)

    def forget(self, application_id: int) -> None:
        """The application is gone."""
        entry = self._by_id.pop(application_id, None)
        if entry is not None:
            self._forget_name(entry)
        if self.watcher is not None:
            self.watcher.application_gone(application_id)

    def _forget_name(self, entry: Entry) -> None:
        """Unless a newer application has taken the name meanwhile."""
        name = entry.application.public_id
        if self._ids.get(name) == entry.application.id:
            del self._ids[name]

    def _profile_of(self, application: Application) -> Profile:
        if not application.settings:
            return self._profiles.get(application.profile)
        key = (application.profile, msgspec.json.encode(application.settings, order="sorted"))
        profile = self._profile_cache.get(key)
        if profile is None:
            if len(self._profile_cache) >= _TYPES_REMEMBERED_MAX:
                self._profile_cache.clear()
            profile = self._profiles.get(application.profile).with_settings(application.settings)
            self._profile_cache[key] = profile
        return profile
