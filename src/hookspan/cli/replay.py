"""`hookspan replay`: deliver past events to a webhook again, and watch it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import click

from hookspan.cli._client import ApiClient, Unreachable
from hookspan.cli._output import Exit, bad, confirm, dim, good, json_option, say_error, say_json, strong
from hookspan.cli._remote import remote, remote_options
from hookspan.cli._when import time_or_ago

TIMEOUT_S = 120.0  # a large window is looked through before the answer comes
POLL_S = 0.5
LINE_S = 10.0  # where there is no terminal: the least between two lines of progress
SAME_LINE_S = 600.0  # and between two that say the same
AWAY_S = 60.0  # a server that is being restarted is waited for
_TYPES_SHOWN = 10

Job = dict[str, Any]


@click.command("replay", short_help="Deliver past events to a webhook again.")
@click.option("--application", metavar="APP", required=True, help="The application's id.")
@click.option("--webhook", metavar="ID", required=True, help="The webhook's id.")
@click.option(
    "--since", metavar="TIME", required=True, callback=time_or_ago, help="From then on: 2h (ago), or RFC 3339."
)
@click.option("--until", metavar="TIME", callback=time_or_ago, help="Up to then, exclusive.  [default: now]")
@click.option(
    "--state",
    type=click.Choice(["failed", "succeeded", "cancelled", "missing"]),
    help="Only events whose newest delivery is so, or that have none.",
)
@click.option(
    "--type", "types", metavar="PATTERN", multiple=True, help="Only these: a type, prefix.* or category:NAME."
)
@click.option("--rate", type=click.FloatRange(min=0.001), metavar="N", help="Deliveries a second.")
@click.option("--dry-run", is_flag=True, help="Show what would be delivered, and start nothing.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--wait/--no-wait", default=True, help="Watch it until it is done, or leave at once.  [default: wait]")
@remote_options
@json_option
def command(  # noqa: PLR0913 - the flags, each by name
    *,
    application: str,
    webhook: str,
    since: str,
    until: str | None,
    state: str | None,
    types: tuple[str, ...],
    rate: float | None,
    dry_run: bool,
    yes: bool,
    wait: bool,
    is_json: bool,
    **flags: Any,
) -> int:
    """Deliver past events to a webhook again, as a job of the server: those accepted since a time that the webhook asks
    for, oldest first. What is still on its way is skipped. It shows how many, asks, and watches.

    \b
    Examples:
      hookspan replay --application app_sample --webhook whk_… --since 2h --state failed
      hookspan replay --application app_sample --webhook whk_… --since 2026-05-01T00:00:00Z --rate 50 --yes --no-wait

    Ctrl-C ends the watching and asks whether to cancel the job too. Exit code 1: some deliveries failed, or the job was
    cancelled or could not go on.
    """
    if is_json and not (yes or dry_run):
        raise click.UsageError("--json asks nothing: give --yes or --dry-run with it.")
    given = {"since": since, "until": until, "state": state, "types": list(types) or None, "rate": rate}
    body = {name: value for name, value in given.items() if value is not None}
    path = f"/v1/applications/{quote(application, safe='')}/webhooks/{quote(webhook, safe='')}/replay"
    try:
        with remote(timeout_s=TIMEOUT_S, **flags) as client:
            if dry_run or not yes:
                preview = client.call("POST", path, {**body, "dry_run": True})
                if dry_run and is_json:
                    say_json(preview)
                else:
                    _say_preview(preview)
                if dry_run or not preview["count"]:
                    return Exit.OK
                confirm("Deliver them again?")
            return _run(client, client.call("POST", path, body), wait=wait, is_json=is_json)
    except Unreachable as error:
        say_error(error, is_json=is_json)
        return Exit.UNREACHABLE


def _run(client: ApiClient, job: Job, *, wait: bool, is_json: bool) -> int:
    """Watch a job that was started, or leave it."""
    if not is_json:
        click.echo(f"{good('✓')} {strong(job['id'])} delivers {_events(job['total'])} again", err=wait)
    if wait:
        try:
            job = _watch(client, job, is_json=is_json)
        except KeyboardInterrupt:
            return _leave(client, job)
    if is_json:
        say_json(job)
    elif wait:
        _say_end(job)
    if not wait:
        return Exit.OK
    return Exit.OK if job["state"] == "succeeded" and not job["failed"] else Exit.FAILED


def _watch(client: ApiClient, job: Job, *, is_json: bool) -> Job:
    """Until it is finished. A server that does not answer is waited for, for a while."""
    answered_s = time.monotonic()
    with _bar(job["total"], is_quiet=is_json) as bar:
        while job["finished_at"] is None:
            time.sleep(POLL_S)
            try:
                job = client.call("GET", f"/v1/jobs/{job['id']}")
            except Unreachable:
                if time.monotonic() - answered_s > AWAY_S:
                    raise
                continue
            answered_s = time.monotonic()
            bar(job)
    return job


@contextmanager
def _bar(total: int, *, is_quiet: bool) -> Iterator[Any]:
    """Shows progress: a bar on a terminal, a line now and then where the output goes elsewhere, nothing if `is_quiet`
    there.
    """
    if not sys.stderr.isatty():
        if not is_quiet:
            click.echo(
                "  This waits until each has ended, retries included: maybe days. --no-wait leaves at once.",
                err=True,
            )
        yield (lambda _: None) if is_quiet else Lines(time.monotonic())
        return

    def described(job: Job | None) -> str:
        failed = f", {job['failed']} failed" if job and job["failed"] else ""
        return (
            "" if job is None else f"{job['done']} of {job['total']}{failed}" + (" (waits)" if job["problem"] else "")
        )

    with click.progressbar(length=total, file=sys.stderr, item_show_func=described) as bar:

        def show(job: Job) -> None:
            bar.update(max(0, job["done"] - bar.pos), job)

        yield show


class Lines:
    """Progress for a log: a line when the counts have changed, and seldom one when they have not. Times in seconds."""

    def __init__(self, now_s: float) -> None:
        self._said_s = now_s
        self._said = ""

    def __call__(self, job: Job) -> None:
        line = self.line(job, time.monotonic())
        if line is not None:
            click.echo(line, err=True)

    def line(self, job: Job, now_s: float) -> str | None:
        """What is to be said of it now."""
        quiet_s = now_s - self._said_s
        if job["finished_at"] is not None or quiet_s < LINE_S:  # its end is said anyway
            return None
        failed = f", {job['failed']:,} failed" if job["failed"] else ""
        said = f"  {job['done']:,} of {job['total']:,}{failed}; {_waiting(job)}"
        if said == self._said and quiet_s < SAME_LINE_S:
            return None
        self._said, self._said_s = said, now_s
        return said


def _waiting(job: Job) -> str:
    left = job["total"] - job["done"]
    wait = f"{left:,} {'waits' if left == 1 else 'wait'} for a turn or a retry"
    return f"{wait}. {job['problem']}" if job["problem"] else wait


def _leave(client: ApiClient, job: Job) -> int:
    """Ctrl-C: the job is the server's and goes on, unless a person says otherwise."""
    click.echo("", err=True)
    path = f"/v1/jobs/{job['id']}"
    if sys.stdin.isatty() and click.confirm(f"Cancel {job['id']} too?", default=False, err=True):
        job = client.call("POST", f"{path}/cancel")
        click.echo(f"Cancelled: {job['succeeded']} of {job['total']} were delivered.", err=True)
    else:
        click.echo(f"{job['id']} goes on. GET {path} shows it, POST {path}/cancel ends it.", err=True)
    return Exit.INTERRUPTED


def _say_preview(preview: dict[str, Any]) -> None:
    if not preview["count"]:
        click.echo("No event fits.", err=True)
        return
    span = f"accepted from {preview['first_at']} to {preview['last_at']}"
    click.echo(f"{strong(_events(preview['count']))}, {span}", err=True)
    by_type = sorted(preview["by_type"].items(), key=lambda one: -one[1])
    for event_type, count in by_type[:_TYPES_SHOWN]:
        click.echo(f"  {count:>9,}  {event_type}", err=True)
    if len(by_type) > _TYPES_SHOWN:
        click.echo(dim(f"             and {len(by_type) - _TYPES_SHOWN} more types"), err=True)


def _say_end(job: Job) -> None:
    mark = good("✓") if job["state"] == "succeeded" and not job["failed"] else bad("✗")
    counts = f"{job['succeeded']:,} delivered, {job['failed']:,} failed, {job['skipped']:,} skipped"
    state = "ended" if job["state"] == "succeeded" else job["state"]  # the job, not its deliveries
    click.echo(f"{mark} {job['id']} {state}: {counts}")
    if job["problem"]:
        click.echo(f"  {job['problem']}")


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"
