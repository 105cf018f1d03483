"""Test events: written out, or a sample of a type that the webhook wants."""

import pytest

from hookspan.errors import ConfigurationError, UnknownEventType
from hookspan.profiles import load_profile, load_profiles
from tests.unit.profiles._documented import TEST_EVENT
from tests.unit.profiles._folders import MINIMAL, changed, write_profile

SAMPLED = '[test]\nsample = "subscribed"\n[read]'
WRITTEN = '[test]\ntype = "thing.made"\ncontent = \'{"id": 7}\'\n[read]'
VERBATIM = '[test]\ntype = "ping"\nverbatim = \'{"x":1}\'\n[read]'


def load(tmp_path, test):
    return load_profile(write_profile(tmp_path, changed("[read]", test)))


def sent(test):
    return test.type, test.body("evt_1", 0, "")


def test_a_profile_without_one_has_none(tmp_path):
    """Whatever type is asked for."""
    profile = load_profile(write_profile(tmp_path))
    assert profile.test_event() is None
    assert profile.test_event("thing.made") is None
    assert profile.test_event("no.such") is None


def test_a_sample_is_of_the_first_type_that_is_asked_for(tmp_path):
    """In the catalog's order; the subscription is told type and category."""
    profile = load(tmp_path, SAMPLED)
    asked = []

    def wants_lost(event_type, category):
        asked.append((event_type, category))
        return event_type == "thing.lost"

    assert sent(profile.test_event(None, wants_lost)) == ("thing.lost", b'{"type":"thing.lost","data":{}}')
    assert asked == [("thing.made", "thing"), ("thing.lost", "thing")]


def test_else_it_is_of_the_first_type(tmp_path):
    """Where nothing is subscribed to, or nobody says."""
    profile = load(tmp_path, SAMPLED)
    first = ("thing.made", b'{"type":"thing.made","data":{"id":1}}')
    assert sent(profile.test_event()) == first
    assert sent(profile.test_event(None, lambda *_: False)) == first


def test_a_type_may_be_asked_for(tmp_path):
    """The test's own, or any of the catalog, subscribed to or not."""
    for number, test in enumerate((SAMPLED, WRITTEN, VERBATIM)):
        profile = load(tmp_path / str(number), test)
        assert sent(profile.test_event("thing.lost", lambda *_: False)) == (
            "thing.lost",
            b'{"type":"thing.lost","data":{}}',
        )
        with pytest.raises(UnknownEventType):
            profile.test_event("no.such")


def test_a_written_test_is_its_type_s(tmp_path):
    """Its content instead of the catalog's sample."""
    profile = load(tmp_path, WRITTEN)
    mine = ("thing.made", b'{"type":"thing.made","data":{"id":7}}')
    assert sent(profile.test_event()) == mine
    assert sent(profile.test_event("thing.made")) == mine


def test_a_verbatim_test_stays_outside_the_catalog(tmp_path):
    profile = load(tmp_path, VERBATIM)
    assert sent(profile.test_event(None, lambda *_: True)) == ("ping", b'{"x":1}')
    assert sent(profile.test_event("ping")) == ("ping", b'{"x":1}')
    assert not profile.takes_type("ping")


def test_shipped_profiles_test_as_their_vendors_do():
    """TEST_EVENT verbatim, `webhook.test`, and any type of an open catalog with the test's content."""
    profiles = load_profiles()
    assert sent(profiles.get("bridge-api").test_event("TEST_EVENT")) == ("TEST_EVENT", TEST_EVENT)
    at_0 = '{"type":"%s","timestamp":"1970-01-01T00:00:00.000Z","data":{"message":"Hello from Hookspan"}}'
    for name in ("webhook.test", "order.paid"):
        assert sent(profiles.get("standard").test_event(name)) == (name, (at_0 % name).encode())


OPEN = MINIMAL[: MINIMAL.index("[catalog]")] + "[catalog]\ntype = '^[a-z.]+$'\nopen = true\n"


def test_a_verbatim_test_of_an_open_catalog_is_not_listed(tmp_path):
    """It can't be published: its content is the whole body."""
    profile = load_profile(write_profile(tmp_path, OPEN.replace("[read]", VERBATIM), files={}))
    assert profile.catalog() == []
    assert sent(profile.test_event("a.b")) == ("a.b", b'{"type":"a.b","data":{}}')


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("[test]\n[read]", "test: write either"),
        ('[test]\nsample = "any"\n[read]', r"test\.sample: "),
        (SAMPLED.replace("[read]", 'type = "ping"\n[read]'), r"test\.type: does not go with"),
        (SAMPLED.replace("[read]", 'at = "{body.type:s}"\n[read]'), r"test\.at: does not go with"),
        (SAMPLED.replace("[read]", 'content = "{}"\n[read]'), "test: write either"),
        (WRITTEN.replace("[read]", 'verbatim = "{}"\n[read]'), "test: write either"),
        ("[test]\ncontent = '{}'\n[read]", r"test\.type: this key is missing"),
        ("[test]\ntype = 'a\\nb'\nverbatim = '{}'\n[read]".replace("'a\\nb'", '"a\\nb"'), r"test\.type: .*printable"),
    ],
)
def test_a_wrong_test_refuses_to_load(tmp_path, test, reason):
    """File, key and reason."""
    with pytest.raises(ConfigurationError, match=rf"minimal/profile\.toml: {reason}"):
        load(tmp_path, test)


def test_an_open_catalog_has_no_samples(tmp_path):
    with pytest.raises(ConfigurationError, match=r"test\.sample: an open catalog"):
        load_profile(write_profile(tmp_path, OPEN.replace("[read]", SAMPLED), files={}))
