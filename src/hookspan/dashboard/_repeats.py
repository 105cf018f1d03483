"""Forms whose answer is shown once: sent a second time (a double click, a reload) they lead to what the first has made.

In memory and bounded, by the number in the form; a server that was started anew makes a second one, as any API would.
"""

import secrets
from collections import OrderedDict
from typing import Final

FIELD: Final = "once"
KEPT_MAX: Final = 10_000
_RANDOM_BYTES: Final = 12


class Repeats:
    """Which form has led where."""

    def __init__(self) -> None:
        self._places: OrderedDict[tuple[str, str], str] = OrderedDict()

    @staticmethod
    def number() -> str:
        """For a fresh form."""
        return secrets.token_urlsafe(_RANDOM_BYTES)

    def place(self, session: str, number: str) -> str | None:
        return self._places.get((session, number))

    def keep(self, session: str, number: str, place: str) -> None:
        if not number or len(number) > _RANDOM_BYTES * 4:
            return
        self._places[session, number] = place
        if len(self._places) > KEPT_MAX:
            self._places.popitem(last=False)
