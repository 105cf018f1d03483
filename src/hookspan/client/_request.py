"""A request before it is sent: where to, with what, and what its answer will be. No I/O here."""

import re
import secrets
import time
from collections.abc import Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import UNSET

from hookspan.client._retry import Repeat

T = TypeVar("T")
KEY_CHARS_MAX = 4_096
URL_CHARS_MAX = 2_048
_KEY = re.compile(rf"[!-~]{{1,{KEY_CHARS_MAX}}}")
_PATH = re.compile(r"[!-~]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Call(msgspec.Struct, Generic[T], frozen=True):
    """One request to the API. `answer` is the shape of a success, None where it says nothing.

    `path` begins at the base URL; `body` is JSON.
    """

    method: str
    path: str
    answer: type[T] | None
    repeat: Repeat
    body: bytes | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Base(msgspec.Struct, frozen=True):
    """Where a server is. `prefix` has no slash at its end; `shown` is for messages."""

    scheme: str
    host: str
    port: int
    prefix: str
    shown: str


def read_base(url: str) -> Base:
    """Raises ValueError for what is not the address of a server. Its message never repeats it: there may be a secret in
    it.
    """
    form = "write it as https://host, https://host:port or https://host/prefix"
    if not isinstance(url, str):
        raise TypeError(f"The server's URL is missing: this is {type(url).__name__}; {form}.")
    if len(url) > URL_CHARS_MAX or not url.isprintable() or " " in url:
        raise ValueError(f"The server's URL has characters that no URL has; {form}.")
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"This is not the URL of a server; {form}.")
    if "@" in parts.netloc or parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError(f"The server's URL takes no user, query or fragment; {form}.")
    host = _ascii_host(parts.hostname, form)
    try:
        port = _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not 1 <= port <= 65_535:  # noqa: PLR2004 - the ports there are
        raise ValueError(f"The port of the server's URL must be from 1 to 65535; {form}.")
    prefix = parts.path.rstrip("/")
    if not _PATH.fullmatch(prefix):
        raise ValueError(f"Escape the path of the server's URL as in a request; {form}.")
    at = f"[{host}]" if ":" in host else host
    port_shown = "" if port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return Base(parts.scheme, host, port, prefix, f"{parts.scheme}://{at}{port_shown}{prefix}")


def _ascii_host(host: str, form: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"The host of the server's URL is not a name; {form}.") from None


def check_key(key: str) -> bytes:
    """The key as it goes into a header. Raises ValueError, whose message does not repeat it, and TypeError."""
    if not isinstance(key, str):
        raise TypeError(f"The API key is missing: this is {type(key).__name__}, not a text. Is its variable set?")
    if not key:
        raise ValueError("The API key is empty. Is its variable set?")
    if not _KEY.fullmatch(key):
        raise ValueError("The API key must be printable ASCII without spaces or line ends; was a file read whole?")
    return key.encode()


def path_of(*segments: str) -> str:
    """`/v1/…` of ids that may hold anything: none can lead out of its place."""
    if any(segment in ("", ".", "..") for segment in segments):
        raise ValueError("An id is empty, or not an id.")
    return "/v1/" + "/".join(quote(segment, safe="") for segment in segments)


def get(answer: type[T], *segments: str, **query: Any) -> Call[T]:
    """Query parameters that are None are left out."""
    given = {name: value for name, value in query.items() if value is not None}
    path = path_of(*segments) + (f"?{urlencode(given)}" if given else "")
    return Call("GET", path, answer, Repeat.HARMLESS)


def post(answer: type[T], *segments: str, body: Mapping[str, Any] | None = None) -> Call[T]:
    """With an Idempotency-Key, by which the server knows it again. Members that are UNSET are left out."""
    return Call(
        "POST",
        path_of(*segments),
        answer,
        Repeat.HARMLESS,
        b"" if body is None else encode_members(body),
        ((b"idempotency-key", new_id().encode()),),
    )


def change(
    answer: type[T] | None,
    method: str,
    *segments: str,
    body: Mapping[str, Any] | None = None,
    if_match: int | None = None,
) -> Call[T]:
    """PATCH or DELETE, perhaps only at a version."""
    headers = () if if_match is None else ((b"if-match", b'"%d"' % if_match),)
    raw = None if body is None else encode_members(body)
    return Call(method, path_of(*segments), answer, Repeat.DOUBTFUL, raw, headers)


def encode_members(members: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({name: value for name, value in members.items() if value is not UNSET})


def new_id() -> str:
    """32 hexadecimal digits: the milliseconds of now, then chance. Ids made one after the other lie side by side in
    the server's index.
    """
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
