"""The sender: signs one delivery's request and hands it to egress. Nothing here waits, and nothing raises."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import structlog

from hookspan.clock import Clock
from hookspan.domain.outcome import ErrorCode, Outcome, Owner
from hookspan.egress import Egress
from hookspan.engine.lane import Lane
from hookspan.engine.post import Post, make_post
from hookspan.engine.slow_signing import Signed, SlowSigning
from hookspan.errors import HookspanError, InvalidCredential
from hookspan.store.contract import Claimed
from hookspan.vault import Vault

log = structlog.get_logger()

MayLeave = Callable[[Post, int], bool]
"""Whether a request of this post may begin now (ms)."""
Done = Callable[[Lane, Claimed, Post | None, bytes, Outcome], None]
"""Told what came of a request: the post that made it (None: there is none), and the attempt's own header lines."""


class Sender:
    """`post` is how a lane's requests are made, `send` makes one; `done` is told of each exactly once, later.

    Of one that is signed in a thread `may_leave` is asked again when it is ready: where it may not, or was asked for
    before the last `forget`, `unsent` is told.
    """

    def __init__(self, egress: Egress, vault: Vault, signing: SlowSigning, clock: Clock) -> None:
        self._egress = egress
        self._vault = vault
        self._signing = signing
        self._clock = clock
        self._forgotten = 0
        self.done: Done
        self.may_leave: MayLeave
        self.unsent: Callable[[Lane, Claimed], None]

    def post(self, lane: Lane, now_ms: int) -> Post:
        """The lane's post, made anew when its webhook has changed or a secret expired. Raises what `make_post` does."""
        post = lane.post
        if post is None or (post.renew_at is not None and now_ms >= post.renew_at):
            post = lane.post = make_post(lane.entry, lane.webhook, self._egress, self._vault, now_ms)
        return post

    def send(self, lane: Lane, item: Claimed, post: Post, now_ms: int) -> None:
        """Sign and send."""
        if post.is_slow:
            done = partial(self._signed, lane, item, post, self._forgotten)
            self._signing.submit(post, item.event_id, item.body, item.event_type, done)
            return
        try:
            lines = post.lines(item.event_id, now_ms, item.body, item.event_type)
        except Exception as error:  # noqa: BLE001 - whatever it is, the delivery must not be stuck
            self.could_not(lane, item, error)
        else:
            self._hand_over(lane, item, post, lines)

    def forget(self) -> None:
        """The claims of what is being signed hold no more: a lease that comes later is none for these."""
        self._forgotten += 1

    def _signed(self, lane: Lane, item: Claimed, post: Post, forgotten: int, future: Future[Signed]) -> None:
        """Its signature was made in a thread, or could not be."""
        error = future.exception()
        if error is not None:
            self.could_not(lane, item, error)
        elif forgotten == self._forgotten and self.may_leave(post, self._clock.now_ms()):
            self._hand_over(lane, item, post, future.result().lines)
        else:
            self.unsent(lane, item)

    def _hand_over(self, lane: Lane, item: Claimed, post: Post, lines: bytes) -> None:
        try:
            self._egress.send(
                post.target,
                post.fixed + lines,
                item.body,
                application_id=item.application_id,
                timeout_ms=post.timeout_ms,
                done=partial(self.done, lane, item, post, lines),
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the delivery must not be stuck
            self.could_not(lane, item, error)

    def could_not(self, lane: Lane, item: Claimed, error: BaseException) -> None:
        """A failure of ours: the operator no longer allows the URL, or a fault in this program. Tried again later."""
        if isinstance(error, HookspanError) and not isinstance(error, InvalidCredential):
            code, message = ErrorCode.BLOCKED_DESTINATION, error.detail
        else:
            code, message = ErrorCode.INTERNAL, "Sending failed for a reason that is ours; the log has it."
            log.error("sending failed", delivery_id=item.id, exc_info=error)
        now_ms = self._clock.now_ms()
        outcome = Outcome(started_at=now_ms, duration_us=0, error=code, error_message=message, owner=Owner.US)
        # Not from inside the pump: a whole queue failing this way would recurse.
        asyncio.get_running_loop().call_soon(self.done, lane, item, None, b"", outcome)
