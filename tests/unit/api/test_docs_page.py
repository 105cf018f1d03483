"""/docs, made from a small document: what a reader meets first, and in which order."""

import re
from typing import Any

import pytest

from hookspan.api._docs_page import docs_page

PROBLEM = {
    "application/problem+json": {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {"unauthenticated": {"$ref": "#/components/examples/unauthenticated"}},
    }
}
RESPONSES = {
    "200": {
        "description": "Done.",
        "content": {"application/json": {"schema": {"type": "string"}, "examples": {"one": {"value": {"a": "<b>"}}}}},
    },
    "401": {"description": "No key at all.", "content": PROBLEM},
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
        "components": {
            "schemas": {"Problem": {"type": "object", "description": "Why.", "properties": {}}},
            "examples": {
                "unauthenticated": {"summary": "No", "value": {"status": 401, "title": "No", "detail": "No `key`."}}
            },
        },
    }
    return docs_page(document).decode()


def test_operations_come_in_the_order_of_a_thing_s_life(page: str) -> None:
    """Create, list, get, change, delete, then the others, however the document has them."""
    assert re.findall(r'<section id="(\w+)"', page)[:6] == ["create", "list", "get", "patch", "delete", "cancel"]


def test_the_key_and_an_example_come_first(page: str) -> None:
    """Before any route: how to send the key, and one request to copy."""
    start = page.partition("<nav>")[0]
    assert "Authorization: Bearer" in start
    assert "Api-Key" in start
    assert "curl http://127.0.0.1:8400/v1/applications/app_sample/events" in start


def test_refusals_are_named_by_each_and_explained_once(page: str) -> None:
    """Each route names its codes, which lead to their explanation at the end."""
    assert page.count('401 <a href="#code-unauthenticated">unauthenticated</a>') == 6
    assert page.count('<section id="code-unauthenticated">') == 1
    assert page.count("No <code>key</code>.") == 1
    assert "No key at all." not in page


def test_examples_are_text(page: str) -> None:
    """Folded away, formatted, and never markup."""
    assert page.count("<details><summary>Example</summary>") == 6
    assert "&quot;a&quot;: &quot;&lt;b&gt;&quot;" in page


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
