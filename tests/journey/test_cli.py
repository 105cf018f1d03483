"""The command line as people meet it: real processes, real sockets, real files."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from hookspan.profiles import load_profiles
from tests.support.ports import free_port

PATIENCE_S = 60


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HOOKSPAN_")} | more


def hookspan(*arguments: str, folder: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "hookspan", *arguments], cwd=folder, env=environment(**more),
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


class Started:
    """A `hookspan` process that stays. Whatever happens, it ends with the block, or when patience does."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self._log = (folder / "log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hookspan", *arguments],
            cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip
        self._watchdog = threading.Timer(PATIENCE_S, self.process.kill)
        self._watchdog.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._watchdog.cancel()
        self._log.close()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def shows(self, text: str) -> str:
        """Everything up to the line that has `text`."""
        shown = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            shown += line
            if text in line:
                return shown
        raise AssertionError(f"{text!r} never came:\n{shown}\n{self.log()}")

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait()


class Served(Started):
    """`hookspan serve --dev` on a free port, ready."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "serve", "--dev", "--port", "0")

    def __enter__(self) -> Self:
        try:
            self.shown = self.shows("Ctrl-C stops")
        except BaseException:
            self.__exit__()
            raise
        self.url = self._find(r"at (http://127\.0\.0\.1:\d+)")
        self.key = self._find(r"export KEY=(\S+)")
        return self

    def _find(self, pattern: str) -> str:
        found = re.search(pattern, self.shown)
        assert found, self.shown
        return found.group(1)

    def get(self, path: str) -> Any:
        request = urllib.request.Request(self.url + path, headers={"authorization": f"Bearer {self.key}"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def post(self, what: str, body: dict[str, Any]) -> Any:
        """To the sample application."""
        request = urllib.request.Request(
            f"{self.url}/v1/applications/app_sample/{what}",
            data=json.dumps(body).encode(),
            headers={"authorization": f"Bearer {self.key}"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)


def await_listener(port: int) -> None:
    """Come back when somebody listens there."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
    raise AssertionError(f"nobody listens on {port}")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def test_the_demo_delivers_and_verifies_every_sample(tmp_path: Path) -> None:
    """`hookspan demo --once` ends with 0 after every sample of every shipped profile arrived and was recorded."""
    done = hookspan("demo", "--once", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    profiles = load_profiles()
    for name in profiles.names:
        profile = profiles.get(name)
        assert profile.title in done.stdout
        for entry in profile.catalog():
            assert re.search(rf"✓ {re.escape(entry.type)} +verified", done.stdout), entry.type
    counted = re.search(
        r"(\d+) events published over HTTP, (\d+) delivered and verified, (\d+) recorded as succeeded", done.stdout
    )
    assert counted
    assert len(set(counted.groups())) == 1
    assert done.stdout.count("verified  ") == int(counted.group(1))
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == [], "the demo leaves nothing behind"
    titles = [profiles.get(name).title for name in profiles.names]
    shown = [done.stdout.index(f"\n  {title}  app_") for title in titles]
    assert shown == sorted(shown), "one profile after the other"


def test_the_demo_fails_when_a_signature_does_not_verify(tmp_path: Path) -> None:
    """A receiver that knows another secret: --once ends with 1 and says what is missing and why. Its time is over here
    when everything else has arrived, not after so many seconds.
    """
    patched = """
import asyncio
import hookspan.cli._demo as demo
import hookspan.cli._exhibit as exhibit
from hookspan.cli import main
known = exhibit.Expected
over = asyncio.Event()
class Watched(demo.Progress):
    def arrived(self, arrival):
        super().arrived(arrival)
        missing = {row.group for row in self.rows if row.stage is not demo.Stage.VERIFIED}
        if missing == {"Bridge API"} and "/bridge-api" in self._problems:
            over.set()
async def until_over(*_):
    await over.wait()
    raise TimeoutError
demo.Progress, demo._first_of = Watched, until_over
exhibit.Expected = lambda name, keys: known(name, keys if name != "bridge-api" else {"secret": "another"})
main(["demo", "--once", "--port", "0"])
"""
    done = subprocess.run(
        [sys.executable, "-c", patched], cwd=tmp_path, env=environment(),
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    profiles = load_profiles()
    of_bridge_api = len(profiles.get("bridge-api").catalog())
    assert len(re.findall(r"✗ \S+ +did not verify: ", done.stdout)) == of_bridge_api
    assert re.search(r"✗ item\.created +did not verify: ", done.stdout)
    counted = re.search(r"(\d+) events published over HTTP, (\d+) delivered and verified", done.stdout)
    assert counted
    assert int(counted.group(1)) - int(counted.group(2)) == of_bridge_api


def test_the_demo_stays_until_ctrl_c(tmp_path: Path) -> None:
    """Without --once it shows what to try next, and Ctrl-C ends it with 0."""
    with Started(tmp_path, "demo", "--port", "0") as demo:
        shown = demo.shows("Ctrl-C stops")
        assert re.search(r"export KEY=hk_op_\S{43}\n", shown)
        assert "curl" in shown
        assert demo.end(signal.SIGINT) == 0


def test_serve_publish_look_stop(served: Served) -> None:
    """The sixty-second start: what --dev prints is there, `publish` finds the key, SIGTERM ends with 0."""
    assert served.get("/v1/applications/app_sample")["name"] == "Sample"
    assert set(re.findall(rf"{re.escape(served.url)}/v1/\S+", served.shown)) == {
        f"{served.url}/v1/applications/app_sample/{one}" for one in ("webhooks", "events", "deliveries")
    }
    assert hookspan("keys", "show", folder=served.folder).stdout.strip() == served.key
    done = hookspan(
        "publish", "app_sample", "order.paid", '{"order_id": 17}', "--publisher-id", "o-17", "--url", served.url,
        "--json", folder=served.folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)
    assert receipt["publisher_id"] == "o-17"
    assert served.get(f"/v1/applications/app_sample/events/{receipt['id']}")["content"] == {"order_id": 17}
    assert served.end() == 0
    assert served.key not in served.log()


def test_the_readme_s_receiver_verifies_what_the_readme_publishes(served: Served) -> None:
    """The sixty-second start from its own words: that receiver, that webhook, that event, and it is printed."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (receiver,) = re.findall(r"^```python\n(import http.*?)^```", readme, re.MULTILINE | re.DOTALL)
    wanted, event = (json.loads(text) for text in re.findall(r"-d '(\{.*?\})'", readme))
    port = free_port()
    assert receiver.count("9000") == wanted["url"].count("9000") == 1
    (served.folder / "receiver.py").write_text(receiver.replace("9000", str(port)), encoding="utf-8")
    webhook = served.post("webhooks", {"url": wanted["url"].replace("9000", str(port))})
    with subprocess.Popen(
        [sys.executable, "receiver.py", webhook["secret"]], cwd=served.folder,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        try:
            await_listener(port)
            kept = served.post("events", event)
            assert process.stdout is not None
            assert process.stdout.readline() == f"verified: {kept['id']} order.paid {{'order_id': 17}}\n"
        finally:
            process.kill()
            watchdog.cancel()


def test_ctrl_c_ends_a_server_well(served: Served) -> None:
    """SIGINT is as graceful as SIGTERM."""
    assert served.end(signal.SIGINT) == 0


def test_data_and_keys_are_found_again(served: Served) -> None:
    """A second start in the same folder goes on where the first ended."""
    assert served.end() == 0
    with Served(served.folder) as again:
        assert again.key == served.key
        assert [one["id"] for one in again.get("/v1/applications")["data"]] == ["app_sample"]


def test_every_metric_of_a_real_server_is_documented(served: Served) -> None:
    """docs/metrics.md has each name that /metrics shows, gauges included, and else only what PostgreSQL has."""
    with urllib.request.urlopen(served.url + "/metrics", timeout=10) as response:
        text = response.read().decode()
    shown = {name for name, kind in re.findall(r"^# TYPE (hookspan_\w+) (\w+)$", text, re.MULTILINE)}
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    of_postgresql = {"hookspan_inbox_waiting", "hookspan_inbox_oldest_seconds", "hookspan_inbox_refused"}
    assert shown | of_postgresql == set(re.findall(r"^\| `(hookspan_\w+)`", page, re.MULTILINE))


def test_a_refused_event_is_1_with_its_places(served: Served) -> None:
    """The server's problem document becomes lines."""
    done = hookspan("publish", "app_sample", "not a type", "--url", served.url, folder=served.folder)
    assert done.returncode == 1
    assert "400 " in done.stderr
    done = hookspan("publish", "app_nowhere", "order.paid", "--url", served.url, folder=served.folder)
    assert (done.returncode, "404 not_found" in done.stderr) == (1, True)


def test_a_wrong_profile_is_one_line_and_3(tmp_path: Path) -> None:
    """`serve` takes the folder of one's own profiles by a flag too; the line names file and reason."""
    (tmp_path / "own" / "acme").mkdir(parents=True)
    (tmp_path / "own" / "acme" / "profile.toml").write_text("format = ", encoding="utf-8")
    done = hookspan("serve", "--port", "0", "--profiles-path", "own", folder=tmp_path)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "own/acme/profile.toml: is no TOML" in done.stderr


def test_output_that_can_not_be_written_is_one_line_and_1(tmp_path: Path) -> None:
    """A full disk behind `>`: no traceback, neither at once nor at the very end."""
    command = 'ulimit -f 0; exec "$0" -m hookspan profiles list > out'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], cwd=tmp_path, env=environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "hookspan: the output can't be written: File too large\n")


def test_a_taken_port_is_one_line_and_3(tmp_path: Path) -> None:
    """It says what to do, and leaves no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = hookspan("serve", "--port", port, folder=tmp_path)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert port in done.stderr
    assert "--port" in done.stderr


def test_an_address_of_another_machine_is_one_line_and_3(tmp_path: Path) -> None:
    """It is the address that must change, not the port."""
    done = hookspan("serve", "--host", "192.0.2.1", "--port", "0", folder=tmp_path)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "--host" in done.stderr
    assert "--port" not in done.stderr


def test_a_second_server_on_the_same_data_is_one_line_and_3(served: Served) -> None:
    """One process holds a database."""
    done = hookspan("serve", "--port", "0", folder=served.folder)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("hookspan:")


def test_a_wrong_encryption_key_does_not_start(served: Served) -> None:
    """Secrets that can't be read are found at start, not at the first delivery."""
    assert served.end() == 0
    done = hookspan("serve", "--port", "0", folder=served.folder, HOOKSPAN_ENCRYPTION_KEY="A" * 43 + "=")
    assert done.returncode == 3, done.stderr
    assert "encryption key" in done.stderr


def test_the_database_can_be_looked_at_checked_and_backed_up_while_it_serves(served: Served, tmp_path: Path) -> None:
    """`hookspan db` beside a running server: status, check, and a copy that starts by itself."""
    assert hookspan("publish", "app_sample", "a.b", "--url", served.url, folder=served.folder).returncode == 0
    status = hookspan("db", "status", "--json", folder=served.folder)
    assert status.returncode == 0, status.stderr
    assert json.loads(status.stdout)["path"].endswith("hookspan-data/hookspan.db")
    assert hookspan("db", "check", folder=served.folder).returncode == 0
    done = hookspan("db", "backup", "copy.db", folder=served.folder)
    assert done.returncode == 0, done.stderr
    checked = hookspan("db", "check", folder=served.folder, HOOKSPAN_DATABASE_URL=f"sqlite:///{tmp_path}/copy.db")
    assert checked.returncode == 0, checked.stdout


def test_a_profile_of_one_s_own_from_nothing_to_a_server(tmp_path: Path) -> None:
    """new, check, list, and a server that speaks it: no line of Python, and no server needed before the last step."""
    done = hookspan("profiles", "new", "own/acme", "--from", "github-like", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    done = hookspan("profiles", "check", "own/acme", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verified"]["type"] == "issues.opened"
    (tmp_path / "hookspan.toml").write_text('profiles_path = "own"\n', encoding="utf-8")
    listed = json.loads(hookspan("profiles", "list", "--json", folder=tmp_path).stdout)["data"]
    assert ("acme", "Acme", "profiles_path") in [(one["name"], one["title"], one["source"]) for one in listed]
    with Served(tmp_path) as served:
        names = [one["name"] for one in served.get("/v1/profiles")["data"]]
    assert names == sorted(one["name"] for one in listed if one["source"] != "example")
