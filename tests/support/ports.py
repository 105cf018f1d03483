"""Ports for programs that are to be told theirs."""

import socket

_KEPT: list[socket.socket] = []


def free_port() -> int:
    """One of 127.0.0.1 that nobody else is given as long as this process lives, whoever asks the system for one.

    It stays bound by a socket that never listens: who names the port and sets SO_REUSEADDR, as servers do, may listen
    there; meanwhile, and when the server has ended, a connection is refused.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    _KEPT.append(kept)
    return int(kept.getsockname()[1])
