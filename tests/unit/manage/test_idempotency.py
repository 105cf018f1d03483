"""Idempotency-Keys as management tells them: outcomes over time, and what is said of them."""

from pathlib import Path

import msgspec
import pytest

from hookspan.domain.caller import OPERATOR, Caller, Role, Scope
from hookspan.errors import IdempotencyAnswerGone, IdempotencyConflict, IdempotencyRunning, InvalidRequest
from hookspan.ids import IdMaker
from hookspan.manage.idempotency import (
    ANSWER_BYTES_MAX,
    KEY_CHARS_MAX,
    RUNNING_MS_MAX,
    Answer,
    Conflict,
    Expired,
    Fresh,
    Idempotency,
    Replay,
    Running,
    check_key,
    settled,
    without_secrets,
)
from hookspan.store.idempotency import KEY_FORCE_MS
from hookspan.store.sqlite import SqliteStore
from hookspan.vault import Vault
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

ANSWER = Answer(201, (("content-type", "application/json"),), b"{}")


class Room:
    """The part of management, and its clock."""

    def __init__(self, store: SqliteStore, clock: VirtualClock) -> None:
        self.clock = clock
        self.keys = Idempotency(store, Vault(bytes(32)), clock)

    async def begin(self, key: str = "k", body: bytes = b"x", caller: Caller = OPERATOR, **options: bool):
        return await self.keys.begin(caller, key, self.keys.fingerprint(caller, "POST", "/v1/x", body), **options)

    async def fresh(self, key: str = "k") -> Fresh:
        begun = await self.begin(key)
        assert isinstance(begun, Fresh)
        return begun


@pytest.fixture
async def room(tmp_path: Path):
    clock = VirtualClock()
    store = SqliteStore(tmp_path / "x.db", clock=clock, ids=IdMaker(clock))
    await store.open()
    yield Room(store, clock)
    await store.close()


async def test_the_outcomes_of_a_key(room: Room):
    """Fresh, running, done, another's, free again."""
    fresh = await room.fresh()
    assert await room.begin() == Running(is_in_doubt=False)
    await room.keys.finish(fresh, ANSWER)
    assert await room.begin() == Replay(ANSWER)
    assert await room.begin(body=b"y") == Conflict()
    assert isinstance(await room.begin(caller=msgspec.structs.replace(OPERATOR, kind="key", id="key_1")), Fresh)
    other = await room.fresh("other")
    await room.keys.forget(other)
    assert isinstance(await room.begin("other", b"y"), Fresh)


async def test_an_end_that_nobody_knows(room: Room):
    """Interrupted at once where that is told, else when no request can still be running."""
    await room.keys.interrupt(await room.fresh("told"))
    assert await room.begin("told") == Running(is_in_doubt=True)
    await room.fresh("silent")
    room.clock.move(RUNNING_MS_MAX)
    assert await room.begin("silent") == Running(is_in_doubt=False)
    room.clock.move(1)
    assert await room.begin("silent") == Running(is_in_doubt=True)


async def test_after_a_day(room: Room):
    """A key is free for another request, or known to be used up, as the caller asks."""
    await room.keys.finish(await room.fresh(), ANSWER)
    room.clock.move(KEY_FORCE_MS)
    assert await room.begin() == Replay(ANSWER)
    room.clock.move(1)
    assert await room.begin(is_renewed=False) == Expired()
    assert await room.begin(body=b"y", is_renewed=False) == Expired()
    assert isinstance(await room.begin(body=b"y"), Fresh)


async def test_an_answer_is_bounded(room: Room):
    """Of one byte too many only the status is kept."""
    for size, kept in ((ANSWER_BYTES_MAX, b"x" * ANSWER_BYTES_MAX), (ANSWER_BYTES_MAX + 1, None)):
        fresh = await room.fresh(str(size))
        await room.keys.finish(fresh, Answer(201, (), b"x" * size))
        assert await room.begin(str(size)) == Replay(Answer(201, (), kept))


def test_what_is_said():
    """Go on, answer again, or a refusal that says what to do."""
    assert settled(Fresh(1)) == Fresh(1)
    assert settled(Replay(ANSWER)) == ANSWER
    for outcome, kind, words in (
        (Conflict(), IdempotencyConflict, "another request"),
        (Running(is_in_doubt=False), IdempotencyRunning, "still being answered"),
        (Running(is_in_doubt=True), IdempotencyRunning, "send it with a new key"),
        (Replay(Answer(201, (), None)), IdempotencyAnswerGone, "no room to keep"),
    ):
        with pytest.raises(kind, match=words):
            settled(outcome)


def test_keys_are_printable():
    """1 to 255 characters of ASCII."""
    for text in ("a", "x" * KEY_CHARS_MAX, "a b~!"):
        assert check_key(text) == text
    for text in ("", "x" * (KEY_CHARS_MAX + 1), "a\n", "ü", "\x7f", "\x00"):
        with pytest.raises(InvalidRequest):
            check_key(text)


def test_a_fingerprint_tells_requests_apart():
    """Role, method, path and body, with no way to move bytes from one to the other; and keyed."""
    nobody: object = None
    one, two = (Idempotency(nobody, Vault(bytes([key]) * 32), VirtualClock()) for key in (1, 2))  # type: ignore[arg-type]
    given = [
        (OPERATOR, "POST", "/a", b"b"),
        (OPERATOR, "POST", "/ab", b""),
        (OPERATOR, "POST", "/", b"ab"),
        (OPERATOR, "PUT", "/a", b"b"),
        (msgspec.structs.replace(OPERATOR, role=Role.MEMBER), "POST", "/a", b"b"),
        (msgspec.structs.replace(OPERATOR, scope=Scope.APPLICATION), "POST", "/a", b"b"),
    ]
    found = {keys.fingerprint(*each) for keys in (one, two) for each in given}
    assert len(found) == 12
    assert one.fingerprint(*given[0]) == one.fingerprint(*given[0])


def test_secrets_are_taken_out():
    """Where they are, and only there; what has none is kept byte for byte."""
    body = b'{ "secret": "s", "also_sign": {"secret": "t", "profile": "p"}, "url": "u" }'
    assert without_secrets(body, ()) == body
    assert msgspec.json.decode(without_secrets(body, ("secret", "also_sign.secret"))) == {
        "secret": None,
        "also_sign": {"secret": None, "profile": "p"},
        "url": "u",
    }
    for other in (b'{"also_sign":null}', b'{"also_sign":"x"}', b"[]", b"null"):
        assert without_secrets(other, ("secret", "also_sign.secret")) == other
