"""Whom keys, people and sessions belong to, and whether the caller reaches them."""

from typing import Literal

from hookspan.domain.caller import Caller, Role, Scope
from hookspan.domain.identity import Key, Person, Session
from hookspan.domain.records import Application
from hookspan.ids import KEY_PREFIX, PERSON_PREFIX, SESSION_PREFIX, from_text
from hookspan.manage._ground import Ground, not_found
from hookspan.manage._rights import Right


async def owner(ground: Ground, named: str | None, right: Right, what: str) -> Application | None:
    """The application that is named, else the caller's own, else None for the operator. Raises NotFound, NotAllowed."""
    public_id = ground.caller.application if named is None else named
    if public_id is None:
        ground.require(right, what)
        return None
    return await ground.application(public_id, right, what)


def newcomer(
    kind: Literal["key", "person", "portal"], role: Role, application: Application | None, scope: Scope | None = None
) -> Caller:
    """Who would come in by what is being made; see `Ground.check_gift`."""
    own = Scope.OPERATOR if application is None else Scope.APPLICATION
    public_id = None if application is None else application.public_id
    return Caller(kind=kind, name="", scope=scope or own, role=role, application=public_id)


async def key(ground: Ground, text: str) -> Key:
    """A key within reach; publishers' keys are the operator's, also where they reach one application only."""
    ident = from_text(KEY_PREFIX, text)
    found = None if ident is None else await ground.store.get_key(ident)
    if found is None or not reaches(ground, found):
        not_found("key", text)
    if ground.caller.application is not None and found.scope is not Scope.APPLICATION:
        not_found("key", text)
    return found


async def person(ground: Ground, text: str) -> Person:
    ident = from_text(PERSON_PREFIX, text)
    found = None if ident is None else await ground.store.get_person(ident)
    if found is None or not reaches(ground, found):
        not_found("person", text)
    return found


async def session(ground: Ground, text: str) -> Session:
    """One that lives."""
    ident = from_text(SESSION_PREFIX, text)
    found = None if ident is None else await ground.store.get_session(ident, ground.clock.now_ms())
    if found is None or not reaches(ground, found):
        not_found("session", text)
    return found


def reaches(ground: Ground, found: Key | Person | Session) -> bool:
    """An operator's key, person or session (without an application) is reached by the operator's callers only."""
    mine = ground.caller.application
    return mine is None or mine == found.application


async def application_of(ground: Ground, found: Key | Person | Session) -> Application | None:
    """For the audit log."""
    return None if found.application is None else await ground.store.get_application(found.application)
