"""Looks at certificates: whoever saves URLs of hosts that hang leaves looks for others."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hookspan.egress import Target
from hookspan.errors import Overloaded
from hookspan.manage._address import check_where
from hookspan.manage._shares import LOOKS_EACH_MAX, WAIT_S, certificate_looks
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

A, B = 1, 2
PROFILE = cast("Any", SimpleNamespace(rules=SimpleNamespace(checks_certificate=True)))


class Egress:
    """Hangs for `silent`; counts handshakes."""

    def __init__(self) -> None:
        self.looks = 0

    async def check_certificate(self, target: Target) -> None:
        self.looks += 1
        if target.url == "silent":
            await asyncio.Event().wait()


def target(url: str) -> Target:
    return cast("Target", SimpleNamespace(url=url, is_tls=True))


async def test_one_application_leaves_looks_for_another() -> None:
    """B's URL is looked at at once; A's next waits for one of its own, so long and no longer."""
    clock, egress = VirtualClock(), Egress()
    ground = cast("Any", SimpleNamespace(egress=egress, certificate_looks=certificate_looks(clock)))
    looks = [asyncio.create_task(check_where(ground, PROFILE, target("silent"), A)) for _ in range(LOOKS_EACH_MAX + 1)]
    await asyncio.sleep(0)
    await check_where(ground, PROFILE, target("good"), B)
    assert egress.looks == LOOKS_EACH_MAX + 1
    clock.move(int(WAIT_S * 1000))
    with pytest.raises(Overloaded, match="certificates are being checked"):
        await looks[-1]
    looks[0].cancel()
    await asyncio.gather(looks[0], return_exceptions=True)
    await check_where(ground, PROFILE, target("good"), A)
    for one in looks:
        one.cancel()
    await asyncio.gather(*looks, return_exceptions=True)
