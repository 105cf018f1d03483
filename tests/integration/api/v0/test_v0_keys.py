"""Who comes in under /v0, and what is not theirs or not there."""

import pytest

from tests.integration.api.v0.customer import UNKNOWN_ID, key_of, unknown
from tests.support.bridge_client import BridgeClient

pytestmark = pytest.mark.anyio


async def test_the_key_is_missing_or_invalid(served, customer) -> None:
    """401, in the two documented forms; no other header will do."""
    api = served.api
    missing = {"code": "required", "location": "header", "name": "Api-Key", "message": "Missing Api-Key header"}
    invalid = {"code": "invalid", "location": "header", "name": "Api-Key", "message": "Invalid Api-Key header"}
    lms = await api.application(profile="bridge-lms")
    wrong = {
        "nonsense": "nonsense",
        "of another profile": await key_of(api, lms),
        "a publisher's": (await api("POST", "/v1/keys", {"name": "p", "scope": "publisher"}, status=201))["key"],
        "the operator's": api.client.headers["authorization"].removeprefix("Bearer "),
    }
    for path in ("/v0/webhooks", f"/v0/webhooks/{UNKNOWN_ID}/events", "/v0/webhook_events"):
        response = await api.client.get(path)
        assert (response.status_code, response.json()) == (401, missing)
        for what, key in wrong.items():
            response = await api.client.get(path, headers={"api-key": key})
            assert (response.status_code, response.json()) == (401, invalid), what


async def test_a_key_that_may_only_look(served, customer) -> None:
    """Reads, and is told that it may not do more."""
    api = served.api
    made = await customer.webhook()
    async with BridgeClient(f"{api.node.base_url}/v0", await key_of(api, customer.id, role="member")) as client:
        assert (await client.list_webhooks()).json() == {"data": [made]}
        response = await client.delete_webhook(made["id"])
        assert response.status_code == 403
        assert response.json()["code"] == "not_allowed"


async def test_another_applications_webhooks_are_unknown(served, customer) -> None:
    """As if they were not there, in each call."""
    api = served.api
    made = await customer.webhook()
    event = await customer.publish(1)
    other = (await api("POST", "/v1/applications", {"name": "Other", "profile": "bridge-xyz"}, status=201))["id"]
    async with BridgeClient(f"{api.node.base_url}/v0", await key_of(api, other)) as client:
        for webhook_id in (made["id"], UNKNOWN_ID, "x"):
            unknown(await client.update_webhook(webhook_id, status="active"))
            unknown(await client.delete_webhook(webhook_id))
            unknown(await client.upcoming_events(webhook_id))
            unknown(await client.send_event(webhook_id, event))
            unknown(await client.logs(webhook_id))
        assert (await client.list_webhooks()).json() == {"data": []}
        assert (await client.webhook_events()).json() == {"data": [], "count": 0}
        assert (await client.webhook_events(starting_after=event)).json() == {"data": [], "count": 0}


async def test_only_keys_come_in(customer, served) -> None:
    """No portal session and nobody who is signed in, though both may look at the same application under /v1."""
    api = served.api
    portal = await api("POST", f"/v1/applications/{customer.id}/portal-sessions", {}, status=201)
    ada = {"name": "Ada", "role": "admin", "application_id": customer.id}
    person = await api("POST", "/v1/people", ada, status=201)
    session = await api("POST", "/v1/sessions", {"link": person["link"]}, status=201)
    for token in (portal["url"].rpartition("/")[2], session["token"]):
        looked = await api.client.get(f"/v1/applications/{customer.id}", headers={"authorization": f"Bearer {token}"})
        assert looked.status_code == 200
        async with BridgeClient(f"{api.node.base_url}/v0", token) as client:
            for response in (
                await client.list_webhooks(),
                await client.create_webhook(customer.url, "webhook_creation"),
            ):
                assert response.status_code == 401
                assert response.json()["code"] == "invalid"


async def test_keys_of_two_customers_never_meet(customer, served) -> None:
    """One idempotency key, path and body by two keys, of one application and of two: each gets a webhook of its own."""
    api = served.api
    other = (await api("POST", "/v1/applications", {"name": "Other", "profile": "bridge-xyz"}, status=201))["id"]
    made = []
    for application in (customer.id, customer.id, other):
        async with BridgeClient(f"{api.node.base_url}/v0", await key_of(api, application)) as client:
            response = await client.create_webhook(customer.url, "webhook_creation", idempotency_key="one")
            assert (response.status_code, "idempotency-replayed" in response.headers) == (201, False)
            made.append(response.json()["id"])
    assert len(set(made)) == 3


async def test_what_does_not_exist_is_refused_in_the_same_words(customer) -> None:
    """404 and 405 of this API, not of the other."""
    response = await customer.client.request("GET", "/nothing")
    assert (response.status_code, response.json()["code"]) == (404, "Invalid")
    made = await customer.webhook()
    response = await customer.client.request("GET", f"/webhooks/{made['id']}")
    assert (response.status_code, response.json()["code"]) == (405, "Invalid")
    assert set(response.headers["allow"].split(", ")) >= {"PUT", "DELETE"}
