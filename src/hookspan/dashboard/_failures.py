"""The failure inbox: what fails by webhook and error, why as a rule, what to do; and what was given up."""

from typing import Any, Final

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._advice import in_words, remedy_for
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._visit import Entered, Visit, below

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
# Name in the address → words and hours: of which time what was given up is shown.
WITHIN: Final = {"24h": ("24 hours", 24), "7d": ("7 days", 168), "30d": ("30 days", 720)}
_DEFAULT: Final = "24h"


class AllFailurePages(Controller):
    """/dashboard/failures"""

    path = "/failures"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages) -> Response[Any]:
        """Of all applications; who has one only sees it there."""
        if visit.caller.application is not None:
            return go(below(visit.root_of(visit.caller.application), "failures"))
        return await _page(visit, request, pages)


class FailurePages(Controller):
    """…/failures"""

    path = "/failures"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """Of one application."""
        await visit.room()
        return await _page(visit, request, pages)


async def _page(visit: Visit, request: Asked, pages: Pages) -> Response[str]:
    within = request.query_params.get("within", "")
    within = within if within in WITHIN else _DEFAULT
    found = await visit.desk.failures.of_hours(visit.application, WITHIN[within][1])
    return pages.page(
        "failures.html",
        request,
        found=found,
        asked={"within": within},
        within=WITHIN,
        in_words=in_words,
        remedy_for=remedy_for,
    )
