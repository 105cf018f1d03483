"""The publish route on its own: bounds, refusals, and no more lines in the log than anybody reads."""

import asyncio
from typing import Any

import msgspec
import pytest
import structlog

from hookspan.api import _publish, _tally
from hookspan.api._publish import PublishApp, published_application
from hookspan.api._tally import Tally
from hookspan.clock import SystemClock
from hookspan.engine import Published
from hookspan.errors import DiskFull, NotFound, Overloaded, StoreUnavailable
from hookspan.manage import Callers
from hookspan.telemetry import Counters
from tests.support.asgi import NoAnswer, ask

pytestmark = pytest.mark.anyio

KEY = [(b"authorization", b"Bearer 0123456789abcdef")]
MIB = 1024 * 1024


class FakeIntake:
    """Answers with what the test put there; remembers what it was given."""

    def __init__(self, answer=None) -> None:
        self.answer = answer if answer is not None else Published("evt_1", None)
        self.given: list[tuple[str, bytes]] = []

    async def publish(self, application, raw):
        self.given.append((application, raw))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def make_app(intake: Any, counters: Counters, *, is_logged=False, logs_refusals=False) -> PublishApp:
    nobody: Any = None  # the operator key is known without a store
    callers = Callers(nobody, "0123456789abcdef", SystemClock())
    return PublishApp(intake, callers, nobody, Tally(counters), is_logged=is_logged, logs_refusals=logs_refusals)


def make(intake, *, is_logged=False):
    counters = Counters()
    app = make_app(intake, counters, is_logged=is_logged)

    async def called(scope, receive, send):
        await app("app_x", scope, receive, send)

    return called, counters


@pytest.mark.parametrize(
    ("path", "application"),
    [
        ("/v1/applications/app_x/events", "app_x"),
        ("/v1/applications/customer-17/events", "customer-17"),
        ("/v1/applications//events", None),
        ("/v1/applications/a/b/events", None),
        ("/v1/applications/a/events/", "a"),
        ("/v1/applications/a/events/sample", None),
        ("/v1/applications/events", None),
        ("/v1/applications", None),
        ("/v2/applications/a/events", None),
    ],
)
async def test_the_path_decides(path, application):
    """Only the one path goes this way."""
    assert published_application(path) == application


@pytest.mark.parametrize("publisher_id", [None, "p", 'quote" back\\ line\n ümlaut 😀'])
async def test_an_answer_is_json_whatever_the_publisher_calls_it(publisher_id):
    """Built by hand, and still proper."""
    app, _ = make(FakeIntake(Published("evt_1", publisher_id)))
    answer = await ask(app, "POST", "/", [b"{}"], headers=KEY)
    assert answer.status == 202
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert msgspec.json.decode(answer.body) == {"id": "evt_1", "publisher_id": publisher_id}


async def test_a_batch_answers_in_order():
    """Ids and problems side by side, one request_id for all."""
    error = NotFound("gone", index=1)
    app, counters = make(FakeIntake([Published("evt_1", None), error, Published("evt_3", "c")]))
    data = msgspec.json.decode((await ask(app, "POST", "/", [b"[]"], headers=KEY)).body)["data"]
    assert [one.get("id") for one in data] == ["evt_1", None, "evt_3"]
    assert (data[1]["error"]["code"], data[1]["error"]["index"]) == ("not_found", 1)
    assert counters.refusals_by_code == {"not_found": 1}
    assert counters.requests_by_status["2xx"] == 1


@pytest.mark.parametrize("error", [Overloaded(), StoreUnavailable(), DiskFull()])
async def test_a_refusal_of_ours_says_when_to_come_again(error):
    """503 with a whole number of seconds, never a 202."""
    app, counters = make(FakeIntake(error))
    answer = await ask(app, "POST", "/", [b"{}"], headers=KEY)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert msgspec.json.decode(answer.body)["code"] == error.code
    assert counters.requests_by_status == {"2xx": 0, "5xx": 1}


async def test_an_unforeseen_error_shows_nothing_of_itself():
    """A bare 500 with a request_id; the log has the rest."""
    app, _ = make(FakeIntake(RuntimeError("secret detail")))
    with structlog.testing.capture_logs() as lines:
        answer = await ask(app, "POST", "/", [b"{}"], headers=KEY)
    assert (answer.status, b"secret detail" in answer.body) == (500, False)
    named = msgspec.json.decode(answer.body)["request_id"]
    assert [line["request_id"] for line in lines if line["log_level"] == "error"] == [named]


async def test_a_length_that_is_too_large_is_refused_unread():
    """The engine never sees it, and no byte of the body is asked for."""
    intake = FakeIntake()
    app, _ = make(intake)
    for length in (b"5242881", b"99999999999999999999"):
        answer = await ask(app, "POST", "/", [b""], headers=[*KEY, (b"content-length", length)], gone=True)
        assert answer.status == 413
        assert msgspec.json.decode(answer.body)["limit"] == 5 * MIB
    assert intake.given == []


async def test_a_body_in_parts_is_put_together():
    """Up to the limit exactly."""
    intake = FakeIntake()
    app, _ = make(intake)
    await ask(app, "POST", "/", [b"a" * MIB] * 5, headers=KEY)
    assert intake.given == [("app_x", b"a" * 5 * MIB)]


@pytest.mark.parametrize("parts", [[b"a" * 5 * MIB, b"b"], [b"a" * (5 * MIB + 1)], [b"a" * MIB] * 100])
async def test_a_body_without_a_length_is_bounded(parts):
    """Refused after at most DRAIN_BYTES_MAX; what is over the limit is not held in memory."""
    intake = FakeIntake()
    app, _ = make(intake)
    assert (await ask(app, "POST", "/", parts, headers=KEY)).status == 413
    assert intake.given == []


async def test_a_publisher_that_leaves_is_not_published_for():
    """Half a body is nobody's event."""
    intake = FakeIntake()
    app, _ = make(intake)
    for parts in ([b"{"], [b"{", b"}"]):
        with pytest.raises(NoAnswer):
            await ask(app, "POST", "/", parts, headers=KEY, gone=True)
    assert intake.given == []


async def test_a_body_that_does_not_come_ends(monkeypatch):
    """Within BODY_TIMEOUT_S, as a refusal."""
    monkeypatch.setattr(_publish, "BODY_TIMEOUT_S", 0.01)
    parts = [{"type": "http.request", "body": b"{", "more_body": True}]
    sent: list[dict] = []

    async def receive():
        if not parts:
            await asyncio.Event().wait()
        return parts.pop()

    async def send(message):
        sent.append(message)

    app, _ = make(FakeIntake())
    await app({"headers": KEY, "query_string": b""}, receive, send)
    assert sent[0]["status"] == 400
    assert b"did not come" in sent[1]["body"]


async def test_one_line_for_each_request_where_somebody_reads_it():
    """And none where nobody does."""
    for is_logged, count in ((False, 0), (True, 1)):
        app, _ = make(FakeIntake(), is_logged=is_logged)
        with structlog.testing.capture_logs() as lines:
            await ask(app, "POST", "/", [b"{}"], headers=KEY)
        assert len(lines) == count


async def test_a_storm_of_refusals_is_no_storm_of_lines(monkeypatch):
    """One line a second for each code is enough to know."""
    monkeypatch.setattr(_tally, "_LINE_INTERVAL_S", 60.0)
    app, counters = make(FakeIntake(Overloaded()))
    with structlog.testing.capture_logs() as lines:
        for _ in range(50):
            await ask(app, "POST", "/", [b"{}"], headers=KEY)
    assert len(lines) == 1
    assert counters.refusals_by_code == {"overloaded": 50}


async def test_prepared_answers_are_bounded():
    """A publisher that names its events in every length does not fill the memory."""
    app = make_app(FakeIntake(), Counters())
    for length in range(_publish.STARTS_MAX + 50):
        assert app._make_start(length)["headers"][1] == (b"content-length", b"%d" % length)
    assert len(app._starts) == _publish.STARTS_MAX


@pytest.mark.parametrize("error", [NotFound("x"), Overloaded()])
async def test_a_refusal_is_named_in_its_header_too(error):
    """On both ways, as on every other route."""
    app, _ = make(FakeIntake(error))
    answer = await ask(app, "POST", "/", [b"{}"], headers=KEY)
    assert answer.headers["x-request-id"] == msgspec.json.decode(answer.body)["request_id"]
    raw = make_app(FakeIntake(), Counters()).refusal(error, [(b"date", b"now")], "app_x")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"x-request-id: " + msgspec.json.decode(body)["request_id"].encode() in head


async def test_refusals_of_publishers_are_logged_where_somebody_reads_them():
    """One line each at info; none at warning."""
    for logs_refusals in (False, True):
        app = make_app(FakeIntake(NotFound("x")), Counters(), logs_refusals=logs_refusals)

        async def called(scope, receive, send, app=app):
            await app("app_x", scope, receive, send)

        with structlog.testing.capture_logs() as lines:
            answer = await ask(called, "POST", "/", [b"{}"], headers=KEY)
        assert len(lines) == logs_refusals
        for line in lines:
            assert (line["log_level"], line["application"], line["code"]) == ("info", "app_x", "not_found")
            assert line["request_id"] == answer.headers["x-request-id"]
