"""What all of management stands on: its collaborators, and the way from an id's text to the thing itself.

Everything is reached through its application, so that another application's id is simply not found.
"""

import copy
from typing import Any, Literal, NoReturn, Protocol

import msgspec

from hookspan.clock import Clock
from hookspan.domain import times
from hookspan.domain.audit import AuditEntry
from hookspan.domain.caller import Caller, Role
from hookspan.domain.records import Application, Attempt, Delivery, Event, Webhook
from hookspan.egress import Egress
from hookspan.errors import Fault, InvalidRequest, NotFound
from hookspan.ids import DELIVERY_PREFIX, EPOCH_MS, IdMaker, from_text
from hookspan.manage import _rights
from hookspan.manage._cursor import Cursors
from hookspan.manage._rights import Right
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
    """The collaborators, who asks, and look-ups that raise NotFound."""

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
        caller: Caller,
    ) -> None:
        self.caller = caller
        self.store = store
        self.profiles = profiles
        self.egress = egress
        self.vault = vault
        self.engine = engine
        self.clock = clock
        self.cursors = cursors
        self.slow = SlowWork()
        self._with_settings: dict[tuple[str, bytes], Profile] = {}

    def with_caller(self, caller: Caller) -> "Ground":
        """The same ground, asked by somebody else."""
        ground = copy.copy(self)
        ground.caller = caller
        return ground

    # --- who may

    def require(self, right: Right) -> None:
        """For what belongs to no application. Raises NotAllowed; a caller of one application has only its own."""
        _rights.check(self.caller, right)

    def may(self, right: Right, application: Application) -> bool:
        """Whether the caller has `right` in an application within reach."""
        return _rights.has(self.caller, right, self.profile(application))

    def audited(
        self,
        action: str,
        object_kind: str,
        object_id: str,
        application: Application | None = None,
        **detail: Any,
    ) -> Store:
        """The store, whose next change keeps a line of the audit log in the same transaction: who asks did `action`
        ("webhook.created") to the object. `detail` is shown to admins; it never holds a secret.
        """
        caller = self.caller
        return self.store.audited(
            AuditEntry(
                at=self.clock.now_ms(),
                application_id=0 if application is None else application.id,
                actor_kind=caller.kind,
                actor_id=caller.id,
                actor_name=caller.name,
                role=caller.role,
                action=action,
                object_kind=object_kind,
                object_id=object_id,
                address=caller.address,
                request_id=caller.request_id,
                detail=detail,
            )
        )

    @property
    def giver(self) -> Literal["configurer", "operator"]:
        """In which part the caller brings credentials; see `profiles.CredentialKind.may_give`."""
        is_operator = self.caller.application is None and self.caller.role is Role.ADMIN
        return "operator" if is_operator else "configurer"

    # --- from text to thing

    async def application(self, public_id: str, right: Right) -> Application:
        """An application within the caller's reach. Raises NotFound, and NotAllowed without `right` in it.

        Another application's id is refused without a look, in the same words and time whether it is there or not.
        """
        if not self.caller.reaches(public_id):
            not_found("application", public_id)
        if right is not Right.CONFIGURE:  # that one depends on the profile
            _rights.check(self.caller, right)
        found = await self.store.get_application(public_id)
        if found is None:
            not_found("application", public_id)
        if right is Right.CONFIGURE:
            _rights.check(self.caller, right, self.profile(found))
        return found

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
