"""What the operator decides about sending."""

import msgspec

from hookspan import __version__

CERTIFICATE_REFUSAL_S = 5.0  # long enough for a slow receiver's handshake, short enough for a person who saves a URL


class EgressSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`allow` and `refuse` are CIDRs or addresses: the first are opened although private or this host's own, the
    second closed beside the built-in ranges (the database hosts, for instance).

    `own` are host and port where our own intake listens; it is refused whatever `allow` says. `ca_file` is a PEM file
    of CAs trusted beside the system's. `proxy` is `http://[user:password@]host:port` of a proxy that speaks CONNECT.
    `denied_ports` are refused in every URL. `sockets_max` bounds connections in all, idle ones included.
    `certificate_refusal_s` is the deadline of `check_certificate`, and how long each of its refusals takes.
    `addresses` are those that requests come from, for receivers' allow lists: only told, nothing here uses them.
    """

    allow: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    allow_http: bool = False
    ca_file: str | None = None
    proxy: str | None = None
    own: tuple[tuple[str, int], ...] = ()
    denied_ports: tuple[int, ...] = ()
    user_agent: str = f"Hookspan/{__version__}"
    sockets_max: int = 4096
    certificate_refusal_s: float = CERTIFICATE_REFUSAL_S
    addresses: tuple[str, ...] = ()
