"""Notices: telling an application's people when a webhook fails, stalls, is disabled, recovers.

Two duties around the store, nothing on the hot path. The finder compares each webhook's condition with the one that was
noticed last; the condition and what was noticed are both kept, so a crash loses no change and tells none twice. The
sender takes notices that are due, one node each, through the one way out.
"""

import asyncio
import base64
import hmac
from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec
import structlog

from hookspan.clock import Clock
from hookspan.domain.notice import (
    FAILING_MS,
    RETRY_DELAYS_MS,
    NoticeKind,
    NoticeOutcome,
    Watched,
    body_of,
    kind_due,
)
from hookspan.domain.outcome import ErrorCode, Outcome, Owner
from hookspan.domain.pause import Pauses
from hookspan.domain.records import Webhook
from hookspan.egress import Egress
from hookspan.engine.asked import ask
from hookspan.engine.duty import Duty
from hookspan.engine.fair import Shares
from hookspan.engine.index import Entry, Index
from hookspan.errors import BlockedDestination, HookspanError, NotFound
from hookspan.ids import IdMaker, first_id_at, to_text
from hookspan.mail_address import MAILTO
from hookspan.store.contract import Store
from hookspan.store.notices import NewNotice, Outgoing
from hookspan.telemetry import Counters
from hookspan.vault import Vault

NOTICE_PREFIX: Final = "ntc_"
NOTIFY_TIMEOUT_MS: Final = 10_000
TRIES_AT_ONCE_MAX: Final = 8
TRIES_EACH_MAX: Final = 2  # of one application
TRIES_WAITING_MAX: Final = 32
TRIES_WAIT_S: Final = 10.0
KEPT_MS: Final = 90 * 86_400_000
_PURPOSE: Final = "notify"

log = structlog.get_logger()


def signing_key(vault: Vault, application_id: int) -> bytes:
    """What an application's notices are signed with."""
    return vault.derive(_PURPOSE, application_id=application_id)


def signing_secret(vault: Vault, application_id: int) -> str:
    """The same as its receiver is told it."""
    return "whsec_" + base64.b64encode(signing_key(vault, application_id)).decode()


class Letters(Protocol):
    """The operator's mail server, `hookspan.egress.mail`."""

    async def send(self, to: str, subject: str, text: str) -> Outcome: ...


class _LetterData(msgspec.Struct, frozen=True):
    application_id: str
    sentence: str


class _Letter(msgspec.Struct, frozen=True):
    """What a letter takes of a notice."""

    type: str
    timestamp: str
    data: _LetterData


class Courier:
    """`carry` sends one notice: to a URL, signed as Standard Webhooks has it, or by mail where the operator has set a
    mail server (`mail`).
    """

    def __init__(self, egress: Egress, vault: Vault, clock: Clock, mail: Letters | None) -> None:
        self.mail = mail
        self._egress = egress
        self._vault = vault
        self._clock = clock
        self._tries = Shares(
            TRIES_AT_ONCE_MAX,
            TRIES_EACH_MAX,
            waiting_max=TRIES_WAITING_MAX,
            wait_s=TRIES_WAIT_S,
            clock=clock,
            refusal="Too many tests are under way. Try again in a moment.",
        )

    async def try_out(self, entry: Entry | None, url: str, ident: int, body: bytes) -> Outcome:
        """As `carry`, because a person asks. Raises NotFound without the application, Overloaded when too many are
        under way. Whoever leaves ends the request.
        """
        if entry is None:
            raise NotFound("The application was deleted.")
        async with self._tries.place(entry.application.id):
            return await self.carry(entry, url, ident, body)

    async def carry(self, entry: Entry, url: str, ident: int, body: bytes) -> Outcome:
        """One request, or letter. What the operator's rules refuse is an outcome too."""
        if url.startswith(MAILTO):
            return await self._write(url.removeprefix(MAILTO), body)
        try:
            target = self._egress.target(url, https_required=entry.profile.rules.https == "required")
        except HookspanError as error:
            return _refused(self._clock.now_ms(), error)
        return await ask(
            self._egress,
            target,
            self._headers(entry.application.id, ident, body),
            body,
            application_id=entry.application.id,
            timeout_ms=NOTIFY_TIMEOUT_MS,
        )

    async def _write(self, address: str, body: bytes) -> Outcome:
        if self.mail is None:
            error = BlockedDestination("The operator has set no mail server.")
            return _refused(self._clock.now_ms(), error)
        notice = msgspec.json.decode(body, type=_Letter)
        # Names that people have given stay out of the header.
        subject = f"[Hookspan] {notice.type} in {notice.data.application_id}"
        text = f"{notice.data.sentence}\n\nAt {notice.timestamp}, about application {notice.data.application_id}.\n"
        return await self.mail.send(address, subject, text)

    def _headers(self, application_id: int, ident: int, body: bytes) -> bytes:
        name = to_text(NOTICE_PREFIX, ident).encode()
        at_s = b"%d" % (self._clock.now_ms() // 1000)
        key = signing_key(self._vault, application_id)
        signature = base64.b64encode(hmac.digest(key, b"%b.%b.%b" % (name, at_s, body), "sha256"))
        return (
            b"content-type: application/json\r\nwebhook-id: %b\r\nwebhook-timestamp: %b\r\nwebhook-signature: v1,%b\r\n"
            % (name, at_s, signature)
        )


def _refused(now_ms: int, error: HookspanError) -> Outcome:
    return Outcome(
        started_at=now_ms,
        duration_us=0,
        error=ErrorCode.BLOCKED_DESTINATION,
        error_message=error.detail,
        owner=Owner.US,
    )


def _origin(url: str) -> str:
    """Scheme, host and port of a URL that was accepted: it has no user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class NoticeFinder(Duty):
    """Makes notices of webhooks whose condition is another than was noticed, a bounded number of them a turn."""

    name = "notice-finder"
    INTERVAL_S = 10.0
    LOOK_MAX = 200

    def __init__(
        self,
        store: Store,
        index: Index,
        ids: IdMaker,
        clock: Clock,
        counters: Counters,
        obeyed_ms: Callable[[], int | None],
        pauses: Callable[[], Pauses],
    ) -> None:
        """`obeyed_ms`: the time by which what is old is dropped, retention's own."""
        super().__init__(clock)
        self._store = store
        self._index = index
        self._ids = ids
        self._counters = counters
        self._obeyed_ms = obeyed_ms
        self._pauses = pauses
        self._after = 0  # the webhook that the present pass came to
        self.on_notice: Callable[[], None]

    async def turn(self) -> float:
        now_ms = self._clock.now_ms()
        found = await self._store.watched(now_ms - FAILING_MS, self._after, self.LOOK_MAX)
        for watched in found:
            kind = kind_due(watched, now_ms)
            if kind is not None:
                await self._find(kind, watched, now_ms)
        is_full = len(found) >= self.LOOK_MAX
        self._after = found[-1].webhook.id if is_full else 0
        if is_full:
            return 0
        await self._drop()
        return self.INTERVAL_S

    async def _find(self, kind: NoticeKind, watched: Watched, now_ms: int) -> None:
        webhook = watched.webhook
        entry = await self._index.find_by_id(webhook.application_id)
        if entry is None:  # the application was deleted
            return
        if kind is NoticeKind.FAILING and self._has_rested(entry, webhook, now_ms):
            return
        await self._make(entry, kind, watched, now_ms)

    def _has_rested(self, entry: Entry, webhook: Webhook, now_ms: int) -> bool:
        """Whether a pause is why it has not succeeded for so long: it could not show that it is well."""
        pauses, application = self._pauses(), entry.application
        if pauses.of(application.id, application.profile) is not None:
            return True
        ended_at = pauses.ended_at(application.id, application.profile)
        return ended_at is not None and now_ms - max(ended_at, webhook.failing_since or 0) < FAILING_MS

    async def _make(self, entry: Entry, kind: NoticeKind, watched: Watched, now_ms: int) -> None:
        webhook = watched.webhook
        body = body_of(
            kind,
            watched,
            application_id=entry.application.public_id,
            webhook_id=to_text(entry.profile.webhook_prefix, webhook.id),
            origin=_origin(webhook.url),
            now_ms=now_ms,
        )
        new = NewNotice(
            id=self._ids.make(),
            application_id=webhook.application_id,
            webhook_id=webhook.id,
            kind=kind,
            was=watched.noticed,
            body=body,
            created_at=now_ms,
            has_url=watched.notify is not None,
        )
        dropped = await self._store.add_notice(new)
        if dropped is None:
            return
        self._counters.notices_by_outcome["made"] += 1
        self._counters.notices_by_outcome["dropped"] += dropped
        log.info("notice made", kind=kind.type, webhook_id=webhook.id)
        if new.has_url:
            self.on_notice()

    async def _drop(self) -> None:
        obeyed_ms = self._obeyed_ms()
        if obeyed_ms is not None:
            await self._store.drop_notices(first_id_at(obeyed_ms - KEPT_MS), self.LOOK_MAX)


class NoticeSender(Duty):
    """Sends notices that are due, side by side, and keeps what came of each."""

    name = "notice-sender"
    INTERVAL_S = 5.0
    AT_ONCE_MAX = 16
    PER_APPLICATION_MAX = 4
    LEASE_MS = 6 * NOTIFY_TIMEOUT_MS  # a node that took one and died leaves it to others after so long

    def __init__(self, store: Store, index: Index, courier: Courier, clock: Clock, counters: Counters) -> None:
        super().__init__(clock)
        self._store = store
        self._index = index
        self._courier = courier
        self._counters = counters

    async def turn(self) -> float:
        now_ms = self._clock.now_ms()
        taken = await self._store.take_notices(
            now_ms, now_ms + self.LEASE_MS, self.AT_ONCE_MAX, self.PER_APPLICATION_MAX
        )
        async with asyncio.TaskGroup() as group:
            sending = [group.create_task(self._send(one)) for one in taken]
        for one in sending:
            if (failure := one.result()) is not None:
                raise failure
        return 0 if taken else self.INTERVAL_S

    async def _send(self, outgoing: Outgoing) -> HookspanError | None:
        """Why it could not be kept what came of it, or None: the others go on."""
        try:
            await self._carry(outgoing)
        except HookspanError as error:
            return error
        return None

    async def _carry(self, outgoing: Outgoing) -> None:
        notice = outgoing.notice
        entry = None if outgoing.url is None else await self._index.find_by_id(notice.application_id)
        if entry is None or outgoing.url is None:
            await self._end(outgoing, NoticeOutcome.NO_URL, None)
            return
        outcome = await self._courier.carry(entry, outgoing.url, notice.id, notice.body)
        if outcome.is_success:
            await self._end(outgoing, NoticeOutcome.DELIVERED, None)
        elif notice.attempts > len(RETRY_DELAYS_MS):
            log.warning("notice given up", application_id=entry.application.public_id, problem=problem_of(outcome))
            await self._end(outgoing, NoticeOutcome.GAVE_UP, problem_of(outcome))
        else:
            at_ms = self._clock.now_ms() + RETRY_DELAYS_MS[notice.attempts - 1]
            await self._store.end_notice_attempt(notice, None, problem_of(outcome), at_ms)

    async def _end(self, outgoing: Outgoing, outcome: NoticeOutcome, problem: str | None) -> None:
        await self._store.end_notice_attempt(outgoing.notice, outcome, problem, self._clock.now_ms())
        self._counters.notices_by_outcome[outcome.word] += 1


def problem_of(outcome: Outcome) -> str:
    """Why a notice was not taken, in a few words."""
    if outcome.status is not None:
        return f"HTTP {outcome.status}"
    code = "no answer" if outcome.error is None else outcome.error.value
    return code if outcome.error_message is None else f"{code}: {outcome.error_message}"
