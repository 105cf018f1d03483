"""Reading what came back: a shape, or the error that it tells of. No I/O here."""

import functools
import re
from typing import Any, TypeVar, cast

import msgspec

from hookspan.client._errors import ClientError, Refused, UnexpectedAnswer, refusal_of
from hookspan.client._request import Call
from hookspan.client._retry import RETRY_AFTER_S_MAX
from hookspan.errors import Fault

T = TypeVar("T")
ANSWER_BYTES_MAX = 16 * 1024 * 1024
DETAIL_CHARS_MAX = 10_000
FAULTS_MAX = 1_000
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_OWN_MEMBERS = frozenset({"type", "title", "status", "code", "detail", "request_id", "errors"})


class Answer(msgspec.Struct, frozen=True):
    """`retry_after` is the header as it came; the body is whole."""

    status: int
    body: bytes
    retry_after: str | None = None


def read(call: Call[T], answer: Answer, server: str) -> T:
    """The shape that `call` asks for. Raises Refused and UnexpectedAnswer."""
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 - the successes of RFC 9110
        if call.answer is None:
            return cast("T", None)
        try:
            shape: Any = call.answer
            return cast("T", _decoder(shape).decode(answer.body))
        except (msgspec.DecodeError, RecursionError) as error:
            raise UnexpectedAnswer(
                f"{server} answered {status}, but not as Hookspan does: {error}", status=status
            ) from None
    if status < 400:  # noqa: PLR2004 - refusals begin there
        raise UnexpectedAnswer(
            f"{server} answered {status}. Redirects are not followed: give the client the address they lead to.",
            status=status,
        )
    raise read_refusal(status, answer)


@functools.cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


def read_refusal(status: int, answer: Answer) -> ClientError:
    """The problem document of `answer`; a bare refusal where it holds none, as from a proxy on the way."""
    try:
        document = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError):
        document = None
    return refusal(document, status, retry_after_s(answer.retry_after))


def refusal(document: Any, status: int, wait_s: int | None = None) -> Refused:
    """A problem document as an error. What is not of its shape is left out rather than believed."""
    members = document if isinstance(document, dict) else {}
    errors = members.get("errors")
    return refusal_of(status)(
        _text(members, "detail") or _text(members, "title") or "The server refused, without a word why.",
        code=_text(members, "code") or "refused",
        status=status,
        errors=tuple(_fault(one) for one in errors[:FAULTS_MAX]) if isinstance(errors, list) else (),
        request_id=_text(members, "request_id") or None,
        retry_after_s=wait_s,
        data={name: value for name, value in members.items() if name not in _OWN_MEMBERS},
    )


def _text(members: Any, name: str) -> str:
    value = members.get(name) if isinstance(members, dict) else None
    return value[:DETAIL_CHARS_MAX] if isinstance(value, str) else ""


def _fault(one: Any) -> Fault:
    return Fault(_text(one, "pointer"), _text(one, "code"), _text(one, "detail"))


def retry_after_s(text: str | None) -> int | None:
    """The header's seconds, at most an hour; None where it is absent or not a whole number (dates are not read)."""
    if text is None or not _SECONDS.fullmatch(text.strip()):
        return None
    return min(int(text), RETRY_AFTER_S_MAX)
