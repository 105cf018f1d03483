"""Deliveries over HTTP: what waits and why, a second try, and giving up by hand."""

import asyncio

import pytest

from tests.integration.api.conftest import ARRIVAL_S, SLOW_RETRIES

pytestmark = pytest.mark.anyio


async def failing(api, receiver) -> tuple[str, dict, str]:
    """An application whose webhook gets only 500, and the id of a delivery that was tried."""
    receiver.status = 500
    app = await api.application(settings=SLOW_RETRIES)
    webhook = await api.webhook(app, receiver.url)
    event = await api.publish(app, 1)
    assert await receiver.wait_until(lambda: receiver.numbers[1], 10)
    return app, webhook, (await api.delivery_of(app, event, "pending", "failed"))["delivery_id"]


async def tried(api, app: str, delivery: str, attempts: int) -> dict:
    """The delivery once so many attempts are recorded."""
    async with asyncio.timeout(ARRIVAL_S):
        while True:
            shown = await api("GET", f"/v1/applications/{app}/deliveries/{delivery}")
            if shown["attempt_count"] >= attempts:
                return shown
            await asyncio.sleep(0.01)


async def test_a_failed_attempt_is_shown_with_what_comes_next(api, receiver):
    """Scheduled, with the time of the next attempt and the end of the window."""
    app, webhook, delivery = await failing(api, receiver)
    shown = await tried(api, app, delivery, 1)
    assert (shown["state"], shown["reason"], shown["last_response_status"]) == ("pending", "scheduled", 500)
    assert shown["next_attempt_at"] in shown["sentence"]
    assert shown["gives_up_at"] > shown["next_attempt_at"]
    attempt = shown["attempts"][0]
    assert (attempt["verdict"], attempt["number"], attempt["cause"]) == ("retry", 1, "first")
    assert attempt["retry_at"] == shown["next_attempt_at"]
    health = (await api("GET", f"/v1/applications/{app}/webhooks/{webhook['id']}"))["health"]
    assert health["waiting"] == 1


async def test_a_retry_by_hand_goes_out_at_once(api, receiver):
    """A waiting one out of turn; a success can be sent again as a new round."""
    app, _, delivery = await failing(api, receiver)
    await tried(api, app, delivery, 1)
    receiver.status = 200
    path = f"/v1/applications/{app}/deliveries/{delivery}"
    await api("POST", f"{path}/retry")
    assert await receiver.wait_until(lambda: receiver.numbers[1] == 2, 10)
    shown = await tried(api, app, delivery, 2)
    assert shown["state"] == "succeeded"
    again = await api("POST", f"{path}/retry")
    assert again["state"] == "pending"
    assert again["round"] > shown["round"]
    shown = await tried(api, app, delivery, 3)
    assert [one["cause"] for one in shown["attempts"]][-1] == "manual"
    assert [one["number"] for one in shown["attempts"]] == [1, 2, 3]


async def test_cancelled_is_final_until_a_retry(api, receiver):
    """It is not sent; cancelling twice is refused with what is possible."""
    app, _, delivery = await failing(api, receiver)
    await tried(api, app, delivery, 1)
    path = f"/v1/applications/{app}/deliveries/{delivery}"
    shown = await api("POST", f"{path}/cancel")
    assert (shown["state"], shown["reason"], shown["next_attempt_at"]) == ("cancelled", "person", None)
    problem = await api.refused("POST", f"{path}/cancel", status=409, code="state_forbidden")
    assert "allowed" in problem
    receiver.status = 200
    await api("POST", f"{path}/retry")
    assert (await tried(api, app, delivery, 2))["state"] == "succeeded"


async def test_deliveries_of_a_deleted_webhook_are_not_retried(api, receiver):
    """There is nowhere to send them."""
    app, webhook, delivery = await failing(api, receiver)
    await tried(api, app, delivery, 1)
    await api("DELETE", f"/v1/applications/{app}/webhooks/{webhook['id']}")
    path = f"/v1/applications/{app}/deliveries/{delivery}"
    await api.refused("POST", f"{path}/retry", status=409, code="state_forbidden")
    assert (await api("GET", path))["reason"] in {"webhook_deleted", "webhook_disabled"}


async def test_followers_wait_behind_the_head(api, receiver):
    """A fifo webhook whose head fails: the others say so."""
    receiver.status = 500
    app = await api.application(settings=SLOW_RETRIES)
    await api.webhook(app, receiver.url, order="fifo")
    events = [await api.publish(app, number) for number in range(3)]
    head = await api.delivery_of(app, events[0], "pending")
    await tried(api, app, head["delivery_id"], 1)
    listed = (await api("GET", f"/v1/applications/{app}/deliveries"))["data"]
    assert [one["reason"] for one in listed] == ["behind_head", "behind_head", "scheduled"]


async def test_filters(api, receiver):
    """By state and by type; a wrong state is refused by name."""
    app, webhook, delivery = await failing(api, receiver)
    await tried(api, app, delivery, 1)
    for where in (f"/v1/applications/{app}/deliveries", f"/v1/applications/{app}/webhooks/{webhook['id']}/deliveries"):
        for params, count in (
            ({"state": "pending"}, 1),
            ({"state": "succeeded"}, 0),
            ({"type": "order.paid"}, 1),
            ({"type": "a.b"}, 0),
            ({"state": "pending", "type": "order.paid", "limit": 1}, 1),
        ):
            assert len((await api("GET", where, params=params))["data"]) == count
        for wrong in ("pendng", "", "null", "PENDING"):
            problem = await api.refused("GET", where, status=400, code="invalid_request", params={"state": wrong})
            assert problem["errors"][0]["pointer"] == "/state"


async def test_a_disabled_webhook_parks_its_deliveries(api, receiver):
    """They wait with the reason, and the sentence says who did it."""
    app, webhook, delivery = await failing(api, receiver)
    await tried(api, app, delivery, 1)
    await api("PATCH", f"/v1/applications/{app}/webhooks/{webhook['id']}", {"status": "disabled"})
    shown = await api("GET", f"/v1/applications/{app}/deliveries/{delivery}")
    assert (shown["state"], shown["reason"]) == ("pending", "webhook_disabled")
    assert "a person disabled it" in shown["sentence"]


async def test_logs_come_in_pages(api, receiver):
    """Newest first, each attempt once, with the event's body."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    for number in range(5):
        await api.delivery_of(app, await api.publish(app, number), "succeeded")
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}/logs"
    seen, params = [], {"limit": 2}
    while True:
        page = await api("GET", path, params=params)
        seen += page["data"]
        if page["next"] is None:
            break
        params = {"limit": 2, "cursor": page["next"]}
    assert len({one["id"] for one in seen}) == 5
    assert [one["id"] for one in seen] == sorted((one["id"] for one in seen), reverse=True)
    assert '"number":4' in seen[0]["request"]["body"]


async def test_ids_that_are_not_there(api, receiver):
    """A delivery of another application is not found either."""
    _, _, delivery = await failing(api, receiver)
    other = await api.application()
    for ident in (delivery, "dlv_", "x", "dlv_" + "1" * 23):
        path = f"/v1/applications/{other}/deliveries/{ident}"
        await api.refused("GET", path, status=404, code="not_found")
        await api.refused("POST", f"{path}/retry", status=404, code="not_found")
        await api.refused("POST", f"{path}/cancel", status=404, code="not_found")
