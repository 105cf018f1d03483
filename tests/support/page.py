"""What a page of docs/ tells an operator to type, so that a test can do exactly that."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_PART = re.compile(r"^#+ ([^\n]+)$|^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, heading: str) -> list[str]:
    """The blocks of code under a heading, in their order."""
    found: list[str] = []
    current = ""
    for part in _PART.finditer((DOCS / page).read_text(encoding="utf-8")):
        if part[1] is not None:
            current = part[1]
        elif current == heading:
            found.append(part[3])
    assert found, f"{page} has no code under {heading!r}"
    return found


def put(block: str, places: dict[str, str]) -> str:
    """A block with what is elsewhere on this machine. Each place must stand in it."""
    for there, here in places.items():
        assert there in block, f"{there} does not stand in:\n{block}"
        block = block.replace(there, here)
    return block
