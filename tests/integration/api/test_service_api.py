"""For whoever runs it: alive, ready, counted, documented. No key is asked for."""

import re

import httpx
import pytest

from hookspan.errors import DiskFull
from hookspan.store.sqlite import SqliteStore

pytestmark = pytest.mark.anyio


@pytest.fixture
async def anyone(api):
    async with httpx.AsyncClient(base_url=api.node.base_url) as client:
        yield client


async def test_it_lives(anyone):
    """The process answers."""
    assert (await anyone.get("/healthz")).json() == {"status": "ok"}


async def test_it_is_ready(anyone):
    """Events can be taken in and sent."""
    response = await anyone.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready", "reason": None})


async def test_unready_says_why(api, anyone, monkeypatch):
    """503 with the engine's own words."""
    monkeypatch.setattr(api.node.engine, "readiness", lambda: "The recorder has not turned for 20 s.")
    response = await anyone.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unready", "reason": "The recorder has not turned for 20 s."}


async def test_a_full_disk_is_not_ready(api, anyone, monkeypatch):
    """503 as long as publishing is refused for it."""

    def full(_self):
        raise DiskFull("Only 5 bytes are free.")

    monkeypatch.setattr(SqliteStore, "check_intake", full)
    response = await anyone.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unready", "reason": "Only 5 bytes are free."}


async def test_requests_and_refusals_are_counted(api, anyone):
    """By class of status and by code, publishing included."""
    app = await api.application()
    await api.publish(app, 1)
    await api.refused("POST", f"/v1/applications/{app}/events", b"{", status=400, code="invalid_json")
    await api("POST", f"/v1/applications/{app}/events", [{"type": "no spaces", "content": {}}], status=202)
    response = await anyone.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    for line in (
        r'hookspan_requests_total\{status="2xx"\} [1-9]',
        r'hookspan_requests_total\{status="4xx"\} [1-9]',
        r'hookspan_refusals_total\{code="invalid_json"\} [1-9]',
        r'hookspan_refusals_total\{code="unknown_event_type"\} [1-9]',
        r"hookspan_events_accepted_total [1-9]",
    ):
        assert re.search(line, response.text), line


async def test_the_docs_load_nothing(anyone):
    """One page, no script, nothing from elsewhere; every operation and shape is on it."""
    response = await anyone.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "<script" not in response.text
    assert re.findall(r'(?:src|href)="(?!#|/openapi\.json)[^"]*"', response.text) == []
    document = (await anyone.get("/openapi.json")).json()
    for item in document["paths"].values():
        for operation in item.values():
            assert f'id="{operation["operationId"]}"' in response.text
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in response.text
