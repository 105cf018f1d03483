"""``[read]``, the way back for `hookspan.verify`: checked here with everything else, used there without this room."""

from typing import Final

from hookspan.profiles._document import Document, Refused
from hookspan.profiles._durations import duration_ms
from hookspan.profiles._references import sole

TOLERANCE_MS_MAX: Final = 24 * 3_600_000
_TIMES: Final = frozenset({"s", "ms", "iso"})


def check_receiving(document: Document) -> None:
    """Raise Refused for a reference that a receiver could not follow."""
    read = document.read
    headers = {one.name.lower() for one in document.header}
    _check("read.type", read.type, headers)
    _check("read.data", read.data, headers)
    if read.id is not None:
        _check("read.id", read.id, headers)
    if read.at is not None:
        _check("read.at", read.at, headers, is_time=True)
    if document.test is not None and document.test.at is not None:
        _check("test.at", document.test.at, headers, is_time=True)
    if read.tolerance is not None:
        duration_ms("read.tolerance.past", read.tolerance.past, least_ms=1000, most_ms=TOLERANCE_MS_MAX)
        duration_ms("read.tolerance.future", read.tolerance.future, least_ms=1000, most_ms=TOLERANCE_MS_MAX)


def _check(key: str, text: str, headers: set[str], *, is_time: bool = False) -> None:
    reference = sole(key, text)
    if reference.root == "header":
        if reference.member.lower() not in headers:
            raise Refused(key, f"the profile sends no header {reference.member!r}")
    elif reference.root != "body" or not reference.member or "." in reference.member:
        raise Refused(key, f"{text!r} must name a member of the body, {{body.x}}, or a header, {{header.x}}")
    if is_time and reference.form not in _TIMES:
        raise Refused(
            key, f"{text!r} must say how the time is written: {', '.join(f':{one}' for one in sorted(_TIMES))}"
        )
    if not is_time and reference.form is not None:
        raise Refused(key, f"{text!r} is no time")
