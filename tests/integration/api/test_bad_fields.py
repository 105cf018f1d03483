"""Every member of every body, wrong in every way that its schema forbids: refused with its place, and nothing is done.

Made from the document, so that a new member is asked too.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from hookspan.api import api_document
from tests.support.receiver import Receiver
from tests.support.walk import ROUTES

from .conftest import Api, api_in
from .furniture import Furnished, furnish

pytestmark = pytest.mark.anyio

DOCUMENT = api_document()
HOSTILE = "\u0000\r\n<script>alert(1)</script>'\";--\u202e\uffff{{7*7}}"
ABSENT = object()
CODES = {"invalid_request", "unknown_field", "invalid_credential"}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return DOCUMENT["components"]["schemas"][name] if name else schema


def operations() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Name, method, path and the body's schema of each that takes an object."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content and path.startswith("/v1/") and operation["operationId"] != "publish_events":
                yield operation["operationId"], method.upper(), path, resolved(content["schema"])


def types_of(schema: dict[str, Any]) -> set[str]:
    schema = resolved(schema)
    found = {one for part in schema.get("anyOf", ()) for one in types_of(part)}
    kind = schema.get("type", [])
    found |= {kind} if isinstance(kind, str) else set(kind)
    found |= {"string" if isinstance(one, str) else "null" for one in schema.get("enum", ())}
    return found


# A type's name, what is given in its place, and the value.
OTHERS: list[tuple[str, str, Any]] = [
    ("null", "null", None),
    ("number", "a number", 17),
    ("string", "a text", "text"),
    ("boolean", "true", True),
    ("array", "a list", [[]]),
    ("object", "an object", {"a": 1}),
]
BOUNDS = [
    ("maxLength", "too long", lambda bound: "a" * (bound + 1)),
    ("maxItems", "too many", lambda bound: ["a.b"] * (bound + 1)),
    ("maximum", "too large", lambda bound: bound + 1),
    ("minimum", "too small", lambda bound: bound - 1),
]


def wrong_values(member: str, schema: dict[str, Any], required: list[str]) -> Iterator[tuple[str, Any]]:
    """What is wrong, and the value. A schema without a type takes anything."""
    if member in required:
        yield "missing", ABSENT
    types = types_of(schema)
    types |= {"number"} if "integer" in types else set()
    yield from ((what, value) for kind, what, value in OTHERS if types and kind not in types)
    parts = [resolved(schema), *map(resolved, resolved(schema).get("anyOf", ()))]
    yield from ((what, make(part[name])) for part in parts for name, what, make in BOUNDS if name in part)


CASES = [
    (name, method, path, member, what, value)
    for name, method, path, shape in operations()
    for member, schema in shape["properties"].items()
    for what, value in wrong_values(member, schema, shape.get("required", []))
]
TEXTS = [
    (name, method, path, member)
    for name, method, path, shape in operations()
    for member, schema in shape["properties"].items()
    if "string" in types_of(schema)
]


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Api, Furnished]]:
    async with Receiver() as receiver, api_in(tmp_path_factory.mktemp("node")) as api:
        event = {"type": "order.paid", "content": {"number": 1}}
        yield api, await furnish(api, "Acme", "standard", receiver.url, event)


async def asked(stage: tuple[Api, Furnished], name: str, method: str, path: str, member: str, value: Any) -> Any:
    api, place = stage
    ids = place.ids | {"link": "hk_link_none"}
    make = ROUTES[name].body
    body = {**(make(ids) if make else {}), member: value}
    body = {key: one for key, one in body.items() if one is not ABSENT}
    ids = ids | {"session": ids["portal_session"]} if "portal-sessions" in path else ids
    return await api.client.request(method, path.format_map(ids), json=body)


@pytest.mark.parametrize(
    ("name", "method", "path", "member", "what", "value"), CASES, ids=[f"{one[0]}.{one[3]}: {one[4]}" for one in CASES]
)
async def test_a_wrong_member_is_refused_with_its_place(stage, name, method, path, member, what, value):
    """400, a code that says of what kind, and a pointer that leads to the member."""
    response = await asked(stage, name, method, path, member, value)
    problem = response.json()
    assert response.status_code == 400, (what, response.text)
    assert problem["code"] in CODES, problem
    assert problem["errors"][0]["pointer"].startswith(f"/{member}"), problem
    assert problem["errors"][0]["detail"]


@pytest.mark.parametrize(("name", "method", "path", "member"), TEXTS, ids=[f"{one[0]}.{one[3]}" for one in TEXTS])
async def test_hostile_text_is_refused_or_text(stage, name, method, path, member):
    """Never an error of ours, and an answer that repeats it does so as JSON."""
    response = await asked(stage, name, method, path, member, HOSTILE)
    assert response.status_code < 500, response.text
    assert response.headers["content-type"].startswith("application/")
    assert "\u0000" not in response.text


@pytest.mark.parametrize(("name", "method", "path"), [one[:3] for one in operations()])
async def test_an_unknown_member_is_refused(stage, name, method, path):
    """A typo does not pass silently."""
    response = await asked(stage, name, method, path, "nmae", 1)
    assert (response.status_code, response.json()["code"]) == (400, "unknown_field"), response.text
    assert response.json()["errors"][0]["pointer"] == "/nmae"
