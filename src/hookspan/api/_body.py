"""Reading JSON bodies strictly: no duplicate keys, no NaN, no unknown members; each refusal names the place."""
# ruff: noqa: ARG003 - the signatures of `JsonBody` are the framework's

import asyncio
from collections.abc import Generator
from typing import Any, ClassVar, TypeVar, cast

import msgspec
from litestar import Request
from litestar.dto import AbstractDTO, DTOFieldDefinition
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from hookspan import jsontext
from hookspan.api._asgi import Message, Receive
from hookspan.errors import InvalidJson, InvalidRequest
from hookspan.explain_json import explain_validation

BODY_TIMEOUT_S = 30.0  # for the whole of it

_T = TypeVar("_T")


def read_body(raw: bytes, shape: type[_T]) -> _T:
    """`raw` as `shape`. Raises InvalidJson, DuplicateKey, InvalidRequest, UnknownField."""
    jsontext.check(raw)
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise explain_validation(error, shape, raw) from None
    except msgspec.DecodeError as error:
        raise InvalidJson(f"The body is not a JSON object: {error}.") from None


async def read_optional(request: Request[Any, Any, Any], shape: type[_T]) -> _T:
    """For calls whose body may be absent: it is taken for `{}`. Raises as `read_body`. The document knows of them by
    `_document.OPTIONAL_BODIES`.
    """
    raw = await request.body()
    return read_body(raw if raw.strip() else b"{}", shape)


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """`{}`"""


async def read_nothing(request: Request[Any, Any, Any]) -> None:
    """For calls that take no body, or `{}`. Raises as `read_body`: what is said must not go unheard."""
    raw = await request.body()
    if raw.strip():
        read_body(raw, _Nothing)


class JsonBody(AbstractDTO[Any]):
    """Makes the framework read every body by `read_body` instead of its own, more lenient, way."""

    _shapes: ClassVar[dict[str, FieldDefinition]] = {}

    @classmethod
    def create_for_field_definition(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,
        backend_cls: object = None,
    ) -> None:
        if field_definition.name == "data":
            cls._shapes[handler_id] = field_definition

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Reference | Schema:
        return cast("Reference | Schema", schema_creator.for_field_definition(field_definition))

    def decode_bytes(self, value: bytes) -> Any:
        return read_body(value, self._shapes[self.asgi_connection.route_handler.handler_id].annotation)

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[DTOFieldDefinition, None, None]:
        """Never asked for: shapes are read by msgspec itself."""
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        return False


class TimedBody:
    """One request's `receive`, with an end to its patience: refuses a body that is too slow, or whose sender left."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._until_s: float | None = None
        self._is_whole = False
        self.is_late = False
        self.is_gone = False

    async def receive(self) -> Message:
        """As ASGI has it. Raises InvalidRequest."""
        if self._is_whole:
            return await self._receive()
        if self._until_s is None:
            self._until_s = asyncio.get_running_loop().time() + BODY_TIMEOUT_S
        try:
            async with asyncio.timeout_at(self._until_s):
                message = await self._receive()
        except TimeoutError:
            self.is_late = True
            raise InvalidRequest(f"The body did not come within {BODY_TIMEOUT_S:.0f} s.") from None
        if message["type"] == "http.disconnect":
            self.is_gone = True
            raise InvalidRequest("The body ended before it was whole.")
        self._is_whole = not message.get("more_body", False)
        return message
