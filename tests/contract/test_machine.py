"""Whatever is done to a store in whatever order, it keeps what the model keeps.

``HOOKSPAN_SOAK=1`` runs 200 examples of 50 steps; otherwise a few short ones.
"""

import asyncio
import os
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, WebhookStatus
from hookspan.errors import StateForbidden
from hookspan.ids import IdMaker, first_id_at
from hookspan.store.contract import EXPIRED_SHOWN_MS, Claimed, ClaimRef, NewAside, NewEvent
from tests.contract.factories import FACTORIES
from tests.contract.model import Model, ModelApplication, ModelDelivery, ModelEvent, ModelWebhook
from tests.contract.world import World
from tests.support.clock import VirtualClock

T = TypeVar("T")

IS_SOAK = bool(os.environ.get("HOOKSPAN_SOAK"))
EXAMPLES, STEPS = (200, 50) if IS_SOAK else (10, 25)

PICK = st.integers(0, 1_000_000)
PUBLISHER_IDS = st.sampled_from([None, None, "p1", "p2", "p3"])


class Machine(RuleBasedStateMachine):
    """One store and one model. `claims` remembers every claim ever made: old ones must be refused."""

    kind: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.clock = VirtualClock()
        self.ids = IdMaker(self.clock)
        self.make_store = FACTORIES[self.kind](Path(self.folder.name), self.clock, self.ids)
        self.model = Model()
        self.applications: list[Application] = []
        self.webhooks: list[Webhook] = []
        self.claims: list[tuple[int, Claimed]] = []
        self.world = World(self.make_store(), self.clock, self.ids)
        self.run(self.world.store.open())

    def run(self, awaitable: Awaitable[T]) -> T:
        async def wait() -> T:
            return await awaitable

        return self.runner.run(wait())

    def teardown(self) -> None:
        self.run(self.world.store.close())
        self.runner.close()
        self.folder.cleanup()

    # --- making

    @initialize(orders=st.lists(st.sampled_from(Order), min_size=1, max_size=3))
    def begin(self, orders: list[Order]) -> None:
        self.run(self.world.register())
        self.create_application()
        for order in orders:
            self.create_webhook(0, order, is_active=True)

    @precondition(lambda self: len(self.applications) < 3)
    @rule()
    def create_application(self) -> None:
        application = self.run(self.world.application())
        self.applications.append(application)
        self.model.applications[application.id] = ModelApplication(application.id)

    @precondition(lambda self: len(self.webhooks) < 6)
    @rule(pick=PICK, order=st.sampled_from(Order), is_active=st.booleans())
    def create_webhook(self, pick: int, order: Order, *, is_active: bool) -> None:
        application = self.applications[pick % len(self.applications)]
        status = WebhookStatus.ACTIVE if is_active else WebhookStatus.DISABLED
        webhook = self.run(self.world.webhook(application, status, order=order))
        self.webhooks.append(webhook)
        last = self.model.applications[application.id].last_position
        self.model.webhooks[webhook.id] = ModelWebhook(webhook.id, application.id, order, status, last)

    # --- publishing

    @rule(
        what=st.lists(st.tuples(PICK, PUBLISHER_IDS), min_size=1, max_size=5),
        is_claimed=st.booleans(),
        is_stale=st.booleans(),
    )
    def publish(self, what: list[tuple[int, str | None]], *, is_claimed: bool, is_stale: bool) -> None:
        events = [self.new_event(pick, publisher_id, is_claimed=is_claimed) for pick, publisher_id in what]
        versions = self.run(self.world.versions(events))
        if is_stale:
            versions = dict.fromkeys(versions, 0)
        store = self.world.store
        appended = self.run(store.append(self.world.node, events, versions, self.world.fan_out))
        assert len(appended.refreshed) == (len(versions) if is_stale else 0)
        for event, one in zip(events, appended.events, strict=True):
            application = self.model.applications[event.application_id]
            earlier = [kept for kept in application.events.values() if kept.publisher_id == event.publisher_id]
            if event.publisher_id is not None and earlier:
                assert (one.position, one.is_duplicate, one.event_id) == (0, True, earlier[0].id)
                continue
            application.last_position += 1
            assert (one.position, one.event_id) == (application.last_position, event.id)
            application.events[event.id] = ModelEvent(event.id, one.position, event.publisher_id)
            planned = {delivery.webhook_id for delivery in one.deliveries}
            assert planned == {webhook.id for webhook in self.active(application.id)}
            for delivery in one.deliveries:
                node = self.world.node if delivery.is_claimed else 0
                made = ModelDelivery(
                    delivery.id, delivery.webhook_id, event.id, self.clock.now_ms(), node, int(node > 0)
                )
                self.model.deliveries[delivery.id] = made

    def new_event(self, pick: int, publisher_id: str | None, *, is_claimed: bool) -> NewEvent:
        application = self.applications[pick % len(self.applications)]
        active = {webhook.id for webhook in self.active(application.id)}
        webhooks = [webhook for webhook in self.webhooks if webhook.id in active]
        return self.world.event(application, *webhooks, publisher_id=publisher_id, is_claimed=is_claimed)

    def active(self, application_id: int) -> list[ModelWebhook]:
        return [one for one in self.model.webhooks_of(application_id) if one.status is WebhookStatus.ACTIVE]

    # --- delivering

    @rule()
    def claim_all(self) -> None:
        now_ms = self.clock.now_ms()
        expected = {one.id for webhook in self.model.webhooks.values() for one in self.model.claimable(webhook, now_ms)}
        expected |= {one.id for one in self.model.asides(now_ms)}
        claimed = self.run(self.world.claim())
        assert {one.id for one in claimed} == expected
        self.note_claims(claimed)

    @rule(limit=st.integers(1, 4), per_webhook=st.integers(1, 3))
    def claim_some(self, limit: int, per_webhook: int) -> None:
        now_ms = self.clock.now_ms()
        possible = {webhook.id: self.model.claimable(webhook, now_ms) for webhook in self.model.webhooks.values()}
        asides = {one.id for one in self.model.asides(now_ms)}
        claimed = self.run(self.world.claim(limit=limit, per_webhook=per_webhook))
        of_queues = [one for one in claimed if not one.is_aside]
        assert {one.id for one in claimed if one.is_aside} <= asides
        assert len(claimed) - len(of_queues) == min(limit, len(asides))
        left = limit - min(limit, len(asides))
        assert len(of_queues) == min(left, sum(min(per_webhook, len(part)) for part in possible.values()))
        for webhook_id, part in possible.items():
            mine = [one.id for one in of_queues if one.webhook_id == webhook_id]
            assert len(mine) <= per_webhook
            idents = [one.id for one in part]
            is_fifo = self.model.webhooks[webhook_id].order is Order.FIFO
            assert mine == idents[: len(mine)] if is_fifo else set(mine) <= set(idents)
        self.note_claims(claimed)

    @rule()
    def claim_suspect(self) -> None:
        suspects = {one.id for one in self.model.suspects(self.clock.now_ms())}
        found = self.run(self.world.store.claim_suspect(self.world.node, self.clock.now_ms()))
        assert (found is not None) == bool(suspects)
        if found is not None:
            assert found.id in suspects
            self.note_claims([found])

    def note_claims(self, claimed: list[Claimed]) -> None:
        for one in claimed:
            delivery = self.model.deliveries[one.id]
            delivery.node, delivery.claim = self.world.node, delivery.claim + 1
            assert (one.claim, one.round, one.cause) == (delivery.claim, delivery.round, delivery.cause)
            assert (one.attempt_count, one.orphan_count) == (delivery.attempts, delivery.orphans)
            self.claims.append((self.world.node, one))

    def holds(self, node: int, claim: Claimed) -> bool:
        delivery = self.model.deliveries.get(claim.id)
        return delivery is not None and delivery.is_held and (delivery.node, delivery.claim) == (node, claim.claim)

    def counts(self, node: int, claim: Claimed) -> bool:
        """Whether a result by this claim is kept: also where the claim was only freed, and nobody has it since."""
        one = self.model.deliveries.get(claim.id)
        is_freed = one is not None and one.is_waiting and one.claim == claim.claim and one.orphans > 0
        return is_freed or self.holds(node, claim)

    @precondition(lambda self: self.claims)
    @rule(
        picks=st.sets(PICK, min_size=1, max_size=4),
        state=st.sampled_from([DeliveryState.SUCCEEDED, DeliveryState.PENDING, DeliveryState.FAILED]),
        retry_in=st.integers(0, 2_000),
        stalls=st.booleans(),
        resumes=st.booleans(),
    )
    def record(self, picks: set[int], state: DeliveryState, retry_in: int, *, stalls: bool, resumes: bool) -> None:
        node = self.claims[min(picks) % len(self.claims)][0]
        of_node = {claim.id: claim for holder, claim in self.claims if holder == node}
        chosen = {(idents := sorted(of_node))[pick % len(idents)] for pick in picks}
        more: dict[str, Any] = {}
        if stalls and state is DeliveryState.PENDING:
            more["next_attempt_at"] = None
        results = [
            self.world.result(
                of_node[ident],
                state,
                retry_in=retry_in,
                resumes=of_node[ident].webhook_id if resumes and state is DeliveryState.SUCCEEDED else None,
                **more,
            )
            for ident in chosen
        ]
        expected = {ident for ident in chosen if not self.counts(node, of_node[ident])}
        assert self.run(self.world.store.record(node, results)) == expected
        for result in results:
            if result.delivery_id not in expected:
                delivery = self.model.deliveries[result.delivery_id]
                delivery.close(result.state, result.reason)
                delivery.attempts, delivery.orphans, delivery.cause = result.attempt_count, 0, Cause.RETRY
                delivery.due_at, delivery.spent = result.next_attempt_at, result.round_attempts
        for result in results:
            if result.resumes is not None and result.delivery_id not in expected:
                self.model.resume(result.resumes, self.clock.now_ms())

    @precondition(lambda self: self.claims)
    @rule(picks=st.sets(PICK, min_size=1, max_size=4))
    def release(self, picks: set[int]) -> None:
        node = self.claims[min(picks) % len(self.claims)][0]
        chosen = [self.claims[pick % len(self.claims)][1] for pick in picks]
        refs = {ClaimRef(claim.id, claim.claim) for claim in chosen}
        self.run(self.world.store.release(node, list(refs), self.clock.now_ms()))
        for claim in chosen:
            if self.holds(node, claim):
                self.model.deliveries[claim.id].give_back(self.clock.now_ms())

    # --- webhooks on the move

    @precondition(lambda self: self.webhooks)
    @rule(pick=PICK, status=st.sampled_from([WebhookStatus.DISABLED, WebhookStatus.CATCHING_UP]), keep=st.booleans())
    def move(self, pick: int, status: WebhookStatus, *, keep: bool) -> None:
        webhook = self.webhooks[pick % len(self.webhooks)]
        model = self.model.webhooks[webhook.id]
        if model.status is WebhookStatus.ACTIVE and status is WebhookStatus.CATCHING_UP:
            with pytest.raises(StateForbidden):
                self.run(self.world.move(webhook, status, keep=keep))
            return
        self.run(self.world.move(webhook, status, keep=keep))
        if model.status is not status:
            self.model.move(model, status, self.clock.now_ms(), keep=keep)

    @precondition(lambda self: self.webhooks)
    @rule(pick=PICK, events_max=st.integers(1, 4))
    def catch_up(self, pick: int, events_max: int) -> None:
        webhook = self.model.webhooks[self.webhooks[pick % len(self.webhooks)].id]
        turn = self.run(self.world.store.catch_up(webhook.id, events_max, lambda _type: True))
        if webhook.status is not WebhookStatus.CATCHING_UP:
            assert (turn.created, turn.is_done) == (0, True)
            return
        application = self.model.applications[webhook.application_id]
        ahead = sorted(event.position for event in application.events.values() if event.position > webhook.position)
        is_done = len(ahead) < events_max
        webhook.position = application.last_position if is_done else ahead[events_max - 1]
        assert (turn.position, turn.is_done, turn.refreshed is not None) == (webhook.position, is_done, is_done)
        if is_done:
            webhook.status = WebhookStatus.ACTIVE
        assert self.learn_deliveries(webhook) == turn.created

    def learn_deliveries(self, webhook: ModelWebhook) -> int:
        """The deliveries that a catch-up has made: exactly those of events up to its position that had none."""
        application = self.model.applications[webhook.application_id]
        mine = {
            one.event_id for one in self.model.deliveries.values() if one.webhook_id == webhook.id and not one.is_aside
        }
        created = 0
        for event in application.events.values():
            for one in self.run(self.world.store.deliveries_of_event(application.id, event.id)):
                if one.webhook_id == webhook.id and one.id not in self.model.deliveries:
                    assert event.id not in mine
                    assert event.position <= webhook.position
                    made = ModelDelivery(one.id, webhook.id, event.id, self.clock.now_ms())
                    self.model.deliveries[one.id] = made
                    created += 1
        return created

    # --- one delivery

    @precondition(lambda self: self.webhooks)
    @rule(pick=PICK, which=PICK)
    def send_aside(self, pick: int, which: int) -> None:
        webhook = self.model.webhooks[self.webhooks[pick % len(self.webhooks)].id]
        events = sorted(self.model.applications[webhook.application_id].events)
        if not events:
            return
        new = NewAside(
            id=self.world.ids.make(),
            application_id=webhook.application_id,
            webhook_id=webhook.id,
            event_id=events[which % len(events)],
            cause=Cause.SEND,
        )
        now_ms = self.clock.now_ms()
        made = self.run(self.world.store.send_aside(new, now_ms))
        assert made is not None
        assert made.run > 0
        self.model.deliveries[new.id] = ModelDelivery(
            new.id, webhook.id, new.event_id, now_ms, is_aside=True, cause=Cause.SEND
        )

    @precondition(lambda self: self.model.deliveries)
    @rule(pick=PICK)
    def reopen(self, pick: int) -> None:
        delivery = self.pick_delivery(pick)
        call = self.world.store.reopen_delivery(
            self.application_of(delivery), delivery.id, Cause.MANUAL, self.clock.now_ms()
        )
        head = None if delivery.is_aside else self.model.stalled_head(delivery.webhook_id)
        if delivery.is_held or (head is not None and head.id < delivery.id):
            with pytest.raises(StateForbidden):
                self.run(call)
            return
        assert self.run(call) is not None
        if delivery.state is not DeliveryState.PENDING:
            delivery.round += 1
            delivery.orphans = delivery.spent = 0
        delivery.close(DeliveryState.PENDING, None)
        delivery.cause, delivery.due_at = Cause.MANUAL, self.clock.now_ms()

    @precondition(lambda self: self.model.deliveries)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        delivery = self.pick_delivery(pick)
        call = self.world.store.cancel_delivery(
            self.application_of(delivery), delivery.id, DeliveryReason.PERSON, self.clock.now_ms()
        )
        is_head = delivery is self.model.stalled_head(delivery.webhook_id)
        heir = self.model.heir(delivery) if is_head else None
        if not delivery.is_waiting or (heir is not None and heir.is_held):
            with pytest.raises(StateForbidden):
                self.run(call)
            return
        assert self.run(call) is not None
        delivery.close(DeliveryState.CANCELLED, DeliveryReason.PERSON)
        if heir is not None:
            heir.due_at = None

    def pick_delivery(self, pick: int) -> ModelDelivery:
        return self.model.deliveries[sorted(self.model.deliveries)[pick % len(self.model.deliveries)]]

    def application_of(self, delivery: ModelDelivery) -> int:
        return self.model.webhooks[delivery.webhook_id].application_id

    # --- time and death

    @rule(ms=st.integers(1, 3_000))
    def wait(self, ms: int) -> None:
        self.clock.move(ms)

    @rule()
    def wait_a_day(self) -> None:
        """So that what has expired was there to be seen for long enough."""
        self.clock.move(EXPIRED_SHOWN_MS)

    @rule(age_ms=st.integers(0, 3_000), limit=st.integers(1, 5))
    def expire(self, age_ms: int, limit: int) -> None:
        drop_below = first_id_at(self.clock.now_ms() - 2 * age_ms)
        expire_below = first_id_at(self.clock.now_ms() - age_ms)
        self.run(self.world.expire(expire_below, drop_below, limit))
        self.model.expire(expire_below, self.clock.now_ms())
        self.model.drop(drop_below, self.clock.now_ms())

    @rule(is_orderly=st.booleans())
    def start_anew(self, *, is_orderly: bool) -> None:
        """A restart of the process, or a node that lost its registration."""
        if is_orderly:
            self.run(self.world.store.close())
            self.world.store = self.make_store()
            self.run(self.world.store.open())
        self.run(self.world.register())
        self.model.free_claims(self.clock.now_ms())

    # --- what must always hold

    @invariant()
    def keeps_what_the_model_keeps(self) -> None:
        for application in self.model.applications.values():
            events = self.run(self.world.store.events_after(application.id, 0, 10_000))
            assert [event.position for event in events] == sorted(
                event.position for event in application.events.values()
            )
            found = self.run(self.world.webhooks_seen(application.id))
            assert found.application.last_position == application.last_position
            for webhook in found.webhooks:
                self.compare_webhook(webhook, application)

    def compare_webhook(self, webhook: Webhook, application: ModelApplication) -> None:
        model = self.model.webhooks[webhook.id]
        position = application.last_position if model.status is WebhookStatus.ACTIVE else model.position
        assert (webhook.status, webhook.position) == (model.status, position)
        deliveries = self.run(self.world.deliveries_of(application.id, webhook.id))
        expected = {one.id: one for one in self.model.deliveries.values() if one.webhook_id == webhook.id}
        assert {one.id for one in deliveries} == expected.keys()
        for one in deliveries:
            known = expected[one.id]
            assert (one.state, one.reason, one.round) == (known.state, known.reason, known.round)
            assert (one.is_claimed, one.attempt_count) == (known.is_held, known.attempts)
            assert one.next_attempt_at == (known.due_at if known.is_waiting else None)
        originals = [one.event_id for one in deliveries if one.run == 0]
        assert len(originals) == len(set(originals)), "an event was doubled"


@pytest.mark.parametrize("kind", sorted(FACTORIES))
def test_the_store_keeps_what_the_model_keeps(kind: str) -> None:
    """Positions, claims, states, catch-up and retention under any order of calls."""
    run_state_machine_as_test(
        type("MachineOfKind", (Machine,), {"kind": kind}),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
