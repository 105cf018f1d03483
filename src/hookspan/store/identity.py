"""The part of the store's contract about who may come in: keys, people, one-time links, sessions.

Tokens never come here, only their digests. What belongs to an application is gone with it: neither found nor listed
from the moment it is deleted.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from hookspan.domain.caller import Role, Scope
from hookspan.domain.identity import Key, Person, Session, SessionKind
from hookspan.store.messages import Page

__all__ = ["Identities", "NewKey", "NewPerson", "NewSession", "Used"]


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    scope: Scope
    application_id: int | None
    role: Role
    digest: bytes
    hint: str
    created_at: int


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Someone, with a one-time link to sign in by."""

    id: int
    name: str
    application_id: int | None
    role: Role
    link_digest: bytes
    link_expires_at: int
    created_at: int


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """`application_id` and `role` are a portal session's; a person's come from the person."""

    id: int
    kind: SessionKind
    digest: bytes
    application_id: int | None = None
    role: Role | None = None
    origin: str | None = None
    address: str | None = None
    created_at: int
    expires_at: int
    ends_at: int


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """When a session was used last, and until when that lets it live (never beyond its end)."""

    at: int
    expires_at: int


class Identities(Protocol):
    """See the module. `application_id` None in a list's call: of all."""

    async def create_key(self, new: NewKey, keys_max: int) -> Key | None:
        """None when there are `keys_max` already: of its application for scope APPLICATION, else of the operator.
        Raises NotFound without the application.
        """
        ...

    async def get_key(self, key_id: int) -> Key | None: ...

    async def list_keys(self, page: Page, application_id: int | None) -> list[Key]:
        """Newest first; of one application only those of scope APPLICATION: publishers' are the operator's."""
        ...

    async def delete_key(self, key_id: int) -> bool:
        """False when there is none."""
        ...

    async def create_person(self, new: NewPerson, people_max: int) -> Person | None:
        """None when the application (or the operator) has `people_max` already. Raises NotFound without it."""
        ...

    async def get_person(self, person_id: int) -> Person | None: ...

    async def list_people(self, page: Page, application_id: int | None) -> list[Person]: ...

    async def update_person(self, person_id: int, *, name: str | None, role: Role | None) -> Person | None:
        """None for a member leaves it. Live sessions have the new role at once."""
        ...

    async def delete_person(self, person_id: int) -> bool:
        """With link and sessions. False when there is none."""
        ...

    async def replace_link(self, person_id: int, digest: bytes, expires_at: int) -> bool:
        """The link before ends. False when there is no such person."""
        ...

    async def find_link(self, digest: bytes, now_ms: int) -> Person | None:
        """Whose link it is, while it lives."""
        ...

    async def open_session(self, link_digest: bytes, new: NewSession, sessions_max: int) -> Session | None:
        """Spend a link that lives at `new.created_at`: of two at once one wins. None when it is spent or over.

        Of a person's sessions at most `sessions_max` stay: the ones not seen for longest end.
        """
        ...

    async def create_portal_session(self, new: NewSession, sessions_max: int) -> Session | None:
        """None when the application has `sessions_max` that live. Raises NotFound without the application."""
        ...

    async def get_session(self, session_id: int, now_ms: int) -> Session | None:
        """While it lives."""
        ...

    async def list_sessions(
        self, page: Page, now_ms: int, kind: SessionKind, *, application_id: int | None, person_id: int | None
    ) -> list[Session]:
        """Those that live, newest first; of one person if it is named."""
        ...

    async def delete_session(self, session_id: int) -> bool: ...

    async def find_identity(self, digest: bytes, now_ms: int) -> Key | Session | None:
        """Whose token it is: a key, or a session that lives. A look by digest, so its time tells nothing."""
        ...

    async def mark_used(self, keys: Mapping[int, int], sessions: Mapping[int, Used]) -> None:
        """Keep when keys (ms), sessions and their people were used last. Times only grow; what is gone stays gone."""
        ...

    async def drop_sessions(self, now_ms: int, limit: int) -> int:
        """Drop sessions that are over, at most `limit`; how many."""
        ...
