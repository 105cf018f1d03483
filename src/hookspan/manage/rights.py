"""What the caller may do, asked beforehand: so that a page offers nothing that would be refused."""

from typing import Literal

from hookspan.domain.caller import Caller, Role, Scope
from hookspan.domain.records import Application
from hookspan.errors import NotAllowed
from hookspan.manage import _reach, _rights, views
from hookspan.manage._ground import Ground
from hookspan.manage._rights import Right


class Rights:
    """The same table as every call asks, in one answer."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def at_large(self) -> views.Rights:
        """Of what belongs to no application; nobody configures there."""
        caller = self._ground.caller
        return views.Rights(
            looks=_rights.has(caller, Right.LOOK),
            configures=False,
            publishes=_rights.has(caller, Right.PUBLISH),
            operates=_rights.has(caller, Right.OPERATE),
            administers=_rights.has(caller, Right.ADMINISTER),
            sees_all=caller.application is None and caller.scope is not Scope.PUBLISHER,
            configurers="",
        )

    async def gifts(self, kind: Literal["key", "person"], application_id: str | None) -> list[str]:
        """The roles that the caller may give to a new key or person of an application, or of the operator. Raises
        NotFound.
        """
        ground = self._ground
        application = None if application_id is None else await ground.application(application_id, Right.LOOK)
        return [role.word for role in Role if self._may_give(_reach.newcomer(kind, role, application), application)]

    def _may_give(self, gift: Caller, application: Application | None) -> bool:
        try:
            self._ground.check_gift(gift, application)
        except NotAllowed:
            return False
        return True

    async def within(self, application_id: str) -> views.Rights:
        """In one application. Raises NotFound, and NotAllowed for who may not even look."""
        ground = self._ground
        application = await ground.application(application_id, Right.LOOK)
        profile = ground.profile(application)
        return views.Rights(
            looks=True,
            configures=_rights.has(ground.caller, Right.CONFIGURE, profile),
            publishes=_rights.has(ground.caller, Right.PUBLISH),
            operates=_rights.has(ground.caller, Right.OPERATE),
            administers=_rights.has(ground.caller, Right.ADMINISTER),
            sees_all=ground.caller.application is None,
            configurers=_rights.who_configures(profile),
        )
