"""Who asks: remembered for two seconds, forgotten at once, never remembered as unknown, and bounded."""

import asyncio
from typing import Any

import pytest

from hookspan.domain.caller import OPERATOR, Role, Scope
from hookspan.domain.identity import Key, Person, Session, SessionKind, digest_of
from hookspan.errors import HookspanError, NotAllowed, NotFound, Overloaded, StoreUnavailable, Unauthenticated
from hookspan.ids import KEY_PREFIX, PERSON_PREFIX, SESSION_PREFIX, to_text
from hookspan.manage import callers as room
from hookspan.manage._tokens import KEY_STARTS, PORTAL_START, SESSION_START, new_token
from hookspan.manage.callers import FLUSH_S, FRESH_S, IDLE_END_MS, Callers, caller_of, check_publish
from hookspan.store.identity import Used
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

KEY = to_text(KEY_PREFIX, 1)
OPERATOR_KEY = "hk_op_0123456789abcdef"
PERSON = Person(
    id=3, name="Ada", application_id=7, application="app_x", role=Role.SUPPORT, created_at=0, last_seen_at=None
)


def a_key(ident: int = 1, scope: Scope = Scope.APPLICATION, application: str | None = "app_x") -> Key:
    return Key(
        id=ident,
        name="shop",
        scope=scope,
        application_id=None if application is None else 7,
        application=application,
        role=Role.ADMIN,
        hint="abcd",
        created_at=0,
        last_used_at=None,
    )


def a_session(person: Person | None, expires_at: int, ends_at: int = 1 << 50) -> Session:
    return Session(
        id=2,
        kind=SessionKind.PORTAL if person is None else SessionKind.PERSON,
        person=person,
        application_id=7,
        application="app_x",
        role=Role.ADMIN if person is None else person.role,
        origin=None,
        address=None,
        created_at=0,
        last_seen_at=None,
        expires_at=expires_at,
        ends_at=ends_at,
    )


class Identities:
    """A store with a few tokens; counts the looks, and can hold them back."""

    def __init__(self) -> None:
        self.kept: dict[bytes, Key | Session] = {}
        self.looks = 0
        self.gate: asyncio.Event | None = None
        self.error: HookspanError | None = None
        self.marked: list[tuple[dict[int, int], dict[int, Used]]] = []
        self.over = 0

    async def find_identity(self, digest: bytes, now_ms: int) -> Key | Session | None:
        self.looks += 1
        found = self.kept.get(digest)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        is_over = isinstance(found, Session) and found.expires_at <= now_ms
        return None if is_over else found

    async def mark_used(self, keys: dict[int, int], sessions: dict[int, Used]) -> None:
        if self.error is not None:
            raise self.error
        self.marked.append((keys, sessions))

    async def drop_sessions(self, _now_ms: int, limit: int) -> int:
        done = min(limit, self.over)
        self.over -= done
        return done


class Ring:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.store = Identities()
        store: Any = self.store
        self.callers = Callers(store, OPERATOR_KEY, self.clock)

    def keep(self, found: Key | Session, start: str = KEY_STARTS[Scope.APPLICATION]) -> bytes:
        token = new_token(start)
        self.store.kept[token.digest] = found
        return token.text.encode()


@pytest.fixture
def ring() -> Ring:
    return Ring()


async def refused(callers: Callers, raw: bytes) -> None:
    with pytest.raises(Unauthenticated):
        await callers.find(raw)


async def test_the_operator_key_is_known_without_a_look(ring: Ring) -> None:
    """At once, and always."""
    assert ring.callers.known(OPERATOR_KEY.encode()) is OPERATOR
    assert await ring.callers.find(OPERATOR_KEY.encode()) is OPERATOR
    assert ring.store.looks == 0


def test_there_must_be_an_operator_key(ring: Ring) -> None:
    """An empty one would let in whoever sends nothing."""
    nobody: Any = ring.store
    with pytest.raises(ValueError, match="operator key"):
        Callers(nobody, "", ring.clock)


async def test_a_key_is_looked_for_every_two_seconds(ring: Ring) -> None:
    """Known from the first look on, and stale exactly FRESH_S after it began."""
    raw = ring.keep(a_key())
    assert ring.callers.known(raw) is None
    caller = await ring.callers.find(raw)
    assert (caller.kind, caller.name, caller.application, caller.role) == ("key", "shop", "app_x", Role.ADMIN)
    ring.clock.move(int(FRESH_S * 1000) - 1)
    assert ring.callers.known(raw) == caller
    assert await ring.callers.find(raw) == caller
    assert ring.store.looks == 1
    ring.clock.move(1)
    assert ring.callers.known(raw) is None
    assert await ring.callers.find(raw) == caller
    assert ring.store.looks == 2


async def test_a_revocation_elsewhere_counts_in_two_seconds(ring: Ring) -> None:
    """And here at once."""
    raw = ring.keep(a_key())
    await ring.callers.find(raw)
    kept = ring.store.kept.pop(digest_of(raw))
    assert await ring.callers.find(raw)
    ring.clock.move(2_000)
    await refused(ring.callers, raw)
    assert ring.callers._known == {}
    ring.store.kept[digest_of(raw)] = kept
    await ring.callers.find(raw)
    del ring.store.kept[digest_of(raw)]
    ring.callers.forget(KEY)
    assert ring.callers.known(raw) is None
    await refused(ring.callers, raw)


async def test_no_is_not_remembered(ring: Ring) -> None:
    """A key that was made a moment later is known at once, and unknown ones fill no memory."""
    token = new_token(KEY_STARTS[Scope.OPERATOR])
    await refused(ring.callers, token.text.encode())
    assert ring.callers._known == {}
    ring.store.kept[token.digest] = a_key()
    assert await ring.callers.find(token.text.encode())


@pytest.mark.parametrize(
    "raw",
    [b"", b"wrong", b"hk_app_", b"hk_app_" + b"0" * 44, b"hk_app_" + b"A" * 43, b"\xff" * 51, b"hk_op_\0" + b"A" * 44],
)
async def test_what_is_no_token_is_refused_unlooked(ring: Ring, raw: bytes) -> None:
    """Noise costs the store nothing."""
    await refused(ring.callers, raw)
    assert ring.store.looks == 0


async def test_the_refusal_is_the_same_for_all(ring: Ring) -> None:
    """Never made, revoked, or no token at all: one text."""
    texts = set()
    for raw in (b"wrong", new_token(KEY_STARTS[Scope.OPERATOR]).text.encode()):
        with pytest.raises(Unauthenticated) as caught:
            await ring.callers.find(raw)
        texts.add(caught.value.detail)
        assert raw.decode() not in caught.value.detail
    assert len(texts) == 1


async def test_looks_for_one_token_are_shared(ring: Ring) -> None:
    """A hundred connections whose key has gone stale are one look."""
    raw = ring.keep(a_key())
    ring.store.gate = asyncio.Event()
    waiting = [asyncio.ensure_future(ring.callers.find(raw)) for _ in range(100)]
    await asyncio.sleep(0)
    ring.store.gate.set()
    assert {caller.name for caller in await asyncio.gather(*waiting)} == {"shop"}
    assert ring.store.looks == 1


async def test_who_leaves_does_not_take_the_look_along(ring: Ring) -> None:
    """Others who wait for it look again; and one of those who wait may leave as well."""
    raw = ring.keep(a_key())
    ring.store.gate = asyncio.Event()
    first, second, third = [asyncio.ensure_future(ring.callers.find(raw)) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    third.cancel()
    await asyncio.gather(first, third, return_exceptions=True)
    ring.store.gate.set()
    assert (await second).name == "shop"
    assert ring.callers._looks == {}


async def test_an_error_is_told_to_all_who_wait(ring: Ring) -> None:
    """And the next one looks again."""
    raw = ring.keep(a_key())
    ring.store.gate = asyncio.Event()
    ring.store.error = StoreUnavailable()
    waiting = [asyncio.ensure_future(ring.callers.find(raw)) for _ in range(3)]
    await asyncio.sleep(0)
    ring.store.gate.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in outcomes] == [StoreUnavailable] * 3
    ring.store.error = None
    assert await ring.callers.find(raw)


async def test_a_look_that_began_before_a_revocation_is_not_remembered(ring: Ring) -> None:
    """Nor shared with who comes after it."""
    raw = ring.keep(a_key())
    gate = ring.store.gate = asyncio.Event()
    before = asyncio.ensure_future(ring.callers.find(raw))
    await asyncio.sleep(0)
    del ring.store.kept[digest_of(raw)]
    ring.callers.forget(KEY)
    ring.store.gate = None
    after = asyncio.ensure_future(refused(ring.callers, raw))
    await asyncio.sleep(0)
    gate.set()
    assert (await before).name == "shop"  # it was there when it was asked
    await after
    assert ring.callers.known(raw) is None


@pytest.mark.parametrize("name", [KEY, to_text(PERSON_PREFIX, 3), to_text(SESSION_PREFIX, 2), "app_x"])
async def test_only_those_are_forgotten_whose_rights_changed(ring: Ring, name: str) -> None:
    """By the key, the person, the session or the application; another tenant's cached caller stays, without a look."""
    mine = {
        KEY: ring.keep(a_key(1)),
        "person": ring.keep(a_session(PERSON, 1 << 50), SESSION_START),
    }
    other = ring.keep(a_key(9, application="app_other"))
    for raw in (*mine.values(), other):
        await ring.callers.find(raw)
    looks = ring.store.looks
    ring.callers.forget(name)
    gone = {KEY: {KEY}, "app_x": {KEY, "person"}}.get(name, {"person"})
    assert {one for one, raw in mine.items() if ring.callers.known(raw) is None} == gone
    assert await ring.callers.find(other) is ring.callers.known(other)
    assert ring.store.looks == looks


async def test_another_tenants_look_is_kept_and_shared_though_somebody_was_forgotten(ring: Ring) -> None:
    """Who makes and revokes keys all day costs nobody else a look."""
    raw = ring.keep(a_key(9, application="app_other"))
    ring.store.gate = asyncio.Event()
    first = asyncio.ensure_future(ring.callers.find(raw))
    await asyncio.sleep(0)
    for _ in range(room.FORGOTTEN_MAX):
        ring.callers.forget(KEY)
    second = asyncio.ensure_future(ring.callers.find(raw))
    await asyncio.sleep(0)
    ring.store.gate.set()
    assert await first == await second == ring.callers.known(raw)
    assert ring.store.looks == 1


async def test_a_look_that_missed_too_much_is_not_kept(ring: Ring) -> None:
    """Beyond FORGOTTEN_MAX names nobody knows any more whom they were of."""
    raw = ring.keep(a_key(9, application="app_other"))
    ring.store.gate = asyncio.Event()
    look = asyncio.ensure_future(ring.callers.find(raw))
    await asyncio.sleep(0)
    for _ in range(room.FORGOTTEN_MAX + 1):
        ring.callers.forget(KEY)
    ring.store.gate.set()
    assert await look
    assert ring.callers.known(raw) is None


async def test_looks_are_bounded(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers who send many different tokens are told to come again; what is known goes on."""
    monkeypatch.setattr(room, "LOOKS_MAX", 2)
    known = ring.keep(a_key())
    await ring.callers.find(known)
    ring.store.gate = asyncio.Event()
    guesses = [new_token(KEY_STARTS[Scope.OPERATOR]).text.encode() for _ in range(3)]
    waiting = [asyncio.ensure_future(ring.callers.find(raw)) for raw in guesses[:2]]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await ring.callers.find(guesses[2])
    assert await ring.callers.find(known)
    ring.clock.move(2_000)
    again = asyncio.ensure_future(ring.callers.find(known))  # gone stale, and yet not turned away
    await asyncio.sleep(0)
    ring.store.gate.set()
    assert (await again).name == "shop"
    assert {type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)} == {Unauthenticated}


async def test_memory_is_bounded(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest look is forgotten; a mark beyond the bound waits for the next look."""
    monkeypatch.setattr(room, "REMEMBERED_MAX", 3)
    tokens = [ring.keep(a_key(number)) for number in range(5)]
    for raw in tokens:
        await ring.callers.find(raw)
    assert [ring.callers.known(raw) is not None for raw in tokens] == [False, False, True, True, True]
    assert len(ring.callers._used_keys) == 3
    assert ring.callers.wake.is_set()


async def test_a_session_ends_on_time(ring: Ring) -> None:
    """Though it is remembered: never beyond its end."""
    raw = ring.keep(a_session(None, ring.clock.now_ms() + 500), PORTAL_START)
    caller = await ring.callers.find(raw)
    assert (caller.kind, caller.application, caller.scope) == ("portal", "app_x", Scope.APPLICATION)
    ring.clock.move(499)
    assert ring.callers.known(raw) == caller
    ring.clock.move(1)
    assert ring.callers.known(raw) is None
    await refused(ring.callers, raw)


async def test_uses_are_kept_now_and_then(ring: Ring) -> None:
    """One write for all, in a turn; a person's session lives on by it, a portal session does not."""
    key = ring.keep(a_key(1))
    person = ring.keep(
        a_session(PERSON, ring.clock.now_ms() + 5_000, ring.clock.now_ms() + IDLE_END_MS + 9), SESSION_START
    )
    for raw in (key, person):
        await ring.callers.find(raw)
    now_ms = ring.clock.now_ms()
    assert await ring.callers.turn() == FLUSH_S
    assert ring.store.marked == [({1: now_ms}, {2: Used(at=now_ms, expires_at=now_ms + IDLE_END_MS)})]
    assert await ring.callers.turn() == FLUSH_S
    assert ring.store.marked[1] == ({}, {})
    portal = ring.keep(a_session(None, now_ms + 700, now_ms + 700), PORTAL_START)
    await ring.callers.find(portal)
    await ring.callers.turn()
    assert ring.store.marked[2] == ({}, {2: Used(at=now_ms, expires_at=now_ms + 700)})


async def test_what_is_over_is_dropped_in_parts(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn by turn without a pause while there is more."""
    monkeypatch.setattr(room, "DROPPED_MAX", 10)
    ring.store.over = 25
    assert [await ring.callers.turn() for _ in range(3)] == [0.0, 0.0, FLUSH_S]


async def test_a_store_that_fails_costs_the_marks_only(ring: Ring) -> None:
    """The turn fails, as a duty's may; the next one goes on."""
    await ring.callers.find(ring.keep(a_key()))
    ring.store.error = StoreUnavailable()
    with pytest.raises(StoreUnavailable):
        await ring.callers.turn()
    ring.store.error = None
    assert await ring.callers.turn() == FLUSH_S


def test_whom_a_token_speaks_for() -> None:
    """Ids of the kind that the audit log names; the reach and role of the person, whatever the session says."""
    assert caller_of(a_key(scope=Scope.PUBLISHER, application=None)).application is None
    someone = caller_of(a_session(PERSON, 0))
    assert (someone.kind, someone.name, someone.role, someone.scope) == (
        "person",
        "Ada",
        Role.SUPPORT,
        Scope.APPLICATION,
    )
    assert someone.id is not None
    assert someone.id.startswith("per_")
    portal = caller_of(a_session(None, 0))
    assert portal.id is not None
    assert portal.id.startswith("ses_")


def test_who_may_publish() -> None:
    """Publishers within their reach and the operator; another application is not found, in the usual words."""
    check_publish(OPERATOR, "app_x")
    check_publish(caller_of(a_key(scope=Scope.PUBLISHER, application=None)), "app_x")
    check_publish(caller_of(a_key(scope=Scope.PUBLISHER)), "app_x")
    with pytest.raises(NotFound, match=r"There is no application 'app_y' within reach of this key\."):
        check_publish(caller_of(a_key(scope=Scope.PUBLISHER)), "app_y")
    with pytest.raises(NotFound):
        check_publish(caller_of(a_key()), "app_y")
    with pytest.raises(NotAllowed, match="publishers' keys may publish events"):
        check_publish(caller_of(a_key()), "app_x")
    with pytest.raises(NotAllowed):
        check_publish(caller_of(a_session(None, 0)), "app_x")


def test_a_token_does_not_show_itself() -> None:
    """In a log or a traceback: only what may be shown for ever."""
    token = new_token(KEY_STARTS[Scope.OPERATOR])
    assert token.text[:-4] not in repr(token)
    assert token.text.endswith(token.hint)
    assert len(token.text) == len("hk_op_") + 44
    assert new_token("").text != new_token("").text
