"""Sessions of people: opened by a one-time link, used as a key is, ended by their people and by admins."""

from typing import Any

from hookspan.domain.caller import Caller, Role, Scope
from hookspan.domain.identity import Person, Session, SessionKind, digest_of
from hookspan.domain.times import to_text as time_text
from hookspan.errors import Unauthenticated
from hookspan.ids import PERSON_PREFIX, SESSION_PREFIX, from_text, to_text
from hookspan.manage import _reach, views
from hookspan.manage._attempts import Attempts
from hookspan.manage._ground import Ground, not_found
from hookspan.manage._rights import Right
from hookspan.manage._show import time_or_none
from hookspan.manage._tokens import LINK_START, SESSION_START, is_token, new_token
from hookspan.manage.callers import IDLE_END_MS
from hookspan.manage.inputs import OpenSession, Paging
from hookspan.manage.people import show_person
from hookspan.store.contract import Page
from hookspan.store.identity import NewSession

END_MS = 7 * 24 * 3_600_000  # however much it is used
_END = "end sessions of others"
SESSIONS_MAX = 20  # of one person; beyond it the one not seen for longest ends


class SignIn:
    """From a one-time link to a session: the only call of management that asks for no key."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._attempts = Attempts(ground.clock)

    async def open(self, given: OpenSession, address: str | None, request_id: str | None) -> views.OpenedSession:
        """The session's token is shown here and never again. Raises Unauthenticated for a link that is unknown, spent
        or over, RateLimited for too many of those from one address.
        """
        self._attempts.take(address)
        link = given.link.rpartition("/")[2].encode()  # the whole address is taken too
        now_ms = self._ground.clock.now_ms()
        is_link = link.startswith(LINK_START.encode()) and is_token(link)
        person = await self._ground.store.find_link(digest_of(link), now_ms) if is_link else None
        opened = None if person is None else await self._open(person, link, now_ms, address, request_id)
        if opened is None:
            raise Unauthenticated("The link is unknown, was used already, or is over. Ask for a new one.")
        self._attempts.give_back(address)
        return opened

    async def _open(
        self, person: Person, link: bytes, now_ms: int, address: str | None, request_id: str | None
    ) -> views.OpenedSession | None:
        ground = self._ground.with_caller(
            Caller(
                kind="person",
                id=to_text(PERSON_PREFIX, person.id),
                name=person.name,
                scope=Scope.OPERATOR if person.application is None else Scope.APPLICATION,
                role=person.role,
                application=person.application,
                address=address,
                request_id=request_id,
            )
        )
        token = new_token(SESSION_START)
        ident = ground.engine.ids.make()
        application = await _reach.application_of(ground, person)
        session = await ground.audited(
            "session.opened", "session", to_text(SESSION_PREFIX, ident), application
        ).open_session(
            digest_of(link),
            NewSession(
                id=ident,
                kind=SessionKind.PERSON,
                digest=token.digest,
                address=address,
                created_at=now_ms,
                expires_at=now_ms + IDLE_END_MS,
                ends_at=now_ms + END_MS,
            ),
            SESSIONS_MAX,
        )
        if session is None:
            return None
        return views.OpenedSession(token=token.text, **_members(session))


class Sessions:
    """List and end sessions of people: one's own, and an admin those within reach."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def of_person(self, text: str) -> list[views.Session]:
        """A person's that live, newest first; there are SESSIONS_MAX at most. Raises NotFound, NotAllowed."""
        ground = self._ground
        ground.require(Right.ADMINISTER, "list sessions of people")
        person = await _reach.person(ground, text)
        found = await ground.store.list_sessions(
            Page(limit=SESSIONS_MAX),
            ground.clock.now_ms(),
            SessionKind.PERSON,
            application_id=None,
            person_id=person.id,
        )
        return [views.Session(**_members(one)) for one in found]

    async def page(self, paging: Paging) -> views.SessionList:
        """Those that live, newest first."""
        ground = self._ground
        caller = ground.caller
        person_id = application_id = None
        if caller.kind == "person" and caller.role is not Role.ADMIN:
            person_id = from_text(PERSON_PREFIX, caller.id or "")
        else:
            application = await _reach.owner(ground, None, Right.ADMINISTER, "list sessions of people")
            application_id = None if application is None else application.id
        of = f"sessions of {caller.application} {person_id}"
        page = ground.page(of, paging)
        found = await ground.store.list_sessions(
            page, ground.clock.now_ms(), SessionKind.PERSON, application_id=application_id, person_id=person_id
        )
        return views.SessionList(
            data=[views.Session(**_members(one)) for one in found],
            next=ground.next_of(of, page, found[-1].id) if len(found) >= page.limit else None,
        )

    async def end(self, text: str) -> None:
        """From the next request on nobody comes in by it."""
        ground = self._ground
        if ground.caller.kind != "person":
            ground.require(Right.ADMINISTER, _END)
        session = await _reach.session(ground, text)
        if session.person is None:
            not_found("session", text)
        if to_text(PERSON_PREFIX, session.person.id) != ground.caller.id:
            ground.require(Right.ADMINISTER, _END)
        application = await _reach.application_of(ground, session)
        if not await ground.audited("session.ended", "session", text, application).delete_session(session.id):
            not_found("session", text)
        ground.callers.forget(text)


def _members(session: Session) -> dict[str, Any]:
    assert session.person is not None, "a session of a person has one"
    return {
        "id": to_text(SESSION_PREFIX, session.id),
        "person": show_person(session.person),
        "address": session.address,
        "created_at": time_text(session.created_at),
        "last_seen_at": time_or_none(session.last_seen_at),
        "expires_at": time_text(session.expires_at),
    }
