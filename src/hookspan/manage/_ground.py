"""What all of management stands on: its collaborators, and the way from an id's text to the thing itself.

Everything is reached through its application, so that another application's id is simply not found.
"""

import copy
from typing import Any, Literal, NoReturn, Protocol

import msgspec

from hookspan.clock import Clock
from hookspan.domain import times
from hookspan.domain.audit import ACTOR_NAME_CHARS_MAX, AuditEntry, bounded, veiled
from hookspan.domain.caller import Caller, Role
from hookspan.domain.outcome import Outcome
from hookspan.domain.pause import Pause, Pauses
from hookspan.domain.records import Application, Attempt, Delivery, Event, Webhook
from hookspan.egress import Egress
from hookspan.engine import EngineOptions
from hookspan.errors import Fault, InvalidRequest, NotFound
from hookspan.ids import DELIVERY_PREFIX, EPOCH_MS, IdMaker, from_text
from hookspan.manage import _rights
from hookspan.manage._cursor import Cursors
from hookspan.manage._examples import Examples
from hookspan.manage._rights import Right
from hookspan.manage._shares import certificate_looks, scans
from hookspan.manage._slow import SlowWork
from hookspan.manage.inputs import Paging
from hookspan.manage.watching import Tails
from hookspan.profiles import Profile, Profiles
from hookspan.store.contract import NewApplication, Page, Store
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

    @property
    def pauses(self) -> Pauses:
        """What is paused, as this node knows it: of what was changed on others, within two seconds."""
        ...

    async def pauses_changed(self) -> None:
        """A pause began or ended in the store."""
        ...

    def wake(self, webhook_id: int | None = None) -> None:
        """Something became due, of this webhook if it is named."""
        ...

    @property
    def options(self) -> EngineOptions: ...

    def job_created(self) -> None:
        """There is a job to turn."""
        ...

    def job_cancelled(self, webhook_id: int) -> None:
        """A job of this webhook was cancelled in the store."""
        ...

    @property
    def has_mail(self) -> bool:
        """Whether notices can go by mail."""
        ...

    async def settle_statistics(self) -> None:
        """What was counted until now is in the store, as far as the store takes it."""
        ...

    async def try_notify(self, application_id: int, url: str, notice_id: int, body: bytes) -> Outcome:
        """One notice to a URL now, kept nowhere."""
        ...

    async def try_out(
        self, webhook: Webhook, event_type: str, event_id: int, body: bytes, *, store: Store | None = None
    ) -> Attempt:
        """One attempt of a test, now, whatever the webhook's status; kept in `store`, where it is another than the
        engine's own (`Ground.audited`).
        """
        ...

    async def send(self, webhook: Webhook, event: Event, *, store: Store | None = None) -> Delivery:
        """A delivery of its own, sent now, also while the webhook is disabled; kept in `store`, as above."""
        ...


class Keyring(Protocol):
    """What management asks of whoever tells callers by their keys."""

    def forget(self, name: str) -> None:
        """Rights of a key, a person, a session (its id) or of everyone of an application have changed: look again
        before their next request is answered.
        """
        ...


class Ground:
    """The collaborators, who asks, and look-ups that raise NotFound."""

    def __init__(  # noqa: PLR0913 - the collaborators, each by name
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
        callers: Keyring,
        public_url: str,
    ) -> None:
        self.caller = caller
        self.callers = callers
        self.public_url = public_url
        self.store = store
        self.profiles = profiles
        self.egress = egress
        self.vault = vault
        self.engine = engine
        self.clock = clock
        self.cursors = cursors
        self.slow = SlowWork(clock)
        self.examples = Examples()
        self.scans = scans(clock)
        self.certificate_looks = certificate_looks(clock)
        self.tails = Tails(clock)
        self._with_settings: dict[tuple[str, bytes], Profile] = {}

    def with_caller(self, caller: Caller) -> "Ground":
        """The same ground, asked by somebody else."""
        ground = copy.copy(self)
        ground.caller = caller
        return ground

    # --- who may

    def require(self, right: Right, what: str | None = None) -> None:
        """For what belongs to no application. Raises NotAllowed, for `what` was asked for; a caller of one application
        has only its own.
        """
        _rights.check(self.caller, right, what=what)

    def check_gift(self, gift: Caller, application: Application | None) -> None:
        """That a new caller gets no right which the present one lacks. Raises NotAllowed."""
        if self.giver == "operator" or application is None:  # who has every right; and None is for them alone
            return
        _rights.check_gift(self.caller, gift, self.profile(application))

    def may(self, right: Right, application: Application) -> bool:
        """Whether the caller has `right` in an application within reach."""
        return _rights.has(self.caller, right, self.profile(application))

    def audited(
        self,
        action: str,
        object_kind: str,
        object_id: str,
        application: Application | NewApplication | None = None,
        **detail: Any,
    ) -> Store:
        """The store, whose next change keeps a line of the audit log in the same transaction: who asks did `action`
        ("webhook.created") to the object. `detail` is shown to admins; it never holds a secret.
        """
        return self.store.audited(self.entry(action, object_kind, object_id, application, **detail))

    def entry(
        self,
        action: str,
        object_kind: str,
        object_id: str,
        application: Application | NewApplication | None = None,
        **detail: Any,
    ) -> AuditEntry:
        """The line itself, for `Store.keep_audit`, where what was done is no change of the store's."""
        caller = self.caller
        return AuditEntry(
            at=self.clock.now_ms(),
            application_id=0 if application is None else application.id,
            application=None if application is None else application.public_id,
            actor_kind=caller.kind,
            actor_id=caller.id,
            actor_name=caller.name[:ACTOR_NAME_CHARS_MAX],
            role=caller.role,
            action=action,
            object_kind=object_kind,
            object_id=object_id,
            address=caller.address,
            request_id=caller.request_id,
            detail=bounded(veiled(detail, self.vault.mark)),
            by_operator=caller.application is None,
        )

    @property
    def giver(self) -> Literal["configurer", "operator"]:
        """In which part the caller brings credentials; see `profiles.CredentialKind.may_give`."""
        is_operator = self.caller.application is None and self.caller.role is Role.ADMIN
        return "operator" if is_operator else "configurer"

    # --- from text to thing

    async def application(self, public_id: str, right: Right, what: str | None = None) -> Application:
        """An application within the caller's reach. Raises NotFound, and NotAllowed without `right` in it, for `what`
        was asked for.

        Another application's id is refused without a look, in the same words and time whether it is there or not.
        """
        if not self.caller.reaches(public_id):
            not_found("application", public_id)
        if right is not Right.CONFIGURE:  # that one depends on the profile
            _rights.check(self.caller, right, what=what)
        found = await self.store.get_application(public_id)
        if found is None:
            not_found("application", public_id)
        if right is Right.CONFIGURE:
            _rights.check(self.caller, right, self.profile(found), what)
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

    def pause_of(self, application: Application) -> Pause | None:
        """What the application is under; None while it sends."""
        return self.engine.pauses.of(application.id, application.profile)

    # --- lists

    def page(self, of: str, paging: Paging) -> Page:
        """The part of the list `of` (its name with its filters) that is asked for. Raises InvalidCursor and
        InvalidRequest.
        """
        since, until = instant("since", paging.since), instant("until", paging.until)
        if since is not None and until is not None and since > until:
            raise invalid("/until", "until is before since: nothing can be between them.")
        of = f"{of}?since={since}&until={until}"
        page = Page(limit=paging.limit, since=since, until=until)
        if paging.cursor is None:
            return page
        match self.cursors.read(of, paging.cursor):
            case (before,):
                return msgspec.structs.replace(page, before=before)
            case place:
                return msgspec.structs.replace(page, place=place)

    def next_of(self, of: str, page: Page, *last: int) -> str:
        """The cursor of the page after the one that ended with `last`: its id, or all of its place in the order."""
        return self.cursors.write(f"{of}?since={page.since}&until={page.until}", *last)


def not_found(what: str, text: str) -> NoReturn:
    """Raise NotFound in the same words whether the thing is missing or out of reach."""
    error = NotFound(f"There is no {what} {text[:_SHOWN_ID_CHARS]!r} within reach of this key.")
    error.what = what
    raise error


def invalid(pointer: str, detail: str) -> InvalidRequest:
    """A refusal of one member of the request."""
    return InvalidRequest(detail, errors=(Fault(pointer, "invalid_request", detail),))


def instant(name: str, text: str | None) -> int | None:
    """The time that the parameter `name` gives, in ms, cut to what ids have room for. Raises InvalidRequest."""
    if text is None:
        return None
    at_ms = times.from_text(text)
    if at_ms is None:
        raise invalid(f"/{name}", f"{name} must be a time such as 2026-05-01T12:00:00Z (RFC 3339, since 1970).")
    return min(at_ms, _LAST_MS)
