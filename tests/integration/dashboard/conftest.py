"""A node in this process with its pages, asked as a browser asks; and somebody of each role."""

import re
from collections.abc import AsyncIterator, Mapping
from html.parser import HTMLParser
from urllib.parse import urlencode

import httpx
import pytest

from hookspan.dashboard._csrf import csrf_token
from hookspan.egress import Egress
from tests.integration.api.conftest import Api, Certificates, api_in
from tests.support.receiver import Receiver

SAME = {"sec-fetch-site": "same-origin"}
# Whoever looks: (role, of the application?)
PEOPLE = {
    "operator_admin": ("admin", False),
    "operator_support": ("support", False),
    "operator_member": ("member", False),
    "admin": ("admin", True),
    "support": ("support", True),
    "member": ("member", True),
}


class Page(HTMLParser):
    """What a page has, as far as tests ask: tags with their attributes, the text outside of scripts, forms' fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.texts))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def field(self, name: str) -> str:
        """The value of the first field of this name."""
        return next(one.get("value", "") for one in self.all("input") if one.get("name") == name)

    def links(self) -> set[str]:
        return {one["href"] for one in self.all("a") if "href" in one}

    def actions(self) -> set[str]:
        """Where its forms post to."""
        return {one["action"] for one in self.all("form") if one.get("method") == "post"}


class Browser:
    """A client with a cookie jar; `root` is the application's path for this person or portal."""

    def __init__(self, client: httpx.AsyncClient, root: str) -> None:
        self.client = client
        self.root = root

    async def get(self, path: str, status: int = 200) -> Page:
        response = await self.client.get(path)
        assert response.status_code == status, f"{response.status_code}: {path}\n{Page(response.text).text}"
        return Page(response.text)

    async def csrf(self) -> str:
        """The session's token, from a page that everybody has; a portal's may have no form at all."""
        if self.root.startswith("/portal/"):
            return csrf_token(self.root.rpartition("/")[2])
        return Page((await self.client.get(self.root + "/deliveries")).text).field("csrf")

    async def post(self, path: str, fields=None, *, status: int = 303, csrf: str | None = None) -> httpx.Response:
        """A form of ours."""
        pairs = [("csrf", await self.csrf() if csrf is None else csrf)]
        for name, value in (fields or {}).items():
            pairs += [(name, one) for one in (value if isinstance(value, list) else [value])]
        response = await self.client.post(path, content=urlencode(pairs), headers=SAME | {"content-type": FORM})
        assert response.status_code == status, f"{response.status_code}: {Page(response.text).text}"
        return response

    async def close(self) -> None:
        await self.client.aclose()


FORM = "application/x-www-form-urlencoded"


class House:
    """Makes applications, people and portals of one node."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._open: list[Browser] = []

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.api.node.base_url, timeout=20)

    async def browser(self, who: str, application: str) -> Browser:
        """Somebody of PEOPLE, signed in."""
        role, is_own = PEOPLE[who]
        person = {"name": who, "role": role} | ({"application_id": application} if is_own else {})
        link = (await self.api("POST", "/v1/people", person, status=201))["link"]
        client = self.client()
        page = Page((await client.get(link)).text)
        fields = {"csrf": page.field("csrf"), "link": page.field("link"), "next": page.field("next")}
        response = await client.post("/sign-in", data=fields, headers=SAME)
        assert (response.status_code, response.headers["location"]) == (303, "/dashboard")
        browser = Browser(client, f"/dashboard/applications/{application}")
        self._open.append(browser)
        return browser

    async def portal(self, application: str, **members) -> Browser:
        made = await self.api("POST", f"/v1/applications/{application}/portal-sessions", members, status=201)
        browser = Browser(self.client(), made["url"].removeprefix(self.api.node.base_url))
        self._open.append(browser)
        return browser

    async def close(self) -> None:
        for one in self._open:
            await one.close()


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One node for a module's tests: each makes applications of its own."""
    async with api_in(tmp_path_factory.mktemp("node")) as api:
        one = House(api)
        yield one
        await one.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as one:
        yield one


class Furnished:
    """An application with one of everything that has a page."""

    def __init__(self, application: str, webhook: str, event: str, delivery: str, more: dict[str, str]) -> None:
        self.application = application
        self.webhook = webhook
        self.event = event
        self.delivery = delivery
        self.job = more["job"]
        self.key = more["key"]
        self.person = more["person"]

    def paths(self) -> list[str]:
        """Every page of an application that anybody may look at, below its root."""
        webhook, delivery = f"/webhooks/{self.webhook}", f"/deliveries/{self.delivery}"
        filtered = f"/deliveries?state=succeeded&webhook={self.webhook}&within=24h"
        between = "/deliveries?within=between&from=2026-01-01T00:00&to=2026-01-01T01:00:00Z"
        return [
            between, "/events?within=24h",
            "", webhook, f"{webhook}/delete", f"{webhook}/secret", "/deliveries", filtered, delivery, "/events",
            "/events?undelivered=1", f"/events/{self.event}", "/search?q=nothing", f"{webhook}/upcoming",
            f"{webhook}/verify",
            f"{webhook}/upcoming?type=order.paid", "/catalog", "/catalog/webhook.test", "/jobs", "/jobs?state=failed",
            f"/jobs?webhook={self.webhook}", f"/jobs/{self.job}", "/failures", "/failures?within=7d", "/tail",
            f"/tail?outcome=failed&webhook={self.webhook}",
        ]  # fmt: skip

    def forms(self) -> list[str]:
        """Those for who configures."""
        replay = f"/webhooks/{self.webhook}/replay"
        return ["/webhooks/new", f"/webhooks/{self.webhook}/edit", replay]

    def of_admins(self) -> list[str]:
        """Those for who administers the application."""
        return ["/keys", "/keys/new", "/audit", "/audit?action=webhook.created&within=24h", "/notices"]

    def of_members(self) -> list[str]:
        """Likewise; a portal has none of them."""
        return ["/members", "/members/new", f"/members/{self.person}"]

    def unsafe(self) -> list[str]:
        """Every path that a form of an application posts to."""
        webhook, delivery = f"/webhooks/{self.webhook}", f"/deliveries/{self.delivery}"
        acts = ("edit", "disable", "activate", "delete", "secret", "test", "send")
        further = ("edit/sample", "send-sample", "move", "credential-link")
        more = (f"{webhook}/replay", f"/jobs/{self.job}/cancel", "/catalog/webhook.test/publish")
        return [
            "/webhooks",
            "/webhooks/sample",
            *(f"{webhook}/{one}" for one in (*acts, *further)),
            f"{delivery}/retry",
            f"{delivery}/cancel",
            *more,
        ]

    def unsafe_of_admins(self) -> list[str]:
        """Likewise, for who administers the application."""
        return ["/keys", f"/keys/{self.key}/revoke", "/notices", "/notices/test"]

    def unsafe_of_members(self) -> list[str]:
        """Likewise, beyond portals."""
        person = f"/members/{self.person}"
        return ["/members", person, f"{person}/link", f"{person}/remove"]


async def furnish(
    api: Api, url: str, profile: str = "standard", settings: Mapping[str, object] | None = None, **webhook
) -> Furnished:
    application = await api.application(name="Acme", profile=profile, settings=dict(settings or {}))
    made = await api.webhook(application, url, **webhook)
    event = await api.publish(application, 1, content={"order_id": 17})
    delivery = (await api.delivery_of(application, event, "succeeded", "pending", "failed"))["delivery_id"]
    path = f"/v1/applications/{application}"
    replay = {"since": (await api("GET", path))["created_at"]}
    key = {"name": "bot", "scope": "application", "application_id": application}
    person = {"name": "Grace", "role": "member", "application_id": application}
    more = {
        "job": (await api("POST", f"{path}/webhooks/{made['id']}/replay", replay, status=202))["id"],
        "key": (await api("POST", "/v1/keys", key, status=201))["id"],
        "person": (await api("POST", "/v1/people", person, status=201))["id"],
    }
    return Furnished(application, made["id"], event, delivery, more)


@pytest.fixture
def certificates(monkeypatch: pytest.MonkeyPatch) -> Certificates:
    one = Certificates()
    monkeypatch.setattr(Egress, "check_certificate", lambda _egress, target: one.check(target))
    return one
