"""The live tail over a real socket: what is sent as it happens, to whom, and when it ends."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookspan.dashboard import _stream
from hookspan.manage import tail as manage_tail
from hookspan.manage import watching
from tests.integration.api.conftest import ARRIVAL_S, SLOW_RETRIES, api_in
from tests.integration.dashboard.conftest import Browser, House, Page
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio


class Stream:
    """Events of an open stream, one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str, dict, str]:
        """The next event: its kind, its data, its id. Raises StopAsyncIteration at the end."""
        kind, data, ident = "", "", ""
        async with asyncio.timeout(ARRIVAL_S):
            while True:
                line = await anext(self._lines)
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    data = value
                elif name == "id":
                    ident = value
                elif not line and kind:
                    return kind, json.loads(data), ident

    async def rows(self, has: str) -> tuple[Page, str]:
        """The next rows that have this text."""
        while True:
            kind, told, ident = await self.next()
            assert kind == "rows"
            page = Page(told["html"])
            if has in page.text:
                return page, ident

    async def ends(self) -> bool:
        """Whether it comes to its end."""
        with contextlib.suppress(StopAsyncIteration):
            while True:
                await self.next()
        return True


@contextlib.asynccontextmanager
async def watching_at(browser: Browser, path: str, **headers: str) -> AsyncIterator[Stream]:
    async with browser.client.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert "script-src 'self'" in response.headers["content-security-policy"]
        assert response.headers["cache-control"] == "no-store"
        yield Stream(response)


async def test_what_is_sent_is_told_at_once(house: House, receiver: Receiver) -> None:
    """A row with time, webhook, type, status in words, duration, attempt number, and a link to the delivery."""
    application = await house.api.application(name="Acme & Co")
    await house.api.webhook(application, receiver.url, name="<b>Shop</b>")
    browser = await house.browser("operator_admin", application)
    page = await browser.get(f"{browser.root}/tail")
    assert "No attempts yet." in page.text
    [found] = [one["data-tail"] for one in page.all("div") if "data-tail" in one]
    assert found == f"{browser.root}/tail/stream"
    async with watching_at(browser, found) as stream:
        event = await house.api.publish(application, 1)
        page, ident = await stream.rows("order.paid")
        assert ident.startswith("att_")
        assert "<b>Shop</b>" in page.text
        [row] = [one for one in page.all("tr") if "data-id" in one]
        assert row["data-id"] == ident
        delivery = (await house.api.delivery_of(application, event, "succeeded"))["delivery_id"]
        assert f"{browser.root}/deliveries/{delivery}?attempt={ident}" in page.links()
        receiver.status = 401
        await house.api.publish(application, 2, type="order.made")
        page, _ = await stream.rows("order.made")
        assert "401 it did not accept the signature" in page.text
        assert "order.paid" not in page.text  # told once
        async with watching_at(browser, "/dashboard/tail/stream") as all_of_it:
            page, _ = await all_of_it.rows("order.made")  # what came just before is told again: a page may not have it
            assert "Acme & Co" in page.text
    page = await browser.get(f"{browser.root}/tail")
    assert "order.paid" in page.text
    assert f"{browser.root}/tail?" in next(iter(one for one in page.links() if "tail?" in one))


async def test_filters_hold_in_page_and_stream(house: House, receiver: Receiver) -> None:
    """By webhook, by outcome, by type; what is not known is refused."""
    application = await house.api.application(settings=SLOW_RETRIES)
    shop = (await house.api.webhook(application, receiver.url, name="Shop"))["id"]
    async with Receiver() as other:
        other.status = 503
        crm = (await house.api.webhook(application, other.url, name="CRM"))["id"]
        browser = await house.browser("admin", application)
        here = f"{browser.root}/tail"
        async with (
            watching_at(browser, f"{here}/stream?webhook={shop}&type=b") as of_shop,
            watching_at(browser, f"{here}/stream?outcome=failed") as failed,
        ):
            await house.api.publish(application, 1, type="a")
            await house.api.publish(application, 2, type="b")
            page, _ = await of_shop.rows("Shop")
            assert "CRM" not in page.text
            assert "order" not in page.text
            assert page.text.count("Shop") == 1
            told = (await failed.rows("CRM"))[0].text
            while told.count("CRM") < 2:  # each in a turn of its own, as it may be
                told += (await failed.rows("CRM"))[0].text
            assert (told.count("CRM"), told.count("Shop")) == (2, 0)
        async with asyncio.timeout(ARRIVAL_S):  # what arrived is kept a moment later
            while len([one for one in (await browser.get(here)).all("tr") if "data-id" in one]) < 4:
                await asyncio.sleep(0.01)
    for query, wanted in (("", 4), (f"?webhook={crm}", 2), ("?outcome=failed", 2), (f"?type=a&webhook={shop}", 1)):
        page = await browser.get(here + query)
        assert len([one for one in page.all("tr") if "data-id" in one]) == wanted, query
    page = await browser.get(f"{here}?type=nothing")
    assert "No attempt yet that passes these filters." in page.text
    await browser.get(f"{here}?outcome=odd", 400)
    await browser.get(f"{here}/stream?outcome=odd", 400)
    await browser.get(f"{here}/stream?webhook=wh_nothing", 404)


async def test_it_goes_on_where_it_was(house: House, receiver: Receiver) -> None:
    """Who comes back with the last id gets what was sent meanwhile."""
    application = await house.api.application()
    await house.api.webhook(application, receiver.url)
    browser = await house.browser("admin", application)
    here = f"{browser.root}/tail/stream"
    async with watching_at(browser, here) as stream:
        await house.api.publish(application, 1, type="first")
        _, ident = await stream.rows("first")
    event = await house.api.publish(application, 2, type="second")
    await house.api.delivery_of(application, event, "succeeded")
    async with watching_at(browser, here, **{"last-event-id": ident}) as stream:
        await stream.rows("second")
    async with watching_at(browser, here, **{"last-event-id": "att_nonsense"}) as stream:
        await stream.rows("second")


async def test_a_portal_sees_its_own_application_only(house: House, receiver: Receiver) -> None:
    """Others' attempts are not told; others' webhooks are not found; an application's people have no tail of all."""
    mine, others = await house.api.application(), await house.api.application()
    await house.api.webhook(mine, receiver.url, name="Mine")
    strange = await house.api.webhook(others, receiver.url, name="Strange")
    customer = await house.portal(mine, role="member")
    async with watching_at(customer, f"{customer.root}/tail/stream") as stream:
        await house.api.publish(others, 1)
        event = await house.api.publish(others, 2)
        await house.api.delivery_of(others, event, "succeeded")
        await house.api.publish(mine, 3)
        page, _ = await stream.rows("Mine")
        assert "Strange" not in page.text
        assert all(one.startswith(customer.root) for one in page.links())
    page = await customer.get(f"{customer.root}/tail")
    assert "Strange" not in page.text
    await customer.get(f"{customer.root}/tail/stream?webhook={strange['id']}", 404)
    member = await house.browser("member", mine)
    response = await member.client.get("/dashboard/tail")
    assert response.headers["location"] == f"{member.root}/tail"
    async with watching_at(member, "/dashboard/tail/stream") as stream:
        await house.api.publish(others, 4)
        await house.api.publish(mine, 5, type="after")
        page, _ = await stream.rows("after")
        assert "Strange" not in page.text
    await member.get(f"/dashboard/applications/{others}/tail/stream", 404)


async def test_it_ends_with_the_session(house: House) -> None:
    """Within seconds after an admin ends it; who comes back is not let in."""
    application = await house.api.application()
    browser = await house.browser("member", application)
    customer = await house.portal(application)
    async with (
        watching_at(browser, f"{browser.root}/tail/stream") as stream,
        watching_at(customer, f"{customer.root}/tail/stream") as portal,
    ):
        people = (await house.api("GET", "/v1/people"))["data"]
        [person] = [one["id"] for one in people if one["application_id"] == application]
        await house.api("DELETE", f"/v1/people/{person}", status=204)
        assert await stream.ends()
        path = f"/v1/applications/{application}/portal-sessions"
        [session] = (await house.api("GET", path))["data"]
        await house.api("DELETE", f"{path}/{session['id']}", status=204)
        assert await portal.ends()
    await browser.get(f"{browser.root}/tail/stream", 401)
    await customer.get(f"{customer.root}/tail/stream", 401)


async def test_viewers_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many of one session, so many of a node; beyond it is said so in words; who leaves makes room."""
    application = await house.api.application()
    browser, other = await house.browser("admin", application), await house.browser("member", application)
    here = f"{browser.root}/tail/stream"
    tails = house.api.node.manage.tails
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(watching.VIEWERS_EACH_MAX):
            await stack.enter_async_context(watching_at(browser, here))
        async with watching_at(browser, here) as one_more:
            kind, told, _ = await one_more.next()
            assert (kind, told["retry_s"]) == ("refused", _stream.REFUSED_RETRY_S)
            assert "You watch in 3 places already." in told["words"]
            assert await one_more.ends()
        monkeypatch.setattr(watching, "VIEWERS_MAX", watching.VIEWERS_EACH_MAX)
        async with watching_at(other, here) as one_more:
            kind, told, _ = await one_more.next()
            assert kind == "refused"
            assert "people watch already" in told["words"]
    async with asyncio.timeout(ARRIVAL_S):
        while tails.viewers:
            await asyncio.sleep(0.01)
    assert tails._reads == {}


async def test_a_turn_is_bounded(house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are told, and how many were left out; where more came than is looked at it is said."""
    monkeypatch.setattr(manage_tail, "LINES_MAX", 2)
    application = await house.api.application()
    await house.api.webhook(application, receiver.url)
    browser = await house.browser("admin", application)
    events = [{"type": f"t{number}", "content": {"number": number}} for number in range(9)]
    path = f"/v1/applications/{application}/events"
    async with watching_at(browser, f"{browser.root}/tail/stream") as stream:
        await house.api("POST", path, events, status=202)
        rows = left = 0
        while rows + left < 9:
            _, told, _ = await stream.next()
            new = Page(told["html"]).text.count("succeeded")
            assert new <= 2
            rows, left = rows + new, left + told["left_out"]
        assert left > 0
        monkeypatch.setattr(watching, "LOOK_MAX", 3)
        monkeypatch.setattr(manage_tail, "LOOK_MAX", 3)
        await house.api("POST", path, events, status=202)
        _, told, _ = await stream.next()
        while not told["is_cut"]:
            _, told, _ = await stream.next()
    page = await browser.get(f"{browser.root}/tail?type=t0")
    assert "No attempt of the newest is that passes these filters." in page.text


async def test_a_stream_has_its_time(house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """After it the browser asks again by itself; while nothing is new a line says nothing; a store that does not answer
    ends it.
    """
    monkeypatch.setattr(_stream, "TURN_S", 0.01)
    monkeypatch.setattr(_stream, "QUIET_TURNS_MAX", 2)
    application = await house.api.application()
    browser = await house.browser("admin", application)
    async with watching_at(browser, f"{browser.root}/tail/stream") as stream:
        lines = [await anext(stream._lines) for _ in range(4)]
        assert lines == [f"retry: {_stream.RETRY_MS}", "", ": nothing new", ""]
    monkeypatch.setattr(_stream, "STREAM_S", 0.05)
    async with watching_at(browser, f"{browser.root}/tail/stream") as stream:
        assert await stream.ends()


async def test_a_reader_that_takes_nothing_is_let_go(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept for it is bounded by a turn and the socket's own buffers, and so is its time."""
    monkeypatch.setattr(_stream, "TURN_S", 0.01)
    monkeypatch.setattr(_stream, "SEND_S", 0.2)
    monkeypatch.setattr(watching, "FRESH_S", 0.0)
    application = await house.api.application()
    await house.api.webhook(application, f"{receiver.url}?{'x' * 1_900}")
    browser = await house.browser("admin", application)
    cookie = browser.client.cookies["hookspan_session"]
    tails, port = house.api.node.manage.tails, int(house.api.node.base_url.rpartition(":")[2])
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    small.connect(("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=small, limit=1_024)
    head = f"GET {browser.root}/tail/stream HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: hookspan_session={cookie}\r\n\r\n"
    writer.write(head.encode())
    assert b"200" in await reader.readline()
    path = f"/v1/applications/{application}/events"
    events = [{"type": "order.paid", "content": {}}] * 100
    assert tails.viewers == 1
    async with asyncio.timeout(30):
        while tails.viewers:
            await house.api("POST", path, events, status=202)
    reading: Any = writer.transport
    assert reading.is_reading() is False  # it was its own fault: nothing more was taken
    writer.close()


async def test_a_stop_does_not_wait_for_viewers(tmp_path: Path) -> None:
    """The node ends at once, and their streams with it."""
    house = None
    async with asyncio.timeout(30):
        async with api_in(tmp_path) as api:
            house = House(api)
            application = await api.application()
            browser = await house.browser("admin", application)
            request = browser.client.build_request("GET", f"{browser.root}/tail/stream")
            response = await browser.client.send(request, stream=True)
            stream = Stream(response)
            assert await anext(stream._lines) == f"retry: {_stream.RETRY_MS}"
            begun_s = asyncio.get_running_loop().time()
        took_s = asyncio.get_running_loop().time() - begun_s
        assert await stream.ends()
        await house.close()
    assert took_s < 4.5  # a request that is being answered has 5
