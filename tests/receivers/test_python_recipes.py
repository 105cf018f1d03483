"""docs/receivers/python.md as it stands: each server with each profile takes what Hookspan sent, once, and no more."""

import contextlib
import http.client
import os
import queue
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.capture import Arrived, Capture, Hook, flipped
from tests.support.ports import free_port

PAGE = Path(__file__).parents[2] / "docs" / "receivers" / "python.md"
FILES = dict(re.findall(r"^```python file=(\S+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
PROFILES = {"standard": "standard", "bridge-api": "bridge_api", "bridge-xyz": "bridge_xyz", "bridge-lms": "bridge_lms"}
SERVERS = ("plain_server", "flask_app", "fastapi_app", "django_app")
UP_S = 30.0
BODY_BYTES_MAX = 1024 * 1024


# What each profile's webhook is given, and its two events: about a thing, and about one that nobody knows any more.
WEBHOOKS: dict[str, dict[str, Any]] = {
    "standard": {},
    "bridge-api": {"events": ["category:item"]},
    "bridge-xyz": {},
    "bridge-lms": {
        "name": "HR",
        "events": ["user.updated", "user.deleted"],
        "credentials": {"token": "a token of letters and bytes €", "secret": "an HMAC secret"},
    },
}
USER = "766b2f5d-a942-492c-9ea7-2e5aa88cb672"
EVENTS: dict[str, list[tuple[str, dict[str, Any], dict[str, Any]]]] = {
    "standard": [("order.paid", {"order_id": 17}, {}), ("order.paid", {"order_id": 404}, {})],
    "bridge-api": [
        ("item.created", {"item_id": 17, "user_uuid": USER}, {}),
        ("item.deleted", {"item_id": 404, "user_uuid": USER}, {}),
    ],
    "bridge-xyz": [("customer.created", {}, {}), ("customer.deleted", {}, {})],  # the catalog's samples
    "bridge-lms": [
        ("user.updated", {"id": 55, "email": "jcool@acme.com"}, {"context": {"author": {"id": 1}}}),
        ("user.deleted", {"id": 404, "email": None}, {"context": {"author": {"id": 1}}}),
    ],
}


class Sent(msgspec.Struct, frozen=True):
    """What one profile's webhook knows, and what came to it: each event twice, the second time with a new time and
    signature, as a retry has them.
    """

    credentials: dict[str, str]
    known: Arrived
    known_again: Arrived
    unknown: Arrived
    unknown_again: Arrived


@pytest.fixture(scope="module")
def sent(tmp_path_factory) -> dict[str, Sent]:
    """By profile."""
    with Capture(tmp_path_factory.mktemp("node")) as capture:
        return {name: sent_to(capture.hook(name, **members), name) for name, members in WEBHOOKS.items()}


def sent_to(hook: Hook, profile: str) -> Sent:
    arrived = []
    for event_type, content, members in EVENTS[profile]:
        arrived.append(hook.publish(event_type, content, **members) if content else hook.sample(event_type))
        arrived.append(sent_again(hook))
    made = {name: hook.answer[name] for name in ("secret", "public_key") if hook.answer.get(name)}
    return Sent({**made, **WEBHOOKS[profile].get("credentials", {})}, *arrived)


def sent_again(hook: Hook) -> Arrived:
    """The newest event once more."""
    call = hook.capture.node.call
    newest = call("GET", hook.hook_place.partition("/webhooks")[0] + "/events?limit=1")["data"][0]
    call("POST", f"{hook.hook_place}/send", {"event_id": newest["id"]})
    return hook._catcher.take(hook._path)


class Running:
    """One recipe as a process in `folder`."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.port = port
        self.process = process
        self.lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("work "):
                self.lines.put(line.strip())

    def wait_up(self) -> None:
        deadline_s, pause = time.monotonic() + UP_S, threading.Event()
        while time.monotonic() < deadline_s and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            pause.wait(0.02)
        raise AssertionError((self.folder / "errors").read_text("utf-8"))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        self._reader.join()

    def send(self, request: Arrived) -> int:
        """The status of the answer."""
        own = {"host": f"127.0.0.1:{self.port}", "content-length": str(len(request.body))}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=UP_S)
        with contextlib.closing(connection):
            connection.putrequest("POST", "/hook", skip_host=True, skip_accept_encoding=True)
            for name, value in (request.headers | own).items():
                connection.putheader(name, value.encode())
            connection.endheaders(request.body)
            with connection.getresponse() as response:
                return response.status

    def kept(self) -> int:
        with contextlib.closing(sqlite3.connect(self.folder / "inbox.db")) as database:
            return database.execute("SELECT count(*) FROM inbox").fetchone()[0]


@contextlib.contextmanager
def running(folder: Path, server: str, profile: str, credentials: dict[str, str]) -> Iterator[Running]:
    """The files of the page in a folder, with the profile's import in place of the one that is there."""
    for name, text in FILES.items():
        (folder / name).write_text(text.replace("from bridge_api import", f"from {PROFILES[profile]} import"), "utf-8")
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if name not in {"SECRET", "TOKEN", "PUBLIC_KEY"}}
    environment = kept | {"PORT": str(port)} | {name.upper(): value for name, value in credentials.items()}
    if "public_key" in credentials:
        (folder / "key.pem").write_text(credentials["public_key"], "ascii")
        environment["PUBLIC_KEY"] = "key.pem"
    with (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, f"{server}.py"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors,
            text=True,
        )  # fmt: skip
    with process:
        recipe = Running(folder, port, process)
        try:
            recipe.wait_up()
            yield recipe
        finally:
            recipe.stop()


def tampered(sent: Sent) -> list[Arrived]:
    """A bit of the body, another event's body, a letter of each header that proves something, and that header gone."""
    good = sent.known
    changed = [good.but(body=body) for body in (flipped(good.body, -9), good.body + b"\n", sent.unknown.body)]
    for name, value in good.headers.items():
        if name.endswith(("signature", "timestamp", "webhook-id", "authorization")):
            middle = len(value) // 2
            letter = "B" if value[middle] != "B" else "C"
            changed.append(good.but({name: value[:middle] + letter + value[middle + 1 :]}))
            changed.append(
                Arrived(good.path, {one: good.headers[one] for one in good.headers.keys() - {name}}, good.body)
            )
    return changed


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_recipe_takes_what_was_sent_once(tmp_path, sent, server, profile):
    """Tampered ones get 400 and have no effect; good ones get 2xx, and one effect however often they come; what is
    not known there is taken like any other.
    """
    one = sent[profile]
    assert one.known_again.body == one.known.body
    with running(tmp_path, server, profile, one.credentials) as recipe:
        assert {recipe.send(request) for request in tampered(one)} == {400}
        assert recipe.kept() == 0
        for request in (one.known, one.known_again, one.known, one.unknown, one.unknown_again):
            assert recipe.send(request) == 204
        done = [recipe.lines.get(timeout=UP_S) for _ in range(2)]
        assert recipe.kept() == 2
    said = (tmp_path / "errors").read_text("utf-8")
    assert "refused: " in said
    assert said.count("dropped, it was here before: ") == 3
    assert recipe.lines.empty()
    assert "not known" not in done[0]
    assert done[1].endswith("not known")


@pytest.mark.parametrize(("server", "status"), [(one, 400 if one == "django_app" else 413) for one in SERVERS])
def test_a_recipe_bounds_what_it_reads(tmp_path, sent, server, status):
    """One byte more than a mebibyte is refused, and without reading any where the length is told."""
    one = sent["bridge-api"]
    with running(tmp_path, server, "bridge-api", one.credentials) as recipe:
        assert recipe.send(one.known.but(body=b" " * BODY_BYTES_MAX)) == 400  # read, and not genuine
        if server == "fastapi_app":
            assert recipe.send(one.known.but(body=b" " * (BODY_BYTES_MAX + 1))) == status
            return
        with socket.create_connection(("127.0.0.1", recipe.port), timeout=UP_S) as connection:
            head = b"POST /hook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"
            connection.sendall(head % (BODY_BYTES_MAX + 1))
            assert connection.recv(4096).split()[1] == b"%d" % status


@pytest.mark.parametrize("profile", PROFILES.values())
@pytest.mark.parametrize("server", ["plain_server", "fastapi_app"])
def test_without_a_credential_it_does_not_start(tmp_path, server, profile):
    """It says what to set; nobody has to find out by the first request."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text.replace("from bridge_api import", f"from {profile} import"), "utf-8")
    kept = {name: value for name, value in os.environ.items() if name not in {"SECRET", "TOKEN", "PUBLIC_KEY"}}
    done = subprocess.run(
        [sys.executable, f"{server}.py"], cwd=tmp_path, env=kept | {"SECRET": ""}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert re.fullmatch(r"Set (SECRET|PUBLIC_KEY|TOKEN, SECRET or both).*\n", done.stderr)


def test_an_inbox_outlives_its_process_and_its_code_s_faults(tmp_path):
    """What was kept and not worked off is worked off by the next process; one event's fault stops no other."""
    (tmp_path / "inbox.py").write_text(FILES["inbox.py"], "utf-8")
    program = """if True:
        import collections, queue, sys
        from inbox import Inbox
        Event = collections.namedtuple("Event", "id type body")
        done = queue.Queue()
        class Stopped(BaseException): pass
        def work(kind, body):
            done.put(kind)
            if kind == sys.argv[1]: raise Stopped if sys.argv[2] == "stops" else ValueError(kind)
        inbox = Inbox("inbox.db", work)
        for id in ("a", "b", None, None, "a"):
            inbox.keep(Event(id, f"t.{id}", {}), b"raw")
        print([done.get(timeout=30) for _ in range(int(sys.argv[3]))])
        while sys.argv[2] != "stops" and inbox._sql("SELECT 1 FROM inbox WHERE state = 'waiting'"): pass
    """

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True,
            timeout=60,
        )  # fmt: skip
        return done.stdout.strip()

    assert run("t.b", "stops", "2") == "['t.a', 't.b']"
    assert run("t.b", "fails", "2") == "['t.b', 't.None']"
    with contextlib.closing(sqlite3.connect(tmp_path / "inbox.db")) as database:
        rows = database.execute("SELECT type, state FROM inbox ORDER BY number").fetchall()
    assert rows == [("t.a", "done"), ("t.b", "failed"), ("t.None", "done")]


def test_the_page_has_each_file():
    assert set(FILES) == {"inbox.py"} | {f"{name}.py" for name in (*PROFILES.values(), *SERVERS)}
