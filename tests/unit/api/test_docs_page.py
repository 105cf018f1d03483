"""/docs, made from a small document: what a reader meets first, and in which order."""

import re
from typing import Any

import pytest

from hookspan.api._docs_page import docs_page

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
RESPONSES = {
    "200": {"description": "Done.", "content": {"application/json": {"schema": {"type": "string"}}}},
    "401": {"description": "No key at all.", "content": PROBLEM},
    "default": {"description": "Refused.", "content": PROBLEM},
}


def operation(name: str, description: str = "Words.") -> dict[str, Any]:
    return {"tags": ["Things"], "operationId": name, "description": description, "responses": RESPONSES}


@pytest.fixture
def page() -> str:
    document = {
        "info": {"title": "Test", "version": "1", "description": "What it is."},
        "paths": {
            "/v1/things/{thing}": {
                "delete": operation("delete"),
                "get": operation("get", "With `code` & <b>words</b>."),
                "patch": operation("patch"),
            },
            "/v1/things/{thing}/cancel": {"post": operation("cancel")},
            "/v1/things": {"get": operation("list"), "post": operation("create")},
        },
        "components": {"schemas": {"Problem": {"type": "object", "description": "Why.", "properties": {}}}},
    }
    return docs_page(document).decode()


def test_operations_come_in_the_order_of_a_thing_s_life(page: str) -> None:
    """Create, list, get, change, delete, then the others, however the document has them."""
    assert re.findall(r'<section id="(\w+)"', page)[:-1] == ["create", "list", "get", "patch", "delete", "cancel"]


def test_the_key_and_an_example_come_first(page: str) -> None:
    """Before any route: how to send the key, and one request to copy."""
    start = page.partition("<nav>")[0]
    assert "Authorization: Bearer" in start
    assert "Api-Key" in start
    assert "curl http://127.0.0.1:8400/v1/applications/app_sample/events" in start


def test_common_refusals_are_said_once(page: str) -> None:
    """At the top, and not again with each route; what a route answers itself stays with it."""
    assert page.count("<code>401</code>") == 1
    assert "No key at all." not in page
    assert page.count("→ 200") == 6


def test_backticks_are_code_and_the_rest_is_text(page: str) -> None:
    """No raw backtick is left, and nothing of the document becomes markup."""
    assert "With <code>code</code> &amp; &lt;b&gt;words&lt;/b&gt;." in page
    assert "`" not in page


def test_it_fits_a_telephone(page: str) -> None:
    """Narrow windows get stacked rows and words that break, so nothing scrolls sideways."""
    assert '<meta name="viewport" content="width=device-width' in page
    assert "overflow-wrap: anywhere" in page
    assert "@media (max-width: 40rem)" in page
    assert "overflow-x" not in page
