"""What has a text in what it is called: applications, webhooks, people and keys, as far as the caller reaches."""

import msgspec

from hookspan.domain.states import WebhookStatus
from hookspan.errors import NotAllowed
from hookspan.ids import to_text
from hookspan.manage import _reach, views
from hookspan.manage._fitting import fitting
from hookspan.manage._ground import Ground
from hookspan.manage._rights import Right
from hookspan.manage._show import show_application
from hookspan.manage.inputs import Paging
from hookspan.manage.keys import show_key
from hookspan.manage.people import show_person
from hookspan.store.contract import Page
from hookspan.store.search import SEARCH_CHARS_MAX, FoundWebhook

FINDS_MAX = 20  # of each kind
ACCESS_LOOKED_MAX = 5_000  # people, and keys, the newest, among which names are looked for


class WebhookFind(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that has the text, and the application that has it. `name` null: it has none."""

    id: str
    name: str | None
    url: str
    is_disabled: bool
    application_id: str
    application_name: str


class Finds(msgspec.Struct, frozen=True, kw_only=True):
    """At most FINDS_MAX of each kind, newest first; `is_cut`: there are more of some kind."""

    applications: list[views.Application]
    webhooks: list[WebhookFind]
    people: list[views.Person]
    keys: list[views.Key]
    is_cut: bool

    @property
    def count(self) -> int:
        return len(self.applications) + len(self.webhooks) + len(self.people) + len(self.keys)


class Searching:
    """Find by names, in whatever case; a part of one is enough."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def all(self, text: str, application_id: str | None = None) -> Finds:
        """In everything within reach, or within one application. People and keys only for those who may list them."""
        ground, text = self._ground, cut(text)
        ground.require(Right.LOOK)
        inside = application_id if application_id is not None else ground.caller.application
        page = Page(limit=FINDS_MAX + 1)
        application = None if inside is None else await ground.application(inside, Right.LOOK)
        webhooks = await ground.store.search_webhooks(text, page, None if application is None else application.id)
        applications = [] if application is not None else await ground.store.search_applications(text, page)
        people, keys = await self._people(text, inside), await self._keys(text, inside)
        return Finds(
            applications=[show_application(one, ground.pause_of(one)) for one in applications[:FINDS_MAX]],
            webhooks=[self._webhook(one) for one in webhooks[:FINDS_MAX]],
            people=people[:FINDS_MAX],
            keys=keys[:FINDS_MAX],
            is_cut=max(len(applications), len(webhooks), len(people), len(keys)) > FINDS_MAX,
        )

    async def applications(self, text: str, paging: Paging) -> views.ApplicationList:
        """All applications whose name or id has the text, newest first, by the page. Raises NotAllowed for a caller of
        one application.
        """
        ground, text = self._ground, cut(text)
        ground.require(Right.LOOK)
        if ground.caller.application is not None:
            raise NotAllowed("Only the operator's people look through all applications.")
        of = f"applications with {text!r}"
        page = ground.page(of, paging)
        found = await ground.store.search_applications(text, page)
        data = fitting([show_application(one, ground.pause_of(one)) for one in found])
        is_more = len(found) >= page.limit or len(data) < len(found)
        return views.ApplicationList(
            data=data, next=ground.next_of(of, page, found[len(data) - 1].id) if is_more else None
        )

    async def _people(self, text: str, inside: str | None) -> list[views.Person]:
        try:
            owner = await _reach.owner(self._ground, inside, Right.ADMINISTER, "list people")
        except NotAllowed:
            return []
        page = Page(limit=ACCESS_LOOKED_MAX)
        found = await self._ground.store.list_people(page, None if owner is None else owner.id)
        return [show_person(one) for one in found if _has(text, one.name)]

    async def _keys(self, text: str, inside: str | None) -> list[views.Key]:
        try:
            owner = await _reach.owner(self._ground, inside, Right.ADMINISTER, "list keys")
        except NotAllowed:
            return []
        page = Page(limit=ACCESS_LOOKED_MAX)
        found = await self._ground.store.list_keys(page, None if owner is None else owner.id)
        return [show_key(one) for one in found if _has(text, one.name, one.hint)]

    def _webhook(self, found: FoundWebhook) -> WebhookFind:
        prefix = self._ground.profiles.get(found.profile).webhook_prefix
        return WebhookFind(
            id=to_text(prefix, found.id),
            name=found.name,
            url=found.url,
            is_disabled=found.status is WebhookStatus.DISABLED,
            application_id=found.application,
            application_name=found.application_name,
        )


def cut(text: str) -> str:
    """What of a text is looked for: as much as the store takes. No name has a NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:SEARCH_CHARS_MAX]


def _has(text: str, *names: str) -> bool:
    wanted = text.casefold()
    return any(wanted in one.casefold() for one in names)
