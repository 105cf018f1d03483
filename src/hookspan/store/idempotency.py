"""What goes to and from the store about Idempotency-Keys: under which a request may be sent again."""

import enum
from typing import Protocol

import msgspec

from hookspan.domain.states import Word

KEY_FORCE_MS = 24 * 3_600_000  # for so long the first answer is given again
ANSWER_KEPT_MS = KEY_FORCE_MS + 60_000  # then it is dropped; a little later, for clocks are not equal
KEY_KEPT_MS = 7 * 24 * 3_600_000  # the bare key is known for longer


class KeyState(Word):
    RUNNING = 1
    DONE = 2
    INTERRUPTED = 3  # whether it had an effect is not known


class KeyUse(msgspec.Struct, frozen=True):
    """A request under a key. A key that was taken before `free_below` (ms) may be taken anew.

    Keys belong to an application (0: the installation itself): those of one that is gone are of no more use, also to
    the next of the same public id.
    """

    owner: str
    key: str
    fingerprint: bytes
    began_at: int
    free_below: int
    application_id: int = 0


class TakenKey(msgspec.Struct, frozen=True):
    """A key as it is kept, by the request itself (`is_fresh`) or by an earlier one."""

    id: int
    is_fresh: bool
    fingerprint: bytes
    began_at: int
    state: KeyState
    answer: bytes | None  # of a done one; None where it was too large, or dropped


class KeyedPublish(msgspec.Struct, frozen=True):
    """Events of one request under a key: `event_ids` in order, and each one's place in the request."""

    use: KeyUse
    event_ids: tuple[int, ...]
    slots: tuple[int, ...]


class KeyOutcome(enum.Enum):
    """What became of a `KeyedPublish`."""

    FRESH = enum.auto()  # kept now, as any other
    REPLAYED = enum.auto()  # nothing was kept; its events are those that were kept the first time
    CONFLICT = enum.auto()  # nothing was kept: the key stands for another request
    FULL = enum.auto()  # nothing was kept: there is no room for another key


class RequestKeys(Protocol):
    """The part of the contract about keys; `Store.append` publishes under them. An application has a bounded number of
    keys, and of bytes of their answers, those of publishing apart from the others. Beyond it keys that are older than
    KEY_FORCE_MS go, and no other ever does: where there are none, no more is taken. Retention drops answers after
    ANSWER_KEPT_MS, keys after KEY_KEPT_MS, and those of applications that are gone.
    """

    async def take_key(self, use: KeyUse) -> TakenKey | None:
        """Take a key, RUNNING; of many who ask at once one is fresh. Where it is taken, what is kept under it. None,
        and nothing was taken, where the application has too many.
        """
        ...

    async def finish_key(
        self, key_id: int, state: KeyState, answer: bytes | None, *, short: bytes | None = None
    ) -> bool:
        """What became of a running request. `short` is kept in place of `answer` where the application has too many
        bytes of answers. False when the key is not running any more.
        """
        ...

    async def forget_key(self, key_id: int) -> None:
        """Give a key free: the request had no effect."""
        ...
