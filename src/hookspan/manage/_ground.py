"""What all of management stands on: its collaborators, and the way from an id's text to the thing itself.

Everything is reached through its application, so that another application's id is simply not found.
"""

from typing import NoReturn, Protocol

import msgspec

from hookspan.clock import Clock
from hookspan.domain import times
from hookspan.domain.records import Application, Attempt, Delivery, Event, Webhook
from hookspan.egress import Egress
from hookspan.errors import Fault, InvalidRequest, NotFound
from hookspan.ids import DELIVERY_PREFIX, EPOCH_MS, IdMaker, from_text
from hookspan.manage._cursor import Cursors
from hookspan.manage._slow import SlowWork
from hookspan.manage.inputs import Paging
from hookspan.profiles import Profile, Profiles
from hookspan.store.contract import Page, Store
from hookspan.vault import Vault

_SHOWN_ID_CHARS = 80
_PROFILES_MAX = 1_024
_LAST_MS = EPOCH_MS + (1 << 42) - 1  # ids have no room for later times


class Machine(Protocol):
    """What management asks of the engine."""

    @property
    def ids(self) -> IdMaker: ...

    async def webhooks_changed(self, application_id: int) -> None:
        """An application or its webhooks were changed in the store."""
        ...

    def wake(self, webhook_id: int | None = None) -> None:
        """Something became due, of this webhook if it is named."""
        ...

    async def try_out(self, webhook: Webhook, event_type: str, event_id: int, body: bytes) -> Attempt:
        """One attempt of a test, now, whatever the webhook's status."""
        ...

    async def send(self, webhook: Webhook, event: Event) -> Delivery:
        """A delivery of its own, sent now, also while the webhook is disabled."""
        ...


class Ground:
    """The collaborators, and look-ups that raise NotFound."""

    def __init__(
        self,
        *,
        store: Store,
        profiles: Profiles,
        egress: Egress,
        vault: Vault,
        engine: Machine,
        clock: Clock,
        cursors: Cursors,
    ) -> None:
        self.store = store
        self.profiles = profiles
        self.egress = egress
        self.vault = vault
        self.engine = engine
        self.clock = clock
        self.cursors = cursors
        self.slow = SlowWork()
        self._with_settings: dict[tuple[str, bytes], Profile] = {}

    # --- from text to thing

    async def application(self, public_id: str) -> Application:
        found = await self.store.get_application(public_id)
        return found if found is not None else not_found("application", public_id)

    async def webhook(self, application: Application, text: str) -> Webhook:
        ident = from_text(self.profile(application).webhook_prefix, text)
        found = None if ident is None else await self.store.get_webhook(ident)
        if found is None or found.application_id != application.id:
            not_found("webhook", text)
        return found

    async def event(self, application: Application, text: str) -> Event:
        ident = from_text(self.profile(application).event_prefix, text)
        found = None if ident is None else await self.store.get_event(application.id, ident)
        return found if found is not None else not_found("event", text)

    async def delivery(self, application: Application, text: str) -> Delivery:
        ident = from_text(DELIVERY_PREFIX, text)
        found = None if ident is None else await self.store.get_delivery(application.id, ident)
        return found if found is not None else not_found("delivery", text)

    def profile(self, application: Application) -> Profile:
        """The application's profile with its own settings applied."""
        if not application.settings:
            return self.profiles.get(application.profile)
        key = (application.profile, msgspec.json.encode(application.settings, order="sorted"))
        profile = self._with_settings.get(key)
        if profile is None:
            profile = self.profiles.get(application.profile).with_settings(application.settings)
            if len(self._with_settings) >= _PROFILES_MAX:
                self._with_settings.clear()
            self._with_settings[key] = profile
        return profile

    # --- lists

    def page(self, of: str, paging: Paging) -> Page:
        """The part of the list `of` (its name with its filters) that is asked for. Raises InvalidCursor and
        InvalidRequest.
        """
        since, until = _instant("since", paging.since), _instant("until", paging.until)
        of = f"{of}?since={since}&until={until}"
        before = None if paging.cursor is None else self.cursors.read(of, paging.cursor)
        return Page(limit=paging.limit, before=before, since=since, until=until)

    def next_of(self, of: str, page: Page, last_id: int) -> str:
        """The cursor of the page after the one that ended with `last_id`."""
        return self.cursors.write(f"{of}?since={page.since}&until={page.until}", last_id)


def not_found(what: str, text: str) -> NoReturn:
    """Raise NotFound in the same words whether the thing is missing or out of reach."""
    raise NotFound(f"There is no {what} {text[:_SHOWN_ID_CHARS]!r} within reach of this key.")


def invalid(pointer: str, detail: str) -> InvalidRequest:
    """A refusal of one member of the request."""
    return InvalidRequest(detail, errors=(Fault(pointer, "invalid_request", detail),))


def _instant(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    at_ms = times.from_text(text)
    if at_ms is None:
        raise invalid(f"/{name}", f"{name} must be a time such as 2026-05-01T12:00:00Z (RFC 3339, since 1970).")
    return min(at_ms, _LAST_MS)
