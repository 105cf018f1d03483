"""`hookspan demo`: the whole journey of events, on this machine, before a newcomer's eyes."""

import tempfile
from pathlib import Path

import click

from hookspan.settings import Settings
from hookspan.telemetry import configure_logging

_PORT = Settings().port


@click.command("demo", short_help="See events published, delivered and verified.")
@click.option("--once", is_flag=True, help="End by itself: 0 when every event was delivered and verified, else 1.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help=f"Where Hookspan listens.  [default: {_PORT}, or a free one]",
)
def command(*, once: bool, port: int | None) -> int:
    """Start Hookspan and a sample receiver, publish events, and watch each arrive with its signature verified.

    One application for each shipped profile gets a sample of every event type in that profile's catalog. A catalog
    that is open, as that of Standard Webhooks, has no list: there a few types of a shop stand for yours. Profiles that
    want https get it, by a certificate authority that is made for this demo and trusted by nothing else.

    \b
    Example:
      hookspan demo --once

    Everything happens on this machine, over real sockets, in a temporary folder that is removed at the end.
    """
    from hookspan.cli._demo import demo  # late: `--help` needs no engine
    from hookspan.cli._serving import for_trying, run_on_loop

    configure_logging("warning")
    with tempfile.TemporaryDirectory(prefix="hookspan-demo-") as folder:
        path = Path(folder).resolve()
        settings = for_trying(Settings(database_url=f"sqlite:///{path}/hookspan.db"))
        return run_on_loop(lambda: demo(settings, port, path, is_once=once))
