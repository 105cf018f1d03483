"""The next events of a webhook, and the number that waits for it: what activation will deliver."""

import asyncio

import pytest

from tests.integration.api.conftest import ARRIVAL_S

pytestmark = pytest.mark.anyio


async def upcoming(api, app: str, webhook: str, **params: str) -> list[str]:
    answer = await api("GET", f"/v1/applications/{app}/webhooks/{webhook}/upcoming", params=params)
    assert answer["next"] is None
    return [one["id"] for one in answer["data"]]


async def waiting(api, app: str, webhook: str) -> int:
    return (await api("GET", f"/v1/applications/{app}/webhooks/{webhook}"))["health"]["waiting"]


async def test_the_next_ten_of_a_disabled_webhook(api, receiver):
    """In order, with why they wait; those of a type; those that it asks for."""
    app = await api.application()
    events = [await api.publish(app, number, type=f"order.{'paid' if number % 2 else 'made'}") for number in range(14)]
    webhook = (await api.webhook(app, receiver.url, status="disabled", event_epoch="beginning_of_time"))["id"]
    assert await upcoming(api, app, webhook) == events[:10]
    assert await upcoming(api, app, webhook, type="order.paid") == events[1::2]
    place = f"/v1/applications/{app}/webhooks/{webhook}"
    shown = (await api("GET", f"{place}/upcoming"))["data"][0]
    assert shown["content"] == {"number": 0}
    [line] = shown["webhooks"]
    assert (line["webhook_id"], line["reason"]) == (webhook, "webhook_disabled")
    assert await waiting(api, app, webhook) == 14
    await api("PATCH", place, {"events": ["order.made"]})
    assert await upcoming(api, app, webhook) == events[::2]
    assert await waiting(api, app, webhook) == 7
    listed = (await api("GET", f"/v1/applications/{app}/webhooks"))["data"]
    assert [one["health"]["waiting"] for one in listed] == [7]


@pytest.mark.parametrize("resume", ["keep", "skip"])
async def test_activation_delivers_what_waits_or_leaves_it_out(api, receiver, resume):
    """The number that waits is the number that comes with keep, and does not with skip."""
    app = await api.application()
    webhook = (await api.webhook(app, receiver.url))["id"]
    place = f"/v1/applications/{app}/webhooks/{webhook}"
    await api("PATCH", place, {"status": "disabled"})
    for number in range(5):
        await api.publish(app, number)
    assert await waiting(api, app, webhook) == 5
    assert len(await upcoming(api, app, webhook)) == 5
    await api("PATCH", place, {"status": "active", "resume": resume})
    async with asyncio.timeout(ARRIVAL_S):
        while (await api("GET", place))["health"]["state"] == "catching_up":
            await asyncio.sleep(0.01)
    await api.publish(app, 99)
    assert await receiver.wait_until(lambda: 99 in receiver.numbers, ARRIVAL_S)
    expected = {99} | (set(range(5)) if resume == "keep" else set())
    assert await receiver.wait_until(lambda: set(receiver.numbers) == expected, ARRIVAL_S)
    async with asyncio.timeout(ARRIVAL_S):  # that it has arrived is kept a moment later
        while await waiting(api, app, webhook):
            await asyncio.sleep(0.01)
    assert set(receiver.numbers.values()) == {1}
    assert await upcoming(api, app, webhook) == []


async def test_a_category_that_is_none_is_refused(api, receiver):
    """A typo must not look like an empty queue."""
    app = await api.application(profile="bridge-api")
    webhook = (await api.webhook(app, receiver.url, events=["item.created"], status="disabled"))["id"]
    place = f"/v1/applications/{app}/webhooks/{webhook}/upcoming"
    assert await upcoming(api, app, webhook, category="item") == []
    await api.refused("GET", place, params={"category": "itme"}, status=400, code="invalid_request")
    await api.refused("GET", place, params={"cursor": "x"}, status=400, code="unknown_field")


async def test_of_another_application_there_is_nothing(api, receiver):
    """Its webhook is not found."""
    mine, other = await api.application(), await api.application()
    webhook = (await api.webhook(other, receiver.url))["id"]
    place = f"/v1/applications/{mine}/webhooks/{webhook}/upcoming"
    await api.refused("GET", place, status=404, code="not_found")
