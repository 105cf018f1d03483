"""Applications over HTTP."""

import pytest

pytestmark = pytest.mark.anyio

UUID = "2D127766-02fa-44b0-9fc8-a67665dbf109"


async def test_what_is_given_is_kept(api):
    """Id, uuid, settings, metadata and notify are the platform's to choose."""
    given = {
        "name": "Ärme & <b>Söhne</b>",
        "id": "customer_17",
        "uuid": UUID,
        "profile": "bridge-api",
        "settings": {"limits": {"webhooks": 2}},
        "metadata": {"plan": "gold", "n": [1, 2.5, None, 2**70]},
        "notify": "http://127.0.0.1:9/ops",
    }
    app = await api("POST", "/v1/applications", given, status=201)
    assert {name: app[name] for name in given} == {**given, "uuid": UUID.lower()}


async def test_an_id_is_taken_once(api):
    """The second is refused and changes nothing."""
    await api.application(id="mine")
    problem = await api.refused(
        "POST", "/v1/applications", {"name": "B", "id": "mine"}, status=409, code="state_forbidden"
    )
    assert "mine" in problem["detail"]
    assert (await api("GET", "/v1/applications/mine"))["name"] == "Acme"


async def test_a_change_replaces_what_it_names(api):
    """And nothing else; null clears notify."""
    app = await api.application(notify="http://127.0.0.1:9/ops", metadata={"a": 1})
    before = await api("GET", f"/v1/applications/{app}")
    changed = await api("PATCH", f"/v1/applications/{app}", {"name": "New", "metadata": {}, "notify": None})
    assert (changed["name"], changed["metadata"], changed["notify"]) == ("New", {}, None)
    assert changed["updated_at"] >= before["updated_at"]
    same = ("id", "uuid", "profile", "settings", "created_at")
    assert [changed[name] for name in same] == [before[name] for name in same]


async def test_settings_change_what_the_profile_lets(api, receiver):
    """A limit is in force for the next webhook; what is not settable is refused with its place."""
    app = await api.application(settings={"limits": {"webhooks": 1}})
    await api.webhook(app, receiver.url)
    problem = await api.refused(
        "POST", f"/v1/applications/{app}/webhooks", {"url": receiver.url}, status=409, code="webhook_limit"
    )
    assert problem["limit"] == 1
    await api("PATCH", f"/v1/applications/{app}", {"settings": {"limits": {"webhooks": 2}}})
    await api.webhook(app, receiver.url)
    problem = await api.refused(
        "PATCH", f"/v1/applications/{app}", {"settings": {"body": {"rows": []}}}, status=400, code="unknown_field"
    )
    assert problem["errors"][0]["pointer"].startswith("/settings/body")


async def test_the_profile_is_fixed_once_there_is_something(api, receiver):
    """Before, it may change; with a webhook or an event it may not."""
    app = await api.application()
    await api("PATCH", f"/v1/applications/{app}", {"profile": "bridge-api"})
    await api("PATCH", f"/v1/applications/{app}", {"profile": "standard"})
    await api.publish(app, 1)
    await api.refused("PATCH", f"/v1/applications/{app}", {"profile": "bridge-api"}, status=409, code="state_forbidden")
    other = await api.application()
    await api.webhook(other, receiver.url)
    await api.refused(
        "PATCH", f"/v1/applications/{other}", {"profile": "bridge-api"}, status=409, code="state_forbidden"
    )


async def test_a_deleted_application_is_out_of_reach(api, receiver):
    """With everything in it, at once, and publishing to it too."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    event = await api.publish(app, 1)
    await api("DELETE", f"/v1/applications/{app}", status=204)
    for path in ("", "/webhooks", f"/webhooks/{webhook['id']}", "/events", f"/events/{event}", "/deliveries"):
        await api.refused("GET", f"/v1/applications/{app}{path}", status=404, code="not_found")
    await api.refused("DELETE", f"/v1/applications/{app}", status=404, code="not_found")
    body = {"type": "a.b", "content": {}}
    await api.refused("POST", f"/v1/applications/{app}/events", body, status=404, code="not_found")
    assert app not in await api.applications()


async def test_pages_hold_each_application_once(api):
    """Newest first, also while more are made."""
    ids = [await api.application(name=f"n{number}") for number in range(5)]
    seen, cursor = [], None
    while True:
        page = await api("GET", "/v1/applications", params={"limit": 3, **({"cursor": cursor} if cursor else {})})
        assert len(page["data"]) <= 3
        seen += [one["id"] for one in page["data"]]
        cursor = page["next"]
        if cursor is None:
            break
        await api.application(name="later")
    assert [one for one in seen if one in ids] == ids[::-1]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "invalid_request", "/name"),
        ({"name": None}, "invalid_request", "/name"),
        ({"name": ""}, "invalid_request", "/name"),
        ({"name": "a\x00b"}, "invalid_request", "/name"),
        ({"name": "x" * 10_001}, "invalid_request", "/name"),
        ({"name": ["a"]}, "invalid_request", "/name"),
        ({"name": "a", "nmae": 1}, "unknown_field", "/nmae"),
        ({"name": "a", "profile": "nope"}, "unknown_profile", None),
        ({"name": "a", "profile": None}, "invalid_request", "/profile"),
        ({"name": "a", "id": "../x"}, "invalid_request", "/id"),
        ({"name": "a", "id": ""}, "invalid_request", "/id"),
        ({"name": "a", "id": "x" * 65}, "invalid_request", "/id"),
        ({"name": "a", "id": "a\n"}, "invalid_request", "/id"),
        ({"name": "a", "uuid": "17"}, "invalid_request", "/uuid"),
        ({"name": "a", "settings": []}, "invalid_request", "/settings"),
        ({"name": "a", "settings": {"nope": 1}}, "unknown_field", "/settings/nope"),
        ({"name": "a", "settings": {"limits": {"webhooks": "many"}}}, "invalid_request", "/settings/limits/webhooks"),
        ({"name": "a", "metadata": 1}, "invalid_request", "/metadata"),
        ({"name": "a", "metadata": {"x": "y" * 16_384}}, "invalid_request", "/metadata"),
        ({"name": "a", "notify": "ftp://example.com"}, "invalid_url", "/notify"),
        ({"name": "a", "notify": "http://10.0.0.1/"}, "blocked_destination", "/notify"),
        ([], "invalid_request", ""),
        ("text", "invalid_json", None),
        ('{"name":"a"', "invalid_json", None),
        ('{"name":"a"} x', "invalid_json", None),
        ('{"name":"a","metadata":{"x":NaN}}', "invalid_json", None),
        ('{"name":"a","name":"b"}', "duplicate_key", "/name"),
        (b'{"name":"\xff"}', "invalid_json", None),
        (b"", "invalid_json", None),
    ],
)
async def test_a_wrong_body_is_refused_with_its_place(api, body, code, pointer):
    """And nothing is made."""
    before = await api.applications()
    problem = await api.refused("POST", "/v1/applications", body, status=400, code=code)
    if pointer is not None:
        assert problem["errors"][0]["pointer"] == pointer
    assert await api.applications() == before
