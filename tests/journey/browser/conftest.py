"""A person before a real browser: a node in this process, receivers, and pages that must not complain."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from hookspan.egress import Egress
from tests.integration.api.conftest import Api, Certificates, api_in
from tests.support.browser import running_chromium
from tests.support.receiver import Receiver

ACTION_MS = 10_000
expect.set_options(timeout=ACTION_MS)  # what is looked for and what is done have the same time

# What htmx notes when a newer request gives up one under way. A request that failed has a line more, its cause.
GIVEN_UP = ("htmx:sendAbort, ", "htmx:afterRequest, ")


class Person:
    """Somebody with a browser of their own. `complaints` are errors on the console: scripts that fail, what the policy
    forbids, files that are missing. Pages are pressed and seen once they are loaded: their scripts run after their text
    is there, so that a key or a click that came between would go to nobody.
    """

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page
        self.complaints: list[str] = []
        self.meant: set[str] = set()  # words of complaints that are no fault, however many come and whenever
        self._heard = asyncio.Event()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        is_icon = message.location.get("url", "").endswith("/favicon.ico")  # of a page that is not ours
        if message.type == "error" and not is_icon and not message.text.startswith(GIVEN_UP):
            self.complaints.append(message.text)
            self._heard.set()

    async def was_refused(self, status: int) -> None:
        """One answer with this status was meant. The console tells it in its own time, which may be after the page
        shows it: wait for it, and take it off.
        """
        words = f"responded with a status of {status}"
        async with asyncio.timeout(ACTION_MS / 1000):
            while (told := next((one for one in self.complaints if words in one), None)) is None:
                self._heard.clear()
                await self._heard.wait()
        self.complaints.remove(told)

    async def press(self, name: str) -> None:
        """The button or link of this name."""
        await (
            self.page.get_by_role("button", name=name, exact=True)
            .or_(self.page.get_by_role("link", name=name, exact=True))
            .first.click()
        )
        await self.page.wait_for_load_state()

    async def sees(self, text: str) -> None:
        await self.page.get_by_text(text).first.wait_for()
        await self.page.wait_for_load_state()

    async def address(self) -> str:
        """Of the page as it is. `page.url` is told in its own time: a page whose script puts in another address and
        then shows something else is seen before that is told.
        """
        return await self.page.evaluate("location.href")

    async def is_without_sideways_scrolling(self) -> bool:
        return await self.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


class People:
    """Lets people in, each with a browser profile of their own."""

    def __init__(self, api: Api, browser: Browser) -> None:
        self.api = api
        self._browser = browser
        self._all: list[Person] = []

    async def stranger(self, **options) -> Person:
        context = await self._browser.new_context(base_url=self.api.node.base_url, **options)
        context.set_default_timeout(ACTION_MS)
        person = Person(context, await context.new_page())
        self._all.append(person)
        return person

    async def signed_in(self, role: str, application: str | None = None, **options) -> Person:
        invited = {"name": role, "role": role} | ({} if application is None else {"application_id": application})
        link = (await self.api("POST", "/v1/people", invited, status=201))["link"]
        person = await self.stranger(**options)
        await person.page.goto(link)
        await person.press("Sign in")
        await person.page.wait_for_url("**/dashboard**")
        return person

    async def close(self) -> None:
        for one in self._all:
            await one.context.close()
        assert [
            told for one in self._all for told in one.complaints if not any(word in told for word in one.meant)
        ] == []


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_chromium() as one:
        yield one


@pytest.fixture(scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    async with api_in(tmp_path_factory.mktemp("node")) as one:
        yield one


@pytest.fixture
async def people(api: Api, browser: Browser) -> AsyncIterator[People]:
    one = People(api, browser)
    yield one
    await one.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as one:
        yield one


@pytest.fixture
def certificates(monkeypatch: pytest.MonkeyPatch) -> Certificates:
    one = Certificates()
    monkeypatch.setattr(Egress, "check_certificate", lambda _egress, target: one.check(target))
    return one
