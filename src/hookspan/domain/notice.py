"""What an application's people are told of a webhook, and when. Pure: finding and sending are the engine's."""

from typing import Final

import msgspec

from hookspan.domain.explain import why_disabled
from hookspan.domain.records import Record, Webhook
from hookspan.domain.states import Order, StatusReason, WebhookStatus, Word
from hookspan.domain.times import to_text

FAILING_MS: Final = 10 * 60_000  # a webhook that has only failed for so long is said to fail
AGAIN_MS: Final = 3_600_000  # the same is said of one webhook at most so often
NAME_CHARS_MAX: Final = 200
SAID_CHARS_MAX: Final = 100  # of a name within a sentence
# Between attempts: five within about five hours.
RETRY_DELAYS_MS: Final = (60_000, 600_000, 3_600_000, 4 * 3_600_000)

_ON = frozenset({WebhookStatus.ACTIVE, WebhookStatus.CATCHING_UP})
_CUT_OFF = frozenset({StatusReason.GONE, StatusReason.FAILING})


class NoticeKind(Word):
    FAILING = 1
    STALLED = 2
    DISABLED = 3
    RECOVERED = 4

    @property
    def type(self) -> str:
        """As the type of what is sent."""
        return f"webhook.{self.word}"


class NoticeOutcome(Word):
    """What became of a notice; none while it is tried."""

    DELIVERED = 1
    GAVE_UP = 2
    NO_URL = 3  # the application has no `notify`: it is kept for people to see


class Answer(Record, frozen=True, kw_only=True):
    """What came of a webhook's newest attempt."""

    at: int
    response_status: int | None
    error: str | None


class Watched(Record, frozen=True, kw_only=True):
    """A webhook whose condition may be another than the one that was noticed last."""

    webhook: Webhook
    notify: str | None
    noticed: NoticeKind | None
    noticed_at: int | None
    stalled_since: int | None
    last_success_at: int | None
    last_answer: Answer | None
    told_at: dict[NoticeKind, int]  # when each kind was last told of it


class Notice(Record, frozen=True, kw_only=True):
    """One that was made. `body` is what is sent, byte for byte the same at each attempt."""

    id: int
    application_id: int
    webhook_id: int
    kind: NoticeKind
    body: bytes
    created_at: int
    attempts: int
    next_attempt_at: int | None
    finished_at: int | None
    outcome: NoticeOutcome | None
    problem: str | None  # of the last attempt


def kind_due(watched: Watched, now_ms: int) -> NoticeKind | None:
    """What is to be told of the webhook now. None too where the same was told lately: what lasts is told later."""
    kind = _kind(watched, now_ms)
    if kind is None or now_ms - watched.told_at.get(kind, -AGAIN_MS) < AGAIN_MS:
        return None
    return kind


def _kind(watched: Watched, now_ms: int) -> NoticeKind | None:
    webhook, noticed = watched.webhook, watched.noticed
    if webhook.status not in _ON:
        is_cut_off = webhook.status is WebhookStatus.DISABLED and webhook.status_reason in _CUT_OFF
        return NoticeKind.DISABLED if is_cut_off and noticed is not NoticeKind.DISABLED else None
    if webhook.failing_since is None:
        return _recovered(watched)
    if noticed is NoticeKind.STALLED:
        return None
    if watched.stalled_since is not None and webhook.order is Order.FIFO:
        return NoticeKind.STALLED
    has_lasted = now_ms - webhook.failing_since >= FAILING_MS
    return NoticeKind.FAILING if has_lasted and noticed is not NoticeKind.FAILING else None


def _recovered(watched: Watched) -> NoticeKind | None:
    """Only what was taken since shows it: being switched on again shows nothing."""
    if watched.noticed is None or watched.last_success_at is None:
        return None
    return NoticeKind.RECOVERED if watched.last_success_at > (watched.noticed_at or 0) else None


def body_of(
    kind: NoticeKind, watched: Watched, *, application_id: str, webhook_id: str, origin: str, now_ms: int
) -> bytes:
    """What is sent. Of the URL only the origin: its path may be a secret."""
    webhook, answer = watched.webhook, watched.last_answer
    name = None if webhook.name is None else webhook.name[:NAME_CHARS_MAX]
    return msgspec.json.encode(
        {
            "type": kind.type,
            "timestamp": to_text(now_ms),
            "data": {
                "application_id": application_id,
                "webhook": {"id": webhook_id, "name": name, "url": origin},
                "status": "disabled" if webhook.status is WebhookStatus.DISABLED else "active",
                "status_reason": None if webhook.status_reason is None else webhook.status_reason.word,
                "failing_since": None if webhook.failing_since is None else to_text(webhook.failing_since),
                "last_attempt": None
                if answer is None
                else {"at": to_text(answer.at), "response_status": answer.response_status, "error": answer.error},
                "sentence": _sentence(kind, watched, _which(name, origin)),
            },
        }
    )


def _which(name: str | None, origin: str) -> str:
    """A webhook within a sentence. Its name is somebody's text: on one line, and short, lest it says more than a name
    in a letter from us.
    """
    said = "" if name is None else " ".join("".join(one if one.isprintable() else " " for one in name).split())
    if len(said) > SAID_CHARS_MAX:
        said = f"{said[: SAID_CHARS_MAX - 1]}…"
    return f"{said} ({origin})" if said else f"to {origin}"


def _sentence(kind: NoticeKind, watched: Watched, which: str) -> str:
    webhook = watched.webhook
    last = f" Last: {_answer(watched.last_answer)}." if watched.last_answer is not None else ""
    match kind:
        case NoticeKind.FAILING:
            since = "" if webhook.failing_since is None else f" since {to_text(webhook.failing_since)}"
            return f"The webhook {which} has only failed{since}.{last} What waits for it is tried again."
        case NoticeKind.STALLED:
            return (
                f"The webhook {which} has stopped: its retries are used up, and its events wait.{last} Send an event "
                "to it by hand; once that is accepted, everything that waits is sent again. Or switch it off and on."
            )
        case NoticeKind.DISABLED:
            why = why_disabled(webhook).replace("The webhook", f"The webhook {which}", 1)
            return f"{why}{last} Switch it on again once its receiver is well."
        case NoticeKind.RECOVERED:
            return f"The webhook {which} takes deliveries again."


def _answer(answer: Answer) -> str:
    return f"HTTP {answer.response_status}" if answer.response_status is not None else (answer.error or "no answer")
