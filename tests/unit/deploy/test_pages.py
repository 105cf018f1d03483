"""Numbers that the pages on operating name are those of the code."""

import re

import pytest

from hookspan.cli.node import GRACE_S
from hookspan.engine.nodes import trust_window_least_s
from hookspan.engine.options import EngineOptions
from hookspan.ids import CELLS, NODE_SLOTS
from hookspan.profiles import load_profiles
from hookspan.profiles._rules import TIMEOUT_MS_MAX
from hookspan.settings import Settings
from hookspan.store.contract import ORPHANS_ALONE
from hookspan.store.postgres import PostgresOptions
from hookspan.store.postgres._opening import SERVER_VERSION_MIN
from hookspan.store.postgres._partitions import TABLES
from tests.unit.deploy._files import TOP

STORE = PostgresOptions()
ENGINE = EngineOptions()
SHIPPED = load_profiles()
LONGEST_S = max(SHIPPED.get(name).rules.timeout_ms for name in SHIPPED.names) / 1000
NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
ORDINALS = ["", "first", "second", "third", "fourth", "fifth", "sixth"]


def words(name: str) -> str:
    """A page as running text."""
    return re.sub(r"\s+", " ", (TOP / "docs/operating" / name).read_text(encoding="utf-8"))


def test_how_many_connections_a_node_holds() -> None:
    """Those that write and read, one for the beat and one that listens."""
    text = words("postgresql.md")
    count = STORE.writers + STORE.readers + 2
    assert f"**{NUMBERS[count]} connections**: {STORE.writers} that write, {STORE.readers} that read, 1 for its" in text
    assert f"{NUMBERS[count]} for each node" in words("sizing.md")
    assert f"{count - 1} server connections for each node are always enough" in text  # nobody listens through a pooler


def test_the_time_limits_of_a_connection() -> None:
    """As they are set at connecting, and what notices a host that has gone."""
    assert STORE.read_time_max_s == STORE.lock_time_max_s
    assert (
        f"{STORE.write_time_max_s:.0f} s for a write, {STORE.read_time_max_s:.0f} s for a read and for a wait behind "
        f"another's lock, {STORE.idle_in_transaction_time_max_s:.0f} s idle in a transaction"
    ) in words("postgresql.md")
    availability = words("high-availability.md")
    assert f"is noticed after {STORE.network_time_max_s:.0f} s" in availability
    assert f"is cut after {STORE.write_time_max_s:.0f} s" in availability
    assert f"each try at most {STORE.connect_time_max_s:.0f} s" in availability
    assert STORE.reconnect_interval_s == 0.5  # "every half second", "twice a second"


def test_the_trust_window_and_the_lease() -> None:
    """What is said of the defaults, and from where on the lease has room for a whole request."""
    text = words("postgresql.md")
    window_s, deadline_s = Settings().trust_window, LONGEST_S
    assert f"(`HOOKSPAN_TRUST_WINDOW`, {window_s} s)" in text
    assert f"{window_s - deadline_s:.0f} s by default" in text
    assert f"less the time that the request may take, {deadline_s:.0f} s in the shipped profiles" in text
    least_s = trust_window_least_s(deadline_s)
    assert f"Below {least_s} s, one and a half times what a request may take" in text
    assert f"({trust_window_least_s(TIMEOUT_MS_MAX / 1000)} s where an application's" in text
    settings = re.sub(r"\s+", " ", (TOP / "docs/settings.md").read_text(encoding="utf-8"))
    assert f"({deadline_s:.0f} s in the shipped profiles, so {least_s})" in settings
    assert f"every {ENGINE.beat_interval_s:.0f} seconds (its beat)" in text
    assert f"{window_s - deadline_s:.0f} s after its last beat" in words("high-availability.md")


def test_what_kills_nodes_is_given_up() -> None:
    """After so many it is sent alone, after so many not any more."""
    said = (
        f"**A delivery that nodes die over** {NUMBERS[ORPHANS_ALONE]} times is sent alone, and is given up after the "
    )
    assert said + ORDINALS[ENGINE.orphans_max] in words("postgresql.md")


def test_the_oldest_server_and_the_partitions() -> None:
    """PostgreSQL's version, and what is made ahead."""
    text = words("postgresql.md")
    assert f"PostgreSQL {SERVER_VERSION_MIN // 10_000} or newer." in text
    assert f"`{TABLES[0]}`, `{TABLES[1]}` and `{TABLES[2]}` are partitioned by days" in text
    assert f"those of today and of {NUMBERS[STORE.partitions_ahead_days]} days ahead" in text


def test_how_long_an_upgrade_waits() -> None:
    """For a table that somebody reads; and for what is in flight in the node that goes."""
    text = words("upgrading.md")
    assert f"wait longer than {STORE.migration_lock_time_max_s:.0f} seconds for a table" in text
    assert f"ends what is in flight ({GRACE_S:.0f} s)" in text


def test_the_bounds_that_sizes_follow_from() -> None:
    """Requests in flight, events in a commit, outcomes that wait."""
    sizing = words("sizing.md")
    assert f"a node has {ENGINE.in_flight_max:,} requests in flight at most" in sizing
    assert f"÷ {ENGINE.in_flight_max:,}" in sizing
    assert f"about {ENGINE.commit_events_max} at most" in sizing
    assert f"{ENGINE.node_bytes_max >> 20} MiB of bodies" in sizing
    assert f"{ENGINE.intake_bytes_max >> 20} MiB of events" in sizing
    assert f"at most {ENGINE.results_max:,}; beyond that nothing more is sent" in words("high-availability.md")


def test_the_cells_of_the_largest_row() -> None:
    """As many as have numbers of their own; what one takes in is their share, and its nodes find places in it."""
    *_, last = read_table("From 1,000 to 1,000,000 events a second")
    found = re.match(r"(\d+) cells, each with (\d+) nodes", last[2])
    assert found is not None
    assert int(found[1]) == CELLS
    assert int(found[2]) <= NODE_SLOTS
    rate = int(last[0].replace(",", "")) / CELLS
    connections = int(found[2]) * (STORE.writers + STORE.readers + 2)
    log_mb = rate * cost("written to its log") / 1e6
    assert f"takes in {rate:,.0f} events a second: {log_mb:.0f} MB/s of log, {connections} connections" in words(
        "sizing.md"
    )
    per_cell = words("cells.md")
    assert f"`HOOKSPAN_CELL`: 0 to {CELLS - 1}" in per_cell
    assert f"A cell has at most {NODE_SLOTS} nodes" in per_cell


def read_table(heading: str) -> list[list[str]]:
    text = (TOP / "docs/operating/sizing.md").read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    rows = re.findall(r"^\| (.*) \|$", text.partition("\n## ")[0], re.MULTILINE)
    return [row.split(" | ") for row in rows]


def cost(row: str) -> float:
    """A figure of PostgreSQL's column, in seconds or bytes."""
    (found,) = [cells[2] for cells in read_table("What an event costs") if cells[0].strip("*") == row]
    number, unit = found.strip("*").split(" ")
    return float(number) * {"µs": 1e-6, "KB": 1e3}[unit]


@pytest.mark.parametrize("row", [1, 2, 3])
def test_the_model_follows_from_the_costs(row: int) -> None:
    """Nodes, cores, logs and room of the larger rows are the arithmetic that the page describes."""
    events, nodes, databases, log, kept = read_table("From 1,000 to 1,000,000 events a second")[1 + row]
    rate = int(events.replace(",", ""))
    cells = int((re.match(r"(\d+)", databases) or ["", "1"])[1])
    busy = 0.5
    needed = -(-rate / cells * cost("CPU of the node") // busy) + 1
    assert int(nodes.replace(",", "")) == cells * needed
    cores = rate / cells * cost("CPU of the database") / busy
    assert any(int(number) - 1 < cores <= int(number) for number in re.findall(r"(\d+) cores", databases))
    scale = {"MB/s": 1e6, "GB/s": 1e9, "TB": 1e12, "PB": 1e15}
    for said, wanted in (
        (log, rate * cost("written to its log")),
        (kept, rate * 86_400 * 7 * cost("kept in all")),
    ):
        number, unit = said.split(" ")
        assert float(number) * scale[unit] == pytest.approx(wanted, rel=0.05)
