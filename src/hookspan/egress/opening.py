"""A new connection: resolve, check, connect to the checked address, compare the peer, tunnel, TLS.

The address is decided here, at every connect, whatever was found when the URL was saved.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Iterator

from hookspan.clock import Clock
from hookspan.domain.outcome import ErrorCode, Owner
from hookspan.egress.address import AddressPolicy, family_of, pack, unmapped, unpack
from hookspan.egress.connection import Connection, Keeper
from hookspan.egress.dns import NameFailed, Resolver
from hookspan.egress.job import Failure, Opening, Stage, blocked
from hookspan.egress.proxy import Proxy
from hookspan.egress.target import Target
from hookspan.egress.tls import explain

ADDRESSES_TRIED_MAX = 4
_TRY_S_MIN = 0.25
# The sweep ends a handshake that takes too long, and says so. asyncio wants a limit of its own, after which it looks as
# if the receiver had hung up: so it must come well after the deadline.
_HANDSHAKE_SLACK_S = 5.0
_SHUTDOWN_S = 1.0  # an SSL transport that is closed during its handshake waits no longer

_OUR_SHORTAGE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})


class Opener:
    """Opens connections, for requests and for looks at certificates alike: there is no other way. One per Egress."""

    def __init__(
        self,
        policy: AddressPolicy,
        resolver: Resolver,
        tls: ssl.SSLContext,
        clock: Clock,
        keeper: Keeper,
        proxy: Proxy | None,
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._tls = tls
        self._clock = clock
        self._keeper = keeper
        self._proxy = proxy

    async def open(self, job: Opening) -> Connection:
        """A connection for the job's application and origin, after the TLS handshake where the target wants one. Raises
        Failure. The caller watches the deadline.
        """
        job.stage = Stage.RESOLVING
        try:
            addresses = await self.allowed_addresses(job.target)
        except NameFailed as error:
            owner = self._resolver.owner_of_failure(job.target.host)
            raise Failure(ErrorCode.DNS_FAILED, error.message, owner) from None
        job.stage = Stage.CONNECTING
        if self._proxy is None:
            sock = await self._connect_any(addresses, job.target.port, job.deadline)
        else:
            sock = await self._tunnel(self._proxy, addresses[0], job)
        # Behind a proxy the address shown is the one it was asked for.
        address = addresses[0] if self._proxy is not None else _peer(sock)
        return await self._make_connection(sock, job, unpack(address))

    async def allowed_addresses(self, target: Target, *, is_asked_anew: bool = False) -> tuple[bytes, ...]:
        """The target's addresses, all of them allowed. Raises NameFailed, and Failure when one is not allowed."""
        if target.address is not None:
            addresses: tuple[bytes, ...] = (unmapped(target.address),)
        else:
            addresses = await self._resolver.resolve(target.host, is_asked_anew=is_asked_anew)
        verdicts = [self._policy.allows(address, target.port) for address in addresses]
        if not all(verdicts):
            raise blocked()
        return addresses

    async def _tunnel(self, proxy: Proxy, address: bytes, job: Opening) -> socket.socket:
        try:
            addresses = await proxy.addresses(self._resolver)
            sock = await self._connect_any(addresses, proxy.port, job.deadline)
        except (NameFailed, Failure) as error:
            message = f"The egress proxy can't be reached: {error}"
            raise Failure(ErrorCode.CONNECT_FAILED, message, Owner.PATH) from None
        with _closed_on_error(sock):
            await proxy.ask(sock, address, job.target.port)
        return sock

    async def _connect_any(self, addresses: tuple[bytes, ...], port: int, deadline: float) -> socket.socket:
        """Try one address after the other; each but the last has its share of the time that is left."""
        tried = addresses[:ADDRESSES_TRIED_MAX]
        for left, address in zip(range(len(tried) - 1, 0, -1), tried, strict=False):
            share_s = max(_TRY_S_MIN, (deadline - self._clock.monotonic()) / (left + 1))
            with contextlib.suppress(Failure, TimeoutError):
                async with asyncio.timeout(share_s):
                    return await _connect(address, port)
        return await _connect(tried[-1], port)

    async def _make_connection(self, sock: socket.socket, job: Opening, remote_address: str) -> Connection:
        target = job.target
        key = job.key
        loop = asyncio.get_running_loop()
        with _closed_on_error(sock):
            if not target.is_tls:
                _, plain = await loop.create_connection(
                    lambda: Connection(self._keeper, key, remote_address), sock=sock
                )
                return plain
            job.stage = Stage.SECURING
            try:
                _, secured = await loop.create_connection(
                    lambda: Connection(self._keeper, key, remote_address),
                    sock=sock,
                    ssl=self._tls,
                    server_hostname=target.host,
                    ssl_handshake_timeout=job.timeout_ms / 1000 + _HANDSHAKE_SLACK_S,
                    ssl_shutdown_timeout=_SHUTDOWN_S,
                )
            except ssl.SSLError as error:
                raise Failure(ErrorCode.TLS_FAILED, explain(error)) from None
            except OSError:
                message = "The receiver closed the connection during the TLS handshake."
                raise Failure(ErrorCode.TLS_FAILED, message) from None
            return secured


async def _connect(address: bytes, port: int) -> socket.socket:
    """A connected socket whose peer is the address. Raises Failure."""
    text = unpack(address)
    try:
        sock = socket.socket(family_of(address), socket.SOCK_STREAM)
        with _closed_on_error(sock):
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(sock, (text, port))
            if _peer(sock) != address:
                raise blocked()
            return sock
    except OSError as error:
        raise _explain_connect(error) from None


def _peer(sock: socket.socket) -> bytes:
    return unmapped(pack(sock.getpeername()[0].partition("%")[0]))


@contextlib.contextmanager
def _closed_on_error(sock: socket.socket) -> Iterator[None]:
    """The socket belongs to whoever gets it; when nobody does, it is closed."""
    try:
        yield
    except BaseException:
        sock.close()
        raise


def _explain_connect(error: OSError) -> Failure:
    if error.errno in _OUR_SHORTAGE:
        return Failure(ErrorCode.NO_SOCKETS, "This node has no more sockets or ports to connect with.", Owner.US)
    if isinstance(error, ConnectionRefusedError):
        return Failure(ErrorCode.CONNECT_REFUSED, "The receiver refused the connection.")
    reason = {
        errno.ETIMEDOUT: "it timed out",
        errno.EHOSTUNREACH: "no route to the host",
        errno.ENETUNREACH: "the network is unreachable",
        errno.ECONNRESET: "it was reset",
    }.get(error.errno or 0, errno.errorcode.get(error.errno or 0, "unknown"))
    return Failure(ErrorCode.CONNECT_FAILED, f"The connection could not be made: {reason}.")
