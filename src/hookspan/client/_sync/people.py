# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""/v1/people and /v1/sessions"""

from msgspec import UNSET, UnsetType

from hookspan.client import shapes
from hookspan.client._request import change, post
from hookspan.client._sync.keys import Role
from hookspan.client._sync.listing import Listing
from hookspan.client._sync.wire import Wire


class People:
    """People with roles. They sign in by one-time links."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def invite(
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
        return self._wire.run(post(shapes.InvitedPerson, "people", body=body))

    def list(
        self, *, since: str | None = None, until: str | None = None, page_size: int | None = None
    ) -> Listing[shapes.Person]:
        """Newest first."""
        query = {"since": since, "until": until, "limit": page_size}
        return Listing(self._wire, shapes.Person, ("people",), query)

    def change(self, person: str, *, name: str | UnsetType = UNSET, role: Role | UnsetType = UNSET) -> shapes.Person:
        """A role is in force at once, for open sessions too."""
        body = {"name": name, "role": role}
        return self._wire.run(change(shapes.Person, "PATCH", "people", person, body=body))

    def make_link(self, person: str, *, expires_in: int | UnsetType = UNSET) -> shapes.InvitedPerson:
        """A new link to sign in by. The one before ends."""
        return self._wire.run(post(shapes.InvitedPerson, "people", person, "link", body={"expires_in": expires_in}))

    def remove(self, person: str) -> None:
        """Their sessions end at once."""
        self._wire.run(change(None, "DELETE", "people", person))


class Sessions:
    """Who is signed in."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def open(self, link: str) -> shapes.OpenedSession:
        """Sign in by a one-time link. `token` of the answer goes where a key goes. Not repeated where the answer was
        lost: the link is spent then.
        """
        return self._wire.run(change(shapes.OpenedSession, "POST", "sessions", body={"link": link}))

    def list(
        self, *, since: str | None = None, until: str | None = None, page_size: int | None = None
    ) -> Listing[shapes.Session]:
        """Newest first."""
        query = {"since": since, "until": until, "limit": page_size}
        return Listing(self._wire, shapes.Session, ("sessions",), query)

    def end(self, session: str) -> None:
        self._wire.run(change(None, "DELETE", "sessions", session))
