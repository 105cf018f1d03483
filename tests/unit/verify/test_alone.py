"""A receiver installs no server: hookspan.verify works with the standard library, and for public keys cryptography."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hookspan
from tests.unit.verify.signers import NOW_S, WAYS, requests

HOOKSPAN = Path(hookspan.__file__).parent

# What pip installs beside Hookspan is not there: -I keeps out the environment, -S the site-packages.
PROGRAM = """
import json, sys
given = json.load(sys.stdin)
sys.path[:0] = given["path"]
import hookspan.verify
tops = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
rooms = {name.split(".")[1] for name in sys.modules if name.startswith("hookspan.")}
event = None
try:
    event = hookspan.verify.verify(given["profile"], body=given["body"].encode(), headers=given["headers"],
                                   now=given["now"], **given["given"])
except ImportError as error:
    print(json.dumps({"error": str(error), "name": error.name}))
else:
    print(json.dumps({"type": event.type, "tops": sorted(tops), "rooms": sorted(rooms)}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """What pip would install of Hookspan alone."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(HOOKSPAN, folder / "hookspan", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def cryptography_alone(tmp_path_factory) -> Path:
    """cryptography and cffi, on which it stands, and nothing else."""
    folder = tmp_path_factory.mktemp("cryptography")
    for name in ("cryptography", "cffi", "_cffi_backend"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        place = Path(spec.origin)
        place = place.parent if spec.submodule_search_locations else place
        (folder / place.name).symlink_to(place)
    return folder


def run(way: str, *path: Path) -> dict:
    request = requests()[way]
    given = {
        "path": [str(one) for one in path],
        "profile": request.profile,
        "body": request.body.decode(),
        "headers": dict(request.headers),
        "given": dict(request.given),
        "now": NOW_S,
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM],
        input=json.dumps(given), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


TYPES = {
    "standard": "order.paid",
    "standard by key": "order.paid",
    "bridge-api": "item.created",
    "bridge-xyz": "transfer.created",
    "bridge-lms": "user.deleted",
}


@pytest.mark.parametrize("way", ["standard", "bridge-api", "bridge-lms"])
def test_a_shared_secret_needs_nothing_but_the_standard_library(installed, way):
    """Nothing else is imported either, nor another room of Hookspan."""
    done = run(way, installed)
    assert (done["type"], done["rooms"]) == (TYPES[way], ["verify"])
    assert set(done["tops"]) <= {"__main__", "hookspan"}


@pytest.mark.parametrize("way", WAYS)
def test_with_cryptography_beside_it_every_profile_is_verified(installed, cryptography_alone, way):
    """cryptography is imported late: not by importing hookspan.verify."""
    done = run(way, installed, cryptography_alone)
    assert done["type"] == TYPES[way]
    assert set(done["tops"]) <= {"__main__", "hookspan"}
    assert done["rooms"] == ["verify"]


@pytest.mark.parametrize("way", ["bridge-xyz", "standard by key"])
def test_a_public_key_without_cryptography_says_what_to_install(installed, way):
    done = run(way, installed)
    assert done["name"] == "cryptography"
    assert done["error"].endswith("hookspan.verify needs the package cryptography: pip install cryptography")
