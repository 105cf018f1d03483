"""``[read]``, the way back for `hookspan.verify`: checked here with everything else, used there without this room."""

from collections.abc import Set as AbstractSet
from typing import Final

from hookspan.profiles._document import Document, Refused
from hookspan.profiles._durations import duration_ms
from hookspan.profiles._references import Reference, references, sole

TOLERANCE_MS_MAX: Final = 24 * 3_600_000
_TIMES: Final = frozenset({"s", "ms", "iso"})


def check_receiving(document: Document, keys: AbstractSet[str], *, covers_time: bool) -> None:
    """Raise Refused for a reference that a receiver could not follow. `keys`: those that bodies may have;
    `covers_time`: whoever verifies sees a signed time.
    """
    read = document.read
    headers = {one.name.lower() for one in document.header}
    types = references("read.type", read.type)
    if not types:
        raise Refused("read.type", f"{read.type!r} must hold a reference, such as {{body.type}}")
    for reference in types:
        _check("read.type", read.type, reference, keys, headers)
    index = sole("read.data", read.data).index_of("body")
    if index is None:
        _check("read.data", read.data, sole("read.data", read.data), keys, headers)
    elif index not in keys:
        raise Refused("read.data", f"no row has the key {index!r}")
    if read.id is not None:
        _check("read.id", read.id, sole("read.id", read.id), keys, headers)
    if read.at is not None:
        _check_time("read.at", read.at, keys, headers)
    if document.test is not None and document.test.at is not None:
        _check_time("test.at", document.test.at, keys, headers)
    if read.tolerance is not None:
        duration_ms("read.tolerance.past", read.tolerance.past, least_ms=1000, most_ms=TOLERANCE_MS_MAX)
        duration_ms("read.tolerance.future", read.tolerance.future, least_ms=1000, most_ms=TOLERANCE_MS_MAX)
        if not covers_time:
            raise Refused(
                "read.tolerance",
                "it bounds the age of a signed time, but {attempt.at} is not in `signed`: an old request could be sent"
                " again for ever; put it there, or leave this out",
            )


def _check(key: str, text: str, reference: Reference, keys: AbstractSet[str], headers: set[str]) -> None:
    _check_place(key, text, reference, keys, headers)
    if reference.form is not None:
        raise Refused(key, f"{text!r} is no time")


def _check_time(key: str, text: str, keys: AbstractSet[str], headers: set[str]) -> None:
    reference = sole(key, text)
    _check_place(key, text, reference, keys, headers)
    if reference.form not in _TIMES:
        forms = ", ".join(f":{one}" for one in sorted(_TIMES))
        raise Refused(key, f"{text!r} must say how the time is written: {forms}")


def _check_place(key: str, text: str, reference: Reference, keys: AbstractSet[str], headers: set[str]) -> None:
    member = reference.member
    if reference.root == "header":
        if member.lower() not in headers:
            raise Refused(key, f"the profile sends no header {member!r}")
    elif reference.root != "body" or not member or "." in member or "[" in member or reference.is_optional:
        raise Refused(key, f"{text!r} must name a member of the body, {{body.x}}, or a header, {{header.x}}")
    elif member not in keys:
        raise Refused(key, f"no row has the key {member!r}")
