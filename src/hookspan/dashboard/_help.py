"""Help: the keys, where to find what, what the words mean. A page; by the key `?` the same over the page before."""

from typing import Any, Final

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._render import Pages
from hookspan.dashboard._visit import Entered

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
KEYS: Final = (
    ("/", "Search: any id, or a part of a name or URL"),
    ("j", "Down the rows of a list"),
    ("k", "Up again"),
    ("Enter", "Open the row"),
    ("?", "This help"),
    ("Esc", "Close it"),
)
STATES: Final = (
    ("waiting", "pending", "It is on its way, or waits for its next try. Its page says when that is."),
    ("good", "succeeded", "The endpoint answered with success."),
    ("bad", "failed", "Given up. Its page says why, and can send it again."),
    ("parked", "parked", "Its webhook is disabled. It is sent when that is activated."),
    ("parked", "paused", "The operator has paused sending. It is sent when that goes on."),
    ("parked", "stalled", "Tried to the end. It waits for a person, and with it all that comes after in order."),
    ("parked", "cancelled", "Somebody took it off its way, or its webhook was deleted."),
)


class HelpPages(Controller):
    """/dashboard/help, and a portal's."""

    path = "/help"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """For this person: only what they can come to."""
        room = await visit.room() if visit.is_portal else None
        return pages.page("help.html", request, keys=KEYS, states=STATES, administers=_administers(visit, room))


def _administers(visit: Entered, room: Any) -> bool:
    return bool(visit.at_large.administers if room is None else room.can.administers)
