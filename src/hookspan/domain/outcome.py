"""What came of one HTTP request, and whose failure it is."""

import enum

import msgspec

_OK, _REDIRECT = 200, 300


class Owner(enum.IntEnum):
    """Three owners of failure, never mixed: only the receiver's spend attempts."""

    RECEIVER = 1
    US = 2  # out of sockets, the store is down
    PATH = 3  # DNS or the way out is down for everyone


class ErrorCode(enum.StrEnum):
    """Why no (complete) response came. Stable: shown in the API and counted in metrics."""

    BLOCKED_DESTINATION = "blocked_destination"
    DNS_FAILED = "dns_failed"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_FAILED = "connect_failed"
    TLS_FAILED = "tls_failed"
    TIMEOUT = "timeout"
    RESET = "reset"
    INVALID_RESPONSE = "invalid_response"
    RESPONSE_TOO_LARGE = "response_too_large"
    SHUTDOWN = "shutdown"  # we stopped before a response came
    NO_SOCKETS = "no_sockets"
    INTERNAL = "internal"


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The result of `egress.send`. Either `status` is set, or `error` and `error_message` are, never both.

    `headers` are the raw header lines as received (capped, without the status line), `body` the beginning of the
    body (capped); `body_bytes` counts what was read of it. `duration_us` covers DNS to last byte.
    """

    started_at: int
    duration_us: int
    status: int | None = None
    headers: bytes = b""
    body: bytes = b""
    body_bytes: int = 0
    is_truncated: bool = False
    retry_after: str | None = None  # the header's text; domain.retry reads and clamps it
    remote_address: str | None = None
    error: ErrorCode | None = None
    error_message: str | None = None
    owner: Owner = Owner.RECEIVER
    is_resent: bool = False  # a reused connection had died, so the request was sent a second time, silently

    @property
    def is_success(self) -> bool:
        """Any 2xx. A 3xx is a failure, for redirects are never followed."""
        return self.status is not None and _OK <= self.status < _REDIRECT
