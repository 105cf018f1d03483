"""Rules as the fact sheets have them, and what an application's settings may change of them."""

import base64
import hmac

import pytest

from hookspan.domain.states import Order, WebhookStatus
from hookspan.errors import ConfigurationError, InvalidRequest, UnknownField
from hookspan.profiles import LiveSecret, load_profile, load_profiles
from hookspan.profiles._rules import DELAYS_MAX
from tests.unit.profiles._folders import MINIMAL, changed, write_profile

PROFILES = load_profiles()
BRIDGE = PROFILES.get("bridge-api")
STANDARD = PROFILES.get("standard")
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def test_bridge_api_rules():
    """Ten webhooks, only admins, any non-2xx retried for 1 to 2 days, never disabled."""
    rules = BRIDGE.rules
    assert (rules.webhooks_max, rules.name, rules.https) == (10, "optional", "unless_operator_allows")
    assert (rules.new_status, rules.url_change, rules.configure) == (WebhookStatus.ACTIVE, "any", ("admin",))
    assert (rules.subscription_by, rules.subscription_absent) == ("type", "refused")
    assert (rules.order, rules.timeout_ms, rules.validate) == (Order.ANY, 15_000, True)
    assert (rules.delivery.gone_disables, rules.delivery.disable_after_ms) == (False, None)
    retry = rules.delivery.retry
    assert (retry.delays_ms, retry.first_ms, retry.factor, retry.cap_ms) == (None, 5_000, 3.0, 6 * HOUR_MS)
    assert (retry.until_ms, retry.jitter) == (36 * HOUR_MS, 0.2)
    assert (rules.epoch_default, rules.epoch_values, rules.epoch_before) == ("now", ("now",), 0)


def test_standard_rules():
    """The specification's example list, 410 disables, and so do five days of failure."""
    rules = STANDARD.rules
    assert (rules.webhooks_max, rules.subscription_by, rules.subscription_absent) == (50, "pattern", "all")
    assert rules.configure == ("admin", "application_key")
    assert (rules.delivery.gone_disables, rules.delivery.disable_after_ms) == (True, 5 * 24 * HOUR_MS)
    assert rules.delivery.retry.delays_ms == (
        0, 5_000, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS, 14 * HOUR_MS, 20 * HOUR_MS,
        24 * HOUR_MS,
    )  # fmt: skip
    assert rules.epoch_default == "webhook_creation"
    assert set(rules.epoch_values) == {"now", "webhook_creation", "beginning_of_time", "position"}


def test_what_is_exhausted_fails_or_stalls(tmp_path):
    """It fails, unless the profile says otherwise."""
    assert not load_profile(write_profile(tmp_path / "a")).rules.delivery.stalls
    stalling = changed('gone = "retry"', 'gone = "retry"\nwhen_exhausted = "stall"')
    assert load_profile(write_profile(tmp_path / "b", stalling)).rules.delivery.stalls


def test_a_certificate_is_checked_where_the_profile_says_so(tmp_path):
    assert not load_profile(write_profile(tmp_path / "a")).rules.checks_certificate
    checked = changed('https = "required"', 'https = "required"\ncertificate = "checked_at_save"')
    assert load_profile(write_profile(tmp_path / "b", checked)).rules.checks_certificate


def test_a_management_api_is_named(tmp_path):
    assert load_profile(write_profile(tmp_path / "a")).management_api is None
    speaking = changed("format = 1", 'format = 1\nmanagement_api = "bridge-v0"')
    assert load_profile(write_profile(tmp_path / "b", speaking)).management_api == "bridge-v0"


def test_prefixes_titles_and_words():
    for profile in (BRIDGE, STANDARD):
        assert (profile.event_prefix, profile.webhook_prefix) == ("evt_", "whk_")
    assert BRIDGE.title == "Bridge API"
    assert BRIDGE.words["url"] == "Callback URL"


# --- settings -------------------------------------------------------------------------------------------------------


def test_settings_change_what_they_name_and_nothing_else():
    tuned = BRIDGE.with_settings({"retry": {"until": "48h", "jitter": 0}, "limits": {"webhooks": 0}})
    assert tuned.rules.delivery.retry.until_ms == 48 * HOUR_MS
    assert tuned.rules.delivery.retry.first_ms == 5_000
    assert tuned.rules.webhooks_max == 0
    assert (tuned.name, tuned.hash, tuned.rules.name) == (BRIDGE.name, BRIDGE.hash, "optional")
    assert BRIDGE.rules.webhooks_max == 10
    assert BRIDGE.with_settings({}) is BRIDGE
    assert STANDARD.with_settings({"delivery": {"auto_disable": False}}).rules.delivery.disable_after_ms is None
    assert BRIDGE.with_settings({"retry": {}}).rules == BRIDGE.rules


def test_a_list_and_a_series_of_retries_replace_each_other():
    listed = BRIDGE.with_settings({"retry": {"delays": ["0s", "1m"]}})
    assert listed.rules.delivery.retry.delays_ms == (0, MINUTE_MS)
    series = STANDARD.with_settings({"retry": {"first": "10s", "until": "24h"}})
    assert series.rules.delivery.retry.delays_ms is None
    assert series.rules.delivery.retry.first_ms == 10_000


@pytest.mark.parametrize(
    ("settings", "error", "pointer"),
    [
        ({"limits": {"name": "none"}}, UnknownField, "/settings/limits/name"),
        ({"delivery": {"order": "fifo"}}, UnknownField, "/settings/delivery/order"),
        ({"retry": 5}, UnknownField, "/settings/retry"),
        ({"retry": {"nope": 1}}, UnknownField, "/settings/retry/nope"),
        ({"nope": {}}, UnknownField, "/settings/nope"),
        ({"a/b": 1}, UnknownField, "/settings/a~1b"),
        ({"body": {"rows": []}}, UnknownField, "/settings/body/rows"),
        ({"limits": {"webhooks": "5"}}, InvalidRequest, "/settings/limits/webhooks"),
        ({"limits": {"webhooks": -1}}, InvalidRequest, "/settings/limits/webhooks"),
        ({"limits": {"webhooks": True}}, InvalidRequest, "/settings/limits/webhooks"),
        ({"retry": {"until": "48"}}, InvalidRequest, "/settings/retry/until"),
        ({"retry": {"until": "31d"}}, InvalidRequest, "/settings/retry/until"),
        ({"retry": {"until": {"a": {"b": {"c": {}}}}}}, InvalidRequest, "/settings/retry/until"),
        ({"retry": {"delays": ["0s", 5]}}, InvalidRequest, "/settings/retry/delays/1"),
        ({"retry": {"delays": ["0s", "5"]}}, InvalidRequest, "/settings/retry/delays/1"),
        ({"retry": {"delays": []}}, InvalidRequest, "/settings/retry/delays"),
        ({"retry": {"delays": ["1s"] * (DELAYS_MAX + 1)}}, InvalidRequest, "/settings/retry/delays"),
        ({"retry": {"delays": ["7d"] * 10}}, InvalidRequest, "/settings/retry/delays"),
        ({"retry": {"delays": ["0s"], "first": "5s"}}, InvalidRequest, "/settings/retry/first"),
        ({"retry": {"jitter": 1}}, InvalidRequest, "/settings/retry/jitter"),
        ({"retry": {"factor": 11}}, InvalidRequest, "/settings/retry/factor"),
        ({"validate": "no"}, InvalidRequest, "/settings/validate"),
    ],
)
def test_settings_that_do_not_fit_are_pointed_at(settings, error, pointer):
    with pytest.raises(error) as caught:
        BRIDGE.with_settings(settings)
    assert caught.value.errors[0].pointer == pointer


SETTABLE = 'settable = ["retry.*", "limits.webhooks", "validate"]'
IN_LISTS = 'settable = ["signature.header", "signature.encoding", "header.*"]'
ONE_HEADER = '[[header]]\nname = "X-Kind"\nvalue = "a {event.id}"\n[[signature]]\n'


@pytest.fixture
def in_lists(tmp_path):
    """A profile that lets its one header and its one signature be changed."""
    return load_profile(write_profile(tmp_path, changed(SETTABLE, IN_LISTS).replace("[[signature]]\n", ONE_HEADER)))


def sign(profile):
    return profile.signer([LiveSecret("secret", b"k")])("evt_1", 0, b"{}", "thing.made")


def test_settings_reach_into_the_one_table_of_a_list(in_lists):
    """As if it were no list; what they don't name stays, and the profile itself too."""
    before = sign(in_lists)
    tuned = in_lists.with_settings(
        {"signature": {"header": "X-Acme-Sig", "encoding": "base64"}, "header": {"value": "b"}}
    )
    digest = base64.b64encode(hmac.digest(b"k", b"{}", "sha256"))
    assert sign(tuned) == b"X-Kind: b\r\nX-Acme-Sig: " + digest + b"\r\n"
    assert tuned.header_names == {"x-kind", "x-acme-sig"}
    assert sign(in_lists) == before
    assert sign(in_lists.with_settings({"signature": {}, "header": {}})) == before


@pytest.mark.parametrize(
    ("settings", "error", "pointer"),
    [
        ({"signature": {"signed": "{body}"}}, UnknownField, "/settings/signature/signed"),
        ({"signature": [{"header": "X-A"}]}, UnknownField, "/settings/signature"),
        ({"signature": {"0": {"header": "X-A"}}}, UnknownField, "/settings/signature/0/header"),
        ({"signature": "X-A"}, UnknownField, "/settings/signature"),
        ({"signature": {"header": "X A"}}, InvalidRequest, "/settings/signature/header"),
        ({"signature": {"header": "Host"}}, InvalidRequest, "/settings/signature/header"),
        ({"signature": {"header": "X-A\r\nX-B"}}, InvalidRequest, "/settings/signature/header"),
        ({"signature": {"header": 1}}, InvalidRequest, "/settings/signature/header"),
        ({"signature": {"header": "x-kind"}}, InvalidRequest, "/settings/header/name"),
        ({"signature": {"encoding": "rot13"}}, InvalidRequest, "/settings/signature/encoding"),
        ({"header": {"value": "{body}"}}, InvalidRequest, "/settings/header/value"),
        ({"header": {"colour": "red"}}, UnknownField, "/settings/header/colour"),
    ],
)
def test_settings_of_a_list_s_table_that_do_not_fit_are_pointed_at(in_lists, settings, error, pointer):
    with pytest.raises(error) as caught:
        in_lists.with_settings(settings)
    assert caught.value.errors[0].pointer == pointer


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("signature.header", r"speaks of the one \[\[signature\]\], and there are 2"),
        ("header.name", r"speaks of the one \[\[header\]\], and there are 0"),
        ("header.*", r"speaks of the one \[\[header\]\], and there are 0"),
        ("signature", "is no key"),
        ("signature.0.header", "is no key"),
        ("signature.colour", "is no key"),
        ("retry", "is no key"),
        ("retry.colour", "is no key"),
        ("retry.*.first", "is no key"),
        ("retry.first.*", "is no key"),
        ("colour", "is no key"),
        ("*", "is no key"),
        ("", "is no key"),
        ("ids.event.prefix", "'ids' is the same for all"),
        ("body.rows", "'body' is the same for all"),
        ("catalog.*", "'catalog' is the same for all"),
        ("settable", "'settable' is the same for all"),
        ("format", "'format' is the same for all"),
    ],
)
def test_what_can_t_be_settable_refuses_to_load(tmp_path, key, reason):
    """File, key and reason: a typo would else be found by the first who sets it."""
    start = MINIMAL.index("[[signature]]")
    twice = MINIMAL[start : MINIMAL.index("[read]")]
    toml = changed(SETTABLE, f'settable = ["validate", "{key}"]').replace(twice, twice + twice)
    with pytest.raises(ConfigurationError, match=rf"minimal/profile\.toml: settable\.1: .*{reason}"):
        load_profile(write_profile(tmp_path, toml))


@pytest.mark.parametrize(
    "key",
    [
        "delivery.timeout",
        "delivery.*",
        "credential.secret.rotate.overlap",
        "credential.secret.*",
        "words.*",
        "words.url",
        "signature.*",
        "read.tolerance.past",
        "test.content",
        "epoch.values",
    ],
)
def test_what_can_be_settable(tmp_path, key):
    """Every key that says how one application is served."""
    load_profile(write_profile(tmp_path, changed(SETTABLE, f'settable = ["{key}"]')))


# --- wrong rules ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('timeout = "20s"', 'timeout = "61s"', r"delivery\.timeout: '61s' is not between 1s and 1m"),
        ('timeout = "20s"', 'timeout = "20"', r"delivery\.timeout: '20' is no duration"),
        ('gone = "retry"', 'gone = "retry"\nauto_disable = true', r"delivery\.auto_disable: write false"),
        ('gone = "retry"', 'gone = "dance"', r"delivery\.gone: "),
        ('gone = "retry"', 'gone = "retry"\nwhen_exhausted = "rest"', r"delivery\.when_exhausted: "),
        ('https = "required"', 'https = "required"\ncertificate = "yes"', r"limits\.certificate: "),
        ('first = "5s"\n', "", r"retry: write either"),
        ('default = "now"', 'default = "now"\nvalues = ["position"]', r"epoch\.default"),
        ("webhooks = 3", "webhooks = 3.5", r"limits\.webhooks"),
        ("webhooks = 3", "webhook = 3", r"limits\.webhook: there is no such key"),
        ('configure = ["support"]', "configure = []", r"access\.configure"),
    ],
)
def test_a_wrong_rule_refuses_to_load(tmp_path, old, new, reason):
    """File, key and reason."""
    with pytest.raises(ConfigurationError, match=rf"minimal/profile\.toml: {reason}"):
        load_profile(write_profile(tmp_path, changed(old, new)))
