"""Settings: defaults, then ``hookspan.toml``, then the environment, then flags; merged raw and decoded once.

A setting has one name everywhere: ``port`` in the file, ``HOOKSPAN_PORT`` in the environment, ``--port`` as a flag.
Anything unknown or wrong is refused with its name and where it was said, so that a typo never passes silently.
Described for people in docs/settings.md; a test keeps the two together.
"""

import base64
import binascii
import difflib
import ipaddress
import secrets
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from hookspan import brand
from hookspan.contact import wrong_contact
from hookspan.errors import ConfigurationError
from hookspan.ids import CELLS
from hookspan.mail_address import is_mail_address, read_smtp_url

PREFIX = "HOOKSPAN_"
CONFIG_VARIABLE = "HOOKSPAN_CONFIG"  # another place for hookspan.toml
# The client's and its commands': which server is asked, and as whom. A server that is started beside them ignores them.
URL_VARIABLE = "HOOKSPAN_URL"
KEY_VARIABLE = "HOOKSPAN_KEY"
COPY_TO_VARIABLE = "HOOKSPAN_COPY_TO"  # where `hookspan db copy` copies to: such a URL can hold a password
MOVE_FROM_VARIABLE = "HOOKSPAN_MOVE_FROM"  # likewise, for `hookspan db move-application`
MOVE_TO_VARIABLE = "HOOKSPAN_MOVE_TO"
_NO_SETTINGS = frozenset(
    {CONFIG_VARIABLE, URL_VARIABLE, KEY_VARIABLE, COPY_TO_VARIABLE, MOVE_FROM_VARIABLE, MOVE_TO_VARIABLE}
)
CONFIG_FILE = "hookspan.toml"
# These take a `_file` variant.
SECRET_NAMES = (
    "operator_key",
    "encryption_key",
    "database_url",
    "database_listen_url",
    "database_replica_url",
    "egress_proxy",
    "smtp_url",
)
ENCRYPTION_KEY_BYTES = 32
OPERATOR_KEY_CHARS_MIN = 16
_WITH_PASSWORDS = ("database_url", "database_listen_url", "database_replica_url", "egress_proxy", "smtp_url")
_FILE = "_file"
_SECRET_FILE_BYTES_MAX = 65_536
_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql://", "postgres://")
TRUST_WINDOW_S_MIN = 2
_HIDDEN = "…"

LogLevel = Literal["debug", "info", "warning", "error"]
Role = Literal["all", "intake", "deliver"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set. `operator_key` and `encryption_key` are empty until `hookspan.keys` filled them."""

    database_url: str = "sqlite:///hookspan-data/hookspan.db"
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8400  # 0: any free one
    operator_key: str = ""
    encryption_key: str = ""  # 32 bytes in base64
    egress_allow: tuple[str, ...] = ()  # CIDRs
    egress_allow_http: bool = False
    egress_ca_file: str | None = None
    egress_proxy: str | None = None
    egress_addresses: tuple[str, ...] = ()
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 30
    management_rate: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 50  # changes a second by an application; 0: any
    log_level: LogLevel = "info"
    profiles_path: str | None = None
    public_url: str | None = None  # None: http, with host and port
    trusted_proxies: tuple[str, ...] = ()  # CIDRs whose X-Forwarded-For is believed
    smtp_url: str | None = None  # smtp://user:password@host:port or smtps://…
    smtp_from: str | None = None
    support_contact: str | None = None  # whom customers write to
    brand_name: str | None = None  # what customers see instead of ours
    brand_logo: str | None = None  # a file
    brand_colour: str | None = None  # as #0a7 or #00aa77
    role: Role = "all"  # what a node on a shared database does
    trust_window: Annotated[int, msgspec.Meta(ge=TRUST_WINDOW_S_MIN, le=600)] = 30  # seconds
    start_paused: bool = False  # everything is paused before the first request leaves: for a start after a restore
    cell: Annotated[int, msgspec.Meta(ge=0, lt=CELLS)] = 0  # the database's number among others; see hookspan.ids
    database_listen_url: str | None = None  # past a PgBouncer, for wake-ups
    database_replica_url: str | None = None  # for lists
    database_prepared: bool = True  # statements may be prepared: the server, or a PgBouncer from 1.22 on, keeps them

    @property
    def is_shared(self) -> bool:
        """Whether the database is PostgreSQL, where other nodes may work on it too."""
        return self.database_url.startswith(_POSTGRESQL)

    @property
    def database_path(self) -> Path:
        """The SQLite file: ``sqlite:///relative`` or ``sqlite:////absolute``. Means nothing where `is_shared`."""
        return Path(self.database_url.removeprefix(_SQLITE))

    @property
    def data_folder(self) -> Path:
        """Where the database and the made keys lie."""
        return self.database_path.parent

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.shown().items())})"

    def shown(self) -> dict[str, Any]:
        """All settings by name, secrets hidden: this may end in a log or on a page."""
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        shown |= {name: _HIDDEN for name in ("operator_key", "encryption_key") if shown[name]}
        return shown | {name: _without_password(str(shown[name])) for name in _WITH_PASSWORDS if shown[name]}


SETTING_NAMES = Settings.__struct_fields__


def load_settings(
    flags: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str],
    folder: Path | None = None,
) -> Settings:
    """Merge all sources and decode once. `flags` holds only those that were given; `folder` is where
    ``hookspan.toml`` is looked for (default: the working folder). Raises ConfigurationError.
    """
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for where, say, raw in (
        _from_file(environment, folder or Path()),
        ("the environment", _variable, _from_environment(environment)),
        ("the command line", _flag, dict(flags or {})),
    ):
        for name, value in _without_files(raw, where, say).items():
            merged[name] = _split(name, value)
            origin[name] = f"{say(name + _FILE if name + _FILE in raw else name)} ({where})"
    settings = _decode(merged, origin)
    _check(settings, origin)
    return settings


def decode_encryption_key(text: str) -> bytes:
    """The 32 bytes behind `encryption_key`. Raises ConfigurationError."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != ENCRYPTION_KEY_BYTES:
        raise ConfigurationError(
            "encryption_key must be 32 bytes in base64; `hookspan keys new --kind encryption` makes one."
        )
    return key


def new_operator_key() -> str:
    """A fresh operator key: 256 random bits behind a prefix that secret scanners can know."""
    return "hk_op_" + secrets.token_urlsafe(32)


def new_encryption_key() -> str:
    """A fresh encryption key: 32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(ENCRYPTION_KEY_BYTES)).decode()


def wrong_operator_key(key: str) -> str | None:
    """Why `key` can't be the operator key; None when it can."""
    if len(key) < OPERATOR_KEY_CHARS_MIN or not key.isascii() or not key.isprintable() or " " in key:
        return f"must be at least {OPERATOR_KEY_CHARS_MIN} visible ASCII characters; `hookspan keys new` makes one"
    return None


# --- reading the sources ------------------------------------------------------------------------------------------

_Say = Callable[[str], str]


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _from_file(environment: Mapping[str, str], folder: Path) -> tuple[str, _Say, dict[str, Any]]:
    named = environment.get(CONFIG_VARIABLE)
    path = Path(named) if named else folder / CONFIG_FILE
    if not named and not path.exists():
        return str(path), str, {}
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"Can't read {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}.") from error
    return str(path), str, raw


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    return {
        variable.removeprefix(PREFIX).lower(): value
        for variable, value in environment.items()
        if variable.startswith(PREFIX) and variable not in _NO_SETTINGS
    }


def _without_files(raw: dict[str, Any], where: str, say: _Say) -> dict[str, Any]:
    """Refuse what is unknown, and put the content of a file where ``NAME_FILE`` names one."""
    known = (*SETTING_NAMES, *(name + _FILE for name in SECRET_NAMES))
    for name in raw:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {say(near[0])}?" if near else f" Known are: {', '.join(SETTING_NAMES)}."
            raise ConfigurationError(f"Unknown setting {say(name)} in {where}.{hint}")
    values = dict(raw)
    for name in SECRET_NAMES:
        path = values.pop(name + _FILE, None)
        if path is None:
            continue
        if name in values:
            raise ConfigurationError(f"Give {say(name)} or {say(name + _FILE)} in {where}, not both.")
        values[name] = _read_secret(say(name + _FILE), path)
    return values


def _read_secret(said: str, path: Any) -> str:
    if not isinstance(path, str):
        raise ConfigurationError(f"{said} must be the path of a file.")
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(_SECRET_FILE_BYTES_MAX).strip()
    except OSError as error:
        raise ConfigurationError(f"{said}: can't read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{said}: {path} is not text.") from error
    if not text:
        raise ConfigurationError(f"{said}: {path} is empty.")
    return text


_LISTS = ("egress_allow", "egress_addresses", "trusted_proxies")


def _split(name: str, value: Any) -> Any:
    """Lists are written with commas where a source has only text."""
    if name in _LISTS and isinstance(value, str):
        return [part for part in value.replace(",", " ").split() if part]
    return value


# --- decoding and checking ----------------------------------------------------------------------------------------


_ALLOWED = {  # for those that are more than text
    "port": "a whole number from 1 to 65535, or 0 for any free port",
    "retention_days": "a whole number from 1 to 3650",
    "management_rate": "a whole number from 0 to 10000",
    "log_level": "debug, info, warning or error",
    "egress_allow": "networks with commas between them, or a list of them",
    "egress_addresses": "networks with commas between them, or a list of them",
    "trusted_proxies": "networks with commas between them, or a list of them",
    "egress_allow_http": "true or false",
    "role": "all, intake or deliver",
    "trust_window": "a whole number of seconds from 2 to 600",
    "database_prepared": "true or false",
    "start_paused": "true or false",
    "cell": f"a whole number from 0 to {CELLS - 1}",
}


def _decode(merged: dict[str, Any], origin: dict[str, str]) -> Settings:
    for name, value in merged.items():
        one = {name: value}
        try:
            msgspec.convert(one, Settings, strict=False)
        except msgspec.ValidationError:
            raise ConfigurationError(f"{origin[name]}: must be {_ALLOWED.get(name, 'text')}.") from None
    return msgspec.convert(merged, Settings, strict=False)


def _check(settings: Settings, origin: dict[str, str]) -> None:
    """What types can't say. Every refusal starts with the setting's name and where it was said."""
    checks: dict[str, Callable[[Any], str | None]] = {
        "database_url": _wrong_database,
        "database_listen_url": _wrong_postgresql,
        "database_replica_url": _wrong_postgresql,
        "host": lambda host: None if host and host.isprintable() else "must be an address or a host name",
        "operator_key": wrong_operator_key,
        "encryption_key": _wrong_encryption_key,
        "egress_allow": _wrong_networks,
        "egress_addresses": _wrong_networks,
        "trusted_proxies": _wrong_networks,
        "egress_ca_file": lambda path: None if path is None or Path(path).is_file() else f"there is no file {path}",
        "egress_proxy": _wrong_proxy,
        "public_url": _wrong_public_url,
        "smtp_url": _wrong_smtp_url,
        "smtp_from": _wrong_smtp_from,
        "brand_name": lambda text: None if text is None else brand.wrong_name(text),
        "brand_logo": lambda path: None if path is None else brand.wrong_logo(path),
        "brand_colour": lambda text: None if text is None else brand.wrong_colour(text),
        "support_contact": lambda text: None if text is None else wrong_contact(text),
        "profiles_path": lambda path: None if path is None or Path(path).is_dir() else f"there is no folder {path}",
    }
    for name, wrong in checks.items():
        why = wrong(getattr(settings, name)) if name in origin else None
        if why is not None:
            raise ConfigurationError(f"{origin[name]}: {why}.")
    if settings.role != "all" and not settings.is_shared:
        raise ConfigurationError(f"{origin['role']}: only nodes on PostgreSQL share the work; on SQLite there is one.")
    for name in ("database_listen_url", "database_replica_url", "cell"):
        if getattr(settings, name) not in (None, 0) and not settings.is_shared:
            raise ConfigurationError(f"{origin[name]}: goes with a PostgreSQL database_url.")
    if (settings.smtp_url is None) != (settings.smtp_from is None):
        raise ConfigurationError("smtp_url and smtp_from go together: give both, or none.")


def _wrong_database(url: str) -> str | None:
    if url.startswith(_POSTGRESQL):
        return _wrong_postgresql(url)
    if not url.startswith(_SQLITE) or url.endswith(("/", "\0")) or url == _SQLITE:
        return "must be sqlite:///relative/path.db, sqlite:////absolute/path.db or postgresql://user@host/name"
    return None


def _wrong_postgresql(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        is_url = url.startswith(_POSTGRESQL) and url.isprintable() and len(parts.path) > 1
        if is_url and "password=" in parts.query:
            return "must have its password before the host, as in postgresql://user:password@host/name"
    except ValueError:
        is_url = False
    return None if is_url else "must be postgresql://user:password@host:port/name"


def _wrong_encryption_key(text: str) -> str | None:
    try:
        decode_encryption_key(text)
    except ConfigurationError as error:
        return error.detail.removeprefix("encryption_key ").rstrip(".")
    return None


def _wrong_networks(values: tuple[str, ...]) -> str | None:
    for value in values:
        try:
            ipaddress.ip_network(value)
        except ValueError as error:
            return f"{error} (write networks as 10.0.0.0/8 or fd00::/8)"
    return None


def _wrong_public_url(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        is_text = url.isascii() and url.isprintable() and not set(url) & set(" \"'<>@?#\\")
        if is_text and parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return None if not url.endswith("/") else "must not end with a slash"
    except ValueError:
        pass
    return "must be http(s)://host, with a port and a path where they are needed"


def _wrong_smtp_url(url: str | None) -> str | None:
    if url is None or read_smtp_url(url) is not None:
        return None
    return "must be smtp://host:port or smtps://host:port, with user:password@ before the host if it asks for them"


def _wrong_smtp_from(address: str | None) -> str | None:
    if address is None or is_mail_address(address):
        return None
    return "must be a plain mail address such as hooks@example.com"


def _wrong_proxy(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname and parts.port:
            return None
    except ValueError:
        pass
    return "must be http://host:port, with user:password@ before the host if the proxy asks for it"


def _without_password(url: str) -> str:
    scheme, slashes, rest = url.partition("://")
    user, at, host = rest.rpartition("@")
    return f"{scheme}{slashes}{_HIDDEN if user else ''}{at}{host}"
