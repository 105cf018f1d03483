"""`hookspan publish`: one event to a running server."""

import json
import sys
from urllib.parse import quote

import click

from hookspan.cli._client import Unreachable
from hookspan.cli._output import Exit, good, json_option, say_error, say_json
from hookspan.cli._remote import remote, remote_options


@click.command("publish", short_help="Publish one event to a running server.")
@click.argument("application", metavar="APP")
@click.argument("event_type", metavar="TYPE")
@click.argument("content", metavar="[CONTENT|-]", default="{}")
@click.option("--publisher-id", metavar="ID", help="Your own id of the event: sent twice, it is kept once.")
@click.option("--context", metavar="JSON", help="What the profile's body needs beside the content, as a JSON object.")
@click.option("--occurred-at", metavar="TIME", help="When it happened, such as 2026-01-01T00:00:00Z.  [default: now]")
@remote_options
@json_option
def command(
    *,
    application: str,
    event_type: str,
    content: str,
    url: str | None,
    key: str | None,
    is_json: bool,
    **flags: str | None,
) -> int:
    """Publish an event of TYPE to the application APP. CONTENT is a JSON object, or - to read it from standard
    input; without it the event's content is {}.

    \b
    Examples:
      hookspan publish app_sample order.paid '{"order_id": 17}'
      jq .order order.json | hookspan publish app_sample order.paid - --publisher-id order-17
      hookspan publish app_lms user.created '{"id": 1, "email": "a@b.example"}' --context '{"author": {"id": 2}}'
    """
    raw = sys.stdin.read() if content == "-" else content
    members = {name: value for name in ("publisher_id", "occurred_at") if (value := flags.pop(name)) is not None}
    body = _body({"type": event_type, **members}, {"content": raw, "context": flags.pop("context")})
    try:
        with remote(url=url, key=key, **flags) as client:  # type: ignore[arg-type]
            answer = client.call("POST", f"/v1/applications/{quote(application, safe='')}/events", body)
    except Unreachable as error:
        say_error(error, is_json=is_json)
        return Exit.UNREACHABLE
    if is_json:
        say_json(answer)
    else:
        click.echo(f"{good('✓')} {answer['id']} is kept, and is sent to every webhook that takes it")
    return Exit.OK


def _body(members: dict[str, str], texts: dict[str, str | None]) -> bytes:
    """The request around `texts`, JSON whose bytes stay as they are: they are what receivers will see."""
    parts = [json.dumps(members)[1:-1]]
    for name, text in texts.items():
        if text is None:
            continue
        try:
            json.loads(text)
        except ValueError as error:
            said = "CONTENT" if name == "content" else f"--{name}"
            raise click.UsageError(f"{said} is not JSON: {error}") from error
        parts.append(f'"{name}": {text}')
    return f"{{{', '.join(parts)}}}".encode()
