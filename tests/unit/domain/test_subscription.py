"""Which webhooks asked for an event."""

from hookspan.domain.subscription import compile_subscription


def asks(events, event_type, category=None, absent="all"):
    return compile_subscription(events, absent)(event_type, category)


def test_a_list_asks_for_its_types_only():
    assert asks(("item.created",), "item.created")
    assert not asks(("item.created",), "item.created.again")
    assert not asks((), "item.created")


def test_a_prefix_reaches_any_depth_but_not_its_own_name():
    assert asks(("item.*",), "item.account.created")
    assert not asks(("item.*",), "item")
    assert not asks(("item.*",), "items.created")


def test_a_category_asks_for_all_of_it():
    assert asks(("category:item.account",), "item.account.created", "item.account")
    assert not asks(("category:item.account",), "item.created", "item")
    assert not asks(("category:item",), "item.created", None)


def test_an_absent_list_is_the_profiles_rule():
    assert asks(None, "anything", absent="all")
    assert not asks(None, "anything", absent="none")
    assert not asks(None, "anything", absent="refused")
