"""Names are looked up once for many, kept for a bounded time, and their failures blamed on the right one."""

import asyncio
import gc

import pytest

from hookspan.domain.outcome import Owner
from hookspan.egress import dns
from hookspan.egress.address import pack, unpack
from hookspan.egress.dns import NameFailed, Resolver
from tests.support.clock import VirtualClock
from tests.unit.egress.names import NO_ANSWER, NO_SUCH_NAME, ScriptedNames, answer

pytestmark = pytest.mark.anyio


async def settle():
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def resolver_of(names):
    clock = VirtualClock()
    return Resolver(names, clock), clock


@pytest.mark.parametrize(("ttl_s", "kept_s"), [(0, 5), (4, 5), (60, 60), (300, 300), (86_400, 300)])
async def test_answers_are_kept_for_a_clamped_time(ttl_s, kept_s):
    """A TTL counts from 5 to 300 s; then the name is asked again."""
    names = ScriptedNames(a__example=[answer("1.1.1.1", ttl_s=ttl_s), answer("2.2.2.2")])
    resolver, clock = resolver_of(names)
    assert await resolver.resolve("a.example") == (pack("1.1.1.1"),)
    clock.move(kept_s * 1000 - 1)
    assert await resolver.resolve("a.example") == (pack("1.1.1.1"),)
    clock.move(1)
    assert await resolver.resolve("a.example") == (pack("2.2.2.2"),)
    assert len(names.asked) == 2


async def test_failures_are_kept_shortly():
    """A name without an address is not asked for again within 5 s."""
    names = ScriptedNames(a__example=[NO_SUCH_NAME, answer("1.1.1.1")])
    resolver, clock = resolver_of(names)
    for _ in range(2):
        with pytest.raises(NameFailed, match="no address"):
            await resolver.resolve("a.example")
    assert len(names.asked) == 1
    clock.move(dns.NEGATIVE_TTL_S * 1000)
    assert await resolver.resolve("a.example") == (pack("1.1.1.1"),)


async def test_asking_anew_passes_by_the_cache():
    """A check when a URL is saved sees what DNS says now, and everyone after it too."""
    names = ScriptedNames(a__example=[answer("1.1.1.1"), answer("2.2.2.2")])
    resolver, _ = resolver_of(names)
    await resolver.resolve("a.example")
    assert await resolver.resolve("a.example", is_asked_anew=True) == (pack("2.2.2.2"),)
    assert await resolver.resolve("a.example") == (pack("2.2.2.2"),)


async def test_look_ups_of_one_name_are_one():
    """A hundred askers at once cost one look-up; one that gives up takes nothing from the others."""
    names = ScriptedNames(a__example=[answer("1.1.1.1")])
    names.gate.clear()
    resolver, _ = resolver_of(names)
    askers = [asyncio.ensure_future(resolver.resolve("a.example")) for _ in range(100)]
    await settle()
    askers[0].cancel()
    names.gate.set()
    results = await asyncio.gather(*askers, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [(pack("1.1.1.1"),)] * 99
    assert names.asked == ["a.example"]


async def test_a_failure_that_nobody_waits_for_is_quiet(caplog):
    """When every asker gave up, the look-up's failure is kept in the cache and reported to nobody."""
    names = ScriptedNames()
    names.gate.clear()
    resolver, _ = resolver_of(names)
    asker = asyncio.ensure_future(resolver.resolve("a.example"))
    await settle()
    asker.cancel()
    names.gate.set()
    await settle()
    del asker
    gc.collect()
    assert not caplog.records
    with pytest.raises(NameFailed):
        await resolver.resolve("a.example")
    assert len(names.asked) == 1


async def test_dead_names_do_not_keep_known_ones_waiting():
    """Look-ups are bounded, and names that answered before have places of their own."""
    names = ScriptedNames(good__example=[answer("1.1.1.1", ttl_s=5)])
    resolver, clock = resolver_of(names)
    await resolver.resolve("good.example")
    clock.move(5_000)
    names.gate.clear()
    dead = [asyncio.ensure_future(resolver.resolve(f"dead{at}.example")) for at in range(dns.LOOKUPS_MAX + 50)]
    await settle()
    assert names.running == dns.LOOKUPS_MAX
    known = asyncio.ensure_future(resolver.resolve("good.example"))
    await settle()
    assert names.running == dns.LOOKUPS_MAX + 1
    names.gate.set()
    assert await known == (pack("1.1.1.1"),)
    await asyncio.gather(*dead, return_exceptions=True)
    assert names.running_most == dns.LOOKUPS_MAX + 1


async def test_the_cache_is_bounded(monkeypatch):
    """The name that was used longest ago is forgotten first."""
    monkeypatch.setattr(dns, "NAMES_MAX", 3)
    names = ScriptedNames(**{f"n{at}__example": [answer("1.1.1.1")] for at in range(4)})
    resolver, _ = resolver_of(names)
    for host in ("n0.example", "n1.example", "n2.example", "n0.example", "n3.example"):
        await resolver.resolve(host)
    names.asked.clear()
    await resolver.resolve("n0.example")
    await resolver.resolve("n1.example")
    assert names.asked == ["n1.example"]


async def test_families_take_turns():
    """IPv4 and IPv6 alternate, so that a broken family costs one try; what is said twice counts once."""
    names = ScriptedNames(
        a__example=[answer("2606:4700::1", "2606:4700::2", "1.1.1.1", "::ffff:1.1.1.1", "2606:4700::3", "1.1.1.2")]
    )
    resolver, _ = resolver_of(names)
    addresses = await resolver.resolve("a.example")
    assert [unpack(one) for one in addresses] == ["1.1.1.1", "2606:4700::1", "1.1.1.2", "2606:4700::2", "2606:4700::3"]


async def test_an_answer_has_a_bound():
    """A name with more addresses than can be checked at ease has none."""
    most = [f"1.1.1.{at}" for at in range(dns.ADDRESSES_MAX)]
    names = ScriptedNames(a__example=[answer(*most)], b__example=[answer(*most, "1.1.2.1")])
    resolver, _ = resolver_of(names)
    assert len(await resolver.resolve("a.example")) == dns.ADDRESSES_MAX
    with pytest.raises(NameFailed, match="more than 64"):
        await resolver.resolve("b.example")


async def failing(resolver, host):
    with pytest.raises(NameFailed):
        await resolver.resolve(host)
    return resolver.owner_of_failure(host)


async def test_one_dead_name_is_the_receivers():
    """A name that alone gets no answer is its receiver's failure, however often it is tried."""
    resolver, clock = resolver_of(ScriptedNames(a__example=[NO_ANSWER]))
    for _ in range(5):
        assert await failing(resolver, "a.example") is Owner.RECEIVER
        clock.move(dns.NEGATIVE_TTL_S * 1000)


async def test_silence_for_several_names_is_the_paths():
    """When other names get no answer either, DNS is down: nobody's attempts are spent."""
    resolver, clock = resolver_of(ScriptedNames(a__example=[NO_ANSWER], b__example=[NO_ANSWER], c__example=[NO_ANSWER]))
    assert await failing(resolver, "a.example") is Owner.RECEIVER
    assert await failing(resolver, "b.example") is Owner.PATH
    assert await failing(resolver, "a.example") is Owner.PATH
    clock.move(int(dns.WINDOW_S * 1000) + 1)
    assert await failing(resolver, "c.example") is Owner.RECEIVER


@pytest.mark.parametrize("proof", [answer("1.1.1.1"), NO_SUCH_NAME])
async def test_an_answer_for_anyone_proves_that_dns_works(proof):
    """With one answer in the window, names without an answer are their receivers' failure, be they a thousand."""
    names = ScriptedNames(a__example=[NO_ANSWER], b__example=[NO_ANSWER], c__example=[proof])
    resolver, clock = resolver_of(names)
    await asyncio.gather(resolver.resolve("c.example"), return_exceptions=True)
    assert await failing(resolver, "a.example") is Owner.RECEIVER
    assert await failing(resolver, "b.example") is Owner.RECEIVER
    clock.move(int(dns.WINDOW_S * 1000) + 1)
    await failing(resolver, "a.example")
    assert await failing(resolver, "b.example") is Owner.PATH


async def test_closing_ends_look_ups():
    """Closing leaves no look-up behind and closes the service."""
    names = ScriptedNames()
    names.gate.clear()
    resolver, _ = resolver_of(names)
    asker = asyncio.ensure_future(resolver.resolve("a.example"))
    await settle()
    await resolver.close()
    await asyncio.wait({asker})
    assert names.running == 0
    assert names.is_closed
