"""Credentials over HTTP: made or given, shown once, always or never; key pairs; and what is refused."""

import asyncio
import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from hookspan.egress import Egress

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("certificates")]

URL = "https://127.0.0.1:9/hook"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WHSK = "whsk_" + base64.b64encode(b"\x07" * 32).decode()


def pem(key, *, form=PrivateFormat.PKCS8, encryption=None) -> str:
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


def public_pem(key) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


async def path_of(api, profile: str) -> str:
    return f"/v1/applications/{await api.application(profile=profile)}/webhooks"


async def test_each_webhook_has_a_key_pair_of_its_own(api):
    """Made by us: RSA of 2,048 bits, its public half as PEM in every answer, its private half in none."""
    path = await path_of(api, "bridge-xyz")
    made = [await api("POST", path, {"url": URL}, status=201) for _ in range(2)]
    assert made[0]["public_key"] != made[1]["public_key"]
    for webhook in made:
        text = webhook["public_key"]
        assert text.startswith("-----BEGIN PUBLIC KEY-----\n")
        assert text.endswith("\n-----END PUBLIC KEY-----\n")
        key = load_pem_public_key(text.encode())
        assert isinstance(key, rsa.RSAPublicKey)
        assert (key.key_size, key.public_numbers().e) == (2_048, 65_537)
        assert "secret" not in webhook
        assert list(webhook["credentials"]) == ["private_key"]
    listed = await api("GET", path)
    assert [one["public_key"] for one in listed["data"]] == [one["public_key"] for one in reversed(made)]
    assert "PRIVATE" not in str(made) + str(listed)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
async def test_the_operator_may_bring_a_private_key(api, rsa_key, form):
    """In both forms, so that existing receivers keep the public key that they have."""
    path = await path_of(api, "bridge-xyz")
    given = {"private_key": pem(rsa_key, form=form)}
    made = await api("POST", path, {"url": URL, "credentials": given}, status=201)
    assert made["public_key"] == public_pem(rsa_key)
    other = await api("POST", path, {"url": URL}, status=201)
    changed = await api("PATCH", f"{path}/{other['id']}", {"credentials": given})
    assert changed["public_key"] == public_pem(rsa_key)
    assert "PRIVATE" not in str(made) + str(changed)


async def test_a_key_pair_beside_no_secret(api):
    """A webhook of standard signs by what it is given; by both where it has both."""
    path = await path_of(api, "standard")
    made = await api("POST", path, {"url": URL, "credentials": {"private_key": WHSK}}, status=201)
    assert list(made["credentials"]) == ["private_key"]
    assert made["public_key"].startswith("whpk_")
    assert "secret" not in made
    where = f"{path}/{made['id']}"
    both = await api("PATCH", where, {"credentials": {"secret": WHSEC}})
    assert set(both["credentials"]) == {"private_key", "secret"}
    secret_only = await api("PATCH", where, {"credentials": {"private_key": None}})
    assert (set(secret_only["credentials"]), secret_only["public_key"]) == ({"secret"}, None)
    moved = await api("PATCH", where, {"credentials": {"secret": None, "private_key": WHSK}})
    assert set(moved["credentials"]) == {"private_key"}
    await api.refused("PATCH", where, {"credentials": {"private_key": None}}, status=400, code="invalid_credential")


async def test_bridge_lms_needs_none_and_shows_none(api):
    """Token and secret are given, may be taken away, and are never shown."""
    path = await path_of(api, "bridge-lms")
    plain = await api("POST", path, {"url": URL, "name": "a"}, status=201)
    assert plain["credentials"] == {}
    given = {"token": "tok\u00e9n 1", "secret": "s3cret-of-lms"}
    made = await api("POST", path, {"url": URL, "name": "b", "credentials": given}, status=201)
    where = f"{path}/{made['id']}"
    assert set(made["credentials"]) == {"token", "secret"}
    shown = str(made) + str(await api("GET", where))
    assert not any(one in shown for one in given.values())
    bare = await api("PATCH", where, {"credentials": {"token": None, "secret": None}})
    assert bare["credentials"] == {}


async def test_a_token_is_sent_and_comes_again_with_a_new_origin(api, receiver):
    """Masked where requests are shown; it never follows the URL to another host by itself."""
    receiver.keeps_requests = True
    app = await api.application(profile="bridge-lms")
    made = await api.webhook(app, receiver.url, name="a", credentials={"token": "t0k-en", "secret": "s"})
    path = f"/v1/applications/{app}/webhooks/{made['id']}"
    attempt = await api("POST", f"{path}/test")
    assert receiver.requests[0][0][b"authorization"] == b"Bearer t0k-en"
    assert "t0k-en" not in str(attempt)
    elsewhere = {"url": "http://127.0.0.2:9000/hook"}
    problem = await api.refused("PATCH", path, elsewhere, status=400, code="credentials_needed_again")
    assert [one["pointer"] for one in problem["errors"]] == ["/credentials/token"]
    assert (await api("GET", path))["url"] == receiver.url
    await api("PATCH", path, {**elsewhere, "credentials": {"token": None}})


def damaged(text: str) -> str:
    lines = text.splitlines()
    lines[5] = lines[5][::-1]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("profile", "name", "value"),
    [
        ("standard", "secret", "a\r\nX-Evil: 1"), ("standard", "secret", "whsec_" + "A" * 12),
        ("standard", "secret", "whsec_" + "A" * 1_200), ("standard", "secret", "whsec_\u00e9\u00e9"),
        ("standard", "secret", "whsec_" + "-_" * 16), ("standard", "private_key", "whsk_short"),
        ("standard", "private_key", WHSEC), ("standard", "private_key", "whpk_" + "A" * 43 + "="),
        ("bridge-api", "secret", "a\nb"), ("bridge-api", "secret", " padded"), ("bridge-api", "secret", "x" * 1_025),
        ("bridge-api", "secret", "nul\x00"),
        ("bridge-lms", "token", "a\r\nb"), ("bridge-lms", "token", "t0k\n"), ("bridge-lms", "token", "nul\x00"),
        ("bridge-lms", "secret", "x" * 1_025),
        ("bridge-xyz", "private_key", "zzz"), ("bridge-xyz", "private_key", "x" * 16_000),
    ],
)  # fmt: skip
async def test_a_credential_of_the_wrong_form_is_refused(api, profile, name, value):
    """At creation and at change, by its place, without repeating it; nothing is made, nothing is changed."""
    path = await path_of(api, profile)
    least = {"url": URL, "events": []} | ({"name": "a"} if profile == "bridge-lms" else {})
    kept = await api("POST", path, least, status=201)
    where = f"{path}/{kept['id']}"
    before = await api("GET", where)
    for method, target, body in (("POST", path, least), ("PATCH", where, {"name": "b"} if "name" in least else {})):
        problem = await api.refused(
            method, target, body | {"credentials": {name: value}}, status=400, code="invalid_credential"
        )
        assert [one["pointer"] for one in problem["errors"]] == [f"/credentials/{name}"]
        assert value.strip() not in str(problem)
    assert (await api("GET", path))["data"] == [before]


async def test_a_pem_that_is_no_rsa_key_is_refused(api, rsa_key):
    """Of another kind or size, encrypted, damaged, cut, or only the public half; the text of it is never repeated."""
    path = await path_of(api, "bridge-xyz")
    wrong = [
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(rsa.generate_private_key(public_exponent=65_537, key_size=1_024)),
        pem(rsa.generate_private_key(public_exponent=3, key_size=2_048)),
        pem(rsa_key, encryption=BestAvailableEncryption(b"x")),
        damaged(pem(rsa_key)),
        pem(rsa_key)[:300],
        public_pem(rsa_key),
    ]
    for text in wrong:
        body = {"url": URL, "credentials": {"private_key": text}}
        problem = await api.refused("POST", path, body, status=400, code="invalid_credential")
        assert [one["pointer"] for one in problem["errors"]] == ["/credentials/private_key"]
        assert not any(line in str(problem) for line in text.splitlines()[1:-1])
    assert (await api("GET", path))["data"] == []


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ("standard", "token"), ("bridge-api", "token"), ("bridge-api", "private_key"), ("bridge-xyz", "secret"),
        ("bridge-xyz", "token"), ("bridge-lms", "private_key"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", ["x", None])
async def test_a_credential_that_the_profile_has_not_is_refused(api, profile, name, value):
    """Also null: a typo must not pass silently."""
    path = await path_of(api, profile)
    least = {"url": URL, "events": []} | ({"name": "a"} if profile == "bridge-lms" else {})
    kept = await api("POST", path, least, status=201)
    problem = await api.refused(
        "PATCH", f"{path}/{kept['id']}", {"credentials": {name: value}}, status=400, code="unknown_field"
    )
    assert [one["pointer"] for one in problem["errors"]] == [f"/credentials/{name}"]


@pytest.mark.parametrize(("profile", "name"), [("bridge-api", "secret"), ("bridge-xyz", "private_key")])
async def test_what_signing_needs_can_not_be_taken_away(api, profile, name):
    """It can be replaced."""
    path = await path_of(api, profile)
    kept = await api("POST", path, {"url": URL, "events": []}, status=201)
    problem = await api.refused(
        "PATCH", f"{path}/{kept['id']}", {"credentials": {name: None}}, status=400, code="invalid_credential"
    )
    assert [one["pointer"] for one in problem["errors"]] == [f"/credentials/{name}"]


@pytest.mark.parametrize(
    ("profile", "header"),
    [("standard", "Webhook-Id"), ("bridge-api", "bridgeapi-signature"), ("bridge-xyz", "X-Webhook-Signature"),
     ("bridge-lms", "x-bridge-signature")],
)  # fmt: skip
async def test_custom_headers_can_not_be_the_profiles_own(api, profile, header):
    """At creation and at change."""
    path = await path_of(api, profile)
    least = {"url": URL, "events": []} | ({"name": "a"} if profile == "bridge-lms" else {})
    kept = await api("POST", path, least, status=201)
    for method, where, body in (("POST", path, least), ("PATCH", f"{path}/{kept['id']}", {})):
        problem = await api.refused(
            method, where, body | {"headers": {header: "x"}}, status=400, code="invalid_request"
        )
        assert [one["pointer"] for one in problem["errors"]] == [f"/headers/{header}"]


async def test_settings_can_not_name_a_header_that_is_taken(api):
    """By a webhook's custom headers: two lines of one name would go out."""
    app = await api.application(profile="bridge-lms")
    made = await api.webhook(app, URL, name="a", headers={"X-Acme-Sig": "x"})
    settings = {"settings": {"signature": {"header": "X-Acme-Sig"}}}
    problem = await api.refused("PATCH", f"/v1/applications/{app}", settings, status=400, code="invalid_request")
    assert problem["errors"][0]["pointer"] == "/settings"
    assert made["id"] in problem["detail"]
    await api("PATCH", f"/v1/applications/{app}/webhooks/{made['id']}", {"headers": {}})
    await api("PATCH", f"/v1/applications/{app}", settings)


@pytest.mark.parametrize(
    ("profile", "members", "code", "pointer", "words"),
    [
        (
            "standard",
            {"credentials": {"tokn": "x"}},
            "unknown_field",
            "/credentials/tokn",
            "it has secret, private_key",
        ),
        ("bridge-lms", {"credentials": {"a/b": "x"}}, "unknown_field", "/credentials/a~1b", "it has token, secret"),
        ("standard", {"credentials": {"secret": ""}}, "invalid_request", "/credentials/secret", "Must not be empty."),
        (
            "standard",
            {"headers": {"X-A": "a", "X-B": "a\r\nb"}},
            "invalid_request",
            "/headers/X-B",
            "Must be visible ASCII, with spaces and tabs only in between; no line breaks.",
        ),
        ("standard", {"headers": {"X B": "a"}}, "invalid_request", "/headers/X B", "The name must be letters"),
        (
            "bridge-api",
            {"also_sign": {"profile": "standard", "credentials": {"secret": ""}}},
            "invalid_request",
            "/also_sign/credentials/secret",
            "Must not be empty.",
        ),
    ],
)
async def test_the_wrong_one_is_named_in_words(api, profile, members, code, pointer, words):
    """Each by its own place, with what is possible; no pattern has to be read."""
    path = await path_of(api, profile)
    body = {"url": URL, "name": "a", "events": [], **members}
    problem = await api.refused("POST", path, body, status=400, code=code)
    assert problem["errors"][0]["pointer"] == pointer
    assert words in problem["detail"]
    assert "(?!" not in problem["detail"]


async def test_a_given_key_is_judged_before_the_certificate(api, certificates):
    """Nobody waits for a handshake to learn that the key is wrong."""
    path = await path_of(api, "bridge-xyz")
    body = {"url": URL, "credentials": {"private_key": "zzz"}}
    await api.refused("POST", path, body, status=400, code="invalid_credential")
    assert certificates.checked == []


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"credentials": {"private_key": "zzz"}}, "invalid_credential"),
        ({"credentials": {"token": "t"}}, "unknown_field"),
        ({"credentials": {"private_key": None}}, "invalid_credential"),
        ({"headers": {"Host": "x"}}, "invalid_request"),
        ({"also_sign": {"profile": "bridge-lms"}}, "invalid_credential"),
        ({"also_sign": {"profile": "standard", "credentials": {"secret": "x"}}}, "invalid_credential"),
        ({"events": ["none.such"]}, "unknown_event_type"),
        ({"name": "a"}, "invalid_request"),
    ],
)
async def test_nothing_is_asked_of_the_network_while_something_else_is_wrong(api, certificates, members, code):
    """A handshake may take seconds; at creation and at change."""
    path = await path_of(api, "bridge-xyz")
    kept = await api("POST", path, {"url": URL}, status=201)
    certificates.checked.clear()
    moved = {"url": "https://127.0.0.1:10/moved"}
    if members != {"credentials": {"private_key": None}}:  # which at creation asks for one to be made
        await api.refused("POST", path, moved | members, status=400, code=code)
    await api.refused("PATCH", f"{path}/{kept['id']}", moved | members, status=400, code=code)
    assert certificates.checked == []
    await api("PATCH", f"{path}/{kept['id']}", moved)
    assert certificates.checked == [moved["url"]]


async def test_the_name_is_looked_up_within_the_time_of_the_handshake(api, certificates, monkeypatch):
    """A look-up of its own before it would tell by its duration what DNS said."""

    async def asked(*_):
        raise AssertionError("DNS was asked beside the handshake")

    monkeypatch.setattr(Egress, "check_destination", asked)
    path = await path_of(api, "bridge-xyz")
    await api("POST", path, {"url": "https://receiver.example/hook"}, status=201)
    assert certificates.checked == ["https://receiver.example/hook"]


@pytest.mark.parametrize("profile", ["bridge-api", "bridge-xyz", "bridge-lms"])
@pytest.mark.parametrize("header", ["webhook-id", "Webhook-Timestamp", "WEBHOOK-SIGNATURE", "webhook-anything"])
async def test_headers_of_standard_webhooks_are_nobodys_own(api, profile, header):
    """Whatever the profile: a receiver that reads them would take them for ours."""
    path = await path_of(api, profile)
    body = {"url": URL, "events": [], "headers": {header: "x"}} | ({"name": "a"} if profile == "bridge-lms" else {})
    problem = await api.refused("POST", path, body, status=400, code="invalid_request")
    assert [one["pointer"] for one in problem["errors"]] == [f"/headers/{header}"]


async def test_any_token_that_is_taken_is_sent(api):
    """With a control character in it too, for interface and header have one rule. Few servers read such a header, so
    this one looks at the bytes.
    """
    seen = []

    async def answer(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    app = await api.application(profile="bridge-lms")
    token = "a\u0001b\x7fc\td\u00e9"
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        made = await api.webhook(app, url, name="a", credentials={"token": token}, events=[])
        sent = await api("POST", f"/v1/applications/{app}/webhooks/{made['id']}/test")
    assert sent["verdict"] == "succeeded"
    assert b"\r\nAuthorization: Bearer " + token.encode() + b"\r\n" in seen[0]
    shown = {name.lower(): value for name, value in sent["request"]["headers"]}
    assert shown["authorization"] == "Bearer ***"
