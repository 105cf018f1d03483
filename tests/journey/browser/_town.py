"""A day in the life of three platforms' customers, on a real node: for the pictures of the pages.

Receivers have real names and TLS: every name leads to 203.0.113.10 (for documentation, RFC 5737), which is reached
through an egress proxy that leads to the one receiver of this process. The node's clock begins a day ago and leaps
forward, hour by hour, while events are published: what the pages show has happened.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from unittest.mock import patch

import trustme

from hookspan.cli import node
from hookspan.clock import SystemClock
from hookspan.egress import sending
from hookspan.egress.address import pack
from hookspan.egress.dns import Answer
from tests.integration.api.conftest import Api, api_in

ADDRESS: Final = "203.0.113.10"
HOURS: Final = 26
HOUR_MS: Final = 3_600_000
HOUR_S: Final = 0.25  # of ours, for an hour of theirs
HOSTS: Final = (
    "hooks.fintrack.example",
    "ledger.fintrack.example",
    "insights.fintrack.example",
    "sis.lakeside.example",
    "crm.lakeside.example",
    "api.harborpay.example",
    "shop.acme.example",
)

ITEMS: Final = ["item.created", "item.refreshed", "item.account.created", "item.account.updated"]
PAYMENTS: Final = ["payment.transaction.created", "payment.transaction.updated", "payment.link.updated"]


class LeapingClock(SystemClock):
    """Behind the real time by `behind_ms`."""

    behind_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() - LeapingClock.behind_ms


class _OneAddress:
    """Every name leads to ADDRESS."""

    async def look_up(self, host: str) -> Answer:
        return Answer((pack(ADDRESS),), 60)

    async def close(self) -> None:
        """Nothing to close."""


class Neighbours:
    """The receivers, by host: `says` has each one's status and how many ms it takes, where it is not 200 at once."""

    def __init__(self) -> None:
        self.says: dict[str, tuple[int, float]] = {}
        self._dice = random.Random(7)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                fields = dict(line.split(": ", 1) for line in head.split("\r\n") if ": " in line)
                await reader.readexactly(int(fields.get("content-length", "0")))
                status, about_ms = self.says.get(fields["host"], (200, 12))
                await asyncio.sleep(about_ms / 1000 * self._dice.uniform(0.6, 1.7))
                body = b'{"received": true}' if status == 200 else b'{"error": "%b"}' % _WORDS.get(status, b"failed")
                kind = b"content-type: application/json\r\nserver: nginx\r\n"
                writer.write(b"HTTP/1.1 %d X\r\n%bcontent-length: %d\r\n\r\n%b" % (status, kind, len(body), body))
                await writer.drain()
        writer.close()


_WORDS: Final = {401: b"signature does not match", 503: b"maintenance until 14:00"}


@contextlib.asynccontextmanager
async def neighbourhood(folder: Path) -> AsyncIterator[tuple[Neighbours, dict[str, object]]]:
    """Receivers behind a proxy, and the settings by which a node finds them."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert(*HOSTS).configure_cert(tls)
    neighbours = Neighbours()
    receiver = await asyncio.start_server(neighbours.serve, "127.0.0.1", 0, ssl=tls)
    port = receiver.sockets[0].getsockname()[1]

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            there, onwards = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(copy(reader, onwards), copy(there, writer))

    async with receiver, await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
        yield (
            neighbours,
            {
                "egress_proxy": f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}",
                "egress_ca_file": str(folder / "ca.pem"),
                "egress_allow": ("127.0.0.0/8", f"{ADDRESS}/32"),
                "egress_addresses": ("198.51.100.7",),
            },
        )
        proxy.close()
        receiver.close()


class Town:
    """Who lives there: public ids by name."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.applications: dict[str, str] = {}
        self.webhooks: dict[str, str] = {}

    async def settle(self) -> None:
        """Three platforms' customers with their webhooks."""
        await self._application("FinTrack", "bridge-api")
        await self._webhook("FinTrack", "Aggregation", "https://hooks.fintrack.example/bridge", events=ITEMS + PAYMENTS)
        await self._webhook("FinTrack", "Ledger", "https://ledger.fintrack.example/events", events=PAYMENTS)
        await self._webhook("FinTrack", "Insights", "https://insights.fintrack.example/in", events=ITEMS)
        await self._application("Lakeside University", "bridge-lms")
        given = {"token": "t0ken-of-lakeside", "secret": "s3cret-of-lakeside"}
        types = ["user.created", "user.updated", "enrollment.created", "enrollment.updated"]
        await self._webhook(
            "Lakeside University",
            "Student records",
            "https://sis.lakeside.example/hook",
            events=types,
            credentials=given,
        )
        await self._webhook(
            "Lakeside University", "CRM", "https://crm.lakeside.example/bridge", events=types[:2], credentials=given
        )
        await self._application("Harbor Pay", "bridge-xyz")
        await self._webhook("Harbor Pay", None, "https://api.harborpay.example/webhooks", status="active")
        await self._application("Acme Shop", "standard")
        await self._webhook("Acme Shop", "Orders", "https://shop.acme.example/hooks")

    async def _application(self, name: str, profile: str) -> None:
        self.applications[name] = await self.api.application(name=name, profile=profile)

    async def _webhook(self, application: str, name: str | None, url: str, *, status: str = "", **members) -> None:
        if name is not None:
            members["name"] = name
        made = await self.api.webhook(self.applications[application], url, **members)
        self.webhooks[name or application] = made["id"]
        if status and made["status"] != status:
            path = f"/v1/applications/{self.applications[application]}/webhooks/{made['id']}"
            await self.api("PATCH", path, {"status": status})

    async def sample(self, application: str, event_type: str) -> None:
        path = f"/v1/applications/{self.applications[application]}/events"
        if application == "Acme Shop":
            await self.api("POST", path, {"type": event_type, "content": {"order_id": 1042, "total": 59.9}}, status=202)
        else:
            await self.api("POST", f"{path}/sample", {"type": event_type}, status=202)


_TYPES: Final = {
    "FinTrack": (
        "item.refreshed",
        "item.account.updated",
        "payment.transaction.updated",
        "item.refreshed",
        "item.created",
    ),
    "Lakeside University": ("enrollment.updated", "user.created", "enrollment.completed"),
    "Harbor Pay": ("transfer.updated.status_transitioned", "customer.created", "card_transaction.created"),
    "Acme Shop": ("order.paid", "order.shipped"),
}


async def live(town: Town, neighbours: Neighbours) -> None:
    """A day: busy by day, quiet by night; a receiver that refuses since this morning, one down for maintenance."""
    dice = random.Random(11)
    neighbours.says = {
        "hooks.fintrack.example": (200, 25),
        "insights.fintrack.example": (200, 160),
        "sis.lakeside.example": (200, 45),
        "api.harborpay.example": (200, 18),
    }
    for hour in range(HOURS):
        neighbours.says["ledger.fintrack.example"] = (200, 30) if hour < HOURS - 5 else (401, 9)
        neighbours.says["crm.lakeside.example"] = (503, 20) if hour in {9, 10, HOURS - 1} else (200, 60)
        busy = 8 + round(26 * abs((hour + 5) % 24 - 12) / 12)
        for _ in range(busy):
            name = dice.choice(list(_TYPES))
            await town.sample(name, dice.choice(_TYPES[name]))
        await asyncio.sleep(HOUR_S)
        if hour < HOURS - 1:
            LeapingClock.behind_ms -= HOUR_MS
    await asyncio.sleep(2 * HOUR_S)


@contextlib.asynccontextmanager
async def town_in(folder: Path) -> AsyncIterator[Town]:
    """A node in `folder` with a day behind it."""
    LeapingClock.behind_ms = (HOURS - 1) * HOUR_MS
    with patch.object(node, "SystemClock", LeapingClock), patch.object(sending, "CaresNames", _OneAddress):
        async with neighbourhood(folder) as (neighbours, settings), api_in(folder, **settings) as api:
            town = Town(api)
            await town.settle()
            await live(town, neighbours)
            yield town
