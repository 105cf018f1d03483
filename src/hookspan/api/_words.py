"""Words for the members of the document's shapes, from `words.toml`, and examples of its operations, as a real node has
answered them once (`examples.json`).
"""

import functools
import importlib.resources
import tomllib
from typing import Any

import msgspec

_PROBLEM = "application/problem+json"


@functools.cache
def words() -> dict[str, Any]:
    """Members to sentences, and shapes to such tables of their own."""
    return tomllib.loads((importlib.resources.files(__package__) / "words.toml").read_text(encoding="utf-8"))


def describe(shapes: dict[str, Any]) -> None:
    """Give every member of `shapes` its words, where it has none of its own."""
    for name, shape in shapes.items():
        own = words().get(name, {})
        for member, schema in shape.get("properties", {}).items():
            sentence = own.get(member) or words().get(member)
            if sentence is not None and "description" not in schema:
                schema["description"] = sentence


@functools.cache
def _examples() -> dict[str, dict[str, Any]]:
    raw = (importlib.resources.files(__package__) / "examples.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[str, dict[str, Any]])


def illustrate(operation: dict[str, Any]) -> None:
    """Put the operation's example beside the shapes of its body and of its answer."""
    example = _examples().get(operation["operationId"], {})
    if "request" in example and "requestBody" in operation:
        _put(operation["requestBody"].get("content", {}), example["request"])
    for status, value in example.get("responses", {}).items():
        _put(operation["responses"][status].get("content", {}), value)


def _put(content: dict[str, Any], value: Any) -> None:
    for kind, media in content.items():
        if kind != _PROBLEM:
            media["examples"] = {"example": {"value": value}}
