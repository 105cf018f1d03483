"""Style, scripts and icons: a few files held in memory, under a path that names their content.

The path has the hash of all of them, so that browsers may keep them for ever and never mix two versions.
"""

import hashlib
import importlib.resources
from typing import Annotated, Any, Final, cast

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, SkipValidation

from hookspan.brand import Brand
from hookspan.dashboard._asgi import Scope
from hookspan.dashboard._seal import PUBLIC, SANDBOX
from hookspan.errors import NotFound

# The framework adds the charset of texts.
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def _load() -> dict[str, tuple[str, bytes]]:
    """By name: content type and bytes."""
    folder = importlib.resources.files(__package__) / "assets"
    found = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        kind = _TYPES.get(file.name[file.name.rfind(".") :])
        if kind is not None:
            found[file.name] = (kind, file.read_bytes())
    return found


BRAND_STYLE: Final = "brand.css"
Part = Annotated[str, PathParameter()]
_FILES: Final = _load()
ASSETS_HASH: Final = hashlib.sha256(b"".join(name.encode() + raw for name, (_, raw) in _FILES.items())).hexdigest()[:16]


def asset(name: str) -> str:
    """The path of a file. Raises KeyError for one that there is not: a typo in a template."""
    _FILES[name]
    return f"/assets/{ASSETS_HASH}/{name}"


class BrandFiles:
    """The operator's own logo and colours, held and named in the same way."""

    def __init__(self, brand: Brand) -> None:
        self._version = brand.version
        self._files: dict[str, tuple[str, bytes]] = {}
        if brand.logo is not None:
            self._files[brand.logo.name] = (brand.logo.media_type, brand.logo.raw)
        if brand.style is not None:
            self._files[BRAND_STYLE] = (_TYPES[".css"], brand.style)

    def find(self, version: str, name: str) -> tuple[str, bytes] | None:
        return self._files.get(name) if version == self._version else None


TheBrand = SkipValidation[NamedDependency[BrandFiles]]


def brand_asset(brand: Brand, name: str) -> str:
    """The path of one of them."""
    return f"/assets/{brand.version}/{name}"


@get("/assets/{version:str}/{name:str}")
async def get_asset(request: Request[Any, Any, Any], version: Part, name: Part, brand: TheBrand) -> Response[bytes]:
    """One file, as long as the version is the one that runs. A picture that is the operator's is shut up in a sandbox:
    opened by itself it could hold script.
    """
    file = _FILES.get(name) if version == ASSETS_HASH else None
    if file is None:
        file = brand.find(version, name)
        cast("Scope", request.scope)[SANDBOX] = file is not None
    if file is None:
        raise NotFound("There is no such file. Reload the page: a newer version may be running.")
    cast("Scope", request.scope)[PUBLIC] = True
    return Response(file[1], media_type=file[0])
