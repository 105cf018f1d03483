"""What `pause`, `resume` and `pauses` share: what is meant by their flags, and how a pause is told."""

from collections.abc import Callable
from typing import Any

import click

from hookspan.cli._access import application_option, plain

PATH = "/v1/pauses"

Pause = dict[str, Any]


def scope_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--profile` and `--application`: what of all is meant."""
    profile = click.option("--profile", metavar="NAME", help="Only the applications of this profile.")
    return profile(application_option(function))


def wanted(profile: str | None, application: str | None) -> Pause:
    """The scope that the flags name, as members of a pause. Raises click.UsageError for two of them."""
    if profile is not None and application is not None:
        raise click.UsageError("Name a profile or an application, not both: each is a pause of its own.")
    scope = "profile" if profile is not None else "application" if application is not None else "all"
    return {"scope": scope, "profile": profile, "application_id": application}


def is_same(one: Pause, other: Pause) -> bool:
    """Whether both are of one scope."""
    return all(one[name] == other[name] for name in ("scope", "profile", "application_id"))


def what(pause: Pause) -> str:
    """What it is of, for the middle of a sentence."""
    match pause["scope"]:
        case "profile":
            return f"sending by profile {plain(pause['profile'])}"
        case "application":
            return f"sending for {plain(pause['application_id'] or 'an application that is deleted')}"
        case _:
            return "all sending"


def begun(text: str) -> str:
    """A sentence's beginning."""
    return text[:1].upper() + text[1:]
