"""Keys of programs: made, listed, revoked. Nobody gives a key more than they have themselves."""

from typing import Any

from hookspan.domain.caller import Role, Scope
from hookspan.domain.identity import Key
from hookspan.domain.records import Application
from hookspan.domain.times import to_text as time_text
from hookspan.errors import AccessLimit, NotAllowed
from hookspan.ids import KEY_PREFIX, to_text
from hookspan.manage import _reach, views
from hookspan.manage._fitting import fitting
from hookspan.manage._ground import Ground, invalid, not_found
from hookspan.manage._rights import Right
from hookspan.manage._show import time_or_none
from hookspan.manage._tokens import KEY_STARTS, new_token
from hookspan.manage.inputs import CreateKey, Paging
from hookspan.store.identity import NewKey

APPLICATION_KEYS_MAX = 100
OPERATOR_KEYS_MAX = 1_000  # publishers' among them
_MAKE = "make keys"


class Keys:
    """Create, list and revoke keys."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def create(self, given: CreateKey) -> views.CreatedKey:
        """The key is shown here and never again. Raises AccessLimit, and NotAllowed for more than the caller has."""
        ground = self._ground
        scope, role = Scope[given.scope.upper()], Role[given.role.upper()]
        application = await self._owner(scope, given.application_id)
        ground.check_gift(_reach.newcomer("key", role, application, scope), application)
        keys_max = APPLICATION_KEYS_MAX if scope is Scope.APPLICATION else OPERATOR_KEYS_MAX
        token = new_token(KEY_STARTS[scope])
        ident = ground.engine.ids.make()
        text = to_text(KEY_PREFIX, ident)
        kept = await ground.audited(
            "key.created",
            "key",
            text,
            application,
            name=given.name,
            scope=given.scope,
            role=None if scope is Scope.PUBLISHER else given.role,
        ).create_key(
            NewKey(
                id=ident,
                name=given.name,
                scope=scope,
                application_id=None if application is None else application.id,
                role=role,
                digest=token.digest,
                hint=token.hint,
                created_at=ground.clock.now_ms(),
            ),
            keys_max,
        )
        if kept is None:
            whose = "The application" if scope is Scope.APPLICATION else "The operator"
            raise AccessLimit(f"{whose} has {keys_max:,} keys already: revoke one that is not used.", limit=keys_max)
        return views.CreatedKey(key=token.text, **_members(kept))

    async def page(self, paging: Paging, application_id: str | None = None) -> views.KeyList:
        """Those within reach, or of one application, newest first."""
        ground = self._ground
        application = await _reach.owner(ground, application_id, Right.ADMINISTER, "list keys")
        of = f"keys of {None if application is None else application.public_id}"
        page = ground.page(of, paging)
        found = await ground.store.list_keys(page, None if application is None else application.id)
        data = fitting([show_key(one) for one in found])
        is_more = len(found) >= page.limit or len(data) < len(found)
        return views.KeyList(
            data=data,
            next=ground.next_of(of, page, found[len(data) - 1].id) if is_more else None,
        )

    async def revoke(self, text: str) -> None:
        """From the next request on nobody comes in by it; on other nodes two seconds later. Raises NotAllowed for a key
        that may do more than the caller: a portal session ends soon, and should not end what stays.
        """
        ground = self._ground
        ground.require(Right.ADMINISTER, "revoke keys")
        key = await _reach.key(ground, text)
        application = await _reach.application_of(ground, key)
        try:
            ground.check_gift(_reach.newcomer("key", key.role, application, key.scope), application)
        except NotAllowed:
            raise NotAllowed("This key may do more than the caller: who may give such a key revokes it.") from None
        store = ground.audited("key.revoked", "key", text, application, name=key.name, scope=key.scope.word)
        if not await store.delete_key(key.id):
            not_found("key", text)
        ground.callers.forget(text)

    async def _owner(self, scope: Scope, named: str | None) -> Application | None:
        """The application that a new key is for. Raises NotAllowed for a scope beyond the caller's own."""
        ground = self._ground
        ground.require(Right.ADMINISTER, _MAKE)
        if ground.caller.application is not None and scope is not Scope.APPLICATION:
            raise NotAllowed(
                f"The operator's admins may make keys of the scope {scope.word}; "
                "an application's may make those of its own scope, application."
            )
        if scope is Scope.OPERATOR and named is not None:
            raise invalid("/application_id", "A key of the scope operator reaches all applications: name none.")
        application = await _reach.owner(ground, named, Right.ADMINISTER, _MAKE)
        if scope is Scope.APPLICATION and application is None:
            raise invalid("/application_id", "A key of the scope application needs its application_id.")
        return application


def show_key(key: Key) -> views.Key:
    return views.Key(**_members(key))


def _members(key: Key) -> dict[str, Any]:
    return {
        "id": to_text(KEY_PREFIX, key.id),
        "name": key.name,
        "scope": key.scope.word,
        "application_id": key.application,
        "role": None if key.scope is Scope.PUBLISHER else key.role.word,
        "hint": key.hint,
        "created_at": time_text(key.created_at),
        "last_used_at": time_or_none(key.last_used_at),
    }
