"""One request that somebody waits for: a test of a webhook, or of an application's notices."""

import asyncio

from hookspan.domain.outcome import Outcome
from hookspan.egress import Egress, Target


class Left(asyncio.CancelledError):
    """Whoever asked has left (was cancelled), and the request has ended; `outcome` is what came of it until then."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


async def ask(
    egress: Egress, target: Target, headers: bytes, body: bytes, *, application_id: int, timeout_ms: int
) -> Outcome:
    """What comes of one request, as `Egress.send` has it. A caller that is cancelled gets Left, and no socket stays
    with the receiver.
    """
    outcomes: list[Outcome] = []
    answered = asyncio.Event()

    def done(outcome: Outcome) -> None:
        outcomes.append(outcome)
        answered.set()

    egress.send(target, headers, body, application_id=application_id, timeout_ms=timeout_ms, done=done)
    try:
        await answered.wait()
    except asyncio.CancelledError:
        egress.abandon(done)
        raise Left(outcomes[0]) from None
    return outcomes[0]
