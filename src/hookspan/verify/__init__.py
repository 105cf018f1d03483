"""The receiver's half: is this request really from the sender, and what does it say? Standard library only; to verify
with a public key it needs `cryptography` too.

    from hookspan.verify import VerificationError, verify

    event = verify("bridge-api", headers=request.headers, body=raw_body, secret="…")

It reads the same profile data as the sender, so the two can't drift apart. Verify the raw bytes of the body, before
anything has parsed them. docs/receivers/ has whole handlers, and every code of `VerificationError`.
"""

import datetime
import math
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from hookspan.verify._dialect import Dialect, dialect
from hookspan.verify._errors import VerificationError
from hookspan.verify._matching import KEYS_MAX, Matcher, check_token
from hookspan.verify._reading import GivenHeaders, HeaderText, Reader, VerifiedEvent, time_in
from hookspan.verify._text import signed_bytes

__all__ = ["VerificationError", "VerifiedEvent", "verify"]

_TIMES = ("attempt.at:s", "attempt.at:ms", "attempt.at:iso")


def verify(
    profile: str | os.PathLike[str],
    *,
    headers: GivenHeaders,
    body: bytes,
    secret: str | Sequence[str] | None = None,
    public_key: str | Sequence[str] | None = None,
    token: str | Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    now: float | datetime.datetime | None = None,
) -> VerifiedEvent:
    """The event of a request that really comes from the sender.

    `profile` is the name of one that comes with Hookspan, or the path of a folder with a profile.toml: a
    Path, or a text with a slash, such as ``"./acme"``. `headers` are
    a mapping in any case of letters, anything with items() (as the standard library's and frameworks' headers have),
    or pairs (as ASGI has them). `body` are the raw bytes.

    `secret` is the shared secret of an HMAC, `public_key` a PEM (RSA) or ``whpk_…`` (Ed25519), `token` what a header
    carries as it is. Each may be several, old and new, of which one must fit. A token that is given is required, and
    so is a signature as soon as a secret or a public key is given. `settings` are what the operator has set for the
    application, such as ``{"signature": {"header": "X-Acme-Signature"}}``. `now` is in seconds since 1970, or a
    datetime with its offset; the present by default.

    Raises VerificationError, whose `code` says what was wrong; ValueError for a profile that does not exist, for
    settings that it does not have, where nothing was given that it can be verified with, or for a `now` that is no
    time; ImportError for a public key without `cryptography`. Secrets are compared in constant time.

    Only what the profile signs is proven: the body, and what stands in its `signed` beside it. Where ``[read]`` finds
    a type or an id in a header that is not signed, as github-like does, whoever can send an old request again can
    write another there.
    """
    if not isinstance(body, bytes | bytearray | memoryview):
        raise TypeError("body must be the raw bytes of the request, before anything has decoded or parsed them")
    raw = bytes(body)
    now_s = _seconds(now)
    known = dialect(profile, settings)
    given = {"secret": _several(secret), "public_key": _several(public_key), "token": _several(token)}
    _check_given(known, given)
    matchers = [
        Matcher(one, keys)
        for one in known.signatures
        if (keys := given["public_key" if one.is_public else "secret"]) is not None
    ]
    tokens = _texts(given["token"])
    lines = HeaderText(headers)
    for header in known.tokens if tokens else ():
        check_token(header, tokens, lines)
    for name in dict.fromkeys(one.signature.line.name.lower() for one in matchers):
        _check_header(known, [one for one in matchers if one.signature.line.name.lower() == name], lines, raw, now_s)
    return _event(known, Reader(lines, raw))


def _several(given: Any) -> list[object] | None:
    if given is None:
        return None
    many = list(given) if isinstance(given, Sequence) and not isinstance(given, str | bytes | bytearray) else [given]
    if len(many) > KEYS_MAX:
        raise ValueError(f"at most {KEYS_MAX} secrets, public keys or tokens at once: those of one webhook")
    return many


def _texts(tokens: Sequence[object] | None) -> list[str]:
    texts = [one for one in tokens or () if isinstance(one, str) and one]
    if len(texts) != len(tokens or ()):
        raise VerificationError("invalid_secret", "The token must be a text, and not empty.")
    return texts


def _check_given(known: Dialect, given: Mapping[str, Sequence[object] | None]) -> None:
    """Something must be given, and nothing that this profile can't be verified with: it would be left unchecked."""
    usable = " or ".join(f"{name}=" for name in known.parameters)
    for name, keys in given.items():
        if keys is not None and name not in known.parameters:
            raise VerificationError(
                "wrong_key_type",
                f"The profile {known.name!r} is verified with {usable or 'nothing'}, not with {name}=.",
            )
    if not any(given.values()) or any(keys is not None and not keys for keys in given.values()):
        raise ValueError(f"give verify() what the profile {known.name!r} is verified with: {usable or 'there is none'}")


def _check_header(known: Dialect, matchers: Sequence[Matcher], lines: HeaderText, body: bytes, now_s: float) -> None:
    """One header with signatures: one of them must fit one of the keys."""
    signature = matchers[0].signature
    values = signature.line.read(lines.get(signature.line.name, hint=_hint(known)))
    for carrier in dict.fromkeys(carrier for one in matchers for carrier in one.signature.carriers):
        values = carrier.read(lines.get(carrier.name)) | values
    found = [one.candidates(values["signatures"]) for one in matchers]
    if not any(found):
        forms = " or ".join(repr("…".join(one.signature.each)) for one in matchers)
        raise VerificationError("malformed_header", f"{signature.line.name} holds nothing of the form {forms}.")
    _check_age(known, matchers, values, now_s)
    messages = [signed_bytes(one.signature.signed, values, body) for one in matchers]
    tried = list(zip(matchers, found, messages, strict=True))
    # A list, not a generator: every one is compared, so that the time does not tell which one it was.
    matches = [one.is_match(candidates, message) for one, candidates, message in tried]
    if any(matches):
        return
    mistakes = [one.mistake(candidates, message) for one, candidates, message in tried if candidates]
    raise next((mistake for mistake in mistakes if mistake.code != "no_match"), mistakes[0])


def _hint(known: Dialect) -> str:
    if {"signature.header", "signature.*"} & set(known.settable):
        return " Does the webhook have a secret? If the operator has set another header, tell verify() by settings=."
    return " Is this a request of another profile, or does a proxy take the header away?"


def _seconds(now: float | datetime.datetime | None) -> float:
    """The present since 1970. A comparison with what is no number would find every time young enough."""
    if now is None:
        return time.time()
    if isinstance(now, datetime.datetime):
        if now.utcoffset() is None:
            raise ValueError("now= has no offset: give an aware datetime, such as datetime.now(UTC), or seconds")
        return now.timestamp()
    try:
        now_s = float(now)
    except OverflowError:
        now_s = math.inf
    if not math.isfinite(now_s):
        raise ValueError("now= is no time: give seconds since 1970, or an aware datetime")
    return now_s


def _check_age(known: Dialect, matchers: Sequence[Matcher], values: Mapping[str, str], now_s: float) -> None:
    """The age of the time that was signed, wherever the request carries it."""
    if known.tolerance_s is None:
        return
    signed = "".join(one.signature.signed for one in matchers)
    past_s, future_s = known.tolerance_s
    for reference in _TIMES:
        if reference not in values or f"{{{reference}}}" not in signed:
            continue
        at = time_in(matchers[0].signature.line.name, values[reference], reference.partition(":")[2])
        age_s = now_s - at.timestamp()
        if age_s > past_s:
            detail = f"Signed {age_s:.0f} s ago, {past_s:g} s are allowed. Answer 400: the retry has a new time."
            raise VerificationError("timestamp_too_old", detail)
        if -age_s > future_s:
            detail = f"Signed {-age_s:.0f} s in the future, {future_s:g} s are allowed. Is this machine's clock right?"
            raise VerificationError("timestamp_in_future", detail)


def _event(known: Dialect, reader: Reader) -> VerifiedEvent:
    event_type = reader.text(known.type)
    at = known.test_at if known.test_at is not None and event_type == known.test_type else known.at
    return VerifiedEvent(
        type=event_type,
        id=None if known.id is None else reader.text(known.id),
        at=None if at is None else reader.time(at),
        data=reader.value(known.data),
        body=reader.body,
    )
