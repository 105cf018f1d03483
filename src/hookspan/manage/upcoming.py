"""What will be delivered to a webhook next: what its receiver is to be ready for, before and after activation."""

from hookspan.domain.records import Application, Event
from hookspan.manage import views
from hookspan.manage._ground import Ground
from hookspan.manage._rights import Right
from hookspan.manage._show import show_event
from hookspan.manage._subscription import check_category
from hookspan.manage._waiting import asks_for
from hookspan.manage._why import Why
from hookspan.manage.inputs import UpcomingQuery
from hookspan.profiles import Profile

UPCOMING_MAX = 10


class Upcoming:
    """The next events of a webhook, in the order in which they will be delivered."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def events(self, application_id: str, webhook_id: str, query: UpcomingQuery) -> views.EventList:
        """The next UPCOMING_MAX, with what became of each so far. What is in flight counts: it is not delivered yet."""
        application = await self._ground.application(application_id, Right.LOOK)
        profile = self._ground.profile(application)
        why = Why(self._ground, application, profile)
        found = await self._find(application, profile, webhook_id, query)
        return views.EventList(
            data=[show_event(one, application, profile, await why.of_event(one)) for one in found], next=None
        )

    async def bodies(self, application_id: str, webhook_id: str, query: UpcomingQuery) -> list[bytes]:
        """The same events as nothing but what will be sent."""
        application = await self._ground.application(application_id, Right.LOOK)
        found = await self._find(application, self._ground.profile(application), webhook_id, query)
        return [one.body for one in found]

    async def _find(
        self, application: Application, profile: Profile, webhook_id: str, query: UpcomingQuery
    ) -> list[Event]:
        webhook = await self._ground.webhook(application, webhook_id)
        if query.category is not None:
            check_category(profile, query.category)

        def wants(event_type: str) -> bool:
            return (query.type is None or event_type == query.type) and (
                query.category is None or profile.category_of(event_type) == query.category
            )

        return await self._ground.store.upcoming(webhook.id, asks_for(profile, webhook), wants, UPCOMING_MAX)
