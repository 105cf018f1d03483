"""Who may see, start and cancel jobs: one's own application's, and not everybody in it."""

import pytest

from hookspan.domain import times
from hookspan.domain.caller import Caller, Role, Scope
from hookspan.errors import NotAllowed, NotFound
from hookspan.manage.inputs import JobQuery, Paging, StartReplay
from hookspan.manage.jobs import Jobs
from hookspan.manage.replay import Replays
from tests.support.shop import Shop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shops(world):
    """Two applications with a job each."""
    found = []
    for _ in range(2):
        shop = Shop(world)
        await shop.open()
        await world.publish(shop.application, 1, 2)
        await world.settle()
        world.clock.move(1_000)
        found.append((shop, await shop.replay(rate=0.1)))
    return found


def key_of(shop: Shop, **members) -> Caller:
    given = {"scope": Scope.APPLICATION, "role": Role.ADMIN} | members
    return Caller(kind="key", id="key_x", name="a key", application=shop.application.public_id, **given)


def desk(shop: Shop, caller: Caller) -> tuple[Jobs, Replays]:
    ground = shop.ground.with_caller(caller)
    return Jobs(ground), Replays(ground)


async def test_a_key_of_an_application_has_its_own_jobs(shops) -> None:
    """Another's job is not found, in the words of one that never was, and is in no list."""
    (mine, my_job), (other, other_job) = shops
    jobs, replays = desk(mine, key_of(mine))
    page = await jobs.page(JobQuery(), Paging())
    assert [one.id for one in page.data] == [my_job.id]
    assert (await jobs.get(my_job.id)).id == my_job.id
    for ident in (other_job.id, "job_x"):
        for call in (jobs.get, jobs.cancel):
            with pytest.raises(NotFound) as caught:
                await call(ident)
            assert caught.value.detail == f"There is no job {ident!r} within reach of this key."
    with pytest.raises(NotFound):
        await jobs.page(JobQuery(application_id=other.application.public_id), Paging())
    assert (await jobs.page(JobQuery(webhook_id=other.webhook_id), Paging())).data == []
    given = StartReplay(since=times.to_text(mine.opened_ms))
    for application, webhook in (
        (other.application.public_id, other.webhook_id),
        (mine.application.public_id, other.webhook_id),
    ):
        for start in (replays.start, replays.preview):
            with pytest.raises(NotFound):
                await start(application, webhook, given)
    assert (await jobs.cancel(my_job.id)).state == "cancelled"


async def test_members_look_and_configure_nothing(shops) -> None:
    """Right.CONFIGURE for starting and cancelling, counting included; a publisher's key has no business here."""
    (mine, my_job), _ = shops
    jobs, replays = desk(mine, key_of(mine, role=Role.MEMBER))
    assert (await jobs.get(my_job.id)).id == my_job.id
    assert len((await jobs.page(JobQuery(), Paging())).data) == 1
    given = StartReplay(since=times.to_text(mine.opened_ms))
    for start in (replays.start, replays.preview):
        with pytest.raises(NotAllowed):
            await start(mine.application.public_id, mine.webhook_id, given)
    with pytest.raises(NotAllowed):
        await jobs.cancel(my_job.id)
    jobs, _ = desk(mine, key_of(mine, scope=Scope.PUBLISHER))
    for asked in (jobs.page(JobQuery(), Paging()), jobs.get(my_job.id), jobs.cancel(my_job.id)):
        with pytest.raises(NotAllowed):
            await asked


async def test_the_operator_has_all(shops) -> None:
    """Of every application, or of the one it names."""
    (mine, my_job), (other, other_job) = shops
    page = await mine.jobs.page(JobQuery(), Paging())
    assert [one.id for one in page.data] == [other_job.id, my_job.id]
    page = await mine.jobs.page(JobQuery(application_id=other.application.public_id, state="running"), Paging())
    assert [one.id for one in page.data] == [other_job.id]
