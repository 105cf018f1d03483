"""What the routes take beside a body: the ids in their path, filters, pages and versions."""

import re
from typing import Annotated, Any, Literal, get_args

from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter, PathParameter, QueryParameter, SkipValidation
from litestar.utils.signature import ParsedSignature

from hookspan import manage
from hookspan.errors import Fault, HookspanError, InvalidRequest, UnknownField
from hookspan.manage.inputs import LIMIT_DEFAULT, LIMIT_MAX, JobWord, Paging, State

_VERSION = re.compile(r'(?:W/)?"?([0-9]{1,18})"?', re.ASCII)

_SPACED_OFFSET = re.compile(r" (?=[0-9]{2}:[0-9]{2}$)", re.ASCII)

Desk = SkipValidation[NamedDependency[manage.Desk]]  # of the caller
Management = SkipValidation[NamedDependency[manage.Manage]]
Page = SkipValidation[NamedDependency[Paging]]
App = Annotated[str, PathParameter(description="The application's id.")]
WebhookId = Annotated[str, PathParameter(description="The webhook's id.")]
EventId = Annotated[str, PathParameter(description="The event's id.")]
KeyId = Annotated[str, PathParameter(description="The key's id.")]
PersonId = Annotated[str, PathParameter(description="The person's id.")]
SessionId = Annotated[str, PathParameter(description="The session's id.")]
JobId = Annotated[str, PathParameter(description="The job's id.")]
PauseId = Annotated[str, PathParameter(description="The pause's id.")]
DeliveryId = Annotated[str, PathParameter(description="The delivery's id.")]
Type = Annotated[str | None, QueryParameter(description="Only this event type.", max_length=255)]
Category = Annotated[str | None, QueryParameter(description="Only types of this category.", max_length=255)]
InState = Annotated[State | None, QueryParameter(name="state", description="Only deliveries in this state.")]
Since = Annotated[
    str | None, QueryParameter(description="RFC 3339, inclusive; its hour or day counts whole.", max_length=64)
]
Until = Annotated[
    str | None, QueryParameter(description="RFC 3339, exclusive; its hour or day counts whole.", max_length=64)
]
By = Annotated[Literal["hour", "day"], QueryParameter(description="In which parts.")]
OfApplication = Annotated[
    str | None, QueryParameter(name="application_id", description="Only of this application.", max_length=64)
]
OfWebhook = Annotated[str | None, QueryParameter(name="webhook_id", description="Only of this webhook.", max_length=64)]
InJobState = Annotated[JobWord | None, QueryParameter(name="state", description="Only jobs in this state.")]
IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", description="The `version` that must still be in force, else 412.", max_length=32),
]


async def provide_page(
    limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="How many at most.")] = LIMIT_DEFAULT,
    cursor: Annotated[str | None, QueryParameter(description="`next` of the page before.", max_length=64)] = None,
    since: Annotated[str | None, QueryParameter(description="RFC 3339, inclusive.", max_length=64)] = None,
    until: Annotated[str | None, QueryParameter(description="RFC 3339, exclusive.", max_length=64)] = None,
) -> Paging:
    """The part of a list that is asked for."""
    return Paging(
        limit=limit,
        cursor=cursor,
        since=with_plus(since),
        until=with_plus(until),
    )


def with_plus(text: str | None) -> str | None:
    """A time's offset as it was meant: the plus sign of a client that forgot to escape it has become a space."""
    return text and _SPACED_OFFSET.sub("+", text)


def version_of(if_match: str | None) -> int | None:
    """The version that an If-Match header names: `"3"`, `3`; None for none and for `*`. Raises InvalidRequest."""
    if if_match is None or if_match.strip() == "*":
        return None
    match = _VERSION.fullmatch(if_match.strip())
    if match is None:
        raise _wrong(InvalidRequest, "If-Match", 'If-Match must be one version, such as "3".')
    return int(match[1])


class QueryCheck:
    """A guard that refuses query parameters which the route does not name: a typo in a filter must not list all."""

    def __init__(self) -> None:
        self._known: dict[BaseRouteHandler, dict[str, tuple[Any, ...]]] = {}

    def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        query = connection.query_params
        if not query:
            return
        known = self._known.get(handler)
        if known is None:
            known = self._known[handler] = _query_parameters(handler)
        for name in query:
            if name not in known:
                there_are = ", ".join(sorted(known)) or "none"
                raise _wrong(
                    UnknownField, name, f"There is no query parameter {name[:80]!r} here; there are: {there_are}."
                )
            if len(query.getall(name)) > 1:
                raise _wrong(InvalidRequest, name, f"The query parameter {name} is given twice.")
            value, kinds = query[name], known[name]
            words = [one for one in kinds if isinstance(one, str)]
            if words and value not in words:
                raise _wrong(InvalidRequest, name, f"{name} can't be {value[:80]!r}; there are: {', '.join(words)}.")
            if value.lower() == "null" and str not in kinds:  # the framework would take it for absent
                raise _wrong(InvalidRequest, name, f"The query parameter {name} can't be null: leave it out.")


def _query_parameters(handler: BaseRouteHandler) -> dict[str, tuple[Any, ...]]:
    """The route's query parameters by name, each with its types, or its words."""
    fields = dict(ParsedSignature.from_fn(handler.fn, {}).parameters)
    if "page" in fields:
        fields |= ParsedSignature.from_fn(provide_page, {}).parameters
    found: dict[str, tuple[Any, ...]] = {}
    for name, field in fields.items():
        definition = field.kwarg_definition
        if isinstance(definition, QueryParameter):
            found[definition.name or name] = _kinds(field.annotation)
    return found


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """`str | None` gives (str, NoneType), a Literal its words."""
    inner = get_args(annotation)
    return tuple(kind for one in inner for kind in _kinds(one)) if inner else (annotation,)


def _wrong(kind: type[HookspanError], name: str, detail: str) -> HookspanError:
    return kind(detail, errors=(Fault(f"/{name}", kind.code, detail),))
