"""One application can't take from another what a node does few of at once, nor ask for changes without end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self

import httpx
import pytest

from hookspan.engine import EngineOptions
from tests.support.clock import VirtualClock

from .conftest import api_in

pytestmark = pytest.mark.anyio

PATIENCE_S = 10.0
SINCE = "2026-01-01T00:00:00Z"


class Hanging:
    """A receiver that takes requests and says nothing."""

    def __init__(self) -> None:
        self.open = 0
        self.seen = 0
        self._changed = asyncio.Condition()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.let_go()
        await self.until(lambda: self.open == 0)
        await self._server.wait_closed()

    def let_go(self) -> None:
        """Close every connection without an answer."""
        for writer in self._writers:
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        await self._count(1)
        with contextlib.suppress(OSError):
            while await reader.read(65_536):
                pass
        writer.close()
        await self._count(-1)

    async def _count(self, more: int) -> None:
        async with self._changed:
            self.open += more
            self.seen += max(0, more)
            self._changed.notify_all()

    async def until(self, is_so) -> None:
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(is_so)


@pytest.fixture
async def hanging() -> AsyncIterator[Hanging]:
    async with Hanging() as one:
        yield one


async def key_of(api, application: str) -> dict[str, str]:
    """Headers of a key of the application's own."""
    given = {"name": "k", "scope": "application", "role": "admin", "application_id": application}
    return {"authorization": f"Bearer {(await api('POST', '/v1/keys', given, status=201))['key']}"}


async def gone(tasks: list[asyncio.Task]) -> None:
    for one in tasks:
        one.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_receiver_that_hangs_stops_nobody_else_s_tests(api, hanging, receiver):
    """A has 40 tests under way, B's is answered as ever; and when A's program goes, nothing stays behind."""
    ours, theirs = await api.application(), await api.application()
    slow, good = await api.webhook(ours, hanging.url), await api.webhook(theirs, receiver.url)
    headers = await key_of(api, ours)
    async with httpx.AsyncClient(base_url=api.node.base_url, headers=headers, timeout=PATIENCE_S) as client:
        path = f"/v1/applications/{ours}/webhooks/{slow['id']}"
        tests = [asyncio.create_task(client.post(f"{path}/test")) for _ in range(40)]
        most = EngineOptions().tests_each_max
        await hanging.until(lambda: hanging.open == most)
        attempt = await api("POST", f"/v1/applications/{theirs}/webhooks/{good['id']}/test")
        assert attempt["verdict"] == "succeeded"
        assert hanging.seen == most
        await gone(tests)
    await hanging.until(lambda: hanging.open == 0)
    logs: list = []
    async with asyncio.timeout(PATIENCE_S):
        while len(logs) < most:
            logs = (await api("GET", f"/v1/applications/{ours}/webhooks/{slow['id']}/logs"))["data"]
    assert {(one["cause"], one["error"]["code"]) for one in logs} == {("test", "shutdown")}


async def test_under_an_idempotency_key_a_test_goes_on(api, hanging):
    """Who lost the connection may ask for the answer again, so that leaving ends nothing."""
    app = await api.application(profile="standard")
    path = f"/v1/applications/{app}/webhooks/{(await api.webhook(app, hanging.url))['id']}/test"
    headers = {"idempotency-key": "mine"}
    asked = asyncio.create_task(api.client.post(path, headers=headers))
    await hanging.until(lambda: hanging.open == 1)
    await gone([asked])
    await api.refused("POST", path, status=409, code="idempotency_running", headers=headers)
    assert hanging.open == 1
    hanging.let_go()
    async with asyncio.timeout(PATIENCE_S):
        while (answer := await api.client.post(path, headers=headers)).status_code == 409:
            pass
    assert (answer.json()["error"]["code"], hanging.seen) == ("reset", 1)


async def test_who_says_no_more_is_told_why_it_ended(api, hanging):
    """A connection that is half closed looks like one whose program is gone: a test ends with it, and says so."""
    app = await api.application()
    path = f"/v1/applications/{app}/webhooks/{(await api.webhook(app, hanging.url))['id']}/test"
    reader, writer = await asyncio.open_connection("127.0.0.1", api.client.base_url.port)
    key = api.client.headers["authorization"]
    writer.write(f"POST {path} HTTP/1.1\r\nhost: h\r\nauthorization: {key}\r\ncontent-length: 0\r\n\r\n".encode())
    await hanging.until(lambda: hanging.open == 1)
    writer.write_eof()
    async with asyncio.timeout(PATIENCE_S):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"keep the connection open" in answer
    await hanging.until(lambda: hanging.open == 0)
    writer.close()


async def test_notices_are_tried_apart(api, hanging, receiver):
    """The same of the URLs at which people are told."""
    ours, theirs = await api.application(notify=hanging.url), await api.application(notify=receiver.url)
    tries = [asyncio.create_task(api.client.post(f"/v1/applications/{ours}/notify/test")) for _ in range(12)]
    await hanging.until(lambda: hanging.open == 2)
    assert (await api("POST", f"/v1/applications/{theirs}/notify/test"))["is_accepted"]
    assert hanging.seen == 2
    await gone(tries)
    await hanging.until(lambda: hanging.open == 0)


async def test_changes_have_a_rate(tmp_path):
    """Beyond it 429 with whole seconds, for that application alone; looking is free, and so are other applications."""
    async with api_in(tmp_path, management_rate=1) as api:
        api.node.manage.rates._applications._clock = VirtualClock()  # nothing comes back while the test looks
        ours, theirs = await api.application(), await api.application()
        [our_key, their_key] = [await key_of(api, one) for one in (ours, theirs)]
        path = f"/v1/applications/{ours}/webhooks"
        answers = [await api.client.post(path, json={}, headers=our_key) for _ in range(12)]
        assert {one.status_code for one in answers[:10]} == {400}
        problem = await api.refused("POST", path, {}, status=429, code="rate_limited", headers=our_key)
        assert "of this application" in problem["detail"]
        for method in ("POST", "PATCH", "DELETE"):
            response = await api.client.request(method, f"{path}/wh_1" if method != "POST" else path, headers=our_key)
            assert response.status_code == 429
            assert int(response.headers["retry-after"]) == 1
        await api("GET", path, headers=our_key)
        await api("GET", f"/v1/applications/{ours}/events", headers=our_key)
        await api.refused("POST", f"/v1/applications/{theirs}/webhooks", {}, status=400, code="invalid_request",
                          headers=their_key)  # fmt: skip
        await api.publish(ours, 1)


async def test_changes_under_v0_have_the_same_rate(tmp_path):
    """From the same bucket, in that API's shape; and a key that may not come in takes nothing out of it."""
    async with api_in(tmp_path, management_rate=1) as api:
        api.node.manage.rates._applications._clock = VirtualClock()
        app = await api.application(profile="bridge-xyz")
        key = (await key_of(api, app))["authorization"].removeprefix("Bearer ")
        async with httpx.AsyncClient(base_url=api.node.base_url, timeout=PATIENCE_S) as client:
            for number in range(12):
                answer = await client.request(
                    "POST", "/v0/webhooks", json={}, headers={"api-key": key, "idempotency-key": f"k{number}"}
                )
            assert answer.status_code == 429
            assert answer.json()["code"] == "rate_limited"
            assert int(answer.headers["retry-after"]) == 1
            assert (await client.get("/v0/webhooks", headers={"api-key": key})).status_code == 200
            again = await client.post(
                f"/v1/applications/{app}/webhooks", json={}, headers={"authorization": f"Bearer {key}"}
            )
            assert again.status_code == 429
