"""Pauses: the operator stops sending of everything, of one profile or of one application, and lets it go on."""

from typing import Any, cast

import msgspec

from hookspan.domain.pause import PAUSE_PREFIX, Pause, PauseScope
from hookspan.domain.records import Application
from hookspan.domain.times import to_text as time_text
from hookspan.errors import Fault, NotFound, UnknownProfile
from hookspan.ids import from_text, to_text
from hookspan.manage import views
from hookspan.manage._ground import Ground, invalid, not_found
from hookspan.manage._rights import Right
from hookspan.manage._show import show_paused, time_or_none
from hookspan.manage.inputs import CreatePause, Paging
from hookspan.store.contract import Page

_WHAT = "pause and resume sending"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody who looks about is to know of pauses, at a glance: the one that everything, or the application
    that they are in, is under; else how much is paused.
    """

    over_all: views.Paused | None = None
    profiles: tuple[str, ...] = ()
    applications: int = 0


class Pauses:
    """Begin, list and end pauses."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def page(self, paging: Paging) -> views.PauseList:
        """Those in force, newest first; a caller of one application gets those that it is under."""
        ground = self._ground
        ground.require(Right.LOOK)
        page = ground.page("pauses", paging)
        own = ground.caller.application
        application = None if own is None else await ground.application(own, Right.LOOK)
        found = [
            one
            for one in reversed(await ground.store.pauses())
            if one.ended_at is None and _is_in(one, page) and (application is None or _covers(one, application))
        ]
        data = [await self._shown(one) for one in found[: page.limit]]
        is_more = len(found) > page.limit
        return views.PauseList(
            data=data, next=ground.next_of("pauses", page, found[len(data) - 1].id) if is_more else None
        )

    async def create(self, given: CreatePause) -> tuple[views.Pause, bool]:
        """The pause, and whether it is new: what is paused already stays so, with the reason that it has. Raises
        NotAllowed, InvalidRequest, UnknownProfile, NotFound, and StateForbidden where too many are in force.
        """
        ground = self._ground
        ground.require(Right.OPERATE, _WHAT)
        _check_members(given)
        profile, application = self._profile(given.profile), await self._application(given.application_id)
        new = Pause(
            id=ground.engine.ids.make(),
            scope=PauseScope[given.scope.upper()],
            profile=profile,
            application_id=None if application is None else application.id,
            reason=given.reason.strip(),
            paused_at=ground.clock.now_ms(),
        )
        text = to_text(PAUSE_PREFIX, new.id)
        store = ground.audited("sending.paused", "pause", text, application, **_detail(new))
        kept = await store.pause(new)
        await ground.engine.pauses_changed()
        return _show(kept, given.application_id), kept.id == new.id

    async def end(self, pause_id: str) -> views.Pause:
        """Sending goes on, unless a wider pause covers it too. One that has ended stays as it is."""
        ground = self._ground
        ground.require(Right.OPERATE, _WHAT)
        found = await self._pause(pause_id)
        application = await self._application_of(found)
        if found.ended_at is None:
            store = ground.audited("sending.resumed", "pause", pause_id, application, **_detail(found))
            ended = await store.end_pause(found.id, ground.clock.now_ms())
            await ground.engine.pauses_changed()
            found = ended or await self._pause(pause_id)  # somebody else has ended it just now
        return _show(found, None if application is None else application.public_id)

    async def standing(self, application_id: str | None) -> Standing | None:
        """For the pages of an application, or those of the operator. None where nothing is paused, which costs no look
        into the store, and for an application that is not within reach.
        """
        ground = self._ground
        in_force = ground.engine.pauses.in_force
        if not in_force:
            return None
        application_id = application_id or ground.caller.application
        if application_id is not None:
            reached = ground.caller.reaches(application_id)
            application = await ground.store.get_application(application_id) if reached else None
            pause = None if application is None else ground.pause_of(application)
            return None if pause is None else Standing(over_all=show_paused(pause))
        return Standing(
            over_all=show_paused(next((one for one in in_force if one.scope is PauseScope.ALL), None)),
            profiles=tuple(one.profile for one in in_force if one.profile is not None),
            applications=sum(one.scope is PauseScope.APPLICATION for one in in_force),
        )

    async def _pause(self, text: str) -> Pause:
        ident = from_text(PAUSE_PREFIX, text)
        found = next((one for one in await self._ground.store.pauses() if one.id == ident), None)
        return found if found is not None else not_found("pause", text)

    def _profile(self, name: str | None) -> str | None:
        try:
            return None if name is None else self._ground.profiles.get(name).name
        except UnknownProfile as error:
            error.errors = (Fault("/profile", error.code, error.detail),)
            raise

    async def _application(self, public_id: str | None) -> Application | None:
        try:
            return None if public_id is None else await self._ground.application(public_id, Right.OPERATE, _WHAT)
        except NotFound as error:
            error.errors = (Fault("/application_id", error.code, error.detail),)
            raise

    async def _application_of(self, pause: Pause) -> Application | None:
        if pause.application_id is None:
            return None
        page = Page(limit=1, before=pause.application_id + 1)  # the newest that is not newer
        found = await self._ground.store.list_applications(page)
        return found[0] if found and found[0].id == pause.application_id else None

    async def _shown(self, pause: Pause) -> views.Pause:
        application = await self._application_of(pause)
        return _show(pause, None if application is None else application.public_id)


def _check_members(given: CreatePause) -> None:
    """Raise InvalidRequest unless what is named is what the scope asks for."""
    for scope, member, value in (
        ("profile", "profile", given.profile),
        ("application", "application_id", given.application_id),
    ):
        if given.scope == scope and value is None:
            raise invalid(f"/{member}", f"A pause of the scope {scope} needs its {member}.")
        if given.scope != scope and value is not None:
            raise invalid(
                f"/{member}", f"{member} goes with the scope {scope}: this pause has the scope {given.scope}."
            )


def _detail(pause: Pause) -> dict[str, Any]:
    """For the audit log, whose line names the application itself."""
    detail = {"scope": pause.scope.word, "profile": pause.profile, "reason": pause.reason}
    return {name: value for name, value in detail.items() if value is not None}


def _covers(pause: Pause, application: Application) -> bool:
    return (
        pause.scope is PauseScope.ALL or application.profile == pause.profile or application.id == pause.application_id
    )


def _is_in(pause: Pause, page: Page) -> bool:
    return (
        (page.before is None or pause.id < page.before)
        and (page.since is None or pause.paused_at >= page.since)
        and (page.until is None or pause.paused_at < page.until)
    )


def _show(pause: Pause, application_id: str | None) -> views.Pause:
    return views.Pause(
        id=to_text(PAUSE_PREFIX, pause.id),
        scope=cast("views.ShownPauseScope", pause.scope.word),
        profile=pause.profile,
        application_id=application_id,
        reason=pause.reason,
        paused_at=time_text(pause.paused_at),
        ended_at=time_or_none(pause.ended_at),
    )
