"""What is told, in words that leak nothing and stay short."""

import msgspec
import pytest

from hookspan.domain.notice import (
    AGAIN_MS,
    FAILING_MS,
    NAME_CHARS_MAX,
    RETRY_DELAYS_MS,
    SAID_CHARS_MAX,
    Answer,
    NoticeKind,
    Watched,
    body_of,
    kind_due,
)
from hookspan.domain.records import Webhook
from hookspan.domain.states import Order, StatusReason, WebhookStatus

NOW = 1_767_225_600_000
WEBHOOK = Webhook(
    id=7,
    application_id=5,
    name=None,
    url="https://receiver.example.com/secret-path",
    status=WebhookStatus.ACTIVE,
    status_reason=None,
    events=None,
    order=Order.ANY,
    rate=None,
    concurrency=1,
    event_epoch=None,
    credentials=(),
    position=0,
    version=1,
    failing_since=NOW - FAILING_MS,
    created_at=0,
    updated_at=0,
)
WATCHED = Watched(
    webhook=WEBHOOK,
    notify=None,
    noticed=None,
    noticed_at=None,
    stalled_since=None,
    last_success_at=None,
    last_answer=None,
    told_at={},
)


def seen(webhook: dict | None = None, **members) -> Watched:
    return msgspec.structs.replace(WATCHED, webhook=msgspec.structs.replace(WEBHOOK, **(webhook or {})), **members)


OFF = {"status": WebhookStatus.DISABLED}
WELL = {"failing_since": None}
FIFO = {"order": Order.FIFO}


@pytest.mark.parametrize(
    ("watched", "kind"),
    [
        (seen(), NoticeKind.FAILING),
        (seen({"status": WebhookStatus.CATCHING_UP}), NoticeKind.FAILING),
        (seen({"failing_since": NOW - FAILING_MS + 1}), None),
        (seen(noticed=NoticeKind.FAILING), None),
        (seen(noticed=NoticeKind.DISABLED), NoticeKind.FAILING),
        (seen(noticed=NoticeKind.STALLED), None),
        (seen(told_at={NoticeKind.FAILING: NOW - AGAIN_MS + 1}), None),
        (seen(told_at={NoticeKind.FAILING: NOW - AGAIN_MS, NoticeKind.STALLED: NOW}), NoticeKind.FAILING),
        (seen(FIFO | {"failing_since": NOW}, stalled_since=NOW), NoticeKind.STALLED),
        (seen(FIFO, stalled_since=NOW, noticed=NoticeKind.FAILING), NoticeKind.STALLED),
        (seen(stalled_since=NOW, noticed=NoticeKind.FAILING), None),
        (seen(OFF | {"status_reason": StatusReason.GONE}), NoticeKind.DISABLED),
        (seen(OFF | {"status_reason": StatusReason.FAILING}, noticed=NoticeKind.FAILING), NoticeKind.DISABLED),
        (seen(OFF | {"status_reason": StatusReason.FAILING}, noticed=NoticeKind.DISABLED), None),
        (seen(OFF | {"status_reason": StatusReason.PERSON}), None),
        (seen(WELL), None),
        (seen(WELL, noticed=NoticeKind.FAILING, noticed_at=NOW), None),
        (seen(WELL, noticed=NoticeKind.FAILING, noticed_at=NOW, last_success_at=NOW), None),
        (seen(WELL, noticed=NoticeKind.DISABLED, noticed_at=NOW, last_success_at=NOW + 1), NoticeKind.RECOVERED),
        (seen(WELL, last_success_at=NOW), None),
    ],
)
def test_what_is_due(watched, kind):
    """One table of conditions."""
    assert kind_due(watched, NOW) is kind


def body(kind: NoticeKind, watched: Watched) -> dict:
    made = body_of(
        kind, watched, application_id="app_1", webhook_id="whk_1", origin="https://receiver.example.com", now_ms=NOW
    )
    return msgspec.json.decode(made)


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_every_kind_has_its_sentence(kind):
    """It names the webhook, and nothing of the URL's path."""
    webhook = {"name": "Orders", "status_reason": StatusReason.GONE} | OFF
    told = body(kind, seen(webhook, last_answer=Answer(at=NOW, response_status=None, error="timeout")))
    assert told["type"] == f"webhook.{kind.word}"
    assert "Orders (https://receiver.example.com)" in told["data"]["sentence"]
    assert "secret-path" not in str(told)


def test_a_disabled_one_says_why_in_one_sentence():
    """In the words that deliveries use."""
    told = body(NoticeKind.DISABLED, seen(OFF | {"status_reason": StatusReason.GONE}))
    assert told["data"]["sentence"].startswith(
        "The webhook to https://receiver.example.com is disabled: its receiver answered 410 Gone."
    )


def test_a_long_name_is_cut():
    """Names may have 10,000 characters; a notice stays small."""
    told = body(NoticeKind.FAILING, seen({"name": "x" * 10_000}))
    assert told["data"]["webhook"]["name"] == "x" * NAME_CHARS_MAX
    assert len(told["data"]["sentence"]) < 500


@pytest.mark.parametrize(
    "name", ["Shop\r\n\r\nYour password is over:\thttps://x.example", "Shop\u2028a\x85b\x00\u202ec"]
)
def test_a_name_is_one_short_line_in_the_sentence(name):
    """Somebody's name of a webhook must not look like a part of our letter."""
    said = body(NoticeKind.FAILING, seen({"name": name}))["data"]["sentence"]
    assert said.isprintable()
    assert "Shop " in said
    said = body(NoticeKind.FAILING, seen({"name": name + "x" * 500}))["data"]["sentence"]
    assert len(said.partition("The webhook ")[2].partition(" (https://receiver")[0]) == SAID_CHARS_MAX
    assert "to https://" in body(NoticeKind.FAILING, seen({"name": " \r\n"}))["data"]["sentence"]


def test_it_is_tried_five_times_within_six_hours():
    """As the docs say."""
    assert len(RETRY_DELAYS_MS) == 4
    assert sum(RETRY_DELAYS_MS) < 6 * 3_600_000
