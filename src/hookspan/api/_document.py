"""The OpenAPI 3.1 document: paths as the framework knows its routes, shapes as msgspec knows its Structs, and the
publish route, which is beside the framework.
"""

import datetime
import inspect
from typing import Any

import msgspec

from hookspan.api import v0
from hookspan.api._problem import Problem
from hookspan.api._refusals import examples as refusal_examples
from hookspan.api._refusals import responses as refused
from hookspan.api._service import Alive, Readiness
from hookspan.api._who import who_may
from hookspan.api._words import describe, illustrate
from hookspan.errors import Fault
from hookspan.manage import inputs, views

_SHAPES = "#/components/schemas/"
_PUBLISH_PATH = "/v1/applications/{app}/events"
# Operations whose body may be absent: they read it by `_body.read_optional`, so the framework knows nothing of it.
OPTIONAL_BODIES = {
    "publish_sample": "PublishSample",
    "rotate_secret": "RotateSecret",
    "test_webhook": "SendTest",
    "make_link": "MakeLink",
    "create_portal_session": "CreatePortalSession",
}
KEYLESS = frozenset({"open_session"})  # below /v1, and yet without a key
_DONE = {"200": "Done.", "201": "Created.", "202": "Kept durably.", "204": "Done; there is nothing to say."}
_KEYS: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "Api-Key"},
}
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    "description": (
        "A text of your own under which this request may be sent again for 24 hours: it has its effect once, and gets "
        "the first answer again (with `idempotency-replayed: true`, secrets in it null)."
    ),
}
_INTRODUCTION = """\
Publish an event once; Hookspan keeps it, finds the webhooks that asked for it, signs it, delivers it, retries it, and
shows what happened.

Times are RFC 3339 UTC with milliseconds. Lists are `{"data": […], "next": cursor|null}`, newest first. Errors are
RFC 9457 problem documents with a stable `code`. Unknown members and query parameters are refused.

Every answer has its name in the header `x-request-id`, the same as the `request_id` of a problem document and of the
log; only a publish that was accepted (202) has none.
"""


class PublishEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event. `content` is the object that the event is about, kept and sent as it is written; `context` carries
    what the profile's body asks for beside it. The same `publisher_id` again is the same event.
    """

    type: str
    content: msgspec.Raw
    publisher_id: str | None = None
    context: msgspec.Raw | None | msgspec.UnsetType = msgspec.UNSET  # noqa: RUF036 - as in the other inputs
    occurred_at: datetime.datetime | None = None


class Refused(msgspec.Struct, frozen=True):
    """An event of a batch that was not kept; the others were."""

    error: Problem


class AcceptedBatch(msgspec.Struct, frozen=True):
    """One member for each event of the batch, in the same order."""

    data: list[views.Accepted | Refused]


def _structs() -> list[type]:
    found = [
        one
        for module in (views, inputs)
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, msgspec.Struct) and one.__module__.startswith(module.__name__)
    ]
    return [*found, Alive, Readiness, Problem, Fault, PublishEvent, Refused, *v0.SHAPES]


def complete(document: dict[str, Any], *, version: str) -> dict[str, Any]:
    """`document` as the framework made it, finished."""
    structs = [one for one in _structs() if one not in {views.View, inputs.Input}]
    _, shapes = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    shapes["AcceptedBatch"] = _accepted_batch()
    describe(shapes)
    document["info"] = {"title": "Hookspan", "version": version, "description": _INTRODUCTION}
    document["components"] = {
        "schemas": dict(sorted(shapes.items())),
        "examples": refusal_examples(),
        "securitySchemes": _KEYS,
    }
    document.pop("servers", None)
    document["paths"].setdefault(_PUBLISH_PATH, {})["post"] = _publish_operation()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _finish(path, method, operation)
    used = _references(document["paths"])
    while True:
        more = used | {name for one in used for name in _references(shapes[one])}
        if more == used:
            break
        used = more
    document["components"]["schemas"] = {name: shape for name, shape in sorted(shapes.items()) if name in used}
    return document


def _finish(path: str, method: str, operation: dict[str, Any]) -> None:
    """Words, errors and keys, the same for every route."""
    responses = operation["responses"]
    responses.pop("400", None)
    if operation["operationId"] in OPTIONAL_BODIES:
        shape = {"$ref": f"#/components/schemas/{OPTIONAL_BODIES[operation['operationId']]}"}
        operation["requestBody"] = {"required": False, "content": {"application/json": {"schema": shape}}}
    operation.pop("deprecated", None)
    operation["summary"] = operation["description"].partition("\n\n")[0].replace("\n", " ")
    operation["parameters"] = [_parameter(one) for one in operation.get("parameters", [])]
    for status, response in responses.items():
        response["description"] = _DONE.get(status, response["description"])
        response.pop("headers", None)
    if v0.is_below(path):
        v0.finish(operation, method)
        return
    if not path.startswith("/v1/"):
        if path == "/readyz":
            responses["503"] = {**responses["200"], "description": "Not ready; `reason` says why."}
        return
    operation["description"] += f"\n\n{who_may(operation['operationId'])}"
    if method == "post" and operation["operationId"] not in KEYLESS:
        operation["parameters"].append(IDEMPOTENCY_KEY)
    operation["security"] = [] if operation["operationId"] in KEYLESS else [{"bearer": []}, {"apiKey": []}]
    illustrate(operation)
    responses.update(refused(operation, path, method))


def _parameter(one: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or it is not; it is never null. Bounds of whole numbers are whole."""
    schema = {name: value for name, value in one["schema"].items() if name != "description"}
    for kind in schema.pop("oneOf", ()):
        if kind.get("type") != "null":
            schema |= kind
    if "enum" in schema:
        schema |= {"type": "string", "enum": [value for value in schema["enum"] if value is not None]}
    schema |= {name: int(schema[name]) for name in ("minimum", "maximum") if name in schema}
    kept = {"name": one["name"], "in": one["in"], "required": one["required"], "schema": schema}
    return kept | ({"description": one["description"]} if one.get("description") else {})


def _accepted_batch() -> dict[str, Any]:
    members = [{"$ref": "#/components/schemas/Accepted"}, {"$ref": "#/components/schemas/Refused"}]
    return {
        "title": "AcceptedBatch",
        "description": AcceptedBatch.__doc__,
        "type": "object",
        "properties": {"data": {"type": "array", "items": {"anyOf": members}}},
        "required": ["data"],
    }


def _publish_operation() -> dict[str, Any]:
    one = {"$ref": "#/components/schemas/PublishEvent"}
    kept = {"anyOf": [{"$ref": "#/components/schemas/Accepted"}, {"$ref": "#/components/schemas/AcceptedBatch"}]}
    return {
        "tags": ["Events"],
        "operationId": "publish_events",
        "description": (
            "Publish one event, or an array of at most 1,000.\n\nThe answer comes when they are kept durably. Of an "
            "array, events that are refused have their problem in the place of their id; the others are kept."
        ),
        "parameters": [
            {
                "name": "app",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": "The application's id.",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": 1000}]}
                }
            },
        },
        "responses": {"202": {"description": "Kept durably.", "content": {"application/json": {"schema": kept}}}},
    }


def _references(value: Any) -> set[str]:
    """Names of the shapes that are referred to."""
    if isinstance(value, dict):
        reference = value.get("$ref")
        own = set[str]()
        if isinstance(reference, str) and reference.startswith(_SHAPES):
            own = {reference.removeprefix(_SHAPES)}
        return own.union(*(_references(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(one) for one in value))
    return set()
