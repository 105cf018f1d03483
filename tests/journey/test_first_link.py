"""`hookspan serve` for the first time: a person at a terminal is shown the way in, a log is not."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.support.tools import environment

LINK = re.compile(rb"(http://127\.0\.0\.1:\d+)(/sign-in/\S+)")


def started(folder: Path, output: int) -> "subprocess.Popen[bytes]":
    settings = {"HOOKSPAN_DATABASE_URL": f"sqlite:///{folder}/hookspan.db", "HOOKSPAN_PORT": "0"}
    return subprocess.Popen(
        [sys.executable, "-m", "hookspan", "serve"], env=environment() | settings, stdout=output, stderr=output
    )


def read_until(descriptor: int, pattern: re.Pattern[bytes]) -> bytes:
    """What it says up to a match; all of it where there is none."""
    said = b""
    while pattern.search(said) is None:
        try:
            part = os.read(descriptor, 65_536)
        except OSError:  # a terminal whose other end is closed
            break
        if not part:
            break
        said += part
    return said


def test_a_terminal_shows_the_first_link_and_a_log_does_not(tmp_path: Path) -> None:
    """It leads to the page whose button signs in. A later start shows another, until an admin has signed in once."""
    for has_come_in in (False, True):
        ours, theirs = pty.openpty()
        process = started(tmp_path, theirs)
        os.close(theirs)
        try:
            found = LINK.search(read_until(ours, LINK))
            assert found is not None
            link = (found[1] + found[2]).decode()
            with urllib.request.urlopen(link, timeout=10) as page:
                assert b"Sign in" in page.read()
            if has_come_in:
                given = json.dumps({"link": link}).encode()
                with urllib.request.urlopen(f"{found[1].decode()}/v1/sessions", given, timeout=10) as answer:
                    assert answer.status == 201
        finally:
            process.send_signal(signal.SIGTERM)
            read_until(ours, re.compile(b"(?!)"))
            process.wait(30)
            os.close(ours)
    for is_terminal in (True, False):
        ours, theirs = pty.openpty() if is_terminal else os.pipe()
        process = started(tmp_path, theirs)
        os.close(theirs)
        said = read_until(ours, re.compile(b"users invite"))
        process.send_signal(signal.SIGTERM)
        said += read_until(ours, re.compile(b"(?!)"))
        process.wait(30)
        os.close(ours)
        assert b"users invite" in said
        assert LINK.search(said) is None


def test_a_log_never_holds_the_first_link(tmp_path: Path) -> None:
    """Though nobody has signed in yet."""
    ours, theirs = os.pipe()
    process = started(tmp_path, theirs)
    os.close(theirs)
    said = read_until(ours, re.compile(b"users invite"))
    process.send_signal(signal.SIGTERM)
    said += read_until(ours, re.compile(b"(?!)"))
    process.wait(30)
    os.close(ours)
    assert b"users invite" in said
    assert b"/sign-in/" not in said
