"""Keys, people, sessions, and the audit log of what they did."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from hookspan.manage.views._base import Time, View

ShownScope = Literal["operator", "publisher", "application"]
ShownRole = Literal["admin", "support", "member"]
ActorKind = Literal["operator", "key", "person", "portal", "system"]


class Actor(View, frozen=True, kw_only=True):
    """Who did something; `id` is null for the installation's own key and for Hookspan itself."""

    kind: ActorKind
    id: str | None
    name: str
    role: ShownRole


class AuditObject(View, frozen=True, kw_only=True):
    """What it was done to."""

    kind: str
    id: str


class AuditLine(View, frozen=True, kw_only=True):
    """Who did what to which object, from where. `hash` is over `previous_hash` and every other member but `id`."""

    id: str
    chain: str
    sequence: Annotated[int, Meta(ge=1)]
    at: Time
    application_id: str | None
    actor: Actor
    action: str
    object: AuditObject
    address: str | None
    request_id: str | None
    detail: dict[str, Any]
    previous_hash: str
    hash: str


class AuditList(View, frozen=True, kw_only=True):
    data: list[AuditLine]
    next: str | None


class Key(View, frozen=True, kw_only=True):
    """A program's key, without its text: that was shown once. `application_id` null: it reaches all. `role` null: it
    publishes and nothing else.
    """

    id: str
    name: str
    scope: ShownScope
    application_id: str | None
    role: ShownRole | None
    hint: str
    created_at: Time
    last_used_at: Time | None


class CreatedKey(Key, frozen=True, kw_only=True):
    """A key with its text, this once."""

    key: str


class KeyList(View, frozen=True, kw_only=True):
    data: list[Key]
    next: str | None


class Person(View, frozen=True, kw_only=True):
    """Someone of one application, or, with `application_id` null, of the operator."""

    id: str
    name: str
    role: ShownRole
    application_id: str | None
    created_at: Time
    last_seen_at: Time | None


class InvitedPerson(Person, frozen=True, kw_only=True):
    """Someone with a link to sign in by, this once: it works one time, until `link_expires_at`."""

    link: str
    link_expires_at: Time


class PersonList(View, frozen=True, kw_only=True):
    data: list[Person]
    next: str | None


class Session(View, frozen=True, kw_only=True):
    """Somebody who is signed in. It ends when it was not used for twelve hours, and after seven days."""

    id: str
    person: Person
    address: str | None
    created_at: Time
    last_seen_at: Time | None
    expires_at: Time


class OpenedSession(Session, frozen=True, kw_only=True):
    """A session with its token, this once: it is sent as a key is."""

    token: str


class SessionList(View, frozen=True, kw_only=True):
    data: list[Session]
    next: str | None


class PortalSession(View, frozen=True, kw_only=True):
    """A customer's way to one application, for a time."""

    id: str
    application_id: str
    role: ShownRole
    origin: str | None
    created_at: Time
    last_seen_at: Time | None
    expires_at: Time


class CreatedPortalSession(PortalSession, frozen=True, kw_only=True):
    """A portal session with its address, this once. The address's last part is a token that is sent as a key is."""

    url: str

    def __repr__(self) -> str:
        return f"CreatedPortalSession(id={self.id!r}, url=***)"


class PortalSessionList(View, frozen=True, kw_only=True):
    data: list[PortalSession]
    next: str | None
