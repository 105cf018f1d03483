"""Brings a database to this version's schema: numbered SQL files, each in a transaction of its own.

Expand before a deploy, contract after: a file never takes away what the version before still needs.
"""

import importlib.resources

import apsw

from hookspan.errors import ConfigurationError

# Stands in the file's header, so that a database of another program is never written to: "Hksp".
APPLICATION_ID = 0x486B7370


def _load() -> tuple[str, ...]:
    folder = importlib.resources.files(__package__) / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    for number, file in enumerate(files, start=1):
        assert int(file.name[:4]) == number, f"{file.name} leaves a gap"
    return tuple(file.read_text(encoding="utf-8") for file in files)


MIGRATIONS = _load()
VERSION = len(MIGRATIONS)


def check_origin(connection: apsw.Connection, path: object) -> int:
    """The schema version of the file, 0 for a new one. Raises ConfigurationError when it is not ours or too new."""
    version = connection.pragma("user_version")
    application_id = connection.pragma("application_id")
    tables = connection.execute("select count(*) from sqlite_schema").get
    if application_id not in (0, APPLICATION_ID) or (application_id == 0 and (version or tables)):
        raise ConfigurationError(f"{path} is a database of another program. Name another file as the database.")
    if version > VERSION:
        raise ConfigurationError(
            f"{path} was written by a newer Hookspan (schema {version}, this one knows {VERSION}). "
            "Install that version, or restore a backup made before."
        )
    assert isinstance(version, int)
    return version


def migrate(connection: apsw.Connection, version: int) -> None:
    """Run what is missing. A failure leaves the last complete version."""
    for number in range(version + 1, VERSION + 1):
        connection.execute("begin immediate")
        try:
            run_script(connection, MIGRATIONS[number - 1])
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", number)
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise


def run_script(connection: apsw.Connection, script: str) -> None:
    """Run many statements to their ends."""
    for _ in connection.execute(script):
        pass
