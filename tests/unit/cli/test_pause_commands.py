"""`hookspan pause`, `resume` and `pauses`, against a server that keeps pauses as the real one does."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hookspan.cli._output import Exit
from hookspan.cli._root import run

AT = "2026-11-21T20:00:00.000Z"
NOTHING: dict[str, Any] = {"profile": None, "application_id": None, "reason": "", "paused_at": AT, "ended_at": None}
ALL = {**NOTHING, "id": "pau_1", "scope": "all", "reason": "A \x1b[31mrestore"}
PROFILE = {**NOTHING, "id": "pau_2", "scope": "profile", "profile": "standard"}
APPLICATION = {**NOTHING, "id": "pau_3", "scope": "application", "application_id": "app_x"}


class Server(http.server.ThreadingHTTPServer):
    pauses: list[dict[str, Any]]
    asked: list[Any]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._say(200, {"data": self.server.pauses, "next": None})

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(given)
        if given["profile"] == "no-such":
            self._say(400, {"code": "unknown_profile", "detail": "There is no such profile."})
            return
        names = ("scope", "profile", "application_id")
        there = [one for one in self.server.pauses if all(one[name] == given[name] for name in names)]
        made = {**NOTHING, "id": "pau_9", **given}
        self._say(200 if there else 201, there[0] if there else made)

    def do_DELETE(self) -> None:
        ident = self.path.rpartition("/")[2]
        found = next(one for one in self.server.pauses if one["id"] == ident)
        self.server.pauses = [one for one in self.server.pauses if one is not found]
        self._say(200, {**found, "ended_at": AT})

    def _say(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.pauses, server.asked = [], []
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


@pytest.mark.parametrize(
    ("flags", "scope", "said", "back"),
    [
        ([], {"scope": "all"}, "All sending is paused", "hookspan resume lets"),
        (
            ["--profile", "standard"],
            {"scope": "profile", "profile": "standard"},
            "Sending by profile standard is paused",
            "hookspan resume --profile standard",
        ),
        (
            ["--application", "app_x"],
            {"scope": "application", "application_id": "app_x"},
            "Sending for app_x is paused",
            "hookspan resume --application app_x",
        ),
    ],
)
def test_a_pause_says_what_it_is_of_and_how_it_ends(
    ask: Any, server: Server, flags: list[str], scope: dict[str, str], said: str, back: str
) -> None:
    """One line, and the command that undoes it."""
    code, out, err = ask("pause", *flags, "--reason", "A drill")
    assert (code, server.asked) == (
        Exit.OK,
        [{"profile": None, "application_id": None, **scope, "reason": "A drill"}],
    )
    assert said in out
    assert out.count("\n") == 1
    assert back in err


def test_what_is_paused_already_is_said_so(ask: Any, server: Server) -> None:
    """Since when and why; a text of somebody's commands no terminal."""
    server.pauses = [ALL]
    code, out, err = ask("pause", "--reason", "another")
    assert code == Exit.OK
    assert out == f"All sending is paused already, since {AT}: A ·[31mrestore\n"
    assert err == "  The reason given was not taken. To give another, hookspan resume first.\n"
    for words in ([], ["--reason", ALL["reason"]]):
        code, again, err = ask("pause", *words)
        assert (code, again, err) == (Exit.OK, out, "")


def test_a_resume_ends_what_is_meant_alone(ask: Any, server: Server) -> None:
    """And tells that others are in force, also on standard output: it says of nothing that it goes on which may not."""
    server.pauses = [ALL, PROFILE, APPLICATION]
    code, out, err = ask("resume", "--profile", "standard")
    assert (code, [one["id"] for one in server.pauses]) == (Exit.OK, ["pau_1", "pau_3"])
    assert "The pause of sending by profile standard is over. Paused still: all sending, app_x.\n" in out
    assert "2 other pauses are in force" in err
    server.pauses.append(PROFILE)
    code, out, err = ask("resume")
    assert "✓ Sending goes on, but for: app_x, profile standard.\n" in out
    assert "2 other pauses are in force" in err
    server.pauses.remove(PROFILE)
    code, out, err = ask("resume", "--application", "app_x")
    assert "✓ Sending for app_x goes on.\n" in out
    assert (code, err, server.pauses) == (Exit.OK, "", [])


def test_a_resume_names_some_of_what_is_paused_still(ask: Any, server: Server) -> None:
    """Ten, and counts the others."""
    others = [{**APPLICATION, "id": f"pau_{number}", "application_id": f"app_{number}"} for number in range(10, 21)]
    server.pauses = [ALL, *others]
    _, out, _ = ask("resume")
    assert "app_19, 1 more.\n" in out
    assert "app_20" not in out


def test_all_pauses_end_at_once(ask: Any, server: Server) -> None:
    """A line for each; none is nothing to complain of."""
    server.pauses = [ALL, PROFILE, APPLICATION]
    code, out, _ = ask("resume", "--all-pauses")
    assert (code, out.count("goes on."), server.pauses) == (Exit.OK, 3, [])
    assert ask("resume", "--all-pauses")[:2] == (Exit.OK, "Nothing is paused.\n")


def test_what_is_not_paused_can_not_be_resumed(ask: Any, server: Server) -> None:
    """Exit code 1, with what is paused instead."""
    code, _, err = ask("resume")
    assert (code, "Not paused: all sending." in err) == (Exit.FAILED, True)
    server.pauses = [APPLICATION]
    code, _, err = ask("resume")
    assert (code, server.pauses) == (Exit.FAILED, [APPLICATION])
    assert "`hookspan pauses` shows it" in err


@pytest.mark.parametrize(
    "words",
    [
        ["pause", "--profile", "standard", "--application", "app_x"],
        ["resume", "--profile", "standard", "--application", "app_x"],
        ["resume", "--all-pauses", "--profile", "standard"],
    ],
)
def test_two_things_at_once_are_wrong_usage(ask: Any, server: Server, words: list[str]) -> None:
    """Nothing is asked for."""
    assert ask(*words)[0] == Exit.USAGE
    assert server.asked == []


def test_a_refusal_is_told(ask: Any) -> None:
    """In the server's words."""
    code, _, err = ask("pause", "--profile", "no-such")
    assert (code, "no such profile" in err) == (Exit.FAILED, True)


def test_what_is_paused_is_listed(ask: Any, server: Server) -> None:
    """A line for each, or a sentence; JSON for programs."""
    assert ask("pauses")[:2] == (Exit.OK, "Nothing is paused.\n")
    assert json.loads(ask("pauses", "--json")[1]) == []
    server.pauses = [ALL, APPLICATION]
    _, out, _ = ask("pauses")
    assert out.count("\n") == 3
    assert "\x1b" not in out
    assert json.loads(ask("pauses", "--json")[1]) == [ALL, APPLICATION]


def test_programs_get_json(ask: Any, server: Server) -> None:
    """Of what was paused, and of all that was resumed."""
    assert json.loads(ask("pause", "--json")[1])["id"] == "pau_9"
    server.pauses = [ALL]
    assert [one["ended_at"] for one in json.loads(ask("resume", "--json")[1])] == [AT]


def test_no_server_has_an_exit_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """As of every command that asks one."""
    for words in (["pause"], ["resume"], ["pauses"]):
        assert run([*words, "--url", "http://127.0.0.1:1", "--key", "k" * 20]) == Exit.UNREACHABLE
    assert "hookspan serve" in capsys.readouterr().err
