"""People: invited by a one-time link, with a role at the operator or in one application. There are no passwords."""

from typing import Any

from hookspan.domain.audit import moved
from hookspan.domain.caller import Role
from hookspan.domain.identity import Person
from hookspan.domain.times import to_text as time_text
from hookspan.errors import AccessLimit
from hookspan.ids import PERSON_PREFIX, to_text
from hookspan.manage import _reach, views
from hookspan.manage._fitting import fitting
from hookspan.manage._ground import Ground, not_found
from hookspan.manage._rights import Right
from hookspan.manage._show import time_or_none
from hookspan.manage._tokens import LINK_START, new_token
from hookspan.manage.inputs import ChangePerson, InvitePerson, MakeLink, Paging
from hookspan.store.identity import NewPerson

PEOPLE_MAX = 1_000  # of one application, and of the operator
LINK_PATH = "/sign-in/"


class People:
    """Invite, list, change and remove people; make them a new link."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def invite(self, given: InvitePerson) -> views.InvitedPerson:
        """Someone new, with a link that is shown here and never again. Raises AccessLimit, and NotAllowed for a role
        with more rights than the caller has.
        """
        ground = self._ground
        application = await _reach.owner(ground, given.application_id, Right.INTRODUCE, "invite people")
        role = Role[given.role.upper()]
        ground.check_gift(_reach.newcomer("person", role, application), application)
        token, now_ms = new_token(LINK_START), ground.clock.now_ms()
        expires_at = now_ms + given.expires_in * 1000
        ident = ground.engine.ids.make()
        text = to_text(PERSON_PREFIX, ident)
        kept = await ground.audited(
            "person.invited", "person", text, application, name=given.name, role=given.role
        ).create_person(
            NewPerson(
                id=ident,
                name=given.name,
                application_id=None if application is None else application.id,
                role=role,
                link_digest=token.digest,
                link_expires_at=expires_at,
                created_at=now_ms,
            ),
            PEOPLE_MAX,
        )
        if kept is None:
            raise AccessLimit(f"There are {PEOPLE_MAX:,} people already: remove some.", limit=PEOPLE_MAX)
        return self._invited(kept, token.text, expires_at)

    async def page(self, paging: Paging, application_id: str | None = None) -> views.PersonList:
        """Those within reach, or of one application, newest first."""
        ground = self._ground
        application = await _reach.owner(ground, application_id, Right.ADMINISTER, "list people")
        of = f"people of {None if application is None else application.public_id}"
        page = ground.page(of, paging)
        found = await ground.store.list_people(page, None if application is None else application.id)
        data = fitting([show_person(one) for one in found])
        is_more = len(found) >= page.limit or len(data) < len(found)
        return views.PersonList(
            data=data,
            next=ground.next_of(of, page, found[len(data) - 1].id) if is_more else None,
        )

    async def get(self, text: str, application_id: str | None = None) -> views.Person:
        """Somebody within reach, or, if an application is named, of it."""
        ground = self._ground
        ground.require(Right.ADMINISTER, "look at people")
        person = await _reach.person(ground, text)
        return show_person(person) if application_id in (None, person.application) else not_found("person", text)

    async def change(self, text: str, given: ChangePerson) -> views.Person:
        """Another name or role; a new role is in force at once, also for sessions that are open."""
        ground = self._ground
        ground.require(Right.INTRODUCE, "change people")
        person = await _reach.person(ground, text)
        role = Role[given.role.upper()] if isinstance(given.role, str) else None
        name = given.name if isinstance(given.name, str) else None
        application = await _reach.application_of(ground, person)
        if role not in (None, person.role):
            ground.check_gift(_reach.newcomer("person", role, application), application)
        detail: dict[str, Any] = {}
        if name not in (None, person.name):
            detail["name"] = moved(person.name, name)
        if role not in (None, person.role):
            detail["role"] = moved(person.role.word, given.role)
        store = ground.audited("person.changed", "person", text, application, **detail)
        changed = await store.update_person(person.id, name=name, role=role)
        ground.callers.forget(text)
        return not_found("person", text) if changed is None else show_person(changed)

    async def make_link(self, text: str, given: MakeLink) -> views.InvitedPerson:
        """A new one-time link, to sign in again; the one before ends. Sessions stay. Raises NotAllowed for somebody
        with more rights than the caller: whoever has the link comes in as them.
        """
        ground = self._ground
        ground.require(Right.INTRODUCE, "make links to sign in by")
        person = await _reach.person(ground, text)
        application = await _reach.application_of(ground, person)
        ground.check_gift(_reach.newcomer("person", person.role, application), application)
        token = new_token(LINK_START)
        expires_at = ground.clock.now_ms() + given.expires_in * 1000
        store = ground.audited("person.invited", "person", text, application, name=person.name)
        if not await store.replace_link(person.id, token.digest, expires_at):
            not_found("person", text)
        return self._invited(person, token.text, expires_at)

    async def remove(self, text: str) -> None:
        """Their sessions and link end at once."""
        ground = self._ground
        ground.require(Right.INTRODUCE, "remove people")
        person = await _reach.person(ground, text)
        application = await _reach.application_of(ground, person)
        store = ground.audited("person.removed", "person", text, application, name=person.name)
        if not await store.delete_person(person.id):
            not_found("person", text)
        ground.callers.forget(text)

    def _invited(self, person: Person, link: str, expires_at: int) -> views.InvitedPerson:
        return views.InvitedPerson(
            link=f"{self._ground.public_url}{LINK_PATH}{link}",
            link_expires_at=time_text(expires_at),
            **person_members(person),
        )


def show_person(person: Person) -> views.Person:
    return views.Person(**person_members(person))


def person_members(person: Person) -> dict[str, Any]:
    return {
        "id": to_text(PERSON_PREFIX, person.id),
        "name": person.name,
        "role": person.role.word,
        "application_id": person.application,
        "created_at": time_text(person.created_at),
        "last_seen_at": time_or_none(person.last_seen_at),
    }
