"""Where profiles are: shipped and loaded, the operator's own, and the examples that are there to be copied."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from hookspan.errors import ConfigurationError, UnknownProfile
from hookspan.profiles import EXAMPLES, SHIPPED, Profile, load_profile
from hookspan.settings import Settings

DOCUMENT = "profile.toml"


class Found(msgspec.Struct, frozen=True):
    """A profile, its folder, and where it comes from: ``shipped``, ``profiles_path``, ``example`` or ``folder``."""

    profile: Profile
    path: Path
    source: str

    @property
    def document(self) -> dict[str, Any]:
        """Its profile.toml as it was written; that it is sound was seen when the profile was loaded."""
        return read_document(self.path)


def read_document(folder: Path) -> dict[str, Any]:
    """The profile.toml of a profile that was loaded before."""
    return tomllib.loads((folder / DOCUMENT).read_text(encoding="utf-8"))


class Listing(msgspec.Struct, frozen=True):
    """All profiles, and why each that can't be loaded can't: a server would refuse to start."""

    found: list[Found]
    broken: list[ConfigurationError]


def find_all(settings: Settings) -> Listing:
    """What a server with these settings would load, and after that the examples."""
    own = _own(settings)
    places = [(SHIPPED / name, "shipped") for name in _names_in(SHIPPED)]
    mine = [] if own is None else _names_in(own)
    places += [(own / name, "profiles_path") for name in mine if own is not None]
    places += [(EXAMPLES / name, "example") for name in _names_in(EXAMPLES) if name not in mine]
    found, broken = [], []
    for path, source in places:
        try:
            if source == "profiles_path":
                _refuse_shipped_name(path, path)
            found.append(Found(load_profile(path), path, source))
        except ConfigurationError as error:
            broken.append(error)
    return Listing(found, broken)


def find(settings: Settings, name: str) -> Found:
    """One of them by its name, or the profile of a folder by its path. Raises UnknownProfile, ConfigurationError."""
    own = _own(settings)
    for parent, source in ((SHIPPED, "shipped"), (own, "profiles_path"), (EXAMPLES, "example")):
        if parent is not None and name in _names_in(parent):
            return Found(load_profile(parent / name), parent / name, source)
    if (Path(name) / DOCUMENT).is_file():
        return find_in(Path(name))
    names = names_to_copy() + (_names_in(own) if own else [])
    raise UnknownProfile(f"There is no profile {name[:100]!r}; there are {', '.join(names)}.", allowed=names)


def find_in(folder: Path) -> Found:
    """The profile in a folder that a server would take under this name. Raises ConfigurationError."""
    path = folder if folder.name not in {"", ".."} else folder.resolve()
    _refuse_shipped_name(folder, path)
    if not path.is_dir():
        raise ConfigurationError(f"{folder} is no folder.")
    return Found(load_profile(path), path, "folder")


def find_to_check(settings: Settings, folder: Path) -> Found:
    """The profile in a folder, or where there is none the one of this name. Raises ConfigurationError."""
    if folder.is_dir():
        return find_in(folder)
    try:
        return find(settings, str(folder))
    except UnknownProfile as unknown:
        raise ConfigurationError(f"{folder} is no folder, and no profile's name. {unknown.detail}") from None


def _refuse_shipped_name(said: Path, path: Path) -> None:
    if path.name in _names_in(SHIPPED) and path.resolve().parent != SHIPPED.resolve():
        raise ConfigurationError(f"{said}: a shipped profile is called {path.name!r} already; rename the folder.")


def names_to_copy() -> list[str]:
    """Every profile that comes with Hookspan."""
    return _names_in(SHIPPED) + _names_in(EXAMPLES)


def folder_to_copy(name: str) -> Path:
    """The folder of one of them."""
    return (SHIPPED if name in _names_in(SHIPPED) else EXAMPLES) / name


def is_shipped(name: str) -> bool:
    """Whether the name is taken for good."""
    return name in _names_in(SHIPPED)


def _own(settings: Settings) -> Path | None:
    return Path(settings.profiles_path) if settings.profiles_path else None


def _names_in(parent: Path) -> list[str]:
    return sorted(path.parent.name for path in parent.glob(f"*/{DOCUMENT}"))
