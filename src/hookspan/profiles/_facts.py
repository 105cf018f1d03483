"""What an event's body is made of, and what every event has: its type, content, id, time and application."""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from hookspan import jsontext

_encode = msgspec.json.Encoder().encode


class Facts(msgspec.Struct, gc=False):
    """What an event's body is made of. `type` and `content` were checked; the others are ours."""

    type: str
    content: bytes
    context: bytes | None
    event_id: str
    at_ms: int
    application_uuid: str
    content_members: dict[str, bytes] | None = None
    context_members: dict[str, bytes] | None = None


Writer = Callable[[Facts], bytes]


def content_members(facts: Facts) -> dict[str, bytes]:
    if facts.content_members is None:
        facts.content_members = jsontext.members(facts.content)
    return facts.content_members


def context_members(facts: Facts) -> dict[str, bytes]:
    if facts.context_members is None:
        facts.context_members = {} if facts.context is None else jsontext.members(facts.context)
    return facts.context_members


def _type(facts: Facts) -> bytes:
    return _encode(facts.type)


def _content(facts: Facts) -> bytes:
    return jsontext.compact(facts.content)


def _content_without_nulls(facts: Facts) -> bytes:
    return jsontext.without_null_members(jsontext.compact(facts.content))


def _event_id(facts: Facts) -> bytes:
    return _encode(facts.event_id)


def _application_uuid(facts: Facts) -> bytes:
    return _encode(facts.application_uuid)


def _at_ms(facts: Facts) -> bytes:
    return b"%d" % facts.at_ms


def _at_s(facts: Facts) -> bytes:
    return b"%d" % (facts.at_ms // 1000)


def _at_iso(facts: Facts) -> bytes:
    return b'"%b"' % iso(facts.at_ms)


CONTENT_WRITERS: Final = (_content, _content_without_nulls)
WRITERS: Final[dict[tuple[str, str | None], Writer]] = {
    ("type", None): _type,
    ("content", None): _content,
    ("content", "no_null"): _content_without_nulls,
    ("event.id", None): _event_id,
    ("event.at", "ms"): _at_ms,
    ("event.at", "s"): _at_s,
    ("event.at", "iso"): _at_iso,
    ("application.uuid", None): _application_uuid,
}

_second: tuple[int, bytes] = (0, b"1970-01-01T00:00:00")


def iso(at_ms: int) -> bytes:
    """RFC 3339 in UTC with milliseconds: ``2026-03-01T12:00:00.125Z``."""
    global _second  # noqa: PLW0603 - most events share the last one's second; swapped whole, so threads may race
    at_s, ms = divmod(at_ms, 1000)
    second, text = _second
    if second != at_s:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_s)).encode()
        _second = (at_s, text)
    return b"%b.%03dZ" % (text, ms)
