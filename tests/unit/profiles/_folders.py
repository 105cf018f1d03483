"""Profiles written into temporary folders, from a small one that works."""

from pathlib import Path
from typing import Any

import msgspec

MINIMAL = """
format = 1
title = "Minimal"
settable = ["retry.*", "limits.webhooks", "validate"]
[ids]
event = { prefix = "evt_", random = "base58:23" }
webhook = { prefix = "whk_", random = "base58:23" }
[body]
rows = [["type", "{type}"], ["data", "{content}"]]
[credential.secret]
kind = "text"
make = "uuid4"
give = ["operator"]
required = true
shown = "once"
[[signature]]
credential = "secret"
header = "X-Signature"
algorithm = "hmac-sha256"
signed = "{body}"
encoding = "hex"
[read]
type = "{body.type}"
data = "{body.data}"
[limits]
webhooks = 3
name = "optional"
https = "required"
[states]
new = "disabled"
url_change = "disabled"
[access]
configure = ["support"]
[subscription]
by = "type"
absent = "none"
[delivery]
order = "fifo"
timeout = "20s"
gone = "retry"
[retry]
first = "5s"
until = "36h"
[epoch]
default = "now"
[catalog]
type = "{group}.{verb}"
[catalog.group]
thing = { title = "Things", since = "2024", verbs = ["made", { lost = "2025" }] }
"""

THING: dict[str, Any] = {
    "$defs": {
        "made": {
            "title": "A thing was made",
            "description": "It is new.",
            "type": "object",
            "properties": {"id": {"$ref": "#/$defs/id"}, "note": {"type": "string"}},
            "required": ["id"],
            "additionalProperties": False,
            "examples": [{"id": 1}],
        },
        "lost": {"title": "A thing was lost", "description": "It is gone.", "type": "object", "examples": [{}]},
        "id": {"type": "integer"},
    }
}


def write_profile(
    parent: Path, toml: str = MINIMAL, *, name: str = "minimal", files: dict[str, Any] | None = None
) -> Path:
    """A profile folder below `parent`; `files` replaces the group files."""
    folder = parent / name
    folder.mkdir(parents=True)
    (folder / "profile.toml").write_text(toml, encoding="utf-8")
    for file, content in ({"thing.json": THING} if files is None else files).items():
        (folder / file).write_bytes(content if isinstance(content, bytes) else msgspec.json.encode(content))
    return folder


def changed(old: str, new: str) -> str:
    """The small profile with one thing different."""
    assert MINIMAL.count(old) == 1, old
    return MINIMAL.replace(old, new)
