"""Letters through a mail server of sockets: what goes, what is refused, and what never gets into a header."""

import asyncio
import contextlib
import email
import ssl
from email.message import Message
from pathlib import Path
from typing import Self

import pytest
import trustme

from hookspan.clock import SystemClock
from hookspan.domain.outcome import ErrorCode
from hookspan.egress import mail as mail_module
from hookspan.egress.mail import THREADS_MAX, Mail

pytestmark = pytest.mark.anyio

TO = "people@example.com"
FROM = "hooks@example.com"
PASSWORD = "p@ss/word"


class Server:
    """Takes letters. `refuses` maps a command to the answer it gets; `hangs_at` is one that gets none."""

    def __init__(self, context: ssl.SSLContext | None = None, *, is_secure: bool = False) -> None:
        self.context = context
        self.is_secure = is_secure
        self.letters: list[Message] = []
        self.commands: list[str] = []
        self.refuses: dict[str, str] = {}
        self.hangs_at = ""
        self.let_go = asyncio.Event()
        self.open = 0
        self.open_most = 0

    async def __aenter__(self) -> Self:
        context = self.context if self.is_secure else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.open_most = max(self.open_most, self.open)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            await self._talk(reader, writer)
        self.open -= 1
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        is_encrypted = self.is_secure
        while line := (await reader.readline()).decode().strip():
            word = line.split()[0].upper()
            self.commands.append(line)
            if word == self.hangs_at:
                await self.let_go.wait()
                return
            if word in self.refuses:
                answer = self.refuses[word]
            elif word == "EHLO":
                more = ["250-STARTTLS"] if self.context is not None and not is_encrypted else []
                answer = "\r\n".join(["250-here", *more, "250 AUTH PLAIN"])
            elif word == "DATA":
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                self.letters.append(email.message_from_bytes(raw[:-3]))
                answer = "250 taken"
            else:
                answer = {"STARTTLS": "220 go on", "AUTH": "235 welcome", "QUIT": "221 bye"}.get(word, "250 ok")
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()
            if word == "STARTTLS" and self.context is not None:
                await writer.start_tls(self.context)
                is_encrypted = True


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def context(authority: trustme.CA) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(made)
    return made


def mail(server: Server, *, user: str = "", scheme: str = "smtp", ca_file: str | None = None) -> Mail:
    return Mail(f"{scheme}://{user}localhost:{server.port}", FROM, SystemClock(), ca_file=ca_file)


async def test_a_letter_goes():
    """With its sender, and marked as written by a machine."""
    async with Server() as server:
        outcome = await mail(server).send(TO, "[Hookspan] webhook.failing", "It fails: ä\n")
    assert outcome.is_success
    [letter] = server.letters
    assert (letter["From"], letter["To"], letter["Subject"]) == (FROM, TO, "[Hookspan] webhook.failing")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@example.com>")
    assert letter.get_payload(decode=True) == "It fails: ä\r\n".encode()


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        (TO, "news\r\nBcc: everyone@example.com"),
        (TO, "news\nBcc: everyone@example.com"),
        ("people@example.com\r\nBcc: everyone@example.com", "news"),
    ],
)
async def test_nothing_gets_a_header_of_its_own(to, subject):
    """A line end in a header makes no letter at all."""
    async with Server() as server:
        outcome = await mail(server).send(to, subject, "text")
        assert (outcome.error, server.letters, server.commands) == (ErrorCode.INTERNAL, [], [])


async def test_text_can_t_end_the_letter():
    """Not by a lone dot, nor by commands after it."""
    async with Server() as server:
        assert (await mail(server).send(TO, "news", "one\n.\nMAIL FROM:<x@example.com>\n")).is_success
    [letter] = server.letters
    assert "MAIL FROM:<x@example.com>" in letter.get_payload()
    assert sum(line.upper().startswith("MAIL FROM") for line in server.commands) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_password_goes_encrypted(context, ca_file, scheme):
    """By STARTTLS, or from the first byte on."""
    async with Server(context, is_secure=scheme == "smtps") as server:
        outcome = await mail(server, user="me:p%40ss%2Fword@", scheme=scheme, ca_file=ca_file).send(TO, "s", "t")
    assert outcome.is_success
    words = [line.split()[0] for line in server.commands]
    assert "AUTH" in words
    if scheme == "smtp":
        assert words.index("STARTTLS") < words.index("AUTH")


async def test_a_password_never_goes_in_the_clear():
    """A server that offers no STARTTLS gets neither it nor the letter."""
    async with Server() as server:
        outcome = await mail(server, user=f"me:{PASSWORD.replace('/', '%2F')}@").send(TO, "s", "t")
    assert outcome.error is ErrorCode.CONNECT_FAILED
    assert server.letters == []
    assert not any("AUTH" in line for line in server.commands)
    assert PASSWORD not in (outcome.error_message or "")


async def test_a_certificate_that_is_not_trusted_gets_no_letter(context):
    """Somebody else's server is no mail server of ours."""
    async with Server(context) as server:
        outcome = await mail(server).send(TO, "s", "t")
    assert outcome.error is ErrorCode.CONNECT_FAILED
    assert server.letters == []


@pytest.mark.parametrize(
    ("command", "message"),
    [("MAIL", "550"), ("RCPT", "refused the address"), ("DATA", "550"), ("EHLO", "550")],
)
async def test_a_refusal_says_its_number(command, message):
    """And nothing of the server's text, which is its operator's."""
    async with Server() as server:
        server.refuses = {command: "550 inner-host.example says no"} | ({"HELO": "550 x"} if command == "EHLO" else {})
        outcome = await mail(server).send(TO, "s", "t")
    assert not outcome.is_success
    assert message in (outcome.error_message or "")
    assert "inner-host" not in (outcome.error_message or "")


async def test_nobody_there():
    """An outcome like any other."""
    async with Server() as server:
        pass
    outcome = await mail(server).send(TO, "s", "t")
    assert (outcome.status, outcome.error) == (None, ErrorCode.CONNECT_FAILED)


async def test_a_server_that_hangs_is_left(monkeypatch):
    """After a while."""
    monkeypatch.setattr(mail_module, "TIMEOUT_S", 0.05)
    async with Server() as server:
        server.hangs_at = "MAIL"
        assert (await mail(server).send(TO, "s", "t")).error is ErrorCode.CONNECT_FAILED


async def test_so_many_letters_are_under_way_at_once():
    """The others wait for their turn."""
    async with Server() as server:
        server.hangs_at = "MAIL"
        letters = mail(server)
        sending = [asyncio.ensure_future(letters.send(TO, "s", "t")) for _ in range(2 * THREADS_MAX)]
        async with asyncio.timeout(10):
            while len(server.commands) < 2 * THREADS_MAX:  # EHLO and MAIL of each
                await asyncio.sleep(0)
        assert server.open_most == THREADS_MAX
        server.let_go.set()
        assert not any([(await one).is_success for one in sending])
        letters.close()


async def test_the_whole_has_an_end(monkeypatch):
    """However many steps a conversation has."""
    monkeypatch.setattr(mail_module, "WHOLE_TIMEOUT_S", 0.05)
    async with Server() as server:
        server.hangs_at = "MAIL"
        outcome = await mail(server).send(TO, "s", "t")
        assert outcome.error is ErrorCode.TIMEOUT
        server.let_go.set()


@pytest.mark.parametrize("url", ["http://x.example", "smtp://", "smtp://x.example/path"])
def test_what_is_no_mail_server(url):
    """Settings refuse it before."""
    with pytest.raises(ValueError, match="SMTP"):
        Mail(url, FROM, SystemClock())
