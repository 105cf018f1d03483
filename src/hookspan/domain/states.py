"""The states of webhooks and deliveries, with one table of allowed moves each."""

import enum
from typing import TypeVar

from hookspan.errors import StateForbidden


class Word(enum.IntEnum):
    """An enum kept as a small integer in the store and shown as a lower-case word at the edge."""

    @property
    def word(self) -> str:
        return self.name.lower()


class WebhookStatus(Word):
    ACTIVE = 1
    CATCHING_UP = 2  # on the way to active; shown as active with health catching_up
    DISABLED = 3
    DELETED = 4


class StatusReason(Word):
    """Why a webhook is disabled."""

    CREATED = 1
    PERSON = 2
    GONE = 3
    FAILING = 4


class DeliveryState(Word):
    PENDING = 1
    SUCCEEDED = 2
    FAILED = 3
    CANCELLED = 4


class DeliveryReason(Word):
    """Why a delivery is in a final state. The reasons of a pending one are derived when it is read."""

    EXHAUSTED = 1
    EXPIRED = 2
    GONE = 3
    BLOCKED_DESTINATION = 4
    PERSON = 11
    WEBHOOK_DELETED = 12
    JOB_CANCELLED = 13
    SKIPPED = 14
    ERASED = 15


class Cause(Word):
    """Why an attempt was made."""

    FIRST = 1
    RETRY = 2
    MANUAL = 3
    SEND = 4
    REPLAY = 5
    RESEND = 6
    PROBE = 7
    TEST = 8


class Order(Word):
    ANY = 1
    FIFO = 2


class VerdictKind(Word):
    SUCCEEDED = 1
    RETRY = 2
    FAILED = 3
    DISABLE = 4  # retry later, and disable the webhook now


_S = TypeVar("_S", bound=Word)

_WEBHOOK_MOVES: dict[WebhookStatus, frozenset[WebhookStatus]] = {
    WebhookStatus.ACTIVE: frozenset({WebhookStatus.DISABLED, WebhookStatus.DELETED}),
    WebhookStatus.CATCHING_UP: frozenset({WebhookStatus.ACTIVE, WebhookStatus.DISABLED, WebhookStatus.DELETED}),
    WebhookStatus.DISABLED: frozenset({WebhookStatus.CATCHING_UP, WebhookStatus.ACTIVE, WebhookStatus.DELETED}),
    WebhookStatus.DELETED: frozenset(),
}

_DELIVERY_MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.PENDING: frozenset({DeliveryState.SUCCEEDED, DeliveryState.FAILED, DeliveryState.CANCELLED}),
    # A final state reopens only as a new round, by a person's retry or a resend.
    DeliveryState.SUCCEEDED: frozenset({DeliveryState.PENDING}),
    DeliveryState.FAILED: frozenset({DeliveryState.PENDING}),
    DeliveryState.CANCELLED: frozenset({DeliveryState.PENDING}),
}


def check_webhook_move(old: WebhookStatus, new: WebhookStatus) -> None:
    """Raise StateForbidden unless the table allows it. Staying where one is is always allowed."""
    _check(old, new, _WEBHOOK_MOVES, "webhook")


def check_delivery_move(old: DeliveryState, new: DeliveryState) -> None:
    """Raise StateForbidden unless the table allows it. Staying where one is is no move, and refused."""
    if old is new:
        raise StateForbidden(f"The delivery is {old.word} already.", allowed=_words(_DELIVERY_MOVES[old]))
    _check(old, new, _DELIVERY_MOVES, "delivery")


def _check(old: _S, new: _S, moves: dict[_S, frozenset[_S]], what: str) -> None:
    if old is not new and new not in moves[old]:
        raise StateForbidden(f"A {what} that is {old.word} can't become {new.word}.", allowed=_words(moves[old]))


def _words(states: frozenset[_S]) -> list[str]:
    return sorted(state.word for state in states)
