"""Ports for programs that are to be told theirs."""

import atexit
import contextlib
import socket

_KEPT = contextlib.ExitStack()
atexit.register(_KEPT.close)


def free_port() -> int:
    """One of 127.0.0.1 that nobody else is given as long as this process lives, whoever asks the system for one.

    It stays bound by a socket that never listens: who names the port and sets SO_REUSEADDR, as servers do, may listen
    there; meanwhile, and when the server has ended, a connection is refused.
    """
    kept = _KEPT.enter_context(socket.socket())
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    return int(kept.getsockname()[1])
