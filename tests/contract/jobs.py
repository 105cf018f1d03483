"""Jobs over the store of a `World`: started, advanced a step, read with their sums checked."""

from hookspan.domain.jobs import Job, JobKind
from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import DeliveryState, Order
from hookspan.store.contract import NewEvent
from hookspan.store.jobs import JobTurn, NewJob
from tests.contract.world import World

DAY_MS = 86_400_000
RUNNING_MAX, QUEUED_MAX = 2, 3
CHUNK, UNTRIED_MAX = 100, 1_000


async def start(
    world: World,
    application: Application,
    webhook: Webhook,
    events: list[NewEvent],
    *,
    rate: float | None = None,
    state: DeliveryState | None = None,
    is_missing: bool = False,
) -> Job:
    new = NewJob(
        id=world.ids.make(),
        application_id=application.id,
        webhook_id=webhook.id,
        kind=JobKind.REPLAY,
        input={"since": "x"},
        rate=rate,
        event_state=state,
        is_missing=is_missing,
        event_ids=[event.id for event in events],
        created_at=world.now,
    )
    return await world.store.create_job(new, RUNNING_MAX, QUEUED_MAX)


async def step(world: World, job: Job, chunk: int = CHUNK, untried_max: int = UNTRIED_MAX) -> JobTurn:
    return await world.store.advance_job(job.id, world.now, chunk, untried_max)


async def now(world: World, job: Job) -> Job:
    found = await world.store.get_job(job.id)
    assert found is not None
    assert found.done == found.succeeded + found.failed + found.skipped <= found.total
    return found


async def delivered(world: World, count: int = 3, order: Order = Order.ANY):
    """An application, its webhook, and events that it has got."""
    application = await world.application()
    webhook = await world.webhook(application, order=order)
    events = await world.publish(application, webhook, count=count)
    while claimed := await world.claim():
        await world.finish(claimed)
    return application, webhook, events


def counts(job: Job) -> tuple[int, int, int]:
    return job.succeeded, job.failed, job.skipped
