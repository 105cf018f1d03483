"""From a webhook that is made disabled to one that runs: the checklist, the move to another URL, a stalled one."""

import asyncio

import pytest

from hookspan.errors import StoreUnavailable
from hookspan.manage.webhooks import Webhooks
from tests.integration.dashboard.conftest import Browser, House, Page

pytestmark = pytest.mark.anyio
NOWHERE = "https://127.0.0.1:1/hook"
ELSEWHERE = "https://127.0.0.1:2/hook"
STATES = ("done", "open", "yours")


async def made_in(house: House, **members) -> tuple[Browser, str, str]:
    """Somebody who may, a webhook of bridge-xyz, and its page."""
    application = await house.api.application(profile="bridge-xyz", **members)
    made = await house.api.webhook(application, NOWHERE)
    browser = await house.browser("admin", application)
    return browser, made["id"], f"{browser.root}/webhooks/{made['id']}"


async def look(house: House, browser: Browser, webhook: str) -> dict:
    application = browser.root.rpartition("/")[2]
    return await house.api("GET", f"/v1/applications/{application}/webhooks/{webhook}")


async def activated(house: House, browser: Browser, webhook: str) -> None:
    application = browser.root.rpartition("/")[2]
    await house.api("PATCH", f"/v1/applications/{application}/webhooks/{webhook}", {"status": "active"})


def steps_in(html: str) -> list[str]:
    part = html.partition('class="checklist"')[2].partition("</section>")[0]
    return [one.partition('"')[0] for one in part.split('<li class="')[1:]]


async def test_the_checklist_follows_what_has_happened(house: House, certificates) -> None:
    """Nothing yet; an event waits; a sample was sent by hand and refused: each is told as it is, with where to go."""
    browser, webhook, here = await made_in(house)
    html = (await browser.client.get(here)).text
    assert steps_in(html) == ["yours", "yours", "yours", "open", "open", "open"]
    assert "Send a sample" in html
    assert "Send the next one" not in html
    assert {f"{here}/verify", f"{browser.root}/catalog"} <= Page(html).links()
    response = await browser.post(f"{here}/send-sample", {"type": "customer.created"})
    assert "/deliveries/" in response.headers["location"]
    assert "customer.created" in (await browser.get(response.headers["location"])).text
    async with asyncio.timeout(10):
        while "done" not in steps_in(html := (await browser.client.get(here)).text)[4:]:
            pass
    assert steps_in(html) == ["yours", "yours", "done", "open", "done", "open"]
    assert "your server has not accepted it yet" in html
    assert "There was no complete answer." in html
    assert (await look(house, browser, webhook))["status"] == "disabled"
    await browser.post(f"{here}/send-sample", {"type": "no.such"}, status=400)
    await browser.post(f"{here}/activate", {"resume": "skip"})
    assert "Before it runs" not in (await browser.get(here)).text


async def test_a_sample_to_an_active_webhook_goes_its_way_once(house: House, certificates) -> None:
    """It is published; a webhook that asks for it gets it by that and not by hand too, another gets it by hand."""
    browser, webhook, here = await made_in(house)
    await activated(house, browser, webhook)
    application = browser.root.rpartition("/")[2]
    path = f"/v1/applications/{application}/webhooks/{webhook}"
    async with asyncio.timeout(10):
        while (await house.api("GET", path))["health"]["state"] == "catching_up":
            pass
    assert "Send a sample" in (await browser.get(here)).text
    await browser.post(f"{here}/send-sample", {"type": "customer.created"})
    assert len((await house.api("GET", f"{path}/deliveries"))["data"]) == 1
    await house.api("PATCH", path, {"events": ["transfer.created"]})
    await browser.post(f"{here}/send-sample", {"type": "customer.updated"})
    found = (await house.api("GET", f"{path}/deliveries"))["data"]
    assert sorted(one["type"] for one in found) == ["customer.created", "customer.updated"]


async def test_who_only_looks_sees_the_list_without_buttons(house: House, certificates) -> None:
    """A member may not send, and is offered nothing."""
    browser, _, here = await made_in(house)
    member = await house.browser("member", browser.root.rpartition("/")[2])
    page = await member.get(here)
    assert "Before it runs" in page.text
    assert page.actions() <= {"/sign-out"}
    await member.post(f"{here}/send-sample", {}, status=403)
    await member.get(f"{here}/move", 403)


async def test_moving_an_active_webhook(house: House, certificates) -> None:
    """Disabled, changed and activated in one action; what waits is kept."""
    browser, webhook, here = await made_in(house)
    response = await browser.client.get(f"{here}/move")
    assert response.headers["location"] == f"{here}/edit"
    await activated(house, browser, webhook)
    assert f"{here}/move" in (await browser.get(here)).links()
    assert f"{here}/move" in (await browser.get(f"{here}/edit")).links()
    version = (await browser.get(f"{here}/move")).field("version")
    application = browser.root.rpartition("/")[2]
    await house.api("POST", f"/v1/applications/{application}/events/sample", {"type": "customer.created"}, status=202)
    response = await browser.post(f"{here}/move", {"url": ELSEWHERE, "version": version})
    assert response.headers["location"] == f"{here}?done=moved"
    moved = await look(house, browser, webhook)
    assert (moved["url"], moved["status"], moved["health"]["waiting"]) == (ELSEWHERE, "active", 1)
    newest, before, *_ = (await house.api("GET", f"/v1/audit?object={webhook}"))["data"]
    assert ("url" in newest["detail"], newest["detail"]["resume"]) == (True, "keep")
    assert before["detail"]["status"]["to"] == "disabled"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "can't be used"),
        ("http://127.0.0.1:2/hook", "https"),
        ("https://10.0.0.1/", "The destination is not allowed"),
        ("<script>", "can't be used"),
    ],
)
async def test_a_url_that_is_wrong_changes_nothing(house: House, certificates, url: str, words: str) -> None:
    """It is looked at first, so the webhook stays active where it was; the page says so."""
    browser, webhook, here = await made_in(house)
    await activated(house, browser, webhook)
    version = (await browser.get(f"{here}/move")).field("version")
    response = await browser.post(f"{here}/move", {"url": url, "version": version}, status=400)
    page = Page(response.text)
    assert words in page.text
    assert "Now it is active, and leads to https://127.0.0.1:1/hook." in page.text
    assert page.field("url") == url
    assert (await look(house, browser, webhook))["version"] == int(version)


async def test_a_bad_certificate_and_another_s_change_are_told(house: House, certificates) -> None:
    """Before anything is switched off."""
    browser, webhook, here = await made_in(house)
    await activated(house, browser, webhook)
    version = (await browser.get(f"{here}/move")).field("version")
    for wrong in ("", "1", "x"):
        response = await browser.post(f"{here}/move", {"url": ELSEWHERE, "version": wrong}, status=412)
        assert "Now it is active" in Page(response.text).text
    certificates.is_valid = False
    response = await browser.post(f"{here}/move", {"url": ELSEWHERE, "version": version}, status=400)
    assert "valid certificate could be made" in Page(response.text).text
    assert (await look(house, browser, webhook))["status"] == "active"


async def test_a_failure_half_way_says_where_it_stands(
    house: House, certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change fails once the webhook is disabled: which step, what it is now, and how to go on; nothing is lost."""
    browser, webhook, here = await made_in(house)
    await activated(house, browser, webhook)
    version = (await browser.get(f"{here}/move")).field("version")
    change = Webhooks.change

    async def failing(self, app, ident, given, expected=None):
        if given.status == "active":
            raise StoreUnavailable("The disk went away.")
        return await change(self, app, ident, given, expected)

    with monkeypatch.context() as patch:
        patch.setattr(Webhooks, "change", failing)
        response = await browser.post(f"{here}/move", {"url": ELSEWHERE, "version": version}, status=503)
    page = Page(response.text)
    assert "It was disabled, but the URL could not be changed. The disk went away." in page.text
    assert "Now it is disabled, and leads to https://127.0.0.1:1/hook. What comes waits for it." in page.text
    assert f"{here}/activate" in page.actions()
    assert (await look(house, browser, webhook))["status"] == "disabled"
    response = await browser.post(f"{here}/move", {"url": ELSEWHERE, "version": "3"}, status=409)
    assert "change its URL, then activate it" in Page(response.text).text


async def test_no_move_where_the_form_does_it(house: House) -> None:
    """A profile whose URL changes as it is has no such action."""
    application = await house.api.application()
    made = await house.api.webhook(application, "http://127.0.0.1:1/")
    browser = await house.browser("admin", application)
    here = f"{browser.root}/webhooks/{made['id']}"
    assert f"{here}/move" not in (await browser.get(here)).links()
    assert (await browser.client.get(f"{here}/move")).headers["location"] == f"{here}/edit"
    await browser.post(f"{here}/move", {"url": "http://127.0.0.1:2/", "version": "1"}, status=409)
    await browser.post(f"{browser.root}/webhooks/whk_1/move", {"url": "http://127.0.0.1:2/"}, status=404)


async def test_a_stalled_webhook_names_its_head(house: House, certificates) -> None:
    """Which event is at the head, what came of it, how many wait behind, and the button that sends it."""
    settings = {"retry": {"first": "1s", "factor": 1, "cap": "1s", "until": "1s"}}
    browser, webhook, here = await made_in(house, settings=settings)
    await activated(house, browser, webhook)
    application = browser.root.rpartition("/")[2]
    for event_type in ("customer.created", "customer.updated", "customer.deleted"):
        await house.api("POST", f"/v1/applications/{application}/events/sample", {"type": event_type}, status=202)
    async with asyncio.timeout(20):
        while (await look(house, browser, webhook))["health"]["state"] != "stalled":
            pass
    html = (await browser.client.get(here)).text
    text = Page(html).text
    assert "and 2 wait behind it." in text
    assert "At the head: customer.created" in text
    assert "Send the head now" in text
    member = await house.browser("member", application)
    page = await member.get(here)
    assert "At the head: customer.created" in page.text
    assert page.actions() <= {"/sign-out"}
