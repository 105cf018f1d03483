"""The receiver's half: is this request really from the sender, and what does it say? Standard library only.

    from hookspan.verify import VerificationError, verify

    event = verify("bridge-api", headers=request.headers, body=raw_body, secret="…")

It reads the same profile data as the sender, so the two can't drift apart. Verify the raw bytes of the body, before
anything has parsed them.
"""

import datetime
import hashlib
import hmac
import time

from hookspan.verify._dialect import Dialect, dialect
from hookspan.verify._reading import Body, GivenHeaders, HeaderText, Source, VerificationError, VerifiedEvent

__all__ = ["VerificationError", "VerifiedEvent", "verify"]

SIGNATURES_MAX = 100  # in one header; a sender in a rotation sends two


def verify(
    profile: str,
    *,
    headers: GivenHeaders,
    body: bytes,
    secret: str,
    now: float | datetime.datetime | None = None,
) -> VerifiedEvent:
    """The event of a request that was signed with `secret`.

    `headers` are a mapping in any case of letters, anything with items() (as the standard library's and frameworks'
    headers have), or pairs (as ASGI has them). `body` are the raw bytes. `now` is in
    seconds since 1970, or aware; the present by default. Raises VerificationError, whose `code` says what was wrong,
    and ValueError for a profile that does not exist. Signatures are compared in constant time.
    """
    known = dialect(profile)
    key = known.key(secret)
    lines = HeaderText(headers)
    given = lines.get(known.header)
    at = _time_in_header(known, lines)
    message = b"".join(
        part
        if isinstance(part, bytes)
        else bytes(body)
        if part.root == "body"
        else lines.source(part).encode(errors="replace")
        for part in known.signed
    )
    candidates = known.candidates(given)
    if len(candidates) > SIGNATURES_MAX:
        raise VerificationError("malformed_header", f"{known.header} holds more than {SIGNATURES_MAX} signatures.")
    if at is not None:
        _check_age(known, at, now)
    expected = known.encode(hmac.digest(key, message, hashlib.sha256))
    # Every candidate is compared, so that the time does not tell which one, or how many, there were.
    matches = [hmac.compare_digest(expected, candidate.encode(errors="replace")) for candidate in candidates]
    if not any(matches):
        raise VerificationError(
            "no_match",
            f"No signature in {known.header} fits the body and this secret. Was the body parsed and written"
            " again, or is this another webhook's secret?",
        )
    return _event(known, lines, Body(body), at)


def _time_in_header(known: Dialect, lines: HeaderText) -> datetime.datetime | None:
    if known.at is None or known.at.root != "header":
        return None
    return lines.time(known.at)


def _check_age(known: Dialect, at: datetime.datetime, now: float | datetime.datetime | None) -> None:
    if known.tolerance_s is None:
        return
    past_s, future_s = known.tolerance_s
    now_s = now.timestamp() if isinstance(now, datetime.datetime) else time.time() if now is None else now
    age_s = now_s - at.timestamp()
    if age_s > past_s:
        raise VerificationError("timestamp_too_old", f"Signed {age_s:.0f} s ago, {past_s:g} s are allowed.")
    if -age_s > future_s:
        detail = f"Signed {-age_s:.0f} s in the future, {future_s:g} s are allowed. Is this machine's clock right?"
        raise VerificationError("timestamp_in_future", detail)


def _event(known: Dialect, lines: HeaderText, body: Body, at_in_header: datetime.datetime | None) -> VerifiedEvent:
    event_type = body.text(known.type)
    at = at_in_header
    source = known.test_at if known.test_at is not None and event_type == known.test_type else known.at
    if at is None and source is not None:
        at = body.time(source)
    return VerifiedEvent(type=event_type, id=_ident(known.id, lines, body), at=at, data=body.value(known.data))


def _ident(source: Source | None, lines: HeaderText, body: Body) -> str | None:
    if source is None:
        return None
    return lines.source(source) if source.root == "header" else body.text(source)
