"""The calls of `hookspan.store.identity` on PostgreSQL: each is one transaction of a lane."""

from collections.abc import Mapping

from hookspan.domain.caller import Role
from hookspan.domain.identity import Key, Person, Session, SessionKind
from hookspan.store.identity import NewKey, NewPerson, NewSession, Used
from hookspan.store.messages import Page
from hookspan.store.postgres import _identity
from hookspan.store.postgres._ways import Ways


class IdentityCalls(Ways):
    """Part of `PostgresStore`."""

    async def create_key(self, new: NewKey, keys_max: int) -> Key | None:
        return await self._create(lambda db: _identity.create_key(db, new, keys_max))

    async def get_key(self, key_id: int) -> Key | None:
        return await self._read(lambda db: _identity.read_key(db, key_id))

    async def list_keys(self, page: Page, application_id: int | None) -> list[Key]:
        return await self._read(lambda db: _identity.list_keys(db, page, application_id))

    async def delete_key(self, key_id: int) -> bool:
        return await self._write(lambda db: _identity.delete_key(db, key_id))

    async def create_person(self, new: NewPerson, people_max: int) -> Person | None:
        return await self._create(lambda db: _identity.create_person(db, new, people_max))

    async def get_person(self, person_id: int) -> Person | None:
        return await self._read(lambda db: _identity.read_person(db, person_id))

    async def list_people(self, page: Page, application_id: int | None) -> list[Person]:
        return await self._read(lambda db: _identity.list_people(db, page, application_id))

    async def update_person(self, person_id: int, *, name: str | None, role: Role | None) -> Person | None:
        return await self._write(lambda db: _identity.update_person(db, person_id, name, role))

    async def delete_person(self, person_id: int) -> bool:
        return await self._write(lambda db: _identity.delete_person(db, person_id))

    async def replace_link(self, person_id: int, digest: bytes, expires_at: int) -> bool:
        return await self._write(lambda db: _identity.replace_link(db, person_id, digest, expires_at))

    async def find_link(self, digest: bytes, now_ms: int) -> Person | None:
        return await self._read(lambda db: _identity.find_link(db, digest, now_ms))

    async def open_session(self, link_digest: bytes, new: NewSession, sessions_max: int) -> Session | None:
        return await self._write(lambda db: _identity.open_session(db, link_digest, new, sessions_max))

    async def create_portal_session(self, new: NewSession, sessions_max: int) -> Session | None:
        return await self._create(lambda db: _identity.create_portal_session(db, new, sessions_max))

    async def get_session(self, session_id: int, now_ms: int) -> Session | None:
        return await self._read(lambda db: _identity.read_session(db, session_id, now_ms))

    async def list_sessions(
        self, page: Page, now_ms: int, kind: SessionKind, *, application_id: int | None, person_id: int | None
    ) -> list[Session]:
        return await self._read(lambda db: _identity.list_sessions(db, page, now_ms, kind, application_id, person_id))

    async def delete_session(self, session_id: int) -> bool:
        return await self._write(lambda db: _identity.delete_session(db, session_id))

    async def find_identity(self, digest: bytes, now_ms: int) -> Key | Session | None:
        return await self._read(lambda db: _identity.find_identity(db, digest, now_ms))

    async def mark_used(self, keys: Mapping[int, int], sessions: Mapping[int, Used]) -> None:
        if keys or sessions:
            await self._write(lambda db: _identity.mark_used(db, keys, sessions))

    async def drop_sessions(self, now_ms: int, limit: int) -> int:
        return await self._write(lambda db: _identity.drop_sessions(db, now_ms, limit))
