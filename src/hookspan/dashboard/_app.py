"""The room's app: routes for the dashboard and the portal, refusals as pages, the headers of every answer."""

from typing import Any, Final, cast

import structlog
from litestar import Controller, Litestar, Request, Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.params import SkipValidation
from litestar.types import ControllerRouterHandler

from hookspan.brand import Brand
from hookspan.clock import Clock
from hookspan.dashboard._applications import ApplicationPages, OverviewPages
from hookspan.dashboard._asgi import App
from hookspan.dashboard._assets import BrandFiles, get_asset
from hookspan.dashboard._audit import AuditPages
from hookspan.dashboard._catalog import CatalogPages
from hookspan.dashboard._credential_links import CredentialLinkPages, EntryPages
from hookspan.dashboard._deliveries import DeliveryPages
from hookspan.dashboard._entry import Door, request_id_of
from hookspan.dashboard._events import EventPages
from hookspan.dashboard._failures import AllFailurePages, FailurePages
from hookspan.dashboard._form import BODY_BYTES_MAX
from hookspan.dashboard._help import HelpPages
from hookspan.dashboard._jobs import AllJobPages, JobPages
from hookspan.dashboard._keys import KeyPages
from hookspan.dashboard._members import MemberPages
from hookspan.dashboard._move import MovePages
from hookspan.dashboard._notices import NoticePages
from hookspan.dashboard._pauses import PausePages
from hookspan.dashboard._render import Pages, form_of, go, visit_of
from hookspan.dashboard._repeats import Repeats
from hookspan.dashboard._replay import ReplayPages
from hookspan.dashboard._room import RoomPages
from hookspan.dashboard._seal import sealed
from hookspan.dashboard._sessions import SessionPages
from hookspan.dashboard._settings import SettingPages
from hookspan.dashboard._sign_in import SignInPages, sign_out
from hookspan.dashboard._tail import AllTailPages, TailPages
from hookspan.dashboard._upcoming import UpcomingPages
from hookspan.dashboard._verify import VerifyPages
from hookspan.dashboard._visit import APPLICATIONS, DASHBOARD, PORTAL
from hookspan.dashboard._webhook_changes import WebhookChangePages
from hookspan.dashboard._webhooks import WebhookPages
from hookspan.engine import Intake
from hookspan.errors import HookspanError, InvalidRequest, MethodNotAllowed, NotFound, TooLarge
from hookspan.manage import Manage
from hookspan.settings import Settings

_OURS: Final = 500

log = structlog.get_logger()


# What one application has, in the dashboard and in its portal; and what lies above all applications.
_ROOMS: Final[list[type[Controller]]] = [
    RoomPages,
    WebhookPages,
    WebhookChangePages,
    MovePages,
    VerifyPages,
    CredentialLinkPages,
    DeliveryPages,
    EventPages,
    ReplayPages,
    JobPages,
    FailurePages,
    TailPages,
    UpcomingPages,
    CatalogPages,
    KeyPages,
    AuditPages,
    NoticePages,
]
_AT_LARGE: Final[list[type[Controller]]] = [
    OverviewPages,
    HelpPages,
    ApplicationPages,
    AllJobPages,
    AllFailurePages,
    AllTailPages,
    PausePages,
    MemberPages,
    SessionPages,
    KeyPages,
    AuditPages,
    SettingPages,
]


def build(manage: Manage, intake: Intake, clock: Clock, settings: Settings, brand: Brand | None = None) -> App:
    """The dashboard and the portal as one ASGI app; see `create_dashboard`."""
    public_url = settings.public_url or ""
    pages = Pages(clock, public_url, settings.support_contact, brand)
    door = Door(manage, pages, clock, public_url)
    shared: dict[str, Any] = {
        "management": manage,
        "intake": intake,
        "settings": settings,
        "brand": BrandFiles(brand or Brand()),
        "pages": pages,
        "door": door,
        "repeats": Repeats(),
    }
    app = Litestar(
        _routes(door),
        dependencies={
            **{name: _given(one) for name, one in shared.items()},
            "visit": Provide(_visit, sync_to_thread=False),
            "form": Provide(form_of, sync_to_thread=False),
        },
        exception_handlers={Exception: _refuser(pages)},
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )
    return sealed(cast("App", app))


def _routes(door: Door) -> list[ControllerRouterHandler]:
    # Functions, as the framework copies hooks that are objects, with all they hold.
    async def enter_dashboard(request: Request[Any, Any, Any]) -> Response[str] | None:
        return await door.dashboard(request)

    async def enter_portal(request: Request[Any, Any, Any]) -> Response[str] | None:
        return await door.portal(request)

    inside: list[ControllerRouterHandler] = [
        sign_out,
        Router(DASHBOARD, route_handlers=_AT_LARGE),
        Router(f"{APPLICATIONS}/{{app:str}}", route_handlers=[*_ROOMS, MemberPages]),
    ]
    return [
        get_root,
        get_asset,
        SignInPages,
        EntryPages,
        Router("/", before_request=enter_dashboard, route_handlers=inside),
        Router(f"{PORTAL}/{{token:str}}", before_request=enter_portal, route_handlers=[*_ROOMS, HelpPages]),
    ]


def _given(one: Any) -> Provide:
    return Provide(lambda: one, sync_to_thread=False, use_cache=True)


@get("/")
async def get_root(pages: SkipValidation[NamedDependency[Pages]]) -> Response[bytes]:
    """Who types the bare address means the dashboard."""
    return go(pages.base + DASHBOARD)


def _visit(request: Request[Any, Any, Any]) -> Any:
    visit = visit_of(request)
    assert visit is not None, "the door is before every page that asks for a visit"
    return visit


def _refuser(pages: Pages) -> Any:
    def refuse(request: Request[Any, Any, Any], exception: Exception) -> Response[str]:
        error = _translate(exception)
        if error.status >= _OURS:
            is_unforeseen = error is not exception
            log.error(
                "page failed",
                request_id=request_id_of(request),
                code=error.code,
                detail=error.detail,
                exc_info=exception if is_unforeseen else None,
            )
        return pages.refusal(error, request)

    return refuse


def _translate(error: Exception) -> HookspanError:
    if isinstance(error, HookspanError):
        return error
    if isinstance(error, HTTPException):
        match error.status_code:
            case 404:
                return NotFound("There is no page at this address.")
            case 405:
                return MethodNotAllowed("This address is not for that.", allowed=[])
            case 413:
                return TooLarge(f"The form is larger than {BODY_BYTES_MAX:,} bytes.", limit=BODY_BYTES_MAX)
            case status if status < _OURS:
                return InvalidRequest("The request is not understood.")
    return HookspanError("The page failed for a reason that is ours. The log has it under the id of this request.")
