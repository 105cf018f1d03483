"""What a mail address and a mail server's URL look like: the plain forms only."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

MAILTO: Final = "mailto:"
ADDRESS_CHARS_MAX: Final = 254  # RFC 5321, 4.5.3.1.3
SMTP_PORTS: Final = {"smtp": 587, "smtps": 465}
# RFC 5321's mailbox without quotes, comments and lists: a dotted atom, and a host name with a dot.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}",
    re.ASCII,
)


def is_mail_address(text: str) -> bool:
    """Whether it is one plain mail address."""
    return len(text) <= ADDRESS_CHARS_MAX and _ADDRESS.fullmatch(text) is not None


def read_smtp_url(url: str) -> SplitResult | None:
    """`smtp://[user:password@]host[:port]` or `smtps://…` in parts; None when it is none."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in SMTP_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_whole and parts.path in ("", "/") and not parts.query and not parts.fragment else None
