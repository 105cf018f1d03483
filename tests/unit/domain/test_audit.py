"""The chain's links: the documented encoding, and what the verifier finds."""

import hashlib
from typing import Any

import msgspec
import pytest

from hookspan.domain.audit import (
    DETAIL_MEMBERS_MAX,
    DETAIL_VALUE_BYTES_MAX,
    INSTALLATION,
    NO_HASH,
    AuditEntry,
    AuditLine,
    Verifier,
    bounded,
    chain_name,
    chain_of,
    link,
    moved,
)
from hookspan.domain.caller import Role

APP = 132_452_764_876_800_001


def entry(**members: Any) -> AuditEntry:
    given: dict[str, Any] = {
        "at": 1_767_225_600_000,
        "application_id": 0,
        "actor_kind": "operator",
        "actor_id": None,
        "actor_name": "operator key",
        "role": Role.ADMIN,
        "action": "key.created",
        "object_kind": "key",
        "object_id": "key_1",
        "address": "127.0.0.1",
        "request_id": None,
        "detail": {},
    }
    return AuditEntry(**(given | members))


def chain(length: int, application_id: int = 0) -> list[AuditLine]:
    """Oldest first."""
    lines: list[AuditLine] = []
    previous = NO_HASH
    for sequence in range(1, length + 1):
        one = entry(application_id=application_id, detail={"n": sequence})
        digest = link(previous, sequence, one)
        lines.append(AuditLine(id=sequence * 10, sequence=sequence, previous_hash=previous, hash=digest, entry=one))
        previous = digest
    return lines


def found(lines: list[AuditLine], expected: dict[str, dict[int, bytes]] | None = None) -> tuple[int, str] | None:
    """What is wrong with the only chain, given oldest first."""
    verifier = Verifier(expected)
    for one in reversed(lines):
        verifier.take(one)
    [only] = verifier.end()
    return None if only.broken is None else (only.broken.sequence, only.broken.problem)


def test_the_encoding_is_the_documented_one() -> None:
    """As docs/audit.md spells it out, made here by hand."""
    one = entry(detail={"b": 1, "a": "é"}, application_id=APP, application="app_x", actor_id="key_9")
    members = [
        "hookspan audit 1", "00" * 32, "1", chain_name(APP), "app_x", "1767225600000", "operator", "key_9",
        "operator key", "admin", "key.created", "key", "key_1", "127.0.0.1", None, '{"a":"é","b":1}',
    ]  # fmt: skip
    text = "".join("-" if one is None else f"{len(one.encode())}:{one}," for one in members)
    assert link(NO_HASH, 1, one) == hashlib.sha256(text.encode()).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"at": 1}, {"application_id": APP}, {"application": "app_x"}, {"actor_kind": "key"}, {"actor_id": ""},
        {"actor_name": ""}, {"role": Role.MEMBER}, {"action": "x"}, {"object_kind": "x"}, {"object_id": "x"},
        {"address": None}, {"request_id": ""}, {"detail": {"a": None}},
    ],
)  # fmt: skip
def test_every_member_is_in_the_hash(change: dict[str, Any]) -> None:
    """None and empty are two things; so are place and previous hash."""
    assert link(NO_HASH, 1, entry()) != link(NO_HASH, 1, entry(**change))
    assert len({link(NO_HASH, 1, entry()), link(NO_HASH, 2, entry()), link(b"\1" * 32, 1, entry())}) == 3


def test_every_member_is_tested() -> None:
    """A new one must come into the hash; `by_operator` alone does not, which says only who is shown what."""
    assert AuditEntry.__struct_fields__ == (
        "at", "application_id", "application", "actor_kind", "actor_id", "actor_name", "role", "action", "object_kind",
        "object_id", "address", "request_id", "detail", "by_operator",
    )  # fmt: skip


def test_a_whole_chain_is_right() -> None:
    """Also several at once, one after the other or mixed; each has its head."""
    verifier = Verifier()
    one, two = chain(4), chain(2, APP)
    for line in (two[1], one[3], one[2], two[0], one[1], one[0]):
        verifier.take(line)
    first, second = verifier.end()
    assert (first.name, first.head_sequence, first.head_hash, first.broken) == (INSTALLATION, 4, one[3].hash, None)
    assert (second.name, second.head_sequence, second.broken) == (chain_name(APP), 2, None)
    assert verifier.lines == verifier.lines_in_all == 6


def test_what_is_wrong_is_found_at_its_first_line() -> None:
    """Changed, cut out at either end or amid, swapped, put in twice, from another chain."""
    lines = chain(6)
    changed = msgspec.structs.replace(lines[2], entry=entry(detail={"n": 99}))
    rehashed = msgspec.structs.replace(changed, hash=link(changed.previous_hash, 3, changed.entry))
    late = chain(9)[3:]
    assert found(lines) is None
    assert found([*lines[:2], changed, *lines[3:]]) == (
        3, "Line 3 is not what was written: its hash does not fit it."
    )  # fmt: skip
    assert found([*lines[:2], rehashed, *lines[3:]]) == (4, "Line 4 does not follow the line before it.")
    assert found([*lines[:2], *lines[4:]]) == (3, "Lines 3 to 4 are missing.")
    assert found(lines[1:]) == (1, "Line 1 is missing.")
    assert found(late) == (1, "Lines 1 to 3 are missing.")
    assert found([lines[0], lines[2], lines[1], *lines[3:]]) is not None
    assert found([*lines[:2], lines[1], *lines[2:]]) is not None
    moved_here = msgspec.structs.replace(chain(6, APP)[2], entry=entry(detail={"n": 3}))
    assert found([*lines[:2], moved_here, *lines[3:]]) is not None
    not_first = msgspec.structs.replace(lines[0], previous_hash=b"\1" * 32)
    not_first = msgspec.structs.replace(not_first, hash=link(not_first.previous_hash, 1, not_first.entry))
    assert found([not_first]) == (1, "Line 1 names a line before it: it was not the first.")


def test_a_head_that_was_noted_down_is_looked_for() -> None:
    """Nothing in the lines themselves tells that the last ones were cut off, or that all were made anew."""
    lines = chain(6)
    noted = {INSTALLATION: {5: lines[4].hash}}
    assert found(lines, noted) is None
    assert found(lines[:5], noted) is None
    assert found(lines[:4]) is None
    assert found(lines[:4], noted) == (5, "Line 5 is missing. It was cut off.")
    assert found(lines[:2], noted) == (3, "Lines 3 to 5 are missing. It was cut off.")
    anew = [msgspec.structs.replace(one, entry=entry(detail={})) for one in lines]
    previous = NO_HASH
    for index, one in enumerate(anew):
        digest = link(previous, one.sequence, one.entry)
        anew[index] = msgspec.structs.replace(one, previous_hash=previous, hash=digest)
        previous = digest
    assert found(anew) is None
    assert found(anew, noted) == (5, "Line 5 is not the one whose hash was noted down.")
    assert found([], noted) == (1, "Lines 1 to 5 are missing. It was cut off.")


def test_chains_have_names() -> None:
    """There and back."""
    assert chain_of(chain_name(APP)) == APP
    assert chain_of(INSTALLATION) == 0
    assert chain_of("chn_1") is None


def test_a_detail_is_bounded() -> None:
    """Of what is too long its size and digest are kept, of too many members the first."""
    assert (DETAIL_MEMBERS_MAX, DETAIL_VALUE_BYTES_MAX) == (100, 2_048), "docs/limits.md says so"
    long = "x" * DETAIL_VALUE_BYTES_MAX
    assert bounded({"a": "x" * (DETAIL_VALUE_BYTES_MAX - 2)}) == {"a": "x" * (DETAIL_VALUE_BYTES_MAX - 2)}
    short = bounded({"a": long, "b": moved("old", [long])})
    assert short["a"] == {"bytes": len(long) + 2, "sha256": hashlib.sha256(f'"{long}"'.encode()).hexdigest()}
    assert short["b"]["from"] == "old"
    assert short["b"]["to"]["bytes"] == len(long) + 4
    assert len(bounded({str(number): number for number in range(DETAIL_MEMBERS_MAX + 5)})) == DETAIL_MEMBERS_MAX
