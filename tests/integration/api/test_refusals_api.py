"""What every route has in common when it refuses: keys, addresses, methods, sizes."""

import re

import httpx
import pytest
import structlog

from hookspan.api import _tally
from hookspan.manage import callers
from hookspan.manage._tokens import new_token

pytestmark = pytest.mark.anyio

WRONG_KEYS = [
    {},
    {"authorization": ""},
    {"authorization": "Bearer"},
    {"authorization": "Bearer wrong"},
    {"authorization": "Basic aGtfb3A6eA=="},
    {"api-key": ""},
    {"api-key": "wrong"},
    {"api-key": "wr\xf6ng"},
]


def routes(document: dict) -> list[tuple[str, str]]:
    """All below /v1 that ask for a key, with an id in each place of one: signing in is what nobody has a key for."""
    found = [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if path.startswith("/v1/")
    ]
    assert [operation["operationId"] for _, _, operation in found if not operation["security"]] == ["open_session"]
    return [(method, re.sub(r"\{\w+\}", "x", path)) for method, path, operation in found if operation["security"]]


async def test_every_route_asks_for_the_key(api):
    """Generated from the document, so that a new route can't be forgotten; in odd spellings of the path too."""
    document = await api("GET", "/openapi.json")
    assert len(routes(document)) >= 20
    async with httpx.AsyncClient(base_url=api.node.base_url) as client:
        for method, path in routes(document):
            for odd in (path, path + "/", path.replace("/v1/", "/v1//")):
                for headers in WRONG_KEYS if odd == path else WRONG_KEYS[:1]:
                    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
                    response = await client.request(method, odd, headers=raw)
                    if odd == path or response.status_code not in {404, 405}:
                        assert response.status_code == 401, (method, odd, headers)
                        assert response.json()["code"] == "unauthenticated"
                        assert response.headers["www-authenticate"] == 'Bearer realm="hookspan"'


async def test_the_key_is_taken_in_both_headers(api):
    """As a bearer token, whatever the case of the word, and as Api-Key."""
    key = api.client.headers["authorization"].removeprefix("Bearer ")
    async with httpx.AsyncClient(base_url=api.node.base_url) as client:
        for headers in ({"authorization": f"bearer {key}"}, {"authorization": f"BEARER  {key}"}, {"api-key": key}):
            assert (await client.get("/v1/profiles", headers=headers)).status_code == 200


@pytest.mark.parametrize("path", ["/v1", "/v2/applications", "/v1/nope", "/v1/applications/x/nope", "/%00", "/schema"])
async def test_an_unknown_address_is_a_problem(api, path):
    """404, with or without a key."""
    await api.refused("GET", path, status=404, code="not_found")


async def test_a_strangers_flood_is_no_flood_of_lines(api, monkeypatch):
    """Unknown keys beyond what is looked for at once are answered with 503: one line a second, as of publishes."""
    monkeypatch.setattr(callers, "LOOKS_MAX", 0)

    async def ask(times: int) -> int:
        with structlog.testing.capture_logs() as lines:
            for _ in range(times):
                headers = {"authorization": f"Bearer {new_token('hk_app_').text}"}
                answer = await api.client.get("/v1/applications", headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        return sum(line["event"] == "request failed" for line in lines)

    monkeypatch.setattr(_tally, "_LINE_INTERVAL_S", 0.0)
    assert await ask(3) == 3
    monkeypatch.setattr(_tally, "_LINE_INTERVAL_S", 3_600.0)
    assert await ask(20) == 0


async def test_the_bare_address_leads_to_the_dashboard(api):
    """Who types it is a person; other methods are as wrong there as anywhere."""
    response = await api.client.get("/")
    assert response.is_redirect
    assert response.headers["location"] == "/dashboard"
    assert (await api.client.post("/")).status_code == 405


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/applications"),
        ("DELETE", "/v1/profiles"),
        ("POST", "/healthz"),
        ("PUT", "/v1/applications/x/events"),
    ],
)
async def test_an_unknown_method_is_a_problem(api, method, path):
    """405, and Allow lists what there is."""
    response = await api.client.request(method, path)
    assert response.status_code == 405
    problem = response.json()
    assert problem["code"] == "method_not_allowed"
    assert set(problem["allowed"]) == set(response.headers["allow"].split(", "))
    assert method not in problem["allowed"]
    assert "GET" in problem["allowed"]


async def test_publishing_is_among_the_allowed(api):
    """Though another way than the framework's."""
    response = await api.client.request("PUT", "/v1/applications/x/events")
    assert "POST" in response.headers["allow"].split(", ")


async def test_a_management_body_has_a_limit(api):
    """1 MiB, said with the limit; the connection stays usable."""
    problem = await api.refused(
        "POST", "/v1/applications", b'{"name":"' + b"x" * 1024 * 1024 + b'"}', status=413, code="too_large"
    )
    assert problem["limit"] == 1024 * 1024
    await api("GET", "/v1/profiles")


async def test_publishing_takes_no_query(api):
    """A key in the address, for instance, would end in logs."""
    app = await api.application()
    path = f"/v1/applications/{app}/events?key=x"
    await api.refused("POST", path, {"type": "a.b", "content": {}}, status=400, code="invalid_request")


async def test_an_unknown_application_is_not_found_everywhere(api):
    """Before anything else of the request is looked at, and in the same words."""
    document = await api("GET", "/openapi.json")
    bodies = {
        "/webhooks": {"url": "http://127.0.0.1:9/"},
        "/events": {"type": "a.b", "content": {}},
        "/send": {"event_id": "x"},
        "/replay": {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"},
    }
    for method, path in routes(document):
        if not path.startswith("/v1/applications/x"):
            continue
        body = None
        if method in {"POST", "PATCH"}:
            body = next((one for tail, one in bodies.items() if path.endswith(tail)), {})
        problem = await api.refused(method, path, body, status=404, code="not_found")
        assert problem["detail"] == "There is no application 'x' within reach of this key."


async def test_requests_have_names(api):
    """The same in the header and in the problem; another for each request."""
    names = set()
    for _ in range(3):
        response = await api.client.get("/v1/nope")
        assert response.headers["x-request-id"] == response.json()["request_id"]
        names.add(response.headers["x-request-id"])
    assert len(names) == 3


async def test_a_word_that_is_none_of_them_is_told_which_there_are(api):
    """In a filter and in a body."""
    app = await api.application()
    problem = await api.refused(
        "GET", f"/v1/applications/{app}/deliveries?state=pendng", status=400, code="invalid_request"
    )
    assert problem["detail"] == "state can't be 'pendng'; there are: pending, succeeded, failed, cancelled."
    webhook = (await api.webhook(app, "http://127.0.0.1:9/"))["id"]
    path = f"/v1/applications/{app}/webhooks/{webhook}"
    problem = await api.refused("PATCH", path, {"status": "off"}, status=400, code="invalid_request")
    assert "active" in problem["errors"][0]["detail"]
    problem = await api.refused("PATCH", path, {"nme": "x"}, status=400, code="unknown_field")
    assert "name" in problem["detail"]


@pytest.mark.parametrize("call", ["retry", "cancel"])
async def test_a_call_without_a_body_does_not_take_one(api, call):
    """What is said must not go unheard; an empty object says nothing."""
    app = await api.application()
    path = f"/v1/applications/{app}/deliveries/dlv_x/{call}"
    await api.refused("POST", path, {"delay": 5}, status=400, code="unknown_field")
    await api.refused("POST", path, b"[]", status=400, code="invalid_request")
    nothings: tuple[dict | bytes | None, ...] = (None, {}, b" ")
    for nothing in nothings:
        await api.refused("POST", path, nothing, status=404, code="not_found")


DATES = [
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "1500-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59.999999-23:59", "9999-12-31T23:59:59.999-00:01", "2026-01-01T00:00:00",
]  # fmt: skip


@pytest.mark.parametrize("date", DATES)
async def test_a_date_that_has_no_text_is_refused(api, date):
    """At its place; the list of events goes on working."""
    app = await api.application()
    event = {"type": "order.paid", "content": {}, "occurred_at": date}
    problem = await api.refused("POST", f"/v1/applications/{app}/events", event, status=400, code="invalid_request")
    assert problem["errors"][0]["pointer"] == "/occurred_at"
    for edge in ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999999+23:59"):
        await api.publish(app, 1, occurred_at=edge)
    assert len((await api("GET", f"/v1/applications/{app}/events"))["data"]) == 3


async def test_faults_of_an_event_have_proper_pointers(api):
    """Escaped, and naming the member that is missing."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"
    cases: tuple[tuple[dict, str, str], ...] = (
        ({"type": "a.b", "content": {}, "x/y`": 1}, "unknown_field", "/x~1y`"),
        ({"type": "a.b"}, "invalid_request", "/content"),
        ({"type": 1, "content": {}}, "invalid_request", "/type"),
    )
    for body, code, pointer in cases:
        problem = await api.refused("POST", path, body, status=400, code=code)
        assert problem["errors"][0]["pointer"] == pointer


async def test_white_space_around_an_event_makes_no_other_event(api):
    """The same publisher_id with the same event is the same, wherever it stood."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"
    event = b'{"type":"a.b","content":{},"publisher_id":"p"}'
    ids = {(await api("POST", path, raw, status=202))["id"] for raw in (event, b" " + event + b"\n")}
    assert len(ids) == 1
