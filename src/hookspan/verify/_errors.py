"""What can be wrong with a request, by name. The codes are part of the interface: docs/receivers/README.md has them."""

from typing import Final

CODES: Final = frozenset(
    {
        # The request.
        "missing_header",
        "malformed_header",
        "timestamp_too_old",
        "timestamp_in_future",
        "missing_token",
        "wrong_token",
        "no_match",
        "single_hash",
        "lower_case_hex",
        "upper_case_hex",
        "malformed_body",
        # What the receiver was configured with.
        "invalid_secret",
        "invalid_public_key",
        "wrong_key_type",
    }
)


class VerificationError(Exception):
    """The request must not be trusted. `code` is one of `CODES`; `detail` tells the receiver's developer what to look
    at. Neither holds a secret, so both may be logged; answer the sender with a bare 400.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
