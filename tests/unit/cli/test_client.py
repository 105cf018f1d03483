"""The command line's HTTP client and `publish`, against a small server on loopback."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hookspan.cli._client import ApiClient, Refused, Unreachable
from hookspan.cli._output import Exit
from hookspan.cli._root import run


class Server(http.server.ThreadingHTTPServer):
    answer: tuple[int, bytes] = (202, b'{"id":"evt_1","publisher_id":null}')
    seen: list[dict[str, Any]]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append({"path": self.path, "key": self.headers["authorization"], "body": body})
        status, answer = self.server.answer
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    monkeypatch.chdir(tmp_path)
    server = Server(("127.0.0.1", 0), Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def publish(server: Server, *arguments: str) -> int:
    return run(["publish", *arguments, "--url", address(server), "--key", "a-key"])


def test_publish_sends_the_content_as_it_is(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers, escapes and white space of CONTENT reach the server untouched."""
    content = '{ "n": 1.50e+3, "t": "\\u00e9" }'
    assert publish(server, "app_1/2", "order.paid", content, "--publisher-id", 'o"17') == Exit.OK
    (seen,) = server.seen
    assert seen["path"] == "/v1/applications/app_1%2F2/events"
    assert seen["key"] == "Bearer a-key"
    assert content.encode() in seen["body"]
    assert json.loads(seen["body"]) == {
        "type": "order.paid",
        "publisher_id": 'o"17',
        "content": {"n": 1500.0, "t": "é"},
    }
    assert "evt_1" in capsys.readouterr().out


def test_publish_sends_context_and_time(server: Server) -> None:
    """Beside the content, the context's bytes as they are too; what is not given is not sent."""
    context = '{ "author": {"id": 1.0} }'
    assert (
        publish(server, "a", "user.created", "{}", "--context", context, "--occurred-at", "2026-01-01T00:00:00Z") == 0
    )
    (seen,) = server.seen
    assert context.encode() in seen["body"]
    assert json.loads(seen["body"]) == {
        "type": "user.created",
        "occurred_at": "2026-01-01T00:00:00Z",
        "content": {},
        "context": {"author": {"id": 1.0}},
    }
    assert publish(server, "a", "user.created", "{}", "--context", "{") == Exit.USAGE


def test_a_refusal_in_json_is_what_the_server_said(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Code, status and places: a program decides by them."""
    problem = {
        "type": "urn:hookspan:problem:not_found", "title": "Not found", "status": 404, "code": "not_found",
        "detail": "There is no application 'a'.", "request_id": "req_1",
        "errors": [{"pointer": "/x", "code": "y", "detail": "z"}],
    }  # fmt: skip
    server.answer = (404, json.dumps(problem).encode())
    assert publish(server, "a", "order.paid", "--json") == Exit.FAILED
    assert json.loads(capsys.readouterr().err) == problem
    server.answer = (502, b"[]")
    assert publish(server, "a", "order.paid", "--json") == Exit.FAILED
    said = json.loads(capsys.readouterr().err)
    assert (said["code"], said["status"]) == ("refused", 502)


def test_publish_can_answer_in_json(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """The server's answer, for programs."""
    assert publish(server, "app_1", "order.paid", "--json") == Exit.OK
    assert json.loads(capsys.readouterr().out) == {"id": "evt_1", "publisher_id": None}


@pytest.mark.parametrize("content", ["{", "1} , {", '{}, "type": "other"', ""])
def test_publish_refuses_what_is_not_json(server: Server, content: str) -> None:
    """Before anything is sent, and so that nothing can slip into the request around it."""
    assert publish(server, "app_1", "order.paid", content) == Exit.USAGE
    assert server.seen == []


def test_a_problem_document_becomes_lines_and_1(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Detail, code and each place."""
    problem = {
        "code": "schema_mismatch",
        "detail": "The content does not fit.",
        "errors": [{"pointer": "/content/id", "code": "type", "detail": "is not a number"}],
    }
    server.answer = (400, json.dumps(problem).encode())
    assert publish(server, "app_1", "order.paid") == Exit.FAILED
    shown = capsys.readouterr().err
    assert "The content does not fit. (400 schema_mismatch)" in shown
    assert "at /content/id: is not a number" in shown


def test_no_server_is_4(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """A script can tell "not there" from "refused"."""
    assert run(["publish", "a", "b", "--url", "http://127.0.0.1:1", "--key", "k"]) == Exit.UNREACHABLE
    assert "Is `hookspan serve` running?" in capsys.readouterr().err
    assert server.seen == []


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8400", "ftp://h:1", "http://", "http://h:99999", "http://a b:1", "http://h:0"]
)
def test_an_address_that_is_none_is_wrong_usage(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """2, with the form to write."""
    assert run(["publish", "a", "b", "--url", url, "--key", "k"]) == Exit.USAGE
    assert "write http://host:port" in capsys.readouterr().err


def test_no_key_says_where_one_is_looked_for(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """And how to give one."""
    assert run(["publish", "a", "b", "--url", address(server)]) == Exit.CANT_START
    assert "--key" in capsys.readouterr().err


def test_a_key_that_is_refused_is_told_by_its_source(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the address that was asked, and never the key itself; other refusals are told as they are."""
    problem = {"code": "unauthenticated", "detail": "There is no such key."}
    server.answer = (401, json.dumps(problem).encode())
    words = ["publish", "app_1", "order.paid", "--url", address(server), "--database-url", f"sqlite:///{tmp_path}/h.db"]
    asked = f"hookspan: There is no such key. (401 unauthenticated) Asked was {address(server)}, with the key "
    kept, given = "k" * 32, "g" * 32

    def refused(*more: str) -> str:
        assert run([*words, *more]) == Exit.FAILED
        return capsys.readouterr().err

    (tmp_path / "operator.key").write_text(kept)
    assert refused() == f"{asked}in {tmp_path}/operator.key.\n"
    monkeypatch.setenv("HOOKSPAN_OPERATOR_KEY", given)
    assert refused() == f"{asked}of the setting HOOKSPAN_OPERATOR_KEY.\n"
    monkeypatch.setenv("HOOKSPAN_KEY", given)
    assert refused() == f"{asked}in HOOKSPAN_KEY.\n"
    assert refused("--key", kept) == f"{asked}given by --key.\n"
    assert json.loads(refused("--json")) == {**problem, "errors": [], "status": 401}
    server.answer = (403, json.dumps(problem).encode())
    assert refused() == "hookspan: There is no such key. (403 unauthenticated)\n"


def test_another_server_s_answer_is_told_apart(server: Server) -> None:
    """Not JSON: somebody else listens there. A refusal without a document is still a refusal."""
    with ApiClient(address(server), "k") as client:
        server.answer = (200, b"<html>")
        with pytest.raises(Unreachable, match="not as Hookspan does"):
            client.call("POST", "/", {})
        server.answer = (500, b"[]")
        with pytest.raises(Refused) as caught:
            client.call("POST", "/", {})
    assert caught.value.answer_status == 500


def test_the_environment_names_server_and_key(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys need not stand in the list of processes; a flag wins; and what is no address is refused there too."""
    monkeypatch.setenv("HOOKSPAN_URL", address(server))
    monkeypatch.setenv("HOOKSPAN_KEY", "key-of-the-environment")
    assert run(["publish", "app_1", "order.paid"]) == Exit.OK
    assert run(["publish", "app_1", "order.paid", "--key", "key-of-the-flag"]) == Exit.OK
    assert [one["key"] for one in server.seen] == ["Bearer key-of-the-environment", "Bearer key-of-the-flag"]
    assert run(["publish", "a", "b", "--url", "http://127.0.0.1:1"]) == Exit.UNREACHABLE
    shown = capsys.readouterr().err
    assert "No answer from http://127.0.0.1:1" in shown
    assert "--url or HOOKSPAN_URL" in shown
    monkeypatch.setenv("HOOKSPAN_URL", "nonsense")
    assert run(["publish", "a", "b"]) == Exit.USAGE
    assert "write http://host:port" in capsys.readouterr().err
