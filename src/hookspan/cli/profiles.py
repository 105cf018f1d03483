"""`hookspan profiles`: the wire formats there are, and how to make one. None of it needs a server."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hookspan.cli._options import profiles_options, settings_from
from hookspan.cli._output import Exit, dim, good, json_option, say_error, say_json, strong

if TYPE_CHECKING:  # imported by each command itself: `--help` needs no JSON Schema
    from hookspan.cli._profile_finding import Found
    from hookspan.cli._profile_trial import SignedSample, Trial
    from hookspan.profiles import CatalogEntry
    from hookspan.verify import VerifiedEvent

_SOURCES = {"shipped": "shipped", "profiles_path": "profiles_path", "example": "example, not loaded: copy it"}
_SAID = (  # of profile.toml, for programs
    "credential", "header", "signature", "body", "test", "read", "limits", "states", "access", "subscription",
    "delivery", "retry", "epoch", "settable", "words",
)  # fmt: skip
_HASH_CHARACTERS = 12  # of 64; enough to compare by eye


@click.group("profiles", short_help="The wire formats: list, show, check, make one.")
def command() -> None:
    """The wire formats: which there are, what each says, and how to make one of your own.

    A profile is a folder of data; docs/profiles.md describes its language. No server is needed for any of this.
    """


# --- list


@command.command("list", short_help="The profiles that a server would load, and examples.")
@profiles_options
@json_option
def list_(*, is_json: bool, **flags: str | None) -> int:
    """List the profiles that a server would load, and the examples that are there to be copied.

    \b
    Examples:
      hookspan profiles list
      hookspan profiles list --profiles-path profiles --json

    Exit code 3 when one of your own can't be loaded: the others are listed all the same, and a line for each of these
    names file, key and reason.
    """
    from hookspan.cli._profile_finding import find_all

    listing = find_all(settings_from(**flags))
    rows = [_facts(one) for one in listing.found]
    if is_json:
        say_json({"data": rows})
    else:
        _say_rows(rows)
    for error in listing.broken:
        say_error(error, is_json=is_json)
    return Exit.CANT_START if listing.broken else Exit.OK


def _say_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    lines = [("NAME", "TITLE", "TYPES", "ORDER", "RETRIES", "FROM")]
    lines += [
        (one["name"], one["title"], _count(one), one["order"], one["retry_window"], _SOURCES[one["source"]])
        for one in rows
    ]
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(dim(text) if number == 0 else text)


def _facts(one: "Found") -> dict[str, Any]:
    from hookspan.cli._profile_words import duration

    profile, document = one.profile, one.document
    return {
        "name": profile.name,
        "title": profile.title,
        "open": bool(document["catalog"].get("open")),
        "event_types": len(profile.catalog()),
        "order": document["delivery"]["order"],
        "retry_window": duration(profile.rules.delivery.retry.window_ms()),
        "retry_window_ms": profile.rules.delivery.retry.window_ms(),
        "source": one.source,
        "path": str(one.path),
        "hash": profile.hash,
    }


def _count(facts: Mapping[str, Any]) -> str:
    return "open" if facts["open"] else str(facts["event_types"])


# --- show


@command.command("show", short_help="What a profile says, or one of its event types.")
@click.argument("name", metavar="NAME")
@click.option("--type", "event_type", metavar="TYPE", help="One event type: its words, schema and sample.")
@profiles_options
@json_option
def show(*, name: str, event_type: str | None, is_json: bool, **flags: str | None) -> None:
    """Say what a profile is: its rules in words, credentials, header lines, body and event types. NAME may also be the
    path of a profile's folder.

    \b
    Examples:
      hookspan profiles show bridge-api
      hookspan profiles show bridge-api --type item.refreshed
    """
    from hookspan.cli._profile_finding import find

    found = find(settings_from(**flags), name)
    if event_type is not None:
        _show_type(_entry(found, event_type), is_json=is_json)
    elif is_json:
        events = [
            {"type": one.type, "category": one.category, "title": one.title, "since": one.since}
            for one in found.profile.catalog()
        ]
        say_json(
            _facts(found) | {key: found.document[key] for key in _SAID if key in found.document} | {"events": events}
        )
    else:
        click.echo("\n".join(_page(found)))


def _page(found: "Found") -> list[str]:
    from hookspan.cli import _profile_words as words

    document, facts = found.document, _facts(found)
    lines = [
        f"{strong(found.profile.title)}  {found.profile.name}",
        dim(f"{found.source}: {found.path}  hash {found.profile.hash[:_HASH_CHARACTERS]}"),
    ]
    for title, section in (
        ("Rules", words.rules(document)),
        ("Credentials", words.credentials(document)),
        ("Header lines", words.headers(document)),
        ("Body", words.body(document)),
        ("Context", words.context(document)),
    ):
        if section:
            lines += ["", strong(title), *words.columns(section)]
    lines += ["", strong(f"Event types ({_count(facts)})")]
    if facts["open"]:
        lines.append(f"  every type that fits {document['catalog']['type']}, with any object as its content")
    groups = document["catalog"].get("group", {})
    for category, entries in groupby(found.profile.catalog(), key=lambda one: one.category):
        lines.append(f"  {groups[category]['title'] if category in groups else 'Its own'}")
        lines += words.columns([(one.type, _about(one)) for one in entries], indent=4)
    return lines


def _about(entry: "CatalogEntry") -> str:
    return f"{entry.title}  {dim(f'since {entry.since}')}" if entry.since else entry.title


def _entry(found: "Found", event_type: str) -> "CatalogEntry":
    from hookspan.errors import UnknownEventType
    from hookspan.profiles import CatalogEntry, did_you_mean

    profile = found.profile
    listed = {one.type: one for one in profile.catalog()}
    if event_type in listed:
        return listed[event_type]
    if profile.takes_type(event_type):
        about = "Taken, but not listed." if profile.form_of_types is None else "Taken like every type of this form."
        sample = profile.sample(event_type)
        category = profile.category_of(event_type)
        return CatalogEntry(
            event_type,
            category,
            "Not listed",
            f"{about} The sample stands for it.",
            None,
            None,
            sample.content,
            sample.context,
        )
    more = profile.form_of_types or f"`hookspan profiles show {profile.name}` shows those there are."
    raise UnknownEventType(
        f"Profile {profile.name} has no event type {event_type[:100]!r}.{did_you_mean(event_type, listed)} {more}"
    )


def _show_type(entry: "CatalogEntry", *, is_json: bool) -> None:
    from hookspan.cli import _profile_words as words

    sample = msgspec.Raw(entry.sample)
    context = None if entry.context is None else msgspec.Raw(entry.context)
    if is_json:
        facts = {name: getattr(entry, name) for name in ("type", "category", "title", "description", "since", "schema")}
        say_json(facts | {"sample": sample, "context": context})
        return
    click.echo(f"{strong(entry.type)}  {_about(entry)}\n{entry.description}")
    schema = None if entry.schema is None else words.schema(entry.schema)
    for title, value in (("Sample content", sample), ("Sample context", context), ("Schema", schema)):
        if value is not None:
            click.echo(f"\n{strong(title)}\n{_pretty(value)}")


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


# --- check


@command.command("check", short_help="Load, sign and verify: is a profile sound?")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--type", "event_type", metavar="TYPE", help="Which sample to print.  [default: the first]")
@profiles_options
@json_option
def check(*, folder: Path, event_type: str | None, is_json: bool, **flags: str | None) -> None:
    """Load the profile in FOLDER as a server would, sign a sample of each event type with fresh credentials, verify
    each as a receiver would, and print one. FOLDER may also be a profile's name.

    \b
    Examples:
      hookspan profiles check profiles/acme
      hookspan profiles check standard
      hookspan profiles check profiles/acme --type invoice.voided --json

    Exit code 3 when the profile can't be loaded: the line names file, key and reason. 1 when what it signs is not what
    `hookspan.verify` accepts.
    """
    from hookspan.cli._profile_finding import find_to_check
    from hookspan.cli._profile_trial import Trial

    found = find_to_check(settings_from(**flags), folder)
    trial = Trial(found.profile, found.path)
    samples = [trial.sign(one) for one in trial.types(event_type)]
    events = [trial.verify(one) for one in samples]
    trial.rotate(samples[0].event_type)
    if is_json:
        say_json(_facts(found) | _checked(trial, samples[0], events[0]))
    else:
        click.echo("\n".join(_report(found, trial, samples, events[0])))


def _checked(trial: "Trial", sample: "SignedSample", event: "VerifiedEvent") -> dict[str, Any]:
    return {
        "request": {"method": "POST", "headers": sample.headers, "body": sample.body.decode()},
        "credentials": {trial.given_as[one.name]: one.secret.decode() for one in trial.credentials},
        "verified_with": trial.receiver_side,
        "verified": {"type": event.type, "id": event.id, "at": event.at, "data": event.data},
    }


def _report(found: "Found", trial: "Trial", samples: list["SignedSample"], event: "VerifiedEvent") -> list[str]:
    sample = samples[0]
    lines = [f"{good('✓')} {strong(found.profile.title)}  {found.profile.name} can be loaded", ""]
    lines.append(f"{strong('A sample as it goes out')}  {dim('to https://receiver.example/hook')}")
    lines += ["  POST /hook HTTP/1.1", "  host: receiver.example"]
    lines += [f"  {name}: {value}" for name, value in sample.headers]
    lines += ["", f"  {sample.body.decode()}", ""]
    if trial.receiver_side:
        lines.append(f"{strong('Verified with')}  {dim('made for this check only')}")
        lines += [_known(name, value) for name, value in trial.receiver_side.items()]
        lines.append("")
    at = None if event.at is None else event.at.isoformat(timespec="milliseconds")
    said = ", ".join(f"{name} {value}" for name, value in (("id", event.id), ("at", at)) if value is not None)
    count = f"all {len(samples)} samples" if len(samples) > 1 else "the sample"
    forged = ", and refused with one changed byte" if trial.is_signed else ""
    lines.append(
        f"{good('✓')} {count} verified by hookspan.verify{forged}; the one above is {event.type}"
        + (f" ({said})" if said else "")
    )
    return lines


def _known(name: str, value: str) -> str:
    return f"  {name}: {value}" if "\n" not in value else f"  {name}:\n    " + value.strip().replace("\n", "\n    ")


# --- new


@command.command("new", short_help="A profile of your own, from a copy.")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--from", "source", metavar="NAME", default="standard", show_default=True, help="The profile to copy.")
@json_option
def new(*, folder: Path, source: str, is_json: bool) -> None:
    """Make FOLDER a new profile of yours: a copy, with its comments, of one that comes with Hookspan. It is called like
    the folder.

    \b
    Examples:
      hookspan profiles new profiles/acme
      hookspan profiles new profiles/acme --from stripe-like

    `hookspan profiles list` shows what can be copied.
    """
    from hookspan.cli._profile_copy import CantCopy, copy_profile
    from hookspan.cli._profile_finding import folder_to_copy, is_shipped, names_to_copy

    if source not in names_to_copy():
        raise click.BadParameter(f"{source!r} is none of {', '.join(names_to_copy())}.", param_hint="--from")
    if is_shipped(folder.name):
        raise CantCopy(f"A shipped profile is called {folder.name!r} already; choose another name.")
    copy_profile(folder_to_copy(source), folder)
    if is_json:
        say_json({"name": folder.name, "path": str(folder), "from": source})
        return
    click.echo(f"{good('✓')} {folder} is a copy of {source}\n\nNext:")
    click.echo(f"  edit   {folder / 'profile.toml'}  {dim('(docs/profiles.md says what each key means)')}")
    click.echo(f"  check  hookspan profiles check {folder}")
    click.echo(f"  use    HOOKSPAN_PROFILES_PATH={folder.parent} hookspan serve --dev")
