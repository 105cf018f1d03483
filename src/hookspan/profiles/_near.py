"""What somebody may have meant who wrote a name that is not known."""

import difflib
from collections.abc import Iterable
from itertools import islice
from typing import Final

NAMES_MAX: Final = 500  # looked at; some 5 µs each
NAME_CHARACTERS_MAX: Final = 100
_LIKENESS: Final = 0.75


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence with the name that is nearest, and a space before it; empty where none is near."""
    found = difflib.get_close_matches(name[:NAME_CHARACTERS_MAX], list(islice(known, NAMES_MAX)), 1, _LIKENESS)
    return f" Did you mean {found[0]!r}?" if found else ""
