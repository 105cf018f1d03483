"""What the vendors of bridge-xyz and bridge-lms say beside the body: rules, contexts, what may be set."""

import json
import re
import tomllib
from typing import Any

import pytest

from hookspan.domain.states import Order, WebhookStatus
from hookspan.errors import InvalidRequest, UnknownField
from hookspan.profiles import EXAMPLES, SHIPPED, Profile, load_profile, load_profiles

PROFILES = load_profiles()
LMS = PROFILES.get("bridge-lms")
XYZ = PROFILES.get("bridge-xyz")
HOUR_MS = 3_600_000
PERSON = {"uid": "jdoe@example.com"}


def test_bridge_xyz_rules() -> None:
    """Five webhooks, disabled at first, https with a valid certificate; an ordered queue that stalls after two days."""
    rules = XYZ.rules
    assert (rules.webhooks_max, rules.name, rules.https, rules.checks_certificate) == (5, "none", "required", True)
    assert (rules.new_status, rules.url_change) == (WebhookStatus.DISABLED, "disabled")
    assert set(rules.configure) == {"application_key", "admin"}
    assert (rules.subscription_by, rules.subscription_absent) == ("group", "all")
    assert (rules.order, rules.delivery.stalls, rules.delivery.gone_disables) == (Order.FIFO, True, False)
    assert rules.delivery.disable_after_ms is None
    assert rules.delivery.retry.until_ms == 48 * HOUR_MS
    assert (rules.epoch_default, rules.epoch_before) == ("webhook_creation", 10)
    assert set(rules.epoch_values) == {"webhook_creation", "beginning_of_time"}


def test_bridge_lms_rules() -> None:
    """No limit, a name, configured by Support, nothing subscribed by itself; retried as bridge-api."""
    rules = LMS.rules
    assert (rules.webhooks_max, rules.name, rules.https) == (0, "required", "unless_operator_allows")
    assert (rules.checks_certificate, rules.delivery.stalls) == (False, False)
    assert (rules.new_status, rules.url_change, rules.configure) == (WebhookStatus.ACTIVE, "any", ("support",))
    assert (rules.subscription_by, rules.subscription_absent, rules.order) == ("matrix", "none", Order.ANY)
    assert rules.delivery == PROFILES.get("bridge-api").rules.delivery
    assert (rules.epoch_default, set(rules.epoch_values)) == ("now", {"now", "beginning_of_time", "position"})


def test_who_speaks_what_besides() -> None:
    """Only bridge-xyz has the vendor's own API, RSA keys, and no test of its own."""
    assert {name: PROFILES.get(name).management_api for name in PROFILES.names} == {
        "bridge-api": None, "bridge-lms": None, "bridge-xyz": "bridge-v0", "standard": None,
    }  # fmt: skip
    assert [name for name in PROFILES.names if PROFILES.get(name).is_slow] == ["bridge-xyz"]
    assert [name for name in PROFILES.names if PROFILES.get(name).makes_slowly] == ["bridge-xyz"]
    assert [name for name in PROFILES.names if PROFILES.get(name).test_event() is None] == ["bridge-xyz"]
    assert (XYZ.event_prefix, XYZ.webhook_prefix) == ("wh_", "wep_")


def test_words_of_the_learning_platform() -> None:
    assert LMS.words["token"] == "Bearer Token"
    assert LMS.words["secret"] == "HMAC Secret"
    assert LMS.words["verb"] == {
        "created": "Create", "updated": "Update", "deleted": "Delete", "completed": "Complete",
    }  # fmt: skip


@pytest.mark.parametrize(
    "settings",
    [
        {"signature": {"header": "X-Acme-Sig"}},
        {"signature": {"algorithm": "hmac-sha1", "encoding": "hex-upper", "each": "sha1={sig}"}},
        {"signature": {"algorithm": "hmac-sha512", "encoding": "base64"}},
        {"header": {"name": "X-Token", "value": "{credential.token}"}},
        {"retry": {"until": "48h"}, "limits": {"webhooks": 3, "name": "optional"}},
        {"delivery": {"timeout": "30s"}, "validate": False},
    ],
)
def test_what_was_never_published_is_settable(settings: dict[str, Any]) -> None:
    assert LMS.with_settings(settings).hash == LMS.hash


@pytest.mark.parametrize("settings", [{"signature": {"signed": "x{body}"}}, {"body": {"rows": []}}, {"states": {}}])
def test_the_rest_is_not(settings: dict[str, Any]) -> None:
    with pytest.raises(UnknownField):
        LMS.with_settings(settings)


# --- context --------------------------------------------------------------------------------------------------------


def check(profile: Profile, event_type: str, context: dict[str, Any] | None) -> None:
    content = b'{"id":1}' if profile is LMS else b'{"id":"1"}'
    profile.check(event_type, content, None if context is None else json.dumps(context).encode())


@pytest.mark.parametrize(
    ("event_type", "context"),
    [
        ("user.created", None),
        ("user.created", {"author": PERSON}),
        ("course_template.created", {"author": PERSON}),
        ("enrollment.created", {"learner": PERSON, "course": {"id": 1}}),
        ("enrollment.created", {"learner": PERSON, "program": {"id": 1}}),
        ("enrollment.created", {"program": {"id": 1}, "course": {"id": 1}, "learner": PERSON}),
        ("live_course.deleted", None),
        ("live_course_session_registration.updated", {"learner": {}, "live_course_session": {}, "live_course": {}}),
        ("program.updated", None),
    ],
)
def test_contexts_that_messages_have(event_type: str, context: dict[str, Any] | None) -> None:
    check(LMS, event_type, context)


@pytest.mark.parametrize(
    ("event_type", "context", "pointer"),
    [
        ("course_template.created", None, "/context/author"),
        ("course_template.created", {}, "/context/author"),
        ("enrollment.completed", {"course": {}}, "/context/learner"),
        ("enrollment.completed", {"learner": {}}, "/context"),
        (
            "live_course_session_registration.created",
            {"learner": {}, "live_course": {}},
            "/context/live_course_session",
        ),
        (
            "live_course_session_registration.created",
            {"learner": {}, "live_course_session": {}},
            "/context/live_course",
        ),
    ],
)
def test_contexts_that_lack_something(event_type: str, context: dict[str, Any] | None, pointer: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check(LMS, event_type, context)
    assert [fault.pointer for fault in caught.value.errors] == [pointer]


@pytest.mark.parametrize(
    ("profile", "event_type", "name"),
    [
        (LMS, "user.created", "course"),
        (LMS, "user.created", "learner"),
        (LMS, "course_template.created", "course"),
        (LMS, "enrollment.created", "live_course"),
        (LMS, "live_course.created", "live_course_session"),
        (XYZ, "transfer.created", "author"),
        (XYZ, "transfer.created", "status"),
        (PROFILES.get("bridge-api"), "item.created", "changes"),
        (PROFILES.get("standard"), "order.paid", "changes"),
    ],
)
def test_context_that_no_message_of_the_type_has(profile: Profile, event_type: str, name: str) -> None:
    with pytest.raises(UnknownField) as caught:
        check(profile, event_type, {name: {}})
    assert caught.value.errors[0].pointer == f"/context/{name}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sequence", "1"),
        ("sequence", 1.5),
        ("object_id", 7),
        ("object_status", True),
        ("changes", []),
        ("changes", None),
    ],
)
def test_context_of_a_wrong_type(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check(XYZ, "transfer.created", {name: value})
    assert caught.value.errors[0].pointer == f"/context/{name}"


# --- the files ------------------------------------------------------------------------------------------------------


def test_every_vendor_profile_says_what_is_ours() -> None:
    """Where a vendor is silent the file says so beside the key."""
    for name in ("bridge-api", "bridge-lms", "bridge-xyz"):
        text = (SHIPPED / name / "profile.toml").read_text(encoding="utf-8")
        for key in ("timeout", "gone", "auto_disable"):
            line = re.search(rf"(?m)^{key} = .*$", text)
            assert line
            assert (key == "gone" and name == "bridge-api") or line[0].endswith("# ours"), (name, key)
    groups = re.findall(r'(?m)^"([a-z_.]+)" .*# seen$', (SHIPPED / "bridge-xyz" / "profile.toml").read_text("utf-8"))
    assert groups == ["liquidation_address", "virtual_account", "rfi", "card_dispute"]


@pytest.mark.parametrize(
    ("name", "verifier"), [("stripe-like", "stripe"), ("github-like", "octokit"), ("slack-like", "slack_sdk")]
)
def test_examples_are_complete_and_say_who_accepts_them(name: str, verifier: str) -> None:
    """A folder to copy: it loads, shows a sample, and its README names the official verifier."""
    profile = load_profile(EXAMPLES / name)
    assert profile.catalog()
    assert profile.test_event() is not None
    assert profile.rules.delivery.retry
    readme = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {name}\n")
    assert verifier in readme
    assert profile.title == tomllib.loads((EXAMPLES / name / "profile.toml").read_text("utf-8"))["title"]


def test_examples_are_not_loaded_by_themselves() -> None:
    assert set(PROFILES.names) == {"bridge-api", "bridge-lms", "bridge-xyz", "standard"}
    assert {folder.name for folder in EXAMPLES.iterdir()} == {"github-like", "slack-like", "stripe-like"}
