"""The flags that several commands share, and the settings they lead to."""

import os
from collections.abc import Callable
from typing import Any

import click

from hookspan.settings import CONFIG_VARIABLE, Settings, load_settings


def settings_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--database-url` and `--config`, for every command that needs to know where the data is."""
    return click.option(
        "--database-url",
        metavar="URL",
        help="sqlite:///path.db or postgresql://user@host/name  [HOOKSPAN_DATABASE_URL]",
    )(_config_option(function))


def profiles_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--profiles-path` and `--config`, for commands that need to know which profiles there are."""
    return profiles_path_option(_config_option(function))


profiles_path_option = click.option(
    "--profiles-path", metavar="FOLDER", help="Where your own profiles are.  [HOOKSPAN_PROFILES_PATH]"
)
_config_option = click.option(
    "--config", metavar="FILE", help="Read settings from this file instead of hookspan.toml here."
)


def settings_from(*, config: str | None, **flags: Any) -> Settings:
    """The settings, with the flags that were given (None: was not given) on top."""
    environment = dict(os.environ)
    if config is not None:
        environment[CONFIG_VARIABLE] = config
    return load_settings({name: value for name, value in flags.items() if value is not None}, environment=environment)
