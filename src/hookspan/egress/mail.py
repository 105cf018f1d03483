"""Mail: the one thing that leaves by another way than HTTP, and only through the operator's own mail server.

Standard library, in threads: a few letters an hour at most. Nothing that an integrator wrote gets into a header, and
`EmailMessage` refuses line ends there.
"""

import asyncio
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Final
from urllib.parse import unquote

from hookspan.clock import Clock
from hookspan.domain.outcome import ErrorCode, Outcome, Owner
from hookspan.egress.tls import make_context
from hookspan.mail_address import SMTP_PORTS, is_mail_address, read_smtp_url

TIMEOUT_S: Final = 10.0  # of each step of a conversation
WHOLE_TIMEOUT_S: Final = 30.0
THREADS_MAX: Final = 2
_ACCEPTED: Final = 250


class Mail:
    """Sends letters through one server. `url` is one that `read_smtp_url` takes. With smtp:// the connection is secured
    by STARTTLS where the server offers it; a password is never sent without.
    """

    def __init__(self, url: str, sender: str, clock: Clock, *, ca_file: str | None = None) -> None:
        parts = read_smtp_url(url)
        if parts is None or not is_mail_address(sender):
            raise ValueError("not an SMTP URL, or no sender")
        self._host = parts.hostname or ""
        self._port = parts.port or SMTP_PORTS[parts.scheme]
        self._is_secure = parts.scheme == "smtps"
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._sender = sender
        self._clock = clock
        self._context = _context(ca_file)
        self._threads = ThreadPoolExecutor(THREADS_MAX, "hookspan-mail")  # starts none before there is a letter

    def close(self) -> None:
        """Start no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def send(self, to: str, subject: str, text: str) -> Outcome:
        """One letter. The outcome's status is SMTP's 250 when the server has taken it."""
        started_at, started_s = self._clock.now_ms(), self._clock.monotonic()
        code, problem = None, None
        try:
            letter = self._letter(to, subject, text, started_at)
            work = asyncio.get_running_loop().run_in_executor(self._threads, self._deliver, letter)
            async with asyncio.timeout(WHOLE_TIMEOUT_S):
                await work
        except smtplib.SMTPResponseException as error:  # its text is the server's own, and nobody else's business
            code, problem = ErrorCode.INVALID_RESPONSE, f"The mail server answered {error.smtp_code}."
        except smtplib.SMTPRecipientsRefused:
            code, problem = ErrorCode.INVALID_RESPONSE, "The mail server refused the address."
        except TimeoutError:
            code, problem = ErrorCode.TIMEOUT, "The mail server was too slow."
        except (smtplib.SMTPException, OSError) as error:
            code, problem = ErrorCode.CONNECT_FAILED, f"The mail server could not be used ({type(error).__name__})."
        except ValueError:
            code, problem = ErrorCode.INTERNAL, "No letter can be made of this."
        return Outcome(
            started_at=started_at,
            duration_us=int((self._clock.monotonic() - started_s) * 1e6),
            status=_ACCEPTED if code is None else None,
            error=code,
            error_message=problem,
            owner=Owner.RECEIVER if code is None else Owner.US,
        )

    def _letter(self, to: str, subject: str, text: str, at_ms: int) -> EmailMessage:
        """Raises ValueError for a line end in a header."""
        letter = EmailMessage()
        letter["From"] = self._sender
        letter["To"] = to
        letter["Subject"] = subject
        letter["Date"] = format_datetime(datetime.fromtimestamp(at_ms / 1000, UTC))
        letter["Message-ID"] = make_msgid(domain=self._sender.partition("@")[2])
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        letter.set_content(text)
        return letter

    def _deliver(self, letter: EmailMessage) -> None:
        """In a thread."""
        with self._connected() as server:
            if self._user:
                server.login(self._user, self._password)
            server.send_message(letter)

    def _connected(self) -> smtplib.SMTP:
        if self._is_secure:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_S, context=self._context)
        server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S)
        try:
            server.ehlo_or_helo_if_needed()
            if server.has_extn("starttls"):
                server.starttls(context=self._context)
            elif self._user:
                raise smtplib.SMTPNotSupportedError("no STARTTLS: the password would go in the clear")
        except BaseException:
            server.close()
            raise
        return server


def _context(ca_file: str | None) -> ssl.SSLContext:
    context = make_context(ca_file)
    context.set_alpn_protocols([])
    return context
