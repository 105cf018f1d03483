"""`python -m bench`, which `make bench` runs: measure, print, and with --write keep it in docs/."""

import resource
import shlex
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click
import msgspec

from bench import _report
from bench._bench import FULL, QUICK, Bench, Scale
from bench._errors import BenchError
from bench._figures import Result
from bench._machine import Machine, examine, find_tools
from bench._receiver import receiver_running
from bench.rows import ROWS

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAIRS_MAX, SECONDS_MAX = 100, 600


def chosen(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[str]:
    """The rows that a comma-separated list names, in the report's order; all when none are named."""
    names = [name.strip() for name in value.split(",") if name.strip()] if value is not None else list(ROWS)
    unknown = [name for name in names if name not in ROWS]
    if unknown or not names:
        said = f"there is no row {', '.join(unknown)}" if unknown else "no row is named"
        raise click.BadParameter(f"{said}; there are {', '.join(ROWS)}.")
    return [name for name in ROWS if name in names]


def command_line(arguments: list[str]) -> str:
    """How to ask for the same run again, without the folder, which is nobody else's business."""
    kept, is_value = [], False
    for argument in arguments:
        if not is_value and not argument.startswith("--folder"):
            kept.append(argument)
        is_value = argument == "--folder"
    return f"make bench ARGS={shlex.quote(' '.join(kept))}" if kept else "make bench"


def scale_of(*, quick: bool, pairs: int | None, seconds: int | None) -> Scale:
    """The full or the quick scale, with what was asked for in particular."""
    given = {name: value for name, value in (("pairs", pairs), ("seconds", seconds)) if value is not None}
    return msgspec.structs.replace(QUICK if quick else FULL, **given)


def measure(rows: list[str], scale: Scale, folder: Path, tools: dict[str, str]) -> list[Result]:
    """Run the rows in turn. Raises BenchError."""
    results: list[Result] = []
    with receiver_running(tools["nginx"], folder / "receiver") as receiver:
        bench = Bench(scale, receiver, folder, tools, click.echo)
        for name in rows:
            click.secho(f"{name}: {_first_line(ROWS[name].__doc__)}", bold=True)
            measured = ROWS[name](bench)
            for result in measured:
                _tell(result)
            results += measured
    return results


def write(results: list[Result], machine: Machine, command: str) -> None:
    """Put the page and, where there is something to draw, the chart into docs/."""
    (DOCS / _report.PAGE).write_text(_report.page(results, machine, command), encoding="utf-8")
    if any(result.is_charted for result in results):
        (DOCS / _report.CHART).write_text(_report.chart(results), encoding="utf-8")


@click.command(context_settings={"max_content_width": 100})
@click.option("--rows", callback=chosen, metavar="NAME,…", help=f"Only these of {', '.join(ROWS)}.")
@click.option("--quick", is_flag=True, help="2 pairs of 3 s and smaller sets: a first look, not a claim.")
@click.option("--pairs", type=click.IntRange(1, PAIRS_MAX), help=f"How many.  [default: {FULL.pairs}]")
@click.option("--seconds", type=click.IntRange(1, SECONDS_MAX), help=f"Of load in each run.  [default: {FULL.seconds}]")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False, writable=True),
    help="Where databases go, on the disk that is to be measured.  [default: the system's temporary folder]",
)
@click.option("--write", "is_writing", is_flag=True, help="Replace docs/benchmarks.md and .svg with this run's rows.")
def main(*, rows: list[str], folder: Path | None, is_writing: bool, **sizes: Any) -> None:
    """Measure Hookspan on this machine, against a program that does the least for the same work.

    Leave the machine alone while it runs. All rows take about a quarter of an hour, with --quick some three minutes.
    Needs wrk and nginx, in Debian packages of these names.
    """
    _allow_many_files()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)  # so that the programs under measure are ended too
    try:
        tools = find_tools()
        with tempfile.TemporaryDirectory(prefix="hookspan-bench-", dir=folder, ignore_cleanup_errors=True) as name:
            place = Path(name)
            place.chmod(0o755)  # nginx, started by root, looks in as nobody
            machine = examine(place, tools)
            results = measure(rows, scale_of(**sizes), place, tools)
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    command = command_line(sys.argv[1:])
    click.echo(f"\n{_report.table(results)}\n{_report.facts(machine)}")
    if is_writing:
        write(results, machine, command)
        click.echo(f"Written: docs/{_report.PAGE}")


def _tell(result: Result) -> None:
    ratio = result.ratio
    shown = f"{ratio.median:.2f} ({ratio.least:.2f} to {ratio.most:.2f}): " if ratio else ""
    click.echo(f"  {result.title}: {shown}{result.figure}")


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def _allow_many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # one for each connection; children inherit it


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
