"""docs/receivers/README.md: trying bridge-xyz with a certificate authority of one's own, step by step as it stands."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.support.ports import free_port
from tests.support.recipes import recipes
from tests.support.tools import tool

PATIENCE_S = 60


@contextlib.contextmanager
def started(command: list[str], folder: Path, environment: dict[str, str], sign: str) -> Iterator[Iterator[str]]:
    """A process that has said `sign`; its further lines."""
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    watchdog = threading.Timer(PATIENCE_S, process.kill)
    watchdog.start()
    assert process.stdout is not None
    lines = iter(process.stdout)
    try:
        assert any(sign in line for line in lines), f"{command}: {sign!r} never came"
        yield lines
    finally:
        watchdog.cancel()
        process.terminate()
        process.wait()
        process.stdout.close()


def test_the_steps_lead_to_a_verified_event(tmp_path):
    """Own authority, TLS receiver, server, webhook, sample: only the ports are others here."""
    for name in ("openssl", "curl", "sh"):
        tool(name)
    api, hook = free_port(), free_port()
    for name, text in recipes("README.md").items():
        (tmp_path / name).write_text(text.replace("8400", str(api)).replace("9443", str(hook)), "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOOKSPAN_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = kept | {"PATH": path, "HOOKSPAN_PORT": str(api)}

    def run(name: str) -> str:
        done = subprocess.run(
            ["sh", "-e", name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
            timeout=PATIENCE_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("certificates.sh")
    with (
        started([sys.executable, "receiver.py"], tmp_path, environment, "listening on port") as said,
        started(["sh", "-c", f"exec env {(tmp_path / 'serve.sh').read_text()}"], tmp_path, environment, "listening"),
    ):
        answers = run("publish.sh")
        assert '"public_key"' in (tmp_path / "webhook.json").read_text(), answers
        line = next(one for one in said if one.startswith(("verified:", "refused:")))
    assert line.startswith("verified: wh_")
