"""`hookspan serve`: run a server until it is told to stop."""

from typing import Any

import click

from hookspan.cli._options import profiles_path_option, settings_from, settings_options
from hookspan.cli._output import Exit
from hookspan.telemetry import configure_logging


@click.command("serve", short_help="Run a server.")
@click.option("--dev", is_flag=True, help="For a first try: http and loopback receivers allowed, a sample application.")
@click.option("--host", metavar="ADDRESS", help="Where to listen.  [HOOKSPAN_HOST, default: 127.0.0.1]")
@click.option("--port", metavar="PORT", help="0 takes a free one.  [HOOKSPAN_PORT, default: 8400]")
@click.option(
    "--log-level", metavar="LEVEL", help="debug, info, warning or error.  [HOOKSPAN_LOG_LEVEL, default: info]"
)
@profiles_path_option
@settings_options
def command(*, dev: bool, **flags: Any) -> int:
    """Run a server until Ctrl-C or SIGTERM. What is in flight is finished; nothing accepted is lost either way.

    \b
    Examples:
      hookspan serve --dev
      hookspan serve --host 0.0.0.0 --database-url sqlite:////var/lib/hookspan/hookspan.db

    Settings come from flags, the environment and hookspan.toml; see docs/settings.md.
    """
    settings = settings_from(**flags)
    configure_logging(settings.log_level)
    from hookspan.cli._serving import for_trying, run_on_loop, serve  # late: `--help` needs no engine

    run_on_loop(lambda: serve(for_trying(settings) if dev else settings, is_dev=dev))
    return Exit.OK
