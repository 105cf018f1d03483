"""How many changes an application may ask for: some at once, then so many a second, whoever of it asks."""

import pytest

from hookspan.domain.caller import OPERATOR, Caller, Role, Scope
from hookspan.errors import RateLimited
from hookspan.manage import rates as module
from hookspan.manage.rates import BURST_S, OPERATOR_TIMES, Rates
from hookspan.settings import Settings
from tests.support.clock import VirtualClock

RATE = 5


def caller(application: str | None, ident: str = "key_1") -> Caller:
    scope = Scope.OPERATOR if application is None else Scope.APPLICATION
    return Caller(kind="key", id=ident, name="a key", scope=scope, role=Role.ADMIN, application=application)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def rates(clock: VirtualClock) -> Rates:
    return Rates(clock, RATE)


def taken(rates: Rates, who: Caller, most: int = 10_000) -> int:
    """How many there were."""
    for count in range(most):
        try:
            rates.take(who)
        except RateLimited:
            return count
    return most


def test_some_at_once_and_then_so_many_a_second(rates: Rates, clock: VirtualClock) -> None:
    """What is refused costs nothing, and after the whole seconds that the refusal names there is one."""
    assert taken(rates, caller("app_a")) == RATE * BURST_S
    with pytest.raises(RateLimited, match="of this application") as refused:
        rates.take(caller("app_a"))
    assert refused.value.retry_after_s == 1
    for _ in range(3):
        clock.move(1_000)
        assert taken(rates, caller("app_a")) == RATE
    clock.move(3_600_000)
    assert taken(rates, caller("app_a")) == RATE * BURST_S


def test_applications_are_apart_and_keys_of_one_are_not(rates: Rates) -> None:
    """More keys are no more changes; and one application's are nobody else's."""
    assert taken(rates, caller("app_a", "key_1"), 30) == 30
    assert taken(rates, caller("app_a", "key_2")) == RATE * BURST_S - 30
    assert taken(rates, caller("app_b", "key_3")) == RATE * BURST_S


def test_the_operator_s_have_more_and_each_their_own(rates: Rates) -> None:
    """Who works for many applications."""
    for who in (OPERATOR, caller(None, "key_1"), caller(None, "key_2")):
        assert taken(rates, who) == RATE * BURST_S * OPERATOR_TIMES
    with pytest.raises(RateLimited, match="by this key or person"):
        rates.take(OPERATOR)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, clock: VirtualClock) -> None:
    """Who asked least lately is forgotten, which does that application no harm."""
    monkeypatch.setattr(module, "REMEMBERED_MAX", 3)
    rates = Rates(clock, RATE)
    for number in range(20):
        rates.take(caller(f"app_{number}"))
        rates.take(caller(None, f"key_{number}"))
    assert (len(rates._applications), len(rates._operators)) == (3, 3)


def test_no_bound(clock: VirtualClock) -> None:
    """0 is none, for anybody."""
    rates = Rates(clock, 0)
    assert taken(rates, caller("app_a"), 2_000) == 2_000
    assert taken(rates, OPERATOR, 2_000) == 2_000


def test_the_default() -> None:
    """As it is documented."""
    assert (Settings().management_rate, Settings().management_rate * BURST_S) == (50, 500)
