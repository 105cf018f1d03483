"""Where a request comes from, also behind reverse proxies: what `X-Forwarded-For` says counts only where a trusted
proxy brought it.

Of its addresses the right-most one counts that is no trusted proxy's itself: what stands further left was written by
somebody whom nobody trusts.
"""

import ipaddress
from collections.abc import Iterable

from hookspan.api._asgi import Scope

HOPS_MAX = 16  # addresses that are looked at, from the right
_ADDRESS_BYTES_MAX = 45  # the longest way to write an IPv6 address
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Peers:
    """Tells the peer by `trusted_proxies`, networks in CIDR notation."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._trusted = [ipaddress.ip_network(one) for one in trusted_proxies]

    def settle(self, scope: Scope) -> None:
        """Put who asks in the place of the trusted proxy that brought the request; else leave it as it is."""
        peer = scope.get("client")
        if not self._trusted or peer is None or not self._is_trusted(_address(peer[0])):
            return
        found = self._forwarded_for(scope["headers"])
        if found is not None:
            scope["client"] = (str(found), 0)  # nobody knows its port

    def _forwarded_for(self, headers: Iterable[tuple[bytes, bytes]]) -> _Address | None:
        """The right-most address that is not trusted, or the left-most one where all are; None when one of them is not
        an address, or none of the last HOPS_MAX settles it.
        """
        whole = b",".join(value for name, value in headers if name == b"x-forwarded-for")
        if not whole:
            return None
        hops = whole.rsplit(b",", HOPS_MAX)
        is_cut = len(hops) > HOPS_MAX
        found = None
        for hop in reversed(hops[1:] if is_cut else hops):
            found = _address(hop.strip(b" \t").decode("latin-1"))
            if found is None or not self._is_trusted(found):
                return found
        return None if is_cut else found

    def _is_trusted(self, address: _Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _address(text: str) -> _Address | None:
    """`text` as an address without a port or zone; an IPv4 one that is written as IPv6 as what it is."""
    if len(text) > _ADDRESS_BYTES_MAX or "%" in text:
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return found if mapped is None else mapped
