"""An explicit egress proxy, asked by CONNECT (RFC 9110, 9.3.6). None is ever taken from the environment.

It is asked for the address that we have checked, not for the name: a proxy that resolves the name again could be led
elsewhere. TLS goes through the tunnel, so the receiver's certificate is still verified against its name.
"""

import asyncio
import base64
import re
import socket

import msgspec

from hookspan.domain.outcome import ErrorCode, Owner
from hookspan.egress.address import pack, unpack
from hookspan.egress.dns import Resolver
from hookspan.egress.job import Failure
from hookspan.errors import ConfigurationError

ANSWER_BYTES_MAX = 8 * 1024
_SETTING = re.compile(
    r"http://(?:(?P<user>[^:@/]*):(?P<password>[^@/]*)@)?(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:@/\[\]]+)):(?P<port>[0-9]{1,5})/?"
)
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9][0-9])[ \r]")
_OK = range(200, 300)
_AUTHENTICATION_REQUIRED = 407


class Proxy(msgspec.Struct, frozen=True):
    """`authorization` is a whole header line or empty."""

    host: str
    port: int
    authorization: str

    async def addresses(self, resolver: Resolver) -> tuple[bytes, ...]:
        """The proxy's own addresses: the operator chose it, so no policy applies. Raises NameFailed."""
        try:
            return (pack(self.host),)
        except ValueError:
            return await resolver.resolve(self.host)

    async def ask(self, sock: socket.socket, address: bytes, port: int) -> None:
        """Have a fresh connection to the proxy tunnelled to address and port. Raises Failure."""
        host = f"[{unpack(address)}]:{port}" if len(address) > 4 else f"{unpack(address)}:{port}"  # noqa: PLR2004
        request = f"CONNECT {host} HTTP/1.1\r\nhost: {host}\r\n{self.authorization}\r\n"
        loop = asyncio.get_running_loop()
        answer = b""
        try:
            await loop.sock_sendall(sock, request.encode("ascii"))
            while b"\r\n\r\n" not in answer and len(answer) < ANSWER_BYTES_MAX:
                data = await loop.sock_recv(sock, ANSWER_BYTES_MAX)
                if not data:
                    break
                answer += data
        except OSError:
            answer = b""
        _judge(answer)


def read_proxy(setting: str) -> Proxy:
    """Read `http://[user:password@]host:port`. Raises ConfigurationError, which does not repeat the setting."""
    found = _SETTING.fullmatch(setting)
    if found is None or not 0 < int(found["port"]) < 1 << 16:
        raise ConfigurationError("HOOKSPAN_EGRESS_PROXY must be http://[user:password@]host:port.")
    authorization = ""
    if found["user"] is not None:
        credentials = base64.b64encode(f"{found['user']}:{found['password']}".encode()).decode()
        authorization = f"proxy-authorization: Basic {credentials}\r\n"
    return Proxy(found["six"] or found["host"], int(found["port"]), authorization)


def _judge(answer: bytes) -> None:
    line = _STATUS_LINE.match(answer)
    if line is None or not answer.endswith(b"\r\n\r\n"):
        raise Failure(ErrorCode.CONNECT_FAILED, "The egress proxy gave no valid answer.", Owner.PATH)
    status = int(line[1])
    if status in _OK:
        return
    owner = Owner.PATH if status == _AUTHENTICATION_REQUIRED else Owner.RECEIVER
    raise Failure(ErrorCode.CONNECT_FAILED, f"The egress proxy answered {status} instead of connecting.", owner)
