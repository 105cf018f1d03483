"""Names that have a text; see `hookspan.store.search`."""

from typing import Any

from hookspan.domain.records import Application
from hookspan.domain.states import WebhookStatus
from hookspan.store.contract import Page
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.search import FoundWebhook, patterns_of


def search_applications(connection: Connection, text: str, page: Page) -> list[Application]:
    """See `Search.search_applications`."""
    return rows.many(connection, "search_applications", rows.application, _bindings(text, page))


def search_webhooks(connection: Connection, text: str, page: Page, application_id: int | None) -> list[FoundWebhook]:
    """See `Search.search_webhooks`."""
    bindings = _bindings(text, page)
    if application_id is None:
        return rows.many(connection, "search_webhooks", _found, bindings)
    bindings["application_id"] = application_id
    return rows.many(connection, "search_webhooks_of_application", _found, bindings)


def _bindings(text: str, page: Page) -> dict[str, Any]:
    low, high = rows.id_range(page)
    below = high if page.before is None else min(high, page.before)
    return patterns_of(text) | {"low": low, "high": below, "limit": page.limit}


def _found(row: rows.Values) -> FoundWebhook:
    ident, name, url, status, application, application_name, profile = row
    return FoundWebhook(
        id=ident,
        name=name,
        url=url,
        status=WebhookStatus(status),
        application=application,
        application_name=application_name,
        profile=profile,
    )
