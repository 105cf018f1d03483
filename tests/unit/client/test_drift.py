"""The client knows the whole API as the server has it now: each operation, each parameter, each member of a shape."""

import contextlib
import inspect
import re
from typing import Any

import msgspec
import pytest

from hookspan.api import api_document
from hookspan.client import AsyncClient
from hookspan.client._async.listing import AsyncListing
from hookspan.client._async.wire import AsyncWire
from hookspan.client._request import Call
from hookspan.client._retry import Repeat
from hookspan.client.shapes._base import HIDDEN
from tests.unit.client import mirror, twins

pytestmark = pytest.mark.anyio

PAGED = {"cursor"}  # what going through a list gives by itself


@pytest.fixture(scope="module")
def document() -> dict:
    return msgspec.json.decode(msgspec.json.encode(api_document()))


class Sent(Exception):
    """Instead of an answer."""


async def calls(monkeypatch) -> dict[str, Call]:
    """What each method of the client sends when it is given all there is to give."""
    sent: list[Call] = []

    async def run(_wire: AsyncWire, call: Call) -> None:
        sent.append(call)
        raise Sent

    monkeypatch.setattr(AsyncWire, "run", run)
    found = {}
    async with AsyncClient("http://127.0.0.1:1", "k") as client:
        methods: dict[str, Any] = {
            f"{door}.{name}": method
            for door, room in vars(client).items()
            if not door.startswith("_")
            for name, method in inspect.getmembers(room, inspect.ismethod)
            if not name.startswith("_")
        }
        for name, method in {"publish": client.publish, "stats": client.stats, **methods}.items():
            with contextlib.suppress(Sent):
                await _first_request(method(**{one: _value(one) for one in inspect.signature(method).parameters}))
            found[name] = sent.pop()
    assert sent == []
    return found


async def _first_request(result: Any) -> None:
    if isinstance(result, AsyncListing):
        await result.page("c")
    elif inspect.isasyncgen(result):
        await anext(result)
    else:
        await result


def _value(name: str) -> Any:
    return 7 if name in ("if_match", "after") else "x"


def operation_of(call: Call, document: dict) -> tuple[str, dict]:
    path = call.path.partition("?")[0]
    for template, item in document["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "x", re.escape(template))
        if re.fullmatch(pattern, path) and call.method.lower() in item:
            # a fixed word may look like an id: …/events/sample
            return f"{call.method} {template}", item[call.method.lower()]
    raise AssertionError(f"no operation for {call.method} {path}")


async def test_every_operation_has_its_method(document, monkeypatch):
    """And every method its operation."""
    called = {operation_of(call, document)[0] for call in (await calls(monkeypatch)).values()}
    there_are = {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        if path.startswith("/v1/")
        for method in item
        if method in ("get", "post", "patch", "put", "delete")
    }
    assert called == there_are


async def test_every_parameter_and_member_can_be_given(document, monkeypatch):
    """Nothing that the API takes is out of the client's reach, and nothing is sent that it does not know."""
    for name, call in (await calls(monkeypatch)).items():
        _, operation = operation_of(call, document)
        documented = operation.get("parameters", [])
        query = {one["name"] for one in documented if one["in"] == "query"}
        sent = set(re.findall(r"[?&](\w+)=", call.path))
        if name == "events.read_on":
            assert sent == {"sort", "after", "type", "limit"}
            continue
        if name == "events.list":
            query -= {"sort", "after"}  # read_on's
        assert sent | PAGED == query | PAGED, name
        headers = {one["name"].lower() for one in documented if one["in"] == "header"}
        assert {header.decode() for header, _ in call.headers} - {"idempotency-key"} <= headers, name
        members = _members(operation, document) - ({"rate"} if name == "webhooks.preview_replay" else set())
        assert (set(msgspec.json.decode(call.body)) if call.body else set()) == members, name


async def test_only_what_can_t_be_done_twice_is_repeated_in_doubt(monkeypatch):
    """Reading, publishing, and POSTs that the server knows again by their Idempotency-Key."""
    for name, call in (await calls(monkeypatch)).items():
        has_key = b"idempotency-key" in dict(call.headers)
        is_published = name == "publish" and b'"publisher_id":' in (call.body or b"")
        assert (call.repeat is Repeat.HARMLESS) == (call.method == "GET" or has_key or is_published), name
        assert has_key == (call.method == "POST" and name not in ("publish", "sessions.open")), name


def _members(operation: dict, document: dict) -> set[str]:
    body = operation.get("requestBody")
    if body is None:
        return set()
    found: set[str] = set()
    todo = [body["content"]["application/json"]["schema"]]
    for schema in todo:
        if "$ref" in schema:
            todo.append(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        for kind in ("oneOf", "anyOf", "allOf"):
            todo += schema.get(kind, [])
        found |= set(schema.get("properties", ()))
    return found


def test_the_shapes_are_the_servers():
    """`python -m tests.unit.client.mirror` writes them anew."""
    found = {path.stem: path.read_text(encoding="utf-8") for path in mirror.SHAPES.glob("*.py")}
    del found["_base"]
    assert found == mirror.texts()
    assert mirror.HIDDEN == HIDDEN


@pytest.mark.parametrize("source", twins.sources(), ids=lambda path: path.name)
def test_the_blocking_client_is_the_twin_of_the_other(source):
    """`python -m tests.unit.client.twins` writes it anew."""
    assert twins.twin_of(source).read_text(encoding="utf-8") == twins.blocking(source.read_text(encoding="utf-8"))


def test_no_twin_is_left_over():
    """What is gone there is gone here."""
    assert {path.name for path in (twins.CLIENT / "_sync").glob("*.py")} == {
        path.name for path in (twins.CLIENT / "_async").glob("*.py")
    }
