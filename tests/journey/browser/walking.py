"""Along the links of the pages, to one page of each kind: what is added later is seen too."""

import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from tests.journey.browser.conftest import Person

KINDS_MAX = 80  # far more than there are: a walk that never ends is a fault of its own
BEYOND = {"/docs", "/openapi.json"}  # the API's own: other pages, with tests of their own
_ID = re.compile(r"\b[a-z]{2,3}_[A-Za-z0-9]{6,}|(?<=/catalog/)[^/]+")


def kind_of(path: str) -> str:
    """Pages of one kind differ by ids, or the name of a type, only."""
    return _ID.sub("*", path)


async def walk(
    person: Person, starts: list[str], look: Callable[[Person], Awaitable[None]], *, beyond: str = ""
) -> set[str]:
    """Look at one page of each kind, from `starts` along all links; the kinds. Links with a query lead nowhere new.

    `beyond`: paths that begin so are left out, unless they are among `starts`.
    """
    host, waiting, kinds = urlsplit(person.page.url).netloc, list(starts), {kind_of(one) for one in starts}
    while waiting:
        assert len(kinds) <= KINDS_MAX, kinds
        path = waiting.pop(0)
        await person.page.goto(path)
        await look(person)
        for link in await person.page.evaluate(
            "[...document.links].filter((one) => !one.download).map((one) => one.href)"
        ):
            parts = urlsplit(link)
            kind = kind_of(parts.path)
            if (
                parts.netloc == host
                and not parts.query
                and parts.path not in BEYOND
                and kind not in kinds
                and not (beyond and parts.path.startswith(beyond))
            ):
                kinds.add(kind)
                waiting.append(parts.path)
    return kinds
