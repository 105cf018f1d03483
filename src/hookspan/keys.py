"""The keys that Hookspan makes for itself at first start, kept beside the database with mode 0600.

Two processes that start at once agree: a key appears whole under its name or not at all, and the first one stays.
"""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from hookspan.errors import ConfigurationError
from hookspan.settings import (
    Settings,
    decode_encryption_key,
    new_encryption_key,
    new_operator_key,
    wrong_operator_key,
)

OPERATOR_KEY_FILE = "operator.key"
ENCRYPTION_KEY_FILE = "encryption.key"

log = structlog.get_logger()


def with_keys(settings: Settings) -> Settings:
    """`settings` with both keys: as given, else from the data folder, else made there.

    Raises ConfigurationError when the folder can't be used, when a kept key is none, or when the database is there and
    its encryption key is not: a new one could not read the secrets that the old one sealed. Key files that others may
    read are made private first.
    """
    if settings.is_shared:
        return _with_given_keys(settings)
    folder = settings.data_folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in (OPERATOR_KEY_FILE, ENCRYPTION_KEY_FILE):
            _make_private(folder / name)
        encryption_key = settings.encryption_key or _find_encryption_key(settings)
        operator_key = settings.operator_key or _find_or_make_operator_key(folder / OPERATOR_KEY_FILE)
    except OSError as error:
        raise ConfigurationError(f"Can't use the data folder {folder}: {error.strerror} ({error.filename}).") from error
    return msgspec.structs.replace(settings, operator_key=operator_key, encryption_key=encryption_key)


def _with_given_keys(settings: Settings) -> Settings:
    """On a shared database no node may make a key of its own: it could not read what the others seal."""
    for name, value in (("encryption_key", settings.encryption_key), ("operator_key", settings.operator_key)):
        if not value:
            kind = name.removesuffix("_key")
            raise ConfigurationError(
                f"Nodes that share a PostgreSQL share their keys too: give HOOKSPAN_{name.upper()} (or …_FILE), the "
                f"same to each. `hookspan keys new --kind {kind}` makes one."
            )
    return settings


def find_operator_key(settings: Settings) -> str | None:
    """The operator key as given or as kept in the data folder; None where there is none (yet)."""
    if settings.is_shared:
        return settings.operator_key or None
    path = settings.data_folder / OPERATOR_KEY_FILE
    return settings.operator_key or _checked_operator_key(path, _read(path))


def replace_operator_key(settings: Settings, key: str) -> Path:
    """Keep `key` instead of the present one. A running server takes it at its next start."""
    settings.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.data_folder / OPERATOR_KEY_FILE
    _write_aside(path, key).replace(path)
    _sync_folder(path.parent)
    return path


def _find_encryption_key(settings: Settings) -> str:
    path = settings.data_folder / ENCRYPTION_KEY_FILE
    if settings.database_path.exists() and _read(path) is None:
        raise ConfigurationError(
            f"The database {settings.database_path} is there but its encryption key is not: put {path} back "
            f"from your backup, or give the key as HOOKSPAN_ENCRYPTION_KEY."
        )
    key = _read_or_make(path, new_encryption_key)
    try:
        decode_encryption_key(key)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error.detail.partition(';')[0]}. Put it back from your backup.") from None
    return key


def _find_or_make_operator_key(path: Path) -> str:
    key = _read_or_make(path, new_operator_key)
    _checked_operator_key(path, key)
    return key


def _checked_operator_key(path: Path, key: str | None) -> str | None:
    """`key`, which came from `path`. What a setting refuses, a file may not bring in."""
    why = None if key is None else wrong_operator_key(key)
    if why is not None:
        raise ConfigurationError(f"{path}: the key {why}, and `hookspan keys new --save` keeps it there.")
    return key


def _make_private(path: Path) -> None:
    """Take a key file away from group and others, as SSH does with its own."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return
    if not mode & (stat.S_IRWXG | stat.S_IRWXO):
        return
    try:
        path.chmod(0o600)
    except PermissionError:
        raise ConfigurationError(f"{path} can be read by others (mode {mode:04o}); make it 0600.") from None
    log.warning("a key file could be read by others; it is private now", path=str(path), mode_before=f"{mode:04o}")


def _read_or_make(path: Path, make: Callable[[], str]) -> str:
    kept = _read(path)
    if kept is not None:
        return kept
    aside = _write_aside(path, make())
    try:
        os.link(aside, path)  # fails where another process was first, and never shows half a key
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    _sync_folder(path.parent)
    return path.read_text(encoding="ascii").strip()


def _read(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise ConfigurationError(f"{path} holds no key. Put it back from your backup.")
    return text


def _write_aside(path: Path, key: str) -> Path:
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    return aside


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
