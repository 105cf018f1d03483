"""Pauses as this node has them in force: read at the start, at each look at what others changed, and at once after a
change that was made here. Lanes follow them; see `hookspan.domain.pause`.
"""

import asyncio
from collections.abc import Callable

import structlog

from hookspan.clock import Clock
from hookspan.domain.audit import AuditEntry
from hookspan.domain.caller import SYSTEM, Role
from hookspan.domain.explain import why_paused
from hookspan.domain.pause import PAUSE_PREFIX, Pause, Pauses, PauseScope
from hookspan.engine.dispatcher import Dispatcher
from hookspan.errors import HookspanError, StateForbidden
from hookspan.ids import IdMaker, to_text
from hookspan.store.contract import Store

START_REASON = "started paused"
HOW_TO_RESUME = "hookspan resume"

log = structlog.get_logger()


class Pausing:
    """`pauses` is what is in force here. `on_resumed` hears when something goes on."""

    def __init__(self, store: Store, dispatcher: Dispatcher, clock: Clock, ids: IdMaker) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._clock = clock
        self._ids = ids
        self._seen: tuple[Pause, ...] = ()
        self._looking = asyncio.Lock()  # an older look never takes the place of a younger one
        self.pauses = Pauses()
        self.on_resumed: Callable[[], None]

    async def begin(self, *, is_paused: bool) -> None:
        """Before anything is claimed: know what is paused, and pause everything if this node is to start so."""
        if is_paused:
            made = await self._pause_all()
            log.warning(
                "started paused: nothing is sent by any node until somebody resumes",
                resume=HOW_TO_RESUME,
                reason=made.reason,
            )
        await self.look()

    async def _pause_all(self) -> Pause:
        """The pause that is there, or a new one, with its line of the audit log."""
        now_ms = self._clock.now_ms()
        new = Pause(id=self._ids.make(), scope=PauseScope.ALL, reason=START_REASON, paused_at=now_ms)
        entry = AuditEntry(
            at=now_ms,
            application_id=0,
            actor_kind=SYSTEM.kind,
            actor_id=None,
            actor_name=SYSTEM.name,
            role=Role.ADMIN,
            action="sending.paused",
            object_kind="pause",
            object_id=to_text(PAUSE_PREFIX, new.id),
            address=None,
            request_id=None,
            detail={"scope": new.scope.word, "reason": new.reason},
        )
        return await self._store.audited(entry).pause(new)

    async def look(self) -> None:
        """Put in force what the store has now."""
        async with self._looking:
            found = tuple(await self._store.pauses())
            if found != self._seen:
                self._use(found)

    async def look_soon(self) -> None:
        """As `look`, and never fails: what can't be read now is a second later, by `nodes.Following`."""
        try:
            await self.look()
        except HookspanError as error:
            log.warning("pauses could not be read, looked at again soon", code=error.code, detail=error.detail)

    def check(self, application_id: int, profile: str) -> None:
        """Raises StateForbidden when nothing may be sent for this application."""
        pause = self.pauses.of(application_id, profile)
        if pause is not None:
            raise StateForbidden(f"{why_paused(pause)} Nothing is sent before it ends.")

    def _use(self, found: tuple[Pause, ...]) -> None:
        before = self.pauses.in_force
        self._seen, self.pauses = found, Pauses(found)
        self._dispatcher.use_pauses(self.pauses)
        now = {one.id for one in self.pauses.in_force}
        for one in self.pauses.in_force:
            if one not in before:
                log.warning("paused", scope=one.scope.word, of=one.profile or one.application_id, reason=one.reason)
        ended = [one for one in before if one.id not in now]
        for one in ended:
            log.warning("resumed", scope=one.scope.word, of=one.profile or one.application_id)
        if ended:
            self.on_resumed()
