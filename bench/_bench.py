"""What rows measure with: how much of everything, fresh programs and folders, and a run under full load."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from bench import _load
from bench._errors import BenchError
from bench._receiver import Receiver
from bench._subject import Hookspan, Subject, floor_running, hookspan_running


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    pairs: int
    seconds: int
    applications: int
    storm_deliveries: int
    kept_events: int
    prefill_s: float = 60.0


FULL = Scale(pairs=5, seconds=8, applications=10_000, storm_deliveries=20_000, kept_events=500_000)
QUICK = Scale(pairs=2, seconds=3, applications=1_000, storm_deliveries=5_000, kept_events=50_000, prefill_s=20.0)


class Throughput(msgspec.Struct, frozen=True):
    """One run under full load."""

    delivered_per_s: float
    cpu_us_per_event: float


class Bench:
    """What rows measure with: the scale, the tools, a receiver, an empty folder each time, and somebody to tell."""

    def __init__(
        self, scale: Scale, receiver: Receiver, folder: Path, tools: dict[str, str], tell: Callable[[str], None]
    ) -> None:
        self.scale = scale
        self.receiver = receiver
        self.tell = tell
        self._folder = folder
        self._tools = tools
        self._folders = 0

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """A new empty folder, removed with all that is in it."""
        self._folders += 1
        folder = self._folder / str(self._folders)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def floor(self) -> Iterator[Subject]:
        """A fresh floor."""
        with self.folder() as folder, floor_running(folder, self.receiver.port) as subject:
            yield subject

    @contextlib.contextmanager
    def hookspan(self) -> Iterator[Hookspan]:
        """A fresh Hookspan with one application that has one webhook."""
        with self.folder() as folder, hookspan_running(folder) as subject:
            subject.add_application(self.receiver.url())
            yield subject

    def throughput(self, subject: Subject, batch: int = 1, label: str = "") -> Throughput:
        """Publish as fast as it goes; delivered events are counted at the receiver, from the first request until
        nothing is left. Raises BenchError when an accepted event does not arrive.
        """
        batch = min(batch, subject.batch_max)
        lua = _load.script(subject.paths, _load.body_of(batch), subject.key)
        before, cpu_s, began_s = self.receiver.received(), subject.process.cpu_s(), time.monotonic()
        with self.folder() as folder:
            load = _load.run(self._tools["wrk"], subject.port, lua, self.scale.seconds, folder)
        accepted = load.accepted * batch
        self.receiver.wait_for(before + accepted)
        # Requests that were under way when wrk's time was up are kept and delivered too, though wrk counts them not.
        count, ended_s = self.receiver.settled()
        delivered = count - before
        cpu_s = subject.process.cpu_s() - cpu_s
        if delivered < accepted or not delivered:
            raise BenchError(f"{subject.name}: {accepted:,} events were accepted, {delivered:,} arrived.")
        result = Throughput(delivered / (ended_s - began_s), 1e6 * cpu_s / delivered)
        self.tell(
            f"    {label or subject.name:<22} {result.delivered_per_s:>9,.0f}/s {result.cpu_us_per_event:>6,.0f} µs CPU"
            f"   answered p50 {load.ack_p50_ms:.1f} p99 {load.ack_p99_ms:.1f} ms, refused {load.refused:,}"
        )
        return result

    def pairs(self) -> Iterator[int]:
        """The number of each pair, told as it begins."""
        for number in range(1, self.scale.pairs + 1):
            self.tell(f"  pair {number} of {self.scale.pairs}")
            yield number
