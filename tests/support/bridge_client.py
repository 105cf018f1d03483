"""A client of Bridge's Webhooks API, written from its public documentation alone: nothing in it knows of Hookspan."""

import uuid
from typing import Self

import httpx


class BridgeClient:
    """The eight calls. Each returns the response as it came."""

    def __init__(self, base_url: str, api_key: str, *, verify: str | bool = True) -> None:
        """`base_url` as in the documentation, with the version: `https://api.example/v0`."""
        self._http = httpx.AsyncClient(base_url=base_url, headers={"Api-Key": api_key}, timeout=30, verify=verify)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def create_webhook(
        self, url: str, event_epoch: str, event_categories: list[str] | None = None, *, idempotency_key: str = ""
    ) -> httpx.Response:
        body: dict[str, object] = {"url": url, "event_epoch": event_epoch}
        if event_categories is not None:
            body["event_categories"] = event_categories
        return await self.post("/webhooks", body, idempotency_key)

    async def list_webhooks(self) -> httpx.Response:
        return await self._http.get("/webhooks")

    async def update_webhook(self, webhook_id: str, **members: object) -> httpx.Response:
        return await self._http.put(f"/webhooks/{webhook_id}", json=members)

    async def delete_webhook(self, webhook_id: str) -> httpx.Response:
        return await self._http.delete(f"/webhooks/{webhook_id}")

    async def upcoming_events(self, webhook_id: str, **query: str) -> httpx.Response:
        return await self._http.get(f"/webhooks/{webhook_id}/events", params=query)

    async def send_event(self, webhook_id: str, event_id: str, *, idempotency_key: str = "") -> httpx.Response:
        return await self.post(f"/webhooks/{webhook_id}/send", {"event_id": event_id}, idempotency_key)

    async def logs(self, webhook_id: str) -> httpx.Response:
        return await self._http.get(f"/webhooks/{webhook_id}/logs")

    async def webhook_events(self, **query: str | int) -> httpx.Response:
        return await self._http.get("/webhook_events", params=query)

    async def post(self, path: str, body: object, idempotency_key: str = "") -> httpx.Response:
        """Every POST has a key of its own; the same one is for sending the same request again."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return await self._http.post(path, json=body, headers=headers)

    async def request(self, method: str, path: str, **options: object) -> httpx.Response:
        """Anything else."""
        return await self._http.request(method, path, **options)  # type: ignore[arg-type]
