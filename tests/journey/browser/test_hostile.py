"""Two hundred texts that would be script, through every field that strangers fill, before a real browser.

They go in batches of ten, and a page must show each exactly as it was sent: whatever had become markup would be missing
from the text, so no payload can hide behind another one of its batch.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self
from urllib.parse import quote

import pytest

from tests.integration.api.conftest import Api
from tests.journey.browser.conftest import People, Person
from tests.journey.browser.payloads import COUNT_MIN, payloads
from tests.journey.browser.walking import walk

pytestmark = pytest.mark.anyio
BATCH = 10
APPLICATION = 40  # webhooks; a profile may allow no more than 50
_KEPT = "<>\"'`{}|=/()"  # not quoted in URLs, as far as they are let through
HEADER_CHARS_MAX = 200  # so that those of a batch are kept, and not cut at the end
_WATCH = """window.__violations = [];
document.addEventListener("securitypolicyviolation", (one) => window.__violations.push(one.violatedDirective));"""
# What a page, or its HTML before anything ran, has of what only markup of a stranger's could bring.
_LOOK = """(html) => {
  const page = html === null ? document : new DOMParser().parseFromString(html, "text/html");
  const strange = [...page.querySelectorAll("*")].filter((one) =>
    /^(img|iframe|object|embed|base|math|marquee|style|video|plaintext|xmp|template|foreignobject|animate)$/i.test(one.localName)
    || [...one.attributes].some((has) => /^(on|hx-on|data-hx|srcdoc|style)/i.test(has.name)
      || (/^(href|src|action|formaction|xlink:href|data)$/i.test(has.name)
          && !/^(https?:\\/\\/127\\.0\\.0\\.1|\\/|#|\\?)/.test(has.value))));
  return {ran: window.__xss === undefined ? null : window.__xss, violations: window.__violations,
    scripts: [...page.scripts].filter((one) => !/\\/assets\\/[0-9a-f]{16}\\/tail\\.js$/.test(one.src)).length,
    strange: strange.map((one) => one.outerHTML.slice(0, 200))};
}"""
_FINE: dict[str, Any] = {"ran": None, "violations": [], "scripts": 2, "strange": []}


class Answering:
    """A receiver that answers event number n with `answers[n]`, raw bytes; with the last one to what has no number."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *([0-9]+)", head, re.IGNORECASE)
            assert length is not None
            body = json.loads(await reader.readexactly(int(length[1])))
            writer.write(self.answers[body["data"].get("number", -1)])
            await writer.drain()
        finally:
            writer.close()


def batches() -> list[list[str]]:
    found = payloads()
    assert len(found) >= COUNT_MIN
    return [found[start : start + BATCH] for start in range(0, len(found), BATCH)]


def header_value(text: str) -> str:
    """What of it HTTP lets through."""
    return re.sub(r"[\x00-\x08\x0a-\x1f\x7f]", "", text)[:HEADER_CHARS_MAX].strip(" \t")


def header_name(place: int, text: str) -> str:
    return f"x-{place}-" + re.sub(r"[^A-Za-z0-9!#$%&'*+.^_`|~-]", "", text)[:60]


def named(text: str) -> str:
    """What of it a name may have: all but NUL."""
    return text.replace("\0", "")


def read(text: str) -> str:
    """As HTML's text: every line end is a line feed, NUL is nothing."""
    return named(text).replace("\r\n", "\n").replace("\r", "\n")


def answer(batch: Sequence[str], *, is_json: bool) -> bytes:
    """A reply with the batch in its status text, in headers' names and values, and as its body."""
    reason = " ".join(header_value(one) for one in batch).encode()
    body = (json.dumps([*batch, dict.fromkeys(batch, 1)]) if is_json else "\n".join(batch)).encode()
    lines = [b"HTTP/1.1 %d %b" % (500 if is_json else 200, reason[:1000])]
    lines += [f"{header_name(place, one)}: ".encode() + header_value(one).encode() for place, one in enumerate(batch)]
    return b"\r\n".join([*lines, b"content-length: %d" % len(body), b"connection: close", b"", body])


@pytest.fixture
async def answering() -> AsyncIterator[Answering]:
    async with Answering() as one:
        yield one


async def watched(people: People, **signed_in) -> Person:
    """Somebody whose pages tell what they refused to run."""
    person = await people.signed_in("admin", **signed_in)
    await person.context.add_init_script(_WATCH)
    person.page.on("dialog", lambda dialog: person.complaints.append(f"dialog: {dialog.message}"))
    return person


async def harmless(person: Person) -> None:
    """Nothing of the page at hand ran, nor would have but for the policy."""
    assert await person.page.evaluate(_LOOK, None) == _FINE, person.page.url


async def visit(person: Person, path: str) -> None:
    await person.page.goto(path)
    await harmless(person)


async def texts(person: Person, selector: str) -> list[str]:
    return await person.page.locator(selector).evaluate_all("(all) => all.map((one) => one.textContent)")


async def test_what_a_receiver_answers(api: Api, people: People, answering: Answering) -> None:
    """Status text, names and values of headers, bodies as text and as JSON: shown as they came, on every attempt."""
    application = await api.application()
    webhook = await api.webhook(application, answering.url)
    person, root = await watched(people), f"/dashboard/applications/{application}"
    for number, batch in enumerate(batches()):
        for is_json in (False, True):
            answering.answers.append(answer(batch, is_json=is_json))
            event = await api.publish(application, len(answering.answers) - 1)
            delivery = await api.delivery_of(application, event, "succeeded" if not is_json else "pending")
            if is_json:
                await api.attempts_of(application, delivery["delivery_id"])
            await visit(person, f"{root}/deliveries/{delivery['delivery_id']}")
            shown = await texts(person, "section[aria-label=Response] .headers td")
            wanted = [header_value(one).encode().decode("latin-1") for one in batch]
            assert [one.strip() for one in shown[:BATCH]][: len(batch)] == [one.strip() for one in wanted], number
            [body] = await texts(person, "section[aria-label=Response] pre")
            if is_json:
                assert json.loads(body) == [*batch, dict.fromkeys(batch, 1)], number
            else:
                assert read(body) == read("\n".join(batch)), number
    await visit(person, f"{root}/webhooks/{webhook['id']}")
    await person.press("Send a test")
    await person.sees("Your endpoint answered 500")
    await harmless(person)


async def full_of(api: Api, url: str, texts: Sequence[str]) -> str:
    """An application with a webhook for each text: its name, a part of its URL, and the name of one of its headers."""
    application = await api.application(name=named("".join(texts)))
    for one in texts:
        to = f"{url}?q={quote(one[:300], safe=_KEPT)}"
        await api.webhook(application, to, name=named(one), events=[], headers={header_name(0, one): "x"})
    return application


async def test_names_urls_and_events(api: Api, people: People, answering: Answering) -> None:
    """Webhooks, applications, people and keys with such names; URLs; headers' names; events' contents and ids."""
    answering.answers.append(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    person, root = await watched(people), ""
    found = payloads()
    for start in range(0, len(found), APPLICATION):
        part = found[start : start + APPLICATION]
        application = await full_of(api, answering.url, part)
        root = f"/dashboard/applications/{application}"
        await visit(person, root)
        shown = [read(one).strip() for one in await texts(person, ".list .row")]
        assert sorted(shown) == sorted(read(named(one)).strip() for one in part)
        webhooks = (await api("GET", f"/v1/applications/{application}/webhooks"))["data"]
        for one in webhooks[::10]:
            for page in ("", "/edit", "/verify"):
                await visit(person, f"{root}/webhooks/{one['id']}{page}")
        about = {"name": named(" ".join(part)), "application_id": application}
        await api("POST", "/v1/people", {**about, "role": "member"}, status=201)
        await api("POST", "/v1/keys", {**about, "scope": "application"}, status=201)
        content = {"all": part, "named": dict.fromkeys(part, 1)}
        event = await api.publish(application, 0, content=content, publisher_id=named("".join(part))[:200])
        await visit(person, f"{root}/events/{event}")
        assert any(json.loads(one) == content for one in await texts(person, ".code pre"))
    await walk(person, ["/dashboard", "/dashboard/applications", root], harmless)


async def test_what_a_customer_s_link_shows(api: Api, people: People, answering: Answering) -> None:
    """Names of the application and the webhook on the page to enter a token; what is typed comes back nowhere."""
    person, found = await watched(people), payloads()
    customer = await people.stranger()
    await customer.context.add_init_script(_WATCH)
    for start in range(0, len(found), APPLICATION):
        text = "".join(found[start : start + APPLICATION])
        application = await api.application(name=named(text), profile="bridge-lms")
        url = f"{answering.url}?q={quote(text[:300], safe=_KEPT)}"
        made = await api.webhook(application, url, name=named(text), events=["user.created"])
        here = f"/dashboard/applications/{application}/webhooks"
        await visit(person, f"{here}/new?copy={made['id']}")
        await visit(person, f"{here}/{made['id']}/credential-link")
        await person.press("Make the link")
        link = await person.page.locator("[data-secret]").inner_text()
        await harmless(person)
        await visit(customer, link)
        assert read(await customer.page.locator("h1").inner_text()).split() == read(named(text)).split()
        await customer.page.get_by_label("Bearer Token").fill(text[:1500])
        await customer.page.get_by_label("HMAC Secret").fill("x")
        await customer.press("Save")
        await customer.page.locator(".notice").first.wait_for()
        await harmless(customer)
    customer.meant.add("responded with a status of 400")


async def test_what_an_address_or_a_form_carries(api: Api, people: People) -> None:
    """Search words, filters, where to go after signing in, and forms that are refused, all come back as text."""
    application = await api.application()
    person, root = await watched(people), f"/dashboard/applications/{application}"
    await visit(person, f"{root}/webhooks/new")
    for batch in batches():
        paths = []
        for word in (quote(one[:290]) for one in batch):
            paths += [f"/dashboard/search?q={word}", f"{root}/deliveries?type={word}", f"/sign-in?next={word}"]
            paths += [f"{root}/search?q={word}", f"{root}/events?publisher_id={word}"]
        answers = await person.page.evaluate(
            f"(paths) => Promise.all(paths.map((one) => fetch(one).then((got) => got.text()).then({_LOOK})))", paths
        )
        assert answers == [_FINE] * len(paths)
    for start in range(0, COUNT_MIN, APPLICATION):
        part = "".join(payloads()[start : start + APPLICATION])
        await person.page.goto(f"{root}/webhooks/new")
        await person.page.locator("main form[method=post]").evaluate("(one) => { one.noValidate = true; }")
        await person.page.get_by_label("URL").fill(part[:2000])
        await person.page.get_by_role("textbox", name="Name").fill(part)
        async with person.page.expect_response("**/webhooks/sample"):
            await person.page.get_by_role("textbox", name="Name").blur()
        await harmless(person)
        await person.press("Create the webhook")
        await person.page.locator(".notice.bad").first.wait_for()
        await harmless(person)
    person.meant.add("responded with a status of 400")


async def test_the_look_is_not_blind(people: People) -> None:
    """What this suite looks for is found where it is: an attribute, an element, a script, a report of the policy."""
    person = await watched(people)
    await person.page.goto("/dashboard")
    await person.page.evaluate("document.querySelector('main').innerHTML = '<img src=x onerror=\"window.__xss=1\">'")
    await person.page.wait_for_function("window.__violations.length")
    seen = await person.page.evaluate(_LOOK, None)
    assert (seen["ran"], len(seen["strange"])) == (None, 1)
    assert seen["violations"] != []
    seen = await person.page.evaluate(_LOOK, "<script></script><a href=javascript:1>x</a>")
    assert (seen["scripts"], len(seen["strange"])) == (1, 1)
    assert person.complaints
    person.complaints.clear()


async def test_what_a_receiver_answers_by_hand(api: Api, people: People, answering: Answering) -> None:
    """The same answers to a test, which script puts into the page at hand, and to a notice of a test."""
    application = await api.application()
    webhook = await api.webhook(application, answering.url)
    await api("PATCH", f"/v1/applications/{application}", {"notify": answering.url})
    person, root = await watched(people), f"/dashboard/applications/{application}"
    outcome = person.page.locator("#outcome section[aria-label=Response]")
    for batch in batches():
        for is_json in (False, True):
            answering.answers.append(answer(batch, is_json=is_json))
            await visit(person, f"{root}/webhooks/{webhook['id']}")
            await person.press("Send a test")
            await outcome.wait_for()
            await harmless(person)
            shown = await texts(person, "#outcome section[aria-label=Response] .headers td")
            assert [one.strip() for one in shown[: len(batch)]] == [
                header_value(one).encode().decode("latin-1").strip() for one in batch
            ]
        await visit(person, f"{root}/notices")
        await person.press("Send a test notice")
        await person.sees("The test notice was not accepted.")
        await harmless(person)
        [body] = await texts(person, "main > .code pre, main > pre, .body pre")
        assert json.loads(body) == [*batch, dict.fromkeys(batch, 1)]
