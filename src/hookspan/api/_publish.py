"""POST /v1/applications/{app}/events as a raw ASGI app: the hot path, beside the framework.

Nothing here is made for each event that could be made once: answers are built by hand, a line is logged only where
somebody reads it. Budget: 10 µs of Python a request beside the server's and the engine's.
"""

import asyncio
import time
from http import HTTPStatus

import msgspec
import structlog

from hookspan.api._asgi import Headers, Message, Receive, Scope, Send, answer
from hookspan.api._idempotency import REPLAYED, sent_idempotency_key
from hookspan.api._key import sent_key
from hookspan.api._problem import CONTENT_TYPE, problem_body, problem_headers, problem_members
from hookspan.api._request_id import new_request_id
from hookspan.api._tally import Tally
from hookspan.domain.caller import OPERATOR
from hookspan.engine import Intake, Published, Receipt
from hookspan.errors import HookspanError, InvalidRequest, TooLarge
from hookspan.manage import Callers, Idempotency, check_publish

PATH_START = "/v1/applications/"
PATH_END = "/events"
BODY_BYTES_MAX = 5 * 1024 * 1024
# What is sent beyond the limit is read and dropped up to here, so that its sender gets to read the refusal.
DRAIN_BYTES_MAX = 32 * 1024 * 1024
BODY_TIMEOUT_S = 30.0
# Answers that name no publisher_id are equally long, so that their start is made once; others fill up the rest.
STARTS_MAX = 256
_JSON = (b"content-type", b"application/json")
_REPLAYED = (REPLAYED.encode(), b"true")
_ACCEPTED = b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\n"

log = structlog.get_logger()


def published_application(path: str) -> str | None:
    """The application's id when `path` is the publish route's, else None. A slash at its end says nothing more."""
    path = path.removesuffix("/")
    if path.startswith(PATH_START) and path.endswith(PATH_END):
        application = path[len(PATH_START) : -len(PATH_END)]
        if application and "/" not in application:
            return application
    return None


class PublishApp:
    """Answers one publish. `is_logged`: whether requests that went well get a line; `logs_refusals`: those that
    were refused for what they hold. What was refused for a reason of ours always gets one.
    """

    def __init__(
        self,
        intake: Intake,
        callers: Callers,
        idempotency: Idempotency,
        tally: Tally,
        *,
        is_logged: bool,
        logs_refusals: bool = False,
    ) -> None:
        self.intake = intake
        self._callers = callers
        self._idempotency = idempotency
        self._tally = tally
        self._is_logged = is_logged
        self._logs_refusals = logs_refusals
        self._starts: dict[int, Message] = {}
        self._default_headers: Headers = []
        self._head = _ACCEPTED

    @property
    def is_short_way_open(self) -> bool:
        """Whether `hookspan.api._protocol` may pass this app by: lines about single publishes are written here."""
        return not self._is_logged

    def is_asker_known(self, application: str, headers: Headers) -> bool:
        """Whether who sends these headers may publish, told at once. False: `__call__` has to look. Raises
        Unauthenticated, NotFound, NotAllowed.
        """
        caller = self._callers.known(sent_key(headers))
        if caller is None:
            return False
        if caller is not OPERATOR:
            check_publish(caller, application)
        return True

    def response(self, receipt: Receipt, default_headers: Headers) -> bytes:
        """The whole HTTP/1.1 response to a publish. `default_headers` are the server's (a list that it replaces)."""
        if default_headers is not self._default_headers:
            self._default_headers = default_headers
            self._head = _ACCEPTED + _lines(default_headers)
        self._tally.accepted()
        body = self._batch_body(receipt) if isinstance(receipt, list) else _receipt_body(receipt)
        return b"%bcontent-length: %d\r\n\r\n%b" % (self._head, len(body), body)

    def refusal(
        self, error: HookspanError, default_headers: Headers, application: str | None, *, closes: bool = False
    ) -> bytes:
        """The whole HTTP/1.1 response to a publish, or to what reaches no route (`application` None), that is
        refused. `closes`: the connection ends with it.
        """
        headers, body = self._refusal(application, error, new_request_id())
        if closes:
            headers.append((b"connection", b"close"))
        phrase = HTTPStatus(error.status).phrase.encode()
        return b"HTTP/1.1 %d %b\r\n%b%bcontent-length: %d\r\n\r\n%b" % (
            error.status, phrase, _lines(default_headers), _lines(headers), len(body), body
        )  # fmt: skip

    async def __call__(self, application: str, scope: Scope, receive: Receive, send: Send) -> None:
        started_s = time.perf_counter() if self._is_logged else 0.0
        try:
            headers = scope["headers"]
            caller = await self._callers.find(sent_key(headers))
            check_publish(caller, application)
            key = _check_head(headers, scope["query_string"])
            message = await receive()
            raw = message.get("body", b"")
            if message.get("more_body", False):
                raw = await _whole_body(raw, receive)
            elif message["type"] == "http.disconnect":
                return
            elif len(raw) > BODY_BYTES_MAX:
                raise _too_large()
            if key is None:
                receipt, is_replay = await self.intake.publish(application, raw), False
            else:
                fingerprint = self._idempotency.fingerprint(caller, "POST", f"{PATH_START}{application}{PATH_END}", raw)
                use = self._idempotency.use(caller, key, fingerprint)
                receipt, is_replay = await self.intake.publish_keyed(application, raw, use)
        except HookspanError as error:
            await self._refuse(application, error, send)
        except _Gone:
            return
        except Exception:
            request_id = new_request_id()
            log.exception("publish failed", request_id=request_id, application=application)
            await self._refuse(application, HookspanError(), send, request_id)
        else:
            await self._accept(receipt, send, is_replay=is_replay)
            if self._is_logged:
                duration_ms = (time.perf_counter() - started_s) * 1000
                log.debug("publish", application=application, status=202, duration_ms=round(duration_ms, 3))

    async def _accept(self, receipt: Receipt, send: Send, *, is_replay: bool) -> None:
        body = self._batch_body(receipt) if isinstance(receipt, list) else _receipt_body(receipt)
        start = self._starts.get(len(body)) or self._make_start(len(body))
        if is_replay:
            start = {**start, "headers": [*start["headers"], _REPLAYED]}
        self._tally.accepted()
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _make_start(self, length: int) -> Message:
        start = {
            "type": "http.response.start",
            "status": 202,
            "headers": [_JSON, (b"content-length", b"%d" % length)],
        }
        if len(self._starts) < STARTS_MAX:
            self._starts[length] = start
        return start

    def _batch_body(self, receipt: list[Published | HookspanError]) -> bytes:
        request_id = ""
        members: list[bytes] = []
        for one in receipt:
            if isinstance(one, HookspanError):
                request_id = request_id or new_request_id()
                self._tally.refused_because(one.code)
                members.append(b'{"error":%s}' % msgspec.json.encode(problem_members(one, request_id)))
            else:
                members.append(_receipt_body(one))
        return b'{"data":[%s]}' % b",".join(members)

    async def _refuse(self, application: str, error: HookspanError, send: Send, request_id: str = "") -> None:
        headers, body = self._refusal(application, error, request_id or new_request_id())
        await answer(send, error.status, headers, body)

    def _refusal(self, application: str | None, error: HookspanError, request_id: str) -> tuple[Headers, bytes]:
        """Count a refusal, log it, and say it."""
        self._tally.refused(error)
        is_ours = error.status >= 500  # noqa: PLR2004 - our side's errors
        if self._tally.is_worth_a_line(error) if is_ours else self._logs_refusals:
            what = "request refused" if application is None else "publish refused"
            line = {"code": error.code, "detail": error.detail, "request_id": request_id}
            (log.warning if is_ours else log.info)(what, application=application, status=error.status, **line)
        headers: Headers = [(b"content-type", CONTENT_TYPE), *problem_headers(error)]
        headers.append((b"x-request-id", request_id.encode()))
        return headers, problem_body(error, request_id)


class _Gone(Exception):  # no error: the publisher went away before its body was whole
    pass


def _lines(headers: Headers) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)


def _receipt_body(receipt: Published) -> bytes:
    if receipt.publisher_id is None:
        return b'{"id":"%s","publisher_id":null}' % receipt.id.encode()
    return b'{"id":"%s","publisher_id":%s}' % (receipt.id.encode(), msgspec.json.encode(receipt.publisher_id))


def _check_head(headers: Headers, query: bytes) -> str | None:
    """What can be refused before the body is read. The Idempotency-Key, where there is one."""
    if query:
        raise InvalidRequest("Publishing takes no query parameters.")
    for name, value in headers:
        if name == b"content-length" and (len(value) > 7 or int(value) > BODY_BYTES_MAX):  # noqa: PLR2004 - 7 digits
            raise _too_large()
    return sent_idempotency_key(headers)


def _too_large() -> TooLarge:
    return TooLarge(f"The body is larger than {BODY_BYTES_MAX:,} bytes: send smaller batches.", limit=BODY_BYTES_MAX)


async def _whole_body(first: bytes, receive: Receive) -> bytes:
    """The body in all its parts. Raises TooLarge, InvalidRequest when it is too slow, _Gone when its sender left."""
    parts = [first]
    size = len(first)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            is_more = True
            while is_more and size <= DRAIN_BYTES_MAX:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                part = message.get("body", b"")
                is_more = message.get("more_body", False)
                size += len(part)
                if size <= BODY_BYTES_MAX:
                    parts.append(part)
                else:
                    parts.clear()
    except TimeoutError:
        raise InvalidRequest(f"The body did not come within {BODY_TIMEOUT_S:.0f} s.") from None
    if size > BODY_BYTES_MAX:
        raise _too_large()
    return b"".join(parts)
