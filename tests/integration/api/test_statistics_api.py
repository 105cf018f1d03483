"""Statistics over HTTP: exact as soon as a delivery is seen, shaped as documented, refused as documented."""

import pytest

pytestmark = pytest.mark.anyio

STATISTICS = {
    "since", "until", "events", "attempts", "attempts_succeeded", "deliveries", "success_rate", "latency_ms", "waiting",
    "oldest_waiting_at", "by_hour", "by_day",
}  # fmt: skip
PART = {"at", "events", "attempts", "attempts_succeeded", "deliveries", "success_rate", "latency_ms"}


async def test_what_was_delivered_is_counted_at_once(api, receiver):
    """Of one node no event is missing."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    assert (await api("GET", path))["health"]["success_rate_24h"] is None
    for number in range(3):
        await api.delivery_of(app, await api.publish(app, number), "succeeded")
        assert (await api("GET", f"{path}/stats"))["deliveries"] == {"succeeded": number + 1, "failed": 0}
    shown = await api("GET", f"/v1/applications/{app}/stats")
    assert set(shown) == STATISTICS
    assert set(shown["by_hour"][0]) == PART
    assert set(shown["latency_ms"]) == {"p50", "p90", "p95", "p99"}
    assert (shown["events"], shown["attempts"], shown["success_rate"], shown["waiting"]) == (3, 3, 1.0, 0)
    assert (await api("GET", path))["health"]["success_rate_24h"] == 1.0
    in_all = await api("GET", "/v1/stats", params={"by": "day"})
    assert in_all["by_hour"] is None
    assert in_all["events"] >= 3


async def test_tests_are_not_counted(api, receiver):
    """They say nothing of how deliveries go."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    await api("POST", f"{path}/test", {})
    shown = await api("GET", f"{path}/stats")
    assert (shown["attempts"], shown["events"], shown["success_rate"], shown["latency_ms"]) == (0, None, None, None)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"since": "yesterday"}, "invalid_request"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2025-01-01T00:00:00Z"}, "invalid_request"),
        ({"since": "2020-01-01T00:00:00Z"}, "invalid_request"),
        ({"by": "minute"}, "invalid_request"),
        ({"hours": "3"}, "unknown_field"),
        ({"limit": "3"}, "unknown_field"),
    ],
)
async def test_a_question_that_is_none(api, params, code):
    """Each is refused with its place."""
    app = await api.application()
    for path in ("/v1/stats", f"/v1/applications/{app}/stats"):
        await api.refused("GET", path, status=400, code=code, params=params)


async def test_a_time_may_be_given_with_an_offset(api):
    """Also where a client forgot to escape its plus sign."""
    app = await api.application()
    shown = await api("GET", f"/v1/applications/{app}/stats?until=2020-01-02T01:30:00%2B01:00")
    assert (shown["since"], shown["until"]) == ("2020-01-01T01:00:00.000Z", "2020-01-02T01:00:00.000Z")
    assert shown == await api("GET", f"/v1/applications/{app}/stats?until=2020-01-02T01:30:00+01:00")


async def test_what_is_not_there(api):
    """No application, no webhook."""
    app = await api.application()
    await api.refused("GET", "/v1/applications/app_x/stats", status=404, code="not_found")
    await api.refused("GET", f"/v1/applications/{app}/webhooks/whk_x/stats", status=404, code="not_found")
