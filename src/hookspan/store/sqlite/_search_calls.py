"""The calls of `hookspan.store.search`: all of them reads."""

from hookspan.domain.records import Application
from hookspan.store.contract import Page
from hookspan.store.search import FoundWebhook
from hookspan.store.sqlite import _search
from hookspan.store.sqlite._ways import Ways


class SearchCalls(Ways):
    """See `Search`."""

    async def search_applications(self, text: str, page: Page) -> list[Application]:
        return await self._read(lambda db: _search.search_applications(db, text, page))

    async def search_webhooks(self, text: str, page: Page, application_id: int | None) -> list[FoundWebhook]:
        return await self._read(lambda db: _search.search_webhooks(db, text, page, application_id))
