"""`hookspan audit`: read the audit log, and prove that it is whole."""

import re
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import click
import msgspec

from hookspan.cli._client import ApiClient, Unreachable
from hookspan.cli._options import settings_from
from hookspan.cli._output import Exit, bad, dim, good, json_option, say_error, say_json
from hookspan.cli._remote import remote, remote_options
from hookspan.cli._when import time_or_ago
from hookspan.cli.db import reading
from hookspan.domain.audit import INSTALLATION, AuditLine, Chain, Verifier, chain_name, chain_of
from hookspan.errors import NotAllowed, NotFound, StoreUnavailable
from hookspan.store.sqlite import audit_lines

PAGE_LINES = 500
LIST_DEFAULT = 50
LIST_MAX = 10_000
_EXPECTED = re.compile(r"(?:([A-Za-z0-9_]+)@)?([1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)
_application_option = click.option("--application", metavar="APP", help="Only this application's lines.")


@click.group("audit", short_help="Read the audit log, prove that it is whole.")
def command() -> None:
    """Read the audit log: who did what to which object, from where. And prove that it is whole."""


@command.command("list")
@_application_option
@click.option("--action", metavar="ACTION", help="Only this, such as webhook.changed.")
@click.option("--actor", metavar="ID", help="Only what this key, person or session did.")
@click.option("--object", "object_id", metavar="ID", help="Only what was done to this.")
@click.option("--since", metavar="TIME", callback=time_or_ago, help="From then on: 2h (ago), or RFC 3339.")
@click.option("--until", metavar="TIME", callback=time_or_ago, help="Up to then, exclusive.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1, LIST_MAX),
    default=LIST_DEFAULT,
    show_default=True,
    help="So many at most.",
)
@remote_options
@json_option
def list_lines(
    *,
    application: str | None,
    action: str | None,
    actor: str | None,
    object_id: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    is_json: bool,
    **flags: Any,
) -> int:
    """Print lines of the audit log, newest first.

    \b
    Example:
      hookspan audit list --application app_sample --action webhook.changed --since 7d
    """
    query = {
        "application_id": application,
        "action": action,
        "actor": actor,
        "object": object_id,
        "since": since,
        "until": until,
    }
    found: list[dict[str, Any]] = []
    try:
        with remote(**flags) as client:
            for page in _pages(client, query, min(limit, PAGE_LINES)):
                found += page[: limit - len(found)]
                if len(found) >= limit:
                    break
    except Unreachable as error:
        say_error(error, is_json=is_json)
        return Exit.UNREACHABLE
    if is_json:
        say_json(found)
    else:
        for one in found:
            _say_line(one)
    return Exit.OK


def _say_line(line: dict[str, Any]) -> None:
    actor, done_to = line["actor"], line["object"]
    who = actor["name"] if actor["id"] is None else f"{actor['name']} ({actor['id']})"
    click.echo(f"{line['at']}  {line['action']} {done_to['id']}  by {who}, {actor['role']}")
    beside = [line["application_id"], line["address"], msgspec.json.encode(line["detail"]).decode()]
    click.echo(dim("    " + "  ".join(one for one in beside if one and one != "{}")))


def _pages(client: ApiClient, query: dict[str, str | None], limit: int) -> Iterator[list[dict[str, Any]]]:
    """The list's pages to its end."""
    given = {name: value for name, value in query.items() if value is not None}
    cursor: str | None = None
    while True:
        more = {"limit": str(limit), **({} if cursor is None else {"cursor": cursor})}
        answer = client.call("GET", f"/v1/audit?{urlencode(given | more)}")
        yield answer["data"]
        cursor = answer["next"]
        if cursor is None:
            return


@command.command("verify", short_help="Recompute every hash, print the head of each chain.")
@_application_option
@click.option(
    "--expect",
    "expected",
    metavar="HEAD",
    multiple=True,
    help="A head that was noted down, [CHAIN@]SEQUENCE:HASH. Without CHAIN: the application's, or the installation's.",
)
@click.option("--offline", is_flag=True, help="Read the database file itself, without a server.")
@remote_options
@json_option
def verify(
    *,
    application: str | None,
    expected: tuple[str, ...],
    offline: bool,
    is_json: bool,
    **flags: Any,
) -> int:
    """Recompute every hash of the audit log, and print the head of each chain. Exit code 1 when a line was changed,
    swapped or cut out, and when there is no line of --application at all.

    \b
    Examples:
      hookspan audit verify
      hookspan audit verify --expect installation@12:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
      hookspan audit verify --offline --database-url sqlite:////backup/hookspan.db

    Note the heads down where whoever writes to the database can't: given with --expect later, they prove that no line
    was cut off at the end since, and that no chain was made anew.
    """
    heads = [_head(one) for one in expected]
    try:
        if offline:
            chains = _verify_file(application, heads, database_url=flags["database_url"], config=flags["config"])
        else:
            with remote(**flags) as client:
                chains = _verify(_asked(client, application), application, heads)
    except Unreachable as error:
        say_error(error, is_json=is_json)
        return Exit.UNREACHABLE
    if not chains and application is not None:
        raise NotFound(f"There is no line of application {application!r} in the audit log: nothing was verified.")
    is_whole = all(one.broken is None for one in chains)
    if is_json:
        say_json({"is_whole": is_whole, "chains": [_shown(one) for one in chains]})
    else:
        _say(chains)
    return Exit.OK if is_whole else Exit.FAILED


def _head(text: str) -> tuple[str | None, int, bytes]:
    match = _EXPECTED.fullmatch(text)
    if match is None or (match[1] is not None and chain_of(match[1]) is None):
        raise click.UsageError(
            f"{text!r} is no head: write [CHAIN@]SEQUENCE:HASH as `hookspan audit verify` prints it."
        )
    return match[1], int(match[2]), bytes.fromhex(match[3])


def _asked(client: ApiClient, application: str | None) -> Iterator[AuditLine]:
    from hookspan.manage import views  # late: `--help` needs none of it
    from hookspan.manage.audit import VEILED_NAME, read_line

    for page in _pages(client, {"application_id": application}, PAGE_LINES):
        for shown in page:
            if shown["actor"]["kind"] == "operator" and shown["actor"]["name"] == VEILED_NAME:
                raise NotAllowed(
                    "An application's key is not shown who of the operator's did what, and without that no hash can be "
                    "made anew: verify with a key of the operator's, or --offline."
                )
            line = read_line(msgspec.convert(shown, views.AuditLine))
            if line is None:
                raise StoreUnavailable(f"The server's line {shown.get('id')!r} is no line of an audit log.")
            yield line


def _verify_file(
    application: str | None, heads: list[tuple[str | None, int, bytes]], **flags: str | None
) -> list[Chain]:
    with reading(settings_from(**flags).database_path) as database:
        lines = audit_lines(database)
        return _verify((one for one in lines if application in (None, one.entry.application)), application, heads)


def _verify(
    lines: Iterator[AuditLine], application: str | None, heads: list[tuple[str | None, int, bytes]]
) -> list[Chain]:
    """The chains, gone through to their beginnings."""
    first = next(lines, None)
    home = INSTALLATION if application is None or first is None else chain_name(first.entry.application_id)
    expected: dict[str, dict[int, bytes]] = {}
    for chain, sequence, digest in heads:
        expected.setdefault(chain or home, {})[sequence] = digest
    verifier = Verifier(expected)
    with click.progressbar(length=1, label="Verifying", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        line = first
        while line is not None:
            verifier.take(line)
            bar.length = verifier.lines_in_all  # grows as chains come up
            bar.update(1)
            line = next(lines, None)
    return verifier.end()


def _shown(chain: Chain) -> dict[str, Any]:
    return {
        "chain": chain.name,
        "application_id": chain.application,
        "lines": chain.head_sequence,
        "head": f"{chain.name}@{chain.head_sequence}:{chain.head_hash.hex()}" if chain.head_sequence else None,
        "is_whole": chain.broken is None,
        "broken_at": None if chain.broken is None else chain.broken.sequence,
        "problem": None if chain.broken is None else chain.broken.problem,
    }


def _say(chains: list[Chain]) -> None:
    for one in chains:
        name = one.name if one.application is None else f"{one.application} ({one.name})"
        if one.broken is None:
            click.echo(f"{good('✓')} {name}: {one.head_sequence:,} lines are whole")
            click.echo(dim(f"    {_shown(one)['head']}"))
        else:
            click.echo(bad(f"✗ {name}: {one.broken.problem}"))
    if not chains:
        click.echo("The audit log has no lines.")
