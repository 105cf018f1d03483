"""One table of allowed moves for each kind of state."""

import pytest

from hookspan.domain.states import (
    DeliveryState,
    WebhookStatus,
    check_delivery_move,
    check_webhook_move,
)
from hookspan.errors import StateForbidden

WEBHOOK_MOVES = {
    ("active", "disabled"), ("active", "deleted"),
    ("catching_up", "active"), ("catching_up", "disabled"), ("catching_up", "deleted"),
    ("disabled", "active"), ("disabled", "catching_up"), ("disabled", "deleted"),
}  # fmt: skip


@pytest.mark.parametrize("old", WebhookStatus)
@pytest.mark.parametrize("new", WebhookStatus)
def test_a_webhook_moves_only_along_the_table(old, new):
    if old is new or (old.word, new.word) in WEBHOOK_MOVES:
        check_webhook_move(old, new)
        assert old is not WebhookStatus.DELETED or new is WebhookStatus.DELETED
    else:
        with pytest.raises(StateForbidden) as caught:
            check_webhook_move(old, new)
        assert set(caught.value.data["allowed"]) == {after for before, after in WEBHOOK_MOVES if before == old.word}


@pytest.mark.parametrize("old", DeliveryState)
@pytest.mark.parametrize("new", DeliveryState)
def test_a_delivery_ends_once_and_reopens_only_to_pending(old, new):
    is_allowed = (old is DeliveryState.PENDING) != (new is DeliveryState.PENDING)
    if is_allowed:
        check_delivery_move(old, new)
        assert old is not new
    else:
        with pytest.raises(StateForbidden):
            check_delivery_move(old, new)
