"""Folders of profiles, read and compiled. A wrong one refuses to start, naming file, key and reason."""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hookspan.errors import ConfigurationError, UnknownProfile
from hookspan.profiles._document import Refused
from hookspan.profiles._profile import Folder, Profile

SHIPPED: Final = Path(__file__).parent / "data"
EXAMPLES: Final = Path(__file__).parent / "examples"  # to be copied and changed; not loaded by themselves
DOCUMENT: Final = "profile.toml"
FILES_MAX: Final = 1000
FILE_BYTES_MAX: Final = 1_048_576


class Profiles:
    """All loaded profiles by name."""

    def __init__(self, profiles: Mapping[str, Profile]) -> None:
        self._profiles: Final = dict(profiles)
        self.names: Final = tuple(self._profiles)
        self.hashes: Final = {name: profile.content_hash for name, profile in self._profiles.items()}

    def get(self, name: str) -> Profile:
        """Raises UnknownProfile, with the names there are in `allowed`."""
        profile = self._profiles.get(name)
        if profile is None:
            raise UnknownProfile(
                f"There is no profile {name[:100]!r}; there are {', '.join(self.names)}.", allowed=list(self.names)
            )
        return profile


def load_profiles(extra: Path | None = None) -> Profiles:
    """The shipped profiles, and those in the folders inside `extra`. Raises ConfigurationError."""
    profiles: dict[str, Profile] = {}
    for parent in (SHIPPED,) if extra is None else (SHIPPED, extra):
        for path in _folders(parent):
            if path.name in profiles:
                raise ConfigurationError(f"{path}: there is a profile called {path.name!r} already; rename the folder.")
            profiles[path.name] = load_profile(path)
    return Profiles(profiles)


def load_profile(path: Path) -> Profile:
    """The profile in one folder, named like it. Raises ConfigurationError."""
    files = _read(path)
    try:
        toml = _parse(files.pop(DOCUMENT, None))
        return Profile(Folder(path.name or path.resolve().name, toml, files, folder_hash(path)))
    except Refused as refused:
        is_of_group = refused.key.partition(":")[0].endswith(".json")
        where = ([] if is_of_group else [DOCUMENT]) + ([refused.key] if refused.key else [])
        raise ConfigurationError(f"{path}/{': '.join(where)}: {refused.sentence}") from None


def folder_hash(path: Path) -> str:
    """SHA-256 in hex over names and contents of a folder's files, in order of their names."""
    digest = hashlib.sha256()
    for name, content in sorted(_read(path).items()):
        for part in (name.encode(), content):
            digest.update(b"%d:" % len(part))
            digest.update(part)
    return digest.hexdigest()


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if (path / DOCUMENT).is_file())
    except OSError as error:
        raise ConfigurationError(f"The folder of profiles {parent} can't be read: {error.strerror}.") from None


def _read(path: Path) -> dict[str, bytes]:
    """Its .toml and .json files by name; anything else in the folder (a README, a backup) is not part of it."""
    files: dict[str, bytes] = {}
    try:
        for one in sorted(path.iterdir()):
            if one.suffix not in {".toml", ".json"} or not one.is_file():
                continue
            if one.stat().st_size > FILE_BYTES_MAX or len(files) == FILES_MAX:
                raise ConfigurationError(f"{one}: a profile has at most {FILES_MAX} files of {FILE_BYTES_MAX:,} bytes.")
            files[one.name] = one.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The profile {path} can't be read: {error.strerror}.") from None
    return files


def _parse(raw: bytes | None) -> dict[str, Any]:
    if raw is None:
        raise Refused("", "the file is missing")
    try:
        return tomllib.loads(raw.decode())
    except RecursionError:
        raise Refused("", "its tables or lists are nested too deeply") from None
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise Refused("", f"is no TOML: {error}") from None
