"""People, keys, the audit log, sessions, settings and notices by form: made, shown once, changed, taken away."""

import asyncio
import re

import httpx
import pytest

from tests.integration.api.conftest import ARRIVAL_S
from tests.integration.dashboard.conftest import SAME, Browser, House, Page, furnish
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"


def told_once(response: httpx.Response) -> str:
    """What the page shows this once."""
    found = re.search(r"data-secret>([^<]+)<", response.text)
    assert found is not None
    assert "not shown again" in response.text
    return found[1]


async def sign_in(house: House, link: str) -> Browser:
    client = house.client()
    page = Page((await client.get(link)).text)
    fields = {name: page.field(name) for name in ("csrf", "link", "next")}
    response = await client.post("/sign-in", data=fields, headers=SAME)
    assert response.status_code == 303
    return Browser(client, "/dashboard")


async def test_somebody_is_invited_promoted_and_removed(house: House) -> None:
    """The link is shown once and works once; a new role counts at once; removed, their session is over."""
    application = await house.api.application()
    admin = await house.browser("admin", application)
    here = f"{admin.root}/members"
    page = await admin.get(f"{here}/new")
    fields = {"name": "Grace", "role": "member", "expires_in": "86400", "once": page.field("once")}
    response = await admin.post(here, fields, status=201)
    link = told_once(response)
    place = re.search(r'data-address="([^"]+)"', response.text)
    assert place is not None
    assert (await admin.post(here, fields)).headers["location"] == place[1]  # a reload makes nobody else
    assert link not in (await admin.client.get(place[1])).text
    grace = await sign_in(house, link)
    assert (await grace.client.get(f"{here}")).status_code == 403
    page = await admin.get(place[1])
    assert "Nowhere at this moment." not in page.text
    await admin.post(place[1], {"name": "Grace H.", "role": "admin"})
    assert "Grace H." in (await grace.get(here)).text
    response = await admin.post(place[1], {"name": "", "role": "admin"}, status=400)
    assert "Not saved." in Page(response.text).text
    another = await sign_in(house, told_once(await admin.post(f"{place[1]}/link", {"expires_in": "900"}, status=201)))
    assert (await admin.client.get(f"{place[1]}/link")).headers["location"] == place[1]
    response = await admin.post(f"{place[1]}/remove")
    assert response.headers["location"] == f"{here}?done=person-removed"
    for one in (grace, another):
        assert (await one.client.get(here)).status_code == 401
        await one.close()
    await admin.get(place[1], 404)


async def test_an_invitation_that_is_refused_keeps_what_was_typed(house: House) -> None:
    """Wrong fields, and a role with more rights than the own."""
    application = await house.api.application(profile="bridge-lms")
    admin = await house.browser("admin", application)
    for fields, status in (
        ({"name": "", "role": "member"}, 400), ({"name": "X", "role": "queen"}, 400),
        ({"name": "X", "role": "support"}, 403),
    ):  # fmt: skip
        page = Page((await admin.post(f"{admin.root}/members", fields, status=status)).text)
        assert "Not saved." in page.text
        assert page.field("name") == fields["name"]
    operator = await house.browser("operator_admin", application)
    await operator.post("/dashboard/members", {"name": "X", "role": "member", "application_id": "nope"}, status=404)
    response = await operator.post("/dashboard/members", {"name": "Of all", "role": "member"}, status=201)
    assert "Of all" not in (await admin.get(f"{admin.root}/members")).text
    assert "Of all" in (await operator.get("/dashboard/members")).text
    assert "Of all" not in (await operator.get(f"{operator.root}/members")).text
    place = re.search(r'data-address="([^"]+)"', response.text)
    assert place is not None
    await operator.get(place[1])
    ident = place[1].rpartition("/")[2]
    for browser in (admin, operator):  # not of this application
        await browser.get(f"{browser.root}/members/{ident}", 404)
        await browser.post(f"{browser.root}/members/{ident}/remove", status=404)


async def test_sessions_are_listed_and_ended(house: House) -> None:
    """Everybody sees and ends their own; an admin those within reach."""
    application = await house.api.application()
    admin, member = await house.browser("admin", application), await house.browser("member", application)
    page = await member.get("/dashboard/sessions")
    [own] = [one for one in page.actions() if one.endswith("/end")]
    assert "this one" in page.text
    actions = {one for one in (await admin.get("/dashboard/sessions")).actions() if one.endswith("/end")}
    assert own in actions
    [other] = actions - {own}
    await member.post(other, status=403)
    response = await admin.post(own)
    assert response.headers["location"] == "/dashboard/sessions?done=ended"
    assert (await member.client.get("/dashboard/sessions")).status_code == 401
    await admin.post("/dashboard/sessions/ses_nope/end", status=404)


async def test_a_person_s_page_has_their_sessions_however_many_others_are_newer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not those among the newest of all: a page of that list would hide where somebody is signed in."""
    application = await house.api.application()
    admin, member = await house.browser("admin", application), await house.browser("member", application)
    [own] = [one for one in (await member.get("/dashboard/sessions")).actions() if one.endswith("/end")]
    await house.browser("support", application)
    list_sessions = house.api.node.manage._ground.store.list_sessions

    async def short(page, *args, **more):
        return (await list_sessions(page, *args, **more))[:1]

    [ident] = [
        one["id"]
        for one in (await house.api("GET", "/v1/people", params={"limit": 500}))["data"]
        if (one["application_id"], one["role"]) == (application, "member")
    ]
    with monkeypatch.context() as patch:
        patch.setattr(house.api.node.manage._ground.store, "list_sessions", short)
        page = await admin.get(f"{admin.root}/members/{ident}")
    assert own in page.actions()
    other = await house.browser("admin", await house.api.application())
    await other.get(f"{other.root}/members/{ident}", 404)


async def test_a_key_is_made_used_and_revoked(house: House) -> None:
    """Shown once, it works; the list says when it was used; revoked it does not work. In the portal too."""
    application = await house.api.application()
    portal, admin = await house.portal(application), await house.browser("operator_admin", application)
    for browser in (portal, admin):
        here = f"{browser.root}/keys"
        page = await browser.get(f"{here}/new")
        roles = [one["value"] for one in page.all("option") if "selected" in one]
        assert roles == (["support"] if browser is portal else ["admin"])  # it outlives a portal session
        fields = {"name": "bot", "role": roles[0], "once": page.field("once")}
        key = told_once(await browser.post(here, fields, status=201))
        assert (await browser.post(here, fields)).headers["location"] == here
        path = f"/v1/applications/{application}"
        headers = {"authorization": f"Bearer {key}"}
        assert (await browser.client.get(path, headers=headers)).status_code == 200
        await house.api.node.manage.callers.flush()
        page = await browser.get(here)
        assert key not in page.text
        assert "never" not in page.text.partition("bot")[2]
        [revoke] = [one for one in page.actions() if one.endswith("/revoke")]
        assert (await browser.post(revoke)).headers["location"] == f"{here}?done=revoked"
        assert (await browser.client.get(path, headers=headers)).status_code == 401
        assert "No keys yet." in (await browser.get(here)).text
    for fields, status in (({"name": "", "scope": "publisher"}, 400), ({"name": "x", "scope": "application"}, 400)):
        response = await admin.post("/dashboard/keys", fields | {"role": "admin"}, status=status)
        assert "Not saved." in Page(response.text).text
    told_once(await admin.post("/dashboard/keys", {"name": "p", "scope": "publisher", "role": "admin"}, status=201))


async def test_the_audit_log_says_who_did_what(house: House, receiver: Receiver) -> None:
    """Filters are in the address; a line opens in full with its detail; objects lead to their pages."""
    there = await furnish(house.api, receiver.url)
    admin = await house.browser("admin", there.application)
    await admin.post(f"{admin.root}/webhooks/{there.webhook}/disable")
    page = await admin.get(f"{admin.root}/audit?object={there.webhook}")
    assert "webhook.changed" in page.text
    assert "webhook.created" in page.text
    assert "person.invited" not in page.text
    page = await admin.get(f"{admin.root}/audit?action=webhook.changed&within=1h")
    [line] = [link for link in page.links() if "line=" in link]
    assert "action=webhook.changed" in line
    page = await admin.get(line)
    assert "127.0.0.1" in page.text
    assert '"status"' in page.text
    assert f"{admin.root}/webhooks/{there.webhook}" in page.links()
    assert "No line passes these filters." in (await admin.get(f"{admin.root}/audit?actor=nobody")).text
    operator = await house.browser("operator_admin", there.application)
    page = await operator.get(f"/dashboard/audit?application_id={there.application}&action=application.created")
    assert f"line={'aud_'}" in " ".join(page.links())
    assert "No line passes" in (await operator.get("/dashboard/audit?application_id=nope")).text
    await operator.get("/dashboard/audit?cursor=odd", 400)


async def test_settings_hide_their_secrets(house: House) -> None:
    """Names, values and where they may be set; keys never."""
    operator = await house.browser("operator_admin", await house.api.application())
    response = await operator.client.get("/dashboard/settings")
    settings = house.api.node.settings
    assert settings.operator_key not in response.text
    assert settings.encryption_key not in response.text
    page = Page(response.text)
    assert "HOOKSPAN_OPERATOR_KEY" in page.text
    assert "127.0.0.0/8" in page.text
    assert "HOOKSPAN_EGRESS_ADDRESSES" in page.text
    assert "set, never shown" in page.text


async def test_notices_go_where_they_are_sent(house: House, receiver: Receiver) -> None:
    """The address is saved, tried, refused when wrong, and taken away; the newest are listed with their outcome."""
    application = await house.api.application()
    admin = await house.browser("admin", application)
    here = f"{admin.root}/notices"
    assert "None yet." in (await admin.get(here)).text
    await admin.post(f"{here}/test", status=409)
    response = await admin.post(here, {"notify": "ftp://nowhere"}, status=400)
    assert Page(response.text).field("notify") == "ftp://nowhere"
    assert (await admin.post(here, {"notify": receiver.url})).headers["location"] == f"{here}?done=saved"
    response = await admin.post(f"{here}/test", status=200)
    assert "The test notice was accepted." in Page(response.text).text
    receiver.status = 500
    response = await admin.post(f"{here}/test", status=200)
    assert "The test notice was not accepted. The answer was 500" in Page(response.text).text
    assert (await admin.client.get(f"{here}/test")).headers["location"] == here
    receiver.status = 200
    async with Receiver() as gone:
        gone.status = 410
        await house.api.webhook(application, gone.url, name="Old shop")
        await house.api.publish(application, 1)
        async with asyncio.timeout(ARRIVAL_S):
            while "delivered" not in (page := await admin.get(here)).text.partition("The newest")[2]:
                await asyncio.sleep(0.05)
    assert "webhook.disabled" in page.text
    await admin.post(here, {"notify": ""})
    assert (await admin.get(here)).field("notify") == ""


async def test_hostile_names_are_text(house: House, receiver: Receiver) -> None:
    """Of people, keys, webhooks and filters, on every page that shows them."""
    there = await furnish(house.api, receiver.url, name=ATTACK)
    admin = await house.browser("admin", there.application)
    root = admin.root
    person = {"name": ATTACK, "role": "admin"}
    response = await admin.post(f"{root}/members", person, status=201)
    pages = [response.text, (await admin.post(f"{root}/keys", person, status=201)).text]
    grace = await sign_in(house, told_once(response))
    await grace.client.get(root)
    token = Page((await grace.client.get(root)).text).field("csrf")
    await grace.post(f"{root}/webhooks/{there.webhook}/disable", csrf=token)
    place = re.search(r'data-address="([^"]+)"', response.text)
    assert place is not None
    paths = (
        f"{root}/members", place[1], f"{root}/keys", f"{root}/audit", f"{root}/audit?actor={ATTACK}", f"{root}/jobs",
        f"{root}/jobs/{there.job}", f"{root}/webhooks/{there.webhook}/replay?since={ATTACK}&rate={ATTACK}",
        f"{root}/webhooks/{there.webhook}/upcoming?type={ATTACK}", f"{root}/jobs?webhook={there.webhook}",
        "/dashboard/sessions",
    )  # fmt: skip
    pages += [(await admin.client.get(path)).text for path in paths]
    for text in pages:
        page = Page(text)
        assert len(page.all("script")) == 2
        assert page.all("img") == []
        assert not [one for _, attributes in page.tags for one in attributes if one.startswith("on")]
    assert sum("{{7*7}}" in one for one in pages) >= 8
    await grace.close()
