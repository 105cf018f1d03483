"""The part of the API's document that is about /v0."""

from typing import Any

import msgspec

from hookspan.api.v0 import _shapes as shapes
from hookspan.api.v0._reading import LIMIT_DEFAULT, LIMIT_MAX
from hookspan.api.v0._refusals import IDEMPOTENCY_KEY

TAG = "Bridge's Webhooks API"
_SHAPES = "#/components/schemas/"
_CATEGORY = ("category", {"type": "string"}, "Only events of this category.")
_WINDOW = (
    ("limit", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT}, "How many at most."),
    ("starting_after", {"type": "string"}, "The id of an event: those that are older."),
    ("ending_before", {"type": "string"}, "The id of an event: those that are newer. Not with `starting_after`."),
    _CATEGORY,
)
_WRONG = (
    "`invalid_parameters`: `source` names each wrong parameter. `duplicate_record`: the same `Idempotency-Key` came "
    "with another request."
)


class _Call(msgspec.Struct, frozen=True):
    status: str
    answer: type[msgspec.Struct]
    body: type[msgspec.Struct] | None = None
    query: tuple[tuple[str, dict[str, Any], str], ...] = ()


CALLS = {
    "bridge_list_webhooks": _Call("200", shapes.BridgeWebhookList),
    "bridge_create_webhook": _Call("201", shapes.BridgeWebhook, shapes.BridgeCreateWebhook),
    "bridge_change_webhook": _Call("200", shapes.BridgeWebhook, shapes.BridgeChangeWebhook),
    "bridge_delete_webhook": _Call("200", shapes.BridgeWebhook),
    "bridge_list_upcoming": _Call("200", shapes.BridgeUpcoming, query=(_CATEGORY,)),
    "bridge_send_event": _Call("200", shapes.BridgeSent, shapes.BridgeSendEvent),
    "bridge_list_logs": _Call("200", shapes.BridgeLogList),
    "bridge_list_events": _Call("200", shapes.BridgeEventList, query=_WINDOW),
}
_REFUSALS: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "400": (_WRONG, shapes.BridgeError),
    "401": ("`required` or `invalid`: no key of an application that speaks this API.", shapes.BridgeError),
    "403": ("The key may look only.", shapes.BridgeError),
    "500": ("`unexpected`: a mistake of ours.", shapes.BridgeFaults),
    "503": ("Not now; see the header Retry-After.", shapes.BridgeFaults),
}


def finish(operation: dict[str, Any], method: str) -> None:
    """Make an operation as the framework described it whole."""
    call = CALLS[operation["operationId"]]
    is_post = call.body is not None and operation["operationId"] != "bridge_change_webhook"
    path = [one for one in operation.get("parameters", ()) if one["in"] == "path"]
    query = [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": words}
        for name, schema, words in call.query
    ]
    operation["parameters"] = path + query
    operation["security"] = [{"apiKey": []}]
    if call.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(call.body)}
    responses = {call.status: {"description": call.answer.__doc__, "content": _json(call.answer)}}
    for status, (words, shape) in _REFUSALS.items():
        responses[status] = {"description": words, "content": _json(shape)}
    if path:
        responses["404"] = {
            "description": "`Invalid`: no such webhook, or it was deleted.",
            "content": _json(shapes.BridgeError),
        }
    if method != "get":
        responses["429"] = {
            "description": "`rate_limited`: too many changes in a short time; see the header Retry-After.",
            "content": _json(shapes.BridgeError),
        }
    if call.body is not None:
        responses["413"] = {"description": "The body is too large.", "content": _json(shapes.BridgeError)}
    if is_post:
        operation["parameters"].append(
            {
                "name": IDEMPOTENCY_KEY,
                "in": "header",
                "required": True,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "A text of your own for this request, new for each: the same again within 24 hours "
                "gives the same answer and does nothing.",
            }
        )
        for status, words in (
            ("409", "A request with this `Idempotency-Key` is under way."),
            ("422", "The `Idempotency-Key` is older than 24 hours."),
        ):
            responses[status] = {"description": words, "content": _json(shapes.BridgeError)}
    operation["responses"] = dict(sorted(responses.items()))


def _json(shape: type[msgspec.Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"{_SHAPES}{shape.__name__}"}}}
