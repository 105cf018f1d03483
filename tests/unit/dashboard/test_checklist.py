"""The steps before a webhook runs, from what is known of it."""

from types import SimpleNamespace
from typing import Any

import pytest

from hookspan.dashboard._advice import SLOW_MS
from hookspan.dashboard._checklist import has_checklist, steps_of
from hookspan.dashboard._visit import below
from hookspan.dashboard._webhooks import _is_slow


def room(new_status: str = "disabled") -> Any:
    return SimpleNamespace(profile=SimpleNamespace(new_status=new_status), to=lambda *parts: below("/root", *parts))


def webhook(**changes: Any) -> Any:
    one = {
        "id": "wep_1",
        "status": "disabled",
        "status_reason": "created",
        "public_key": "-----BEGIN",
        "health": SimpleNamespace(waiting=0),
    }
    return SimpleNamespace(**(one | changes))


def delivery(state: str, attempts: int, status: int | None) -> Any:
    return SimpleNamespace(id="dlv_1", state=state, attempt_count=attempts, last_response_status=status)


def states(*args: Any) -> dict[str, str]:
    return {one.name: one.state for one in steps_of(*args)}


@pytest.mark.parametrize(
    ("changes", "new_status", "has_one"),
    [
        ({}, "disabled", True),
        ({"status_reason": "person"}, "disabled", True),
        ({"status_reason": "gone"}, "disabled", False),
        ({"status_reason": "failing"}, "disabled", False),
        ({"status": "active", "status_reason": None}, "disabled", False),
        ({}, "active", False),
    ],
)
def test_which_webhooks_have_one(changes: dict[str, Any], new_status: str, has_one: bool) -> None:
    """Those that begin disabled and were not switched off by their receiver."""
    assert has_checklist(room(new_status), webhook(**changes)) is has_one


def test_nothing_has_happened_yet() -> None:
    """What nobody here can know is the reader's to check; the rest is open. Without a public key none is copied."""
    assert states(room(), webhook(), [], []) == {
        "key": "yours", "verify": "yours", "upcoming": "yours", "send": "open", "logs": "open", "activate": "open",
    }  # fmt: skip
    assert "key" not in states(room(), webhook(public_key=None), [], [])


def test_what_was_sent_and_refused_is_read_and_not_done() -> None:
    """A log is there, with its answer; verifying and sending are not done by it. One that waits untried is no log."""
    tried = [delivery("failed", 1, 401)]
    found = {one.name: one for one in steps_of(room(), webhook(), tried, [])}
    assert {name: one.state for name, one in found.items() if one.state == "done"} == {"logs": "done"}
    assert "401" in found["logs"].note
    assert found["logs"].href == "/root/deliveries/dlv_1"
    assert "not accepted it yet" in found["send"].note
    assert states(room(), webhook(), [delivery("pending", 0, None)], [])["logs"] == "open"


def test_what_was_accepted_is_done() -> None:
    """All but activating, which is what is left."""
    waits: Any = [SimpleNamespace(id="wh_1")]
    one = webhook(health=SimpleNamespace(waiting=1))
    found = {it.name: it for it in steps_of(room(), one, [delivery("succeeded", 1, 200)], waits)}
    assert [name for name, it in found.items() if it.state == "done"] == ["verify", "upcoming", "send", "logs"]
    assert found["upcoming"].note == "1 event waits."
    assert found["upcoming"].href == "/root/webhooks/wep_1/upcoming"


@pytest.mark.parametrize(("p95", "is_slow"), [(SLOW_MS, True), (SLOW_MS - 1, False), (None, False)])
def test_a_slow_receiver_is_one_of_which_some_answers_are(p95: float | None, is_slow: bool) -> None:
    """One in twenty; where nothing was answered nothing is said."""
    day: Any = SimpleNamespace(latency_ms=None if p95 is None else SimpleNamespace(p95=p95))
    assert _is_slow(day) is is_slow
