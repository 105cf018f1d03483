"""Bridge's Webhooks API under /v0: each call, each shape, each code as its documentation has it, over TLS."""

import asyncio
import base64
import json
import re
import ssl
import uuid
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import trustme
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from hookspan.api.v0 import _routes
from hookspan.manage import idempotency
from tests.integration.api.conftest import ARRIVAL_S, Api, api_in
from tests.support.bridge_client import BridgeClient
from tests.wire._receiver import WireReceiver

pytestmark = pytest.mark.anyio

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
WEBHOOK = {"id", "url", "status", "public_key", "event_categories", "created_at", "updated_at"}
EVENT = {
    "api_version", "event_id", "event_developer_id", "event_category", "event_type", "event_object_id",
    "event_object_status", "event_object", "event_object_changes", "event_created_at",
}  # fmt: skip
CHECK_THESE = "Please resubmit the following parameters that are either missing or invalid."
NEW = {"url": "https://e.example/", "event_epoch": "webhook_creation"}
UNKNOWN_ID = "wep_tmneA3b1rTv1q4gkvmPU53n"


class Served(NamedTuple):
    """A node that trusts one CA, a receiver with a certificate of it, and what makes more of those."""

    api: Api
    receiver: WireReceiver
    tls: ssl.SSLContext


class Customer:
    """One application that speaks bridge-xyz: the platform's side of it, and its own client."""

    def __init__(self, api: Api, application: dict, client: BridgeClient, receiver: WireReceiver) -> None:
        self.api = api
        self.id, self.uuid = application["id"], application["uuid"]
        self.client = client
        self.receiver = receiver
        self.path = f"/{self.id}"
        self.url = f"{receiver.url}{self.path}"

    async def publish(self, number: int, group: str = "transfer", verb: str = "created") -> str:
        event = {
            "type": f"{group}.{verb}",
            "content": {"id": str(uuid.UUID(int=number)), "state": "pending", "amount": "1.0", "currency": "usd"},
        }
        return (await self.api("POST", f"/v1/applications/{self.id}/events", event, status=202))["id"]

    async def webhook(self, *, is_active: bool = False, **members) -> dict:
        made = await self.client.create_webhook(self.url, "webhook_creation", **members)
        assert made.status_code == 201, made.text
        if is_active:
            assert (await self.client.update_webhook(made.json()["id"], status="active")).status_code == 200
        return made.json()


@pytest.fixture(scope="module")
async def served(tmp_path_factory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("v0")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    async with api_in(folder, egress_ca_file=str(folder / "ca.pem")) as api, WireReceiver(tls) as receiver:
        yield Served(api, receiver, tls)


async def key_of(api: Api, application: str, **members) -> str:
    body = {"name": "their own", "scope": "application", "application_id": application, **members}
    return (await api("POST", "/v1/keys", body, status=201))["key"]


@pytest.fixture
async def customer(served) -> AsyncIterator[Customer]:
    api = served.api
    application = await api("POST", "/v1/applications", {"name": "Acme", "profile": "bridge-xyz"}, status=201)
    async with BridgeClient(f"{api.node.base_url}/v0", await key_of(api, application["id"])) as client:
        yield Customer(api, application, client, served.receiver)


def refused(response, faults: dict[str, str] | set[str], *, location: str = "body") -> None:
    """A 400 whose source names these parameters, with these reasons where they are given."""
    assert response.status_code == 400, response.text
    error = response.json()
    assert set(error) == {"code", "message", "source"}
    assert (error["code"], error["message"]) == ("invalid_parameters", CHECK_THESE)
    assert error["source"]["location"] == location
    key = error["source"]["key"]
    assert set(key) == set(faults)
    assert not isinstance(faults, dict) or key == faults
    assert response.headers["content-type"] == "application/json"


def unknown(response) -> None:
    assert response.status_code == 404
    assert response.json() == {"code": "Invalid", "message": "Unknown webhook id"}


# --- webhooks


async def test_a_webhook_is_made_disabled(customer) -> None:
    """201 with exactly the documented members; the key is PEM that a crypto library reads."""
    response = await customer.client.create_webhook(customer.url, "webhook_creation", ["transfer", "customer"])
    assert response.status_code == 201
    made = response.json()
    assert set(made) == WEBHOOK
    assert re.fullmatch(r"wep_[1-9A-HJ-NP-Za-km-z]{23}", made["id"])
    assert (made["url"], made["status"]) == (customer.url, "disabled")
    assert made["event_categories"] == ["transfer", "customer"]
    assert TIME.fullmatch(made["created_at"])
    assert made["updated_at"] == made["created_at"]
    assert made["public_key"].startswith("-----BEGIN PUBLIC KEY-----\n")
    assert made["public_key"].endswith("\n-----END PUBLIC KEY-----\n")
    key = load_pem_public_key(made["public_key"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    assert (key.key_size, key.public_numbers().e) == (2048, 65537)
    listed = await customer.client.list_webhooks()
    assert (listed.status_code, listed.json()) == (200, {"data": [made]})


async def test_the_life_of_a_webhook(customer) -> None:
    """Changed by PUT, deleted by DELETE, then unknown everywhere."""
    made = await customer.webhook()
    assert made["event_categories"] is None
    changed = await customer.client.update_webhook(made["id"], event_categories=["rfi"], nobody="knows this")
    assert changed.status_code == 200
    assert changed.json()["event_categories"] == ["rfi"]
    changed = await customer.client.update_webhook(made["id"], url=None)
    assert changed.json()["event_categories"] == ["rfi"]
    changed = await customer.client.update_webhook(made["id"], event_categories=None)
    assert changed.json()["event_categories"] is None
    active = await customer.client.update_webhook(made["id"], status="active")
    assert active.json()["status"] == "active"
    again = await customer.client.update_webhook(made["id"], status="active")
    assert {**again.json(), "updated_at": ""} == {**active.json(), "updated_at": ""}
    paused = await customer.client.update_webhook(made["id"], status="disabled")
    assert paused.json()["status"] == "disabled"
    assert (await customer.client.update_webhook(made["id"])).json() == paused.json()
    gone = await customer.client.delete_webhook(made["id"])
    assert gone.status_code == 200
    assert set(gone.json()) == WEBHOOK
    assert {**gone.json(), "status": "disabled", "updated_at": ""} == {**paused.json(), "updated_at": ""}
    assert gone.json()["status"] == "deleted"
    for again in (
        await customer.client.delete_webhook(made["id"]),
        await customer.client.update_webhook(made["id"], status="active"),
        await customer.client.upcoming_events(made["id"]),
        await customer.client.logs(made["id"]),
        await customer.client.send_event(made["id"], await customer.publish(1)),
    ):
        unknown(again)
    assert (await customer.client.list_webhooks()).json() == {"data": []}


async def test_the_url_changes_only_while_disabled(customer) -> None:
    """The same URL is no change, and all at once on a disabled webhook is fine."""
    made = await customer.webhook(is_active=True)
    other = f"{customer.url}/other"
    refused(await customer.client.update_webhook(made["id"], url=other), {"url"})
    refused(await customer.client.update_webhook(made["id"], url=other, status="disabled"), {"url"})
    same = await customer.client.update_webhook(made["id"], url=customer.url, status="active")
    assert same.status_code == 200
    await customer.client.update_webhook(made["id"], status="disabled")
    moved = await customer.client.update_webhook(made["id"], url=other, status="active", event_categories=["customer"])
    assert moved.status_code == 200
    assert (moved.json()["url"], moved.json()["status"]) == (other, "active")
    assert moved.json()["event_categories"] == ["customer"]
    assert moved.json()["public_key"] == made["public_key"]


async def test_five_webhooks_at_one_time(customer) -> None:
    """Active or disabled; a deleted one makes room."""
    made = [await customer.webhook(is_active=number == 0) for number in range(5)]
    refused(await customer.client.create_webhook(customer.url, "webhook_creation"), {"url"})
    await customer.client.delete_webhook(made[2]["id"])
    assert (await customer.client.create_webhook(customer.url, "webhook_creation")).status_code == 201


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"url": "is missing", "event_epoch": "is missing"}),
        ({"url": None, "event_epoch": None}, {"url": "is missing", "event_epoch": "is missing"}),
        ({"url": 5, "event_epoch": ["x"]}, {"url": "must be a string", "event_epoch": "must be a string"}),
        ({"url": "", "event_epoch": "now"}, {"url", "event_epoch"}),
        ({"url": "https://x.example/" + "x" * 2_048, "event_epoch": "webhook_creation"}, {"url"}),
        ({"url": "http://example.com/", "event_epoch": "webhook_creation"}, {"url"}),
        ({"url": "https://10.0.0.1/", "event_epoch": "webhook_creation"}, {"url"}),
        ({"url": "no url", "event_epoch": "webhook_creation"}, {"url"}),
        (NEW | {"event_categories": "x"}, {"event_categories": "must be a list of categories"}),
        (NEW | {"event_categories": [1]}, {"event_categories": "must be a list of categories"}),
        (NEW | {"event_categories": ["x"]}, {"event_categories"}),
        (NEW | {"event_categories": ["x"] * 1_001}, {"event_categories": "may have 1,000 entries"}),
        ([], {"body": "must be a JSON object"}),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_new_webhook_is_named(customer, body, faults) -> None:
    """400 invalid_parameters; every mistake of form at once; nothing is made."""
    refused(await customer.client.post("/webhooks", body), faults)
    assert (await customer.client.list_webhooks()).json() == {"data": []}


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"status": "deleted"}, {"status": "must be one of: active, disabled"}),
        ({"status": 1, "url": 1, "event_categories": {}}, {"status", "url", "event_categories"}),
        ({"url": "http://example.com/"}, {"url"}),
        ({"event_categories": ["nothing"]}, {"event_categories"}),
    ],
)
async def test_what_is_wrong_with_a_change_is_named(customer, body, faults) -> None:
    """And nothing is changed."""
    made = await customer.webhook()
    refused(await customer.client.update_webhook(made["id"], **body), faults)
    assert (await customer.client.list_webhooks()).json() == {"data": [made]}


@pytest.mark.parametrize("raw", [b"", b"{", b"nonsense", b'{"url":"a","url":"b"}', b'{"url":NaN}', b"\xff\xfe"])
async def test_a_body_that_is_no_json_is_a_wrong_parameter(customer, raw) -> None:
    """In the same shape as any other."""
    made = await customer.webhook()
    response = await customer.client.request("PUT", f"/webhooks/{made['id']}", content=raw)
    assert response.status_code == 400
    assert response.json()["code"] == "invalid_parameters"


async def test_a_url_must_have_a_valid_certificate(customer) -> None:
    """When it is saved; the URL itself need not be live."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    async with WireReceiver(tls) as untrusted:
        refused(await customer.client.create_webhook(f"{untrusted.url}/x", "webhook_creation"), {"url"})


# --- events


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


async def logged(customer: Customer, webhook_id: str, count: int) -> dict:
    """The logs, once there are so many."""
    async with asyncio.timeout(ARRIVAL_S):
        while True:
            response = await customer.client.logs(webhook_id)
            assert response.status_code == 200, response.text
            if response.json()["count"] >= count:
                return response.json()


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


# --- keys


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


async def test_what_does_not_exist_is_refused_in_the_same_words(customer) -> None:
    """404 and 405 of this API, not of the other."""
    response = await customer.client.request("GET", "/nothing")
    assert (response.status_code, response.json()["code"]) == (404, "Invalid")
    made = await customer.webhook()
    response = await customer.client.request("GET", f"/webhooks/{made['id']}")
    assert (response.status_code, response.json()["code"]) == (405, "Invalid")
    assert set(response.headers["allow"].split(", ")) >= {"PUT", "DELETE"}


# --- idempotency


async def test_the_same_post_again_is_one_webhook(customer) -> None:
    """The original answer, byte for byte; another body, path or method is a duplicate record."""
    key = str(uuid.uuid4())
    first = await customer.client.create_webhook(customer.url, "webhook_creation", idempotency_key=key)
    again = await customer.client.create_webhook(customer.url, "webhook_creation", idempotency_key=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    other = await customer.client.create_webhook(customer.url, "beginning_of_time", idempotency_key=key)
    assert (other.status_code, other.json()["code"]) == (400, "duplicate_record")
    other = await customer.client.send_event(first.json()["id"], await customer.publish(1), idempotency_key=key)
    assert (other.status_code, other.json()["code"]) == (400, "duplicate_record")
    assert (await customer.client.list_webhooks()).json() == {"data": [first.json()]}


async def test_many_at_once_with_one_key_are_one(customer) -> None:
    """One is made; the others get the same answer, or are told that it is under way."""
    key = str(uuid.uuid4())
    asked = [customer.client.create_webhook(customer.url, "webhook_creation", idempotency_key=key) for _ in range(10)]
    answers = await asyncio.gather(*asked)
    [made] = (await customer.client.list_webhooks()).json()["data"]
    assert {one.status_code for one in answers} <= {201, 409}
    for one in answers:
        assert one.json() == made if one.status_code == 201 else one.json()["code"] == "duplicate_record"


async def test_the_same_send_again_is_one_delivery(customer) -> None:
    """Which is what a client that got no answer counts on."""
    event_id = await customer.publish(1)
    made = await customer.webhook()
    key = str(uuid.uuid4())
    for _ in range(3):
        response = await customer.client.send_event(made["id"], event_id, idempotency_key=key)
        assert response.status_code == 200
    await customer.receiver.next(customer.path)
    place = f"/v1/applications/{customer.id}/webhooks/{made['id']}/deliveries"
    assert len((await customer.api("GET", place))["data"]) == 1


async def test_a_refused_post_may_be_mended_under_its_key(customer) -> None:
    """It had no effect, so its key is free."""
    key = str(uuid.uuid4())
    refused(await customer.client.post("/webhooks", {}, key), {"url", "event_epoch"})
    made = await customer.client.create_webhook(customer.url, "webhook_creation", idempotency_key=key)
    assert made.status_code == 201


async def test_every_post_brings_a_key_and_nothing_else_does(customer) -> None:
    """400 for both, in the header."""
    made = await customer.webhook()
    place = f"/webhooks/{made['id']}"
    for path in ("/webhooks", f"{place}/send"):
        response = await customer.client.request("POST", path, json={})
        assert response.status_code == 400
        assert response.json() == {
            "code": "invalid_parameters",
            "message": "Missing Idempotency-Key header",
            "source": {"location": "header", "key": {"Idempotency-Key": "Missing Idempotency-Key header"}},
        }
    calls = [
        ("GET", "/webhooks"), ("GET", f"{place}/events"), ("GET", f"{place}/logs"), ("GET", "/webhook_events"),
        ("PUT", place), ("DELETE", place),
    ]  # fmt: skip
    for method, path in calls:
        body: dict[str, Any] = {"json": {}} if method == "PUT" else {}
        response = await customer.client.request(method, path, headers={"Idempotency-Key": "k"}, **body)
        assert response.status_code == 400
        assert response.json()["message"] == "Cannot set Idempotency-Key on this request"
        assert response.json()["source"]["location"] == "header"
    assert (await customer.client.list_webhooks()).json() == {"data": [made]}


@pytest.mark.parametrize("key", ["x" * 256, "kéy".encode("latin-1")])
async def test_a_key_that_is_none_is_refused(customer, key) -> None:
    """Too long, or not ASCII."""
    response = await customer.client.request("POST", "/webhooks", json={}, headers={"Idempotency-Key": key})
    assert response.status_code == 400
    assert response.json()["source"]["location"] == "header"


async def test_a_key_is_over_after_a_day(customer, monkeypatch) -> None:
    """422, whatever the body is: the answer is not kept for longer, and the request is not done twice."""
    key = str(uuid.uuid4())
    first = await customer.client.create_webhook(customer.url, "webhook_creation", idempotency_key=key)
    assert first.status_code == 201
    monkeypatch.setattr(idempotency, "KEY_FORCE_MS", -1)
    for epoch in ("webhook_creation", "beginning_of_time"):
        late = await customer.client.create_webhook(customer.url, epoch, idempotency_key=key)
        assert (late.status_code, late.json()["code"]) == (422, "idempotency_expired")
    assert (await customer.client.list_webhooks()).json() == {"data": [first.json()]}
