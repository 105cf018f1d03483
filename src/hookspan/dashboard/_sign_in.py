"""In and out: a one-time link is looked at by GET, which spends nothing (chats and mail look at links beforehand), and
spent by the page's button.

Before there is a session the form is held to the browser that was shown it by a cookie of its own.
"""

import secrets
from typing import Any, Final
from urllib.parse import quote

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan import manage
from hookspan.dashboard import _csrf
from hookspan.dashboard._entry import Door, address_of, request_id_of
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._visit import DASHBOARD, Entered
from hookspan.domain.caller import Caller
from hookspan.errors import HookspanError, NotAllowed, NotFound, RateLimited, Unauthenticated
from hookspan.manage.inputs import OpenSession
from hookspan.manage.sessions import END_MS

SIGN_IN: Final = "/sign-in"
_FORM_COOKIE: Final = "hookspan_form"
_FORM_S: Final = 3_600
_RANDOM_BYTES: Final = 24
_LINK_CHARS_MAX: Final = 2_048
_PLACE_CHARS_MAX: Final = 2_048
_IN_PATHS: Final = "/?&=%:@!$'()*+,;~#[]"
Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
TheDoor = SkipValidation[NamedDependency[Door]]
Management = SkipValidation[NamedDependency[manage.Manage]]


class SignInPages(Controller):
    """/sign-in"""

    path = SIGN_IN

    @get(["", "/{link:str}"])
    async def show(self, request: Asked, pages: ThePages, door: TheDoor) -> Response[str]:
        """The page with the button, or, without a link, with a field for one."""
        return _page(request, pages, door, request.path_params.get("link", ""), None)

    @post(["", "/{link:str}"])
    async def enter(
        self, request: Asked, pages: ThePages, door: TheDoor, management: Management
    ) -> Response[str] | Response[bytes]:
        """Spend the link. A session that the browser has already ends: who signs in gets a new one, always."""
        form = await door.form(request)
        link = (request.path_params.get("link") or form.text("link")).strip()[:_LINK_CHARS_MAX]
        mark = request.cookies.get(_FORM_COOKIE, "")
        if not mark or not _csrf.is_right(mark, form.text(_csrf.FIELD)):
            error: HookspanError = NotAllowed("The page was open for too long, or cookies are off. Press again.")
            return _page(request, pages, door, link, error, form.text("next"))
        try:
            opened = await management.sign_in.open(
                OpenSession(link=link or "-"), address_of(request), request_id_of(request)
            )
        except (Unauthenticated, RateLimited) as refused:
            return _page(request, pages, door, "", refused, form.text("next"))
        await _end(management, await door.caller(request, request.cookies.get(door.cookie, ""), "person"))
        response = go(_place(form.text("next"), pages.base))
        response.set_cookie(_cookie(door.cookie, opened.token, END_MS // 1000, door, "lax"))
        response.set_cookie(_cookie(_FORM_COOKIE, "", 0, door, "strict"))
        return response


@post("/sign-out")
async def sign_out(visit: Entered, pages: ThePages, door: TheDoor, management: Management) -> Response[bytes]:
    """End this session, here and in the store."""
    await _end(management, visit.caller)
    response = go(f"{pages.base}{SIGN_IN}?done=signed-out")
    response.set_cookie(_cookie(door.cookie, "", 0, door, "lax"))
    return response


def _page(
    request: Asked, pages: Pages, door: Door, link: str, error: HookspanError | None, place: str | None = None
) -> Response[str]:
    mark = request.cookies.get(_FORM_COOKIE) or secrets.token_urlsafe(_RANDOM_BYTES)
    response = pages.page(
        "sign_in.html",
        request,
        status=200 if error is None else error.status,
        link=link,
        next=_place(request.query_params.get("next", "") if place is None else place, pages.base),
        csrf=_csrf.csrf_token(mark),
        error=error,
    )
    if isinstance(error, RateLimited):
        response.headers["retry-after"] = str(error.retry_after_s)
    response.set_cookie(_cookie(_FORM_COOKIE, mark, _FORM_S, door, "strict"))
    return response


def _place(text: str, base: str) -> str:
    """Where to go after signing in: a page of the dashboard's and nothing else. Names of event types may have any
    letters: a header has ASCII only.
    """
    home = base + DASHBOARD
    is_ours = text == home or text.startswith((f"{home}/", f"{home}?"))
    if not is_ours or not text.isprintable() or "\\" in text:
        return home
    quoted = quote(text, safe=_IN_PATHS)
    return quoted if len(quoted) <= _PLACE_CHARS_MAX else home


def _cookie(name: str, value: str, max_age_s: int, door: Door, same_site: Any) -> Cookie:
    return Cookie(
        key=name, value=value, path="/", max_age=max_age_s, httponly=True, secure=door.is_secure, samesite=same_site
    )


async def _end(management: manage.Manage, caller: Caller | None) -> None:
    if caller is None or caller.session is None:
        return
    try:
        await management.desk(caller).sessions.end(caller.session)
    except NotFound:
        return  # it has ended by itself
