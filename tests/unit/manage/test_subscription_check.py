"""What a webhook asks for must exist in its profile's catalog."""

import pytest

from hookspan.errors import InvalidRequest, UnknownEventType
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
