"""A webhook that is moved while it is sent to: over TLS, to two paths of a receiver, by two people at once."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme

from hookspan.errors import StoreUnavailable
from hookspan.manage.webhooks import Webhooks
from tests.integration.api.conftest import api_in
from tests.integration.dashboard.conftest import Browser, House, Page
from tests.wire._receiver import Request, WireReceiver

pytestmark = pytest.mark.anyio
EVENTS = 150
MOVES = 12
PATHS = ("/a", "/b")


def sent_id(request: Request) -> str:
    return json.loads(request.body)["event_id"]


class Sent:
    """A house with a receiver, and a webhook of bridge-xyz that is active."""

    def __init__(self, house: House, receiver: WireReceiver) -> None:
        self.house = house
        self.receiver = receiver

    async def begin(self) -> None:
        api = self.house.api
        self.application = await api.application(profile="bridge-xyz")
        made = await api.webhook(self.application, self.receiver.url + PATHS[0])
        self.webhook = made["id"]
        self.path = f"/v1/applications/{self.application}/webhooks/{self.webhook}"
        await api("PATCH", self.path, {"status": "active"})

    async def now(self) -> dict:
        return await self.house.api("GET", self.path)

    async def publish(self, count: int) -> list[str]:
        path, found = f"/v1/applications/{self.application}/events/sample", []
        for _ in range(count):
            made = await self.house.api("POST", path, {"type": "customer.created"}, status=202)
            found.append(made["id"])
        return found

    async def move(self, browser: Browser, url: str) -> int:
        """As somebody does it who has just opened the page."""
        here = f"{browser.root}/webhooks/{self.webhook}/move"
        page = Page((await browser.client.get(here, follow_redirects=True)).text)
        version = next((one["value"] for one in page.all("input") if one.get("name") == "version"), "")
        response = await browser.client.post(
            here,
            data={"csrf": page.field("csrf"), "url": url, "version": version},
            headers={"sec-fetch-site": "same-origin"},
        )
        return response.status_code

    def taken(self) -> list[Request]:
        """What has arrived, at either path."""
        found = []
        for path in PATHS:
            queue = self.receiver._queue(path)
            while not queue.empty():
                found.append(queue.get_nowait())
        return found

    async def all_of(self, count: int) -> list[Request]:
        """So many requests, and what else comes until nothing waits."""
        found: list[Request] = []
        async with asyncio.timeout(30):
            while len(found) < count or (await self.now())["health"]["waiting"]:
                found += self.taken()
                await asyncio.sleep(0.01)
        return found + self.taken()


@pytest.fixture
async def sent(tmp_path) -> AsyncIterator[Sent]:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    async with (
        WireReceiver(tls) as receiver,
        api_in(tmp_path, egress_ca_file=str(tmp_path / "ca.pem"), management_rate=0) as api,
    ):
        house = House(api)
        one = Sent(house, receiver)
        await one.begin()
        yield one
        await house.close()


async def test_nothing_is_lost_or_doubled_while_two_people_move_it(sent: Sent) -> None:
    """To and fro as events come: each arrives once; who was second is told; at the end it is active, at one of both."""
    first = await sent.house.browser("admin", sent.application)
    second = await sent.house.browser("operator_admin", sent.application)
    statuses: list[int] = []

    async def moving() -> None:
        for number in range(MOVES):
            url = sent.receiver.url + PATHS[1 - number % 2]
            statuses.extend(await asyncio.gather(sent.move(first, url), sent.move(second, url)))

    published, _ = await asyncio.gather(sent.publish(EVENTS), moving())
    assert statuses.count(303) >= MOVES
    assert set(statuses) <= {303, 403, 409, 412}
    webhook = await sent.now()
    assert webhook["status"] == "active"
    arrived = [sent_id(one) for one in await sent.all_of(EVENTS)]
    assert sorted(arrived) == sorted(published)


async def test_disabling_fails(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has happened then: the page says which step it was, and that the webhook is active where it was."""
    browser = await sent.house.browser("admin", sent.application)
    change = Webhooks.change

    async def failing(self, app, ident, given, expected=None):
        if given.status == "disabled":
            raise StoreUnavailable("The disk went away.")
        return await change(self, app, ident, given, expected)

    here = f"{browser.root}/webhooks/{sent.webhook}/move"
    version = (await browser.get(here)).field("version")
    with monkeypatch.context() as patch:
        patch.setattr(Webhooks, "change", failing)
        response = await browser.post(here, {"url": sent.receiver.url + "/b", "version": version}, status=503)
    page = Page(response.text)
    assert "It could not be disabled. The disk went away." in page.text
    assert f"Now it is active, and leads to {sent.receiver.url}/a." in page.text
    assert (await sent.now())["version"] == int(version)
    [event] = await sent.publish(1)
    assert sent_id(await sent.receiver.next("/a")) == event


async def test_somebody_changes_it_between_the_steps(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their change stays: the URL is not changed over it, and who moved it is told that it is disabled."""
    browser = await sent.house.browser("admin", sent.application)
    change = Webhooks.change

    async def interrupted(self, app, ident, given, expected=None):
        found = await change(self, app, ident, given, expected)
        if given.status == "disabled":
            patch.undo()
            await sent.house.api("PATCH", sent.path, {"rate": 50})
        return found

    here = f"{browser.root}/webhooks/{sent.webhook}/move"
    version = (await browser.get(here)).field("version")
    with monkeypatch.context() as patch:
        patch.setattr(Webhooks, "change", interrupted)
        response = await browser.post(here, {"url": sent.receiver.url + "/b", "version": version}, status=412)
    assert "It was disabled, but the URL could not be changed." in Page(response.text).text
    webhook = await sent.now()
    assert (webhook["rate"], webhook["status"], webhook["url"]) == (50, "disabled", sent.receiver.url + "/a")
    [event] = await sent.publish(1)
    await browser.post(f"{browser.root}/webhooks/{sent.webhook}/activate", {"resume": "keep"})
    assert sent_id(await sent.receiver.next("/a")) == event
