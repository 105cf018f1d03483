"""Deliveries, events, the overview and the one search field: what happened, why, and what now."""

import asyncio

import pytest

from tests.integration.api.conftest import ARRIVAL_S, SLOW_RETRIES
from tests.integration.dashboard.conftest import House, Page, furnish
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}</title></textarea>"


async def test_any_id_leads_to_its_page(house: House, receiver: Receiver) -> None:
    """The operator's people find everything from everywhere; others only what is within reach."""
    there, other = await furnish(house.api, receiver.url), await furnish(house.api, receiver.url)
    xyz = await house.api.application(profile="bridge-xyz")
    await house.api("POST", f"/v1/applications/{xyz}/events/sample", status=202)
    [event] = (await house.api("GET", f"/v1/applications/{xyz}/events"))["data"]
    operator, own = await house.browser("operator_member", xyz), await house.browser("member", there.application)
    places = {
        there.application: "",
        there.webhook: f"/webhooks/{there.webhook}",
        there.event: f"/events/{there.event}",
        there.delivery: f"/deliveries/{there.delivery}",
    }
    for text, place in places.items():
        for browser in (operator, own):
            for start in ("/dashboard", own.root):
                response = await browser.client.get(f"{start}/search", params={"q": f" {text} "})
                assert response.headers.get("location") == own.root + place, (text, response.text[:200])
    response = await operator.client.get("/dashboard/search", params={"q": event["id"]})
    assert response.headers["location"] == f"/dashboard/applications/{xyz}/events/{event['id']}"
    for text in (other.event, other.webhook, other.delivery, other.application, event["id"]):
        response = await own.client.get("/dashboard/search", params={"q": text})
        assert response.status_code == 200
        assert other.application not in response.text.replace(text, "")


async def test_names_hosts_and_a_publisher_s_own_ids(house: House, receiver: Receiver) -> None:
    """A customer's or webhook's name or host leads to the application; an order's number to its event."""
    there = await furnish(house.api, receiver.url, name="Ordering System")
    event = await house.api.publish(there.application, 3, publisher_id="order 17/ä")
    browser = await house.browser("operator_support", there.application)
    page = await browser.get("/dashboard/search?q=ordering+sys")
    assert any(link.startswith(browser.root) for link in page.links())
    response = await browser.client.get(f"{browser.root}/search", params={"q": "order 17/ä"})
    assert response.headers["location"] == f"{browser.root}/events/{event}"
    response = await browser.client.get(f"{browser.root}/search", params={"q": "ORDERING"})
    assert response.headers["location"] == f"{browser.root}/webhooks/{there.webhook}"
    assert "Nothing here has" in (await browser.get(f"{browser.root}/search?q=zzz")).text


async def test_the_overview_shows_trouble_first(house: House, receiver: Receiver) -> None:
    """A webhook that fails stands on the overview with its share, and first in its application's list."""
    async with Receiver() as fine:
        there = await furnish(house.api, fine.url)
    receiver.status = 500
    bad = await house.api.webhook(there.application, receiver.url, name="Broken one", events=["order.paid"])
    await house.api.webhook(there.application, receiver.url, name="Quiet one", events=[])
    event = await house.api.publish(there.application, 2)
    await house.api.delivery_of(there.application, event, "pending")
    browser = await house.browser("operator_member", there.application)

    async def is_failing() -> bool:
        shown = await house.api("GET", f"/v1/applications/{there.application}/webhooks/{bad['id']}")
        return shown["health"]["state"] == "failing"

    while not await is_failing():
        await receiver.wait_until(lambda: False, 0.02)
    page = await browser.get("/dashboard")
    trouble = page.text.partition("Webhooks in trouble")[2].partition("How it went")[0]
    name = (await house.api("GET", f"/v1/applications/{there.application}"))["name"]
    assert "Broken one" in trouble
    assert name in trouble
    assert "Standard Webhooks" in page.text
    assert "Success rate" in page.text
    page = await browser.get(browser.root)
    assert page.text.index("Broken one") < page.text.index("Quiet one")


async def test_filters_and_pages_are_in_the_address(house: House, receiver: Receiver) -> None:
    """Lists come by the page, newest first; filters and the next page are links that can be sent to a colleague."""
    application = await house.api.application()
    await house.api.webhook(application, receiver.url)
    events = [{"type": f"t.n{number % 2}", "content": {}} for number in range(120)]
    await house.api("POST", f"/v1/applications/{application}/events", events, status=202)
    browser = await house.browser("member", application)
    for name in ("deliveries", "events"):
        for query, count in (("", 120), ("?type=t.n1", 60)) + ((("?within=24h", 120),) if name == "deliveries" else ()):
            seen: set[str] = set()
            path = f"{browser.root}/{name}{query}"
            for _ in range(5):
                page = await browser.get(path)
                seen |= {link for link in page.links() if link.startswith(f"{browser.root}/{name}/")}
                older = [one["href"] for one in page.all("a") if one.get("rel") == "next"]
                if not older:
                    break
                path = older[0]
            assert len(seen) == count, (name, query)
    assert "No delivery passes these filters." in (await browser.get(f"{browser.root}/deliveries?state=cancelled")).text
    assert "No event passes these filters." in (await browser.get(f"{browser.root}/events?type=no")).text


async def test_one_delivery_with_its_attempts(house: House, receiver: Receiver) -> None:
    """Each attempt has its address; the chosen one shows request and answer; retry and cancel do what they say."""
    receiver.status = 503
    there = await furnish(house.api, receiver.url, settings=SLOW_RETRIES)
    browser = await house.browser("admin", there.application)
    here = f"{browser.root}/deliveries/{there.delivery}"

    async def attempts() -> list[dict]:
        return (await house.api("GET", f"/v1/applications/{there.application}/deliveries/{there.delivery}"))["attempts"]

    await house.api.attempts_of(there.application, there.delivery)
    page = await browser.get(here)
    assert "Your endpoint answered 503: it failed." in page.text
    assert "webhook-signature" in page.text
    assert "curl -i http://127.0.0.1:3000/hook" in page.text
    assert any(one.get("hx-trigger") == "every 3s" for one in page.all("div"))
    receiver.status = 200
    await browser.post(f"{here}/retry")
    async with asyncio.timeout(ARRIVAL_S):
        while len(await attempts()) < 2:
            await asyncio.sleep(0.01)
    first = (await attempts())[0]["id"]
    page = await browser.get(here)
    assert "Your endpoint answered 200: delivered." in page.text
    page = await browser.get(f"{here}?attempt={first}")
    assert "Your endpoint answered 503: it failed." in page.text
    await browser.post(f"{here}/cancel", status=409)
    await browser.post(f"{browser.root}/webhooks/{there.webhook}/disable")
    sent = await browser.post(f"{browser.root}/webhooks/{there.webhook}/send", {"event_id": there.event})
    assert "/deliveries/dlv_" in sent.headers["location"]
    await browser.post(f"{browser.root}/webhooks/{there.webhook}/send", {"event_id": "evt_nope"}, status=404)


async def test_an_event_says_what_became_of_it(house: House, receiver: Receiver) -> None:
    """A sentence for each webhook, the body exactly as sent, and what was published."""
    there = await furnish(house.api, receiver.url, name="Gets it")
    await house.api.webhook(there.application, receiver.url, name="Came later")
    browser = await house.browser("member", there.application)
    page = await browser.get(f"{browser.root}/events/{there.event}")
    assert "Delivered at" in page.text
    assert "The webhook was created later" in page.text
    assert '"order_id": 17' in page.text


async def test_hostile_text_is_text(house: House, receiver: Receiver) -> None:
    """Names, URLs, ids and bodies that try to be markup are shown as text on every page that has them."""
    application = await house.api.application(name=ATTACK)
    webhook = await house.api.webhook(application, f"{receiver.url}?q=<script>alert(1)</script>", name=ATTACK)
    event = await house.api.publish(application, 1, publisher_id=ATTACK, content={ATTACK: [ATTACK, {"a": ATTACK}]})
    delivery = (await house.api.delivery_of(application, event, "succeeded"))["delivery_id"]
    browser = await house.browser("operator_admin", application)
    root = browser.root
    here = f"{root}/webhooks/{webhook['id']}"
    for path in (
        "/dashboard", "/dashboard/applications", f"/dashboard/search?q={ATTACK[:30]}", root, f"{root}/deliveries",
        f"{root}/deliveries?type={ATTACK}", f"{root}/events", f"{root}/events?publisher_id={ATTACK}",
        f"{root}/webhooks/new", here, f"{here}/edit", f"{here}/delete", f"{here}/secret", f"{root}/events/{event}",
        f"{root}/deliveries/{delivery}", f"/sign-in?next={ATTACK}",
    ):  # fmt: skip
        response = await browser.client.get(path)
        assert response.status_code == 200, path
        page = Page(response.text)
        assert len(page.all("script")) == 2, path
        assert page.all("img") == [], path
        assert not [one for _, attributes in page.tags for one in attributes if one.startswith("on")], path
        assert "49" not in page.text.partition("{{7*7}}")[0][-5:]
    response = await browser.post(f"{root}/webhooks", {"url": ATTACK, "name": ATTACK, "headers": ATTACK}, status=400)
    page = Page(response.text)
    assert page.field("name") == ATTACK
    assert len(page.all("script")) == 2
    response = await browser.post(f"{root}/webhooks", {ATTACK: ATTACK}, csrf="stale", status=403)
    assert len(Page(response.text).all("script")) == 2
