"""Routes for whoever runs the process: is it alive, is it ready, what has it counted. No key is asked for."""

from typing import Literal, Protocol

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.api._parameters import Management
from hookspan.errors import HookspanError
from hookspan.telemetry import Counters, render_metrics

_PROMETHEUS = "text/plain; version=0.0.4"  # the framework adds the charset


class Machine(Protocol):
    """What these routes ask of the engine."""

    def readiness(self) -> str | None: ...


class Alive(msgspec.Struct, frozen=True):
    status: Literal["ok"]


class Readiness(msgspec.Struct, frozen=True):
    status: Literal["ready", "unready"]
    reason: str | None


@get("/healthz", tags=["Service"])
async def get_health() -> Alive:
    """The process lives."""
    return Alive("ok")


@get("/readyz", tags=["Service"])
async def get_readiness(
    management: Management, machine: SkipValidation[NamedDependency[Machine]]
) -> Response[Readiness]:
    """Events can be taken in and sent; 503 with the reason otherwise."""
    reason = machine.readiness() or management.intake_refusal()
    state = Readiness("ready" if reason is None else "unready", reason)
    return Response(state, status_code=200 if reason is None else 503, headers={"cache-control": "no-store"})


@get("/metrics", tags=["Service"], media_type="text/plain")
async def get_metrics(management: Management, counters: SkipValidation[NamedDependency[Counters]]) -> Response[bytes]:
    """Counters and gauges in Prometheus' text format."""
    try:
        gauges = await management.gauges()
    except HookspanError:
        gauges = {}  # the store is in trouble: all the more reason to show what was counted
    return Response(render_metrics(counters, gauges), media_type=_PROMETHEUS)
