"""The demo: every sample of every shipped profile published over HTTP, delivered, verified, recorded."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from hookspan import __version__
from hookspan.cli._board import Board, Row, Stage
from hookspan.cli._client import ApiClient
from hookspan.cli._exhibit import Exhibit, count_succeeded, create_exhibits, event_body, samples
from hookspan.cli._first_link import first_link
from hookspan.cli._output import Exit, bad, dim, good, strong
from hookspan.cli._receiver import ADDRESS, Arrival, Receiver
from hookspan.cli._serving import until_stopped
from hookspan.cli._throwaway_ca import make_ca
from hookspan.cli.node import Node, bind, running
from hookspan.errors import ConfigurationError
from hookspan.keys import with_keys
from hookspan.profiles import Sample
from hookspan.settings import Settings

DEADLINE_S = 30.0  # for every sample to arrive and be recorded


class Progress:
    """What was published and what has arrived, row by row."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.settled = asyncio.Event()
        self.board = Board((), {})
        self._waiting: dict[tuple[str, str], list[tuple[Row, float]]] = {}
        self._problems: dict[str, str] = {}  # path → why something there did not verify

    def show(self, rows: list[Row], notes: dict[str, str]) -> None:
        """Draw the empty board."""
        self.rows = rows
        self.board = Board(rows, notes)
        self.board.update()

    def published(self, path: str, row: Row) -> None:
        """`row` is about to be published to the application behind `path`."""
        row.stage = Stage.PUBLISHED
        self._waiting.setdefault((path, row.event_type), []).append((row, time.monotonic()))
        self.board.update()

    def arrived(self, arrival: Arrival) -> None:
        """The receiver's report. What no row waits for came from the newcomer's own hands: one line."""
        waiting = self._waiting.get((arrival.path, arrival.event_type or ""))
        if waiting:
            row, since_s = waiting.pop(0)
            row.stage = Stage.VERIFIED
            row.note = f"{len(arrival.body)} bytes in {(arrival.at_s - since_s) * 1000:.0f} ms"
            self.board.update()
        elif arrival.problem and not self.settled.is_set():
            self._problems[arrival.path] = arrival.problem
        else:
            mark = bad(f"✗ {arrival.problem}") if arrival.problem else good("✓ verified")
            click.echo(f"  {dim(time.strftime('%H:%M:%S'))} {arrival.path}  {arrival.event_type or '?'}  {mark}")
        if all(row.stage is Stage.VERIFIED for row in self.rows):
            self.settled.set()

    def give_up(self) -> list[Row]:
        """The deadline has passed: mark what is missing, and say what is known of it."""
        missing = [row for row in self.rows if row.stage is not Stage.VERIFIED]
        for (path, _), waiting in self._waiting.items():
            for row, _ in waiting:
                row.note = f"did not verify: {self._problems[path]}" if path in self._problems else "did not arrive"
        for row in missing:
            row.stage, row.note = Stage.FAILED, row.note or "was not published"
        if missing:
            self.board.update()
            self.board.finish()
        return missing


async def demo(settings: Settings, port: int | None, folder: Path, *, is_once: bool) -> int:
    """Run the whole demo; the exit code. `port` None: the usual one, or a free one. `folder` is a temporary one."""
    ca_file, tls = make_ca(folder, ADDRESS)
    settings = with_keys(msgspec.structs.replace(settings, egress_ca_file=str(ca_file)))
    listener = _bind(settings, port)
    progress = Progress()
    async with (
        until_stopped() as stop,
        Receiver(progress.arrived, tls) as receiver,
        running(settings, listener) as node,
    ):
        _greet(node, receiver)
        exhibits = await asyncio.to_thread(_create_exhibits, node, receiver)
        rows = [
            (one, Row(one.profile.title, event_type, one.profile.category_of(event_type)), sample)
            for one in exhibits
            for event_type, sample in samples(one.profile)
        ]
        progress.show([row for _, row, _ in rows], {one.profile.title: one.note for one in exhibits})
        deadline_s = time.monotonic() + DEADLINE_S
        await _publish_all(node, progress, rows)
        code = await _wait_until_recorded(node, progress, exhibits, stop, deadline_s)
        if not is_once and not stop.is_set():
            _show_next_steps(node, exhibits, await first_link(node))
            await stop.wait()
            click.echo(f"\n{dim('Stopping: finishing what is in flight, then removing the data.')}")
            return Exit.OK
        return code


def _bind(settings: Settings, port: int | None) -> socket.socket:
    if port is not None:
        return bind(settings.host, port)
    try:
        return bind(settings.host, settings.port)
    except ConfigurationError:
        return bind(settings.host, 0)


def _greet(node: Node, receiver: Receiver) -> None:
    click.echo(
        f"\n{good('●')} {strong('Hookspan')} {__version__} at {strong(node.base_url)}, "
        f"delivering to a sample receiver at {strong(receiver.url())}"
    )
    click.echo(f"  {dim('and at')} {receiver.url('https')}{dim(', by a throw-away CA, for profiles that want https')}")


@contextlib.contextmanager
def _client(node: Node) -> Iterator[ApiClient]:
    with ApiClient(node.base_url, node.settings.operator_key) as client:
        yield client


def _create_exhibits(node: Node, receiver: Receiver) -> list[Exhibit]:
    """With a line on a terminal, gone again, of what is being made: a key pair takes a moment."""
    is_terminal = sys.stdout.isatty()

    def tell(text: str) -> None:
        if is_terminal:
            click.echo(f"\r\x1b[2K  {dim(f'· {text} …')}", nl=False)

    with _client(node) as client:
        exhibits = create_exhibits(client, node.profiles, receiver, tell)
    if is_terminal:
        click.echo("\r\x1b[2K", nl=False)
    return exhibits


async def _publish_all(node: Node, progress: Progress, rows: list[tuple[Exhibit, Row, Sample]]) -> None:
    """Publish one after the other over HTTP, from a thread: the client is as blocking as a newcomer's script."""
    with _client(node) as client:
        for exhibit, row, sample in rows:
            progress.published(exhibit.path, row)
            body = event_body(row.event_type, sample)
            await asyncio.to_thread(client.call, "POST", f"/v1/applications/{exhibit.application}/events", body)


async def _wait_until_recorded(
    node: Node, progress: Progress, exhibits: list[Exhibit], stop: asyncio.Event, deadline_s: float
) -> int:
    """Wait for the last arrival, then for Hookspan's own record of it; say what is missing at the deadline."""
    recorded = 0
    try:
        async with asyncio.timeout(deadline_s - time.monotonic()):
            await _first_of(progress.settled, stop)
            while not stop.is_set() and recorded < len(progress.rows):
                recorded = await asyncio.to_thread(_count_succeeded, node, exhibits)
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass
    missing = progress.give_up()
    arrived = len(progress.rows) - len(missing)
    is_good = not missing and recorded == len(progress.rows)
    text = (
        f"{len(progress.rows)} events published over HTTP, {arrived} delivered and verified, "
        f"{recorded} recorded as succeeded"
    )
    click.echo(f"\n  {good('✓') if is_good else bad('✗')} {strong(text)}\n")
    return Exit.OK if is_good else Exit.FAILED


async def _first_of(*events: asyncio.Event) -> None:
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _count_succeeded(node: Node, exhibits: list[Exhibit]) -> int:
    with _client(node) as client:
        return count_succeeded(client, exhibits)


def _show_next_steps(node: Node, exhibits: list[Exhibit], link: str) -> None:
    first = exhibits[-1]
    event_type, sample = samples(first.profile)[:2][-1]
    application = f"{node.base_url}/v1/applications/{first.application}"
    auth = '-H "Authorization: Bearer $KEY"'
    click.echo(
        "\n".join(
            [
                f"  {strong('Now you.')} Look at all this in the dashboard, by this link, once, within 15 minutes:",
                "",
                f"    {link}",
                "",
                "  Or in another terminal:",
                "",
                f"    export KEY={node.settings.operator_key}",
                "",
                dim("    # publish an event, and see it arrive here"),
                f"    curl {auth} {application}/events \\",
                f'      -d \'{{"type": "{event_type}", "content": {sample.content.decode()}}}\'',
                dim("    # what became of each"),
                f"    curl {auth} {application}/deliveries",
                dim("    # where events go"),
                f"    curl {auth} {application}/webhooks",
                "",
                f"  API reference {node.base_url}/docs   metrics {node.base_url}/metrics",
                f"  {dim('Ctrl-C stops Hookspan and removes the data.')}",
                "",
            ]
        )
    )
