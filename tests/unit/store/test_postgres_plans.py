"""How lists, counts and chunks reach their rows: by indexes of every partition, stopping when they have enough."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from hookspan.ids import first_id_at
from hookspan.store.contract import WAITING_MAX
from hookspan.store.postgres._partitions import DAY_MS, TABLES
from hookspan.store.postgres._statements import statement
from tests.support.clock import VirtualClock
from tests.support.postgres import DATABASES

DAYS = 4
EVENTS_A_DAY = 10_000
WEBHOOKS = 10
LIMIT = 20
START_MS = VirtualClock().now_ms() - DAYS * DAY_MS
LAST_ID = (1 << 63) - 1
_FILLED = re.compile(r"(event|delivery|attempt)_9\d$")  # the others are empty, and their plans say nothing

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    url = DATABASES.make()
    with psycopg.connect(url, autocommit=True) as connection:
        _fill(connection)
    yield url
    DATABASES.drop(url)


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    """What a statement changes is undone."""
    with psycopg.connect(url) as connection:
        yield connection
        connection.rollback()


def _fill(connection: Connection) -> None:
    """Two applications with ten webhooks each, and six days of events of one delivery and one attempt each."""
    for day in range(DAYS):
        for parent in TABLES:
            low, high = (first_id_at(START_MS + number * DAY_MS) for number in (day, day + 1))
            connection.execute(
                f"create table {parent}_9{day} partition of {parent} for values from ({low}) to ({high})"
            )
    connection.execute(
        "insert into application select n, 'app_' || n, '', 'standard', '', '{}', '{}', null, 1, %s, 1, 1 "
        "from generate_series(1, 2) n",
        (DAYS * EVENTS_A_DAY // 2,),
    )
    connection.execute(
        "insert into webhook (id, application_id, url, status, delivery_order, concurrency, credentials, position, "
        "version, created_at, updated_at) "
        "select n, 1 + n %% 2, 'https://x.example/', case when n > 18 then 3 else 1 end, "
        "case when n > 16 then 2 else 1 end, 4, '', 0, 1, 1, 1 from generate_series(1, %s) n",
        (2 * WEBHOOKS,),
    )
    step = (first_id_at(START_MS + DAY_MS) - first_id_at(START_MS)) // EVENTS_A_DAY
    everything = (first_id_at(START_MS), step, DAYS * EVENTS_A_DAY)
    numbered = "from (select n, %s + n * %s as id from generate_series(0, %s - 1) n) made"
    connection.execute(
        "insert into event select id, 1 + n %% 2, 1 + n / 2, case when n %% 50 = 0 then 'rare' else 'usual' end, "
        "'p' || n, "
        "1, (id >> 21) + 1704067200000, null, 0, 2, null, '{}' " + numbered,
        everything,
    )
    connection.execute("insert into publish_key select application_id, publisher_id, id, '' from event")
    connection.execute(
        "insert into delivery (id, application_id, webhook_id, event_id, state, reason, node, claim, is_fifo, "
        "attempt_count, last_attempt_id, next_attempt_at, finished_at) "
        "select id + 1, 1 + n %% 2, 1 + n %% 20, id, "
        "case when n %% 11 = 5 then 3 when n %% 7 = 3 then 1 when n %% 13 = 4 then 1 else 2 end, "
        "case when n %% 11 = 5 then 2 end, case when n %% 13 = 4 and n %% 11 <> 5 and n %% 7 <> 3 then 7 else 0 end, "
        "1, n %% 20 >= 16, 1, id + 2, "
        "case when n %% 7 = 3 then 5 end, 5 " + numbered,
        everything,
    )
    connection.execute(
        "insert into attempt (id, delivery_id, webhook_id, event_id, number, round, cause, webhook_version, "
        "started_at, duration_us, verdict, request_headers, response_bytes) "
        "select id + 2, id + 1, 1 + n %% 20, id, 1, 0, 1, 1, 5, 5, case when n %% 11 = 5 then 3 else 1 end, '', 0 "
        + numbered,
        everything,
    )
    connection.execute("analyze")


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes_of(child)


def explain(connection: Connection, name: str, bindings: Any) -> list[dict[str, Any]]:
    """The steps of a plan that touch partitions, as it went."""
    row = connection.execute("explain (analyze, format json) " + statement(name), bindings).fetchone()
    assert row is not None
    return [node for node in nodes_of(row[0][0]["Plan"]) if _FILLED.match(node.get("Relation Name", ""))]


def touched(nodes: list[dict[str, Any]]) -> int:
    """Rows that were looked at, taken or not."""
    return sum(
        round(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))
        for node in nodes
        if "Scan" in node["Node Type"]
    )


MIDDLE = first_id_at(START_MS + DAYS * DAY_MS // 2)
NO_PLACE = {"before_event": LAST_ID, "before_run": LAST_ID, "before": LAST_ID}
PLACE = {"before_event": MIDDLE, "before_run": 0, "before": LAST_ID}
DELIVERIES = {"application_id": 1, "low": 0, "high": LAST_ID, "lowest": 0, "type": None, "state": None, "limit": LIMIT}
ALL_HOOKS = {"webhook_low": 0, "webhook_high": LAST_ID}
ONE_HOOK = {"webhook_low": 2, "webhook_high": 2}
EVENTS = {
    "application_id": 1,
    "after": 0,
    "below": LAST_ID,
    "since": 0,
    "until": LAST_ID,
    "types": None,
    "limit": LIMIT,
}
PAGE = LIMIT + DAYS  # a merge of ordered partitions reads one row of each ahead
OF_TEN = WEBHOOKS * PAGE * 2  # deliveries, and the events that they are asked about
FAILED = DAYS * EVENTS_A_DAY // 11 // (2 * WEBHOOKS) + DAYS  # of one webhook

# A statement, what it is given, and how many rows of partitions it may look at.
CASES: list[tuple[str, Any, int]] = [
    ("list_deliveries", DELIVERIES | ALL_HOOKS | NO_PLACE, OF_TEN + 2 * LIMIT),
    ("list_deliveries", DELIVERIES | ONE_HOOK | NO_PLACE, 3 * PAGE),
    ("list_deliveries", DELIVERIES | ONE_HOOK | PLACE, 3 * PAGE),
    ("list_deliveries", DELIVERIES | ONE_HOOK | NO_PLACE | {"low": MIDDLE, "lowest": MIDDLE - 1}, 3 * PAGE),
    ("list_unhappy_deliveries", DELIVERIES | ALL_HOOKS | NO_PLACE | {"state": 3}, 2 * WEBHOOKS * FAILED),
    ("list_deliveries_of_event", {"application_id": 1, "event_id": first_id_at(START_MS)}, 2),
    ("list_events", EVENTS, PAGE),
    ("list_events", EVENTS | {"types": ["rare"]}, 100 * LIMIT),
    ("list_events_after", EVENTS | {"position": 100}, PAGE),
    ("list_attempts", {"webhook_id": 2, "low": 0, "high": LAST_ID, "limit": LIMIT}, 2 * PAGE),
    ("list_attempts_of", {"last_attempt_id": first_id_at(START_MS) + 2, "limit": LIMIT}, 2),
    ("list_attempt_lines", {"after": 0, "limit": LIMIT}, 2 * LIMIT),
    ("list_attempt_lines_of", ALL_HOOKS | {"application_id": 1, "after": 0, "limit": LIMIT}, OF_TEN),
    ("list_failures", {"webhook_ids": list(range(1, 21)), "each": LIMIT}, 20 * PAGE),
    (
        "list_given_up",
        {"look": 20, "lowest": 0, "low": 0, "high": LAST_ID, "since": 0, "webhooks": 20, "each": LIMIT},
        2 * 20 * FAILED,
    ),
    ("find_undelivered", EVENTS, 2 * PAGE),
    ("read_next_events", {"application_id": 1, "position": 9, "last": LAST_ID, "limit": LIMIT}, PAGE),
    ("find_last_before", {"application_id": 1, "ident": MIDDLE, "last": DAYS * EVENTS_A_DAY // 2}, 20 * DAYS),
    ("has_events", (1,), DAYS),
    (
        "scan_events",
        {
            "application_id": 1,
            "webhook_id": 2,
            "after": 0,
            "last": LAST_ID,
            "since": 0,
            "until": LAST_ID,
            "limit": LIMIT,
            "with_state": True,
        },
        2 * PAGE,
    ),
    ("count_behind", {"application_id": 1, "position": 9, "most": LIMIT}, PAGE),
    ("find_upcoming", {"low": 0, "webhook_id": 9, "most": LIMIT}, 5 * LIMIT),
    ("find_upcoming_fifo", {"low": 0, "webhook_id": 17, "most": LIMIT}, 2 * LIMIT),
    ("read_fifo_head", (17,), DAYS),
    ("read_fifo_tail", (17,), DAYS),
    ("find_stalled", {"low": 0, "webhook_ids": [9], "most": LIMIT}, 2 * LIMIT),
    ("find_stalled_heads", {"low": 0, "webhook_ids": [17, 18]}, 2 * DAYS),
    ("find_last_successes", {"webhook_ids": [1, 2], "most": LIMIT}, 2 * PAGE),
    ("has_pending", {"low": 0, "webhook_id": 9}, DAYS * EVENTS_A_DAY // 13 // (2 * WEBHOOKS) + 4 * DAYS),
    ("cancel_waiting", {"low": 0, "webhook_id": 9, "reason": 3, "now": 5, "limit": LIMIT}, 3 * LIMIT),
    ("resume_stalled", {"low": 0, "webhook_id": 9, "now": 5, "limit": LIMIT}, 3 * LIMIT),
    ("find_expirable", {"below": MIDDLE, "low": 0, "limit": LIMIT}, LIMIT + DAYS),
    ("expire_deliveries", {"ids": [first_id_at(START_MS) + 1], "now": 5}, 4),
    ("count_events_between", {"low": 0, "high": MIDDLE, "most": 100}, 100),
    ("has_kept_between", {"low": 0, "high": MIDDLE, "shown_since": 0}, DAYS),
    ("find_kept_events", {"event_ids": [first_id_at(START_MS)] * 3, "shown_since": 0}, 3),
    ("lock_events", ([first_id_at(START_MS), MIDDLE],), 4),
    ("lock_deliveries_of_events", {"event_ids": [first_id_at(START_MS)], "limit": LIMIT}, 2),
    ("find_stragglers", {"low": first_id_at(START_MS), "high": first_id_at(START_MS + DAY_MS), "limit": LIMIT}, 2),
    ("find_forgettable", (LIMIT,), 4),
    ("delete_attempts", ([first_id_at(START_MS) + 2],), 2),
    ("delete_deliveries", ([first_id_at(START_MS) + 1],), 2),
    ("delete_events", ([first_id_at(START_MS)],), 2),
    ("delete_lone_attempts", {"below": LAST_ID, "limit": LIMIT}, 2),
    (
        "insert_originals",
        {
            "ids": [first_id_at(START_MS) + 10],
            "event_ids": [first_id_at(START_MS)],
            "low": first_id_at(START_MS),
            "high": first_id_at(START_MS),
            "application_id": 1,
            "webhook_id": 19,
            "is_fifo": False,
            "now": 5,
        },
        4,
    ),
    (
        "insert_aside",
        {
            "id": first_id_at(START_MS) + 11,
            "event_id": first_id_at(START_MS),
            "application_id": 1,
            "webhook_id": 2,
            "cause": 4,
            "now": 5,
        },
        4,
    ),
]


@pytest.mark.parametrize(("name", "bindings", "rows_max"), CASES)
def test_it_stops_when_it_has_enough(connection: Connection, name: str, bindings: Any, rows_max: int) -> None:
    """No partition is read through, however many there are."""
    nodes = explain(connection, name, bindings)
    assert [node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"] == []
    assert touched(nodes) <= rows_max, [
        (node["Node Type"], node["Relation Name"], node["Actual Rows"]) for node in nodes
    ]


# Those that walk all that waits or all that is held, which retention, a person or a page does, and no publish.
WALKS: list[tuple[str, Any]] = [
    ("list_pending_deliveries", DELIVERIES | ALL_HOOKS | NO_PLACE | {"since": 0, "most": WAITING_MAX}),
    ("find_droppable_events", {"after": 0, "low": 0, "high": MIDDLE, "limit": LIMIT}),
    ("find_events_of", {"application_id": 1, "limit": LIMIT}),
    ("count_waiting", {"low": 0, "webhook_ids": [9, 10], "most": WAITING_MAX}),
    ("mark_skipped", {"low": 0, "webhook_id": 10, "limit": LIMIT}),
]


@pytest.mark.parametrize(("name", "bindings"), WALKS)
def test_what_walks_what_waits_walks_nothing_else(connection: Connection, name: str, bindings: Any) -> None:
    """The partial indexes hold nothing that is final, so a walk is as long as the backlog."""
    nodes = explain(connection, name, bindings)
    assert [node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"] == []
    waiting = DAYS * EVENTS_A_DAY // 7
    assert touched(nodes) <= 5 * waiting


def test_a_page_of_a_time_leaves_older_partitions_out(connection: Connection) -> None:
    """No delivery is older than its event."""
    bindings = DELIVERIES | ONE_HOOK | NO_PLACE | {"low": MIDDLE, "lowest": MIDDLE - 1}
    looked = {node["Relation Name"] for node in explain(connection, "list_deliveries", bindings)}
    assert not looked & {f"delivery_9{day}" for day in range(DAYS // 2 - 1)}
