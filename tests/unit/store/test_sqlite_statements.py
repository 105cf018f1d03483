"""SQL: files, plans, the schema."""

import re
from pathlib import Path

import apsw
import pytest

import hookspan.store.sqlite
from hookspan.store.sqlite._migrations import MIGRATIONS, run_script
from hookspan.store.sqlite._statements import SIZES, Many, statement, statement_names

ROOM = Path(hookspan.store.sqlite.__file__).parent
INDEX_NAMES = set(re.findall(r"create (?:unique )?index (\w+)", "".join(MIGRATIONS)))
# Statements that walk a table or index on purpose, with what they walk.
WALKS = {
    "find_suspect": "delivery_suspect",  # hardly ever any
    "bring_forward_firsts": "delivery_due",  # once, after a clock was set back
    "bring_forward_retries": "delivery_due",
    "bring_forward_failures": "webhook",
    "mark_skipped": "node",
    "find_kept_events": "webhook",  # as find_deliveries_between, by a reader
    "delete_nodes": "node",  # a row or two
    "count_waiting": "node",
    "count_waiting_all": "delivery",  # what waits, up to a bound, by a reader
    "has_pending": "node",
    "list_pending_deliveries": "node",
    "find_upcoming": "node",
    "find_expirable": "delivery_due",  # what waits, by a reader
    "find_forgettable": "webhook_deleted",
    "list_swept": "webhook_swept",
    "list_catching_up": "webhook_catching_up",
    "list_erased": "application_deleted",
    "free_claims": "delivery_claimed",
    "find_deliveries_between": "webhook",  # one seek in delivery_webhook for each webhook
    "find_droppable_events": "delivery_claimed",
    "find_events_of": "delivery_claimed",
    "list_deliveries": "webhook",
    "bring_forward_pauses": "pause",  # few rows, and none while all is well
    "count_pauses": "pause_in_force",
    "delete_ended_pauses": "pause",
    "list_pauses": "pause",
    "read_paused": "pause_in_force",
}
# Made by a statement for itself, so that scanning it says nothing.
TEMPORARY = re.compile(
    r"SCAN (CONSTANT ROW|\d+ CONSTANT ROWS|json_each|given|moved|chain|waiting|picked|head|found|\(subquery|n\b)"
)


def empty() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    for script in MIGRATIONS:
        run_script(connection, script)
    return connection


def plan_of(connection: apsw.Connection, name: str) -> list[str]:
    """The lines of a statement's plan; parameters are null."""
    text = statement(name)
    names = set(re.findall(r":(\w+)", text))
    bindings: object = dict.fromkeys(names)
    if not names:
        numbered = [int(number) for number in re.findall(r"\?(\d+)", text)]
        bindings = (None,) * (max(numbered) if numbered else text.count("?"))
    return [str(row[3]) for row in connection.execute(f"explain query plan {text}", bindings)]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", statement_names())
def test_each_statement_leans_on_what_its_comment_names(name: str) -> None:
    """The plan uses the indexes of the comment and scans no table."""
    comment = "".join(re.findall(r"^--.*\n", (ROOM / "sql" / f"{name}.sql").read_text(), re.MULTILINE))
    assert comment, "says what it does and what it leans on"
    plan = plan_of(empty(), name)
    if not re.search(r"Upkeep|over what was there|unless there is one|under an id|highest id that", comment):
        assert re.search(r"[Ll]eans on|[Ww]alks", comment), comment
    if "Upkeep" not in comment:
        for index in re.findall(r"\w+", comment):
            if index in INDEX_NAMES:
                assert any(index in line for line in plan), (index, plan)
    for line in plan:
        if line.startswith("SCAN") and not TEMPORARY.match(line):
            assert name in WALKS, line
            assert WALKS[name] in line or line.startswith("SCAN n"), line


def test_the_hot_statements_seek() -> None:
    """The claim skips from webhook to webhook inside one index, the fence goes by primary key, by name."""
    connection = empty()
    claim = plan_of(connection, "find_due")
    assert any(
        re.match(r"SEARCH delivery USING COVERING INDEX delivery_due \(webhook_id>\?\)", line) for line in claim
    ), claim
    assert any(
        re.match(r"SEARCH due USING INDEX delivery_due \(webhook_id=\? AND next_attempt_at<\?\)", line)
        for line in claim
    ), claim
    assert any(re.match(r"SEARCH fifo USING INDEX delivery_fifo \(webhook_id=\?\)", line) for line in claim), claim
    assert any(line.startswith("MATERIALIZE picked") for line in claim), claim
    assert "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)" in claim
    for name in ("take_deliveries", "find_held", "release_deliveries", "read_taken", "advance_positions"):
        plan = plan_of(connection, name)
        assert any("USING INTEGER PRIMARY KEY (rowid=?)" in line for line in plan), (name, plan)
    for name in ("list_deliveries", "list_attempts", "list_events", "list_events_after", "list_applications"):
        plan = plan_of(connection, name)
        if name != "list_deliveries":
            assert not any("TEMP B-TREE" in line for line in plan), (name, plan)


def test_migrations_make_exactly_the_schema() -> None:
    """schema.sql is what a reader reads; the migrations are what runs."""
    described = apsw.Connection(":memory:")
    run_script(described, (ROOM / "schema.sql").read_text())
    listing = "select type, name, tbl_name, sql from sqlite_schema order by type, name"

    def schema(connection: apsw.Connection) -> list[tuple[object, ...]]:
        # A column that was added later stands on the line of the bracket.
        return [(*row[:3], re.sub(r"\s*([,()])\s*", r"\1", row[3] or "")) for row in connection.execute(listing)]

    assert schema(empty()) == schema(described)


def test_files_are_named_verb_noun_and_used() -> None:
    """One statement a file, none left over."""
    code = "".join(file.read_text() for file in ROOM.glob("*.py"))
    for file in (ROOM / "sql").glob("*.sql"):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", file.stem), file.name
        assert f'"{file.stem}"' in code, f"{file.name} is not used"
        assert ";" not in re.sub(r"--.*", "", file.read_text()), file.name


def test_many_rows_go_in_few_statements() -> None:
    """Any number of rows, each once, in order; at most one statement of each smaller size."""
    connection = apsw.Connection(":memory:")
    connection.execute("create table fact (name, value)")
    many = Many("insert_fact")
    for count in (0, 1, 2, 3, 255, 256, 257, 1_000):
        connection.execute("delete from fact")
        values: list[object] = []
        for number in range(count):
            values += (number, -number)
        assert len(many._parts(values)) <= count // SIZES[0] + len(SIZES) - 1
        many.run(connection, values)
        assert connection.execute("select name, value from fact order by rowid").fetchall() == [
            (number, -number) for number in range(count)
        ]


def test_no_statement_is_too_long_to_stay_prepared() -> None:
    """apsw keeps none prepared that is longer than 16 KiB."""
    for file in (ROOM / "sql").glob("*.sql"):
        text = file.read_text()
        if re.search(r"values \((?:[?0], )*[?0]\)", text):
            assert max(len(one) for _, one in Many(file.stem)._texts) < 16_384, file.name
