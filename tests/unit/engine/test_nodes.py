"""A node among others, against a register in memory: leases, who is taken for dead, shares, changes made elsewhere."""

from types import SimpleNamespace

import msgspec
import pytest

from hookspan.domain.records import Webhook
from hookspan.domain.states import Order, WebhookStatus
from hookspan.engine.lane import Lane, Share
from hookspan.engine.nodes import Following, Node, Watch, trust_window_least_s
from hookspan.engine.options import EngineOptions
from hookspan.engine.roll_out import RollOut
from hookspan.errors import HookspanError, StoreUnavailable
from hookspan.ids import SLOTS, IdMaker, to_text
from hookspan.store.contract import NodeSeen
from hookspan.telemetry import Counters
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

OPTIONS = EngineOptions(trust_window_s=30.0, beat_interval_s=2.0)


class Register:
    """The store as far as nodes go."""

    is_shared = True

    def __init__(self) -> None:
        self.counters: dict[int, int] = {}
        self.delivering: set[int] = set()
        self.windows: dict[int, int | None] = {}
        self.made = 0
        self.freed = 0
        self.swept = 0
        self.is_away = False
        self.versions: dict[int, int] = {}
        self.asked: list[int] = []
        self.settled: list[int] = []
        self.settles_in = 0  # tries
        self.beats_after_the_look: int | None = None
        self.profiles: object = None

    async def register_node(self, _now_ms, *, delivers=True, profiles=None, trust_window_ms=None):
        self._reached()
        self.windows[self.made + 1] = trust_window_ms
        self.profiles = profiles
        self.made += 1
        self.counters[self.made] = 0
        if delivers:
            self.delivering.add(self.made)
        return self.made

    async def settle_profiles(self, node, _now_ms):
        self._reached()
        self.settles_in -= 1
        if self.settles_in > 0:
            raise StoreUnavailable("the database went away")
        self.settled.append(node)
        return []

    async def beat(self, node):
        self._reached()
        if node not in self.counters:
            return False
        self.counters[node] += 1
        return True

    async def nodes(self):
        self._reached()
        seen = [
            NodeSeen(ident, count, ident in self.delivering, self.windows[ident])
            for ident, count in sorted(self.counters.items())
        ]
        if self.beats_after_the_look is not None:
            await self.beat(self.beats_after_the_look)
        return seen

    async def deregister_node(self, node, _now_ms, *, counter):
        self._reached()
        if self.counters.get(node) != counter:
            return None
        del self.counters[node]
        return 7

    async def free_orphans(self, _now_ms):
        self.swept += 1
        return 0

    async def unheld(self, _node, _limit):
        return []

    async def versions_of(self, idents):
        self.asked.append(len(idents))
        return {ident: self.versions[ident] for ident in idents if ident in self.versions}

    def _reached(self) -> None:
        if self.is_away:
            raise StoreUnavailable("the database is away")


class Dispatcher:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.until_ms = 0
        self.lent_until_ms = 0
        self.dropped = 0
        self.is_in_doubt = False
        self.held: dict[int, int] = {}

    def renew(self, trusted_until_ms, lent_until_ms) -> None:
        self.until_ms = trusted_until_ms
        self.lent_until_ms = lent_until_ms

    def drop_claims(self) -> None:
        self.dropped += 1


class Recorder:
    """Keeps how many nodes were registered when it was asked to write what is known."""

    waiting = 3

    def __init__(self, register: Register) -> None:
        self.flushed: list[int] = []
        self._register = register
        self.error: HookspanError | None = None

    async def flush(self, time_max_s: float) -> None:
        assert 0 < time_max_s < 10
        self.flushed.append(self._register.made)
        if self.error is not None:
            raise self.error


class Intake:
    on_node_gone = None


class World:
    def __init__(self, options=OPTIONS) -> None:
        self.clock = VirtualClock()
        self.register = Register()
        self.dispatcher = Dispatcher()
        self.ids = IdMaker(self.clock)
        self.recorder = Recorder(self.register)
        roll_out = RollOut(self.register, self.dispatcher, self.clock, options, {"p": "h"})  # type: ignore[arg-type]
        self.node = Node(
            self.register,  # type: ignore[arg-type]
            self.dispatcher,  # type: ignore[arg-type]
            self.recorder,  # type: ignore[arg-type]
            Intake(),  # type: ignore[arg-type]
            self.clock,
            self.ids,
            options,
            roll_out,
        )
        self.registered: list[int] = []
        self.node.on_registered = self.registered.append
        self.node.on_freed = lambda: None
        self.counters = Counters()
        self.watch = Watch(
            self.register,  # type: ignore[arg-type]
            self.clock,
            options,
            self.counters,
            lambda: self.node.id,
            roll_out,
        )
        self.counted: list[int] = []
        self.freed = 0
        self.watch.on_count = self.counted.append
        self.watch.on_freed = self._free

    def _free(self) -> None:
        self.freed += 1

    @property
    def lease_ms(self) -> int:
        return self.dispatcher.until_ms - self.clock.now_ms()

    @property
    def lent_ms(self) -> int:
        return self.dispatcher.lent_until_ms - self.clock.now_ms()

    async def look_for(self, seconds: int, *, beats: bool = True) -> None:
        """Time passes; this node beats and looks as it would, each two seconds."""
        for _ in range(seconds // 2):
            self.clock.move(2_000)
            if beats:
                await self.node.turn()
            await self.watch.turn()


@pytest.fixture
async def world() -> World:
    world = World()
    await world.node.register()
    await world.watch.turn()
    return world


# --- the lease


async def test_a_lease_ends_when_another_may_take_over(world: World) -> None:
    """For the trust window from its beat on nobody can have watched it stand still for so long; a third of that is lent
    to what may last longer.
    """
    assert (world.lease_ms, world.lent_ms) == (30_000, 10_000)
    world.clock.move(10_000)
    await world.node.turn()
    assert (world.lease_ms, world.lent_ms) == (30_000, 10_000)


async def test_a_beat_that_is_not_answered_renews_nothing(world: World) -> None:
    """The lease goes by when it was last proven, not by when it was last tried."""
    until_ms = world.dispatcher.until_ms
    world.register.is_away = True
    with pytest.raises(StoreUnavailable):
        await world.node.turn()
    assert world.dispatcher.until_ms == until_ms


@pytest.mark.parametrize(("timeout_s", "window_s"), [(15, 23), (60, 90), (20, 30), (2, 3), (1, 2)])
def test_a_window_has_room_for_the_slowest_request(timeout_s: float, window_s: int) -> None:
    """Sent in the last moment that is lent, it has ended when the window has."""
    assert trust_window_least_s(timeout_s) == window_s
    assert window_s / 3 + timeout_s <= window_s


async def test_a_short_window_has_more_beats() -> None:
    """Six of them, so that one that is lost takes no lease away."""
    world = World(EngineOptions(trust_window_s=6.0))
    await world.node.register()
    assert (world.lease_ms, world.lent_ms) == (6_000, 2_000)
    assert await world.node.turn() == 1.0


async def test_a_node_that_was_taken_out_registers_anew(world: World) -> None:
    """Under another id, with nothing in hand, and making ids that no other can make."""
    before = world.ids.make()
    del world.register.counters[1]
    await world.node.turn()
    assert world.registered == [1, 2]
    assert world.dispatcher.dropped == 1
    after = world.ids.make()
    assert after > before
    assert after >> 11 & (SLOTS - 1) == 2


@pytest.mark.parametrize("error", [None, StoreUnavailable("the database is away")])
async def test_what_is_known_is_recorded_before_a_new_registration(world: World, error: HookspanError | None) -> None:
    """Others may not have claimed it yet; and a write that fails does not keep the node out of the register."""
    world.recorder.error = error
    await world.node.turn()
    assert world.recorder.flushed == []
    del world.register.counters[1]
    await world.node.turn()
    assert world.recorder.flushed == [1]
    assert world.registered == [1, 2]


@pytest.mark.parametrize("is_taken_out", [False, True])
async def test_a_registration_that_failed_half_way_is_gone_on_with(world: World, is_taken_out: bool) -> None:
    """No node is left in the register that nobody is; one that others took out meanwhile begins once more."""
    del world.register.counters[1]
    world.register.settles_in = 3
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await world.node.turn()
    assert list(world.register.counters) == [2]
    assert world.registered == [1]
    if is_taken_out:
        del world.register.counters[2]
    await world.node.turn()
    last = 3 if is_taken_out else 2
    assert list(world.register.counters) == [last]
    assert world.registered == [1, last]
    await world.node.turn()
    assert world.registered == [1, last], "it is there"


async def test_a_node_of_a_cell_makes_ids_of_its_own() -> None:
    """Two first nodes of two cells never make the same one."""
    slots = []
    for cell in (0, 3):
        world = World(msgspec.structs.replace(OPTIONS, cell=cell))
        await world.node.register()
        slots.append(world.ids.make() >> 11 & (SLOTS - 1))
    assert slots == [1, 3 * 64 + 1]


def test_ids_go_on_rising_in_a_lower_slot() -> None:
    """Whatever slot a registration leads to."""
    ids = IdMaker(VirtualClock(), slot=900)
    made = [ids.make()]
    for slot in (3, 1_000, 0):
        ids.move_to(slot)
        made += [ids.make(), *ids.make_many(3)]
    assert made == sorted(set(made))
    assert [to_text("x_", one) for one in made] == sorted(to_text("x_", one) for one in made)
    with pytest.raises(ValueError, match="slot 1024"):
        ids.move_to(1_024)


# --- the others


async def test_who_stands_still_is_taken_out(world: World) -> None:
    """After the trust window, not before; it is counted, and what it held is looked for."""
    dead = await world.register.register_node(0)
    await world.watch.turn()
    await world.look_for(28)
    assert dead in world.register.counters
    await world.look_for(4)
    assert dead not in world.register.counters
    assert 1 in world.register.counters, "it beats"
    assert world.counters.nodes_taken_out == 1
    assert world.freed == 1


async def test_who_beats_after_the_last_look_is_not_taken_out(world: World) -> None:
    """It has its lease anew, and sends: nobody may claim what it holds."""
    slow = await world.register.register_node(0)
    await world.watch.turn()
    await world.look_for(28)
    world.register.beats_after_the_look = slow
    await world.look_for(4)
    assert slow in world.register.counters
    assert (world.counters.nodes_taken_out, world.freed) == (0, 0)
    assert world.counted[-1] == 2
    world.register.beats_after_the_look = None
    await world.look_for(34)
    assert slow not in world.register.counters


async def test_looks_that_failed_count_little_of_a_short_window(world: World) -> None:
    """One good look after an outage kills nobody whose window is shorter than the watcher's own looks are apart."""
    quick = await world.register.register_node(0, trust_window_ms=3_000)
    await world.watch.turn()
    world.clock.move(60_000)
    await world.watch.turn()
    assert quick in world.register.counters
    await world.look_for(4)
    assert quick not in world.register.counters


async def test_each_is_watched_by_its_own_window(world: World) -> None:
    """It may differ while it is being changed: who holds its lease for longer is not taken for dead before."""
    assert world.register.windows[1] == 30_000
    quick = await world.register.register_node(0, trust_window_ms=10_000)
    slow = await world.register.register_node(0, trust_window_ms=60_000)
    await world.watch.turn()
    await world.look_for(8)
    assert {quick, slow} <= world.register.counters.keys()
    await world.look_for(4)
    assert quick not in world.register.counters
    await world.look_for(46)
    assert slow in world.register.counters
    await world.look_for(4)
    assert slow not in world.register.counters


async def test_who_beats_now_and_then_stays(world: World) -> None:
    """A slow node is alive: any beat within the window counts."""
    slow = await world.register.register_node(0)
    for _ in range(5):
        await world.look_for(26)
        await world.register.beat(slow)
        await world.look_for(2)
    assert slow in world.register.counters


async def test_time_without_a_look_proves_nothing(world: World) -> None:
    """A database that was away for an hour, or a watcher that was paused, makes nobody dead."""
    other = await world.register.register_node(0)
    await world.watch.turn()
    world.register.is_away = True
    for _ in range(30):
        world.clock.move(120_000)
        with pytest.raises(StoreUnavailable):
            await world.watch.turn()
    world.register.is_away = False
    await world.watch.turn()
    assert other in world.register.counters
    await world.look_for(30)
    assert other not in world.register.counters


async def test_the_time_that_an_answer_takes_proves_nothing(world: World) -> None:
    """What is read may be as old as the question: only what lies between an answer and the next question counts."""
    other = await world.register.register_node(0)
    await world.watch.turn()
    nodes = world.register.nodes

    async def slow():
        found = await nodes()
        world.clock.move(2_000)
        return found

    world.register.nodes = slow  # type: ignore[method-assign]
    await world.look_for(28)
    assert other in world.register.counters
    await world.look_for(2)
    assert other not in world.register.counters


async def test_it_never_takes_itself_out(world: World) -> None:
    """Its own beats may fail while its looks don't; others, or the lease, see to that."""
    await world.look_for(60, beats=False)
    assert 1 in world.register.counters


async def test_profiles_are_settled_before_anything_is_claimed(world: World) -> None:
    """At the registration, before anybody hears of the number; then with each look at the others."""
    assert world.register.profiles == {"p": "h"}
    settled = world.register.settled
    assert settled[0] == 1
    before = len(settled)
    await world.watch.turn()
    assert settled[before:] == [1]
    world.register.counters.clear()
    heard: list[list[int]] = []
    world.node.on_registered = lambda _node: heard.append(list(world.register.settled))
    await world.node.turn()
    assert heard == [[*settled[: before + 1], 2]]


async def test_it_counts_who_delivers(world: World) -> None:
    """Nodes that only take in are not among those who share a webhook's rate."""
    await world.register.register_node(0)
    await world.register.register_node(0, delivers=False)
    await world.watch.turn()
    assert world.counted[-1] == 2
    await world.look_for(32)
    assert world.counted[-1] == 1


async def test_orphans_are_looked_for_now_and_then(world: World) -> None:
    """Who died between taking a node out and freeing its claims left them in nobody's name."""
    await world.look_for(40)
    assert world.register.swept == 2


# --- what a webhook allows, divided


class Entry:
    profile = None
    application = SimpleNamespace(id=1, profile="standard")


def lane(share: Share, **members) -> Lane:
    made = {
        "id": 1, "application_id": 1, "name": None, "url": "https://x.example/", "status": WebhookStatus.ACTIVE,
        "status_reason": None, "events": None, "order": Order.ANY, "rate": None, "concurrency": 10, "event_epoch": None,
        "credentials": (), "position": 0, "version": 1, "failing_since": None, "created_at": 0, "updated_at": 0,
    }  # fmt: skip
    return Lane(Entry(), Webhook(**(made | members)), VirtualClock(), 100, {}, share)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("nodes", "members", "concurrency", "rate", "is_taken"),
    [
        (1, {"rate": 50.0}, 10, 50.0, True),
        (2, {"rate": 50.0}, 5, 25.0, True),
        (3, {}, 3, None, True),
        (11, {}, 10, None, False),  # less than one for each: one node's at a time
        (3, {"rate": 2.0}, 10, 2.0, False),
        (3, {"rate": 3.0}, 3, 1.0, True),
        (1, {"order": Order.FIFO}, 1, None, False),  # of a fifo webhook only a claim tells whether another holds some
    ],
)
def test_nodes_divide_what_a_webhook_allows(nodes, members, concurrency, rate, is_taken) -> None:
    """Together they do what one would; what can't be divided is taken by a claim only."""
    share = Share(is_shared=True)
    share.nodes = nodes
    made = lane(share, **members)
    made.clear_backlog(made.backlog_marks)
    assert (made.concurrency, made.rate) == (concurrency, rate)
    assert made.reserve() is is_taken


def test_alone_nothing_is_divided() -> None:
    """On a database of its own a fifo lane takes at birth what nothing waits before."""
    made = lane(Share(), order=Order.FIFO)
    made.clear_backlog(made.backlog_marks)
    assert made.reserve()


def test_who_only_takes_in_claims_nothing() -> None:
    """Whatever room it would have."""
    made = lane(Share(is_shared=True, delivers=False))
    assert not made.reserve()


# --- changes made elsewhere


class Looks:
    """Pauses that are looked at."""

    count = 0

    async def look(self) -> None:
        self.count += 1


class Known:
    """An index: application id to version."""

    def __init__(self, versions) -> None:
        self.versions = versions
        self.refreshed: list[int] = []

    def __iter__(self):
        for ident, version in self.versions.items():
            entry = Entry()
            entry.application = SimpleNamespace(id=ident)
            entry.version = version  # type: ignore[attr-defined]
            yield entry

    async def refresh(self, ident) -> None:
        self.refreshed.append(ident)


async def test_changes_are_followed() -> None:
    """What has another version, or is gone, is read anew; the rest costs a number each."""
    register, index = Register(), Known(dict.fromkeys(range(12_000), 1))
    register.versions = index.versions | {7: 2}
    del register.versions[9]
    looks = Looks()
    following = Following(register, index, looks, VirtualClock(), OPTIONS)  # type: ignore[arg-type]
    changes: list[int] = []
    following.on_change = lambda: changes.append(1)
    assert await following.turn() == 1.0
    assert index.refreshed == [7, 9]
    assert changes == [1]
    assert register.asked == [5_000, 5_000, 2_000], "in parts, so that no statement is without a bound"
