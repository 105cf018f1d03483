"""Names to addresses: a bounded cache over c-ares, which works beside the loop and never blocks it.

The hosts file is honoured, since an operator who writes a name there means it, and the address policy applies to
what it says; search domains are not, so that a name is never completed to one of our own network.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

import aiodns
import msgspec
import pycares

from hookspan.clock import Clock
from hookspan.domain.outcome import Owner
from hookspan.egress.address import pack, unmapped

TTL_S_MIN, TTL_S_MAX = 5, 300
NEGATIVE_TTL_S = 5
NAMES_MAX = 10_000
ADDRESSES_MAX = 64  # of one answer: each has to be checked
# A name that answered before must not wait behind names that never do, so each kind has places of its own.
LOOKUPS_MAX = 192
LOOKUPS_OF_KNOWN_NAMES_MAX = 64
QUERY_TIMEOUT_S = 1.5
QUERY_TRIES = 2  # c-ares doubles the timeout each time: 4.5 s in all
LOOKUP_TIMEOUT_S = 6.0  # the same again, by our own clock
WINDOW_S = 30.0  # within which failures of several names are seen together

_NO_SORT = 1 << 7  # ARES_AI_NOSORT of ares.h: pycares has no name for it
# Answers of a DNS that works; everything else is a failure to get an answer.
_NO_SUCH_NAME = frozenset({aiodns.error.ARES_ENODATA, aiodns.error.ARES_ENOTFOUND, aiodns.error.ARES_EBADNAME})


class NameFailed(Exception):
    """A name has no addresses (`is_definite`), or DNS did not say."""

    def __init__(self, message: str, *, is_definite: bool) -> None:
        super().__init__(message)
        self.message = message
        self.is_definite = is_definite


class Answer(msgspec.Struct, frozen=True):
    """Packed addresses in DNS's order, and how long they may be kept."""

    addresses: tuple[bytes, ...]
    ttl_s: int


class NameService(Protocol):
    """What looks names up. Tests bring their own."""

    async def look_up(self, host: str) -> Answer:
        """Raises NameFailed. Bounded in time."""
        ...

    async def close(self) -> None: ...


class CaresNames:
    """The system's DNS servers and hosts file, asked by c-ares. `servers` ("address:port") replace the system's."""

    def __init__(self, servers: Sequence[str] | None = None) -> None:
        self._resolver = aiodns.DNSResolver(
            servers,
            timeout=QUERY_TIMEOUT_S,
            tries=QUERY_TRIES,
            flags=pycares.ARES_FLAG_NOSEARCH | pycares.ARES_FLAG_NOALIASES,
        )

    async def look_up(self, host: str) -> Answer:
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                result = await self._resolver.getaddrinfo(host, type=socket.SOCK_STREAM, flags=_NO_SORT)
        except TimeoutError:
            raise NameFailed("DNS did not answer in time.", is_definite=False) from None
        except aiodns.error.DNSError as error:
            code = error.args[0]
            if code in _NO_SUCH_NAME:
                raise NameFailed("The host name has no address in DNS.", is_definite=True) from None
            raise NameFailed(f"DNS failed: {error.args[1]}.", is_definite=False) from None
        addresses = tuple(pack(node.addr[0].decode("ascii").partition("%")[0]) for node in result.nodes)
        if not addresses:
            raise NameFailed("The host name has no address in DNS.", is_definite=True)
        return Answer(addresses, min(node.ttl for node in result.nodes))

    async def close(self) -> None:
        await self._resolver.close()


class _Entry(msgspec.Struct):
    """What is known of a name: addresses, or why there are none. Kept beyond `fresh_until` as the mark of a name
    that answered before.
    """

    addresses: tuple[bytes, ...]
    failure: NameFailed | None
    fresh_until: float


class Resolver:
    """Look-ups, cached, coalesced and bounded. Knows nothing of what is allowed."""

    def __init__(self, names: NameService, clock: Clock) -> None:
        self._names = names
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._running: dict[str, asyncio.Task[tuple[bytes, ...]]] = {}
        self._places = asyncio.Semaphore(LOOKUPS_MAX)
        self._places_of_known = asyncio.Semaphore(LOOKUPS_OF_KNOWN_NAMES_MAX)
        self._witness = Witness(clock.monotonic)

    async def resolve(self, host: str, *, is_asked_anew: bool = False) -> tuple[bytes, ...]:
        """The addresses of a name, IPv4 and IPv6 in turn. Raises NameFailed. `is_asked_anew` passes by the cache."""
        entry = self._entries.get(host)
        if entry is not None and not is_asked_anew and self._clock.monotonic() < entry.fresh_until:
            self._entries.move_to_end(host)
            if entry.failure is not None:
                raise NameFailed(entry.failure.message, is_definite=entry.failure.is_definite)
            return entry.addresses
        task = self._running.get(host)
        if task is None:
            known = entry is not None and entry.failure is None
            task = self._running[host] = asyncio.create_task(self._look_up(host, is_known=known))
            task.add_done_callback(_mark_as_seen)
        # One asker may give up at its deadline; the look-up goes on for the others and for the cache.
        return await asyncio.shield(task)

    def owner_of_failure(self, host: str) -> Owner:
        """Whose failure it is that this name did not resolve."""
        return self._witness.owner(host)

    def note_silence(self, host: str) -> None:
        """An asker's deadline passed before DNS answered for this name."""
        self._witness.failed(host)

    async def close(self) -> None:
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._names.close()

    async def _look_up(self, host: str, *, is_known: bool) -> tuple[bytes, ...]:
        try:
            async with self._places_of_known if is_known else self._places:
                answer = await self._names.look_up(host)
                if len(answer.addresses) > ADDRESSES_MAX:
                    raise NameFailed(f"The host name has more than {ADDRESSES_MAX} addresses.", is_definite=True)
        except NameFailed as failure:
            self._keep(host, _Entry((), failure, self._clock.monotonic() + NEGATIVE_TTL_S))
            if failure.is_definite:
                self._witness.answered()
            else:
                self._witness.failed(host)
            raise
        finally:
            del self._running[host]
        self._witness.answered()
        addresses = _in_turn(answer.addresses)
        ttl_s = max(TTL_S_MIN, min(answer.ttl_s, TTL_S_MAX))
        self._keep(host, _Entry(addresses, None, self._clock.monotonic() + ttl_s))
        return addresses

    def _keep(self, host: str, entry: _Entry) -> None:
        self._entries[host] = entry
        self._entries.move_to_end(host)
        if len(self._entries) > NAMES_MAX:
            self._entries.popitem(last=False)


class Witness:
    """Tells a dead name from a dead DNS: it is the path's failure when other names get no answer either, and none
    got one, within the same window. "No such name" is an answer.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._answered_at = float("-inf")
        # The last two names that failed are enough to know another one beside any given name.
        self._failures: dict[str, float] = {}

    def answered(self) -> None:
        self._answered_at = self._monotonic()

    def failed(self, host: str) -> None:
        self._failures.pop(host, None)
        self._failures[host] = self._monotonic()
        if len(self._failures) > 2:  # noqa: PLR2004
            del self._failures[next(iter(self._failures))]

    def owner(self, host: str) -> Owner:
        since = self._monotonic() - WINDOW_S
        if self._answered_at >= since:
            return Owner.RECEIVER
        others = (at for name, at in self._failures.items() if name != host)
        return Owner.PATH if any(at >= since for at in others) else Owner.RECEIVER


def _mark_as_seen(task: asyncio.Task[tuple[bytes, ...]]) -> None:
    """Every asker may have left by now; the failure is in the cache, not lost."""
    if not task.cancelled():
        task.exception()


def _in_turn(addresses: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """IPv4 and IPv6 by turns, IPv4 first: a broken IPv6 path then costs no first attempt."""
    plain = list(dict.fromkeys(unmapped(address) for address in addresses))
    fours = [one for one in plain if len(one) == 4]  # noqa: PLR2004
    sixes = [one for one in plain if len(one) != 4]  # noqa: PLR2004
    turns: list[bytes] = []
    for at in range(max(len(fours), len(sixes))):
        turns += fours[at : at + 1] + sixes[at : at + 1]
    return tuple(turns)
