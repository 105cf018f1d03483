"""The golden events: what is published, and the exact bytes that must arrive.

They are written by the rules of the fact sheets, with the documented samples verbatim, and never by the renderer that
they judge. In a file, ``content``, ``context`` and ``body`` are texts to be taken as they stand, not values: the
white space, number and escape texts in them are meant. ``<event id>`` and ``<application uuid>`` stand for what is made
anew each time. ``source`` says where an event comes from, or what it is there for.
"""

from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "golden"
EVENT_ID = b"<event id>"
APPLICATION_UUID = b"<application uuid>"


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str
    source: str
    content: msgspec.Raw
    occurred_at: str
    body: msgspec.Raw
    context: msgspec.Raw = msgspec.Raw()

    def request(self) -> bytes:
        """The body of the request that publishes it."""
        parts = [b'{"type":', msgspec.json.encode(self.type), b',"content":', bytes(self.content)]
        if bytes(self.context):
            parts += [b',"context":', bytes(self.context)]
        return b"".join([*parts, b',"occurred_at":', msgspec.json.encode(self.occurred_at), b"}"])

    def wire(self, event_id: str, application_uuid: str) -> bytes:
        """The bytes that must arrive."""
        return (
            bytes(self.body).replace(EVENT_ID, event_id.encode()).replace(APPLICATION_UUID, application_uuid.encode())
        )


def golden(profile: str) -> tuple[Golden, ...]:
    return msgspec.json.decode((FOLDER / f"{profile}.json").read_bytes(), type=tuple[Golden, ...])
