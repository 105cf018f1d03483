"""/v1/people and /v1/sessions"""

from msgspec import UNSET, UnsetType

from hookspan.client import shapes
from hookspan.client._async.keys import Role
from hookspan.client._async.listing import AsyncListing
from hookspan.client._async.wire import AsyncWire
from hookspan.client._request import change, post


class AsyncPeople:
    """People with roles. They sign in by one-time links."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def invite(
        self,
        name: str,
        role: Role,
        *,
        application: str | UnsetType = UNSET,
        expires_in: int | UnsetType = UNSET,
    ) -> shapes.InvitedPerson:
        """`link` of the answer signs them in, once, within `expires_in` seconds. Without `application` it is someone of
        the caller's own, or of the operator.
        """
        body = {"name": name, "role": role, "application_id": application, "expires_in": expires_in}
        return await self._wire.run(post(shapes.InvitedPerson, "people", body=body))

    def list(
        self, *, since: str | None = None, until: str | None = None, page_size: int | None = None
    ) -> AsyncListing[shapes.Person]:
        """Newest first."""
        query = {"since": since, "until": until, "limit": page_size}
        return AsyncListing(self._wire, shapes.Person, ("people",), query)

    async def change(
        self, person: str, *, name: str | UnsetType = UNSET, role: Role | UnsetType = UNSET
    ) -> shapes.Person:
        """A role is in force at once, for open sessions too."""
        body = {"name": name, "role": role}
        return await self._wire.run(change(shapes.Person, "PATCH", "people", person, body=body))

    async def make_link(self, person: str, *, expires_in: int | UnsetType = UNSET) -> shapes.InvitedPerson:
        """A new link to sign in by. The one before ends."""
        return await self._wire.run(
            post(shapes.InvitedPerson, "people", person, "link", body={"expires_in": expires_in})
        )

    async def remove(self, person: str) -> None:
        """Their sessions end at once."""
        await self._wire.run(change(None, "DELETE", "people", person))


class AsyncSessions:
    """Who is signed in."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def open(self, link: str) -> shapes.OpenedSession:
        """Sign in by a one-time link. `token` of the answer goes where a key goes. Not repeated where the answer was
        lost: the link is spent then.
        """
        return await self._wire.run(change(shapes.OpenedSession, "POST", "sessions", body={"link": link}))

    def list(
        self, *, since: str | None = None, until: str | None = None, page_size: int | None = None
    ) -> AsyncListing[shapes.Session]:
        """Newest first."""
        query = {"since": since, "until": until, "limit": page_size}
        return AsyncListing(self._wire, shapes.Session, ("sessions",), query)

    async def end(self, session: str) -> None:
        await self._wire.run(change(None, "DELETE", "sessions", session))
