"""Reading JSON bodies strictly: no duplicate keys, no NaN, no unknown members; each refusal names the place."""
# ruff: noqa: ARG003 - the signatures of `JsonBody` are the framework's

from collections.abc import Generator
from typing import Any, ClassVar, TypeVar, cast

import msgspec
from litestar.dto import AbstractDTO, DTOFieldDefinition
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from hookspan import jsontext
from hookspan.api._problem import explain_validation
from hookspan.errors import InvalidJson

_T = TypeVar("_T")


def read_body(raw: bytes, shape: type[_T]) -> _T:
    """`raw` as `shape`. Raises InvalidJson, DuplicateKey, InvalidRequest, UnknownField."""
    jsontext.check(raw)
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise explain_validation(error) from None
    except msgspec.DecodeError as error:
        raise InvalidJson(f"The body is not a JSON object: {error}.") from None


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
