"""Events as bytes, and gathered into requests."""

import dataclasses
import datetime
import json
import uuid

import msgspec
import pytest

from hookspan.client import Accepted, NewEvent, Refused
from hookspan.client._publishing import (
    BATCH_BYTES_MAX,
    BATCH_EVENTS_MAX,
    _BatchAnswer,
    _Batched,
    batches,
    encode,
    results,
)


def event(**members):
    return NewEvent(**{"type": "a.b", "content": {}, "publisher_id": "p"} | members)


def test_an_event_is_compact_json():
    """Members that are not given are not there."""
    assert (
        encode(event(content={"é": [1, 2.5, None]}))
        == '{"type":"a.b","content":{"é":[1,2.5,null]},"publisher_id":"p"}'.encode()
    )
    assert json.loads(encode(event(context={"x": 1}, occurred_at="2026-05-01T00:00:00Z"))) == {
        "type": "a.b",
        "content": {},
        "publisher_id": "p",
        "context": {"x": 1},
        "occurred_at": "2026-05-01T00:00:00Z",
    }


def test_each_event_has_an_id_of_its_own():
    """So that it can be given again after a failure."""
    assert NewEvent(type="a", content={}).publisher_id != NewEvent(type="a", content={}).publisher_id


@dataclasses.dataclass
class Order:
    id: int


class Line(msgspec.Struct):
    item: str


def test_what_json_has_no_kind_for_is_told_in_the_usual_way():
    """Times, UUIDs, dataclasses, Structs."""
    at = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)
    content = {"at": at, "id": uuid.UUID(int=1), "order": Order(1), "lines": [Line("x")]}
    assert json.loads(encode(event(content=content)))["content"] == {
        "at": "2026-05-01T00:00:00Z",
        "id": "00000000-0000-0000-0000-000000000001",
        "order": {"id": 1},
        "lines": [{"item": "x"}],
    }


CYCLE: list = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    "content",
    [
        {"x": float("nan")}, {"x": float("inf")}, {"x": CYCLE}, {"x": object()}, {"x": "\ud800"}, {("a", 1): 1},
        msgspec.Raw(b"{"), msgspec.Raw(b'1},"type":"c.d","x":{"y":1'), msgspec.Raw(b""),
        msgspec.Raw("{}".encode("utf-16")),
    ],
    ids=[
        "nan", "infinity", "a cycle", "an object", "half a pair", "a key that is no text", "raw: cut short",
        "raw: breaks out", "raw: empty", "raw: utf-16",
    ],
)  # fmt: skip
def test_what_json_can_t_tell_of_is_refused_here(content):
    """NaN does not silently become null, and a raw text is one value, so that nothing slips in beside it."""
    with pytest.raises((ValueError, TypeError)):
        encode(event(content=content))


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        encode(event(occurred_at=datetime.datetime(2026, 5, 1)))  # noqa: DTZ001 - that is the point


def test_batches_are_full_and_within_both_bounds():
    """A thousand events, or five megabytes of request."""
    few = list(batches(event() for _ in range(2_500)))
    assert [len(one.events) for one in few] == [1_000, 1_000, 500]
    large = list(batches(event(content={"x": "x" * 1_000_000}) for _ in range(12)))
    assert [len(one.events) for one in large] == [5, 5, 2]
    for one in few + large:
        body = one.call("app").body
        assert body is not None
        assert len(body) <= BATCH_BYTES_MAX
        assert len(json.loads(body)) <= BATCH_EVENTS_MAX


def test_a_batch_may_be_full_to_the_last_byte():
    """And an event that is too large for any request goes in none."""
    room = BATCH_BYTES_MAX - 2 - len(encode(event(content={"x": ""})))
    [exact] = batches([event(content={"x": "x" * room})])
    body = exact.call("app").body
    assert body is not None
    assert len(body) == BATCH_BYTES_MAX
    [first, second] = batches([event(content={"x": "x" * room}), event()])
    assert (len(first.events), len(second.events)) == (1, 1)
    [beyond] = batches([event(content={"x": "x" * (room + 1)})])
    assert (beyond.encoded, beyond.results[0].code) == ([], "too_large")


def test_results_stand_in_the_order_of_their_events():
    """Those judged here among those judged there."""
    [batch] = batches([event(publisher_id="0"), event(content={"x": "x" * BATCH_BYTES_MAX}), event(publisher_id="2")])
    problem = {"code": "schema_mismatch", "status": 400, "detail": "x", "limit": 3}
    first, second, third = results(batch, _BatchAnswer([_Batched("evt_0", "0"), _Batched(error=problem)]))
    assert first == Accepted(id="evt_0", publisher_id="0")
    assert isinstance(second, Refused)
    assert isinstance(third, Refused)
    assert (second.code, third.code, third.publisher_id, third.data) == (
        "too_large",
        "schema_mismatch",
        "2",
        {"limit": 3},
    )
