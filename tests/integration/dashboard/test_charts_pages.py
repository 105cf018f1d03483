"""Charts on the pages that have them: of the time that the address asks for."""

import pytest

from tests.integration.dashboard.conftest import House, furnish
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio


async def test_each_time_on_each_page(house: House, receiver: Receiver) -> None:
    """Overview, application and webhook have three charts of any time; a time that is none means a day."""
    there = await furnish(house.api, receiver.url)
    browser = await house.browser("operator_member", there.application)
    for path in ("/dashboard", browser.root, f"{browser.root}/webhooks/{there.webhook}"):
        for span, rows in (("", 24), ("?span=7d", 168), ("?span=30d", 30), ("?span=90d", 90), ("?span=%00", 24)):
            page = await browser.get(path + span)
            assert len([one for one in page.all("svg") if one.get("role") == "img"]) == 3, (path, span)
            assert len([one for one in page.all("rect") if one.get("class") == "slot"]) == 3 * rows, (path, span)
            assert "100% of attempts succeeded" in page.text, (path, span)
            chosen = [one["href"] for one in page.all("a") if one.get("aria-current") == "true"]
            wanted = span.removeprefix("?span=").replace("%00", "") or "24h"
            assert chosen == [f"{path}?span={wanted}#charts"]


async def test_nothing_was_sent(house: House) -> None:
    """An application without webhooks has none; one whose webhook was never asked says so."""
    application = await house.api.application()
    browser = await house.browser("member", application)
    assert "How it went" not in (await browser.get(browser.root)).text
    await house.api.webhook(application, "http://127.0.0.1:1/hook")
    assert "Nothing was sent in this time." in (await browser.get(browser.root)).text
