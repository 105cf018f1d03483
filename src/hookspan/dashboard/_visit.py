"""One request of somebody who is in: who, what they may call, and where they are.

The same pages serve the dashboard (`/dashboard/applications/{app}/…`) and the portal (`/portal/{token}/…`): a visit
knows under which path its application lies, and pages write no path themselves.
"""

from typing import Annotated, Final
from urllib.parse import quote, urlencode

from litestar.di import NamedDependency
from litestar.params import PathParameter, SkipValidation

from hookspan.dashboard._csrf import csrf_token
from hookspan.dashboard._form import Form
from hookspan.domain.caller import Caller
from hookspan.errors import NotFound
from hookspan.manage import Desk, Standing, views

DASHBOARD: Final = "/dashboard"
APPLICATIONS: Final = "/dashboard/applications"
PORTAL: Final = "/portal"


class Room:
    """One application as its pages need it."""

    def __init__(self, root: str, application: views.Application, dialect: views.Dialect, rights: views.Rights) -> None:
        self.root: Final = root
        self.application: Final = application
        self.profile: Final = dialect.profile
        self.dialect: Final = dialect
        self.can: Final = rights

    @property
    def id(self) -> str:
        return self.application.id

    def to(self, *parts: str, **query: str) -> str:
        """A path below the application. What is not a plain part is quoted into one."""
        return below(self.root, *parts, **query)

    def word(self, name: str, default: str) -> str:
        """The vendor's word for a thing of a form, else ours."""
        word = self.dialect.words.get(name)
        return word if isinstance(word, str) else default

    def verb(self, verb: str) -> str:
        """A column's title in the matrix."""
        named = self.dialect.words.get("verb")
        own = named.get(verb) if isinstance(named, dict) else None
        return own if isinstance(own, str) else verb.replace("_", " ").capitalize()


class Visit:
    """Made at the door, see `_entry`."""

    def __init__(
        self, desk: Desk, caller: Caller, token: str, *, base: str, application: str | None, now_ms: int
    ) -> None:
        self.desk: Final = desk
        self.caller: Final = caller
        self.token: Final = token
        self.csrf: Final = csrf_token(token)
        self.now_ms: Final = now_ms
        self.is_portal: Final = caller.kind == "portal"
        self.base: Final = base
        self.home: Final = base + (below(PORTAL, token) if self.is_portal else DASHBOARD)
        self.application: Final = caller.application if self.is_portal else application
        self.at_large: Final = desk.rights.at_large()
        self.standing: Standing | None = None  # of pauses; the door looks
        self._room: Room | None = None

    async def room(self) -> Room:
        """The application of this path. Raises NotFound for one that is out of reach."""
        if self._room is None:
            if self.application is None:
                raise NotFound("No application is named here.")
            application = await self.desk.applications.get(self.application)
            self._room = Room(
                self.root_of(application.id),
                application,
                await self.desk.profiles.dialect(application.id),
                await self.desk.rights.within(application.id),
            )
        return self._room

    @property
    def known_room(self) -> Room | None:
        """The application, if a page has asked for it: for the navigation."""
        return self._room

    def root_of(self, application_id: str) -> str:
        return self.home if self.is_portal else below(self.base + APPLICATIONS, application_id)


Part = Annotated[str, PathParameter()]  # of a path
Entered = SkipValidation[NamedDependency[Visit]]
Filled = SkipValidation[NamedDependency[Form]]


def below(root: str, *parts: str, **query: str) -> str:
    path = "/".join((root, *(quote(part, safe="") for part in parts)))
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
