"""Whom customers write to: a mail address, a page, or words."""

import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from hookspan.mail_address import MAILTO, is_mail_address

CONTACT_CHARS_MAX: Final = 200
_HTTPS: Final = "https://"
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S")


class Contact(msgspec.Struct, frozen=True):
    """`text` for people; `href` where it leads somewhere, else empty."""

    text: str
    href: str


def read_contact(text: str) -> Contact | None:
    """None for what can't be one."""
    if not text.strip() or len(text) > CONTACT_CHARS_MAX or not text.isprintable():
        return None
    address = text.removeprefix(MAILTO)
    if is_mail_address(address):
        return Contact(address, MAILTO + address)
    if text.startswith(_HTTPS):
        return Contact(text.removeprefix(_HTTPS).rstrip("/"), text) if _is_page(text) else None
    # Of other schemes some would run a script, and none is a page that everybody can open.
    return None if _SCHEME.match(text) else Contact(text, "")


def wrong_contact(text: str) -> str | None:
    """Why `text` can't be a contact; None when it can."""
    if read_contact(text) is not None:
        return None
    return f"must be a mail address, an https:// URL, or words in one line of at most {CONTACT_CHARS_MAX} characters"


def _is_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and not set(url) & set(" \"'<>\\") and not parts.username
    except ValueError:
        return False
