"""The context of an event: what publishers may give beside the content.

Its members are those that ``body.context`` declares, and for each event type those that its group's lists name.
"""

from collections.abc import Mapping

import msgspec

from hookspan import jsontext
from hookspan.errors import Fault, InvalidRequest, UnknownField
from hookspan.profiles._document import Body
from hookspan.profiles._facts import Facts, Writer, context_members
from hookspan.profiles._groups import EventType, Members
from hookspan.profiles._kinds import check_kind, is_of_kind, said

_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def check_context_types(context: Mapping[str, str]) -> None:
    """Raise Refused for a declared type that is none."""
    for name, kind in context.items():
        check_kind(f"body.context.{name}", kind)


def context_of(body: Body, event_type: EventType | None) -> dict[str, str]:
    """The members that events of a type may have, each with its type."""
    lists = event_type.lists.values() if event_type else ()
    return {name: kind for members in lists for name, kind in members.kinds.items()} | body.context


def check_context(declared: Mapping[str, str], event_type: str, context: bytes) -> None:
    """Raise UnknownField for a member that the type does not have, InvalidRequest for one of the wrong type."""
    if context.lstrip()[:1] != b"{":
        raise _wrong("/context", "context must be an object.")
    for name, raw in _split(context).items():
        pointer = f"/context/{jsontext.escape_pointer(name)}"
        kind = declared.get(name)
        if kind is None:
            names = ", ".join(declared) or "no context at all"
            detail = f"An event of type {event_type} has no context member {name[:100]!r}; it has {names}."
            raise UnknownField(detail, errors=(Fault(pointer, UnknownField.code, detail),))
        if not is_of_kind(bytes(raw), kind):
            raise _wrong(pointer, f"context.{name} must be of type {said(kind)}.")


def spread(members: Members) -> Writer:
    """Those of a list's members that the context has, as rows. The writer raises InvalidRequest for too few."""
    leads = [(name, b"," + _encode(name) + b":") for name in members.names]
    least = members.least

    def write(facts: Facts) -> bytes:
        given = context_members(facts)
        rows = [lead + given[name] for name, lead in leads if name in given]
        if len(rows) < least:
            raise _too_few(members, given)
        return b"".join(rows)

    return write


def _too_few(members: Members, given: Mapping[str, bytes]) -> InvalidRequest:
    if members.least < len(members.names):
        detail = f"The context needs at least {members.least} of: {', '.join(members.names)}."
        return InvalidRequest(detail, errors=(Fault("/context", "missing", detail),))
    faults = [
        Fault(f"/context/{jsontext.escape_pointer(name)}", "missing", f"The profile's body needs context.{name}.")
        for name in members.names
        if name not in given
    ]
    return InvalidRequest(faults[0].detail, errors=tuple(faults))


def _wrong(pointer: str, detail: str) -> InvalidRequest:
    return InvalidRequest(detail, errors=(Fault(pointer, InvalidRequest.code, detail),))
