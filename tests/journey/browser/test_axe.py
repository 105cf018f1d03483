"""axe-core, which Hookspan's authors did not write, looks at every page, in light and dark."""

from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page

from tests.integration.api.conftest import Api, Certificates
from tests.integration.dashboard.conftest import furnish
from tests.journey.browser.conftest import People, Person
from tests.journey.browser.walking import kind_of, walk
from tests.outside._npm import installed
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
ROOT = "/dashboard/applications"
# Colours are all that differs between the schemes, so the second look asks for them alone.
_RUN = """(rules) => axe.run(document, {preload: false, resultTypes: ["violations"],
  runOnly: rules ? {type: "rule", values: rules} : {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa",
  "wcag22aa", "best-practice"]}}).then((found) => found.violations
  .filter((one) => one.impact === "serious" || one.impact === "critical")
  .map((one) => `${one.impact} ${one.id}: ${one.nodes.slice(0, 3)
    .map((node) => node.html.slice(0, 160)).join(" | ")}`))"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The published program, by the lock file of tests/outside."""
    return (installed() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


async def findings(page: Page, axe: str) -> list[str]:
    """Serious and critical ones of the page as it is; every `<details>` is opened first."""
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = []
    looks: list[tuple[Literal["light", "dark"], list[str] | None]] = [("light", None), ("dark", ["color-contrast"])]
    for scheme, rules in looks:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await page.evaluate(f"window.axe || (() => {{ {axe} }})()")
        found += [f"{urlsplit(page.url).path}, {scheme}: {one}" for one in await page.evaluate(_RUN, rules)]
    return found


class Looks:
    """Goes to one page of each kind, and keeps what axe finds."""

    def __init__(self, axe: str) -> None:
        self.found: list[str] = []
        self._axe = axe

    async def __call__(self, person: Person) -> None:
        self.found += await findings(person.page, self._axe)


async def test_the_operator_s_pages(api: Api, people: People, receiver: Receiver, axe: str) -> None:
    """No serious finding on one page of each kind beyond applications, before the door, and where nothing is."""
    await furnish(api, receiver.url, name="Shop")
    person, looks = await people.signed_in("admin"), Looks(axe)
    await walk(person, ["/dashboard", "/dashboard/search?q=zzz", "/dashboard/nothing"], looks, beyond=f"{ROOT}/app_")
    await person.was_refused(404)
    stranger = await people.stranger()
    await stranger.page.goto("/sign-in")
    await looks(stranger)
    assert looks.found == []


async def test_what_is_paused(api: Api, people: People, receiver: Receiver, axe: str) -> None:
    """No serious finding where the line about it stands: at large, in the application, in its portal."""
    there = await furnish(api, receiver.url, name="Shop")
    asked = {"scope": "application", "application_id": there.application, "reason": "Their receiver is being moved."}
    pause = await api("POST", "/v1/pauses", asked, status=201)
    portal = (await api("POST", f"/v1/applications/{there.application}/portal-sessions", {}, status=201))["url"]
    admin, found = await people.signed_in("admin"), []
    places = ("/dashboard", "/dashboard/pauses", f"/dashboard/pauses/new?application={there.application}")
    for place in (
        *places,
        f"{ROOT}/{there.application}",
        f"{ROOT}/{there.application}/webhooks/{there.webhook}",
        portal,
    ):
        await admin.page.goto(place)
        await admin.page.locator(".standing").wait_for()
        found += await findings(admin.page, axe)
    await api("DELETE", f"/v1/pauses/{pause['id']}")
    assert found == []


async def test_the_pages_of_an_application(api: Api, people: People, receiver: Receiver, axe: str) -> None:
    """No serious finding on one page of each kind that links lead to, nor on lists with filters."""
    there = await furnish(api, receiver.url, name="Shop")
    receiver.status = 503
    failing = await api.webhook(there.application, receiver.url, name="Failing")
    await api.publish(there.application, 2)
    await api("PATCH", f"/v1/applications/{there.application}/webhooks/{failing['id']}", {"status": "disabled"})
    admin, root, looks = await people.signed_in("admin", there.application), f"{ROOT}/{there.application}", Looks(axe)
    starts = [root, f"{root}/deliveries?state=failed", f"{root}/events?undelivered=1"]
    kinds = await walk(admin, [*starts, f"{root}/webhooks/{failing['id']}"], looks)
    assert looks.found == []
    wanted = [path for path in there.paths() + there.forms() if "?" not in path]
    assert {kind_of(root + path) for path in wanted} - kinds == set()


@pytest.mark.parametrize("profile", ["bridge-api", "bridge-lms", "bridge-xyz"])
async def test_forms_and_what_they_answer(
    profile: str, api: Api, people: People, receiver: Receiver, certificates: Certificates, axe: str
) -> None:
    """The form of each Bridge; refused with its errors; the page with the secret or what was made; a test's outcome."""
    application = await api.application(name="School", profile=profile)
    admin = await people.signed_in("support" if profile == "bridge-lms" else "admin", application)
    page = admin.page
    found = await findings(page, axe)
    await page.goto(f"/dashboard/applications/{application}/webhooks/new")
    found += await findings(page, axe)
    url = page.locator("[name=url]")
    await url.fill("http://10.0.0.1/")
    await page.locator("main form[method=post]").evaluate("(one) => { one.noValidate = true; }")
    await admin.press("Create the webhook")
    await page.locator(".notice.bad").first.wait_for()
    found += await findings(page, axe)
    await url.fill("https://127.0.0.1:1/hook" if profile == "bridge-xyz" else receiver.url)
    for box in await page.locator("[name=event]").all():
        await box.evaluate("(one) => { one.checked = true; }")
    for name in await page.locator("[name=name][required]").all():
        await name.fill("Students")
    await admin.press("Create the webhook")
    await page.wait_for_url("**/webhooks/*_*")
    found += await findings(page, axe)
    if profile != "bridge-xyz":
        await admin.press("Send a test")
        await page.locator("#outcome").get_by_text("Your endpoint answered").wait_for()
        found += await findings(page, axe)
    assert found == []
    await admin.was_refused(400)


async def test_the_pages_around_a_webhook(
    api: Api, people: People, receiver: Receiver, certificates: Certificates, axe: str
) -> None:
    """The checklist; moving, refused too; verifying; a link for a customer, its page, and where it is over."""
    payments = await api.application(name="Payments", profile="bridge-xyz")
    made = await api.webhook(payments, "https://127.0.0.1:1/hook")
    person, here = await people.signed_in("admin"), f"{ROOT}/{payments}/webhooks/{made['id']}"
    page, found = person.page, []
    await page.goto(here)
    found += await findings(page, axe)
    await person.press("Send a sample")
    await person.sees("It is on its way.")
    await page.goto(here)
    await person.press("Activate")
    await person.sees("Activated.")
    await page.goto(f"{here}/move")
    found += await findings(page, axe)
    await page.get_by_label("New URL").fill("https://10.0.0.1/")
    await person.press("Disable, change, activate")
    await person.sees("The new URL can't be used.")
    found += await findings(page, axe)
    await person.was_refused(400)
    school = await api.application(name="School", profile="bridge-lms")
    made = await api.webhook(school, receiver.url, name="Students", events=["user.created"])
    here = f"{ROOT}/{school}/webhooks/{made['id']}"
    for path in ("/verify", "/credential-link"):
        await page.goto(here + path)
        found += await findings(page, axe)
    await person.press("Make the link")
    link = await page.locator("[data-secret]").inner_text()
    found += await findings(page, axe)
    await page.goto(link)
    found += await findings(page, axe)
    for field in await page.locator("[type=password]").all():
        await field.fill("x")
    await person.press("Save")
    await person.sees("The link is spent.")
    found += await findings(page, axe)
    await page.goto(link)
    found += await findings(page, axe)
    await person.was_refused(401)
    assert found == []


async def test_the_portal(api: Api, people: People, receiver: Receiver, axe: str) -> None:
    """The pages are the dashboard's own; the frame around them, and the page of a portal whose time is over."""
    there = await furnish(api, receiver.url, name="Shop")
    made = await api("POST", f"/v1/applications/{there.application}/portal-sessions", {"role": "member"}, status=201)
    customer = await people.stranger()
    await customer.page.goto(made["url"])
    found = await findings(customer.page, axe)
    await customer.page.goto(f"{made['url']}/webhooks/{there.webhook}")
    found += await findings(customer.page, axe)
    await customer.page.goto(made["url"].rpartition("/")[0] + "/gone")
    found += await findings(customer.page, axe)
    assert found == []
    await customer.was_refused(401)


async def test_faults_are_found(people: People, axe: str) -> None:
    """The look is not blind: a planted fault is found, and one of colours in each scheme."""
    stranger = await people.stranger()
    await stranger.page.goto("/sign-in")
    await stranger.page.evaluate("""() => {
      const main = document.querySelector("main");
      main.append(document.createElement("img"));
      const pale = document.createElement("p");
      pale.textContent = "Hardly to be read";
      pale.style.color = "light-dark(#ddd, #333)";
      main.append(pale);
    }""")
    found = " ".join(await findings(stranger.page, axe))
    assert "light: critical image-alt" in found
    assert "light: serious color-contrast" in found
    assert "dark: serious color-contrast" in found


async def test_what_forms_answer_with(api: Api, people: People, receiver: Receiver, axe: str) -> None:
    """Pages that no link leads to: shown once, counted beforehand, refused, changed by two, sent too late."""
    there = await furnish(api, receiver.url, name="Shop")
    root = f"{ROOT}/{there.application}"
    admin, found = await people.signed_in("admin", there.application), []
    page = admin.page
    await page.goto(f"{root}/keys/new")
    await page.get_by_role("textbox", name="Name").fill("bot")
    await page.locator("main form[method=post] button.main").click()
    await page.locator("[data-secret]").wait_for()
    found += await findings(page, axe)
    await page.goto(f"{root}/members/new")
    await page.get_by_role("textbox", name="Name").fill("Ada")
    await page.locator("main form[method=post] button.main").click()
    await page.locator("[data-secret]").wait_for()
    found += await findings(page, axe)
    since = (await api("GET", f"/v1/applications/{there.application}"))["created_at"]
    for path in ("/search?q=Shop", "/search?q=zzz", f"/webhooks/{there.webhook}/replay?since={since}"):
        await page.goto(root + path)
        found += await findings(page, axe)
    await api("PATCH", f"/v1/applications/{there.application}", {"notify": receiver.url})
    await page.goto(f"{root}/notices")
    await admin.press("Send a test notice")
    await admin.sees("The test notice was accepted.")
    found += await findings(page, axe)
    await page.goto(f"{root}/deliveries?within=between&from=odd&to=2026-01-01T00:00")
    found += await findings(page, axe)
    await admin.was_refused(400)
    await page.goto(f"{root}/webhooks/{there.webhook}/edit")
    await page.get_by_role("textbox", name="Name").fill("Mine")
    await api("PATCH", f"/v1/applications/{there.application}/webhooks/{there.webhook}", {"name": "Theirs"})
    await page.locator("main form[method=post] button.main").first.click()
    await admin.sees("Theirs")
    found += await findings(page, axe)
    await admin.was_refused(412)
    await page.goto(f"{root}/webhooks/new")
    await page.locator("[name=url]").fill(receiver.url)
    for session in (await api("GET", "/v1/sessions"))["data"]:
        await api("DELETE", f"/v1/sessions/{session['id']}", status=204)
    await page.locator("main form[method=post] button.main").first.click()
    await admin.sees("What you sent was not done, and is not lost")
    found += await findings(page, axe)
    admin.meant.add("responded with a status of 401")
    assert found == []
