"""A name for each request, so that a problem document and the log speak of the same one."""

import secrets

_RANDOM_BYTES = 12

REQUEST_ID = "hookspan.request_id"  # in a request's scope


def new_request_id() -> str:
    """`req_` and 24 random hexadecimal digits."""
    return f"req_{secrets.token_hex(_RANDOM_BYTES)}"
