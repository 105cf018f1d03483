"""Style, scripts and icons: a few files held in memory, under a path that names their content.

The path has the hash of all of them, so that browsers may keep them for ever and never mix two versions.
"""

import hashlib
import importlib.resources
from typing import Annotated, Any, Final, cast

from litestar import Request, Response, get
from litestar.params import PathParameter

from hookspan.dashboard._asgi import Scope
from hookspan.dashboard._seal import PUBLIC
from hookspan.errors import NotFound

_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def _load() -> dict[str, tuple[str, bytes]]:
    """By name: content type and bytes."""
    folder = importlib.resources.files(__package__) / "assets"
    found = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        kind = _TYPES.get(file.name[file.name.rfind(".") :])
        if kind is not None:
            found[file.name] = (kind, file.read_bytes())
    return found


Part = Annotated[str, PathParameter()]
_FILES: Final = _load()
ASSETS_HASH: Final = hashlib.sha256(b"".join(name.encode() + raw for name, (_, raw) in _FILES.items())).hexdigest()[:16]


def asset(name: str) -> str:
    """The path of a file. Raises KeyError for one that there is not: a typo in a template."""
    _FILES[name]
    return f"/assets/{ASSETS_HASH}/{name}"


@get("/assets/{version:str}/{name:str}")
async def get_asset(request: Request[Any, Any, Any], version: Part, name: Part) -> Response[bytes]:
    """One file, as long as the version is the one that runs."""
    file = _FILES.get(name) if version == ASSETS_HASH else None
    if file is None:
        raise NotFound("There is no such file. Reload the page: a newer version may be running.")
    cast("Scope", request.scope)[PUBLIC] = True
    return Response(file[1], media_type=file[0])
