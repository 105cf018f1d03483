"""The calls of `hookspan.store.search`: all of them reads."""

from hookspan.domain.records import Application
from hookspan.store.contract import Page
from hookspan.store.postgres import _search
from hookspan.store.postgres._ways import Ways
from hookspan.store.search import FoundWebhook


class SearchCalls(Ways):
    """See `Search`."""

    async def search_applications(self, text: str, page: Page) -> list[Application]:
        return await self._look(lambda db: _search.search_applications(db, text, page))

    async def search_webhooks(self, text: str, page: Page, application_id: int | None) -> list[FoundWebhook]:
        return await self._look(lambda db: _search.search_webhooks(db, text, page, application_id))
