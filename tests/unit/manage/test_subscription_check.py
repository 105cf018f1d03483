"""What a webhook asks for must exist in its profile's catalog."""

import pytest

from hookspan.errors import InvalidRequest, UnknownEventType
from hookspan.manage import _subscription
from hookspan.manage._subscription import check_subscription
from hookspan.profiles import load_profiles

PROFILES = load_profiles()
STANDARD, BRIDGE = PROFILES.get("standard"), PROFILES.get("bridge-api")


@pytest.mark.parametrize(
    "events", [["item.created"], ["item.*"], ["payment.*"], ["item.account.*"], ["category:item"], []]
)
def test_what_the_catalog_has_can_be_asked_for(events):
    """Types, prefixes of any depth, categories, and nothing."""
    assert check_subscription(BRIDGE, events) == tuple(events)


@pytest.mark.parametrize(
    "event", ["item.creatd", "nothing.*", "category:nothing", "", "*", ".*", "item.", "TEST_EVENT"]
)
def test_what_it_lacks_is_refused_by_name(event):
    """A typo must not make a webhook that never gets anything."""
    with pytest.raises(UnknownEventType) as caught:
        check_subscription(BRIDGE, ["item.created", event])
    assert [fault.pointer for fault in caught.value.errors] == ["/events/1"]


def test_an_open_catalog_takes_any_well_formed_type():
    """But not a malformed one."""
    assert check_subscription(STANDARD, ["order.paid", "order.*"]) == ("order.paid", "order.*")
    with pytest.raises(UnknownEventType):
        check_subscription(STANDARD, ["no spaces"])


@pytest.mark.parametrize(
    ("profile", "events", "words"),
    [
        ("standard", ["*"], "A list holds a type, a prefix such as order.*, and no list at all for every type."),
        ("standard", ["no spaces"], "Types of this catalog have the form ^[a-zA-Z0-9_]+"),
        ("bridge-api", ["*"], "a prefix such as user.*, or category:item. GET /v1/profiles/bridge-api/events lists"),
        ("bridge-api", ["item.creatd"], "has no event type 'item.creatd'. Did you mean 'item.created'?"),
        ("bridge-api", ["category:items"], "has no category 'items'. Did you mean 'category:item'?"),
        ("bridge-api", ["itm.*"], "Did you mean 'item.*'?"),
        ("bridge-xyz", ["*"], "or category:bridge_wallet.activity, and no list at all for every type."),
    ],
)
def test_a_refusal_says_what_there_is(profile, events, words):
    """Which forms there are, the nearest name, and where the types are listed."""
    with pytest.raises(UnknownEventType) as caught:
        check_subscription(PROFILES.get(profile), events)
    assert words in caught.value.detail


def test_a_long_list_of_wrong_ones_is_not_compared_without_end(monkeypatch):
    """The first few are; each is pointed at all the same."""
    compared = []

    def counted(*call):
        compared.append(call)
        return ""

    monkeypatch.setattr(_subscription, "did_you_mean", counted)
    with pytest.raises(UnknownEventType) as caught:
        check_subscription(BRIDGE, [f"nothing.n{number}" for number in range(1000)])
    assert len(caught.value.errors) == 1000
    assert len(compared) == _subscription._SHOWN_MAX


def test_absent_is_the_profiles_rule():
    """Standard takes all; bridge-api wants to be told."""
    assert check_subscription(STANDARD, None) is None
    with pytest.raises(InvalidRequest) as caught:
        check_subscription(BRIDGE, None)
    assert caught.value.errors[0].pointer == "/events"


def test_twice_the_same_is_refused():
    """It would say nothing more."""
    with pytest.raises(InvalidRequest):
        check_subscription(STANDARD, ["a.b", "a.b"])
