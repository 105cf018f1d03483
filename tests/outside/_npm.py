"""Verifiers in Node: packages by `npm ci` from the lock file beside this one, and judges.mjs that asks them.

The packages go to .venv, which git ignores and `make clean` removes, into a folder named by the lock file's hash: once
for all workers and runs, and anew when the lock file changes.
"""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.capture import Arrived
from tests.support.tools import PLACE, one_at_a_time, tool

HERE = Path(__file__).parent
INSTALL_S = 180.0
JUDGE_S = 30.0


class NodeJudges:
    """`accepts` asks one judge of judges.mjs about many requests at once, in one process."""

    def __init__(self) -> None:
        self._node, self._folder = tool("node"), _installed(tool("npm"))

    def accepts(self, judge: str, requests: list[Arrived], **facts: Any) -> list[bool]:
        """Whether it accepts each. `facts` are what the judge needs to know: secret, key, header."""
        cases = [
            {"headers": one.headers, "body": base64.b64encode(one.body).decode(), **facts, "judge": judge}
            for one in requests
        ]
        done = subprocess.run(
            [self._node, "--input-type=module", "--eval", (HERE / "judges.mjs").read_text(encoding="utf-8")],
            input=json.dumps(cases), cwd=self._folder, capture_output=True, text=True, timeout=JUDGE_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        verdicts = json.loads(done.stdout)
        assert len(verdicts) == len(requests)
        return verdicts


def installed() -> Path:
    """node_modules, as the lock file has them."""
    return _installed(tool("npm")) / "node_modules"


def _installed(npm: str) -> Path:
    """The folder that holds node_modules as the lock file has them."""
    lock = (HERE / "package-lock.json").read_bytes() + (HERE / "package.json").read_bytes()
    folder = PLACE / f"npm-{hashlib.sha256(lock).hexdigest()[:12]}"
    with one_at_a_time("npm"):
        if not folder.is_dir():
            fresh = folder.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, fresh)
            command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
            done = subprocess.run(command, cwd=fresh, capture_output=True, text=True, timeout=INSTALL_S, check=False)
            assert done.returncode == 0, f"npm ci failed:\n{done.stdout}\n{done.stderr}"
            fresh.rename(folder)
    return folder
