"""A platform that publishes in SQL, and nodes that take that in: engines on one real PostgreSQL, turned by hand."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from hookspan.domain.records import Application
from hookspan.domain.states import Order, WebhookStatus
from hookspan.engine import Engine, EngineOptions
from hookspan.ids import IdMaker
from hookspan.profiles import load_profiles
from hookspan.store.contract import NewApplication, NewWebhook
from hookspan.store.postgres import PostgresStore
from hookspan.telemetry import Counters
from hookspan.vault import Vault
from tests.support.clock import VirtualClock
from tests.support.network import FakeEgress
from tests.support.postgres import DATABASES, OPTIONS

PROFILES = load_profiles()
_LOOKS_MAX = 10_000


def page_blocks() -> list[str]:
    """The SQL of docs/publishing-in-sql.md."""
    page = (Path(__file__).parents[2] / "docs" / "publishing-in-sql.md").read_text(encoding="utf-8")
    return re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def grants(role: str) -> list[str]:
    """The statements of the docs that let a role publish."""
    (block,) = [block for block in page_blocks() if block.startswith("grant usage")]
    return [text.strip().replace(" to shop", f" to {role}") for text in block.split(";") if text.strip()]


class PlatformNode:
    """One node. Its duties turn when a test says so."""

    def __init__(self, url: str, clock: VirtualClock, slot: int, options: EngineOptions) -> None:
        self.clock = clock
        self.ids = IdMaker(clock, slot)
        self.counters = Counters()
        self.store = PostgresStore(url, clock=clock, ids=self.ids, options=OPTIONS)
        self.engine = Engine(
            store=self.store,
            profiles=PROFILES,
            egress=FakeEgress(clock),  # type: ignore[arg-type]  # a stand-in of the same shape
            vault=Vault(b"k" * 32),
            clock=clock,
            ids=self.ids,
            counters=self.counters,
            options=options,
        )

    async def application(self, public_id: str, profile: str = "standard") -> Application:
        ident = self.ids.make()
        made = await self.store.create_application(
            NewApplication(
                id=ident, public_id=public_id, name="A", profile=profile, metadata={}, settings={}, notify=None,
                uuid="2d127766-02fa-44b0-9fc8-a67665dbf109", created_at=self.clock.now_ms(),
            )
        )  # fmt: skip
        assert made is not None
        return made

    async def webhook(self, application: Application) -> None:
        made = await self.store.create_webhook(
            NewWebhook(
                id=self.ids.make(), application_id=application.id, name=None, url="https://example.com/hook",
                status=WebhookStatus.ACTIVE, status_reason=None, events=None, order=Order.ANY, rate=None,
                concurrency=4, event_epoch=None, credentials=(), position=None, created_at=self.clock.now_ms(),
            ),
            0,
        )  # fmt: skip
        assert made is not None

    async def look(self) -> float:
        """One turn of the inbox, while intake commits. Seconds until the next."""
        turn = asyncio.ensure_future(self.engine.inbox.turn())
        for _ in range(_LOOKS_MAX):
            await asyncio.wait({turn}, timeout=0.001)
            if turn.done():
                return turn.result()
            await self.engine.intake._guarded_turn()
        raise AssertionError("the turn does not end")

    async def drain(self) -> None:
        """Look until nothing is found."""
        for _ in range(_LOOKS_MAX):
            if await self.look() == self.engine.options.inbox_interval_s:
                return
        raise AssertionError("the inbox does not become empty")

    async def events(self, application: Application) -> list[Any]:
        """In the order of their positions."""
        return await self.store.events_after(application.id, 0, 10_000)


class Platform:
    """`url` is the owner's; `connect` is a role's that may publish and nothing else."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.name = url.rpartition("/")[2]
        self.role = f"platform_{self.name}"
        self._clock = VirtualClock()
        self._slots = iter(range(1, 60))

    def owner(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url, autocommit=True)

    def connect(self, **more: Any) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(DATABASES.server.url(self.name, user=self.role, password="p"), **more)

    def query(self, text: Any, *values: Any) -> list[tuple[Any, ...]]:
        """As the owner."""
        with self.owner() as connection:
            cursor = connection.execute(text, values)
            return cursor.fetchall() if cursor.description else []

    def publish(self, *given: Any, **named: Any) -> int:
        """One call of the function in a transaction of its own."""
        with self.connect() as connection:
            return publish(connection, *given, **named)

    @property
    def clock(self) -> VirtualClock:
        return self._clock

    @contextlib.asynccontextmanager
    async def node(self, **options: Any) -> AsyncIterator[PlatformNode]:
        node = PlatformNode(self.url, self._clock, next(self._slots), EngineOptions(**options))
        await node.store.open()
        try:
            await node.engine.prepare()
            yield node
        finally:
            await node.store.close()


def publish(connection: psycopg.Connection[Any], *given: Any, **named: Any) -> int:
    """`hookspan.publish` in the connection's transaction."""
    parts = [sql.SQL("%s")] * len(given) + [sql.SQL("{} => %s").format(sql.Identifier(name)) for name in named]
    text = sql.SQL("select hookspan.publish({})").format(sql.SQL(", ").join(parts))
    row = connection.execute(text, (*given, *named.values())).fetchone()
    assert row is not None
    return int(row[0])


@contextlib.contextmanager
def platform():
    """A fresh database, and the role as docs/publishing-in-sql.md grants it."""
    url = DATABASES.make()
    made = Platform(url)
    made.query(sql.SQL("create role {} login password 'p'").format(sql.Identifier(made.role)))
    for text in grants(made.role):
        made.query(text)
    try:
        yield made
    finally:
        DATABASES.drop(url)
        DATABASES.server.execute(f"drop role {made.role}")
