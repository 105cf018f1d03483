"""Flags and ways of commands that ask a running server."""

import contextlib
import http
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import click

from hookspan.cli._client import TIMEOUT_S, ApiClient, Refused
from hookspan.cli._options import settings_from, settings_options
from hookspan.errors import ConfigurationError
from hookspan.keys import OPERATOR_KEY_FILE, find_operator_key
from hookspan.settings import KEY_VARIABLE, URL_VARIABLE, Settings


def _server(_context: click.Context, _option: click.Parameter, url: str | None) -> str | None:
    """`url` if it is the address of a server. Raises click.BadParameter."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        is_text = url.isprintable() and " " not in url
        if is_text and parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return url
    except ValueError:
        pass
    raise click.BadParameter(f"{url!r} is not the address of a server; write http://host:port.")


_url_option = click.option(
    "--url",
    metavar="URL",
    envvar=URL_VARIABLE,
    callback=_server,
    help=f"Such as http://host:port.  [{URL_VARIABLE}; default: host and port of the settings]",
)
_key_option = click.option(
    "--key",
    metavar="KEY",
    envvar=KEY_VARIABLE,
    help=f"An API key; in the environment no other user's `ps` shows it.  "
    f"[{KEY_VARIABLE}; default: the operator key in the data folder]",
)


def remote_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--url` and `--key`, which server is asked and as whom, and the flags that lead to settings."""
    return _url_option(_key_option(settings_options(function)))


@contextlib.contextmanager
def remote(
    *, url: str | None, key: str | None, timeout_s: float = TIMEOUT_S, **flags: str | None
) -> Iterator[ApiClient]:
    """A connection to the server of these flags. Raises ConfigurationError without a key. A refusal of the key names
    the address that was asked and where the key came from.
    """
    settings = settings_from(**flags)
    is_given = bool(key)
    key = key or find_operator_key(settings)
    if key is None:
        raise ConfigurationError(
            f"There is no operator key in {settings.data_folder}, nor in HOOKSPAN_OPERATOR_KEY. Give a key with "
            f"--key or {KEY_VARIABLE}."
        )
    base = url or _address(settings)
    with ApiClient(base, key, timeout_s) as client:
        try:
            yield client
        except Refused as error:
            if error.answer_status == http.HTTPStatus.UNAUTHORIZED:
                error.add(f"Asked was {base}, with the key {_source(settings, is_given=is_given)}.")
            raise


def _source(settings: Settings, *, is_given: bool) -> str:
    """Where the key came from, and never the key."""
    if is_given:
        context = click.get_current_context(silent=True)
        source = None if context is None else context.get_parameter_source("key")
        return f"in {KEY_VARIABLE}" if source is click.core.ParameterSource.ENVIRONMENT else "given by --key"
    if settings.operator_key:
        return "of the setting HOOKSPAN_OPERATOR_KEY"
    return f"in {settings.data_folder / OPERATOR_KEY_FILE}"


def _address(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - read, not bound
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
