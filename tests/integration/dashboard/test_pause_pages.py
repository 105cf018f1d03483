"""Pauses: what stands above every page, the operator's list and form, and what a customer's pages say."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.integration.dashboard.conftest import PEOPLE, Browser, Furnished, House, Page, furnish
from tests.integration.dashboard.test_pages import PORTALS, check_sealed, visitor
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
HOSTILE = '<script>alert("1")</script>'
OPERATORS = ("operator_admin", "operator_support", "operator_member")
REASON = "Their receiver is being moved."


@contextlib.asynccontextmanager
async def paused(house: House, **members) -> AsyncIterator[dict]:
    made = await house.api("POST", "/v1/pauses", members, status=201)
    try:
        yield made
    finally:
        await house.api("DELETE", f"/v1/pauses/{made['id']}")


def banner(page: Page) -> bool:
    return any(one.get("class") == "standing" for one in page.all("aside"))


async def operator(house: House, there: Furnished) -> Browser:
    return await visitor(house, "operator_admin", there.application)


@pytest.mark.parametrize("who", [*PEOPLE, *PORTALS])
async def test_it_stands_above_every_page(house: House, receiver: Receiver, who: str) -> None:
    """Of the application, for everybody; the operator's people have a link to the page, customers know who and why."""
    there = await furnish(house.api, receiver.url)
    browser = await visitor(house, who, there.application)
    assert not banner(await browser.get(browser.root))
    async with paused(house, scope="application", application_id=there.application, reason=REASON):
        for path in (*there.paths(), "/deliveries/nothing"):
            page = await browser.get(browser.root + path, 404 if path.endswith("/nothing") else 200)
            assert banner(page), path
            assert REASON.rstrip(".") in page.text
            if who in OPERATORS:
                assert "Sending for this application has been paused" in page.text
                assert "/dashboard/pauses" in page.links()
            else:
                assert "The operator has paused sending" in page.text
                assert "/dashboard/pauses" not in page.links()
        if who not in PORTALS:
            page = await browser.get("/dashboard/help")
            words = "for 1 application" if who in OPERATORS else "The operator has paused sending"
            assert banner(page)
            assert words in page.text
    assert not banner(await browser.get(browser.root))


async def test_a_customer_hears_of_their_own_pauses_alone(house: House, receiver: Receiver) -> None:
    """Of another application, or another profile, nothing; of the widest that covers it, that one's reason."""
    there, other = await furnish(house.api, receiver.url), await furnish(house.api, receiver.url)
    admin = await visitor(house, "admin", there.application)
    async with (
        paused(house, scope="application", application_id=other.application, reason="Not yours"),
        paused(house, scope="profile", profile="bridge-api", reason="Nor this"),
    ):
        assert not banner(await admin.get(admin.root))
        async with paused(house, scope="profile", profile="standard", reason="Yours"):
            text = (await admin.get(admin.root)).text
            assert "Yours" in text
            assert "Not yours" not in text
            assert "Nor this" not in text


async def test_what_the_operator_reads_at_large(house: House, receiver: Receiver) -> None:
    """How much is paused; everything, when it is."""
    there = await furnish(house.api, receiver.url)
    browser = await operator(house, there)
    async with (
        paused(house, scope="profile", profile="bridge-api"),
        paused(house, scope="profile", profile="bridge-xyz"),
        paused(house, scope="application", application_id=there.application),
    ):
        text = (await browser.get("/dashboard")).text
        assert "Sending is paused by profile bridge-api, bridge-xyz, and for 1 application" in text
        async with paused(house, scope="all", reason="After a restore."):
            text = (await browser.get("/dashboard")).text
            assert "All sending has been paused since" in text
            assert "After a restore. " in text


async def test_the_form_pauses_and_the_button_resumes(house: House, receiver: Receiver) -> None:
    """Each scope; fields of another scope count for nothing; what is paused already is told so."""
    there = await furnish(house.api, receiver.url)
    browser = await operator(house, there)
    page = await browser.get(f"/dashboard/pauses/new?application={there.application}")
    assert page.field("application_id") == there.application
    stray = {"profile": "bridge-lms", "application_id": there.application}
    for scope, member in (("all", None), ("profile", "profile"), ("application", "application_id")):
        given = {"scope": scope, "reason": f" {HOSTILE} ", **stray}
        response = await browser.post("/dashboard/pauses", given)
        assert response.headers["location"] == "/dashboard/pauses?done=paused"
        check_sealed(await browser.client.get("/dashboard/pauses"))
        made = (await house.api("GET", "/v1/pauses"))["data"][0]
        assert (made["scope"], made["reason"]) == (scope, HOSTILE)
        assert {name: made[name] for name in stray} == {name: stray[name] if name == member else None for name in stray}
        again = await browser.post("/dashboard/pauses", given)
        assert again.headers["location"].endswith("done=paused-already")
        listed = await browser.get("/dashboard/pauses")
        assert HOSTILE in listed.text
        assert f"/dashboard/pauses/{made['id']}/resume" in listed.actions()
        await browser.post(f"/dashboard/pauses/{made['id']}/resume")
        listed = await browser.get("/dashboard/pauses")
        assert made["id"] not in (await browser.client.get("/dashboard/pauses")).text
        assert "Nothing is paused." in listed.text


@pytest.mark.parametrize("who", [*PEOPLE, *PORTALS])
async def test_the_application_s_page_leads_to_its_pause(house: House, receiver: Receiver, who: str) -> None:
    """The operator's admins, with the application filled in; not while it is paused; nobody else."""
    there = await furnish(house.api, receiver.url)
    browser = await visitor(house, who, there.application)
    place = f"/dashboard/pauses/new?application={there.application}"
    page = await browser.get(browser.root)
    assert (place in page.links()) == (who == "operator_admin")
    if place in page.links():
        [link] = [one for one in page.all("a") if one.get("href") == place]
        assert link["class"] == "button"
        assert (await browser.get(place)).field("application_id") == there.application
    async with paused(house, scope="application", application_id=there.application):
        assert place not in (await browser.get(browser.root)).links()


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"scope": ""}, "scope", "application"),
        ({"scope": "application", "application_id": "app_none"}, "application_id", "There is no application"),
        ({"scope": "application", "application_id": "", "reason": "kept"}, "application_id", "application_id"),
        ({"scope": "profile", "profile": "no-such"}, "profile", "no-such"),
        ({"scope": "all", "reason": "x" * 501}, "reason", "500"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field(
    house: House, receiver: Receiver, fields: dict[str, str], field: str, words: str
) -> None:
    """With what was filled in; nothing is paused."""
    there = await furnish(house.api, receiver.url)
    browser = await operator(house, there)
    response = await browser.client.post(
        "/dashboard/pauses", data={"csrf": await browser.csrf(), **fields}, headers={"sec-fetch-site": "same-origin"}
    )
    assert response.status_code in (400, 404)
    assert f'id="wrong-{field}"' in response.text
    assert words in Page(response.text).text
    assert fields.get("reason", "") in response.text
    assert (await house.api("GET", "/v1/pauses"))["data"] == []


async def test_others_of_the_operator_look(house: House, receiver: Receiver) -> None:
    """The list without a button; the form is refused with who may. People of one application are led to it."""
    there = await furnish(house.api, receiver.url)
    async with paused(house, scope="application", application_id=there.application) as made:
        support = await visitor(house, "operator_support", there.application)
        page = await support.get("/dashboard/pauses")
        assert "Acme" in page.text
        assert f"/dashboard/pauses/{made['id']}/resume" not in page.actions()
        assert "Only the operator's admins" in (await support.get("/dashboard/pauses/new", 403)).text
        await support.post(f"/dashboard/pauses/{made['id']}/resume", status=403)
        admin = await visitor(house, "admin", there.application)
        response = await admin.client.get("/dashboard/pauses")
        assert (response.status_code, response.headers["location"]) == (303, admin.root)
        await admin.post(f"/dashboard/pauses/{made['id']}/resume", status=403)
    assert (await house.api("GET", "/v1/pauses"))["data"] == []


async def test_deliveries_and_acts_say_it(house: House, receiver: Receiver) -> None:
    """What waits is "paused", without a next attempt; sent by hand it waits; a test is not offered."""
    there = await furnish(house.api, receiver.url)
    admin = await visitor(house, "admin", there.application)
    webhook = f"{admin.root}/webhooks/{there.webhook}"
    async with paused(house, scope="application", application_id=there.application, reason=REASON):
        response = await admin.post(f"{webhook}/send", {"event_id": there.event})
        assert response.headers["location"].endswith("done=waits")
        page = await admin.get(response.headers["location"])
        assert "It is sent when sending goes on." in page.text
        assert "Next attemptwhen sending goes on" in page.text.replace("> ", "")
        assert "The operator has paused sending for this application since" in page.text
        assert "paused" in (await admin.get(f"{admin.root}/deliveries")).text
        assert f"{webhook}/test" not in (await admin.get(webhook)).actions()
        await admin.post(f"{webhook}/test", {}, status=409)
        retried = await admin.post(f"{response.headers['location'].partition('?')[0]}/retry")
        assert retried.headers["location"].endswith("done=waits")
    assert f"{webhook}/test" in (await admin.get(webhook)).actions()


def off(page: Page) -> dict[str, str]:
    """Buttons that are off, by their reason."""
    return {one["title"]: one["class"] for one in page.all("button") if "disabled" in one}


async def test_what_waits_is_not_sent_twice(house: House, receiver: Receiver) -> None:
    """An event that waits under a pause can't be sent by hand, nor its delivery retried: the buttons say why. What has
    arrived may be sent again, and waits.
    """
    there = await furnish(house.api, receiver.url)
    admin = await visitor(house, "admin", there.application)
    webhook = f"{admin.root}/webhooks/{there.webhook}"
    twice, later = "It waits already: sent by hand too, it would be sent twice.", "It is sent when sending goes on."
    async with paused(house, scope="application", application_id=there.application):
        event = await house.api.publish(there.application, 2)
        delivery = (await house.api.delivery_of(there.application, event, "pending"))["delivery_id"]
        page = await admin.get(f"{webhook}/upcoming")
        assert f"{webhook}/send" not in page.actions()
        assert off(page) == {f"Sending is paused. {twice}": "button small"}
        assert "none is sent by hand" in page.text
        page = await admin.get(f"{admin.root}/events/{event}")
        assert f"{webhook}/send" not in page.actions()
        assert f"Sending is paused. {twice}" in off(page)
        assert "paused" in page.texts
        assert "pending" not in page.texts
        page = await admin.get(f"{admin.root}/deliveries/{delivery}")
        assert f"{admin.root}/deliveries/{delivery}/retry" not in page.actions()
        assert f"{admin.root}/deliveries/{delivery}/cancel" in page.actions()
        assert f"Sending is paused. {later}" in off(page)
        assert f"{webhook}/send" in (await admin.get(f"{admin.root}/events/{there.event}")).actions()
        arrived = f"{admin.root}/deliveries/{there.delivery}"
        assert f"{arrived}/retry" in (await admin.get(arrived)).actions()


async def test_a_secret_is_not_lost_to_a_test_that_can_not_be(house: House, receiver: Receiver) -> None:
    """The page that shows it once has the test off while sending is paused, with the reason; else it has it on. A test
    that was asked for all the same leads back to its webhook, and tells times as other pages do.
    """
    there = await furnish(house.api, receiver.url)
    admin = await visitor(house, "admin", there.application)
    webhook = f"{admin.root}/webhooks/{there.webhook}"
    async with paused(house, scope="application", application_id=there.application):
        page = Page((await admin.post(f"{webhook}/secret", {}, status=201)).text)
        assert f"{webhook}/test" not in page.actions()
        assert off(page)["Sending is paused."] == "button "
        assert [one["href"] for one in page.all("a") if "main" in one.get("class", "").split()] == [webhook]
        page = Page((await admin.post(f"{webhook}/test", {}, status=409)).text)
        assert webhook in page.links()
        assert "Back to the webhook" in page.text
        assert [one for one in page.all("time") if "data-moment" in one]
    page = Page((await admin.post(f"{webhook}/secret", {}, status=201)).text)
    assert f"{webhook}/test" in page.actions()
    await admin.post(f"{webhook}/delete")
    page = Page((await admin.post(f"{webhook}/test", {}, status=404)).text)
    assert webhook not in page.links()


async def test_a_deleted_application_takes_its_pause_along(house: House, receiver: Receiver) -> None:
    """The list has no row of nobody."""
    there = await furnish(house.api, receiver.url)
    browser = await operator(house, there)
    await house.api("POST", "/v1/pauses", {"scope": "application", "application_id": there.application}, status=201)
    await house.api("DELETE", f"/v1/applications/{there.application}", status=204)
    page = await browser.get("/dashboard/pauses")
    assert "Nothing is paused." in page.text
    assert not banner(page)
