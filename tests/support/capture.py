"""Requests as they come out of a running node, for tests that are not about the loop: everything here blocks.

`with Capture(folder) as capture`, once a session: one node, one receiver over http and one over https. A webhook has a
path of its own, so that tests of many profiles share them.
"""

import base64
import http.server
import itertools
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import msgspec
import trustme
from anyio.from_thread import start_blocking_portal

from hookspan.profiles import EXAMPLES, LiveSecret, Profile, load_profiles
from tests.support.node import Node

ARRIVAL_S = 20.0
PROFILES = load_profiles(EXAMPLES)


class Arrived(msgspec.Struct, frozen=True):
    """One request: header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    def but(self, changes: Mapping[str, str] | None = None, /, *, body: bytes | None = None, **named: str) -> "Arrived":
        """The same with other headers or another body; as a keyword, `webhook_id` is ``webhook-id``."""
        headers = self.headers | dict(changes or {}) | {name.replace("_", "-"): text for name, text in named.items()}
        return Arrived(self.path, headers, self.body if body is None else body)


class Catcher:
    """Answers 200 and keeps requests by their path."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._arrived: dict[str, list[Arrived]] = {}
        self._changed = threading.Condition()
        catcher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                # The standard library reads header bytes as Latin-1; they were sent as UTF-8.
                headers = {name.lower(): value.encode("latin-1").decode() for name, value in self.headers.items()}
                catcher._keep(Arrived(self.path, headers, body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )  # the handshake is done by the thread of the connection, so that nobody holds up the others
        self._server.daemon_threads = True
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _keep(self, request: Arrived) -> None:
        with self._changed:
            self._arrived.setdefault(request.path, []).append(request)
            self._changed.notify_all()

    def take(self, path: str) -> Arrived:
        """The next request to that path."""
        with self._changed:
            is_here = self._changed.wait_for(lambda: self._arrived.get(path), ARRIVAL_S)
            assert is_here, f"nothing came to {path} within {ARRIVAL_S} s"
            return self._arrived[path].pop(0)


class Hook:
    """One active webhook of an application of its own. `secrets`: what it signs with, when the test gave it."""

    def __init__(self, capture: "Capture", profile: Profile, settings: Any, members: dict[str, Any]) -> None:
        self.capture, self.profile = capture, profile
        call = capture.node.call
        made = call(
            "POST", "/v1/applications", {"name": profile.name, "profile": profile.name, "settings": settings or {}}
        )
        self._place = f"/v1/applications/{made['id']}"
        self._catcher = capture.tls if profile.rules.https == "required" else capture.plain
        self._path = f"/{next(capture.numbers)}"
        self.secrets = {
            {"private_key": "keypair"}.get(name, name): text for name, text in members.get("credentials", {}).items()
        }
        self.answer = call("POST", f"{self._place}/webhooks", {"url": self._catcher.url + self._path, **members})
        self.hook_place = f"{self._place}/webhooks/{self.answer['id']}"
        if self.answer["status"] == "disabled":
            call("PATCH", self.hook_place, {"status": "active"})

    def sample(self, event_type: str) -> Arrived:
        """Publish the type's sample and wait for it."""
        self.capture.node.call("POST", f"{self._place}/events/sample", {"type": event_type})
        return self._catcher.take(self._path)

    def publish(self, event_type: str, content: Any, **members: Any) -> Arrived:
        event = {"type": event_type, "content": content, **members}
        self.capture.node.call("POST", f"{self._place}/events", event)
        return self._catcher.take(self._path)

    def test(self) -> Arrived:
        """Send the profile's test event, and take it."""
        self.capture.node.call("POST", f"{self.hook_place}/test", {})
        return self._catcher.take(self._path)

    def rotate(self) -> str:
        """A new secret, made by the server; the former one signs too from now on."""
        return self.capture.node.call("POST", f"{self.hook_place}/secret", {})["secret"]

    def signed_again(self, request: Arrived, *secrets: tuple[str, str], age_ms: int = 0, event_id: str = "") -> Arrived:
        """The same event, signed by the profile's signer at another time, or with other secrets: newest first."""
        live = [LiveSecret(name, text.encode()) for name, text in secrets or self.secrets.items()]
        ident = event_id or request.headers.get("webhook-id", "evt_1")
        event_type = "" if not self.profile.catalog() else self.profile.catalog()[0].type
        lines = self.profile.signer(live)(ident, round(time.time() * 1000) - age_ms, request.body, event_type)
        fresh = dict(line.split(": ", 1) for line in lines.decode().split("\r\n") if line)
        return request.but({name.lower(): value for name, value in fresh.items()})


class Capture:
    """One node and its receivers."""

    def __init__(self, folder: Path) -> None:
        self.numbers = itertools.count(1)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        self.plain, self.tls = Catcher(), Catcher(tls)
        self.node = Node(folder, HOOKSPAN_EGRESS_CA_FILE=str(folder / "ca.pem"), HOOKSPAN_PROFILES_PATH=str(EXAMPLES))
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.plain)
            stack.enter_context(self.tls)
            portal = stack.enter_context(start_blocking_portal())
            portal.call(self.node.start)
            stack.callback(lambda: portal.call(self.node.stop))
            portal.call(self.node.wait_ready)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def hook(self, profile: str, settings: Any = None, **members: Any) -> Hook:
        """A webhook with these members, of a new application with these settings."""
        return Hook(self, PROFILES.get(profile), settings, members)


def flipped(data: bytes, bit: int) -> bytes:
    """`data` with one bit turned; negative ones count from the end."""
    place, within = divmod(bit % (8 * len(data)), 8)
    return data[:place] + bytes([data[place] ^ 1 << within]) + data[place + 1 :]


def bits(data: bytes) -> tuple[int, ...]:
    """The first bit, the last and one in the middle."""
    return 0, 4 * len(data) + 3, -1


def flipped_base64(text: str, bit: int) -> str:
    return base64.b64encode(flipped(base64.b64decode(text), bit)).decode()


def flipped_hex(text: str, bit: int) -> str:
    turned = flipped(bytes.fromhex(text), bit).hex()
    return turned.upper() if text.isupper() else turned
