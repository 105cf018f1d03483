"""What each row of the report measures. A row is a function from the bench to a result; `ROWS` is their order."""

import contextlib
import email.utils
import http.client
import shutil
import time
from collections.abc import Callable

from bench import _latency
from bench._bench import Bench, Throughput
from bench._errors import BenchError
from bench._figures import Result, Spread, quantile, ratios
from bench._receiver import BACK_AT_HEADER
from bench._subject import Hookspan, floor_running, hookspan_running

BATCH = 100
PREFILL_BATCH = 500
_IDLE_S = 2.0  # after the start, until memory is called idle
_PUBLISH_RETRIES_MAX = 1_000  # of a batch that is told to come back later
_PUBLISH_PAUSE_S = 0.02
_STORM_PUBLISH_PER_S = 2_000  # at least so fast first attempts are made: else the storm would start before its time
_POLL_AHEAD_S = 0.01  # the last look before a storm
_STORM_AHEAD_S = 8.0  # longer than the policy's first delay (5 s ± 10 %), which the receiver's wish must outlast


Row = Callable[[Bench], list[Result]]


def single(bench: Bench) -> list[Result]:
    """One event a request, against the floor."""
    return [_against_floor(bench, "single", "One event a request ÷ floor", 1, "≥ 0.65")]


def batch(bench: Bench) -> list[Result]:
    """Batches, against the floor, which takes single events all the same."""
    return [_against_floor(bench, "batch", f"Batches of {BATCH} ÷ floor", BATCH, "≥ 1.2")]


def applications(bench: Bench) -> list[Result]:
    """Many applications in turn, against one."""
    count = bench.scale.applications
    one, many = [], []
    with bench.folder() as prepared:
        with hookspan_running(prepared / "data") as subject:
            bench.tell(f"  setting up {count:,} applications with a webhook each")
            began_s = time.monotonic()
            subject.add_applications(count, bench.receiver.url())
            bench.tell(f"  set up in {time.monotonic() - began_s:.1f} s")
            paths = subject.paths
        for _ in bench.pairs():
            with bench.hookspan() as subject:
                one.append(bench.throughput(subject, label="1 application"))
            with bench.folder() as folder:
                shutil.copytree(prepared / "data", folder / "data")
                with hookspan_running(folder / "data") as subject:
                    subject.paths = paths
                    _meet_all(bench, subject)
                    many.append(bench.throughput(subject, label=f"{count:,} applications"))
    title = f"{count:,} applications with a webhook each ÷ one"
    return [_compared("applications", title, many, one, "≥ 0.95")]


def latency(bench: Bench) -> list[Result]:
    """How long an event takes to the receiver's door when there is no hurry."""
    samples: dict[str, list[_latency.Latencies]] = {"floor": [], "hookspan": []}
    for _ in bench.pairs():
        for name, to_receiver in samples.items():
            with bench.folder() as folder, _latency.listen() as listener, contextlib.ExitStack() as stack:
                port = listener.getsockname()[1]
                if name == "floor":
                    subject = stack.enter_context(floor_running(folder, port))
                else:
                    hookspan = stack.enter_context(hookspan_running(folder))
                    hookspan.add_application(f"http://127.0.0.1:{port}/hook")
                    subject = hookspan
                measured = _latency.measure(listener, subject.port, subject.paths[0], subject.key, bench.scale.seconds)
            to_receiver.append(measured)
            p50, p99 = (quantile(measured.to_receiver_ms, share) for share in (0.5, 0.99))
            bench.tell(f"    {name:<22} p50 {p50:.1f} ms   p99 {p99:.1f} ms")
    return [
        _latency_result(f"latency_p{percent}", percent, aim, samples)
        for percent, aim in ((50, "≤ 3 ms"), (99, "≤ 15 ms"))
    ]


def memory(bench: Bench) -> list[Result]:
    """What the process takes when nothing happens, and at most under full load."""
    idle, peak = [], []
    for _ in bench.pairs():
        with bench.hookspan() as subject:
            time.sleep(_IDLE_S)
            idle.append(subject.process.memory_mib())
            bench.throughput(subject, BATCH)
            peak.append(subject.process.memory_peak_mib())
        bench.tell(f"    {'memory':<22} idle {idle[-1]:.0f} MiB   peak {peak[-1]:.0f} MiB")
    return [
        _memory_result("memory_idle", "Memory, idle", idle, "≤ 80 MiB"),
        _memory_result("memory_peak", f"Memory, peak at full speed (batches of {BATCH})", peak, "≤ 200 MiB"),
    ]


def storm(bench: Bench) -> list[Result]:
    """Many deliveries that failed become due in one moment, against the rate at which new events are delivered."""
    count = bench.scale.storm_deliveries
    steady, drained = [], []
    for _ in bench.pairs():
        with bench.hookspan() as subject:
            steady.append(bench.throughput(subject, label="new events").delivered_per_s)
            drained.append(_drain(bench, subject, count))
            bench.tell(f"    {'retries due at once':<22} {drained[-1]:>9,.0f}/s")
    figure = f"{Spread.of(drained).median:,.0f} retries/s against {Spread.of(steady).median:,.0f} new events/s"
    title = f"{count:,} retries due at once: drained ÷ delivery rate of new events"
    return [
        Result("storm", title, figure, len(drained), ratios(drained, steady), aim="≥ 0.9", is_charted=True),
    ]


def kept(bench: Bench) -> list[Result]:
    """CPU for an event when many are kept already, against an empty store."""
    empty, full = [], []
    with bench.folder() as folder:
        with hookspan_running(folder) as subject:
            path = subject.add_application(bench.receiver.url())
            count = _prefill(bench, subject, path)
        for _ in bench.pairs():
            with bench.hookspan() as subject:
                empty.append(bench.throughput(subject, label="empty store"))
            with hookspan_running(folder) as subject:
                subject.paths = [path]
                full.append(bench.throughput(subject, label=f"{count:,} events kept"))
    over, under = ([run.cpu_us_per_event for run in runs] for runs in (full, empty))
    figure = f"{Spread.of(over).median:.0f} against {Spread.of(under).median:.0f} µs CPU"
    title = f"CPU for an event with {count:,} kept ÷ empty store"
    return [Result("kept", title, figure, len(over), ratios(over, under), aim="≤ 1.1")]


ROWS: dict[str, Row] = {
    "single": single,
    "batch": batch,
    "applications": applications,
    "latency": latency,
    "memory": memory,
    "storm": storm,
    "kept": kept,
}


def _against_floor(bench: Bench, row: str, title: str, batch: int, aim: str) -> Result:
    below, above = [], []
    for _ in bench.pairs():
        with bench.floor() as floor:
            below.append(bench.throughput(floor))
        with bench.hookspan() as subject:
            above.append(bench.throughput(subject, batch))
    return _compared(row, title, above, below, aim)


def _compared(row: str, title: str, above: list[Throughput], below: list[Throughput], aim: str) -> Result:
    over, under = ([run.delivered_per_s for run in runs] for runs in (above, below))
    cpu_over, cpu_under = (Spread.of([run.cpu_us_per_event for run in runs]).median for runs in (above, below))
    figure = (
        f"{Spread.of(over).median:,.0f} against {Spread.of(under).median:,.0f} delivered/s; "
        f"{cpu_over:.0f} against {cpu_under:.0f} µs CPU an event"
    )
    return Result(row, title, figure, len(over), ratios(over, under), aim, is_charted=True)


def _latency_result(row: str, percent: int, aim: str, samples: dict[str, list[_latency.Latencies]]) -> Result:
    of = {name: [quantile(run.to_receiver_ms, percent / 100) for run in runs] for name, runs in samples.items()}
    spread = Spread.of(of["hookspan"])
    figure = (
        f"{spread.median:.1f} ms ({spread.least:.1f} to {spread.most:.1f}); "
        f"the floor takes {Spread.of(of['floor']).median:.1f} ms"
    )
    title = f"Publish to first byte at the receiver, p{percent}, at {_latency.RATE_PER_S:,} events/s ÷ floor"
    return Result(row, title, figure, len(of["hookspan"]), ratios(of["hookspan"], of["floor"]), aim)


def _memory_result(row: str, title: str, values_mib: list[float], aim: str) -> Result:
    spread = Spread.of(values_mib)
    figure = f"{spread.median:.0f} MiB ({spread.least:.0f} to {spread.most:.0f})"
    return Result(row, title, figure, len(values_mib), aim=aim)


def _meet_all(bench: Bench, subject: Hookspan) -> None:
    """One event for each application first: the row is about having many, not about meeting each for the first time,
    when its webhooks are loaded and its connection is opened. What that costs is told beside.
    """
    before, began_s, cpu_s = bench.receiver.received(), time.monotonic(), subject.process.cpu_s()
    accepted = subject.publish_to_all()
    bench.receiver.wait_for(before + accepted)
    count, ended_s = bench.receiver.settled()
    cpu_us = 1e6 * (subject.process.cpu_s() - cpu_s) / max(1, count - before)
    bench.tell(
        f"    {'first event of each':<22} {(count - before) / (ended_s - began_s):>9,.0f}/s {cpu_us:>6,.0f} µs CPU"
    )


def _drain(bench: Bench, subject: Hookspan, count: int) -> float:
    """Deliveries a second, from the moment that `count` failed ones become due until the last has arrived."""
    due_at = int(time.time() + _STORM_AHEAD_S + count / _STORM_PUBLISH_PER_S)
    due_s = time.monotonic() + due_at - time.time()
    headers = {BACK_AT_HEADER: email.utils.formatdate(due_at, usegmt=True)}
    path = subject.add_application(bench.receiver.url("/outage"), headers)
    before = bench.receiver.received()
    with bench.receiver.outage() as end_outage, subject.connected() as connection:
        _publish_all(subject, connection, path, count)
        failed, since_s = bench.receiver.wait_for(before + count)
        if failed - before != count or since_s > due_s - _STORM_AHEAD_S + 1:
            raise BenchError(f"First attempts were too slow for a storm: {failed - before:,} of {count:,} in time.")
        end_outage()
        time.sleep(max(0.0, due_s - _POLL_AHEAD_S - time.monotonic()))
        early = bench.receiver.received() - before - count
        arrived, ended_s = bench.receiver.wait_for(before + 2 * count)
    if early:
        raise BenchError(f"{early:,} of {count:,} retries came before the receiver had asked for them.")
    if arrived - before < 2 * count:
        raise BenchError(f"After the outage {arrived - before - count:,} of {count:,} retries arrived.")
    return count / (ended_s - due_s)


def _prefill(bench: Bench, subject: Hookspan, path: str) -> int:
    """Publish until enough events are kept and delivered, or time is up: how many are kept."""
    wanted, kept_events = bench.scale.kept_events, 0
    before, deadline = bench.receiver.received(), time.monotonic() + bench.scale.prefill_s
    bench.tell(f"  filling the store with {wanted:,} events, for {bench.scale.prefill_s:.0f} s at most")
    with subject.connected() as connection:
        while kept_events < wanted and time.monotonic() < deadline:
            _publish_all(subject, connection, path, PREFILL_BATCH)
            kept_events += PREFILL_BATCH
    arrived, _ = bench.receiver.wait_for(before + kept_events)
    if arrived - before < kept_events:
        raise BenchError(f"{kept_events:,} events were accepted, {arrived - before:,} arrived.")
    return kept_events


def _publish_all(subject: Hookspan, connection: http.client.HTTPConnection, path: str, count: int) -> None:
    """Publish `count` events in batches, with patience where the server asks for it."""
    left, retries = count, 0
    while left:
        accepted = subject.publish(connection, path, min(left, PREFILL_BATCH))
        left -= accepted
        if not accepted:
            retries += 1
            if retries > _PUBLISH_RETRIES_MAX:
                raise BenchError(f"The server kept refusing: {left:,} of {count:,} events were left.")
            time.sleep(_PUBLISH_PAUSE_S)
