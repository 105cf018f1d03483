"""Kept connections belong to one application and origin, and all sockets are counted."""

import pytest

from hookspan.egress import pool as room
from hookspan.egress.pool import Pool

KEY = (1, "https://a.example")


class FakeConnection:
    def __init__(self, key=KEY, opened=0.0) -> None:
        self.key = key
        self.opened = opened
        self.used = opened
        self.is_leaving = False
        self.is_closed = False

    def drop_job(self):
        self.is_closed = True


def opened(pool, **given):
    connection = FakeConnection(**given)
    assert pool.reserve(connection.key)
    pool.opened(connection)
    return connection


@pytest.fixture
def pool():
    return Pool(4)


def test_the_last_used_comes_first(pool):
    """Last in, first out: what is not needed grows old and goes."""
    first, second = opened(pool), opened(pool)
    pool.put(first)
    pool.put(second)
    assert pool.take(first.key) is second
    assert pool.take(first.key) is first
    assert pool.take(first.key) is None


def test_never_shared(pool):
    """Another application, or another origin, never gets the connection."""
    pool.put(opened(pool))
    assert pool.take((2, "https://a.example")) is None
    assert pool.take((1, "https://b.example")) is None
    assert pool.take((1, "http://a.example")) is None
    assert pool.take((1, "https://a.example")) is not None


def test_closed_ones_are_passed_over(pool):
    """A connection that is closing is not handed out."""
    good, bad = opened(pool), opened(pool)
    pool.put(good)
    pool.put(bad)
    bad.is_closed = True
    assert pool.take(good.key) is good


def test_sockets_bound_evicts_the_longest_idle(pool):
    """At the bound an idle connection makes room, the longest idle first; with none idle there is no room."""
    idle = [opened(pool, key=(at, "https://a.example")) for at in range(4)]
    for connection in idle:
        pool.put(connection)
    assert pool.reserve(KEY)
    assert idle[0].is_closed
    assert not idle[1].is_closed
    assert pool.sockets == 4
    pool.lost(idle[0])
    assert pool.sockets == 4
    pool.release(KEY)
    assert pool.sockets == 3
    for connection in idle[1:]:
        assert pool.take(connection.key) is connection
    assert pool.reserve(KEY)
    assert not pool.reserve(KEY)


def test_the_count_survives_every_way_to_end(pool):
    """Lost while busy, lost while idle, closed, given back unopened: the count returns to nothing."""
    busy, idle, closed = opened(pool), opened(pool), opened(pool)
    assert pool.reserve(KEY)
    assert not pool.reserve(KEY)
    pool.release(KEY)
    pool.put(idle)
    pool.lost(busy)
    pool.lost(idle)
    pool.close_one(closed)
    assert pool.sockets == 0
    pool.lost(closed)
    pool.lost(closed)
    pool.close_one(closed)
    assert (pool.sockets, pool.idle) == (0, 0)
    assert pool.take(idle.key) is None


def test_idle_ones_are_closed_in_time(pool):
    """After 20 s without a request a connection is closed."""
    early, late = opened(pool), opened(pool, key=(2, "https://a.example"))
    late.used = 1.0
    pool.put(early)
    pool.put(late)
    pool.close_idle(room.IDLE_S_MAX - 0.1)
    assert pool.idle == 2
    pool.close_idle(room.IDLE_S_MAX + 0.1)
    assert early.is_closed
    assert not late.is_closed
    assert pool.idle == 1


def test_old_ones_are_not_kept(pool):
    """A connection is not kept for longer than DNS answers are."""
    old = opened(pool)
    old.used = room.AGE_S_MAX
    pool.put(old)
    assert not old.is_closed
    assert pool.take(old.key) is old
    old.used = room.AGE_S_MAX + 1
    pool.put(old)
    assert old.is_closed
    assert pool.sockets == 0


def test_one_origin_keeps_a_bounded_number():
    """Beyond 256 idle connections of one origin a further one is closed."""
    pool = Pool(1_000)
    connections = [opened(pool) for _ in range(room.IDLE_PER_KEY_MAX + 1)]
    for connection in connections:
        pool.put(connection)
    assert connections[-1].is_closed
    assert pool.idle == room.IDLE_PER_KEY_MAX


def test_nothing_is_left_of_gone_origins(pool):
    """Many origins, each used once, leave nothing behind."""
    for at in range(50):
        connection = opened(pool, key=(at, "https://a.example"))
        pool.put(connection)
        if at % 2:
            assert pool.take(connection.key) is connection
        pool.close_one(connection)
        pool.lost(connection)
    pool.close_idle(room.REVIEW_S)
    assert not pool._by_key
    assert not pool._counts


def test_while_there_is_room_nobody_has_a_share():
    """Up to half of all sockets a key opens and keeps what it wants."""
    pool = Pool(100)
    connections = [opened(pool) for _ in range(49)]
    assert pool.has_share_left(KEY)
    for connection in connections:
        pool.put(connection)
    assert pool.idle == 49


def test_crowded_keys_have_a_share_each():
    """Ten keys take turns in wanting 20 of 100 sockets: each keeps its share, and finds it again in every round."""
    pool = Pool(100)
    keys = [(at, "https://a.example") for at in range(10)]
    found = []
    for _ in range(5):
        for key in keys:
            kept = []
            while (connection := pool.take(key)) is not None:
                kept.append(connection)
            found.append(len(kept))
            while len(kept) < 20:
                kept.append(opened(pool, key=key))
            for connection in kept:
                pool.put(connection)
    share = int(100 * room.SHARED_PART) // len(keys)
    assert found[-10:] == [share] * 10
    assert pool.sockets <= 100
    assert not pool.has_share_left(keys[0])
    assert pool.has_share_left((99, "https://a.example"))


def test_known_keys_are_bounded(monkeypatch):
    """Keys that have nothing any more are forgotten when there are too many, without waiting for the review."""
    monkeypatch.setattr(room, "KEYS_KNOWN_MAX", 8)
    pool = Pool(4)
    for at in range(9):
        pool.put(opened(pool, key=(at, "https://a.example")))
    assert len(pool._by_key) == 9
    pool.close_idle(0.0)
    assert len(pool._by_key) == 4


@pytest.mark.anyio
async def test_closing_waits_for_the_loop(pool):
    """Closing ends when every connection is gone, or after the time it is given."""
    await pool.close(1.0)
    kept = opened(pool)
    await pool.close(0.0)
    assert kept.is_closed
    pool.lost(kept)
    await pool.close(1.0)
