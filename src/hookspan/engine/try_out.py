"""Tests: one request that a person asks for, to see what the receiver says. It belongs to no delivery."""

from hookspan.clock import Clock
from hookspan.domain.outcome import ErrorCode, Outcome, Owner
from hookspan.domain.records import Attempt, Webhook
from hookspan.domain.states import Cause, VerdictKind
from hookspan.egress import Egress
from hookspan.engine.asked import Left, ask
from hookspan.engine.fair import Shares
from hookspan.engine.index import Index
from hookspan.engine.options import EngineOptions
from hookspan.engine.pausing import Pausing
from hookspan.engine.post import Post, make_post
from hookspan.engine.slow_signing import Signed, SlowSigning
from hookspan.errors import DiskFull, HookspanError, InvalidCredential, NotFound, Overloaded, StoreUnavailable
from hookspan.ids import IdMaker
from hookspan.store.contract import Store
from hookspan.vault import SecretUnreadable, Vault


class TryOut:
    """`send` makes one attempt and keeps it. It counts for nothing: neither for retries nor for what the webhook has
    failed so far.
    """

    def __init__(  # noqa: PLR0913 - the parts that one request needs, each by name
        self,
        *,
        store: Store,
        index: Index,
        egress: Egress,
        vault: Vault,
        signing: SlowSigning,
        clock: Clock,
        ids: IdMaker,
        options: EngineOptions,
        pausing: Pausing,
    ) -> None:
        self._store = store
        self._pausing = pausing
        self._index = index
        self._egress = egress
        self._vault = vault
        self._signing = signing
        self._clock = clock
        self._ids = ids
        self._shares = Shares(
            options.tests_max,
            options.tests_each_max,
            waiting_max=options.tests_waiting_max,
            wait_s=options.tests_wait_s,
            clock=clock,
            refusal="Too many tests are under way. Try again in a moment.",
        )

    async def send(
        self, webhook: Webhook, event_type: str, event_id: int, body: bytes, *, store: Store | None = None
    ) -> Attempt:
        """One request now, whatever the webhook's status, kept in `store` instead of the engine's own where one is
        given. Raises Overloaded when too many are under way, NotFound when its application is gone, StateForbidden
        while it is paused: then nothing was sent; StoreUnavailable when what was sent could not be kept. Whoever leaves
        (is cancelled) ends the request and gives its place to the next; what was sent is kept all the same.
        """
        async with self._shares.place(webhook.application_id):
            attempt, left = await self._attempt(webhook, event_type, event_id, body)
            try:
                await (store or self._store).keep_test(attempt)
            except (Overloaded, DiskFull) as error:
                raise StoreUnavailable(f"The test was sent, but can't be kept: {error.detail}") from error
        if left is not None:
            raise left
        return attempt

    async def _attempt(
        self, webhook: Webhook, event_type: str, event_id: int, body: bytes
    ) -> tuple[Attempt, Left | None]:
        """What is to be kept, and whether whoever asked has left meanwhile."""
        entry = await self._index.find_by_id(webhook.application_id)
        if entry is None:
            raise NotFound("The application was deleted.")
        self._pausing.check(entry.application.id, entry.application.profile)
        attempt_id = self._ids.make()
        now_ms = self._clock.now_ms()
        try:
            post = make_post(entry, webhook, self._egress, self._vault, now_ms)
            signed = await self._signed(post, event_id, body, event_type)
        except (SecretUnreadable, InvalidCredential) as error:
            detail = error.detail if isinstance(error, HookspanError) else "its secret can't be read"
            outcome = _not_sent(now_ms, ErrorCode.INTERNAL, f"The request could not be signed: {detail}")
            return _attempt_of(attempt_id, webhook, b"", body, outcome), None
        except HookspanError as error:  # the operator no longer allows the URL
            outcome = _not_sent(now_ms, ErrorCode.BLOCKED_DESTINATION, error.detail)
            return _attempt_of(attempt_id, webhook, b"", body, outcome), None
        left = None
        try:
            outcome = await ask(
                self._egress,
                post.target,
                post.fixed + signed.lines,
                body,
                application_id=webhook.application_id,
                timeout_ms=post.timeout_ms,
            )
        except Left as error:
            outcome, left = error.outcome, error
        return _attempt_of(attempt_id, webhook, post.shown(signed.lines), body, outcome), left

    async def _signed(self, post: Post, event_id: int, body: bytes, event_type: str) -> Signed:
        if post.is_slow:
            return await self._signing.sign(post, event_id, body, event_type)
        at_ms = self._clock.now_ms()
        return Signed(post.lines(event_id, at_ms, body, event_type), at_ms)


def _not_sent(now_ms: int, error: ErrorCode, message: str) -> Outcome:
    return Outcome(started_at=now_ms, duration_us=0, error=error, error_message=message, owner=Owner.US)


def _attempt_of(ident: int, webhook: Webhook, shown: bytes, body: bytes, outcome: Outcome) -> Attempt:
    error = outcome.error
    return Attempt(
        id=ident,
        delivery_id=None,
        webhook_id=webhook.id,
        event_id=None,
        number=1,
        round=0,
        cause=Cause.TEST,
        webhook_version=webhook.version,
        started_at=outcome.started_at,
        duration_us=outcome.duration_us,
        verdict=VerdictKind.SUCCEEDED if outcome.is_success else VerdictKind.FAILED,
        retry_at=None,
        error=None if error is None else error.value,
        error_message=outcome.error_message,
        remote_address=outcome.remote_address,
        request_headers=shown,
        request_body=body,
        response_status=outcome.status,
        response_headers=outcome.headers,
        response_body=outcome.body,
        response_bytes=outcome.body_bytes,
        previous_attempt_id=None,
    )
