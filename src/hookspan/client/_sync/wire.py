# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""Requests out, answers in: a bounded pool of connections, and tries."""

import random
import ssl
from collections.abc import Callable
from typing import TypeVar

import httpcore

from hookspan import __version__
from hookspan.client._answer import ANSWER_BYTES_MAX, Answer, read
from hookspan.client._errors import ClientError, TimedOut, UnexpectedAnswer, Unreachable, Untrusted
from hookspan.client._request import Base, Call, check_key, read_base
from hookspan.client._retry import Retry, Tries
from hookspan.client._sync.backend import TimedBackend, deadline

T = TypeVar("T")
IDLE_S = 4.0  # shorter than servers keep a connection that is not used, so that they are not met while closing it
_NOT_SENT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout)


class Wire:
    """One server. Any number of threads may use it at once."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_s: float,
        retry: Retry,
        ca_file: str | None,
        connections_max: int,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
    ) -> None:
        if timeout_s <= 0 or connections_max < 1:
            raise ValueError("timeout_s must be above 0, connections_max at least 1.")
        self.base: Base = read_base(base_url)
        self._headers = [
            (b"authorization", b"Bearer " + check_key(key)),
            (b"content-type", b"application/json"),
            (b"accept-encoding", b"identity"),
            (b"user-agent", b"hookspan-client/" + __version__.encode()),
        ]
        self._timeout_s = timeout_s
        self._retry = retry
        self._sleep = sleep
        self._monotonic = monotonic
        self._is_closed = False
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(ca_file) if self.base.scheme == "https" else None,
            max_connections=connections_max,
            max_keepalive_connections=connections_max,
            keepalive_expiry=IDLE_S,
            network_backend=TimedBackend(),
        )

    def close(self) -> None:
        """Close all connections. What is under way fails."""
        self._is_closed = True
        self._pool.close()

    def run(self, call: Call[T]) -> T:
        """The answer to `call`, after as many tries as it takes and is allowed. Raises ClientError."""
        tries = Tries(self._retry, call.repeat, self._monotonic, random.random)
        while True:
            try:
                return read(call, self._exchange(call), self.base.shown)
            except ClientError as error:
                wait_s = tries.wait_s(error)
                if wait_s is None:
                    raise
            self._sleep(wait_s)

    def _exchange(self, call: Call[T]) -> Answer:
        """One request and its whole answer."""
        if self._is_closed:
            raise RuntimeError("This client was closed.")
        base = self.base
        url = httpcore.URL(
            scheme=base.scheme.encode(),
            host=base.host.encode(),
            port=base.port,
            target=(base.prefix + call.path).encode(),
        )
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s)
        try:
            with (
                deadline(self._timeout_s),
                self._pool.stream(
                    call.method,
                    url,
                    headers=[*self._headers, *call.headers],
                    content=call.body,
                    extensions={"timeout": timeouts},
                ) as response,
            ):
                return Answer(response.status, self._body(response), _retry_after(response.headers))
        except httpcore.TimeoutException as error:
            detail = f"{base.shown} gave no whole answer within {self._timeout_s:g} s."
            raise TimedOut(detail, is_in_doubt=not isinstance(error, _NOT_SENT)) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            reason = str(error).rstrip(".") or "the connection ended"
            if _is_distrust(error):
                raise Untrusted(f"The certificate of {base.shown} is not accepted: {reason}.") from error
            detail = f"No answer from {base.shown}: {reason}. Is Hookspan running there?"
            raise Unreachable(detail, is_in_doubt=not isinstance(error, _NOT_SENT)) from error

    def _body(self, response: httpcore.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_stream():
            size += len(part)
            if size > ANSWER_BYTES_MAX:
                detail = f"{self.base.shown} answered with more than {ANSWER_BYTES_MAX:,} bytes."
                raise UnexpectedAnswer(detail, status=response.status)
            parts.append(part)
        return b"".join(parts)


def _retry_after(headers: list[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name.lower() == b"retry-after":
            return value.decode("latin-1")
    return None


def _is_distrust(error: BaseException | None) -> bool:
    """Whether a certificate is at the root of it."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _tls(ca_file: str | None) -> ssl.SSLContext:
    """Certificates are verified against the system's authorities, and those in `ca_file` beside them."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
