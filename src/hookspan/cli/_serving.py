"""Running a node in the foreground: the loop, the signals, the words on the terminal."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import click
import msgspec
import uvloop

from hookspan import __version__
from hookspan.cli._client import ApiClient, Refused
from hookspan.cli._first_link import first_link, has_nobody
from hookspan.cli._output import Exit, dim, good, say_error, strong
from hookspan.cli._workers import Workers
from hookspan.cli.node import Node, bind, running
from hookspan.errors import ConfigurationError, HookspanError
from hookspan.keys import OPERATOR_KEY_FILE, with_keys
from hookspan.settings import Settings
from hookspan.telemetry import log

DEV_NETWORKS = ("127.0.0.0/8", "::1/128")
DEV_APPLICATION = "app_sample"
HOW_TO_COME_IN = 'hookspan users invite "Your name" --role admin'


def for_trying(settings: Settings) -> Settings:
    """`settings` with receivers on this machine and plain http allowed."""
    return msgspec.structs.replace(
        settings, egress_allow=(*settings.egress_allow, *DEV_NETWORKS), egress_allow_http=True
    )


def run_on_loop(main: Callable[[], Coroutine[Any, Any, int | None]]) -> int:
    """Run `main` on a fresh uvloop and return what it returns. Refusals inside task groups come out plain."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(main()) or 0
        except BaseExceptionGroup as group:
            raise _first(group) from group


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@contextlib.asynccontextmanager
async def until_stopped() -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set. A second one ends the process at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    signals = (signal.SIGTERM, signal.SIGINT)

    def stopping(number: int) -> None:
        stop.set()
        loop.remove_signal_handler(number)  # from now on its default: the process ends

    for number in signals:
        loop.add_signal_handler(number, stopping, number)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


class _Word:
    """Only one of several processes takes it, whichever comes first: a byte in a pipe that they share."""

    def __init__(self) -> None:
        self._taken, given = os.pipe()
        os.write(given, b"1")
        os.close(given)

    def take(self) -> bool:
        return os.read(self._taken, 1) != b""


def serve_by_workers(settings: Settings, count: int) -> int:
    """Run `count` nodes on one listening socket until a signal comes; the exit code."""
    settings = with_keys(settings)
    listener = bind(settings.host, settings.port)
    word, greeting = _Word(), _Word()

    def work(listener: socket.socket, parent: int, *, is_first: bool) -> int:
        # One that is started anew pauses nothing: somebody may have resumed since.
        start_paused = settings.start_paused and is_first
        own = msgspec.structs.replace(settings, start_paused=start_paused)
        try:
            # A link ends the one before: one of them shows one, and none that is started anew.
            greets = is_first and greeting.take()
            return run_on_loop(lambda: serve(own, is_dev=False, greets=greets, listener=listener, parent=parent))
        except ConfigurationError as error:
            # What keeps one from starting keeps all, and ends them: one says it.
            if not is_first or word.take():
                say_error(error, is_json=False)
            return int(Exit.CANT_START)
        except HookspanError as error:
            say_error(error, is_json=False)
            return int(Exit.FAILED)

    return Workers(count, listener, work).run()


async def serve(
    settings: Settings,
    *,
    is_dev: bool,
    greets: bool = True,
    listener: socket.socket | None = None,
    parent: int | None = None,
) -> None:
    """Run a node until a signal comes, or until what `parent` (a descriptor) reads from is closed. `is_dev` adds a
    sample application and a newcomer's first steps; without it one that `greets` shows the way in on a terminal, until
    an admin has taken it. `listener`: bound already.
    """
    settings = with_keys(settings)
    if listener is None:
        listener = bind(settings.host, settings.port)
    async with until_stopped() as stop:
        if parent is not None:
            asyncio.get_running_loop().add_reader(parent, stop.set)
        async with running(settings, listener) as node:
            log.info("listening", address=node.base_url, database=settings.shown()["database_url"], version=__version__)
            if is_dev:
                await _show_first_steps(node)
            elif settings.role != "deliver":
                log.info("dashboard", address=f"{node.base_url}/dashboard", sign_in=HOW_TO_COME_IN)
                # To a person who looks, never to a log: whoever reads the link first is the admin.
                if greets and sys.stdout.isatty() and await has_nobody(node):
                    link = await first_link(node)
                    click.echo(f"\n  {strong('Dashboard')}, by this link, once, within 15 minutes:\n  {link}\n")
            await stop.wait()
            if parent is not None:
                asyncio.get_running_loop().remove_reader(parent)
            log.info("stopping: finishing what is in flight")
        log.info("stopped")


async def _show_first_steps(node: Node) -> None:
    await asyncio.to_thread(_ensure_sample_application, node.base_url, node.settings.operator_key)
    application = f"{node.base_url}/v1/applications/{DEV_APPLICATION}"
    lines = (
        "",
        f"{good('●')} {strong('Hookspan')} {__version__} for trying things, at {strong(node.base_url)}",
        f"  data and keys in {node.settings.data_folder}{dim(f'  ({OPERATOR_KEY_FILE} holds the key below)')}",
        "",
        f"  export KEY={node.settings.operator_key}",
        "",
        dim("  # where should events go? also http on this machine; 127.0.0.1, as localhost is refused"),
        f'  curl -H "Authorization: Bearer $KEY" {application}/webhooks \\',
        '    -d \'{"url": "http://127.0.0.1:9000/hook"}\'',
        dim("  # publish one"),
        f'  curl -H "Authorization: Bearer $KEY" {application}/events \\',
        '    -d \'{"type": "order.paid", "content": {"order_id": 17}}\'',
        dim("  # what became of it?"),
        f'  curl -H "Authorization: Bearer $KEY" {application}/deliveries',
        "",
        f"  {strong('Dashboard')}, by this link, once, within 15 minutes:",
        f"  {await first_link(node)}",
        "",
        f"  API reference: {node.base_url}/docs   Ctrl-C stops.",
        "",
    )
    click.echo("\n".join(lines))


def _ensure_sample_application(base_url: str, key: str) -> None:
    with ApiClient(base_url, key) as client:
        try:
            client.call("GET", f"/v1/applications/{DEV_APPLICATION}")
        except Refused:
            client.call("POST", "/v1/applications", {"id": DEV_APPLICATION, "name": "Sample", "profile": "standard"})
