# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""A network on which one deadline runs over a whole request, from the connect to the last byte.

The library's own timeouts begin anew with each piece that arrives; a server that sends a byte now and then would hold
a call for ever.
"""

import contextlib
import ssl
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import httpcore

_ends_at_s: ContextVar[float | None] = ContextVar("hookspan.client.deadline", default=None)


@contextlib.contextmanager
def deadline(timeout_s: float) -> Iterator[None]:
    """Until the end of the block, the network of this thread has `timeout_s` all in all."""
    token = _ends_at_s.set(time.monotonic() + timeout_s)
    try:
        yield
    finally:
        _ends_at_s.reset(token)


def _left_s(timeout_s: float | None, over: type[Exception]) -> float | None:
    ends_at_s = _ends_at_s.get()
    if ends_at_s is None:
        return timeout_s
    left_s = ends_at_s - time.monotonic()
    if left_s <= 0:
        raise over("The deadline has passed.")
    return left_s if timeout_s is None else min(timeout_s, left_s)


class TimedStream(httpcore.NetworkStream):
    """One connection."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left_s(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left_s(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left_s = _left_s(timeout, httpcore.ConnectTimeout)
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, left_s))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class TimedBackend(httpcore.NetworkBackend):
    """Opens connections."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left_s = _left_s(timeout, httpcore.ConnectTimeout)
        return TimedStream(self._backend.connect_tcp(host, port, left_s, local_address, socket_options))
