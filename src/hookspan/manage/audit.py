"""The audit log, to read: who did what to which object, from where."""

from typing import cast

import msgspec

from hookspan.domain import times
from hookspan.domain.audit import ACTIONS, AuditEntry, AuditLine, chain_name, chain_of
from hookspan.domain.caller import Role
from hookspan.ids import AUDIT_PREFIX, from_text, to_text
from hookspan.manage import views
from hookspan.manage._ground import Ground, invalid, not_found
from hookspan.manage._rights import Right
from hookspan.manage.inputs import AuditFilter, Paging
from hookspan.store.audit import AuditQuery

VEILED_NAME = "operator"  # in place of whoever of the operator's did it
_READ = "read the audit log"


class Audit:
    """List the lines of the log."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def page(self, given: AuditFilter, paging: Paging) -> views.AuditList:
        """Newest first. A caller of one application has the lines of that one; the operator those of all chains, also
        of applications that are deleted, or of the applications that have, or had, one id.
        """
        ground = self._ground
        ground.require(Right.ADMINISTER, _READ)
        if given.action is not None and given.action not in ACTIONS:
            raise invalid("/action", f"There is no such action; there are {', '.join(ACTIONS)}.")
        query = AuditQuery(
            application=ground.caller.application or given.application_id,
            application_id=await self._own(given.application_id),
            action=given.action,
            actor_id=given.actor,
            object_id=given.object,
            own_actors=ground.caller.application is not None,
        )
        of = (
            f"audit/{query.application!r}/{query.application_id}"
            f"?action={query.action!r}&actor={query.actor_id!r}&object={query.object_id!r}"
        )
        page = ground.page(of, paging)
        found = await ground.store.list_audit(page, query)
        return views.AuditList(
            data=[show_line(one, is_veiled=query.own_actors) for one in found.lines],
            next=None if found.before is None else ground.next_of(of, page, found.before),
        )

    async def _own(self, asked: str | None) -> int | None:
        """The one application that the caller reaches; None for the operator, who reaches all."""
        public_id = self._ground.caller.application
        if public_id is None:
            return None
        if asked is not None and asked != public_id:
            not_found("application", asked)
        return (await self._ground.application(public_id, Right.ADMINISTER, _READ)).id


def show_line(line: AuditLine, *, is_veiled: bool = False) -> views.AuditLine:
    """A line as it is shown; everything that its hash is made of is in it.

    An application's own people are not told who of the operator's did it, nor from where (`is_veiled`). So the hash
    can't be made anew from what they see.
    """
    entry = line.entry
    if is_veiled and entry.by_operator and entry.actor_kind != "system":
        entry = msgspec.structs.replace(
            entry, actor_kind="operator", actor_id=None, actor_name=VEILED_NAME, address=None
        )
    return views.AuditLine(
        id=to_text(AUDIT_PREFIX, line.id),
        chain=chain_name(entry.application_id),
        sequence=line.sequence,
        at=times.to_text(entry.at),
        application_id=entry.application,
        actor=views.Actor(
            kind=entry.actor_kind,
            id=entry.actor_id,
            name=entry.actor_name,
            role=cast("views.ShownRole", entry.role.word),
        ),
        action=entry.action,
        object=views.AuditObject(kind=entry.object_kind, id=entry.object_id),
        address=entry.address,
        request_id=entry.request_id,
        detail=entry.detail,
        previous_hash=line.previous_hash.hex(),
        hash=line.hash.hex(),
    )


def read_line(shown: views.AuditLine) -> AuditLine | None:
    """A line from how it was shown, for who verifies it elsewhere; None when that is no line of ours."""
    ident, at, chain = from_text(AUDIT_PREFIX, shown.id), times.from_text(shown.at), chain_of(shown.chain)
    try:
        previous, own = bytes.fromhex(shown.previous_hash), bytes.fromhex(shown.hash)
    except ValueError:
        return None
    if ident is None or at is None or chain is None:
        return None
    return AuditLine(
        id=ident,
        sequence=shown.sequence,
        previous_hash=previous,
        hash=own,
        entry=AuditEntry(
            at=at,
            application_id=chain,
            application=shown.application_id,
            actor_kind=shown.actor.kind,
            actor_id=shown.actor.id,
            actor_name=shown.actor.name,
            role=Role[shown.actor.role.upper()],
            action=shown.action,
            object_kind=shown.object.kind,
            object_id=shown.object.id,
            address=shown.address,
            request_id=shown.request_id,
            detail=shown.detail,
        ),
    )
