"""A new profile: a copy of one that comes with Hookspan, whole or not at all."""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hookspan.cli._profile_finding import DOCUMENT
from hookspan.errors import HookspanError

_SUFFIXES = {".toml", ".json"}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")  # it stands in URLs, settings and command lines
_TITLE = re.compile(r"^title = .*$", re.MULTILINE)


class CantCopy(HookspanError):
    """The folder is there already, or can't be written. Nothing was changed."""

    code = "cant_copy"
    title = "No new profile was made"


def copy_profile(source: Path, folder: Path) -> None:
    """Make `folder` a copy of the profile in `source`, titled like the folder. Raises CantCopy.

    Written beside its place and moved there last, so that a folder is never half a profile.
    """
    if not _NAME.fullmatch(folder.name):
        raise CantCopy(f"{folder.name!r} can't be a profile's name; write small letters, digits and -, 64 at most.")
    if os.path.lexists(folder):
        raise CantCopy(f"{folder} is there already; choose another name, or remove it first.")
    try:
        with _made(folder.parent), tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
            whole = Path(beside) / folder.name
            whole.mkdir()
            for path in sorted(source.iterdir()):
                if path.suffix in _SUFFIXES:
                    shutil.copyfile(path, whole / path.name)
            document = whole / DOCUMENT
            text = document.read_text(encoding="utf-8")
            document.write_text(_TITLE.sub(_title_line(folder.name), text, count=1), encoding="utf-8")
            whole.rename(folder)
    except OSError as error:
        raise CantCopy(f"{folder} can't be written: {error.strerror}.") from None


def _title_line(name: str) -> str:
    title = re.sub(r"[-_]+", " ", name).strip() or name
    # Quoted as JSON quotes, which TOML reads too; doubled for the substitution.
    return f"title = {json.dumps(title[:1].upper() + title[1:])}".replace("\\", "\\\\")


@contextlib.contextmanager
def _made(parent: Path) -> Iterator[None]:
    """`parent`, made with what is missing above it; what was made goes away again when the block fails."""
    missing = [one for one in (parent, *parent.parents) if not one.exists()]
    parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for one in missing:
            with contextlib.suppress(OSError):
                one.rmdir()
        raise
