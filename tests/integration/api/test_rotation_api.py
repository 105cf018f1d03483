"""Rotating secrets over HTTP: the new one and the one before sign together, then the new one alone."""

import asyncio
import base64
import hashlib
import hmac

import pytest

pytestmark = pytest.mark.anyio

WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WHSK = "whsk_" + base64.b64encode(b"\x07" * 32).decode()
DAY_MS = 86_400_000
LMS = {"name": "a", "credentials": {"secret": "s"}, "events": []}


def signatures_of_bridge_api(secrets: list[str], body: bytes) -> bytes:
    """As the header has them, in this order."""
    macs = [hmac.digest(one.encode(), body, hashlib.sha256).hex().upper() for one in secrets]
    return ",".join(f"v1={mac}" for mac in macs).encode()


def standard_signature(secret: str, headers: dict[bytes, bytes], body: bytes) -> bytes:
    signed = headers[b"webhook-id"] + b"." + headers[b"webhook-timestamp"] + b"." + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))


async def path_of(api, receiver, profile: str = "standard", **members) -> tuple[str, dict]:
    app = await api.application(profile=profile)
    webhook = await api.webhook(app, receiver.url, **members)
    return f"/v1/applications/{app}/webhooks/{webhook['id']}", webhook


async def test_both_secrets_sign_newest_first(api, receiver):
    """A receiver that reads only the first signature and knows the new secret accepts, and so does one with the old."""
    receiver.keeps_requests = True
    path, webhook = await path_of(api, receiver, "bridge-api", events=["item.created"])
    rotated = await api("POST", f"{path}/secret", status=201)
    assert rotated["secret"] != webhook["secret"]
    assert rotated["public_key"] is None
    await api("POST", f"{path}/test")
    headers, body = receiver.requests[0]
    assert headers[b"bridgeapi-signature"] == signatures_of_bridge_api([rotated["secret"], webhook["secret"]], body)


async def test_rotating_twice_drops_the_first_at_once(api, receiver):
    """bridge-api lets two sign, not three."""
    receiver.keeps_requests = True
    path, _ = await path_of(api, receiver, "bridge-api", events=[])
    second, third = [(await api("POST", f"{path}/secret", {}, status=201))["secret"] for _ in range(2)]
    await api("POST", f"{path}/test")
    headers, body = receiver.requests[0]
    assert headers[b"bridgeapi-signature"] == signatures_of_bridge_api([third, second], body)


@pytest.mark.parametrize(("profile", "secret"), [("bridge-api", "mysecret"), ("standard", WHSEC)])
async def test_a_given_secret_may_be_sent_again(api, receiver, profile, secret):
    """Whoever lost the answer asks again: the same answer, nothing changes, and the one before still signs."""
    receiver.keeps_requests = True
    path, webhook = await path_of(api, receiver, profile, events=[])
    first = await api("POST", f"{path}/secret", {"secret": secret}, status=201)
    version = (await api("GET", path))["version"]
    assert await api("POST", f"{path}/secret", {"secret": secret}, status=201) == first
    assert first["previous_until"] is not None
    assert (await api("GET", path))["version"] == version
    await api("POST", f"{path}/test")
    headers, body = receiver.requests[0]
    if profile == "bridge-api":
        assert headers[b"bridgeapi-signature"] == signatures_of_bridge_api([secret, webhook["secret"]], body)
    else:
        expected = [standard_signature(one, headers, body) for one in (secret, webhook["secret"])]
        assert headers[b"webhook-signature"].split(b" ") == expected


async def test_the_secret_before_can_be_made_the_present_one_again(api, receiver):
    """It is another one than the present, so that is a rotation."""
    receiver.keeps_requests = True
    path, webhook = await path_of(api, receiver, "bridge-api", events=[])
    second = (await api("POST", f"{path}/secret", {}, status=201))["secret"]
    await api("POST", f"{path}/secret", {"secret": webhook["secret"]}, status=201)
    await api("POST", f"{path}/test")
    headers, body = receiver.requests[0]
    assert headers[b"bridgeapi-signature"] == signatures_of_bridge_api([webhook["secret"], second], body)


async def test_the_overlap_is_a_day_and_is_shown(api, receiver):
    """In the answer and in the webhook, which never shows a secret again; the version grows."""
    path, webhook = await path_of(api, receiver)
    before = await api("GET", path)
    rotated = await api("POST", f"{path}/secret", status=201)
    after = await api("GET", path)
    assert before["secret_previous_until"] is None
    assert after["secret_previous_until"] == rotated["previous_until"]
    assert after["version"] == webhook["version"] + 1
    assert list(after["credentials"]) == ["secret"]
    assert after["credentials"]["secret"]["set_at"] >= before["credentials"]["secret"]["set_at"]
    assert rotated["secret"] not in str(after)
    assert rotated["previous_until"][:19] > after["updated_at"][:19]


async def test_a_given_secret_is_not_shown(api, receiver):
    """It signs from the next request on."""
    receiver.keeps_requests = True
    path, webhook = await path_of(api, receiver)
    rotated = await api("POST", f"{path}/secret", {"secret": WHSEC}, status=201)
    assert rotated["secret"] is None
    await api("POST", f"{path}/test")
    headers, body = receiver.requests[0]
    expected = [standard_signature(one, headers, body) for one in (WHSEC, webhook["secret"])]
    assert headers[b"webhook-signature"].split(b" ") == expected


async def test_a_key_pair_rotates_where_it_signs(api, receiver):
    """The public half of the new one is shown, its private half never."""
    path, webhook = await path_of(api, receiver, credentials={"private_key": WHSK})
    rotated = await api("POST", f"{path}/secret", status=201)
    assert rotated["secret"] is None
    assert rotated["public_key"].startswith("whpk_")
    assert rotated["public_key"] != webhook["public_key"]
    assert (await api("GET", path))["public_key"] == rotated["public_key"]


@pytest.mark.parametrize(
    "secret", ["short", "whsec_" + "A" * 8, "whsec_***", "a\r\nb", "whsec_" + "A" * 2_000, WHSEC + "\n", WHSK]
)
async def test_a_secret_of_the_wrong_form_is_refused(api, receiver, secret):
    """By its place, without repeating it; the old one stays."""
    path, webhook = await path_of(api, receiver)
    problem = await api.refused("POST", f"{path}/secret", {"secret": secret}, status=400, code="invalid_credential")
    assert problem["errors"][0]["pointer"] == "/secret"
    assert secret not in str(problem)
    assert (await api("GET", path))["version"] == webhook["version"]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"secret": None}, "invalid_request", "/secret"),
        ({"secret": ""}, "invalid_request", "/secret"),
        ({"secret": 17}, "invalid_request", "/secret"),
        ({"secret": "x" * 16_385}, "invalid_request", "/secret"),
        ({"overlap": "1h"}, "unknown_field", "/overlap"),
    ],
)
async def test_a_wrong_body_is_refused(api, receiver, body, code, pointer):
    """As everywhere."""
    path, _ = await path_of(api, receiver)
    problem = await api.refused("POST", f"{path}/secret", body, status=400, code=code)
    assert problem["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(("profile", "members"), [("bridge-lms", LMS)])
async def test_what_does_not_rotate_says_so(api, receiver, profile, members):
    """With what to do instead; nothing is changed."""
    path, webhook = await path_of(api, receiver, profile, **members)
    for body in (None, {"secret": "other"}):
        problem = await api.refused("POST", f"{path}/secret", body, status=409, code="not_rotatable")
        assert "change the webhook's credentials" in problem["detail"]
    assert (await api("GET", path))["version"] == webhook["version"]


async def test_rotations_at_the_same_time_all_count(api, receiver):
    """Each either comes into force, the later ones over the earlier, or is refused; none is half done."""
    receiver.keeps_requests = True
    path, webhook = await path_of(api, receiver)
    answers = await asyncio.gather(*[api.client.post(f"{path}/secret") for _ in range(4)])
    done = [one.json()["secret"] for one in answers if one.status_code == 201]
    assert {one.status_code for one in answers} <= {201, 412}
    assert len(set(done)) == len(done) >= 1
    assert (await api("GET", path))["version"] == webhook["version"] + len(done)
    await api("POST", f"{path}/test")
    headers, body = receiver.requests[0]
    sent = headers[b"webhook-signature"].split(b" ")
    known = {standard_signature(one, headers, body) for one in [webhook["secret"], *done]}
    assert len(sent) == len(set(sent)) == 2
    assert set(sent) <= known


async def test_a_deleted_webhook_is_not_found(api, receiver):
    """Nor is one that never was."""
    path, _ = await path_of(api, receiver)
    await api("DELETE", path)
    for tail, body in (("secret", None), ("test", None), ("send", {"event_id": "evt_x"})):
        await api.refused("POST", f"{path}/{tail}", body, status=404, code="not_found")


async def test_a_webhook_with_a_secret_and_a_key_pair_rotates_either(api, receiver):
    """By name; without one it is the secret."""
    receiver.keeps_requests = True
    path, webhook = await path_of(api, receiver, credentials={"secret": WHSEC, "private_key": WHSK})
    pair = await api("POST", f"{path}/secret", {"credential": "private_key"}, status=201)
    assert (pair["secret"], pair["public_key"] != webhook["public_key"]) == (None, True)
    assert pair["previous_until"] is not None
    await api("POST", f"{path}/test")
    headers, body = receiver.requests[-1]
    marks = [one.partition(b",")[0] for one in headers[b"webhook-signature"].split(b" ")]
    assert sorted(marks) == [b"v1", b"v1a", b"v1a"]
    assert standard_signature(WHSEC, headers, body) in headers[b"webhook-signature"].split(b" ")
    assert (await api("POST", f"{path}/secret", {}, status=201))["secret"].startswith("whsec_")
    given = await api("POST", f"{path}/secret", {"credential": "private_key", "secret": WHSK}, status=201)
    assert given["public_key"] == webhook["public_key"]


@pytest.mark.parametrize("credential", ["private_key", "keypair", "token", ""])
async def test_a_credential_that_the_webhook_has_not_can_t_be_rotated(api, receiver, credential):
    """An empty name is none at all."""
    path, _ = await path_of(api, receiver)
    body = {"credential": credential}
    if not credential:
        await api("POST", f"{path}/secret", body, status=201)
        return
    problem = await api.refused("POST", f"{path}/secret", body, status=409, code="not_rotatable")
    assert "secret" in problem["detail"]
    assert credential in problem["detail"]


async def test_a_changed_secret_does_not_end_the_one_before(api, receiver):
    """PATCH is a rotation where the profile has one: the vendor keeps the former valid. Twice drops the first at once;
    the same again changes nothing.
    """
    receiver.keeps_requests = True
    path, webhook = await path_of(api, receiver, "bridge-api", events=["item.created"])
    for secret in ("second", "second", "third", "third"):
        changed = await api("PATCH", path, {"credentials": {"secret": secret}})
        assert changed["secret_previous_until"] is not None
        assert "secret" not in changed
    assert changed["version"] == webhook["version"] + 2
    await api("POST", f"{path}/test")
    headers, body = receiver.requests[-1]
    assert headers[b"bridgeapi-signature"] == signatures_of_bridge_api(["third", "second"], body)


async def test_a_secret_that_does_not_rotate_is_replaced_at_once(api, receiver):
    """bridge-lms has no overlap."""
    receiver.keeps_requests = True
    path, _ = await path_of(api, receiver, "bridge-lms", **LMS)
    await api("PATCH", path, {"credentials": {"secret": "other"}})
    await api("POST", f"{path}/test")
    headers, body = receiver.requests[-1]
    assert headers[b"x-bridge-signature"].decode() == hmac.digest(b"other", body, hashlib.sha256).hex()
