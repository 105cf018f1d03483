"""A one-time link by which a customer enters what only they know: made, opened, spent, refused."""

import asyncio
import re

import httpx
import pytest

from hookspan.errors import StoreUnavailable
from hookspan.manage import _attempts
from hookspan.manage._attempts import Attempts
from hookspan.manage.credential_links import PART_CHARS_MAX
from hookspan.manage.webhooks import Webhooks
from tests.integration.dashboard.conftest import SAME, Browser, House, Page
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def patience(house: House) -> None:
    """All of these customers have one address: each test begins without tries."""
    entry = house.api.node.manage.credential_entry
    entry._attempts = Attempts(entry._ground.clock)


class Entry:
    """A webhook of Bridge LMS without credentials, its support user, and a link for the customer."""

    def __init__(self, house: House, browser: Browser, webhook: str, link: str) -> None:
        self.house = house
        self.browser = browser
        self.webhook = webhook
        self.link = link
        self.application = browser.root.rpartition("/")[2]

    async def webhook_now(self) -> dict:
        return await self.house.api("GET", f"/v1/applications/{self.application}/webhooks/{self.webhook}")

    async def open(self, status: int = 200, link: str | None = None) -> Page:
        async with self.house.client() as client:
            response = await client.get(link or self.link)
        assert response.status_code == status, Page(response.text).text
        return Page(response.text)

    async def enter(self, status: int = 200, *, csrf: str | None = None, **fields: str) -> httpx.Response:
        """As the customer's browser sends it."""
        async with self.house.client() as client:
            if csrf is None:
                csrf = Page((await client.get(self.link)).text).field("csrf")
            named = {f"credential.{name}": value for name, value in fields.items()}
            response = await client.post(self.link, data={"csrf": csrf, **named}, headers=SAME)
        assert response.status_code == status, Page(response.text).text
        return response


async def entry_of(house: House, receiver: Receiver, *names: str, **webhook) -> Entry:
    application = await house.api.application(name="Lakeside <School>", profile="bridge-lms")
    made = await house.api.webhook(
        application, receiver.url, name="Student <records>", events=["user.created"], **webhook
    )
    browser = await house.browser("support", application)
    path = f"{browser.root}/webhooks/{made['id']}/credential-link"
    response = await browser.post(path, {"credential": list(names or ("token",)), "expires_in": "3600"}, status=201)
    found = re.search(r"data-secret>([^<]+)<", response.text)
    assert found is not None
    return Entry(house, browser, made["id"], found[1])


async def test_a_customer_enters_a_token(house: House, receiver: Receiver) -> None:
    """Names are shown, the token never; it is sent from then on; the link is spent; the audit log has both."""
    one = await entry_of(house, receiver)
    page = await one.open()
    assert "Lakeside <School>" in page.text
    assert "Student <records>" in page.text
    assert "Bearer Token" in page.text
    assert [it["name"] for it in page.all("input")] == ["csrf", "credential.token"]
    response = await one.enter(token="t0ken-of-theirs")
    assert "Saved" in Page(response.text).text
    assert "t0ken-of-theirs" not in response.text
    assert set((await one.webhook_now())["credentials"]) == {"token"}
    receiver.keeps_requests = True
    await one.browser.post(f"{one.browser.root}/webhooks/{one.webhook}/test", status=200)
    assert receiver.requests[-1][0][b"authorization"] == b"Bearer t0ken-of-theirs"
    assert "This link is over" in (await one.open(401)).text
    assert "This link is over" in Page((await one.enter(401, csrf="x", token="again")).text).text
    lines = (await house.api("GET", f"/v1/audit?object={one.webhook}"))["data"]
    changed, made = (
        next(it for it in lines if it["action"] == name) for name in ("webhook.changed", "credential_link.created")
    )
    assert (changed["actor"]["kind"], changed["actor"]["name"]) == ("portal", "credential link")
    assert made["detail"] == {"credentials": ["token"]}
    assert "t0ken" not in str(lines)


async def test_what_is_refused_spends_nothing(house: House, receiver: Receiver) -> None:
    """Empty, too long, with a line break, or without the page's own mark: told, and the link goes on working."""
    one = await entry_of(house, receiver, "token", "secret")
    for fields, words in (
        ({"token": "x"}, "Must not be empty."),
        ({"token": "x" * 16_385, "secret": "y"}, "16,384 characters"),
        ({"token": "x\ny", "secret": "y"}, "line break"),
        ({"token": "x" * 2_000, "secret": "y"}, "1,024 are possible"),
    ):
        response = await one.enter(400, **fields)
        assert words in Page(response.text).text
        assert not any(
            it.get("value") for it in Page(response.text).all("input") if it["name"].startswith("credential")
        )
    await one.enter(403, csrf="wrong", token="x", secret="y")
    async with house.client() as client:
        foreign = await client.post(one.link, data={"csrf": "x"}, headers={"sec-fetch-site": "cross-site"})
        assert foreign.status_code == 403
    assert (await one.webhook_now())["credentials"] == {}
    await one.enter(token=" x ", secret="y")
    assert set((await one.webhook_now())["credentials"]) == {"token", "secret"}


async def test_a_store_that_fails_leaves_the_link(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be saved can be entered again."""
    one = await entry_of(house, receiver)

    async def failing(*_args, **_more):
        raise StoreUnavailable("The disk went away.")

    with monkeypatch.context() as patch:
        patch.setattr(Webhooks, "change", failing)
        response = await one.enter(503, token="x")
    assert "The disk went away." in Page(response.text).text
    await one.enter(token="x")


async def test_a_token_goes_to_no_host_but_the_one_that_was_shown(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moved after the page was opened, or while it is being sent: nothing is saved, and the new host is shown."""
    one = await entry_of(house, receiver)
    shown = (await one.open()).field("csrf")
    path = f"/v1/applications/{one.application}/webhooks/{one.webhook}"
    elsewhere = receiver.url.replace("127.0.0.1", "127.0.0.2")
    await house.api("PATCH", path, {"url": elsewhere})
    page = Page((await one.enter(403, csrf=shown, token="x")).text)
    assert "leads elsewhere by now" in page.text
    assert "requests to 127.0.0.2" in page.text
    change = Webhooks.change

    async def late(self, app, ident, given, expected=None):
        patch.undo()
        await house.api("PATCH", path, {"url": receiver.url})
        return await change(self, app, ident, given, expected)

    with monkeypatch.context() as patch:
        patch.setattr(Webhooks, "change", late)
        await one.enter(412, token="x")
    assert (await one.webhook_now())["credentials"] == {}
    await one.enter(token="x")


async def test_other_names_in_the_form_are_nothing(house: House, receiver: Receiver) -> None:
    """Only what the link is for is set, whatever else is sent."""
    one = await entry_of(house, receiver)
    await one.enter(token="x", secret="y", url="https://evil.example/", password="z")
    webhook = await one.webhook_now()
    assert (set(webhook["credentials"]), webhook["url"]) == ({"token"}, receiver.url)


async def test_of_two_at_once_one_wins(house: House, receiver: Receiver) -> None:
    """A link is spent once, however it is pressed."""
    one = await entry_of(house, receiver)
    page = await one.open()
    async with house.client() as client:
        data = {"csrf": page.field("csrf")}
        answers = await asyncio.gather(
            *(client.post(one.link, data=data | {"credential.token": f"t{n}"}, headers=SAME) for n in range(5))
        )
    assert sorted(it.status_code for it in answers) == [200, 401, 401, 401, 401]
    assert (await one.webhook_now())["version"] == 2


async def test_a_link_opens_nothing_else(house: House, receiver: Receiver) -> None:
    """Not another webhook, not another credential; as a key, a portal or a link to sign in it is unknown."""
    one = await entry_of(house, receiver)
    other = await house.api.webhook(one.application, receiver.url, name="Other", events=[])
    *_, token = one.link.split("/")
    await one.open(401, one.link.replace(one.webhook, other["id"]))
    await one.open(401, one.link.replace("/token/", "/secret/"))
    await one.open(401, one.link.replace("/token/", "/token,secret/"))
    await one.open(401, one.link[:-1] + ("1" if one.link[-1] != "1" else "2"))
    await one.open(401, one.link + "x" * PART_CHARS_MAX)
    await one.open(401, one.link.replace(one.application, "app%00"))
    async with house.client() as client:
        assert (await client.get(f"/portal/{token}")).status_code == 401
        bearer = {"authorization": f"Bearer {token}"}
        assert (await client.get(f"/v1/applications/{one.application}", headers=bearer)).status_code == 401
        assert (await client.get(f"/enter/{one.application}")).status_code == 404
    await one.open()


async def test_deleted_or_taken_back(house: House, receiver: Receiver) -> None:
    """A deleted webhook is told; a link that was ended, or whose application is gone, is over."""
    one = await entry_of(house, receiver)
    await house.api("DELETE", f"/v1/applications/{one.application}/webhooks/{one.webhook}")
    assert "It was deleted after this link was made." in (await one.open(404)).text
    await one.enter(404, csrf="x", token="x")
    two = await entry_of(house, receiver)
    [session] = (await house.api("GET", f"/v1/applications/{two.application}/portal-sessions"))["data"]
    await house.api("DELETE", f"/v1/applications/{two.application}/portal-sessions/{session['id']}", status=204)
    assert "This link is over" in (await two.open(401)).text
    three = await entry_of(house, receiver)
    await house.api("DELETE", f"/v1/applications/{three.application}", status=204)
    assert "This link is over" in (await three.open(401)).text


async def test_a_link_ends_by_itself(house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time it is over, looked at or sent."""
    one = await entry_of(house, receiver)
    clock = house.api.node.manage._ground.clock
    now_ms = clock.now_ms()
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now_ms", lambda: now_ms + 3_599_000)
        await one.open()
        patch.setattr(clock, "now_ms", lambda: now_ms + 3_601_000)
        await one.open(401)
        await one.enter(401, csrf="x", token="x")


async def test_who_may_make_one(house: House, receiver: Receiver) -> None:
    """Who configures; not through a portal, which a link would outlive; not where nobody enters anything."""
    one = await entry_of(house, receiver)
    path = f"/webhooks/{one.webhook}/credential-link"
    assert f"{one.browser.root}{path}" in (await one.browser.get(f"{one.browser.root}/webhooks/{one.webhook}")).links()
    admin = await house.browser("admin", one.application)
    page = await admin.get(admin.root + path, 403)
    assert "A webhook must be configured by a Support user." in page.text
    await admin.post(admin.root + path, {"credential": "token"}, status=403)
    portal = await house.portal(one.application, role="support")
    assert portal.root + path not in (await portal.get(f"{portal.root}/webhooks/{one.webhook}")).links()
    assert "outlive this portal session" in (await portal.get(portal.root + path, 403)).text
    response = await portal.post(portal.root + path, {"credential": "token"}, status=403)
    assert "outlive this portal session" in Page(response.text).text
    standard = await house.api.application()
    made = await house.api.webhook(standard, receiver.url)
    browser = await house.browser("admin", standard)
    await browser.get(f"{browser.root}/webhooks/{made['id']}/credential-link", 403)
    await browser.get(f"{browser.root}/webhooks/whk_1/credential-link", 404)


async def test_making_is_checked_and_done_once(house: House, receiver: Receiver) -> None:
    """None ticked, or one that there is not, is refused at the field; a double click makes one link."""
    one = await entry_of(house, receiver, credentials={"token": "theirs"})
    path = f"{one.browser.root}/webhooks/{one.webhook}/credential-link"
    page = await one.browser.get(path)
    assert "it is replaced" in page.text
    for wrong in ([], ["password"], ["token", "password"]):
        response = await one.browser.post(path, {"credential": wrong}, status=400)
        assert "there are: token, secret" in Page(response.text).text
    fields = {"credential": "secret", "once": page.field("once"), "expires_in": "9"}
    await one.browser.post(path, fields, status=201)
    response = await one.browser.post(path, fields)
    assert response.headers["location"] == path.removesuffix("/credential-link")
    sessions = (await house.api("GET", f"/v1/applications/{one.application}/portal-sessions"))["data"]
    assert len(sessions) == 2


async def test_guesses_are_slowed_down(house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten wrong ones in a row from one address; a right one is no attempt."""
    monkeypatch.setattr(_attempts, "INTERVAL_S", 600.0)  # none comes back while the test looks
    one = await entry_of(house, receiver)
    async with house.client() as client:
        statuses = [(await client.get(one.link + "x")).status_code for _ in range(12)]
        assert statuses[-1] == 429
        refused = await client.get(one.link)
    assert "Too many tries" in Page(refused.text).text
    assert int(refused.headers["retry-after"]) > 0
