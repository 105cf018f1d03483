"""Reading what existing clients send: every mistake is named at once, and what is not known is ignored."""

from collections.abc import Collection
from typing import Any, cast

import msgspec
from litestar import Request
from msgspec import UNSET, UnsetType

from hookspan import jsontext
from hookspan.api.v0._refusals import wrong
from hookspan.errors import InvalidJson
from hookspan.manage.inputs import EVENTS_MAX, URL_CHARS_MAX, ChangeWebhook, CreateWebhook, EventWindow, SendEvent

LIMIT_DEFAULT, LIMIT_MAX = 100, 500
EPOCHS = ("webhook_creation", "beginning_of_time")
STATUSES = ("active", "disabled")
_LIMIT_DIGITS_MAX = 4

Asked = Request[Any, Any, Any]


class _Members:
    """The members of a body, read one by one; null is as good as absent."""

    def __init__(self, raw: bytes) -> None:
        jsontext.check(raw)
        try:
            self._members = msgspec.json.decode(raw, type=dict[str, Any])
        except msgspec.ValidationError:
            raise wrong({"body": "must be a JSON object"}) from None
        except msgspec.DecodeError as error:
            raise InvalidJson(f"The body is not a JSON object: {error}.") from None
        self.faults: dict[str, str] = {}

    def text(self, name: str, *, is_required: bool = False, longest: int = URL_CHARS_MAX) -> str | UnsetType:
        value = self._members.get(name)
        if value is None:
            if is_required:
                self.faults[name] = "is missing"
            return UNSET
        if not isinstance(value, str):
            self.faults[name] = "must be a string"
        elif not 1 <= len(value) <= longest:
            self.faults[name] = f"must have 1 to {longest:,} characters"
        else:
            return value
        return UNSET

    def word(self, name: str, words: Collection[str], *, is_required: bool = False) -> str | UnsetType:
        value = self.text(name, is_required=is_required)
        if value is not UNSET and value not in words:
            self.faults[name] = f"must be one of: {', '.join(words)}"
            return UNSET
        return value

    def categories(self, name: str) -> list[str] | UnsetType | None:
        """As patterns of management; null is all, as it is shown."""
        value = self._members.get(name, UNSET)
        if value is None or value is UNSET:
            return value
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.faults[name] = "must be a list of categories"
        elif len(value) > EVENTS_MAX:
            self.faults[name] = f"may have {EVENTS_MAX:,} entries"
        else:
            return [f"category:{one}" for one in value]
        return UNSET

    def check(self) -> None:
        if self.faults:
            raise wrong(self.faults)


async def read_create(request: Asked) -> CreateWebhook:
    """Raises InvalidRequest, InvalidJson, DuplicateKey, as the others here."""
    members = _Members(await request.body())
    url = members.text("url", is_required=True)
    epoch = members.word("event_epoch", EPOCHS, is_required=True)
    events = members.categories("event_categories")
    members.check()
    return CreateWebhook(url=cast("str", url), event_epoch=cast("Any", epoch), events=events)


async def read_change(request: Asked) -> ChangeWebhook:
    members = _Members(await request.body())
    url = members.text("url")
    status = members.word("status", STATUSES)
    events = members.categories("event_categories")
    members.check()
    return ChangeWebhook(url=url, status=cast("Any", status), events=events)


async def read_send(request: Asked) -> SendEvent:
    members = _Members(await request.body())
    event_id = members.text("event_id", is_required=True)
    members.check()
    return SendEvent(event_id=cast("str", event_id))


def read_window(request: Asked) -> EventWindow:
    query = request.query_params
    limit, text = LIMIT_DEFAULT, query.get("limit")
    if text is not None:
        is_number = text.isascii() and text.isdecimal() and len(text) <= _LIMIT_DIGITS_MAX
        limit = int(text) if is_number else 0
        if not 1 <= limit <= LIMIT_MAX:
            raise wrong({"limit": f"must be a number from 1 to {LIMIT_MAX}"})
    return EventWindow(
        limit=limit,
        older_than=query.get("starting_after"),
        newer_than=query.get("ending_before"),
        category=query.get("category"),
    )
