"""Files of others that browsers load from us are those that were published: npm checks the package, we the file."""

import json
from pathlib import Path

from hookspan.dashboard import _assets
from tests.outside._npm import installed

FOLDER = Path(_assets.__file__).parent / "assets"
LOCK = Path(__file__).parent / "package-lock.json"


def test_vendored_files_are_the_published_ones() -> None:
    """`npm ci` refuses a package without the published integrity; our copy is that package's file, byte for byte."""
    packages = installed()
    locked = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    for name, facts in json.loads((FOLDER / "vendored.json").read_text(encoding="utf-8")).items():
        entry = locked[f"node_modules/{facts['package']}"]
        assert (entry["version"], entry["integrity"]) == (facts["version"], facts["integrity"])
        published = packages / facts["package"]
        assert (published / facts["path"]).read_bytes() == (FOLDER / name).read_bytes()
        assert (published / "LICENSE").read_bytes() == (FOLDER / facts["license_file"]).read_bytes()
