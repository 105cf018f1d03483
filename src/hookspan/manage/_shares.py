"""What management does few of at once, and how much of it one application may have; see `hookspan.engine.fair`."""

from typing import Final

from hookspan.clock import Clock
from hookspan.egress.certificate import CHECKS_MAX
from hookspan.engine.fair import Shares

SCANS_MAX: Final = 2  # windows of replays that are looked through at once: seconds of the store's time
SCANS_EACH_MAX: Final = 1
SCANS_WAITING_MAX: Final = 32
LOOKS_EACH_MAX: Final = 8  # certificates, of egress' bound: each may take as long as a refusal does
LOOKS_WAITING_MAX: Final = 128
WAIT_S: Final = 10.0


def scans(clock: Clock) -> Shares:
    """Of windows of replays that are counted."""
    return Shares(
        SCANS_MAX,
        SCANS_EACH_MAX,
        waiting_max=SCANS_WAITING_MAX,
        wait_s=WAIT_S,
        clock=clock,
        refusal="Too many replays are being counted at this moment. Nothing was started.",
    )


def certificate_looks(clock: Clock) -> Shares:
    """Of handshakes when a URL is saved."""
    return Shares(
        CHECKS_MAX,
        LOOKS_EACH_MAX,
        waiting_max=LOOKS_WAITING_MAX,
        wait_s=WAIT_S,
        clock=clock,
        refusal="Too many certificates are being checked now; send the request again.",
    )
