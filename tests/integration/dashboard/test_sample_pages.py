"""What will be sent, shown before there is a webhook: beside the form, on the page about verifying, and as a test."""

import re
from typing import Any

import pytest

from hookspan.verify import verify
from tests.integration.dashboard.conftest import House, Page, furnish
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio


def headers_of(html: str) -> dict[str, str]:
    """Of the sample in the panel."""
    part = html.partition('id="sample"')[2].partition("</table>")[0]
    return dict(re.findall(r'<th scope="row">([^<]+)</th><td>([^<]*)</td>', part))


def body_of(html: str) -> str:
    """The raw body, as its button copies it."""
    part = html.partition('id="sample"')[2].partition("</aside>")[0]
    return unescape(re.findall(r'data-copy="([^"]*)"', part)[-1])


def unescape(text: str) -> str:
    return (
        text.replace("&#34;", '"').replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    )


def examples_of(html: str) -> list[str]:
    part = html.partition('class="example"')[2].partition('<details class="code"')[0]
    return [unescape(one) for one in re.findall(r'data-copy="([^"]*)"', part)]


async def test_the_sample_is_rendered_and_signed_as_an_event_would_be(house: House) -> None:
    """For every profile: with the example that is shown it verifies by the receiver's half."""
    wanted = {
        "bridge-api": ("item.refreshed", "EXAMPLE-secret-this-is-not-yours", {}),
        "bridge-lms": ("user.created", "EXAMPLE-secret-this-is-not-yours", {"credential.secret": "typed"}),
        "bridge-xyz": ("customer.created", "-----BEGIN PUBLIC KEY-----", {"events": "some"}),
        "standard": ("webhook.test", "whsec_", {"events": "all"}),
    }
    for profile, (event_type, example, fields) in wanted.items():
        browser = await house.browser("operator_admin", await house.api.application(profile=profile))
        ticked = f"category:{event_type.partition('.')[0]}" if profile == "bridge-xyz" else event_type
        path = f"{browser.root}/webhooks/sample"
        html = (await browser.post(path, {"event": [ticked], **fields}, status=200)).text
        headers, body, [secret] = headers_of(html), body_of(html), examples_of(html)
        assert secret.startswith(example)
        given: Any = {"public_key" if "PUBLIC KEY" in secret else "secret": secret}
        event = verify(profile, headers=headers, body=body.encode(), **given)
        assert event.type == event_type
        assert headers["content-length"] == str(len(body.encode()))
        assert headers["content-type"] == "application/json"
        assert "not ticked" not in Page(html).text


async def test_it_follows_what_is_ticked(house: House) -> None:
    """The first that is ticked, or the one that is chosen; what is chosen and not ticked is said to be."""
    browser = await house.browser("operator_admin", await house.api.application(profile="bridge-api"))
    page = await browser.get(f"{browser.root}/webhooks/new")
    assert "Nothing is ticked yet; this is how a request looks." in page.text
    assert "Show what will be sent" in page.text
    path = f"{browser.root}/webhooks/sample"
    fields = {"url": "https://example.com/in", "event": ["item.account.updated", "item.created"]}
    html = (await browser.post(path, fields, status=200)).text
    assert '"type":"item.created"' in body_of(html)
    assert headers_of(html)["host"] == "example.com"
    html = (await browser.post(path, fields | {"sample": "item.account.updated"}, status=200)).text
    assert '"type":"item.account.updated"' in body_of(html)
    html = (await browser.post(path, fields | {"sample": "user.deleted"}, status=200)).text
    assert "This type is not ticked" in Page(html).text
    ticked = {one["value"] for one in Page(html).all("input") if one.get("name") == "event" and "checked" in one}
    assert ticked == set(fields["event"])
    assert Page(html).field("url") == "https://example.com/in"
    response = await browser.client.get(path)
    assert response.headers["location"] == f"{browser.root}/webhooks/new"


async def test_what_has_no_sample_is_said(house: House) -> None:
    """A type that the catalog does not have, and patterns that are none, are told in the panel; the form stays."""
    browser = await house.browser("operator_admin", await house.api.application(profile="bridge-api"))
    path = f"{browser.root}/webhooks/sample"
    for fields in ({"sample": "no.such<b>"}, {"event": ["nothing.here"]}):
        html = (await browser.post(path, {"name": "Kept", **fields}, status=200)).text
        assert "has no event type" in Page(html.partition('id="sample"')[2]).text
        assert Page(html).field("name") == "Kept"
        assert "such<b>" not in html
    standard = await house.browser("operator_admin", await house.api.application())
    html = (
        await standard.post(
            f"{standard.root}/webhooks/sample", {"events": "some", "others": "order.paid\norder.*"}, status=200
        )
    ).text
    assert '"type":"order.paid"' in body_of(html)


async def test_no_secret_of_a_webhook_is_opened_for_it(house: House, receiver: Receiver) -> None:
    """The form of a webhook with credentials shows that they will be there, masked or by an example; never them."""
    browser = await house.browser("operator_admin", await house.api.application(profile="bridge-lms"))
    given = {"token": "t0ken-of-theirs", "secret": "s3cret-of-theirs"}
    application = browser.root.rpartition("/")[2]
    made = await house.api.webhook(
        application, receiver.url, name="S", events=["user.created"], credentials=given, headers={"X-Own": "v4lue"}
    )
    here = f"{browser.root}/webhooks/{made['id']}"
    html = (await browser.client.get(f"{here}/edit")).text
    headers = headers_of(html)
    assert headers["Authorization"] == "Bearer ***"
    assert headers["X-Own"] == "***"
    assert "X-Bridge-Signature" in headers
    fields = {"name": "S", "event": ["user.created"], "remove.secret": "1", "remove.token": "1", "remove_headers": "1"}
    response = await browser.post(f"{here}/edit/sample", fields, status=200)
    headers = headers_of(response.text)
    assert not {"Authorization", "X-Bridge-Signature", "X-Own"} & set(headers)
    assert "Nothing signs it" in Page(response.text).text
    for text in (html, response.text, (await browser.client.get(f"{here}/verify")).text):
        assert not any(one in text for one in (*given.values(), "v4lue"))
    assert (await browser.client.get(f"{here}/edit/sample")).headers["location"] == f"{here}/edit"


async def test_a_second_profile_signs_the_sample_too(house: House, receiver: Receiver) -> None:
    """As it would sign the event."""
    application = await house.api.application(profile="bridge-lms")
    made = await house.api.webhook(
        application, receiver.url, name="S", events=["user.created"], also_sign={"profile": "standard"}
    )
    browser = await house.browser("operator_admin", application)
    html = (await browser.client.get(f"{browser.root}/webhooks/{made['id']}/edit")).text
    [secret] = examples_of(html)
    assert verify("standard", headers=headers_of(html), body=body_of(html).encode(), secret=secret)


async def test_who_only_looks_reads_how_to_verify(house: House, receiver: Receiver) -> None:
    """The steps and the headers are for everybody; the sample is for who configures."""
    there = await furnish(house.api, receiver.url)
    path = f"/webhooks/{there.webhook}/verify"
    admin = await house.browser("admin", there.application)
    page = await admin.get(admin.root + path)
    assert "webhook-signature" in page.text
    assert "whsec_" in page.text
    member = await house.browser("member", there.application)
    page = await member.get(member.root + path)
    assert "Answer 200 first, work afterwards." in page.text
    assert "Only admins manage webhooks." in page.text
    assert "whsec_" not in page.text
    await admin.get(f"{admin.root}/webhooks/whk_1/verify", 404)


async def test_a_test_of_a_type(house: House, receiver: Receiver) -> None:
    """Where tests are samples they are chosen by their titles; where there is one test there is no choice."""
    application = await house.api.application(profile="bridge-lms")
    made = await house.api.webhook(application, receiver.url, name="S", events=["user.created"])
    browser = await house.browser("operator_admin", application)
    here = f"{browser.root}/webhooks/{made['id']}"
    html = (await browser.client.get(here)).text
    assert '<option value="enrollment.completed"' in html
    page = Page((await browser.post(f"{here}/test", {"type": "enrollment.completed"}, status=200)).text)
    assert '"trigger": "completed"' in page.text
    page = Page((await browser.post(f"{here}/test", {"type": ""}, status=200)).text)
    assert '"resource": "user"' in page.text
    response = await browser.post(f"{here}/test", {"type": "no.such"}, status=400)
    assert "has no event type" in Page(response.text).text
    standard = await house.api.application()
    made = await house.api.webhook(standard, receiver.url, events=["order.paid", "customer.*"])
    browser = await house.browser("operator_admin", standard)
    here = f"{browser.root}/webhooks/{made['id']}"
    choices = [one["value"] for one in (await browser.get(here)).all("option")]
    assert choices == ["", "order.paid", "webhook.test"]
    page = Page((await browser.post(f"{here}/test", {"type": "order.paid"}, status=200)).text)
    assert '"type": "order.paid"' in page.text
    other = await house.api.application(profile="bridge-api")
    made = await house.api.webhook(other, receiver.url, events=["item.created"])
    browser = await house.browser("operator_admin", other)
    html = (await browser.client.get(f"{browser.root}/webhooks/{made['id']}")).text
    assert "Send a test" in html
    assert "test-type" not in html


async def test_a_copy_begins_as_the_other_is(house: House, receiver: Receiver) -> None:
    """Name with (copy), URL, events and settings; no credentials and no headers. Saving makes another one."""
    application = await house.api.application(profile="bridge-lms")
    given = {"token": "t0ken", "secret": "s3cret"}
    made = await house.api.webhook(
        application,
        receiver.url,
        name="Students",
        events=["user.created", "program.deleted"],
        credentials=given,
        rate=5,
        concurrency=3,
        headers={"X-Own": "v4lue"},
    )
    browser = await house.browser("support", application)
    assert (
        f"{browser.root}/webhooks/new?copy={made['id']}"
        in (await browser.get(f"{browser.root}/webhooks/{made['id']}")).links()
    )
    response = await browser.client.get(f"{browser.root}/webhooks/new", params={"copy": made["id"]})
    page = Page(response.text)
    assert (page.field("name"), page.field("url")) == ("Students (copy)", receiver.url)
    assert (page.field("rate"), page.field("concurrency")) == ("5", "3")
    ticked = {one["value"] for one in page.all("input") if one.get("name") == "event" and "checked" in one}
    assert ticked == {"user.created", "program.deleted"}
    assert "Its secrets, tokens and headers are not copied." in page.text
    assert not any(one in response.text for one in ("t0ken", "s3cret", "v4lue", "X-Own"))
    await browser.get(f"{browser.root}/webhooks/new?copy=whk_1", 404)
    long = await house.api.webhook(application, receiver.url, name="x" * 10_000, events=[])
    page = await browser.get(f"{browser.root}/webhooks/new?copy={long['id']}")
    assert len(page.field("name")) == 10_000
    other = await house.api.application(profile="bridge-lms")
    stranger = await house.browser("support", other)
    await stranger.get(f"{stranger.root}/webhooks/new?copy={made['id']}", 404)


async def test_what_bridge_api_s_admin_reads(house: House, receiver: Receiver) -> None:
    """Why a secret, how to verify, and for others who may."""
    application = await house.api.application(profile="bridge-api")
    made = await house.api.webhook(application, receiver.url, events=["item.created"])
    admin = await house.browser("admin", application)
    page = await admin.get(f"{admin.root}/webhooks/{made['id']}")
    assert "Secure your webhook" in page.text
    assert f"{admin.root}/webhooks/{made['id']}/verify" in page.links()
    verify_page = await admin.get(f"{admin.root}/webhooks/{made['id']}/verify")
    assert "BridgeApi-Signature".lower() in verify_page.text.lower()
    member = await house.browser("member", application)
    assert "Only admins can manage webhooks." in (await member.get(member.root)).text
