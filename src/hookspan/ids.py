"""Identities: time-ordered 63-bit integers inside, prefixed base58 text at the edge.

Inside, an id is ``milliseconds since 2024 (42 bits) | node slot (10 bits) | counter (11 bits)``: it fits SQLite's
rowid and PostgreSQL's bigint, rows written together lie together, and the time of creation can be read from it.

At the edge it is a prefix and 23 characters of base58: 11 for the integer (so that texts sort as the integers do),
12 that are a fixed mix of it. The mix makes neighbours look unalike and lets a mistyped id be refused without
a look into the store; it is no secret, and nothing is protected by it.
"""

import functools
import threading

from hookspan.clock import Clock

# Prefixes that are the same in every profile; those of events and webhooks are the profile's.
APPLICATION_PREFIX = "app_"
DELIVERY_PREFIX = "dlv_"
ATTEMPT_PREFIX = "att_"
JOB_PREFIX = "job_"
KEY_PREFIX = "key_"
PERSON_PREFIX = "per_"
SESSION_PREFIX = "ses_"
AUDIT_PREFIX = "aud_"

EPOCH_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
SLOTS = 1 << 10
# Databases whose ids never meet, so that applications can move between them. Each has as many slots, the last of them
# for what its store makes itself, the others for nodes.
CELLS = 16
NODE_SLOTS = SLOTS // CELLS - 1
_COUNTER_BITS = 11
_TIME_SHIFT = 21
_TIME_MAX = (1 << 42) - 1  # in the year 2163; what is asked for beyond it is cut

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_MASK = (1 << 64) - 1
_TEXT_LENGTH = 23


class IdMaker:
    """Makes ids that never repeat in one store, from any thread.

    `slot` (0-1023) tells nodes of one store apart. More than 2,048 ids in one millisecond borrow from the next.
    """

    def __init__(self, clock: Clock, slot: int = 0) -> None:
        if not 0 <= slot < SLOTS:
            raise ValueError(f"slot {slot} is not in 0-{SLOTS - 1}")
        self._clock = clock
        self._slot_bits = slot << _COUNTER_BITS
        self._tick = -1  # (milliseconds << counter bits) | counter
        self._lock = threading.Lock()

    def move_to(self, slot: int) -> None:
        """Go on in another slot: a node that registers anew may not have its old one. Ids go on rising all the same."""
        if not 0 <= slot < SLOTS:
            raise ValueError(f"slot {slot} is not in 0-{SLOTS - 1}")
        with self._lock:
            self._slot_bits = slot << _COUNTER_BITS
            self._tick += 1 << _COUNTER_BITS  # a millisecond on, so that a lower slot's id is above the last one too

    def make(self) -> int:
        """The next id, greater than every one this maker has made."""
        with self._lock:
            tick = max(self._tick + 1, (self._clock.now_ms() - EPOCH_MS) << _COUNTER_BITS)
            self._tick = tick
        return (tick >> _COUNTER_BITS) << _TIME_SHIFT | self._slot_bits | (tick & 0x7FF)

    def make_many(self, count: int) -> list[int]:
        """The next `count` ids, rising: a batch costs little more than one."""
        with self._lock:
            first = max(self._tick + 1, (self._clock.now_ms() - EPOCH_MS) << _COUNTER_BITS)
            self._tick = first + count - 1
        slot_bits = self._slot_bits
        return [
            (tick >> _COUNTER_BITS) << _TIME_SHIFT | slot_bits | (tick & 0x7FF) for tick in range(first, first + count)
        ]

    def start_after(self, highest: int) -> None:
        """Never make an id at or below `highest`: a clock that was set back must not repeat ids."""
        with self._lock:
            self._tick = max(self._tick, (highest >> _TIME_SHIFT) << _COUNTER_BITS | 0x7FF)


def node_slot(cell: int, node: int) -> int:
    """Where a node of a cell makes its ids: another slot than any other whose number differs by `NODE_SLOTS`."""
    return cell * (NODE_SLOTS + 1) + node % NODE_SLOTS


def own_slot(cell: int) -> int:
    """Where the stores of a cell make the ids of what nobody asked them for by one."""
    return cell * (NODE_SLOTS + 1) + NODE_SLOTS


def first_id_at(at_ms: int) -> int:
    """The smallest id that could have been made at `at_ms`: ranges of time are ranges of ids."""
    return min(max(0, at_ms - EPOCH_MS), _TIME_MAX) << _TIME_SHIFT


def made_at_ms(ident: int) -> int:
    """When an id was made, in ms since 1970."""
    return (ident >> _TIME_SHIFT) + EPOCH_MS


@functools.lru_cache(maxsize=4096)  # an event's id is asked for three times: for its body, its receipt, its signature
def to_text(prefix: str, ident: int) -> str:
    """An id as people and programs outside see it: `prefix` and 23 characters."""
    pairs = _PAIRS
    high, a = divmod(ident, 3364)
    high, b = divmod(high, 3364)
    high, c = divmod(high, 3364)
    high, d = divmod(high, 3364)
    high, e = divmod(high, 3364)
    low = _mix(ident)
    low, f = divmod(low, 3364)
    low, g = divmod(low, 3364)
    low, h = divmod(low, 3364)
    low, i = divmod(low, 3364)
    low, j = divmod(low, 3364)
    return (
        f"{prefix}{_ALPHABET[high]}{pairs[e]}{pairs[d]}{pairs[c]}{pairs[b]}{pairs[a]}"
        f"{pairs[low]}{pairs[j]}{pairs[i]}{pairs[h]}{pairs[g]}{pairs[f]}"
    )


def from_text(prefix: str, text: str) -> int | None:
    """The id behind `text`, or None when it is no id of this prefix (wrong shape, or mistyped)."""
    if len(text) != len(prefix) + _TEXT_LENGTH or not text.startswith(prefix):
        return None
    ident = 0
    for letter in text[len(prefix) : len(prefix) + 11]:
        value = _VALUES.get(letter)
        if value is None:
            return None
        ident = ident * 58 + value
    return ident if ident >> 63 == 0 and to_text(prefix, ident) == text else None


def _mix(ident: int) -> int:
    """SplitMix64's finaliser: a one-to-one scramble of 64 bits."""
    z = (ident + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
