"""`hookspan serve`: run a server until it is told to stop."""

from typing import Any

import click

from hookspan.cli._options import profiles_path_option, settings_from, settings_options
from hookspan.cli._output import Exit
from hookspan.cli._workers import WORKERS_MAX
from hookspan.errors import ConfigurationError
from hookspan.telemetry import configure_logging


@click.command("serve", short_help="Run a server.")
@click.option("--dev", is_flag=True, help="For a first try: http and loopback receivers allowed, a sample application.")
@click.option("--host", metavar="ADDRESS", help="Where to listen.  [HOOKSPAN_HOST, default: 127.0.0.1]")
@click.option("--port", metavar="PORT", help="0 takes a free one.  [HOOKSPAN_PORT, default: 8400]")
@click.option(
    "--log-level", metavar="LEVEL", help="debug, info, warning or error.  [HOOKSPAN_LOG_LEVEL, default: info]"
)
@click.option(
    "--workers",
    type=click.IntRange(1, WORKERS_MAX),
    default=1,
    show_default=True,
    metavar="N",
    help="So many nodes on one socket: for machines with more than two cores, on PostgreSQL.",
)
@click.option("--role", metavar="ROLE", help="all, intake or deliver; on PostgreSQL.  [HOOKSPAN_ROLE, default: all]")
@click.option(
    "--paused",
    "start_paused",
    is_flag=True,
    default=None,
    help="Pause all sending before the first request: after a restore.  [HOOKSPAN_START_PAUSED]",
)
@profiles_path_option
@settings_options
def command(*, dev: bool, workers: int, **flags: Any) -> int:
    """Run a server until Ctrl-C or SIGTERM. What is in flight is finished; nothing accepted is lost either way.

    \b
    Examples:
      hookspan serve --dev
      hookspan serve --host 0.0.0.0 --database-url sqlite:////var/lib/hookspan/hookspan.db
      hookspan serve --workers 4 --database-url postgresql://hookspan@db/hookspan

    Settings come from flags, the environment and hookspan.toml; see docs/settings.md.
    """
    settings = settings_from(**flags)
    configure_logging(settings.log_level)
    if workers > 1 and not settings.is_shared:
        raise ConfigurationError(
            "--workers needs a database that nodes can share: give --database-url postgresql://…. On SQLite one "
            "process does all the work."
        )
    if workers > 1 and dev:
        raise ConfigurationError("--dev is for one node: leave --workers out.")
    from hookspan.cli._serving import for_trying, run_on_loop, serve, serve_by_workers  # late: `--help` needs no engine

    if workers > 1:
        return serve_by_workers(settings, workers)
    run_on_loop(lambda: serve(for_trying(settings) if dev else settings, is_dev=dev))
    return Exit.OK
