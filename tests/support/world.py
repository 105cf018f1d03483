"""A whole node on a real SQLite store, a virtual clock and a scripted network, turned by hand."""

import asyncio
import random
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Self

import msgspec

from hookspan.domain.records import Application, Delivery, SealedCredential, Webhook
from hookspan.domain.states import Order, StatusReason, WebhookStatus
from hookspan.engine import Engine, EngineOptions
from hookspan.ids import IdMaker, from_text
from hookspan.profiles import load_profiles
from hookspan.store.contract import NewApplication, NewWebhook
from hookspan.store.sqlite import SqliteStore
from hookspan.telemetry import Counters
from hookspan.vault import Vault

from .clock import VirtualClock
from .network import FakeEgress

PROFILES = load_profiles()
_TURNS_MAX = 100_000


class Inline(Executor):
    """Runs at once what is given to it: no threads in a world whose time is its own."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as an executor has it
            future.set_exception(error)
        return future


class World:
    """`async with World(folder) as world`. Nothing moves unless a test publishes, settles or moves time."""

    def __init__(self, folder: Path, *, options: EngineOptions | None = None, seed: int = 0) -> None:
        self.clock = VirtualClock()
        self.egress = FakeEgress(self.clock)
        self.counters = Counters()
        self.vault = Vault(b"k" * 32)
        self.random = random.Random(seed)
        self.folder = folder
        self.options = options or EngineOptions()
        self.ids = IdMaker(self.clock, slot=7)
        self.store: SqliteStore
        self.engine: Engine

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.store.close()

    async def start(self) -> None:
        ids = IdMaker(self.clock)
        self.store = SqliteStore(self.folder / "hookspan.db", clock=self.clock, ids=ids)
        await self.store.open()
        self.engine = Engine(
            store=self.store,
            profiles=PROFILES,
            egress=self.egress,  # type: ignore[arg-type]  # a stand-in of the same shape
            vault=self.vault,
            clock=self.clock,
            ids=ids,
            counters=self.counters,
            options=self.options,
            jitter=lambda: self.random.uniform(-1, 1),
            signing=Inline(),
        )
        await self.engine.prepare()

    async def crash(self) -> None:
        """The process ends at once: what was in memory is gone, and no answer is heard while the store is closed. A new
        one starts on the same database.
        """
        self.egress.forget()
        await self.store.close()
        await self.start()

    # --- what exists

    async def application(self, profile: str = "standard", **settings: object) -> Application:
        ident = self.ids.make()
        made = await self.store.create_application(
            NewApplication(
                id=ident,
                public_id=f"app_{ident}",
                name="Acme",
                profile=profile,
                uuid="2d127766-02fa-44b0-9fc8-a67665dbf109",
                settings=dict(settings),
                metadata={},
                notify=None,
                created_at=self.clock.now_ms(),
            )
        )
        assert made is not None
        await self.engine.index.find(made.public_id)
        return made

    async def webhook(
        self,
        application: Application,
        *,
        url: str = "https://receiver.example.com/hook",
        order: Order = Order.ANY,
        rate: float | None = None,
        concurrency: int = 10,
        events: tuple[str, ...] | None = None,
        status: WebhookStatus = WebhookStatus.ACTIVE,
        secret: bytes = b"whsec_" + b"TWZLUTlyOEdLWXFyVHdqVVBEOElMUFpJbzJMYUxhU3c=",
        position: int | None = None,
    ) -> Webhook:
        ident = self.ids.make()
        made_at = self.clock.now_ms()
        sealed = self.vault.seal(secret, application_id=application.id, webhook_id=ident, name="secret")
        made = await self.store.create_webhook(
            NewWebhook(
                id=ident,
                application_id=application.id,
                name=None,
                url=url,
                status=status,
                status_reason=StatusReason.CREATED if status is WebhookStatus.DISABLED else None,
                events=events,
                order=order,
                rate=rate,
                concurrency=concurrency,
                event_epoch=None,
                credentials=(
                    SealedCredential(name="secret", sealed=sealed, public=None, made_at=made_at, expires_at=None),
                ),
                position=position,
                created_at=made_at,
            ),
            0,
        )
        assert made is not None
        await self.engine.webhooks_changed(application.id)
        return made

    async def send_by_hand(self, application: Application, webhook: Webhook, event_id: str) -> Delivery:
        """A person sends one event to one webhook."""
        profile = PROFILES.get(application.profile)
        ident = from_text(profile.event_prefix, event_id)
        assert ident is not None
        event = await self.store.get_event(application.id, ident)
        now = await self.store.get_webhook(webhook.id)
        assert event is not None
        assert now is not None
        return await self.engine.send(now, event)

    async def set_status(self, webhook: Webhook, status: WebhookStatus, *, keep: bool = True) -> None:
        reason = StatusReason.PERSON if status is WebhookStatus.DISABLED else None
        await self.store.set_webhook_status(
            webhook.id, status, reason, keep=keep, expected_version=None, changed_at=self.clock.now_ms()
        )
        await self.engine.webhooks_changed(webhook.application_id)

    # --- what happens

    def publish_soon(self, application: Application, number: int, **more: object) -> asyncio.Task:
        event = {"type": "order.paid", "content": {"number": number}, **more}
        return asyncio.ensure_future(self.engine.intake.publish(application.public_id, msgspec.json.encode(event)))

    async def publish(self, application: Application, *numbers: int, **more: object) -> list[str]:
        """Publish events with these numbers one after the other; returns their ids."""
        found = []
        for number in numbers:
            receipt = await self._committed(self.publish_soon(application, number, **more))
            found.append(receipt.id)
        return found

    async def _committed(self, task: asyncio.Task):
        """Turn intake until the publish is answered."""
        for _ in range(_TURNS_MAX):
            await self._commit()
            if task.done():
                return task.result()
        raise AssertionError("a publish is not answered")

    async def send(self, application: Application, event: object):
        """Publish one request (raw bytes, or what encodes to JSON), commit, and return its receipt."""
        raw = event if isinstance(event, bytes) else msgspec.json.encode(event)
        task = asyncio.ensure_future(self.engine.intake.publish(application.public_id, raw))
        return await self._committed(task)

    async def _commit(self) -> None:
        await asyncio.sleep(0)
        await self.engine.intake._guarded_turn()

    async def settle(self) -> None:
        """Turn every duty until nothing is left to do at the present time."""
        engine = self.engine
        for _ in range(_TURNS_MAX):
            wait_s = min(
                [
                    await duty._guarded_turn()
                    for duty in (engine.intake, engine.catch_up, engine.jobs, engine.disabler, engine.poller)
                ]
            )
            await engine.dispatcher.rate_timer.turn()
            while self.egress.answers_due:
                await asyncio.sleep(0)
            if not engine.recorder.is_empty:
                await engine.recorder._guarded_turn()
                continue
            if wait_s > 0 and not engine.poller.wake.is_set():
                return
            engine.poller.wake.clear()
        raise AssertionError("the world does not come to rest")

    async def run_for(self, ms: int) -> None:
        """Let time pass, stopping at every moment at which something is due."""
        end_ms = self.clock.now_ms() + ms
        for _ in range(_TURNS_MAX):
            await self.settle()
            due_at = await self.store.next_due_at([])
            if due_at is None or max(due_at, self.clock.now_ms() + 1) > end_ms:
                self.clock.move_to(end_ms)
                await self.settle()
                return
            self.clock.move_to(max(due_at, self.clock.now_ms() + 1))
        raise AssertionError("time does not pass")

    def numbers(self, url: str | None = None) -> list[int]:
        """The numbers that arrived, in order of arrival."""
        return [msgspec.json.decode(body)["data"]["number"] for body in self.egress.bodies(url)]
