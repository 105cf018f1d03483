"""Every refusal as an RFC 9457 problem document."""

from typing import Any

import msgspec
from litestar.exceptions import HTTPException, ValidationException

from hookspan.errors import (
    Fault,
    HookspanError,
    InvalidJson,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    TooLarge,
)
from hookspan.explain_json import say_at
from hookspan.jsontext import escape_pointer

BODY_BYTES_MAX = 1024 * 1024  # of everything but publishing
CONTENT_TYPE = b"application/problem+json"
CODE = "hookspan.code"  # in the scope of a request that was refused
TYPE_PREFIX = "urn:hookspan:problem:"
# Parameters whose name is taken in the framework: as handlers call them, as requests do.
_SPELT = {"in_state": "state", "if_match": "If-Match"}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was refused. `code` is stable; further members depend on it (`limit`, `allowed`, `index`)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[Fault] | msgspec.UnsetType = msgspec.UNSET


def problem_members(error: HookspanError, request_id: str) -> dict[str, Any]:
    """The members of the document for `error`. What is not ours to refuse is an internal error without a word more."""
    members: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "request_id": request_id,
    }
    if error.errors:
        members["errors"] = error.errors
    return members | {name: value for name, value in error.data.items() if name not in members}


def problem_body(error: HookspanError, request_id: str) -> bytes:
    return msgspec.json.encode(problem_members(error, request_id))


def problem_headers(error: HookspanError) -> list[tuple[bytes, bytes]]:
    """Headers that the refusal itself asks for."""
    headers = [(b"cache-control", b"no-store")]
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % retry_after_s))
    if error.status == 401:  # noqa: PLR2004 - Unauthorized, RFC 9110 11.6.1
        headers.append((b"www-authenticate", b'Bearer realm="hookspan"'))
    return headers


def refuse_method(allowed: list[str]) -> MethodNotAllowed:
    """`allowed` are the methods that there are."""
    return MethodNotAllowed(f"Use one of: {', '.join(sorted(allowed))}.", allowed=sorted(allowed))


def translate(error: Exception) -> HookspanError:
    """Any exception of a route as a refusal of ours; what nobody foresaw becomes a bare internal error."""
    if isinstance(error, HookspanError):
        return error
    if isinstance(error, ValidationException):
        return _explain_parameters(error)
    if isinstance(error, HTTPException):
        return _of_framework(error)
    return HookspanError("The request failed for a reason that is ours. The log has it under this request_id.")


def _of_framework(error: HTTPException) -> HookspanError:
    match error.status_code:
        case 404:
            return NotFound("There is nothing at this address.")
        case 405:
            return refuse_method((error.headers or {}).get("allow", "").replace(",", " ").split())
        case 413:
            return TooLarge(f"The body is larger than {BODY_BYTES_MAX:,} bytes.", limit=BODY_BYTES_MAX)
        case status if 400 <= status < 500:  # noqa: PLR2004 - a client's error
            return InvalidRequest("The request is not understood.")
        case _:
            return HookspanError()


def _in_words(message: str) -> str:
    """`message` as in "must be a whole number", without what a parameter can't be (null) and always is (a text)."""
    said = say_at(message.replace(" | null", ""), "", None, "an object").removesuffix(", not a text")
    return f" {said}" if said.startswith("must ") else f": {said}"


def _explain_parameters(error: ValidationException) -> HookspanError:
    """Wrong query parameters and headers, as the framework found them."""
    faults: list[Fault] = []
    for one in error.extra if isinstance(error.extra, list) else []:
        if not isinstance(one, dict):
            continue
        name, source = str(one.get("key", "")), str(one.get("source", ""))
        name = _SPELT.get(name, name)
        if name == "data":
            return InvalidJson("The body is empty: send a JSON object.")
        where = source if source in {"body", "header"} else "query parameter"
        said = _in_words(str(one.get("message", "")))
        faults.append(Fault(f"/{escape_pointer(name)}", InvalidRequest.code, f"The {where} {name}{said}."))
    detail = " ".join(fault.detail for fault in faults) or "A parameter is missing or wrong."
    return InvalidRequest(detail, errors=tuple(faults))
