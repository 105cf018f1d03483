"""The audit log: who did what to which object, from where. Append-only, and chained by hashes for each application.

Each application's lines are a chain of their own, and so are those of the installation itself: numbered from 1 without
a gap, each with the hash of the one before. Who changes, cuts out, adds or swaps a line must recompute every later hash
of its chain, up to its head; and a head that was noted down elsewhere can't be recomputed. docs/audit.md describes
the encoding for other programs.
"""

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from hookspan.domain.caller import CallerKind, Role
from hookspan.ids import from_text, to_text

INSTALLATION = "installation"  # the name of the chain of what belongs to no application
CHAIN_PREFIX = "chn_"
NO_HASH = bytes(32)  # stands before a chain's first line
DETAIL_MEMBERS_MAX = 100
ACTOR_NAME_CHARS_MAX = 200  # of a longer name the beginning is kept
DETAIL_VALUE_BYTES_MAX = 2_048  # as JSON; of what is longer its size and digest are kept
_MARK = b"hookspan audit 1"
_URLS = ("url", "notify")  # in details
_URL_MARK_DIGITS = 12

ACTIONS = (
    *("application.created", "application.changed", "application.deleted", "application.moved", "notify.tested"),
    *("webhook.created", "webhook.changed", "webhook.deleted", "webhook.tested", "secret.rotated"),
    *("event.sent", "sample.published", "delivery.retried", "delivery.cancelled", "replay.started", "job.cancelled"),
    *("key.created", "key.revoked", "person.invited", "person.changed", "person.removed"),
    *("portal_session.created", "portal_session.revoked", "session.opened", "session.ended", "credential_link.created"),
    *("sending.paused", "sending.resumed"),
)


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line, before it has its place in a chain. `detail` never holds a secret."""

    at: int  # ms
    application_id: int  # 0: the installation itself
    application: str | None = None  # its public id, which outlives it
    actor_kind: CallerKind
    actor_id: str | None
    actor_name: str
    role: Role
    action: str  # "webhook.created"
    object_kind: str  # "webhook"
    object_id: str
    address: str | None
    request_id: str | None
    detail: dict[str, Any]
    by_operator: bool = False  # one of the operator's did it: not in the hash, it says only who is shown what


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line in its place. `id` orders the lines of all chains, `sequence` those of one."""

    id: int
    sequence: int
    previous_hash: bytes
    hash: bytes
    entry: AuditEntry


def chain_name(application_id: int) -> str:
    """A chain as it is named outside. An application's public id may be used again later; its chain's name is not."""
    return to_text(CHAIN_PREFIX, application_id) if application_id else INSTALLATION


def chain_of(name: str) -> int | None:
    """The application_id behind a chain's name; None when it is none."""
    return 0 if name == INSTALLATION else from_text(CHAIN_PREFIX, name)


def detail_text(detail: dict[str, Any]) -> bytes:
    """The canonical JSON of a detail: members sorted by name, no white space, UTF-8, nothing escaped that need not be.
    The same for a detail that was read back.
    """
    return msgspec.json.encode(detail, order="sorted")


def link(previous: bytes, sequence: int, entry: AuditEntry) -> bytes:
    """The hash of the line `sequence` after one whose hash is `previous` (`NO_HASH` for the first).

    SHA-256 over the members one after another, each as `LENGTH:BYTES,` (what is null as `-`), so that no two lines
    have the same encoding.
    """
    text = (
        previous.hex(),
        str(sequence),
        chain_name(entry.application_id),
        entry.application,
        str(entry.at),
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.role.word,
        entry.action,
        entry.object_kind,
        entry.object_id,
        entry.address,
        entry.request_id,
    )
    members = [_MARK, *(None if one is None else one.encode() for one in text), detail_text(entry.detail)]
    return hashlib.sha256(b"".join(_framed(one) for one in members)).digest()


def _framed(member: bytes | None) -> bytes:
    return b"-" if member is None else b"%d:%b," % (len(member), member)


def bounded(detail: dict[str, Any]) -> dict[str, Any]:
    """`detail` as it can be kept: plain JSON values, few enough and short enough."""
    members = list(detail.items())[:DETAIL_MEMBERS_MAX]
    return {name: _short(value) for name, value in members}


def veiled(detail: dict[str, Any], mark: Callable[[bytes], bytes]) -> dict[str, Any]:
    """`detail` with its URLs as they are kept: "https://e.example (3f2a9c1b8d4e)". The rest of one may be a secret, and
    a line stays for ever. Equal URLs have equal marks; `mark` is keyed, so that it tells nothing of short secrets.
    """

    def short(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: short(one) for name, one in value.items()}
        if not isinstance(value, str):
            return value
        parts = urlsplit(value)
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else f"{parts.scheme}:"
        return f"{place} ({mark(value.encode()).hex()[:_URL_MARK_DIGITS]})"

    return {name: short(value) if name in _URLS else value for name, value in detail.items()}


def _short(value: Any) -> Any:
    text = msgspec.json.encode(value, order="sorted")
    if len(text) <= DETAIL_VALUE_BYTES_MAX:
        return msgspec.json.decode(text)
    if isinstance(value, dict) and set(value) == {"from", "to"}:
        return {name: _short(one) for name, one in value.items()}
    return {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}


def moved(old: Any, new: Any) -> dict[str, Any]:
    """A changed member in a detail."""
    return {"from": old, "to": new}


class Broken(msgspec.Struct, frozen=True):
    """What is wrong with a chain, at its first line that is not right (or missing)."""

    sequence: int
    problem: str


class Chain(msgspec.Struct, kw_only=True):
    """What a `Verifier` knows of one chain. The head is to be noted down elsewhere: nothing else proves later that no
    line was cut off at the end, or that the whole chain was not made anew.
    """

    name: str
    application: str | None
    head_sequence: int
    head_hash: bytes
    broken: Broken | None = None
    at_sequence: int  # the oldest line seen
    at_previous: bytes  # and the hash it names
    expected: dict[int, bytes]  # noted down earlier: hashes by sequence


class Verifier:
    """Goes through the lines of any chains, newest first as they are listed, and recomputes every hash.

    `expected` are heads that were noted down: by chain, hashes by sequence.
    """

    def __init__(self, expected: dict[str, dict[int, bytes]] | None = None) -> None:
        self._expected = expected or {}
        self.chains: dict[str, Chain] = {}
        self.lines = 0

    @property
    def lines_in_all(self) -> int:
        """How many lines the chains seen so far have, by their heads."""
        return sum(one.head_sequence for one in self.chains.values())

    def take(self, line: AuditLine) -> None:
        """The next line, older than all before it."""
        self.lines += 1
        name = chain_name(line.entry.application_id)
        chain = self.chains.get(name)
        if chain is None:
            chain = self.chains[name] = self._begin(name, line)
        elif line.sequence >= chain.at_sequence:
            _break(chain, line.sequence, f"Line {line.sequence} stands at the place of line {chain.at_sequence - 1}.")
        elif line.sequence < chain.at_sequence - 1:
            _break(chain, line.sequence + 1, _missing(line.sequence + 1, chain.at_sequence - 1))
        elif line.hash != chain.at_previous:
            _break(chain, chain.at_sequence, f"Line {chain.at_sequence} does not follow the line before it.")
        if line.hash != link(line.previous_hash, line.sequence, line.entry):
            _break(chain, line.sequence, f"Line {line.sequence} is not what was written: its hash does not fit it.")
        if chain.expected.pop(line.sequence, line.hash) != line.hash:
            _break(chain, line.sequence, f"Line {line.sequence} is not the one whose hash was noted down.")
        chain.at_sequence, chain.at_previous = line.sequence, line.previous_hash

    def end(self) -> list[Chain]:
        """All chains, when there are no older lines. A chain is right when nothing is `broken`."""
        for name in self._expected.keys() - self.chains.keys():
            self.chains[name] = Chain(
                name=name, application=None, head_sequence=0, head_hash=NO_HASH, at_sequence=1, at_previous=NO_HASH,
                expected=self._expected[name],
            )  # fmt: skip
        for chain in self.chains.values():
            if chain.at_sequence > 1:
                _break(chain, 1, _missing(1, chain.at_sequence - 1))
            elif chain.at_previous != NO_HASH:
                _break(chain, 1, "Line 1 names a line before it: it was not the first.")
            for sequence in sorted(chain.expected):
                _break(chain, chain.head_sequence + 1, f"{_missing(chain.head_sequence + 1, sequence)} It was cut off.")
        return [self.chains[name] for name in sorted(self.chains, key=lambda one: (one != INSTALLATION, one))]

    def _begin(self, name: str, line: AuditLine) -> Chain:
        return Chain(
            name=name,
            application=line.entry.application,
            head_sequence=line.sequence,
            head_hash=line.hash,
            at_sequence=line.sequence,
            at_previous=line.previous_hash,
            expected=dict(self._expected.get(name, {})),
        )


def _break(chain: Chain, sequence: int, problem: str) -> None:
    """Lines come newest first, so the last found is the first of the chain."""
    if chain.broken is None or sequence <= chain.broken.sequence:
        chain.broken = Broken(sequence, problem)


def _missing(first: int, last: int) -> str:
    return f"Line {first} is missing." if first >= last else f"Lines {first} to {last} are missing."
