"""/v1/people and /v1/sessions"""

from typing import Any, cast

from litestar import Controller, Request, delete, get, patch, post
from litestar.params import JSONBody

from hookspan.api._asgi import Scope
from hookspan.api._body import JsonBody, read_optional
from hookspan.api._key import KEYLESS, peer_address
from hookspan.api._parameters import Desk, Management, Page, PersonId, SessionId
from hookspan.api._request_id import REQUEST_ID
from hookspan.manage import views
from hookspan.manage.inputs import ChangePerson, InvitePerson, MakeLink, OpenSession

_TAGS = ("Keys and people",)


class PeopleRoutes(Controller):
    """People with roles."""

    path = "/people"
    tags = _TAGS

    @post(dto=JsonBody, return_dto=None)
    async def invite_person(self, desk: Desk, data: JSONBody[InvitePerson]) -> views.InvitedPerson:
        """Invite somebody.

        The link in this answer, this once, signs them in one time within `expires_in` seconds (fifteen minutes). There
        are no passwords and no mail: hand it over yourself. 409 `access_limit` where there are too many people.
        """
        return await desk.people.invite(data)

    @get()
    async def list_people(self, desk: Desk, page: Page) -> views.PersonList:
        """List the people within reach, newest first."""
        return await desk.people.page(page)

    @patch("/{person:str}", dto=JsonBody, return_dto=None)
    async def change_person(self, desk: Desk, person: PersonId, data: JSONBody[ChangePerson]) -> views.Person:
        """Change somebody's name or role. A role is in force at once, for open sessions too."""
        return await desk.people.change(person, data)

    @delete("/{person:str}")
    async def remove_person(self, desk: Desk, person: PersonId) -> None:
        """Remove somebody. Their sessions end at once (on other nodes two seconds later)."""
        await desk.people.remove(person)

    @post("/{person:str}/link")
    async def make_link(self, desk: Desk, person: PersonId, request: Request[Any, Any, Any]) -> views.InvitedPerson:
        """Make a new link for somebody to sign in by. The one before ends, open sessions stay."""
        return await desk.people.make_link(person, await read_optional(request, MakeLink))


class SessionRoutes(Controller):
    """Who is signed in."""

    path = "/sessions"
    tags = _TAGS

    @post(dto=JsonBody, return_dto=None, opt=KEYLESS)
    async def open_session(
        self, management: Management, request: Request[Any, Any, Any], data: JSONBody[OpenSession]
    ) -> views.OpenedSession:
        """Sign in by a one-time link.

        Asks for no key. The token in this answer, this once, is sent as a key is, until the session ends: twelve hours
        after its last use, seven days after now. A link works once. 429 `rate_limited` after ten wrong ones from one
        address.
        """
        scope = cast("Scope", request.scope)
        return await management.sign_in.open(data, peer_address(scope), scope.get(REQUEST_ID))

    @get()
    async def list_sessions(self, desk: Desk, page: Page) -> views.SessionList:
        """List sessions of people, newest first: an admin's within reach, anybody else's own."""
        return await desk.sessions.page(page)

    @delete("/{session:str}")
    async def end_session(self, desk: Desk, session: SessionId) -> None:
        """End a session: one's own, or as an admin any within reach."""
        await desk.sessions.end(session)
