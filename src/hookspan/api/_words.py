"""Words for the members of the document's shapes, from `words.toml`."""

import functools
import importlib.resources
import tomllib
from typing import Any


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
