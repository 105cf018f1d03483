"""What a call of the client may raise. None of them ever carries the key, nor what was sent."""

from typing import Any

from hookspan.errors import Fault


class ClientError(Exception):
    """The base of all that goes wrong between this program and a Hookspan server.

    `code` is stable; `detail` is for people. `is_in_doubt`: whether the request may have been carried out all the same.
    `publisher_id` is that of an event that was published alone: sent again with it, it can't be doubled.
    """

    def __init__(self, detail: str, *, code: str, is_in_doubt: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.is_in_doubt = is_in_doubt
        self.status: int | None = None
        self.errors: tuple[Fault, ...] = ()
        self.request_id: str | None = None
        self.retry_after_s: int | None = None
        self.publisher_id: str | None = None


class Unreachable(ClientError):
    """No answer: nobody listens there, or the connection ended before the answer was whole."""

    def __init__(self, detail: str, *, is_in_doubt: bool, code: str = "unreachable") -> None:
        super().__init__(detail, code=code, is_in_doubt=is_in_doubt)


class TimedOut(Unreachable):
    """No whole answer in time; also when no connection of the pool became free in time."""

    def __init__(self, detail: str, *, is_in_doubt: bool) -> None:
        super().__init__(detail, is_in_doubt=is_in_doubt, code="timed_out")


class Untrusted(Unreachable):
    """The server's certificate is not one that this program believes; nothing was sent."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, is_in_doubt=False, code="untrusted")


class UnexpectedAnswer(ClientError):
    """An answer that no Hookspan server gives: a redirect, no JSON, another shape, larger than 16 MiB."""

    def __init__(self, detail: str, *, status: int) -> None:
        super().__init__(detail, code="unexpected_answer", is_in_doubt=True)
        self.status = status


class Refused(ClientError):
    """The server refused. `errors` names each wrong place of the input; `data` are the problem's further members, such
    as `limit` and `allowed`. Its subclasses go by the status.
    """

    status: int

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status: int,
        errors: tuple[Fault, ...] = (),
        request_id: str | None = None,
        retry_after_s: int | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{detail} ({status} {code})", code=code)
        self.detail = detail
        self.status = status
        self.errors = errors
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.data = data or {}


class Unauthenticated(Refused):
    """401: no such key, or it was revoked."""


class NotAllowed(Refused):
    """403: the key is valid but may not do this; `detail` names who may."""


class NotFound(Refused):
    """404: nothing there within reach of the key."""


class Conflict(Refused):
    """409: the state of things forbids it; `code` says which way."""


class ChangedMeanwhile(Refused):
    """412: it is not at the version that `if_match` names. Read it again."""


class Unavailable(Refused):
    """429 or 5xx: not now. It was tried again already, as often as the client's `Retry` allows."""


REFUSALS: dict[int, type[Refused]] = {
    401: Unauthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    412: ChangedMeanwhile,
    429: Unavailable,
}
SERVER_ERROR = 500


def refusal_of(status: int) -> type[Refused]:
    """The class for a status that is no success."""
    return REFUSALS.get(status, Unavailable if status >= SERVER_ERROR else Refused)
