"""Publishing and reading events over HTTP."""

import json

import pytest

pytestmark = pytest.mark.anyio


async def test_one_event(api):
    """202 with its id, once it is durable."""
    app = await api.application()
    answer = await api("POST", f"/v1/applications/{app}/events", {"type": "a.b", "content": {}}, status=202)
    assert set(answer) == {"id", "publisher_id"}
    assert answer["id"].startswith("evt_")
    assert answer["publisher_id"] is None


async def test_a_publisher_id_makes_publishing_repeatable(api):
    """The same again is the same event; another body under it is refused. Any text comes back as it went."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"
    event = {"type": "a.b", "content": {"n": 1}, "publisher_id": 'ümlaut "quoted" \\ 😀'}
    first = await api("POST", path, event, status=202)
    assert first["publisher_id"] == event["publisher_id"]
    assert await api("POST", path, event, status=202) == first
    await api.refused("POST", path, {**event, "content": {"n": 2}}, status=409, code="event_id_conflict")
    assert len((await api("GET", path))["data"]) == 1


async def test_a_batch_keeps_the_good_and_names_the_bad(api):
    """In the same order; nothing of the bad one is stored."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"
    batch = [
        {"type": "a.b", "content": {"n": 0}},
        {"type": "no spaces", "content": {}},
        {"type": "a.b", "content": {"n": 2}, "publisher_id": "two"},
        {"type": "a.b"},
        "text",
        {"type": "a.b", "content": {}, "contnet": {}},
    ]
    answer = await api("POST", path, batch, status=202)
    codes = [one.get("error", {}).get("code") for one in answer["data"]]
    assert codes == [None, "unknown_event_type", None, "invalid_request", "invalid_request", "unknown_field"]
    assert [one["error"]["index"] for one in answer["data"] if "error" in one] == [1, 3, 4, 5]
    assert all(one["error"]["type"].startswith("urn:hookspan:problem:") for one in answer["data"] if "error" in one)
    assert answer["data"][2]["publisher_id"] == "two"
    kept = (await api("GET", path))["data"]
    assert [one["content"]["n"] for one in kept] == [2, 0]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b'{"type":"a.b","content":{"x":NaN}}', 400, "invalid_json"),
        (b'{"type":"a.b","content":{"x":"\xff"}}', 400, "invalid_json"),
        (b'{"type":"a.b","content":{}} {}', 400, "invalid_json"),
        (b'{"type":"a.b","content":' + b'{"x":' * 200 + b"1" + b"}" * 201, 400, "invalid_json"),
        (b'{"type":"a.b","content":{"x":1,"x":2}}', 400, "duplicate_key"),
        (b'{"type":"a.b"}', 400, "invalid_request"),
        (b'{"content":{}}', 400, "invalid_request"),
        (b'{"type":1,"content":{}}', 400, "invalid_request"),
        (b'{"type":"a.b","content":{},"publisher_id":""}', 400, "invalid_request"),
        (b'{"type":"a.b","content":{},"publisher_id":"' + b"x" * 257 + b'"}', 400, "invalid_request"),
        (b'{"type":"a.b","content":{},"occurred_at":"yesterday"}', 400, "invalid_request"),
        (b'{"type":"a.b","content":{},"more":1}', 400, "unknown_field"),
        (b'{"type":"no spaces","content":{}}', 400, "unknown_event_type"),
        (b'{"type":"a.b","content":{},"context":{"x":1}}', 400, "unknown_field"),
        (b"17", 400, "invalid_request"),
        (b"null", 400, "invalid_request"),
        (b"[]", 400, "invalid_request"),
        (json.dumps({"type": "a.b", "content": {"x": "y" * 256 * 1024}}).encode(), 413, "too_large"),
        (json.dumps([{"type": "a.b", "content": {}}] * 1_001).encode(), 413, "too_large"),
        (b" " * (5 * 1024 * 1024 + 1), 413, "too_large"),
    ],
)
async def test_a_wrong_event_is_refused(api, body, status, code):
    """By what is wrong, and where; nothing is stored."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"
    problem = await api.refused("POST", path, body, status=status, code=code)
    assert status != 413 or problem["limit"] > 0
    assert (await api("GET", path))["data"] == []


async def test_a_closed_catalog_checks_types_and_contents(api):
    """bridge-api: the type must exist and the content fit its schema."""
    app = await api.application(profile="bridge-api")
    path = f"/v1/applications/{app}/events"
    await api.refused("POST", path, {"type": "item.creatd", "content": {}}, status=400, code="unknown_event_type")
    problem = await api.refused(
        "POST", path, {"type": "item.created", "content": {"item_id": "x"}}, status=400, code="schema_mismatch"
    )
    assert all(one["pointer"].startswith("/content") for one in problem["errors"])
    assert (await api("GET", path))["data"] == []


async def test_a_chunked_body_is_taken_and_bounded(api):
    """With no length said: small ones pass, one that never ends is refused."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"

    async def small():
        yield b'{"type":"a.b",'
        yield b'"content":{"n":1}}'

    async def large():
        for _ in range(6):
            yield b" " * 1024 * 1024

    await api("POST", path, status=202, content=small())
    await api.refused("POST", path, status=413, code="too_large", content=large())
    assert len((await api("GET", path))["data"]) == 1


async def test_content_is_kept_as_sent(api):
    """Numbers, escapes and order of members are the publisher's."""
    app = await api.application()
    raw = '{"z":1.10,"a":1e3,"big":12345678901234567890123,"t":"\\u00e4\\/"}'
    body = f'{{"type":"a.b","content":{raw}}}'
    answer = await api("POST", f"/v1/applications/{app}/events", body, status=202)
    response = await api.client.get(f"/v1/applications/{app}/events/{answer['id']}")
    assert f'"content":{raw}' in response.text
    assert raw in response.json()["body"]


async def test_filters(api):
    """By type, by the publisher's id, by time."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"
    for number, kind in enumerate(["a.b", "a.c", "a.b"]):
        await api("POST", path, {"type": kind, "content": {"n": number}, "publisher_id": f"p{number}"}, status=202)

    async def numbers(**params):
        return [one["content"]["n"] for one in (await api("GET", path, params=params))["data"]]

    assert await numbers() == [2, 1, 0]
    assert await numbers(type="a.b") == [2, 0]
    assert await numbers(publisher_id="p1") == [1]
    assert await numbers(publisher_id="p1", type="a.b") == []
    assert await numbers(type="null") == []
    assert await numbers(since="2020-01-01T00:00:00Z") == [2, 1, 0]
    assert await numbers(until="2020-01-01T00:00:00+01:00") == []
    assert await numbers(since="2999-01-01T00:00:00Z") == []


async def test_pages_are_right_while_events_arrive(api):
    """Each event that was there at the beginning is seen once."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"
    await api("POST", path, [{"type": "a.b", "content": {"n": n}} for n in range(120)], status=202)
    seen, params = [], {"limit": 55}
    while True:
        page = await api("GET", path, params=params)
        seen += [one["content"]["n"] for one in page["data"]]
        await api("POST", path, {"type": "a.b", "content": {"n": -1}}, status=202)
        if page["next"] is None:
            break
        params = {"limit": 55, "cursor": page["next"]}
    assert seen == list(range(119, -1, -1))


async def test_oldest_first_reads_on_for_ever(api):
    """By position: `next` is never null, and gives what has come since."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"
    await api("POST", path, [{"type": f"a.{n % 2}", "content": {"n": n}} for n in range(7)], status=202)
    page = await api("GET", path, params={"sort": "oldest", "after": 2, "limit": 3})
    assert [one["position"] for one in page["data"]] == [3, 4, 5]
    page = await api("GET", path, params={"sort": "oldest", "limit": 3, "cursor": page["next"]})
    assert [one["position"] for one in page["data"]] == [6, 7]
    page = await api("GET", path, params={"sort": "oldest", "cursor": page["next"]})
    assert (page["data"], page["next"] is not None) == ([], True)
    await api("POST", path, {"type": "a.b", "content": {"n": 7}}, status=202)
    page = await api("GET", path, params={"sort": "oldest", "cursor": page["next"]})
    assert [one["position"] for one in page["data"]] == [8]
    odd = await api("GET", path, params={"sort": "oldest", "type": "a.1"})
    assert [one["content"]["n"] for one in odd["data"]] == [1, 3, 5]


@pytest.mark.parametrize(
    ("params", "code", "pointer"),
    [
        ({"tpye": "a.b"}, "unknown_field", "/tpye"),
        ({"limit": "0"}, "invalid_request", "/limit"),
        ({"limit": "501"}, "invalid_request", "/limit"),
        ({"limit": "ten"}, "invalid_request", "/limit"),
        ({"limit": ""}, "invalid_request", "/limit"),
        ({"limit": ["1", "2"]}, "invalid_request", "/limit"),
        ({"since": "yesterday"}, "invalid_request", "/since"),
        ({"until": "2026-13-01T00:00:00Z"}, "invalid_request", "/until"),
        ({"sort": "random"}, "invalid_request", "/sort"),
        ({"after": "3"}, "invalid_request", "/after"),
        ({"after": "-1", "sort": "oldest"}, "invalid_request", "/after"),
        ({"since": "2020-01-01T00:00:00Z", "sort": "oldest"}, "invalid_request", "/since"),
        ({"cursor": "x"}, "invalid_cursor", None),
        ({"cursor": "AAAAAAAAAAAAAAAAAAAAAA"}, "invalid_cursor", None),
    ],
)
async def test_a_wrong_filter_is_refused(api, params, code, pointer):
    """A typo must not return everything."""
    app = await api.application()
    problem = await api.refused("GET", f"/v1/applications/{app}/events", status=400, code=code, params=params)
    assert pointer is None or problem["errors"][0]["pointer"] == pointer


async def test_a_cursor_belongs_to_its_list(api):
    """With other filters, or of another application, it is refused."""
    app, other = await api.application(), await api.application()
    path = f"/v1/applications/{app}/events"
    await api("POST", path, [{"type": "a.b", "content": {}}] * 3, status=202)
    cursor = (await api("GET", path, params={"limit": 1}))["next"]
    for where, more in ((path, {"type": "a.b"}), (path, {"sort": "oldest"}), (f"/v1/applications/{other}/events", {})):
        await api.refused("GET", where, status=400, code="invalid_cursor", params={"cursor": cursor, **more})


async def test_every_webhook_is_explained(api, receiver):
    """Delivered, not subscribed, created later: each has its line."""
    app = await api.application()
    asked = await api.webhook(app, receiver.url)
    not_asked = await api.webhook(app, receiver.url, events=["item.*"])
    event = await api.publish(app, 1)
    await api.delivery_of(app, event, "succeeded")
    later = await api.webhook(app, receiver.url)
    lines = {one["webhook_id"]: one for one in (await api("GET", f"/v1/applications/{app}/events/{event}"))["webhooks"]}
    assert lines[asked["id"]]["state"] == "succeeded"
    assert "did not ask for order.paid" in lines[not_asked["id"]]["sentence"]
    assert "created later" in lines[later["id"]]["sentence"]


async def test_an_old_event_is_explained_by_what_was_in_force(api, receiver):
    """A subscription that was changed since does not change the past."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url, events=["item.*"])
    event = await api.publish(app, 1)
    await api("PATCH", f"/v1/applications/{app}/webhooks/{webhook['id']}", {"events": None})
    line = (await api("GET", f"/v1/applications/{app}/events/{event}"))["webhooks"][0]
    assert (line["delivery_id"], line["sentence"]) == (
        None,
        "Not subscribed: the webhook did not ask for order.paid when it was published.",
    )


async def test_a_sample_is_published(api, receiver):
    """Of the type that is named, else of the catalog's first."""
    app = await api.application(profile="bridge-api")
    path = f"/v1/applications/{app}/events"
    named = await api("POST", f"{path}/sample", {"type": "item.created"}, status=202)
    assert (await api("GET", f"{path}/{named['id']}"))["type"] == "item.created"
    await api("POST", f"{path}/sample", {}, status=202)
    await api.refused("POST", f"{path}/sample", {"type": "nope"}, status=400, code="unknown_event_type")
    assert len((await api("GET", path))["data"]) == 2


async def test_ids_that_are_not_there(api):
    """An event of another application is not found either."""
    mine, other = await api.application(), await api.application()
    event = await api.publish(other, 1)
    for ident in (event, "evt_", "x", "evt_" + "1" * 23):
        await api.refused("GET", f"/v1/applications/{mine}/events/{ident}", status=404, code="not_found")
    await api.refused("GET", f"/v1/applications/nope/events/{event}", status=404, code="not_found")
