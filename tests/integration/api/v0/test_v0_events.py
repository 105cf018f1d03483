"""Events under /v0: upcoming ones, those sent by hand and their logs, and lists page by page."""

import base64
import json
import re

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from hookspan.api.v0 import _routes
from tests.integration.api.v0.customer import EVENT, TIME, logged, refused
from tests.wire._receiver import WireReceiver

pytestmark = pytest.mark.anyio


async def test_upcoming_events_are_shown_as_they_will_be_sent(customer) -> None:
    """The next 10, oldest first, those from before the creation too; by category; each is what arrives later."""
    published = [await customer.publish(number, "transfer" if number % 2 else "customer") for number in range(8)]
    made = await customer.webhook()
    published += [await customer.publish(number, "transfer" if number % 2 else "customer") for number in range(8, 14)]
    response = await customer.client.upcoming_events(made["id"])
    assert response.status_code == 200
    assert set(response.json()) == {"data"}
    upcoming = response.json()["data"]
    assert [one["event_id"] for one in upcoming] == published[:10]
    for event in upcoming:
        assert set(event) - {"event_sequence"} == EVENT
        assert (event["api_version"], event["event_developer_id"]) == ("v0", customer.uuid)
        assert event["event_type"].startswith(event["event_category"] + ".")
        assert event["event_object_id"] == event["event_object"]["id"]
        assert TIME.fullmatch(event["event_created_at"])
    part = (await customer.client.upcoming_events(made["id"], category="customer")).json()["data"]
    assert [one["event_id"] for one in part] == published[::2]
    await customer.client.update_webhook(made["id"], status="active")
    for event in upcoming:
        arrived = await customer.receiver.next(customer.path)
        assert json.loads(arrived.body) == event
    for _ in published[10:]:
        await customer.receiver.next(customer.path)


async def test_ten_events_from_before_the_creation(customer) -> None:
    """`webhook_creation` gives 10 of them, `beginning_of_time` all."""
    published = [await customer.publish(number) for number in range(12)]
    made = await customer.webhook()
    upcoming = (await customer.client.upcoming_events(made["id"])).json()["data"]
    assert [one["event_id"] for one in upcoming] == published[2:]
    every = await customer.client.create_webhook(customer.url, "beginning_of_time")
    upcoming = (await customer.client.upcoming_events(every.json()["id"])).json()["data"]
    assert [one["event_id"] for one in upcoming] == published[:10]


async def test_an_event_is_sent_by_hand_and_logged(customer) -> None:
    """To a disabled webhook too; nothing else moves; the signature is the documented one."""
    event_id, other = await customer.publish(1), await customer.publish(2)
    made = await customer.webhook()
    response = await customer.client.send_event(made["id"], event_id)
    assert (response.status_code, response.json()) == (
        200,
        {"message": "Successfully sent the webhook event. This does not guarantee immediate delivery to the endpoint."},
    )
    arrived = await customer.receiver.next(customer.path)
    assert json.loads(arrived.body)["event_id"] == event_id
    verify(made["public_key"], arrived.header("X-Webhook-Signature"), arrived.body)
    logs = await logged(customer, made["id"], 1)
    assert set(logs) == {"count", "data"}
    [line] = logs["data"]
    assert set(line) == {"status", "event_id", "response_body", "created_at"}
    assert (line["status"], line["event_id"], line["response_body"]) == (200, event_id, "ok")
    assert TIME.fullmatch(line["created_at"])
    upcoming = (await customer.client.upcoming_events(made["id"])).json()["data"]
    assert [one["event_id"] for one in upcoming] == [event_id, other]
    for wrong in ("wh_tmneA3b1rTv1q4gkvmPU53n", "x", made["id"]):
        refused(await customer.client.send_event(made["id"], wrong), {"event_id": "is not the id of an event"})
    refused(await customer.client.post(f"/webhooks/{made['id']}/send", {}), {"event_id": "is missing"})


def verify(public_key: str, header: str, body: bytes) -> None:
    """As the documentation tells receivers to."""
    match = re.fullmatch(r"t=([1-9]\d{12}),v0=([A-Za-z0-9+/]+=*)", header)
    assert match
    digest = hashes.Hash(hashes.SHA256())
    digest.update(match[1].encode() + b"." + body)
    key = load_pem_public_key(public_key.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(base64.b64decode(match[2]), digest.finalize(), padding.PKCS1v15(), hashes.SHA256())


async def test_a_log_without_a_response_says_why(customer, served) -> None:
    """Status 0, and the error as its body."""
    event_id = await customer.publish(1)
    async with WireReceiver(served.tls) as gone:
        made = (await customer.client.create_webhook(f"{gone.url}/", "webhook_creation")).json()
    assert (await customer.client.send_event(made["id"], event_id)).status_code == 200
    [line] = (await logged(customer, made["id"], 1))["data"]
    assert (line["status"], line["event_id"]) == (0, event_id)
    assert line["response_body"].startswith("connect_refused: ")


async def test_events_are_read_page_by_page(customer) -> None:
    """Newest first; older ones after an event, newer ones before it, without a gap; by category."""
    published = [await customer.publish(number, "transfer" if number % 3 else "customer") for number in range(12)]
    newest = published[::-1]

    async def ids(**query) -> list[str]:
        response = await customer.client.webhook_events(**query)
        assert response.status_code == 200, response.text
        answer = response.json()
        assert set(answer) == {"data", "count"}
        assert answer["count"] == len(answer["data"])
        assert all(set(one) - {"event_sequence"} == EVENT for one in answer["data"])
        return [one["event_id"] for one in answer["data"]]

    assert await ids() == newest
    found = await ids(limit=5)
    while part := await ids(limit=5, starting_after=found[-1]):
        found += part
    assert found == newest
    assert await ids(limit=3, ending_before=newest[7]) == newest[4:7]
    assert await ids(ending_before=newest[7]) == newest[:7]
    assert await ids(ending_before=newest[0]) == []
    assert await ids(category="customer") == [one for one in newest if published.index(one) % 3 == 0]
    assert await ids(category="customer", limit=2, ending_before=published[0]) == [published[6], published[3]]
    assert await ids(category="rfi") == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "9" * 5_000}, "limit"),
        ({"category": "nothing"}, "category"),
        ({"starting_after": "x"}, "starting_after"),
        ({"ending_before": "wh_tmneA3b1rTv1q4gkvmPU53x"}, "ending_before"),
    ],
)
async def test_wrong_query_parameters_are_named(customer, query, name) -> None:
    """400 in the query; what is not known is ignored."""
    refused(await customer.client.webhook_events(**query), {name}, location="query")
    assert (await customer.client.webhook_events(nobody="knows this")).status_code == 200


async def test_only_one_of_the_two_cursors_at_a_time(customer) -> None:
    """Older than one and newer than another is not a page."""
    event = await customer.publish(1)
    response = await customer.client.webhook_events(starting_after=event, ending_before=event)
    refused(response, {"ending_before"}, location="query")


async def test_an_unknown_category_of_upcoming_events_is_named(customer) -> None:
    """As in the list of events."""
    made = await customer.webhook()
    refused(await customer.client.upcoming_events(made["id"], category="nothing"), {"category"}, location="query")


async def test_logs_have_the_last_hundred(customer, monkeypatch) -> None:
    """As many as are documented; here eleven."""
    assert _routes.LOGS_MAX == 100
    monkeypatch.setattr(_routes, "LOGS_MAX", 11)
    made = await customer.webhook()
    event = await customer.publish(1)
    for _ in range(12):
        await customer.client.send_event(made["id"], event)
    logs = await logged(customer, made["id"], 11)
    assert (logs["count"], len(logs["data"])) == (11, 11)
