"""`hookspan keys create|list|revoke` and `hookspan users`, against a server that remembers what it was asked."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hookspan.cli import _access
from hookspan.cli._access import plain
from hookspan.cli._output import Exit
from hookspan.cli._root import run

KEY_ID, PERSON_ID = "key_1", "per_1"
KEY = {
    "id": KEY_ID, "name": "Shop", "scope": "publisher", "application_id": None, "role": "admin", "hint": "wxyz",
    "created_at": "2026-01-01T00:00:00.000Z", "last_used_at": None,
}  # fmt: skip
PERSON = {
    "id": PERSON_ID, "name": "Ada \x1b[31m\r\nroot", "role": "member", "application_id": "app_x",
    "created_at": "2026-01-01T00:00:00.000Z", "last_seen_at": None,
}  # fmt: skip
LINK = {"link": "http://h:1/sign-in/hk_link_abc", "link_expires_at": "2026-01-01T00:15:00.000Z"}
ANSWERS: dict[tuple[str, str], tuple[int, Any]] = {
    ("POST", "/v1/keys"): (201, KEY | {"key": "hk_pub_secret"}),
    ("GET", "/v1/keys?limit=500"): (200, {"data": [KEY], "next": "more+/="}),
    ("GET", "/v1/keys?limit=500&cursor=more%2B%2F%3D"): (200, {"data": [KEY | {"id": "key_2"}], "next": None}),
    ("DELETE", "/v1/keys/key_1"): (204, None),
    ("DELETE", "/v1/keys/..%2Fpeople%2Fper_1"): (404, {"code": "not_found", "detail": "There is no such key."}),
    ("POST", "/v1/people"): (201, PERSON | LINK),
    ("GET", "/v1/people?limit=500"): (200, {"data": [PERSON], "next": None}),
    ("PATCH", "/v1/people/per_1"): (200, PERSON),
    ("DELETE", "/v1/people/per_1"): (204, None),
    ("POST", "/v1/people/per_1/link"): (201, PERSON | LINK),
}


class Server(http.server.ThreadingHTTPServer):
    seen: list[tuple[str, str, Any]]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def _answer(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"] or 0))
        self.server.seen.append((self.command, self.path, json.loads(raw) if raw else None))
        status, document = ANSWERS[self.command, self.path]
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def ask(server: Server, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command; exit code, standard output, standard error."""

    def asked(*words: str) -> tuple[int, str, str]:
        code = run([*words, "--url", f"http://127.0.0.1:{server.server_port}", "--key", "k" * 20])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return asked


def test_a_new_key_alone_goes_to_standard_output(ask: Any, server: Server) -> None:
    """So that a script can take it; the rest is for people."""
    code, out, err = ask("keys", "create", "Shop", "--scope", "publisher", "--application", "app_x")
    assert (code, out) == (Exit.OK, "hk_pub_secret\n")
    assert KEY_ID in err
    given = {"name": "Shop", "scope": "publisher", "application_id": "app_x", "role": "admin"}
    assert server.seen == [("POST", "/v1/keys", given)]
    code, out, _ = ask("keys", "create", "Shop", "--scope", "operator", "--role", "member", "--json")
    assert json.loads(out)["key"] == "hk_pub_secret"
    assert server.seen[1][2] == {"name": "Shop", "scope": "operator", "application_id": None, "role": "member"}


def test_keys_are_listed_to_the_end(ask: Any) -> None:
    """All pages; without a text of any."""
    code, out, _ = ask("keys", "list")
    assert code == Exit.OK
    assert [line.split()[0] for line in out.splitlines()] == ["id", "key_1", "key_2"]
    assert out.splitlines()[1].split() == ["key_1", "Shop", "publisher", "-", "admin", "wxyz", "-"]
    code, out, _ = ask("keys", "list", "--json")
    assert [one["id"] for one in json.loads(out)] == ["key_1", "key_2"]


def test_lists_are_bounded(ask: Any, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never ends its list is left."""
    monkeypatch.setattr(_access, "_PAGES_MAX", 1)
    assert ask("keys", "list")[0] == Exit.OK
    assert len(server.seen) == 1


def test_a_key_is_revoked(ask: Any) -> None:
    """By its id."""
    assert ask("keys", "revoke", KEY_ID)[:2] == (Exit.OK, "✓ key_1 is revoked.\n")
    assert json.loads(ask("keys", "revoke", KEY_ID, "--json")[1]) == {"id": KEY_ID, "is_revoked": True}


def test_what_was_typed_is_no_address(ask: Any) -> None:
    """An id with slashes in it asks for that id."""
    code, _, err = ask("keys", "revoke", "../people/per_1")
    assert code == Exit.FAILED
    assert "There is no such key." in err


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("invite", "Ada", "--role", "admin"), ("POST", "/v1/people")),
        (("link", PERSON_ID, "--expires-in", "600"), ("POST", "/v1/people/per_1/link")),
    ],
)
def test_a_link_alone_goes_to_standard_output(ask: Any, server: Server, words: Any, asked: Any) -> None:
    """Beside it stands whose it is, and until when."""
    code, out, err = ask("users", *words)
    assert (code, out) == (Exit.OK, f"{LINK['link']}\n")
    assert LINK["link_expires_at"] in err
    assert server.seen[0][:2] == asked
    assert json.loads(ask("users", *words, "--json")[1])["link"] == LINK["link"]


def test_what_is_given_is_sent(ask: Any, server: Server) -> None:
    """Time only where it is given: the server has its own."""
    ask("users", "invite", "Ada", "--role", "support", "--application", "app_x", "--expires-in", "86400")
    ask("users", "invite", "Ada", "--role", "member")
    ask("users", "link", PERSON_ID)
    assert [body for _, _, body in server.seen] == [
        {"name": "Ada", "role": "support", "application_id": "app_x", "expires_in": 86_400},
        {"name": "Ada", "role": "member", "application_id": None},
        {},
    ]


def test_a_name_commands_no_terminal(ask: Any) -> None:
    """Names take any text; control characters are shown as a dot."""
    for words in (("list",), ("role", PERSON_ID, "member"), ("invite", "x", "--role", "admin")):
        _, out, err = ask("users", *words)
        assert "\x1b[31m" not in out + err
        assert "Ada ·[31m··root" in out + err
    assert plain("a\u202eb") == "a·b"
    assert len(plain("x" * 500)) == 40


def test_people_are_changed_and_removed(ask: Any, server: Server) -> None:
    """With a line for people, or JSON."""
    assert ask("users", "role", PERSON_ID, "member")[0] == Exit.OK
    assert server.seen[0] == ("PATCH", "/v1/people/per_1", {"role": "member"})
    assert json.loads(ask("users", "role", PERSON_ID, "member", "--json")[1])["role"] == "member"
    assert "have ended" in ask("users", "remove", PERSON_ID)[1]
    assert json.loads(ask("users", "remove", PERSON_ID, "--json")[1]) == {"id": PERSON_ID, "is_removed": True}
    assert json.loads(ask("users", "list", "--json")[1]) == [PERSON]


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "create", "x"),
        ("keys", "create", "x", "--scope", "root"),
        ("keys", "create", "x", "--scope", "operator", "--role", "root"),
        ("users", "invite", "x"),
        ("users", "invite", "x", "--role", "admin", "--expires-in", "59"),
        ("users", "role", PERSON_ID, "root"),
    ],
)
def test_wrong_usage_asks_nobody(ask: Any, server: Server, words: Any) -> None:
    """And has its own exit code."""
    assert ask(*words)[0] == Exit.USAGE
    assert server.seen == []


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "create", "x", "--scope", "operator"),
        ("keys", "list"),
        ("keys", "revoke", "key_1"),
        ("users", "invite", "x", "--role", "admin"),
        ("users", "list"),
        ("users", "role", "per_1", "admin"),
        ("users", "link", "per_1"),
        ("users", "remove", "per_1"),
    ],
)
def test_without_a_server_the_exit_code_says_so(words: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """4, with or without JSON."""
    for more in ((), ("--json",)):
        assert run([*words, "--url", "http://127.0.0.1:9", "--key", "k" * 20, *more]) == Exit.UNREACHABLE
    assert "No answer from http://127.0.0.1:9" in capsys.readouterr().err
