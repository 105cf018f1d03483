"""Webhooks by form: made, edited, switched, rotated, tested and deleted, for each kind of profile."""

import re

import pytest

from tests.integration.dashboard.conftest import Browser, House, Page, furnish
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio


async def webhooks(house: House, application: str) -> list[dict]:
    return (await house.api("GET", f"/v1/applications/{application}/webhooks"))["data"]


async def admin_of(house: House, **members) -> tuple[Browser, str]:
    application = await house.api.application(**members)
    return await house.browser("operator_admin", application), application


async def test_bridge_api(house: House, receiver: Receiver) -> None:
    """Callback URL, optional name, ticked events under headings, "1 of 10"; the secret once."""
    browser, application = await admin_of(house, profile="bridge-api")
    page = await browser.get(f"{browser.root}/webhooks/new")
    assert "Callback URL" in page.text
    assert "An item has been refreshed" in page.text
    fields = {"url": receiver.url, "name": "", "event": ["item.refreshed", "item.created"]}
    response = await browser.post(f"{browser.root}/webhooks", fields | {"once": page.field("once")}, status=201)
    page = Page(response.text)
    [made] = await webhooks(house, application)
    assert (made["events"], made["name"]) == (["item.refreshed", "item.created"], None)
    secret = re.search(r"data-secret>([^<]+)<", response.text)
    assert secret is not None
    assert "not shown again" in page.text
    assert secret[1] not in (await browser.client.get(f"{browser.root}/webhooks/{made['id']}")).text
    assert "1 of 10" in (await browser.get(browser.root)).text


async def test_a_form_sent_twice_makes_one(house: House, receiver: Receiver) -> None:
    """A double click or a reload leads to the webhook that the first has made."""
    browser, application = await admin_of(house)
    once = (await browser.get(f"{browser.root}/webhooks/new")).field("once")
    fields = {"url": receiver.url, "events": "all", "once": once}
    await browser.post(f"{browser.root}/webhooks", fields, status=201)
    response = await browser.post(f"{browser.root}/webhooks", fields)
    [made] = await webhooks(house, application)
    assert response.headers["location"] == f"{browser.root}/webhooks/{made['id']}"
    rotate = f"{browser.root}/webhooks/{made['id']}/secret"
    once = (await browser.get(rotate)).field("once")
    await browser.post(rotate, {"once": once}, status=201)
    response = await browser.post(rotate, {"once": once})
    assert response.headers["location"] == f"{browser.root}/webhooks/{made['id']}"


async def test_bridge_lms(house: House, receiver: Receiver) -> None:
    """Name, destination URL, token, secret, then the matrix with blank cells; no credential is shown."""
    browser, application = await admin_of(house, profile="bridge-lms")
    response = await browser.client.get(f"{browser.root}/webhooks/new")
    page = Page(response.text)
    order = [page.text.index(word) for word in ("Name", "Destination URL", "Bearer Token", "HMAC Secret", "Resource")]
    assert order == sorted(order)
    assert "Use this only if you are already aware of HMAC." in page.text
    cells = response.text.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [row.count("<td>") for row in cells.split("<tr>")[1:]]
    assert rows == [4] * 6
    assert [row.count("checkbox") for row in cells.split("<tr>")[1:]] == [3, 4, 3, 3, 3, 3]
    events = ["enrollment.completed", "user.created"]
    fields = {"name": "Students", "url": receiver.url, "credential.token": " odd ", "event": events}
    response = await browser.post(f"{browser.root}/webhooks", fields, status=400)
    page = Page(response.text)
    assert "Students" in [one.get("value") for one in page.all("input")]
    ticked = {one["value"] for one in page.all("input") if one.get("name") == "event" and "checked" in one}
    assert ticked == set(events)
    fields |= {"credential.token": "tökén", "credential.secret": "s3cret"}
    await browser.post(f"{browser.root}/webhooks", fields)
    [made] = await webhooks(house, application)
    assert set(made["events"]) == set(events)
    edit = f"{browser.root}/webhooks/{made['id']}/edit"
    response = await browser.client.get(edit)
    assert "s3cret" not in response.text
    assert "tökén" not in response.text
    assert "Remove it" in Page(response.text).text
    same = {"version": "1", "name": "Students", "url": receiver.url, "event": events}
    response = await browser.post(edit, same)
    assert response.headers["location"].endswith("?done=unchanged")
    await browser.post(edit, same | {"remove.secret": "1", "credential.token": "new"})
    [changed] = await webhooks(house, application)
    assert set(changed["credentials"]) == {"token"}
    response = await browser.post(
        edit, same | {"version": "2", "url": receiver.url.replace("127.0.0.1", "127.0.0.2")}, status=400
    )
    assert "Send it again with the new URL." in Page(response.text).text


async def test_bridge_xyz(house: House, receiver: Receiver, certificates) -> None:
    """https, categories, made disabled; the public key once and later; activated with what waited, or without it."""
    browser, application = await admin_of(house, profile="bridge-xyz")
    response = await browser.post(f"{browser.root}/webhooks", {"url": receiver.url, "events": "all"}, status=400)
    assert "https" in Page(response.text).text
    url = "https://127.0.0.1:1/hook"
    fields = {"url": url, "events": "some", "event": ["category:customer"], "event_epoch": "beginning_of_time"}
    response = await browser.post(f"{browser.root}/webhooks", fields, status=201)
    assert "BEGIN PUBLIC KEY" in response.text
    [made] = await webhooks(house, application)
    assert (made["status"], made["events"], made["event_epoch"]) == (
        "disabled",
        ["category:customer"],
        "beginning_of_time",
    )
    await house.api("POST", f"/v1/applications/{application}/events/sample", {"type": "customer.created"}, status=202)
    here = f"{browser.root}/webhooks/{made['id']}"
    response = await browser.client.get(here)
    page = Page(response.text)
    assert "1 event waits for it" in page.text
    assert "Send this one" in page.text
    assert "BEGIN PUBLIC KEY" in page.text
    assert "Send a test" not in page.text
    assert (await browser.post(f"{here}/activate", {"resume": "skip"})).headers["location"].endswith("?done=skipped")
    page = await browser.get(f"{here}/edit")
    assert "The URL of an active webhook can't change" in page.text
    await browser.post(f"{here}/edit", {"version": "99", "events": "all"}, status=412)
    await browser.post(f"{here}/disable")
    [changed] = await webhooks(house, application)
    assert changed["status"] == "disabled"


async def test_patterns_and_what_else_a_webhook_has(house: House, receiver: Receiver) -> None:
    """An open catalog takes patterns as text; order, pace, headers and a secret of one's own go along."""
    browser, application = await admin_of(house)
    fields = {
        "url": receiver.url, "name": "N", "events": "some", "others": "order.*\r\n\r\n customer.renamed ",
        "order": "fifo", "rate": "2.5", "concurrency": "3", "headers": "X-One: 1\r\nX-Two:  a b",
        "credential.secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }  # fmt: skip
    await browser.post(f"{browser.root}/webhooks", fields)
    [made] = await webhooks(house, application)
    assert made["events"] == ["order.*", "customer.renamed"]
    assert (made["order"], made["rate"], made["concurrency"]) == ("fifo", 2.5, 3)
    assert made["headers"] == {"X-One": None, "X-Two": None}
    edit = f"{browser.root}/webhooks/{made['id']}/edit"
    same = {
        "version": str(made["version"]),
        "url": receiver.url,
        "name": "N",
        "events": "some",
        "order": "fifo",
        "rate": "2.5",
        "concurrency": "3",
    }
    await browser.post(edit, same | {"others": "order.*\ncustomer.renamed", "rate": "", "remove_headers": "1"})
    [changed] = await webhooks(house, application)
    assert (changed["rate"], changed["headers"], changed["events"]) == (None, {}, ["order.*", "customer.renamed"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": ""}, "Must not be empty."),
        ({"url": "ftp://x"}, "http"),
        ({"url": "https://10.0.0.1/"}, "The destination is not allowed."),
        ({"rate": "fast"}, "'fast' is not a number"),
        ({"rate": "-1"}, "more than 0"),
        ({"concurrency": "1.5"}, "is not a number"),
        ({"concurrency": "9999"}, "1000"),
        ({"headers": "no colon"}, "has no colon"),
        ({"headers": "A: 1\nA: 2"}, "is there twice"),
        ({"headers": "Host: x"}, "set by Hookspan"),
        ({"events": "some", "others": "not a type"}, "has no event type"),
        ({"credential.secret": "short"}, "must be base64"),
        ({"order": "odd"}, "order"),
        ({"name": "x" * 10_001}, "at most 10,000 characters"),
    ],
)
async def test_what_is_wrong_stands_at_its_field(house: House, receiver: Receiver, fields, words: str) -> None:
    """A refused form comes back as it was filled in, with the reason beside the field, and nothing is made."""
    browser, application = await admin_of(house)
    given = {"url": receiver.url, "name": "Kept", "events": "all"} | fields
    response = await browser.post(f"{browser.root}/webhooks", given, status=400)
    page = Page(response.text)
    assert words in page.text
    assert "Not saved." in page.text
    assert 'class="wrong"' in response.text
    if "name" not in fields:
        assert page.field("name") == "Kept"
    assert await webhooks(house, application) == []


async def test_nothing_ticked_where_a_list_is_wanted(house: House, receiver: Receiver) -> None:
    """Bridge API asks for the events at creation: none is a mistake, said at the list."""
    browser, _ = await admin_of(house, profile="bridge-api")
    response = await browser.post(f"{browser.root}/webhooks", {"url": receiver.url}, status=400)
    assert "Tick at least one event." in Page(response.text).text


async def test_as_many_as_there_may_be(house: House, receiver: Receiver) -> None:
    """At the limit the button is off and says why; a form from before is refused in words."""
    browser, application = await admin_of(house, profile="bridge-api", settings={"limits": {"webhooks": 1}})
    await house.api.webhook(application, receiver.url, events=[])
    page = await browser.get(browser.root)
    assert "1 of 1" in page.text
    assert any("as many as the profile allows" in one.get("title", "") for one in page.all("button"))
    response = await browser.post(
        f"{browser.root}/webhooks", {"url": receiver.url, "event": "item.created"}, status=409
    )
    assert "delete one first" in Page(response.text).text


async def test_the_second_editor_is_told_and_sees_both(house: House, receiver: Receiver) -> None:
    """Two people edit one webhook: the second sees what is there now beside the own, and may save it anyway."""
    there = await furnish(house.api, receiver.url)
    one = await house.browser("admin", there.application)
    two = await house.browser("operator_admin", there.application)
    path = f"/webhooks/{there.webhook}/edit"
    version = (await one.get(one.root + path)).field("version")
    assert (await two.get(two.root + path)).field("version") == version
    base = {"version": version, "url": receiver.url, "events": "all"}
    await one.post(one.root + path, base | {"name": "First's name"})
    response = await two.post(two.root + path, base | {"name": "Second's name"}, status=412)
    page = Page(response.text)
    assert "Somebody else has changed this webhook" in page.text
    assert "First's name" in page.text
    assert page.field("name") == "Second's name"
    newer = page.field("version")
    assert newer != version
    await two.post(two.root + path, base | {"version": newer, "name": "Second's name"})
    [kept] = await webhooks(house, there.application)
    assert kept["name"] == "Second's name"
    for wrong in ("", "x", "1" * 19, "-1"):
        await two.post(two.root + path, base | {"version": wrong, "name": "Third"}, status=412)


async def test_a_name_with_line_breaks_is_not_changed_by_looking(house: House, receiver: Receiver) -> None:
    """A text field can't hold line breaks: the form that comes back without them changes nothing."""
    browser, application = await admin_of(house)
    made = await house.api.webhook(application, receiver.url, name="two\nlines")
    fields = {"version": "1", "url": receiver.url, "name": "twolines", "events": "all"}
    response = await browser.post(f"{browser.root}/webhooks/{made['id']}/edit", fields)
    assert response.headers["location"].endswith("?done=unchanged")


async def test_switching_off_and_on(house: House, receiver: Receiver) -> None:
    """Off: events wait, and the page says how many; on: they are delivered, or left out by choice."""
    there = await furnish(house.api, receiver.url)
    browser = await house.browser("admin", there.application)
    here = f"{browser.root}/webhooks/{there.webhook}"
    await browser.post(f"{here}/disable")
    event = await house.api.publish(there.application, 2)
    page = await browser.get(here)
    assert "Somebody disabled it. 1 event waits for it" in page.text
    response = await browser.post(f"{here}/activate", {"resume": "keep"})
    assert response.headers["location"] == f"{here}?done=activated"
    assert "What waited is being delivered" in (await browser.get(f"{here}?done=activated")).text
    await house.api.delivery_of(there.application, event, "succeeded")


async def test_rotating(house: House, receiver: Receiver) -> None:
    """The new secret once; the page then says until when the one before signs; a given one that is wrong is refused."""
    there = await furnish(house.api, receiver.url)
    browser = await house.browser("admin", there.application)
    here = f"{browser.root}/webhooks/{there.webhook}"
    page = await browser.get(f"{here}/secret")
    assert "signs too for 24 hours" in page.text
    response = await browser.post(f"{here}/secret", {"secret": "wrong"}, status=400)
    assert "must be base64" in Page(response.text).text
    response = await browser.post(f"{here}/secret", {}, status=201)
    assert re.search(r"data-secret>whsec_[^<]+<", response.text)
    assert "The secret before signs too, so that your server" in (await browser.get(here)).text
    assert "drops it at once" in (await browser.get(f"{here}/secret")).text


async def test_a_test_tells_what_came_back_and_what_to_do(house: House, receiver: Receiver) -> None:
    """Accepted: delivered. Refused: the verdict and the remedy; nobody there: that."""
    there = await furnish(house.api, receiver.url)
    browser = await house.browser("admin", there.application)
    here = f"{browser.root}/webhooks/{there.webhook}"
    page = Page((await browser.post(f"{here}/test", status=200)).text)
    assert "Your endpoint answered 200: delivered." in page.text
    assert "Hello from Hookspan" in page.text
    receiver.status = 401
    page = Page((await browser.post(f"{here}/test", status=200)).text)
    assert "Your endpoint answered 401: it did not accept the signature." in page.text
    assert "the raw bytes of the body" in page.text
    nobody = await house.api.webhook(there.application, "http://127.0.0.1:1/")
    page = Page((await browser.post(f"{browser.root}/webhooks/{nobody['id']}/test", status=200)).text)
    assert "nothing listens there" in page.text
    assert (await browser.client.get(f"{here}/test")).headers["location"] == here


async def test_deleting_names_its_consequence(house: House, receiver: Receiver) -> None:
    """First a page that says what is lost, then it is gone; its deliveries stay to be looked at."""
    there = await furnish(house.api, receiver.url)
    browser = await house.browser("admin", there.application)
    here = f"{browser.root}/webhooks/{there.webhook}"
    assert "Its secret is erased." in (await browser.get(f"{here}/delete")).text
    response = await browser.post(f"{here}/delete")
    assert response.headers["location"] == f"{browser.root}?done=deleted"
    await browser.get(here, 404)
    assert "a webhook that is deleted" in (await browser.get(f"{browser.root}/deliveries/{there.delivery}")).text
    assert "No webhooks yet." in (await browser.get(browser.root)).text


async def test_creating_an_application(house: House) -> None:
    """The operator's admin makes one and stands in it; a wrong id is said at the field."""
    browser, _ = await admin_of(house)
    response = await browser.post(
        "/dashboard/applications", {"name": "New <one>", "profile": "bridge-lms", "id": "école"}, status=400
    )
    assert "Must be letters, digits" in Page(response.text).text
    response = await browser.post("/dashboard/applications", {"name": "New <one>", "profile": "bridge-lms", "id": ""})
    page = await browser.get(response.headers["location"])
    assert "New <one>" in page.text
    assert "Bridge LMS" in page.text
