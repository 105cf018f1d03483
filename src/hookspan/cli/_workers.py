"""`hookspan serve --workers N`: one parent that holds the listening socket, and N nodes on it.

The parent does nothing but start them, start anew one that has ended unasked (after a pause that grows), and pass on
signals. It starts no thread and no loop, so that a fork of it is a clean beginning. A worker whose parent is gone stops
in order by itself: it holds the reading end of a pipe whose other end only the parent has.
"""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from types import FrameType
from typing import Protocol

import structlog

from hookspan.cli._output import Exit
from hookspan.ids import NODE_SLOTS

WORKERS_MAX = NODE_SLOTS - 1  # each is a node, and one that has just died still has its place
PAUSE_MIN_S = 0.5
PAUSE_MAX_S = 30.0
_SETTLED_S = 60.0  # who ran so long begins with the shortest pause again
_STOPPING = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger()


class Work(Protocol):
    """Runs a node on the socket until a signal comes, or until the other end of the pipe (a descriptor) is closed;
    returns the exit code. `is_first`: it takes no other's place.
    """

    def __call__(self, listener: socket.socket, parent: int, *, is_first: bool) -> int: ...


class Workers:
    """The children of this process, by process id."""

    def __init__(self, count: int, listener: socket.socket, work: Work) -> None:
        self._count = count
        self._listener = listener
        self._work = work
        self._since_s: dict[int, tuple[float, bool]] = {}  # and whether it is one of the first
        self._pause_s = PAUSE_MIN_S
        self._first_left = count
        self._signals = 0
        self._code = int(Exit.OK)
        self._watched, self._held = os.pipe()

    def run(self) -> int:
        """Until a signal comes and all have ended; the exit code."""
        with self._signals_passed_on():
            for _ in range(self._count):
                self._start()
            while self._since_s:
                self._wait()
        return self._code

    def _start(self) -> None:
        # A signal between the fork and the note of it would be passed on to all but this one.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        if self._signals:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
            return
        child = os.fork()
        if child == 0:
            os.close(self._held)
            os.setpgid(0, 0)  # a terminal's Ctrl-C goes to a whole group: ours comes from the parent, once
            is_first = self._first_left > 0
            os._exit(_run_child(self._work, self._listener, self._watched, is_first=is_first))
        # One that is started anew may find its database away for a while, and is started until it is back.
        self._since_s[child] = (time.monotonic(), self._first_left > 0)
        self._first_left -= 1
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        log.info("worker started", process=child)

    def _wait(self) -> None:
        """Until one ends, and what that means."""
        child, status = os.wait()
        began_s, is_first = self._since_s.pop(child, (None, False))
        if began_s is None:
            return
        code = os.waitstatus_to_exitcode(status)
        if self._signals:
            self._code = self._code or max(code, 0)
            return
        if code == Exit.CANT_START and is_first:  # it has said why: another try would say the same
            self._stop_all(int(code))
            return
        ran_s = time.monotonic() - began_s
        self._pause_s = PAUSE_MIN_S if ran_s >= _SETTLED_S else min(PAUSE_MAX_S, self._pause_s * 2)
        log.error("worker ended unasked, another is started", process=child, code=code, pause_s=self._pause_s)
        self._pause()
        self._start()

    def _pause(self) -> None:
        """A signal ends it."""
        until_s = time.monotonic() + self._pause_s
        while not self._signals and (left_s := until_s - time.monotonic()) > 0:
            signal.sigtimedwait([], min(left_s, PAUSE_MIN_S))

    def _stop_all(self, code: int) -> None:
        self._code = code
        self._signals += 1
        self._pass_on(signal.SIGTERM)

    def _pass_on(self, number: int) -> None:
        for child in list(self._since_s):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)

    @contextlib.contextmanager
    def _signals_passed_on(self) -> Iterator[None]:
        def passed(number: int, _frame: FrameType | None) -> None:
            self._signals += 1
            self._pass_on(signal.SIGTERM if self._signals == 1 else number)

        before = {number: signal.signal(number, passed) for number in _STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _run_child(work: Work, listener: socket.socket, watched: int, *, is_first: bool) -> int:
    for number in _STOPPING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
    try:
        return work(listener, watched, is_first=is_first)
    except BaseException:  # a fork must never return into its parent's frames
        log.exception("worker failed")
        return int(Exit.FAILED)
