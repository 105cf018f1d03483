"""How often somebody may try, by address: a few in a row, then one now and then; in bounded memory."""

import pytest

from hookspan.errors import RateLimited
from hookspan.manage import _attempts
from hookspan.manage._attempts import ATTEMPTS_MAX, INTERVAL_S, Attempts
from tests.support.clock import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def attempts(clock: VirtualClock) -> Attempts:
    return Attempts(clock)


def wait_s(attempts: Attempts, address: str | None = "192.0.2.1") -> int:
    with pytest.raises(RateLimited) as caught:
        attempts.take(address)
    return caught.value.retry_after_s


def test_a_few_in_a_row_then_one_now_and_then(attempts: Attempts, clock: VirtualClock) -> None:
    """After the time that the refusal names it works; refused ones cost nothing."""
    for _ in range(ATTEMPTS_MAX):
        attempts.take("192.0.2.1")
    assert [wait_s(attempts) for _ in range(3)] == [6, 6, 6]
    clock.move(2_500)
    assert wait_s(attempts) == 4
    clock.move(3_500)
    attempts.take("192.0.2.1")
    assert wait_s(attempts) == 6
    clock.move(int(INTERVAL_S * 1000) * ATTEMPTS_MAX * 10)
    for _ in range(ATTEMPTS_MAX):  # and no more than that, however long it was quiet
        attempts.take("192.0.2.1")
    assert wait_s(attempts) == 6


def test_one_that_went_well_is_given_back(attempts: Attempts) -> None:
    """So that a whole company behind one address signs in."""
    for _ in range(ATTEMPTS_MAX * 3):
        attempts.take("192.0.2.1")
        attempts.give_back("192.0.2.1")
    attempts.take("192.0.2.1")
    attempts.give_back("198.51.100.1")  # of whom nothing is known


def test_addresses_are_apart(attempts: Attempts) -> None:
    """One subscriber's IPv6 addresses are not; unknown ones are one."""
    for address in ("2001:db8::1", "2001:db8:0:0:ffff::2") * (ATTEMPTS_MAX // 2):
        attempts.take(address)
    assert wait_s(attempts, "2001:db8::3")
    attempts.take("2001:db8:0:1::1")
    attempts.take("192.0.2.1")
    for _ in range(ATTEMPTS_MAX):
        attempts.take(None)
    assert wait_s(attempts, None)


def test_memory_is_bounded(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who tried least lately is forgotten first."""
    monkeypatch.setattr(_attempts, "ADDRESSES_MAX", 3)
    attempts = Attempts(clock)
    for _ in range(ATTEMPTS_MAX):
        attempts.take("192.0.2.1")
    for number in range(2, 50):
        attempts.take(f"192.0.2.{number}")
        wait_s(attempts)  # it tries on, and so is remembered
    assert len(attempts._buckets) == 3
    for number in range(2, 5):
        attempts.take(f"192.0.2.{number}")
    attempts.take("192.0.2.1")
