"""What an attempt's outcome means and what to do about it, in words for whoever runs the receiver. Pure."""

from typing import Final

import msgspec

from hookspan.dashboard._shown import window
from hookspan.dashboard._visit import Room
from hookspan.manage import views

SLOW_MS: Final = 3_000
_ERRORS: Final = {
    "blocked_destination": (
        "the URL leads to an address that is never sent to",
        "Private and local addresses are refused. Give a public host, or ask the operator to allow the network.",
    ),
    "dns_failed": (
        "the host's name could not be found",
        "Check the spelling of the host, and that its DNS entry exists for the public internet.",
    ),
    "connect_refused": (
        "nothing listens there",
        "The host answered that the port is closed. Check the port, and that the service is running.",
    ),
    "connect_failed": (
        "no connection could be made",
        "A firewall may drop us: allow the outgoing addresses that are named on the webhook's page.",
    ),
    "tls_failed": (
        "no TLS connection could be made",
        "Check the certificate: valid, for this host, with its whole chain, TLS 1.2 or newer.",
    ),
    "timeout": ("it took too long", "Answer 200 first and work afterwards: keep the event, then reply at once."),
    "reset": ("it closed the connection amid the answer", "Look into the receiver's log: it may have crashed."),
    "invalid_response": ("what came back is no HTTP", "Check that an HTTP server, not another service, listens there."),
    "response_too_large": ("the answer's head is too large", "Answer with a status and a short body, nothing more."),
}
_OURS: Final = ("the attempt failed for a reason of ours", "It is tried again.")
_STATUSES: Final = {
    301: ("a redirect", "Redirects are not followed: give the address that it leads to as the webhook's URL."),
    401: (
        "it did not accept the signature",
        "Compare what your code verifies: the raw bytes of the body, this webhook's secret or token, the header.",
    ),
    403: ("it refused", "A firewall or a login may stand before the receiver; or it did not accept the signature."),
    404: ("there is nothing at this path", "Compare the path of the URL with the route of your receiver."),
    405: ("it takes no POST there", "Let the route accept POST."),
    408: ("it waited too long for the request", "Look for a proxy with a very short time limit before the receiver."),
    410: ("it is gone", "410 tells senders to stop. Answer 2xx if the endpoint is still wanted."),
    413: ("the body is too large for it", "Raise the receiver's limit for bodies: events have up to 256 KiB."),
    415: ("it does not take JSON", "Let the route accept application/json."),
    429: ("it is asked too often", "Set a rate for this webhook, so that fewer requests a second come."),
}


class Advice(msgspec.Struct, frozen=True):
    """`headline` is one sentence, `remedy` what to do (empty where all is well)."""

    is_good: bool
    headline: str
    remedy: str


def advice_on(attempt: views.Attempt, room: Room) -> Advice:
    """A verdict for people."""
    response, error = attempt.response, attempt.error
    if error is not None:
        what, remedy = _ERRORS.get(error.code, _OURS)
        return Advice(False, f"No complete answer: {what}.", remedy)
    if response is None:
        return Advice(False, "There was no answer.", "")
    status = response.status
    if 200 <= status < 300:  # noqa: PLR2004 - any 2xx
        slow = attempt.duration_ms >= SLOW_MS
        remedy = "It is slow: answer 200 first, work afterwards." if slow else ""
        return Advice(True, f"Your endpoint answered {status}: delivered.", remedy)
    what, remedy = _meaning(status)
    then = f"nything but 2xx is tried again for up to {window(room.profile.retry_window_ms)}."
    then = f"Of real events, a{then}" if attempt.cause == "test" else f"A{then}"
    return Advice(False, f"Your endpoint answered {status}: {what}.", f"{remedy} {then}".strip())


def in_words(status: int | None, error: str | None) -> str:
    """What came of an attempt, in some words for a row."""
    if error is not None:
        return _ERRORS.get(error, _OURS)[0]
    if status is None:
        return "never tried"
    return "delivered" if 200 <= status < 300 else _meaning(status)[0]  # noqa: PLR2004 - any 2xx


def remedy_for(status: int | None, error: str | None) -> str:
    """What to do about it, as a rule."""
    if error is not None:
        return _ERRORS.get(error, _OURS)[1]
    return "Events are kept for a time only, and this was over first." if status is None else _meaning(status)[1]


def _meaning(status: int) -> tuple[str, str]:
    if status in _STATUSES:
        return _STATUSES[status]
    if 300 <= status < 400:  # noqa: PLR2004 - any 3xx
        return _STATUSES[301]
    if status >= 500:  # noqa: PLR2004 - any 5xx
        return "it failed", "Look into the receiver's log at this time."
    return "it refused the request", "Look at the body of the answer, and into the receiver's log."
