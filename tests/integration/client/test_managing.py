"""Management of a real server by the client: what it makes, changes, lists, and what it is told."""

import asyncio

import pytest

from hookspan.client import AsyncClient, ChangedMeanwhile, Client, Conflict, NewEvent, NotAllowed, NotFound, Refused
from tests.integration.egress.evil import EvilReceiver, Peer
from tests.support.node import OPERATOR_KEY
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio

ARRIVAL_S = 10.0


@pytest.fixture
async def receiver():
    async with Receiver() as one:
        yield one


async def test_applications(client):
    """From the first to the last day."""
    made = await client.applications.create("Acme", profile="bridge-api", metadata={"plan": "gold"})
    assert (made.profile, made.metadata, made.last_position) == ("bridge-api", {"plan": "gold"}, 0)
    assert await client.applications.get(made.id) == made
    changed = await client.applications.change(made.id, name="Acme & Sons", profile="standard")
    assert (changed.name, changed.profile, changed.metadata) == ("Acme & Sons", "standard", {"plan": "gold"})
    assert made.id in [one.id async for one in client.applications.list()]
    assert await client.applications.delete(made.id) is None
    with pytest.raises(NotFound):
        await client.applications.get(made.id)


async def test_the_life_of_a_webhook(client, application, receiver):
    """Made, changed at its version, rotated, tested, sent to, looked into, deleted."""
    made = await client.webhooks.create(
        application, receiver.url, name="First", events=["order.*"], headers={"x-a": "b"}
    )
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    shown = await client.webhooks.get(application, made.id)
    assert (shown.secret, shown.events, shown.headers) == (None, ["order.*"], {"x-a": None})
    assert shown.event_epoch == "webhook_creation"

    changed = await client.webhooks.change(application, made.id, if_match=made.version, name=None, concurrency=2)
    assert (changed.name, changed.concurrency, changed.version) == (None, 2, made.version + 1)
    with pytest.raises(ChangedMeanwhile) as late:
        await client.webhooks.change(application, made.id, if_match=made.version, status="disabled")
    assert late.value.code == "changed_meanwhile"

    rotated = await client.webhooks.rotate_secret(application, made.id)
    assert rotated.secret not in (None, made.secret)
    assert rotated.previous_until is not None

    attempt = await client.webhooks.test(application, made.id)
    assert attempt.response is not None
    assert (attempt.cause, attempt.verdict, attempt.response.status) == ("test", "succeeded", 200)

    with pytest.raises(ChangedMeanwhile):
        await client.webhooks.delete(application, made.id, if_match=1)
    assert (await client.webhooks.delete(application, made.id)).status == "deleted"


async def test_what_became_of_an_event(client, application, receiver):
    """For each webhook; delivered again by hand, retried, and listed in every way."""
    webhook = await client.webhooks.create(application, receiver.url)
    accepted = await client.publish(application, "order.paid", {"number": 1})
    assert await receiver.wait_until(lambda: receiver.numbers[1] == 1, ARRIVAL_S)
    async with asyncio.timeout(ARRIVAL_S):
        while (event := await client.events.get(application, accepted.id)).webhooks[0].state != "succeeded":
            pass
    delivery = await client.deliveries.get(application, str(event.webhooks[0].delivery_id))
    assert delivery.attempts is not None
    assert [attempt.verdict for attempt in delivery.attempts] == ["succeeded"]

    sent = await client.webhooks.send(application, webhook.id, accepted.id)
    assert sent.event_id == accepted.id
    again = await client.deliveries.retry(application, delivery.id)
    assert again.round == 1
    assert await receiver.wait_until(lambda: receiver.numbers[1] == 3, ARRIVAL_S)

    by_webhook = [one.id async for one in client.webhooks.deliveries(application, webhook.id, type="order.paid")]
    assert by_webhook == [one.id async for one in client.deliveries.list(application)] == [sent.id, delivery.id]
    assert [one async for one in client.deliveries.list(application, type="order.lost")] == []
    assert len([one async for one in client.webhooks.logs(application, webhook.id)]) >= 1


async def test_a_waiting_delivery_is_cancelled_once(client, application):
    """Then there is nothing left to cancel: Conflict, with what is possible."""
    webhook = await client.webhooks.create(application, "http://127.0.0.1:9/", status="active")
    await client.publish(application, "order.paid", {})
    async with asyncio.timeout(ARRIVAL_S):
        listed = client.deliveries.list  # one that is being sent is not cancelled
        while not (waiting := [one async for one in listed(application, state="pending") if one.reason == "scheduled"]):
            pass
    cancelled = await client.deliveries.cancel(application, waiting[0].id)
    assert (cancelled.state, cancelled.reason, cancelled.webhook_id) == ("cancelled", "person", webhook.id)
    with pytest.raises(Conflict) as caught:
        await client.deliveries.cancel(application, waiting[0].id)
    assert caught.value.code == "state_forbidden"
    assert "allowed" in caught.value.data


async def test_lists_go_on_over_their_pages(client, application):
    """Nothing twice, nothing left out, also while rows arrive; or page by page."""
    await client.publish_many(application, [NewEvent(type="order.paid", content={"n": n}) for n in range(25)])
    seen = []
    async for event in client.events.list(application, page_size=10):
        seen.append(event.content["n"])
        if len(seen) == 5:
            await client.publish(application, "order.paid", {"n": 99})
    assert seen == list(reversed(range(25)))
    listing = client.events.list(application, page_size=10)
    assert [len(page.data) async for page in listing.pages()] == [10, 10, 6]
    first = await listing.page()
    second = await listing.page(first.next)
    assert [event.content["n"] for event in second.data][:2] == [15, 14]
    with pytest.raises(Refused) as caught:
        await listing.page("nonsense")
    assert caught.value.code == "invalid_cursor"


async def test_events_are_read_on_from_a_position(node, application):
    """Oldest first, for ever: at the end it waits, and goes on with what has come."""
    waits = 0

    async def sleep(_wait_s: float) -> None:
        nonlocal waits
        waits += 1
        await publisher.publish(application, "order.paid", {"n": 10 + waits})

    async with (
        AsyncClient(node.base, OPERATOR_KEY) as publisher,
        AsyncClient(node.base, OPERATOR_KEY, sleep=sleep) as one,
    ):
        for number in range(10):
            await publisher.publish(application, "order.paid" if number % 2 else "order.lost", {"n": number})
        paid = [event.content["n"] async for event in one.events.read_on(application, type="order.paid", wait_s=None)]
        assert paid == [1, 3, 5, 7, 9]
        seen = []
        reading = one.events.read_on(application, after=6, page_size=2)
        async for event in reading:
            seen.append((event.position, event.content["n"]))
            if len(seen) == 6:
                break
        await reading.aclose()
    assert seen == [(7, 6), (8, 7), (9, 8), (10, 9), (11, 11), (12, 12)]


async def test_samples_and_profiles(client):
    """The catalog, with a sample of each; and one published."""
    names = [one.name async for one in client.profiles.list()]
    assert "bridge-api" in names
    catalog = [one async for one in client.profiles.events("bridge-api")]
    assert "item.created" in [one.type for one in catalog]
    application = (await client.applications.create("Bank", profile="bridge-api")).id
    accepted = await client.events.sample(application, type="item.created")
    assert (await client.events.get(application, accepted.id)).type == "item.created"


async def test_the_blocking_client_does_the_same(node, receiver):
    """Its code is made from the other's; this is to see it run."""

    def work() -> None:
        with Client(node.base, OPERATOR_KEY) as client:
            application = client.applications.create("Acme").id
            webhook = client.webhooks.create(application, receiver.url, status="disabled")
            assert [one.id for one in client.webhooks.list(application)] == [webhook.id]
            accepted = client.publish(application, "order.paid", {"number": 7})
            assert [event.id for event in client.events.read_on(application, wait_s=None)] == [accepted.id]
            assert [event.id for event in client.events.list(application, page_size=1)] == [accepted.id]
            assert client.webhooks.change(application, webhook.id, status="active", resume="keep").status == "active"
            attempt = client.webhooks.test(application, webhook.id)
            assert attempt.verdict == "succeeded"
            assert client.events.get(application, accepted.id).webhooks[0].webhook_id == webhook.id
            assert len(list(client.profiles.list())) >= 4
            client.webhooks.delete(application, webhook.id)
            client.applications.delete(application)

    await asyncio.to_thread(work)


async def test_replays_and_their_jobs(client, application, receiver):
    """Counted before, started, looked at, cancelled at most once over."""
    webhook = await client.webhooks.create(application, receiver.url)
    await client.publish_many(application, [NewEvent(type="order.paid", content={"number": n}) for n in range(5)])
    assert await receiver.wait_until(lambda: receiver.numbers.total() == 5, ARRIVAL_S)
    since = (await client.applications.get(application)).created_at
    preview = await client.webhooks.preview_replay(application, webhook.id, since, types=["order.*"])
    assert (preview.count, preview.by_type) == (5, {"order.paid": 5})
    job = await client.webhooks.replay(application, webhook.id, since, rate=1_000)
    assert (job.kind, job.webhook_id) == ("replay", webhook.id)
    async with asyncio.timeout(ARRIVAL_S):
        while (shown := await client.jobs.get(job.id)).finished_at is None:
            pass
    assert (shown.state, shown.total, shown.done) == ("succeeded", 5, 5)
    assert [one.id async for one in client.jobs.list(application=application, state="succeeded")] == [job.id]
    with pytest.raises(Conflict):
        await client.jobs.cancel(job.id)


async def test_what_waits_and_what_happened(client, application, receiver):
    """The next events of a disabled webhook; counts of it, of its application, of all."""
    webhook = await client.webhooks.create(application, receiver.url, status="disabled")
    accepted = await client.publish(application, "order.paid", {"number": 1})
    assert [event.id async for event in client.webhooks.upcoming(application, webhook.id)] == [accepted.id]
    assert [event async for event in client.webhooks.upcoming(application, webhook.id, type="order.lost")] == []
    assert [event.id async for event in client.events.list(application, undelivered=True)] == [accepted.id]
    assert (await client.webhooks.stats(application, webhook.id)).events is None
    by_day = await client.applications.stats(application, by="day")
    assert by_day.by_day is not None
    assert by_day.by_hour is None
    assert (await client.stats()).since < (await client.stats()).until


async def test_pauses(client, application):
    """Sending stops, an application says so, and goes on; what is paused already is the pause that is there."""
    made = await client.pauses.create("application", application=application, reason="A drill.")
    assert (made.scope, made.application_id, made.ended_at) == ("application", application, None)
    assert (await client.pauses.create("application", application=application)).id == made.id
    paused = (await client.applications.get(application)).paused
    assert (paused.scope, paused.since, paused.reason) == ("application", made.paused_at, "A drill.")
    assert made.id in [one.id async for one in client.pauses.list()]
    ended = await client.pauses.end(made.id)
    assert ended.ended_at is not None
    assert await client.pauses.end(made.id) == ended
    assert (await client.applications.get(application)).paused is None
    of_profile = await client.pauses.create("profile", profile="bridge-xyz")
    assert of_profile.profile == "bridge-xyz"
    await client.pauses.end(of_profile.id)


async def test_keys_people_and_portal_sessions(node, client, application):
    """Each is made with its secret, shown once and not in its repr; and works until it is taken away."""
    created = await client.keys.create("Shop", "publisher")
    assert created.key is not None
    assert created.key not in repr(created)
    async with AsyncClient(node.base, created.key) as shop:
        await shop.publish(application, "order.paid", {})
        with pytest.raises(NotAllowed):
            await shop.webhooks.list(application).page()
    assert created.id in [key.id async for key in client.keys.list()]
    await client.keys.revoke(created.id)

    invited = await client.people.invite("Ada", "member", application=application)
    assert invited.link is not None
    assert (await client.people.change(invited.id, role="admin")).role == "admin"
    again = await client.people.make_link(invited.id, expires_in=60)
    session = await client.sessions.open(str(again.link))
    async with AsyncClient(node.base, str(session.token)) as ada:
        assert (await ada.applications.get(application)).id == application
    assert session.id in [one.id async for one in client.sessions.list()]
    await client.sessions.end(session.id)
    assert invited.id in [one.id async for one in client.people.list()]
    await client.people.remove(invited.id)

    portal = await client.portal_sessions.create(application, expires_in=60, role="member")
    assert portal.url is not None
    assert portal.url not in repr(portal)
    assert [one.id async for one in client.portal_sessions.list(application)] == [portal.id]
    await client.portal_sessions.end(application, portal.id)

    actions = [line.action async for line in client.audit.list(object=created.id)]
    assert actions == ["key.revoked", "key.created"]


async def test_a_post_that_is_repeated_is_done_once(node, client):
    """The answer was lost: under the same Idempotency-Key the server gives it again, without the secret."""

    async def cuts_once(peer: Peer) -> None:
        await pass_on(peer, is_answered=False)

    async def passes(peer: Peer) -> None:
        while True:
            await pass_on(peer, is_answered=True)

    async def pass_on(peer: Peer, *, is_answered: bool) -> None:
        request = await peer.request()
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        writer.write(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        answer = await reader.read()
        writer.close()
        if is_answered:
            await peer.send(answer)
        else:
            peer.reset()

    async with (
        EvilReceiver(cuts_once, passes) as evil,
        AsyncClient(f"http://127.0.0.1:{evil.port}", OPERATOR_KEY) as one,
    ):
        created = await one.keys.create("Only one", "publisher")
    assert len(evil.requests) == 2
    assert created.key is None
    assert [key.id async for key in client.keys.list() if key.name == "Only one"] == [created.id]
