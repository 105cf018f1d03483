"""Looking for a text within names: what every database under Hookspan matches alike, and what it finds."""

from typing import Any, Protocol

import msgspec

from hookspan.domain.records import Application
from hookspan.domain.states import WebhookStatus
from hookspan.store.messages import Page

SEARCH_CHARS_MAX = 300


class FoundWebhook(msgspec.Struct, frozen=True):
    """A webhook as a list of finds shows it, with its application's public id, name and profile."""

    id: int
    name: str | None
    url: str
    status: WebhookStatus
    application: str
    application_name: str
    profile: str


class Search(Protocol):
    """Which things have a text in what they are called.

    A text is found anywhere in a name, ASCII letters in whatever case. Letters beyond them are found as they are given,
    small, in capitals, and with a capital at the beginning of each word, since databases don't agree on more. Nothing
    in the text has a meaning of its own. It has no NUL, and SEARCH_CHARS_MAX characters at most.
    """

    async def search_applications(self, text: str, page: Page) -> list[Application]:
        """Applications whose name or public id has it, newest first."""
        ...

    async def search_webhooks(self, text: str, page: Page, application_id: int | None) -> list[FoundWebhook]:
        """Webhooks, of one application or all, whose name or URL has it, newest first; deleted ones not."""
        ...


def patterns_of(text: str) -> dict[str, Any]:
    r"""What `like … escape '\'` takes: `given` for every text; `is_other` says that it has letters beyond ASCII, and
    that `small`, `capital` and `title` are to be tried too.
    """
    return {
        "given": _pattern(text),
        "is_other": not text.isascii(),
        "small": _pattern(text.lower()),
        "capital": _pattern(text.upper()),
        "title": _pattern(text.title()),
    }


def _pattern(text: str) -> str:
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, "\\" + sign)
    return f"%{text}%"
