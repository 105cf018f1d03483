"""The failure inbox: what fails, why as a rule, what to do, and when it is over."""

import asyncio

import pytest

from hookspan.manage import failures
from tests.integration.api.conftest import ARRIVAL_S
from tests.integration.dashboard.conftest import Browser, House, Page
from tests.integration.dashboard.test_work_pages import job_of
from tests.support.ports import free_port
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio


async def seen(browser: Browser, path: str, text: str) -> Page:
    """The page, once it has this text: what a node knows of a webhook is kept a moment after its attempts."""
    async with asyncio.timeout(ARRIVAL_S):
        while text not in (page := await browser.get(path)).text:
            await asyncio.sleep(0.01)
    return page


async def test_failures_are_put_together_by_webhook_and_error(house: House, receiver: Receiver) -> None:
    """What it answers, how many deliveries, the cause and the remedy, the way to them; the first success ends it."""
    application, other = await house.api.application(name="Acme"), await house.api.application(name="Elsewhere")
    webhook = (await house.api.webhook(application, receiver.url, name="<i>Shop</i>"))["id"]
    browser = await house.browser("operator_admin", application)
    here = f"{browser.root}/failures"
    assert "Nothing fails." in (await browser.get(here)).text
    receiver.status = 401
    for number in range(3):
        await house.api.delivery_of(application, await house.api.publish(application, number), "pending")
    dead = (await house.api.webhook(other, f"http://127.0.0.1:{free_port()}/hook"))["id"]
    await house.api.delivery_of(other, await house.api.publish(other, 1), "pending")
    await seen(browser, here, "3 deliveries")
    page = await seen(browser, here, "3 wait")
    assert "Answers 401: it did not accept the signature." in page.text
    assert "Compare what your code verifies" in page.text
    assert "<i>Shop</i>" in page.text
    assert "Elsewhere" not in page.text
    assert "Send what failed again" not in page.text
    links = page.links()
    assert f"{browser.root}/webhooks/{webhook}" in links
    assert f"{browser.root}/deliveries?webhook={webhook}&state=pending" in links
    [last] = [one for one in links if "/deliveries/dlv_" in one]
    assert "401" in (await browser.get(last)).text
    page = await seen(browser, "/dashboard/failures", "No complete answer: nothing listens there.")
    assert "of Acme" in page.text
    assert "of Elsewhere" in page.text
    assert f"/dashboard/applications/{other}/webhooks/{dead}" in page.links()
    assert "/dashboard/failures" in (await browser.get("/dashboard")).links()
    receiver.status = 200
    await house.api.delivery_of(application, await house.api.publish(application, 9), "succeeded")
    await seen(browser, here, "Nothing fails.")


async def test_what_was_given_up_is_sent_again(house: House, receiver: Receiver) -> None:
    """A 410 switches the webhook off; once it works it is listed for what it gave up, until that has been replayed."""
    receiver.status = 410
    application = await house.api.application()
    webhook = (await house.api.webhook(application, receiver.url, name="Shop"))["id"]
    await house.api.delivery_of(application, await house.api.publish(application, 1), "failed")
    await house.api.node.engine.disabler.turn()
    browser = await house.browser("admin", application)
    here = f"{browser.root}/failures"
    page = await seen(browser, here, "switched off")
    assert "when it answered 410" in page.text
    assert "Answers 410: it is gone. 1 delivery, 1 given up, since" in page.text
    receiver.status = 200
    await browser.post(f"{browser.root}/webhooks/{webhook}/activate")
    page = await seen(browser, here, "fails no more")
    assert "1 delivery given up" in page.text
    assert f"{browser.root}/deliveries?webhook={webhook}&state=failed" in page.links()
    member = await house.browser("member", application)
    assert [one for one in (await member.get(here)).links() if "/replay" in one] == []
    [place] = [one for one in page.links() if "/replay" in one]
    page = await browser.get(place)
    assert "1 event would be sent again" in page.text
    fields = {one["name"]: one.get("value", "") for one in page.all("input") if "name" in one}
    fields = {name: fields[name] for name in ("since", "until", "once")} | {"state": "failed"}
    started = (await browser.post(place.partition("?")[0], fields)).headers["location"]
    await job_of(house, started, "succeeded")
    await seen(browser, here, "Nothing fails.")


async def test_a_portal_has_its_own_only(house: House, receiver: Receiver) -> None:
    """Of one application; another's is not found, and the page of all leads home."""
    mine, others = await house.api.application(), await house.api.application(name="Others")
    receiver.status = 503
    for application, name in ((mine, "Mine"), (others, "Strange")):
        await house.api.webhook(application, receiver.url, name=name)
        await house.api.delivery_of(application, await house.api.publish(application, 1), "pending")
    customer, member = await house.portal(mine, role="member"), await house.browser("member", mine)
    for browser in (customer, member):
        page = await seen(browser, f"{browser.root}/failures", "Answers 503")
        assert "Mine" in page.text
        assert "Strange" not in page.text
    links = (await customer.get(f"{customer.root}/failures")).links() - {"#main"}
    assert [one for one in links if not one.startswith(customer.root)] == []
    response = await member.client.get("/dashboard/failures")
    assert response.headers["location"] == f"{member.root}/failures"
    await member.get(f"/dashboard/applications/{others}/failures", 404)


async def test_the_list_is_bounded(house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many webhooks, so many attempts of each: beyond that it is said."""
    monkeypatch.setattr(failures, "WEBHOOKS_MAX", 1)
    monkeypatch.setattr(failures, "ATTEMPTS_EACH_MAX", 2)
    application = await house.api.application()
    receiver.status = 500
    for name in ("One", "Two"):
        await house.api.webhook(application, receiver.url, name=name)
    for number in range(3):
        await house.api.publish(application, number)
    browser = await house.browser("admin", application)
    page = await seen(browser, f"{browser.root}/failures?within=7d", "These are the newest; there are more.")
    assert page.text.count("Answers 500: it failed.") == 1
    assert "what was given up in 7 days" in page.text
    await seen(browser, f"{browser.root}/failures?within=odd", "at least 2 deliveries")
