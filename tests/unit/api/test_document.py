"""The OpenAPI document describes what there is."""

import types
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from hookspan.api import _document, _refusals, _words
from hookspan.api._app import create_app
from hookspan.api._who import WHO, WORDS
from hookspan.engine import publication
from hookspan.settings import Settings
from hookspan.telemetry import Counters
from tests.support.asgi import ask
from tests.support.walk import ROUTES

# Bodies that are left out in the examples, as one would.
EMPTY_BODIES = set(_document.OPTIONAL_BODIES)
pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def document() -> dict:
    nobody: Any = types.SimpleNamespace(callers=None, idempotency=None, rates=None)
    engine: Any = types.SimpleNamespace(intake=types.SimpleNamespace(publish=None), readiness=lambda: None)
    app = create_app(nobody, engine, Counters(), Settings(operator_key="k" * 20))
    return msgspec.json.decode((await ask(app, "GET", "/openapi.json")).body)


async def test_it_is_openapi_3_1(document):
    """With a title, a version and words."""
    assert document["openapi"].startswith("3.1")
    assert set(document["info"]) == {"title", "version", "description"}


async def test_every_operation_is_described(document):
    """A summary, words, a name of its own, its errors and who may."""
    names = []
    for path, item in document["paths"].items():
        for operation in item.values():
            names.append(operation["operationId"])
            assert operation["summary"].endswith((".", "otherwise."))
            assert operation["description"]
            if path.startswith("/v1/"):
                has_key = operation["operationId"] not in _document.KEYLESS
                assert operation["security"] == ([{"bearer": []}, {"apiKey": []}] if has_key else [])
                assert {"400", "401", "403", "500", "503"} <= set(operation["responses"])
                assert "default" not in operation["responses"]
                assert "404" in operation["responses"] or "{" not in path
    assert len(set(names)) == len(names)


async def test_every_reference_leads_somewhere(document):
    """And every shape is used."""
    shapes = document["components"]["schemas"]
    used = _document._references(document["paths"]) | _document._references(shapes)
    assert used == set(shapes)


async def test_publishing_is_described_as_it_is(document):
    """The document's event has the members that the engine reads, no more and no less."""
    shape = document["components"]["schemas"]["PublishEvent"]
    assert set(shape["properties"]) == set(publication._Input.__struct_fields__)
    assert shape["required"] == ["type", "content"]
    assert shape["additionalProperties"] is False
    assert document["paths"]["/v1/applications/{app}/events"]["post"]["responses"]["202"]


async def test_bodies_that_may_be_absent_are_described_so(document):
    """Each of them stands in the document, and its shape asks for nothing."""
    found = {
        operation["operationId"]: operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for item in document["paths"].values()
        for operation in item.values()
        if "requestBody" in operation and not operation["requestBody"]["required"]
    }
    assert {name: one.rpartition("/")[2] for name, one in found.items()} == _document.OPTIONAL_BODIES
    shapes = [document["components"]["schemas"][name] for name in _document.OPTIONAL_BODIES.values()]
    assert not any(shape.get("required") for shape in shapes)


async def test_unknown_members_are_refused_by_the_shapes(document):
    """Every input says so."""
    shapes = document["components"]["schemas"]
    inputs = ("CreateApplication", "ChangeApplication", "CreateWebhook", "ChangeWebhook", "SetAlsoSign", "RotateSecret")
    for name in (*inputs, "SendTest", "SendEvent", "PublishSample"):
        assert shapes[name]["additionalProperties"] is False


async def test_members_that_may_be_null_are_always_there(document):
    """Only a secret that was just made and the attempts of one delivery come and go."""
    shapes = document["components"]["schemas"]
    optional = {
        f"{name}.{member}"
        for name, shape in shapes.items()
        if "additionalProperties" not in shape and not name.startswith("Bridge")  # that API has its own manners
        for member in shape.get("properties", {})
        if member not in shape.get("required", [])
    }
    assert optional == {"Webhook.secret", "AlsoSign.secret", "Delivery.attempts", "Problem.errors"}


async def test_every_member_has_words(document):
    """Shapes, parameters and bodies: nobody has to guess what one means."""
    silent = [
        f"{name}.{member}"
        for name, shape in document["components"]["schemas"].items()
        for member, schema in shape.get("properties", {}).items()
        if not schema.get("description")
    ]
    silent += [
        f"{operation['operationId']} {parameter['name']}"
        for item in document["paths"].values()
        for operation in item.values()
        for parameter in operation["parameters"]
        if not parameter.get("description")
    ]
    assert silent == []


async def test_no_words_are_left_over(document):
    """What `words.toml` explains is there: words of what is gone mislead the next reader."""
    members = {name: set(shape.get("properties", {})) for name, shape in document["components"]["schemas"].items()}
    known = members | {
        one.__name__: {field.name for field in msgspec.structs.fields(one)} for one in _document._structs()
    }
    every = set().union(*known.values())
    for name, sentence in _words.words().items():
        if isinstance(sentence, str):
            assert name in every, name
        else:
            assert set(sentence) <= known[name], name


async def test_every_operation_names_its_refusals(document):
    """Each status lists its codes, each code has an example, and no entry is left over."""
    named = set()
    operations = set()
    for path, item in document["paths"].items():
        for operation in item.values():
            if path.startswith("/v1/"):
                operations.add(operation["operationId"])
                for response in operation["responses"].values():
                    content = response.get("content", {}).get("application/problem+json", {})
                    named |= set(content.get("examples", {}))
    assert named == set(document["components"]["examples"])
    assert operations == set(_refusals.OWN)


async def test_every_operation_has_an_example_that_fits(document):
    """Of each body and each answer; `make examples` asks a real node for them anew."""
    for path, item in document["paths"].items():
        for operation in item.values():
            media = [operation.get("requestBody", {}).get("content", {}).get("application/json")]
            media += [
                response.get("content", {}).get("application/json")
                for status, response in operation["responses"].items()
                if status.startswith("2")
            ]
            for one in media if path.startswith("/v1/") else ():
                if one is None or one["schema"].get("type") == "null":
                    continue
                name = operation["operationId"]
                assert one.get("examples") or name in EMPTY_BODIES, f"{name} has no example: run `make examples`"
                schema = one["schema"] | {"components": document["components"]}
                for example in one.get("examples", {}).values():
                    jsonschema_rs.validate(schema, example["value"])


async def test_the_copy_in_the_docs_is_this_document(document):
    """`make docs` writes it, so that a change of the API is seen in review."""
    copy = Path(__file__).parents[3] / "docs" / "openapi.json"
    assert msgspec.json.decode(copy.read_bytes()) == document, "run `make docs`"


async def test_each_operation_says_who_may(document):
    """In the words of the table that every route is tried by, in tests/integration/api/test_matrix.py."""
    assert {name: route.who for name, route in ROUTES.items()} == WHO
    said = {
        operation["operationId"]: operation["description"]
        for path, item in document["paths"].items()
        for operation in item.values()
        if path.startswith("/v1/")
    }
    assert {name for name, text in said.items() if text.endswith(f"\n\nWho may: {WORDS[WHO[name]]}")} == set(WHO)
