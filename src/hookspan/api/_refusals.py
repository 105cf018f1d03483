"""Which refusals each operation of the API can give, for its document. A new operation needs an entry.

What follows from an operation's form (a body, a page, an id in the path, a POST) is derived; `OWN` has the rest.
"""

from typing import Any

from hookspan import errors
from hookspan.errors import HookspanError

Refusals = tuple[type[HookspanError], ...]

_EVERY: Refusals = (
    errors.Unauthenticated,
    errors.NotAllowed,
    errors.InvalidRequest,
    errors.UnknownField,
    errors.Overloaded,
    errors.StoreUnavailable,
    HookspanError,
)
_BODY: Refusals = (errors.InvalidJson, errors.DuplicateKey, errors.TooLarge)
_PAGE: Refusals = (errors.InvalidCursor,)
_POST: Refusals = (
    errors.DiskFull,
    errors.IdempotencyConflict,
    errors.IdempotencyRunning,
    errors.IdempotencyAnswerGone,
    errors.RateLimited,
)
_URL: Refusals = (errors.InvalidUrl, errors.HttpsRequired, errors.BlockedDestination)
_WEBHOOK: Refusals = (
    *_URL,
    errors.InvalidCertificate,
    errors.InvalidCredential,
    errors.UnknownEventType,
    errors.UnknownProfile,
    errors.StateForbidden,
)
_CHANGE: Refusals = (errors.ChangedMeanwhile, errors.StateForbidden)

OWN: dict[str, Refusals] = {
    "create_application": (*_URL, errors.UnknownProfile, errors.StateForbidden),
    "list_applications": (),
    "get_application": (),
    "change_application": (*_URL, errors.UnknownProfile, errors.StateForbidden),
    "delete_application": (),
    "publish_events": (
        errors.UnknownEventType,
        errors.SchemaMismatch,
        errors.EventIdConflict,
    ),
    "publish_sample": (errors.UnknownEventType,),
    "list_events": (),
    "get_event": (),
    "create_webhook": (*_WEBHOOK, errors.WebhookLimit),
    "list_webhooks": (),
    "get_webhook": (),
    "change_webhook": (*_WEBHOOK, *_CHANGE, errors.CredentialsNeededAgain),
    "delete_webhook": _CHANGE,
    "rotate_secret": (errors.NotRotatable, errors.InvalidCredential, *_CHANGE),
    "test_webhook": (errors.NoTestEvent, errors.UnknownEventType, errors.StateForbidden),
    "send_event": (errors.StateForbidden,),
    "start_replay": (errors.UnknownEventType, errors.StateForbidden),
    "list_upcoming": (),
    "list_attempts": (),
    "list_webhook_deliveries": (),
    "list_deliveries": (),
    "get_delivery": (),
    "retry_delivery": (errors.StateForbidden,),
    "cancel_delivery": (errors.StateForbidden,),
    "list_jobs": (errors.NotFound,),
    "get_job": (),
    "cancel_job": (errors.StateForbidden,),
    "create_pause": (errors.UnknownProfile, errors.StateForbidden, errors.NotFound),
    "list_pauses": (),
    "end_pause": (),
    "list_audit": (),
    "get_application_stats": (),
    "get_webhook_stats": (),
    "get_stats": (),
    "get_notify": (),
    "test_notify": (errors.StateForbidden,),
    "list_profiles": (),
    "list_event_types": (),
    "create_key": (errors.AccessLimit, errors.NotFound),
    "list_keys": (),
    "revoke_key": (),
    "invite_person": (errors.AccessLimit, errors.NotFound),
    "list_people": (),
    "change_person": (),
    "remove_person": (),
    "make_link": (),
    "open_session": (errors.RateLimited,),
    "list_sessions": (),
    "end_session": (),
    "create_portal_session": (errors.AccessLimit,),
    "list_portal_sessions": (),
    "end_portal_session": (),
}


def refusals(operation: dict[str, Any], path: str, method: str) -> Refusals:
    """All that this operation may refuse, by status and code. Raises KeyError for one without an entry."""
    own = OWN[operation["operationId"]]
    names = {one["name"] for one in operation.get("parameters", ())}
    found = {*_EVERY, *own}
    if "requestBody" in operation or method == "post":
        found.update(_BODY)
    if method == "post":
        found.update(_POST)
    if method != "get":
        found.add(errors.RateLimited)
    if "cursor" in names:
        found.update(_PAGE)
    if "{" in path:
        found.add(errors.NotFound)
    return tuple(sorted(found, key=lambda one: (one.status, one.code)))


def responses(operation: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    """The operation's refusals as responses, one for each status, with an example of each code."""
    by_status: dict[int, list[type[HookspanError]]] = {}
    for one in refusals(operation, path, method):
        by_status.setdefault(one.status, []).append(one)
    return {str(status): _response(found) for status, found in by_status.items()}


def _response(found: list[type[HookspanError]]) -> dict[str, Any]:
    content = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {one.code: {"$ref": f"#/components/examples/{one.code}"} for one in found},
    }
    lines = [f"`{one.code}`: {_help(one)}" for one in found]
    response: dict[str, Any] = {
        "description": "\n\n".join(lines),
        "content": {"application/problem+json": content},
    }
    if any(hasattr(one, "retry_after_s") for one in found):
        response["headers"] = {
            "retry-after": {"description": "Seconds to wait.", "required": False, "schema": {"type": "string"}}
        }
    return response


def _help(error: type[HookspanError]) -> str:
    if error is HookspanError:
        return "The request failed for a reason that is ours; the log has it under its `request_id`."
    return " ".join((error.__doc__ or "").split())


def examples() -> dict[str, Any]:
    """A problem document of each code that is refused anywhere, for the document's components."""
    found: set[type[HookspanError]] = {*_EVERY, *_BODY, *_PAGE, *_POST, errors.NotFound}
    found.update(*OWN.values())
    return {one.code: {"summary": one.title, "value": _example(one)} for one in sorted(found, key=lambda one: one.code)}


def _example(error: type[HookspanError]) -> dict[str, Any]:
    return {
        "type": f"urn:hookspan:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": _help(error).replace("`", ""),
        "request_id": "req_6f1c0a4be4b1f0a2d3c4b5a6",
    }
