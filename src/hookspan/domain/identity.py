"""Who may come in, as it is kept: keys, people, sessions. Tokens are kept as SHA-256 digests only.

`application_id` None is the operator's own: it reaches every application.
"""

from hashlib import sha256

from hookspan.domain.caller import Role, Scope
from hookspan.domain.records import Record
from hookspan.domain.states import Word


class SessionKind(Word):
    """Whose a session is."""

    PERSON = 1  # someone's who signed in
    PORTAL = 2  # of a customer's page within the platform's own


class Key(Record, frozen=True, kw_only=True):
    """A program's key."""

    id: int
    name: str
    scope: Scope
    application_id: int | None
    application: str | None  # its public id
    role: Role
    hint: str  # the last characters of its text
    created_at: int
    last_used_at: int | None


class Person(Record, frozen=True, kw_only=True):
    """Someone of the operator or of one application."""

    id: int
    name: str
    application_id: int | None
    application: str | None
    role: Role
    created_at: int
    last_seen_at: int | None


class Session(Record, frozen=True, kw_only=True):
    """A token with an end. A person's has the role and reach that the person has now.

    `expires_at` moves with use as far as `ends_at`; a portal session's two are the same.
    """

    id: int
    kind: SessionKind
    person: Person | None
    application_id: int | None
    application: str | None
    role: Role
    origin: str | None
    address: str | None  # where it was opened from
    created_at: int
    last_seen_at: int | None
    expires_at: int
    ends_at: int


def digest_of(token: bytes) -> bytes:
    """What is kept of a token. A plain hash is enough: tokens are 256 random bits, there is nothing to guess."""
    return sha256(token).digest()
