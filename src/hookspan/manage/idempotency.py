"""Idempotency-Keys: a request that is sent again under its key has its effect once, and gets the first answer again.

A key is taken before anything is done and finished, with the answer, before that is sent. So of many who ask at once
one goes on. What ends without an effect gives its key free; what ends in doubt, or not at all, leaves it taken until
its time is over: whether it had an effect is for a person to look. Publishing does better, see `Store.append`: there
key and events are kept in one transaction, and nothing is ever in doubt.
"""

import re
from typing import Any

import msgspec

from hookspan.clock import Clock
from hookspan.domain.caller import Caller
from hookspan.errors import (
    Fault,
    IdempotencyAnswerGone,
    IdempotencyConflict,
    IdempotencyRunning,
    InvalidRequest,
    RateLimited,
)
from hookspan.store.contract import Store
from hookspan.store.idempotency import KEY_FORCE_MS, KeyState, KeyUse, TakenKey
from hookspan.vault import Vault

KEY_CHARS_MAX = 255
ANSWER_BYTES_MAX = 64 * 1024  # of a larger answer only the status is kept
FULL_RETRY_S = 60
RUNNING_MS_MAX = 300_000  # no request takes longer: what runs for more than that has come to no end

_KEY = re.compile(r"[ -~]{1,255}", re.ASCII)


class Answer(msgspec.Struct, frozen=True):
    """An answer as it is given again. `body` is None where there was no room to keep it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


class Fresh(msgspec.Struct, frozen=True):
    """The first under its key: it goes on, and what becomes of it is to be told: `finish`, `forget` or `interrupt`."""

    key_id: int


class Replay(msgspec.Struct, frozen=True):
    """The first request is done; this is what it was answered."""

    answer: Answer


class Conflict(msgspec.Struct, frozen=True):
    """The key stands for another request."""


class Running(msgspec.Struct, frozen=True):
    """The first request is being done; or it was interrupted (`is_in_doubt`), and nobody knows how far it came."""

    is_in_doubt: bool


class Expired(msgspec.Struct, frozen=True):
    """The key was used, more than 24 hours ago."""


Outcome = Fresh | Replay | Conflict | Running | Expired

_answer_decoder = msgspec.msgpack.Decoder(Answer)


class Idempotency:
    """`begin` a request under a key; then `finish`, `forget` or `interrupt` it."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    def fingerprint(self, caller: Caller, method: str, path: str, body: bytes) -> bytes:
        """What tells a request from others under its key. Made with the encryption key, so that a short secret in the
        body can't be guessed from it. Whose role has changed since gets no answer of before: it may show more.
        """
        head = f"{caller.scope.word}/{caller.role.word} {method} {path}".encode()
        return self._vault.mark(b"%d:%b%b" % (len(head), head, body))

    async def home(self, caller: Caller, named: str | None) -> int:
        """The application that a key belongs to: the one that the request names (by its public id), else the caller's
        own; 0 for the installation. Another one of the same id later has keys of its own.
        """
        public_id = named if named is not None and caller.reaches(named) else caller.application
        found = None if public_id is None else await self._store.get_application(public_id)
        return 0 if found is None else found.id

    def use(
        self, caller: Caller, key: str, fingerprint: bytes, *, application_id: int = 0, is_renewed: bool = True
    ) -> KeyUse:
        """For a store that takes a key itself. Keys are the caller's own: two callers' never meet."""
        now_ms = self._clock.now_ms()
        owner = f"{caller.kind}:{caller.id or ''}"
        return KeyUse(owner, key, fingerprint, now_ms, now_ms - KEY_FORCE_MS if is_renewed else 0, application_id)

    async def begin(
        self, caller: Caller, key: str, fingerprint: bytes, *, application_id: int = 0, is_renewed: bool = True
    ) -> Outcome:
        """Take the key. `is_renewed`: after 24 hours it may stand for another request; else that is Expired, for as
        long as keys are remembered (7 days). Raises RateLimited where the application has too many keys.
        """
        use = self.use(caller, key, fingerprint, application_id=application_id, is_renewed=is_renewed)
        taken = await self._store.take_key(use)
        if taken is None:
            raise RateLimited(
                "The application has too many Idempotency-Keys of the last 24 hours. Nothing was done: send it later, "
                "or without a key.",
                retry_after_s=FULL_RETRY_S,
            )
        if taken.is_fresh:
            return Fresh(taken.id)
        if taken.began_at < use.began_at - KEY_FORCE_MS:
            return Expired()
        if taken.fingerprint != fingerprint:
            return Conflict()
        return _known(taken, use.began_at)

    async def finish(self, fresh: Fresh, answer: Answer) -> None:
        """The request had its effect; `answer` holds no secret (`without_secrets`)."""
        short = msgspec.structs.replace(answer, body=None)
        if answer.body is not None and len(answer.body) > ANSWER_BYTES_MAX:
            answer = short
        kept, short_kept = msgspec.msgpack.encode(answer), msgspec.msgpack.encode(short)
        await self._store.finish_key(fresh.key_id, KeyState.DONE, kept, short=short_kept)

    async def interrupt(self, fresh: Fresh) -> None:
        """Whether the request had an effect is not known."""
        await self._store.finish_key(fresh.key_id, KeyState.INTERRUPTED, None)

    async def forget(self, fresh: Fresh) -> None:
        """The request had no effect: its key is free."""
        await self._store.forget_key(fresh.key_id)


def _known(taken: TakenKey, now_ms: int) -> Outcome:
    if taken.state is KeyState.DONE:
        # Without an answer only where a clock was set forward and back; what it was is not known any more.
        return Expired() if taken.answer is None else Replay(_answer_decoder.decode(taken.answer))
    return Running(taken.state is KeyState.INTERRUPTED or now_ms - taken.began_at > RUNNING_MS_MAX)


def check_key(text: str) -> str:
    """An Idempotency-Key as it was sent. Raises InvalidRequest."""
    if not _KEY.fullmatch(text):
        detail = f"Idempotency-Key must have 1 to {KEY_CHARS_MAX} printable ASCII characters."
        raise InvalidRequest(detail, errors=(Fault("/Idempotency-Key", InvalidRequest.code, detail),))
    return text


def settled(outcome: Outcome) -> Fresh | Answer:
    """Go on, or answer again. Raises IdempotencyConflict; and IdempotencyRunning or IdempotencyAnswerGone where there
    is nothing to answer.
    """
    match outcome:
        case Fresh():
            return outcome
        case Replay(Answer(body=None) as answer):
            raise IdempotencyAnswerGone(
                f"The first request with this Idempotency-Key was done, and answered with {answer.status}; there was "
                "no room to keep that answer. Nothing was done now: look at the object.",
                first_status=answer.status,
            )
        case Replay(answer):
            return answer
        case Running(is_in_doubt=False):
            raise IdempotencyRunning("The first request with this Idempotency-Key is still being answered.")
        case Running():
            raise IdempotencyRunning(
                "The first request with this Idempotency-Key was interrupted, and whether it had an effect is not "
                "known. Look, and if it had none send it with a new key."
            )
        case _:
            raise IdempotencyConflict(
                "This Idempotency-Key was used for another request: another body, path or method, or by "
                "somebody whose role was another then. Nothing was done now."
            )


def without_secrets(body: bytes, paths: tuple[str, ...]) -> bytes:
    """A JSON answer with the members at `paths` ("also_sign.secret") null, where it has them."""
    if not paths:
        return body
    document = msgspec.json.decode(body)
    for path in paths:
        *way, last = path.split(".")
        place: Any = document
        for name in way:
            place = place.get(name) if isinstance(place, dict) else None
        if isinstance(place, dict) and last in place:
            place[last] = None
    return msgspec.json.encode(document)
