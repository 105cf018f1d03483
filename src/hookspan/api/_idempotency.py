"""Idempotency-Key on management's POST routes: taken before the handler runs, finished before its answer is sent."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
import structlog
from litestar import Request, Response

from hookspan.api._asgi import Headers, Message, Scope, Send
from hookspan.api._key import CALLER
from hookspan.api._problem import CODE
from hookspan.errors import Fault, HookspanError, InvalidRequest, StoreUnavailable
from hookspan.manage.idempotency import Answer, Fresh, Idempotency, check_key, settled, without_secrets

HEADER = b"idempotency-key"
PATH_START = "/v1/"  # `/v0` has rules of its own
REPLAYED = "idempotency-replayed"
# What is kept of an answer's headers: the rest is the connection's, or of that one answer.
KEPT_HEADERS = frozenset({b"content-type", b"etag", b"location"})
# Members of answers that hold a secret which is shown once, by operation: they are null when it is answered again. A
# test looks at every POST's answer in the document.
SECRETS: dict[str, tuple[str, ...]] = {
    "create_webhook": ("secret", "also_sign.secret"),
    "rotate_secret": ("secret",),
    "create_key": ("key",),
    "create_portal_session": ("url",),
    "invite_person": ("link",),
    "make_link": ("link",),
}
# Members that are large and of no use a second time: what was sent in a test, and what came back. Null, as secrets are.
LARGE: dict[str, tuple[str, ...]] = {
    "test_webhook": ("request.body", "response.body", "response.body_base64"),
    "test_notify": ("response.body", "response.body_base64"),
}
_IN_DOUBT = frozenset({HookspanError.code, StoreUnavailable.code})
_BEGUN = "hookspan.idempotency"  # in the scope of a request that is fresh: that, and the operation's name

log = structlog.get_logger()


class _About(msgspec.Struct, frozen=True):
    application_id: str | None = None


_about = msgspec.json.Decoder(_About)


def sent_idempotency_key(headers: Headers) -> str | None:
    """The Idempotency-Key in these headers (as in an ASGI scope), None without one. Raises InvalidRequest."""
    found = [value for name, value in headers if name == HEADER]
    if not found:
        return None
    if len(found) > 1:
        detail = "Idempotency-Key is there more than once."
        raise InvalidRequest(detail, errors=(Fault("/Idempotency-Key", InvalidRequest.code, detail),))
    return check_key(found[0].decode("latin-1"))


def idempotency_hook(
    idempotency: Idempotency,
) -> Callable[[Request[Any, Any, Any]], Awaitable[Response[bytes] | None]]:
    """The framework's `before_request`, after its guards: no request under a known key reaches its handler."""

    async def take_key(request: Request[Any, Any, Any]) -> Response[bytes] | None:
        scope = cast("Scope", request.scope)
        caller = scope.get(CALLER)
        if scope["method"] != "POST" or caller is None or not scope["path"].startswith(PATH_START):
            return None  # who has no name yet, as at a sign-in, has no keys
        key = sent_idempotency_key(scope["headers"])
        if key is None:
            return None
        body = await request.body()
        fingerprint = idempotency.fingerprint(caller, "POST", target_of(scope), body)
        home = await idempotency.home(caller, _named_application(request, body))
        return go_on(request, settled(await idempotency.begin(caller, key, fingerprint, application_id=home)))

    return take_key


def _named_application(request: Request[Any, Any, Any], body: bytes) -> str | None:
    """The application that a request is about, in its path or, of keys and people, in its body; wherever else a wrong
    body leads, it has no effect.
    """
    if "app" in request.path_params:
        return str(request.path_params["app"])
    try:
        return _about.decode(body).application_id
    except msgspec.MsgspecError:
        return None


def go_on(request: Request[Any, Any, Any], begun: Fresh | Answer) -> Response[bytes] | None:
    """Nothing, where the request is fresh: `AnswerKeeper` settles its key with its answer. Else the answer, again."""
    if isinstance(begun, Fresh):
        cast("Scope", request.scope)[_BEGUN] = (begun, request.route_handler.fn.__name__)
        return None
    headers = dict(begun.headers)
    media_type = headers.pop("content-type", None)
    return Response(
        begun.body or b"", status_code=begun.status, headers=headers | {REPLAYED: "true"}, media_type=media_type
    )


def target_of(scope: Scope) -> str:
    """The path with its query."""
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])


class AnswerKeeper:
    """Stands before `send` of one request. Where that is fresh under a key, its answer is kept before it is sent on."""

    def __init__(self, idempotency: Idempotency, scope: Scope, send: Send) -> None:
        self._idempotency = idempotency
        self._scope = scope
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """As ASGI has it."""
        begun = self._scope.get(_BEGUN)
        if begun is None:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._start = message
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False) and self._start is not None:
                await self._settle(begun, self._start)
                await self._send(self._start)
                await self._send({"type": "http.response.body", "body": self._body})

    async def _settle(self, begun: tuple[Fresh, str], start: Message) -> None:
        """Never fails: what is done is answered. A key that could not be settled stays taken, and is in doubt later."""
        fresh, operation = begun
        try:
            if start["status"] < 300:  # noqa: PLR2004 - a success, RFC 9110 15.3
                headers = tuple(
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in start["headers"]
                    if name.lower() in KEPT_HEADERS
                )
                body = without_secrets(self._body, (*SECRETS.get(operation, ()), *LARGE.get(operation, ())))
                await self._idempotency.finish(fresh, Answer(start["status"], headers, body))
            elif self._scope.get(CODE, HookspanError.code) in _IN_DOUBT:
                await self._idempotency.interrupt(fresh)
            else:
                await self._idempotency.forget(fresh)
        except HookspanError as error:
            log.warning("an idempotency key could not be settled", operation=operation, code=error.code)
