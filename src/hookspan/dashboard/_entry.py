"""The door: who comes in, by the dashboard's cookie or the portal's path, and whether a form is one of ours.

Runs before every handler below it, so that none can forget it. A session that is over costs nobody their form: what was
sent is shown again, to be sent once more after signing in.
"""

from typing import Any, Final, cast

import msgspec
from litestar import Request, Response

from hookspan.clock import Clock
from hookspan.dashboard import _csrf
from hookspan.dashboard._asgi import Scope
from hookspan.dashboard._form import Form, read_form
from hookspan.dashboard._render import FORM, VISIT, Pages
from hookspan.dashboard._seal import FRAME
from hookspan.dashboard._visit import Visit
from hookspan.domain.caller import Caller
from hookspan.errors import NotAllowed, Unauthenticated
from hookspan.manage import Manage

Asked = Request[Any, Any, Any]
_SAFE: Final = frozenset({"GET", "HEAD"})
_KINDS: Final = {"person": "hk_session_", "portal": "hk_portal_"}


class Door:
    """Lets people in. Its methods are the `before_request` of the two halves."""

    def __init__(self, manage: Manage, pages: Pages, clock: Clock, public_url: str) -> None:
        self._manage = manage
        self._pages = pages
        self._clock = clock
        self._public_url = public_url
        self.is_secure: Final = public_url.startswith("https://")
        # The prefix makes browsers hold it to this host, this path and TLS.
        self.cookie: Final = "__Host-hookspan_session" if self.is_secure else "hookspan_session"

    async def dashboard(self, request: Asked) -> Response[str] | None:
        """A person, by the cookie."""
        return await self._enter(request, request.cookies.get(self.cookie, ""), "person")

    async def portal(self, request: Asked) -> Response[str] | None:
        """A portal session, by the token in the path: cookies of a page within another are not kept everywhere."""
        return await self._enter(request, request.path_params["token"], "portal")

    async def _enter(self, request: Asked, token: str, kind: str) -> Response[str] | None:
        scope = cast("Scope", request.scope)
        caller = await self.caller(request, token, kind)
        # First of all, so that what follows can be read within the portal's frame too. Where a portal's time is over
        # nobody knows any more whose frame it was: any may show that it is, for there is nothing to be done there.
        scope[FRAME] = caller.origin if caller is not None else "*" if kind == "portal" else None
        form = await self.form(request)
        if caller is None:
            return self._pages.page("no_session.html", request, status=401, form=form, kind=kind, was_in=bool(token))
        visit = scope[VISIT] = Visit(
            self._manage.desk(caller),
            caller,
            token,
            base=self._pages.base,
            application=request.path_params.get("app"),
            now_ms=self._clock.now_ms(),
        )
        visit.standing = await visit.desk.pauses.standing(visit.application)
        if request.method not in _SAFE and not _csrf.is_right(token, form.text(_csrf.FIELD)):
            if not _csrf.is_ours_for_sure(request.headers):
                raise NotAllowed("This form does not belong to your session. Nothing was done: open the page again.")
            return self._pages.page("send_again.html", request, status=403, form=form)
        if request.method not in _SAFE:
            self._manage.rates.take(caller)
        return None

    async def caller(self, request: Asked, token: str, kind: str) -> Caller | None:
        """Whose token it is; None where it is none, over, or of another kind."""
        if not token.startswith(_KINDS[kind]):
            return None
        try:
            caller = await self._manage.callers.find(token.encode("utf-8", "replace"))
        except Unauthenticated:
            return None
        if caller.kind != kind:
            return None
        return msgspec.structs.replace(caller, address=address_of(request), request_id=request_id_of(request))

    async def form(self, request: Asked) -> Form:
        """What was sent, if a page of ours can have sent it. Raises NotAllowed, InvalidRequest, TooLarge."""
        if request.method in _SAFE:
            return Form()
        if _csrf.is_foreign(request.headers, self._public_url):
            raise NotAllowed("This was sent by a page of another site. Nothing was done.")
        form = read_form(request.headers.get("content-type", ""), await request.body())
        cast("Scope", request.scope)[FORM] = form
        return form


def address_of(request: Asked) -> str | None:
    return None if request.client is None else request.client.host


def request_id_of(request: Asked) -> str | None:
    """As the front has named the request."""
    found: str | None = cast("Scope", request.scope).get("hookspan.request_id")
    return found
