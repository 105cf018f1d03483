"""The ASGI app: publishing goes one way, everything else the other; each request gets a name and at most one line."""

import asyncio
import time
from typing import Any, cast

import msgspec
import structlog
from litestar import MediaType, Request, Response, Router, get
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler, Guard

from hookspan import __version__
from hookspan.api import v0
from hookspan.api._applications import ApplicationRoutes
from hookspan.api._asgi import App, Message, Receive, Scope, Send
from hookspan.api._audit import AuditRoutes
from hookspan.api._body import TimedBody
from hookspan.api._deliveries import DeliveryRoutes
from hookspan.api._docs_page import CSP, docs_page
from hookspan.api._document import complete
from hookspan.api._events import EventRoutes
from hookspan.api._framework import Framework
from hookspan.api._idempotency import AnswerKeeper, idempotency_hook
from hookspan.api._jobs import JobRoutes
from hookspan.api._key import CALLER, key_guard
from hookspan.api._keys import KeyRoutes
from hookspan.api._notices import NotifyRoutes
from hookspan.api._parameters import QueryCheck, provide_page
from hookspan.api._pauses import PauseRoutes
from hookspan.api._peer import Peers
from hookspan.api._people import PeopleRoutes, SessionRoutes
from hookspan.api._portal import PortalRoutes
from hookspan.api._problem import (
    BODY_BYTES_MAX,
    CODE,
    CONTENT_TYPE,
    problem_body,
    problem_headers,
    refuse_method,
    translate,
)
from hookspan.api._profiles import ProfileRoutes
from hookspan.api._publish import PublishApp, published_application
from hookspan.api._request_id import REQUEST_ID, new_request_id
from hookspan.api._service import get_health, get_metrics, get_readiness
from hookspan.api._statistics import StatisticsRoutes
from hookspan.api._tally import Tally
from hookspan.api._webhooks import WebhookRoutes
from hookspan.engine import Engine
from hookspan.errors import MethodNotAllowed
from hookspan.manage import Desk, Manage
from hookspan.manage.idempotency import Idempotency
from hookspan.settings import Settings
from hookspan.telemetry import Counters

_PAGE_HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_DEPENDENCIES = ("management", "desk", "intake", "machine", "counters")  # beside the page
_LINES_OF = frozenset({"debug", "info"})  # levels at which each management request gets its line

log = structlog.get_logger()


class Pages(msgspec.Struct, frozen=True):
    """Another room's app for people, and the first parts of the paths that are its own. They may hold tokens, so of a
    path no more than that part is logged.
    """

    app: App
    places: frozenset[str]


def create_app(
    manage: Manage, engine: Engine, counters: Counters, settings: Settings, pages: Pages | None = None
) -> App:
    """The whole HTTP interface as one ASGI app, without a lifespan of its own."""
    tally = Tally(counters)
    is_logged = settings.log_level in _LINES_OF
    publish = PublishApp(
        engine.intake,
        manage.callers,
        manage.idempotency,
        tally,
        is_logged=settings.log_level == "debug",
        logs_refusals=is_logged,
    )
    framework = _framework(manage, engine, counters, tally, has_api=settings.role != "deliver")
    peers = Peers(settings.trusted_proxies)
    return _Front(publish, framework, tally, manage.idempotency, peers=peers, pages=pages, is_logged=is_logged)


class _Front:
    """Tells publishing from the rest."""

    def __init__(
        self,
        publish: PublishApp,
        framework: Framework,
        tally: Tally,
        idempotency: Idempotency,
        *,
        peers: Peers,
        pages: Pages | None,
        is_logged: bool,
    ) -> None:
        self.publish = publish
        self._framework = framework
        self._peers = peers
        self._pages = pages
        self._tally = tally
        self._idempotency = idempotency
        self._is_logged = is_logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["method"] == "POST":
                application = published_application(scope["path"])
                if application is not None:
                    await self.publish(application, scope, receive, send)
                    return
            await self._managed(scope, receive, send)
        else:
            await self._framework(scope, receive, send)  # type: ignore[arg-type]

    async def _managed(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_s = time.perf_counter()
        path = scope["path"]
        request_id = scope[REQUEST_ID] = new_request_id()
        self._peers.settle(scope)  # here alone: who comes after reads the peer of the scope
        body = TimedBody(receive)
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = [(b"x-request-id", request_id.encode())]
                if body.is_late:
                    more.append((b"connection", b"close"))
                message["headers"] = [*message["headers"], *more]
            await send(message)

        place = path.split("/", 2)[1] if path.startswith("/") else None
        if self._pages is not None and place in self._pages.places:
            await self._pages.app(scope, body.receive, named)
            path = f"/{place}"
        else:
            keeper = AnswerKeeper(self._idempotency, scope, named)
            await self._framework(scope, body.receive, keeper.send)  # type: ignore[arg-type]
        self._tally.answered(status)
        code = scope.get(CODE)
        if code is not None:
            self._tally.refused_because(code)
        if self._is_logged:
            tell = log.debug if body.is_gone else log.info
            duration_ms = round((time.perf_counter() - started_s) * 1000, 3)
            more = {} if code is None else {"code": code}
            tell(
                "request",
                request_id=request_id,
                method=scope["method"],
                path=path,
                status=status,
                duration_ms=duration_ms,
                **more,
            )


def _framework(manage: Manage, engine: Engine, counters: Counters, tally: Tally, *, has_api: bool) -> Framework:
    """`has_api` False: only what tells of the node itself."""

    def refuse(request: Request[Any, Any, Any], exception: Exception) -> Response[bytes]:
        return _refuse(request, exception, tally)

    def provide_desk(request: Request[Any, Any, Any]) -> Desk:
        return manage.desk(cast("Scope", request.scope)[CALLER])

    dependencies = {
        "management": Provide(lambda: manage, sync_to_thread=False, use_cache=True),
        "desk": Provide(provide_desk, sync_to_thread=False),
        "intake": Provide(lambda: engine.intake, sync_to_thread=False, use_cache=True),
        "machine": Provide(lambda: engine, sync_to_thread=False, use_cache=True),
        "counters": Provide(lambda: counters, sync_to_thread=False, use_cache=True),
        "page": Provide(provide_page),
    }
    reference = _Reference()

    @get("/openapi.json", media_type=MediaType.JSON)
    async def get_document() -> Response[bytes]:
        return Response((await reference.get())[0], media_type=MediaType.JSON)

    @get("/docs", media_type=MediaType.HTML)
    async def get_docs() -> Response[bytes]:
        return Response((await reference.get())[1], media_type=MediaType.HTML, headers=_PAGE_HEADERS)

    routes = _service_routes()
    if has_api:
        guards: list[Guard] = [key_guard(manage.callers, manage.rates), QueryCheck()]
        routes = [*_routes(guards, v0.router(manage)), get_document, get_docs]
    return Framework(
        routes,
        dependencies=dependencies,
        before_request=idempotency_hook(manage.idempotency),
        exception_handlers={Exception: refuse},
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )


def _routes(guards: list[Guard], bridge: Router) -> list[ControllerRouterHandler]:
    v1 = Router(
        "/v1",
        guards=guards,
        route_handlers=[
            ApplicationRoutes,
            WebhookRoutes,
            EventRoutes,
            DeliveryRoutes,
            ProfileRoutes,
            JobRoutes,
            PauseRoutes,
            StatisticsRoutes,
            NotifyRoutes,
            AuditRoutes,
            KeyRoutes,
            PeopleRoutes,
            SessionRoutes,
            PortalRoutes,
        ],
    )
    return [v1, bridge, *_service_routes()]


def _service_routes() -> list[ControllerRouterHandler]:
    return [get_health, get_readiness, get_metrics]


class _Reference:
    """The document and its page, made when first asked for: a tenth of a second that no start has to wait for."""

    def __init__(self) -> None:
        self._making: asyncio.Future[tuple[bytes, bytes]] | None = None

    async def get(self) -> tuple[bytes, bytes]:
        if self._making is None:
            self._making = asyncio.ensure_future(asyncio.to_thread(self._make))
        return await asyncio.shield(self._making)

    @staticmethod
    def _make() -> tuple[bytes, bytes]:
        document = api_document()
        return msgspec.json.encode(document), docs_page(document)


def api_document() -> dict[str, Any]:
    """The OpenAPI document, of an app that serves nothing: the framework would serve it with pages that load scripts
    from elsewhere.
    """
    config = OpenAPIConfig(
        "Hookspan",
        __version__,
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, _, __: handler.fn.__name__,
    )
    nothing = {name: Provide(lambda: None, sync_to_thread=False) for name in _DEPENDENCIES}
    dependencies = nothing | {"page": Provide(provide_page)}
    shown = Framework(
        _routes([], v0.router(None)), dependencies=dependencies, openapi_config=config, logging_config=None
    )
    return complete(shown.openapi_schema.to_schema(), version=__version__)


def _refuse(request: Request[Any, Any, Any], exception: Exception, tally: Tally) -> Response[bytes]:
    """Every exception of a route becomes a problem document; one that nobody foresaw is logged whole, shown bare. Those
    foreseen are logged at most once a second each: a stranger's flood of unknown keys is answered with 503 too.
    """
    error = translate(exception)
    scope = cast("Scope", request.scope)
    if isinstance(error, MethodNotAllowed) and scope["method"] != "POST" and published_application(scope["path"]):
        error = refuse_method([*error.data["allowed"], "POST"])  # publishing is no route of the framework's
    request_id = scope.get(REQUEST_ID) or new_request_id()
    scope[CODE] = error.code
    is_unforeseen = error is not exception
    if error.status >= 500 and (is_unforeseen or tally.is_worth_a_line(error)):  # noqa: PLR2004 - our side's errors
        log.error(
            "request failed",
            request_id=request_id,
            code=error.code,
            detail=error.detail,
            exc_info=exception if is_unforeseen else None,
        )
    headers = {name.decode(): value.decode() for name, value in problem_headers(error)}
    if error.status == 405:  # noqa: PLR2004 - Method Not Allowed, RFC 9110 15.5.6
        headers["allow"] = ", ".join(error.data["allowed"])
    if v0.is_below(scope["path"]):
        status, body = v0.refusal(error)
        return Response(body, status_code=status, headers=headers, media_type=MediaType.JSON)
    return Response(
        problem_body(error, request_id), status_code=error.status, headers=headers, media_type=CONTENT_TYPE.decode()
    )
