"""That a form was sent by a page of ours: a token of the session in each form, and what the browser says of its origin.

The token is an HMAC under the session's own token: nothing to keep, another for each session, and it tells nothing of
the session. The browser's word comes first (`Sec-Fetch-Site`, sent wherever the connection can be trusted); `Origin` is
looked at where it is given: pages that send no referrer send "null".
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import urlsplit

FIELD = "csrf"
_PURPOSE = b"hookspan form "


def csrf_token(session_token: str) -> str:
    """What forms of a session carry."""
    return hmac.new(session_token.encode(), _PURPOSE, sha256).hexdigest()


def is_right(session_token: str, given: str) -> bool:
    return hmac.compare_digest(csrf_token(session_token).encode(), given.encode())


def is_foreign(headers: Mapping[str, str], public_url: str) -> bool:
    """Whether the browser says that another site's page has sent this."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site != "same-origin"
    origin = headers.get("origin")
    if origin is None or origin == "null":
        return False
    try:
        host = urlsplit(origin).netloc.lower()
    except ValueError:  # no browser writes such a one
        return True
    return host not in {headers.get("host", "").lower(), urlsplit(public_url).netloc.lower()}


def is_ours_for_sure(headers: Mapping[str, str]) -> bool:
    """Whether the browser vouches that a page of ours has sent this."""
    return headers.get("sec-fetch-site") == "same-origin"
