"""Two signatures at once: a receiver that moves from one wire format to another accepts by either."""

import base64
import hashlib
import hmac

import pytest

from hookspan.domain import times
from hookspan.manage._also_sign import ALSO_SIGN_MS_MAX

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("certificates")]

WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_WHSEC = "whsec_" + base64.b64encode(b"o" * 24).decode()
MINUTE_MS = 60_000


def by_bridge_api(secret: str, body: bytes) -> bytes:
    return b"v1=" + hmac.digest(secret.encode(), body, hashlib.sha256).hex().upper().encode()


def by_standard(secret: str, headers: dict[bytes, bytes], body: bytes) -> bytes:
    signed = headers[b"webhook-id"] + b"." + headers[b"webhook-timestamp"] + b"." + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))


class Bench:
    """A webhook of bridge-api, and what reaches its receiver."""

    def __init__(self, api, receiver, path: str, webhook: dict) -> None:
        self.api, self.receiver, self.path, self.webhook = api, receiver, path, webhook
        receiver.keeps_requests = True

    async def change(self, also_sign, **members) -> dict:
        return await self.api("PATCH", self.path, {"also_sign": also_sign, **members})

    async def refused(self, also_sign, code: str = "invalid_request", **members) -> str:
        """The place that is refused."""
        problem = await self.api.refused("PATCH", self.path, {"also_sign": also_sign, **members}, status=400, code=code)
        return problem["errors"][0]["pointer"]

    async def headers(self) -> tuple[dict[bytes, bytes], bytes]:
        """Of a test that is sent now."""
        await self.api("POST", f"{self.path}/test")
        return self.receiver.requests[-1]


@pytest.fixture
async def bench(api, receiver) -> Bench:
    app = await api.application(profile="bridge-api")
    webhook = await api.webhook(app, receiver.url, events=["item.created"], headers={"X-Tenant": "t"})
    return Bench(api, receiver, f"/v1/applications/{app}/webhooks/{webhook['id']}", webhook)


def after(api, ms: int) -> str:
    return times.to_text(api.node.engine._clock.now_ms() + ms)


async def test_both_sign_the_same_body(bench):
    """The body stays the first profile's; the second's headers go beside. Its secret is shown once."""
    shown = (await bench.change({"profile": "standard"}))["also_sign"]
    assert (shown["profile"], shown["until"], shown["public_key"]) == ("standard", None, None)
    headers, body = await bench.headers()
    assert headers[b"bridgeapi-signature"] == by_bridge_api(bench.webhook["secret"], body)
    assert headers[b"webhook-signature"] == by_standard(shown["secret"], headers, body)
    assert headers[b"x-tenant"] == b"t"
    assert body.startswith(b'{"content":{')
    read = await bench.api("GET", bench.path)
    assert "secret" not in read["also_sign"]
    assert shown["secret"] not in str(read)
    assert list(read["credentials"]) == ["secret"]
    assert (read["public_key"], read["secret_previous_until"]) == (None, None)


async def test_at_creation(api, receiver):
    """Both made secrets are in the one answer; a given one is in none."""
    app = await api.application(profile="bridge-api")
    made = await api.webhook(app, receiver.url, events=[], also_sign={"profile": "standard"})
    assert made["secret"] != made["also_sign"]["secret"]
    assert made["also_sign"]["secret"].startswith("whsec_")
    also = {"profile": "standard", "credentials": {"secret": WHSEC}}
    given = await api.webhook(app, receiver.url, events=[], also_sign=also)
    assert "secret" in given
    assert "secret" not in given["also_sign"]
    assert (await api.webhook(app, receiver.url, events=[], also_sign=None))["also_sign"] is None


async def test_a_key_pair_of_the_second_shows_its_public_half(bench):
    """Apart from the first's."""
    shown = await bench.change({"profile": "bridge-xyz"})
    assert shown["also_sign"]["public_key"].startswith("-----BEGIN PUBLIC KEY-----")
    assert "secret" not in shown["also_sign"]
    assert shown["public_key"] is None
    assert list(shown["credentials"]) == ["secret"]
    headers, _ = await bench.headers()
    assert headers[b"x-webhook-signature"].startswith(b"t=")


async def test_until_moves_alone(bench):
    """The credentials of the same profile stay; absent leaves it, null ends it never."""
    read = (await bench.change({"profile": "standard"}))["also_sign"]
    secret = read["secret"]
    until = after(bench.api, MINUTE_MS)
    assert (await bench.change({"profile": "standard", "until": until}))["also_sign"] == {
        "profile": "standard", "until": until, "public_key": None, "credentials": read["credentials"],
    }  # fmt: skip
    assert list(read["credentials"]) == ["secret"]
    assert (await bench.change({"profile": "standard"}))["also_sign"]["until"] == until
    headers, body = await bench.headers()
    assert headers[b"webhook-signature"] == by_standard(secret, headers, body)
    assert (await bench.change({"profile": "standard", "until": None}))["also_sign"]["until"] is None


async def test_other_credentials_sign_before_the_old(bench):
    """Of the same profile, beside them for the overlap; the first profile's stay. Given again they change nothing."""
    await bench.change({"profile": "standard", "credentials": {"secret": WHSEC}})
    for _ in range(2):
        shown = await bench.change({"profile": "standard", "credentials": {"secret": OTHER_WHSEC}})
    assert "secret" not in shown["also_sign"]
    headers, body = await bench.headers()
    both = [by_standard(one, headers, body) for one in (OTHER_WHSEC, WHSEC)]
    assert headers[b"webhook-signature"].split(b" ") == both
    assert headers[b"bridgeapi-signature"] == by_bridge_api(bench.webhook["secret"], body)


async def test_another_second_profile_leaves_nothing_of_the_one_before(bench):
    """Nor does null; the first profile signs on, alone."""
    await bench.change({"profile": "standard"})
    await bench.change({"profile": "bridge-lms", "credentials": {"secret": "s"}})
    headers, body = await bench.headers()
    assert headers[b"x-bridge-signature"] == hmac.digest(b"s", body, hashlib.sha256).hex().encode()
    assert b"webhook-signature" not in headers
    assert (await bench.change(None))["also_sign"] is None
    headers, body = await bench.headers()
    assert {b"x-bridge-signature", b"webhook-signature"}.isdisjoint(headers)
    assert headers[b"bridgeapi-signature"] == by_bridge_api(bench.webhook["secret"], body)
    assert headers[b"x-tenant"] == b"t"


async def test_rotation_leaves_the_second_alone(bench):
    """Each has credentials of its own, though both are called secret."""
    second = (await bench.change({"profile": "standard"}))["also_sign"]["secret"]
    first = (await bench.api("POST", f"{bench.path}/secret", status=201))["secret"]
    headers, body = await bench.headers()
    assert headers[b"bridgeapi-signature"].split(b",")[0] == by_bridge_api(first, body)
    assert headers[b"webhook-signature"] == by_standard(second, headers, body)


async def test_what_is_set_of_the_second_is_shown(bench):
    """By the names that it is given by, without values."""
    given = {"token": "t0k-en", "secret": "s3cret"}
    shown = (await bench.change({"profile": "bridge-lms", "credentials": given}))["also_sign"]
    assert {name: one["is_set"] for name, one in shown["credentials"].items()} == {"token": True, "secret": True}
    assert not any(value in str(shown) for value in given.values())
    shown = (await bench.change({"profile": "bridge-lms", "credentials": {"secret": None}}))["also_sign"]
    assert list(shown["credentials"]) == ["token"]
    assert list((await bench.change({"profile": "bridge-xyz"}))["also_sign"]["credentials"]) == ["private_key"]


async def test_a_second_that_would_sign_nothing_is_refused(api, bench):
    """A webhook of bridge-lms may do without credentials, a second signature can't: it would be none."""
    problem = await api.refused(
        "PATCH", bench.path, {"also_sign": {"profile": "bridge-lms"}}, status=400, code="invalid_credential"
    )
    assert problem["errors"][0]["pointer"] == "/also_sign/credentials"
    assert "give token or secret" in problem["detail"]
    await bench.change({"profile": "bridge-lms", "credentials": {"token": "t"}})
    nothing = {"profile": "bridge-lms", "credentials": {"token": None}}
    assert await bench.refused(nothing, "invalid_credential") == "/also_sign/credentials"
    assert list((await api("GET", bench.path))["also_sign"]["credentials"]) == ["token"]


@pytest.mark.parametrize(
    ("also_sign", "code", "pointer"),
    [
        ({}, "invalid_request", "/also_sign/profile"),
        ("standard", "invalid_request", "/also_sign"),
        ({"profile": "nope"}, "unknown_profile", "/also_sign/profile"),
        ({"profile": "bridge-api"}, "invalid_request", "/also_sign/profile"),
        ({"profile": "standard", "secret": WHSEC}, "unknown_field", "/also_sign/secret"),
        ({"profile": "standard", "until": "tomorrow"}, "invalid_request", "/also_sign/until"),
        ({"profile": "standard", "until": 17}, "invalid_request", "/also_sign/until"),
        ({"profile": "standard", "until": "2020-01-01T00:00:00Z"}, "invalid_request", "/also_sign/until"),
        ({"profile": "standard", "until": "9999-01-01T00:00:00Z"}, "invalid_request", "/also_sign/until"),
        (
            {"profile": "standard", "credentials": {"secret": "a\r\nb"}},
            "invalid_credential",
            "/also_sign/credentials/secret",
        ),
        ({"profile": "standard", "credentials": {"token": "t"}}, "unknown_field", "/also_sign/credentials/token"),
        (
            {"profile": "bridge-xyz", "credentials": {"private_key": "zzz"}},
            "invalid_credential",
            "/also_sign/credentials/private_key",
        ),
    ],
)
async def test_what_can_not_be_is_refused(api, bench, also_sign, code, pointer):
    """At change and at creation, by its place; nothing is changed, nothing is made."""
    before = await api("GET", bench.path)
    assert await bench.refused(also_sign, code, name="changed") == pointer
    path = bench.path.rpartition("/")[0]
    body = {"url": bench.receiver.url, "events": [], "also_sign": also_sign}
    problem = await api.refused("POST", path, body, status=400, code=code)
    assert problem["errors"][0]["pointer"] == pointer
    assert (await api("GET", path))["data"] == [before]


async def test_a_year_is_the_most(bench):
    """A moment less passes, a day more does not."""
    await bench.change({"profile": "standard", "until": after(bench.api, ALSO_SIGN_MS_MAX - MINUTE_MS)})
    until = after(bench.api, ALSO_SIGN_MS_MAX + 1_440 * MINUTE_MS)
    assert await bench.refused({"profile": "standard", "until": until}) == "/also_sign/until"


async def test_what_the_second_needs_can_not_be_taken_away(bench):
    """Nothing is signed by half."""
    await bench.change({"profile": "standard"})
    pointer = await bench.refused({"profile": "standard", "credentials": {"secret": None}}, "invalid_credential")
    assert pointer == "/also_sign/credentials/secret"


async def test_no_header_is_written_twice(api, bench):
    """Custom headers and the second profile's, whichever comes last."""
    name = "X-Webhook-Signature"
    await bench.change(None, headers={name: "mine"})
    assert await bench.refused({"profile": "bridge-xyz"}) == "/also_sign/profile"
    await bench.change({"profile": "bridge-xyz"}, headers={})
    problem = await api.refused("PATCH", bench.path, {"headers": {name: "mine"}}, status=400, code="invalid_request")
    assert problem["errors"][0]["pointer"] == f"/headers/{name}"


async def test_two_profiles_that_write_one_header_do_not_go_together(api, receiver):
    """An application may have named its signature's header like another profile's."""
    settings = {"signature": {"header": "BridgeApi-Signature"}}
    app = await api.application(profile="bridge-lms", settings=settings)
    made = await api.webhook(app, receiver.url, name="a")
    problem = await api.refused(
        "PATCH",
        f"/v1/applications/{app}/webhooks/{made['id']}",
        {"also_sign": {"profile": "bridge-api"}},
        status=400,
        code="invalid_request",
    )
    assert problem["errors"][0]["pointer"] == "/also_sign/profile"


async def test_a_token_of_the_second_does_not_follow_the_url(bench):
    """It is sent as it is, like one of the first."""
    await bench.change({"profile": "bridge-lms", "credentials": {"token": "t0k"}})
    elsewhere = {"url": "http://127.0.0.2:9000/hook"}
    problem = await bench.api.refused("PATCH", bench.path, elsewhere, status=400, code="credentials_needed_again")
    assert [one["pointer"] for one in problem["errors"]] == ["/headers", "/also_sign/credentials/token"]
    await bench.change(None, headers={}, **elsewhere)
