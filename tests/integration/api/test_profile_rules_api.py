"""What each of the four profiles says about webhooks, as a table, through the whole API."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme

from tests.integration.api.conftest import api_in

pytestmark = pytest.mark.anyio

URL = "https://127.0.0.1:9/hook"
# What a webhook must have at least, beside its URL.
LEAST: dict[str, dict] = {
    "standard": {},
    "bridge-api": {"events": ["item.created"]},
    "bridge-xyz": {},
    "bridge-lms": {"name": "a"},
}
PROFILES = list(LEAST)
TYPES = {
    "standard": "order.paid",
    "bridge-api": "item.created",
    "bridge-xyz": "transfer.created",
    "bridge-lms": "user.created",
}
UNSET = object()
NOW, CREATION, BEGINNING, POSITION = "now", "webhook_creation", "beginning_of_time", {"position": 0}


def members(profile: str, **more) -> dict:
    """The body that creates a webhook; UNSET takes a member away."""
    body = {"url": URL, **LEAST[profile], **more}
    return {name: value for name, value in body.items() if value is not UNSET}


async def path_of(api, profile: str) -> str:
    return f"/v1/applications/{await api.application(profile=profile)}/webhooks"


async def fill(api, path: str, profile: str, count: int) -> None:
    """Publish samples, so that the application has events."""
    for _ in range(count):
        sample = {"type": TYPES[profile]}
        await api("POST", f"{path.removesuffix('webhooks')}events/sample", sample, status=202)


@pytest.mark.parametrize(("profile", "most"), [("bridge-api", 10), ("bridge-xyz", 5)])
async def test_one_more_than_the_most_is_refused(api, certificates, profile, most):
    """409 with the limit, and room again once one is deleted. Disabled ones count."""
    path = await path_of(api, profile)
    made = [await api("POST", path, members(profile, status="disabled"), status=201) for _ in range(most)]
    problem = await api.refused("POST", path, members(profile), status=409, code="webhook_limit")
    assert problem["limit"] == most
    await api("DELETE", f"{path}/{made[0]['id']}")
    await api("POST", path, members(profile), status=201)


async def test_no_limit_is_none(api, certificates):
    """bridge-lms has none."""
    path = await path_of(api, "bridge-lms")
    for _ in range(12):
        await api("POST", path, members("bridge-lms"), status=201)


@pytest.mark.parametrize(
    ("profile", "name", "is_taken"),
    [
        ("standard", UNSET, True), ("standard", "a", True),
        ("bridge-api", UNSET, True), ("bridge-api", "a", True),
        ("bridge-xyz", UNSET, True), ("bridge-xyz", None, True), ("bridge-xyz", "a", False),
        ("bridge-lms", "a", True), ("bridge-lms", UNSET, False), ("bridge-lms", None, False),
    ],
)  # fmt: skip
async def test_names(api, certificates, profile, name, is_taken):
    """Required, none, or as one likes; at creation and at change."""
    path = await path_of(api, profile)
    made = await api("POST", path, members(profile), status=201)
    change = {} if name is UNSET else {"name": name}
    if is_taken:
        await api("POST", path, members(profile, name=name), status=201)
        await api("PATCH", f"{path}/{made['id']}", change)
        return
    problem = await api.refused("POST", path, members(profile, name=name), status=400, code="invalid_request")
    assert problem["errors"][0]["pointer"] == "/name"
    if change:
        await api.refused("PATCH", f"{path}/{made['id']}", change, status=400, code="invalid_request")


@pytest.mark.parametrize(
    ("profile", "events", "asks"),
    [
        ("standard", UNSET, True), ("standard", None, True), ("standard", [], False),
        ("standard", ["order.*"], True), ("standard", ["other.*"], False),
        ("bridge-api", UNSET, None), ("bridge-api", None, None), ("bridge-api", [], False),
        ("bridge-api", ["item.created"], True), ("bridge-api", ["category:item"], True),
        ("bridge-xyz", UNSET, True), ("bridge-xyz", None, True), ("bridge-xyz", [], False),
        ("bridge-xyz", ["category:transfer"], True), ("bridge-xyz", ["category:customer"], False),
        ("bridge-lms", UNSET, False), ("bridge-lms", None, False), ("bridge-lms", ["user.created"], True),
        ("bridge-lms", ["user.deleted"], False),
    ],
)  # fmt: skip
async def test_subscriptions(api, certificates, profile, events, asks):
    """Absent is all, none or refused (None here), as the profile says."""
    path = await path_of(api, profile)
    body = members(profile, events=events, status="disabled")
    if asks is None:
        problem = await api.refused("POST", path, body, status=400, code="invalid_request")
        assert problem["errors"][0]["pointer"] == "/events"
        return
    made = await api("POST", path, body, status=201)
    assert made["events"] == (None if events is UNSET else events)
    await fill(api, path, profile, 1)
    [event] = (await api("GET", f"{path.removesuffix('webhooks')}events"))["data"]
    [line] = event["webhooks"]
    assert line["reason"] == ("webhook_disabled" if asks else None)


@pytest.mark.parametrize(
    ("profile", "event"),
    [("bridge-api", "item.updated"), ("bridge-xyz", "category:item"), ("bridge-lms", "user.completed")],
)
async def test_what_the_catalog_has_not_can_not_be_asked_for(api, certificates, profile, event):
    """By its place in the list."""
    path = await path_of(api, profile)
    body = members(profile, events=[TYPES[profile], event])
    problem = await api.refused("POST", path, body, status=400, code="unknown_event_type")
    assert problem["errors"][0]["pointer"] == "/events/1"


@pytest.mark.parametrize(
    ("profile", "status"),
    [("standard", "active"), ("bridge-api", "active"), ("bridge-xyz", "disabled"), ("bridge-lms", "active")],
)
async def test_how_a_new_webhook_is(api, certificates, profile, status):
    """Unless a status is asked for."""
    path = await path_of(api, profile)
    made = await api("POST", path, members(profile), status=201)
    assert (made["status"], made["status_reason"]) == (status, "created" if status == "disabled" else None)
    for asked in ("active", "disabled"):
        assert (await api("POST", path, members(profile, status=asked), status=201))["status"] == asked


@pytest.mark.parametrize(
    ("profile", "epoch", "start"),
    [
        ("standard", UNSET, 12), ("standard", NOW, 12), ("standard", CREATION, 12), ("standard", BEGINNING, 0),
        ("standard", {"position": 5}, 5), ("standard", {"position": 12}, 12), ("standard", {"position": 13}, None),
        ("bridge-api", UNSET, 12), ("bridge-api", NOW, 12), ("bridge-api", CREATION, None),
        ("bridge-api", BEGINNING, None), ("bridge-api", POSITION, None),
        ("bridge-xyz", UNSET, 2), ("bridge-xyz", CREATION, 2), ("bridge-xyz", BEGINNING, 0),
        ("bridge-xyz", NOW, None), ("bridge-xyz", POSITION, None),
        ("bridge-lms", UNSET, 12), ("bridge-lms", NOW, 12), ("bridge-lms", BEGINNING, 0),
        ("bridge-lms", {"position": 5}, 5), ("bridge-lms", CREATION, None),
    ],
)  # fmt: skip
async def test_where_a_new_webhook_starts(api, certificates, profile, epoch, start):
    """Of twelve events. None: the profile has no such start. bridge-xyz gives ten events from before its creation."""
    path = await path_of(api, profile)
    await fill(api, path, profile, 12)
    body = members(profile, event_epoch=epoch, status="disabled")
    if start is None:
        problem = await api.refused("POST", path, body, status=400, code="invalid_request")
        assert problem["errors"][0]["pointer"].startswith("/event_epoch")
        return
    made = await api("POST", path, body, status=201)
    assert made["position"] == start
    shown = made["event_epoch"]
    assert shown == epoch or (epoch is UNSET and shown in (NOW, CREATION))


async def test_creation_reaches_back_no_further_than_the_beginning(api, certificates):
    """With three events before it a webhook of bridge-xyz gets three."""
    path = await path_of(api, "bridge-xyz")
    await fill(api, path, "bridge-xyz", 3)
    assert (await api("POST", path, members("bridge-xyz"), status=201))["position"] == 0


@pytest.mark.parametrize("profile", PROFILES)
async def test_plain_http(api, certificates, profile):
    """The operator of these tests allows it; bridge-xyz does not, whatever the operator says."""
    path = await path_of(api, profile)
    body = members(profile, url="http://127.0.0.1:9/hook")
    if profile != "bridge-xyz":
        await api("POST", path, body, status=201)
        return
    problem = await api.refused("POST", path, body, status=400, code="https_required")
    assert problem["errors"][0]["pointer"] == "/url"


@pytest.mark.parametrize("profile", PROFILES)
async def test_urls_move(api, certificates, profile):
    """At any time; of bridge-xyz only while disabled. The same URL again is no change."""
    path = await path_of(api, profile)
    other = URL + "/other"
    made = await api("POST", path, members(profile, status="active"), status=201)
    where = f"{path}/{made['id']}"
    assert (await api("PATCH", where, {"url": URL}))["url"] == URL
    if profile == "bridge-xyz":
        for body in ({"url": other}, {"url": other, "status": "disabled"}):
            problem = await api.refused("PATCH", where, body, status=409, code="state_forbidden")
            assert problem["allowed"] == ["disabled"]
        assert (await api("GET", where))["url"] == URL
        await api("PATCH", where, {"status": "disabled"})
    moved = await api("PATCH", where, {"url": other, "status": "active"})
    assert (moved["url"], moved["status"]) == (other, "active")


@pytest.mark.parametrize("profile", PROFILES)
async def test_certificates_are_looked_at_when_a_url_is_saved(api, certificates, profile):
    """Of bridge-xyz: at creation and for a new URL, not for one that stays nor for anything else."""
    path = await path_of(api, profile)
    made = await api("POST", path, members(profile, status="disabled"), status=201)
    where, other = f"{path}/{made['id']}", URL + "/other"
    await api("PATCH", where, {"url": URL, "events": [TYPES[profile]]})
    await api("PATCH", where, {"url": other})
    assert certificates.checked == ([URL, other] if profile == "bridge-xyz" else [])


async def test_without_a_valid_certificate_nothing_is_saved(api, certificates):
    """The refusal points at the URL."""
    path = await path_of(api, "bridge-xyz")
    made = await api("POST", path, members("bridge-xyz"), status=201)
    certificates.is_valid = False
    for method, where, body in (
        ("POST", path, members("bridge-xyz")),
        ("PATCH", f"{path}/{made['id']}", {"url": URL + "/other"}),
    ):
        problem = await api.refused(method, where, body, status=400, code="invalid_certificate")
        assert [one["pointer"] for one in problem["errors"]] == ["/url"]
    assert [one["url"] for one in (await api("GET", path))["data"]] == [URL]


async def test_the_sixth_webhook_costs_no_handshake(api, certificates):
    """Nor a key: what will be refused is refused before."""
    path = await path_of(api, "bridge-xyz")
    for _ in range(5):
        await api("POST", path, members("bridge-xyz"), status=201)
    certificates.checked.clear()
    await api.refused("POST", path, members("bridge-xyz"), status=409, code="webhook_limit")
    assert certificates.checked == []


@contextlib.asynccontextmanager
async def tls_receiver(ca: trustme.CA) -> AsyncIterator[tuple[int, list[str]]]:
    """Its port, and the versions of TLS that were agreed on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("ssl_object").version())
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1], seen


async def test_a_real_handshake(tmp_path):
    """With a receiver whose certificate the operator's CA has issued: one, and the webhook is there."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ca_file = str(tmp_path / "ca.pem")
    async with tls_receiver(ca) as (port, seen), api_in(tmp_path, egress_ca_file=ca_file) as api:
        path = await path_of(api, "bridge-xyz")
        url = f"https://127.0.0.1:{port}/hook"
        assert (await api("POST", path, {"url": url}, status=201))["url"] == url
        assert seen == ["TLSv1.3"]


async def test_outgoing_addresses_are_told(api, tmp_path):
    """For receivers' allow lists, as the operator has set them; none where nothing is set."""
    assert (await api("GET", "/v1/profiles"))["addresses"] == []
    async with api_in(tmp_path, egress_addresses=("198.51.100.7", "2001:db8::/64")) as told:
        assert (await told("GET", "/v1/profiles"))["addresses"] == ["198.51.100.7", "2001:db8::/64"]
