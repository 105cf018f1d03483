"""The same refusals as everywhere, in the words and shapes of Bridge's Webhooks API."""

from typing import Literal

import msgspec

from hookspan.api.v0._shapes import BridgeError, BridgeFault, BridgeFaults, BridgeSource
from hookspan.errors import (
    Fault,
    HookspanError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    Unauthenticated,
)

Place = Literal["path", "query", "body", "header"]

MISSING_KEY = "Missing Api-Key header"
INVALID_KEY = "Invalid Api-Key header"
IDEMPOTENCY_KEY = "Idempotency-Key"
_CHECK_THESE = "Please resubmit the following parameters that are either missing or invalid."
# Members as management calls them, as they are called here.
_SPELT = {"events": "event_categories", "older_than": "starting_after", "newer_than": "ending_before"}
_PLACES: dict[str, Place] = {
    "limit": "query",
    "starting_after": "query",
    "ending_before": "query",
    "category": "query",
    IDEMPOTENCY_KEY: "header",
}


def wrong(faults: dict[str, str]) -> InvalidRequest:
    """A refusal of parameters: what is wrong, by name."""
    code = InvalidRequest.code
    return InvalidRequest(
        " ".join(f"{name}: {reason}" for name, reason in faults.items()),
        errors=tuple(Fault(f"/{name}", code, reason) for name, reason in faults.items()),
    )


def refusal(error: HookspanError) -> tuple[int, bytes]:
    """The status and the body that `error` is answered with."""
    body: msgspec.Struct
    status = error.status
    match error:
        case Unauthenticated():
            code = "required" if error.detail == MISSING_KEY else "invalid"
            message = error.detail if code == "required" else INVALID_KEY
            body = BridgeError(code=code, message=message, location="header", name="Api-Key")
        case NotFound():
            body = BridgeError(code="Invalid", message=f"Unknown {error.what} id" if error.what else error.detail)
        case MethodNotAllowed():
            body = BridgeError(code="Invalid", message=error.detail)
        case _ if error.code == "idempotency_conflict":
            status = 400
            body = BridgeError(code="duplicate_record", message=error.detail, source=_source(IDEMPOTENCY_KEY, error))
        case TooLarge():
            body = BridgeError(code="invalid_parameters", message=error.detail)
        case _ if error.code in {"idempotency_running", "idempotency_answer_gone"}:
            body = BridgeError(code="duplicate_record", message=error.detail, source=_source(IDEMPOTENCY_KEY, error))
        case _ if status in {400, 409}:
            status, body = 400, _parameters(error)
        case _ if status >= 500:  # noqa: PLR2004 - our side's errors
            code = "unexpected" if status == 500 else error.code  # noqa: PLR2004
            body = BridgeFaults([BridgeFault(code, error.detail)])
        case _:
            body = BridgeError(code=error.code, message=error.detail)
    return status, msgspec.json.encode(body)


def _parameters(error: HookspanError) -> BridgeError:
    """Of 400s, and of conflicts: what the documentation does not name is a wrong parameter too."""
    key: dict[str, str] = {}
    for fault in error.errors:
        name = fault.pointer.removeprefix("/").partition("/")[0]
        name = _SPELT.get(name, name) or "body"
        key.setdefault(name, fault.detail)
    key = key or {"body": error.detail}
    place = _PLACES.get(next(iter(key)), "body")
    message = error.detail if place == "header" else _CHECK_THESE
    return BridgeError(code="invalid_parameters", message=message, source=BridgeSource(place, key))


def _source(name: str, error: HookspanError) -> BridgeSource:
    return BridgeSource(_PLACES.get(name, "body"), {name: error.detail})
