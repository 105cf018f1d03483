"""SQL on PostgreSQL: files, indexes, and the plans of the hot statements where a day has no statistics yet."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hookspan.store.postgres
from hookspan.ids import first_id_at
from hookspan.store.postgres import _append, _record
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._migrations import MIGRATIONS
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._place import connect, read_place
from hookspan.store.postgres._rows import ID_MAX
from hookspan.store.postgres._statements import statement, statement_names
from tests.support.clock import VirtualClock
from tests.support.postgres import DATABASES

ROOM = Path(hookspan.store.postgres.__file__).parent
INDEX_NAMES = set(re.findall(r"create (?:unique )?index (\w+)", "".join(one.text for one in MIGRATIONS)))
ROWS = 20_000
BASE = first_id_at(VirtualClock().now_ms())
CLAIM = {
    "node": 1,
    "nodes": 2,
    "now": 10,
    "per_webhook": 100,
    "skip": [],
    "low": 0,
    "after": 0,
    "last": ID_MAX,
    "applications": [],
    "profiles": [],
}
SOME = [BASE + number for number in range(5_000, 5_100)]


def test_every_file_is_used_and_every_name_is_a_file() -> None:
    """No statement is left over, and none is missing."""
    sources = "".join(file.read_text(encoding="utf-8") for file in ROOM.glob("*.py"))
    named = set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', sources))
    assert [name for name in statement_names() if name not in named] == []


def test_a_statement_says_what_it_leans_on() -> None:
    """Each file begins with a comment, and the indexes that it names are there."""
    for name in statement_names():
        text = (ROOM / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        assert text.startswith("-- "), name
        comment = " ".join(re.findall(r"^-- (.*)$", text, re.MULTILINE))
        leans = re.search(r"[Ll]eans? on (.*)", comment)
        words = set() if leans is None else set(re.findall(r"\b(?:event|delivery|attempt|webhook)_[a-z_]+\b", leans[1]))
        assert {word for word in words if word not in INDEX_NAMES and not word.endswith("_id")} == set(), name


@pytest.fixture(scope="module")
def filled() -> Iterator[Connection]:
    """Many deliveries that nobody has counted: one webhook has a backlog, of which one part is in flight."""
    url = DATABASES.make()
    with connect(read_place(url), PostgresOptions(), 60) as connection:
        connection.execute(
            "insert into event (id, application_id, position, type, occurred_at, accepted_at, content_at,"
            " content_bytes, body)"
            " select %(base)s + i, 1, i, 't', 1, 1, 0, 1, 'x' from generate_series(1, %(rows)s) i",
            {"base": BASE, "rows": ROWS},
        )
        connection.execute(
            "insert into delivery (id, application_id, webhook_id, event_id, node, claim, is_fifo, next_attempt_at)"
            " select %(base)s + i, 1, i %% 50, %(base)s + i, case when i %% 4 = 0 then 1 else 0 end, 1, i %% 50 < 5, 1"
            " from generate_series(1, %(rows)s) i",
            {"base": BASE, "rows": ROWS},
        )
        connection.execute(
            "insert into webhook (id, application_id, url, status, delivery_order, concurrency, credentials, position,"
            " version, created_at, updated_at)"
            " select i, 1, '', 1, case when i < 5 then 2 else 1 end, 10, '', 0, 1, 0, 0 from generate_series(0, 49) i"
        )
        yield connection
    DATABASES.drop(url)


def record_bindings() -> dict[str, Any]:
    columns = _record._delivery_columns([], keeps_attempts=True) | _record._attempt_columns([])
    bindings: dict[str, Any] = {name: [None] * len(SOME) for name in columns}
    filled = {"ids": SOME, "claims": [1] * len(SOME), "states": [2] * len(SOME)}
    numbers = dict.fromkeys(("attempt_counts", "round_attempts"), [1] * len(SOME))
    return bindings | filled | numbers | {"node": 1}


HOT = {
    "find_due": CLAIM | {"limit": 500},
    "find_undivided": CLAIM | {"ids": [1, 2, 3, 4]},
    "find_aside": CLAIM | {"limit": 100},
    "find_suspect": CLAIM,
    "find_next_due": CLAIM,
    "find_next_aside": CLAIM,
    "take_deliveries": {"node": 1, "ids": SOME, "event_ids": SOME},
    "release_deliveries": {"node": 1, "now": 10, "ids": SOME, "claims": [1] * len(SOME)},
    "record_results": record_bindings(),
    "find_freed": {"ids": SOME, "claims": [1] * len(SOME)},
    "take_back_deliveries": {"node": 1, "ids": SOME, "claims": [1] * len(SOME)},
    "free_claims": {"now": 10, "limit": 100},
}


@pytest.mark.parametrize("name", sorted(HOT))
def test_hot_statements_walk_no_day(filled: Connection, name: str) -> None:
    """Every look is an index's, and reads about as much as it takes: also on a day that is young."""
    explained = "explain (analyze, buffers, timing off, summary off) " + statement(name)
    filled.execute("begin")
    try:
        lines = [line for (line,) in filled.execute(explained, HOT[name]).fetchall()]
    finally:
        filled.execute("rollback")
    plan = "\n".join(lines)
    assert not re.search(r"Seq Scan on (delivery|event|attempt)", plan), plan
    removed = sum(int(count) for count in re.findall(r"Rows Removed by \w+(?: Recheck| Filter)?: (\d+)", plan))
    assert removed <= 1_000, plan


def test_a_publish_names_all_of_its_columns() -> None:
    """As many lists as the statement takes."""
    named = set(re.findall(r"%\((\w+)\)", statement("insert_published")))
    assert named == set(_append._event_columns([]) | _append._delivery_columns([], 1))
