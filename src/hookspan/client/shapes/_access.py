# Made from hookspan.manage.views by `python -m tests.unit.client.mirror`: change it there.
"""Who may come in, and the audit log."""

from typing import Any, ClassVar

from hookspan.client.shapes._base import Shape


class Actor(Shape, frozen=True, kw_only=True):
    """Who did something; `id` is null for the installation's own key and for Hookspan itself."""

    kind: str
    id: str | None
    name: str
    role: str


class AuditObject(Shape, frozen=True, kw_only=True):
    """What it was done to."""

    kind: str
    id: str


class AuditLine(Shape, frozen=True, kw_only=True):
    """Who did what to which object, from where. `hash` is over `previous_hash` and every other member but `id`."""

    id: str
    chain: str
    sequence: int
    at: str
    application_id: str | None
    actor: Actor
    action: str
    object: AuditObject
    address: str | None
    request_id: str | None
    detail: dict[str, Any]
    previous_hash: str
    hash: str


class Key(Shape, frozen=True, kw_only=True):
    """A program's key, without its text: that was shown once. `application_id` null: it reaches all. `role` null: it
    publishes and nothing else.
    """

    id: str
    name: str
    scope: str
    application_id: str | None
    role: str | None
    hint: str
    created_at: str
    last_used_at: str | None


class CreatedKey(Key, frozen=True, kw_only=True):
    """A key with its text, this once."""

    key: str | None


class Person(Shape, frozen=True, kw_only=True):
    """Someone of one application, or, with `application_id` null, of the operator."""

    id: str
    name: str
    role: str
    application_id: str | None
    created_at: str
    last_seen_at: str | None


class InvitedPerson(Person, frozen=True, kw_only=True):
    """Someone with a link to sign in by, this once: it works one time, until `link_expires_at`."""

    link: str | None
    link_expires_at: str


class Session(Shape, frozen=True, kw_only=True):
    """Somebody who is signed in. It ends when it was not used for twelve hours, and after seven days."""

    id: str
    person: Person
    address: str | None
    created_at: str
    last_seen_at: str | None
    expires_at: str


class OpenedSession(Session, frozen=True, kw_only=True):
    """A session with its token, this once: it is sent as a key is."""

    token: str | None


class PortalSession(Shape, frozen=True, kw_only=True):
    """A customer's way to one application, for a time."""

    id: str
    application_id: str
    role: str
    origin: str | None
    created_at: str
    last_seen_at: str | None
    expires_at: str


class CreatedPortalSession(PortalSession, frozen=True, kw_only=True):
    """A portal session with its address, this once. The address's last part is a token that is sent as a key is."""

    _hidden: ClassVar[frozenset[str]] = frozenset({"url"})

    url: str | None
