"""One request, exactly as asked for; one outcome, exactly once; kept connections, within bounds."""

import asyncio

import pytest

from hookspan.domain.outcome import ErrorCode, Outcome, Owner
from hookspan.egress.job import Failure
from hookspan.egress.pool import IDLE_S_MAX
from hookspan.egress.waiting import PATIENCE_S
from tests.integration.egress.evil import OK, EvilReceiver, an_egress, post, says, until
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return ("asyncio", {"use_uvloop": request.param})


async def test_the_bytes_on_the_wire(monkeypatch):
    """The request holds what was given and the few lines that are ours, whatever the environment says."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    seen = []

    async def script(peer):
        seen.append(await peer.request())
        await peer.send(OK)
        await peer.gone()

    headers = b"content-type: application/json\r\nx-token: gr\xc3\xbc\xc3\x9fe\r\nx-empty:\r\n"
    async with EvilReceiver(script) as receiver, an_egress(user_agent="Hookspan/test") as egress:
        url = f"http://127.0.0.1:{receiver.port}/a%20b/../c?key&x=%zz"
        outcome = await post(egress, url, headers, b'{"a": 1}')
        assert outcome.status == 200
        assert seen == [
            b"POST /a%%20b/../c?key&x=%%zz HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nuser-agent: Hookspan/test\r\n"
            b"accept-encoding: identity\r\n%bcontent-length: 8\r\n\r\n"
            b'{"a": 1}' % (receiver.port, headers)
        ]


async def test_a_large_body():
    """A body larger than any buffer arrives whole."""
    seen = []

    async def script(peer):
        seen.append(await peer.request())
        await peer.send(OK)
        await peer.gone()

    body = bytes(range(256)) * 20_000
    async with EvilReceiver(script) as receiver, an_egress() as egress:
        assert (await post(egress, receiver.url, b"", body)).status == 200
        assert seen[0].endswith(b"content-length: 5120000\r\n\r\n" + body)


@pytest.mark.parametrize(
    "headers",
    [
        b"x: a\nb: c\r\n",
        b"x: a\rb\r\n",
        b"x: a\x00\r\n",
        b"x: a",
        b"x: a\r\n\r\n",
        b"\r\nx: a\r\n",
        b"x y: a\r\n",
        b": a\r\n",
        b"x\r\n",
        b"x: a\r\n y\r\n",
        b"x: a\r\n\r\nPOST / HTTP/1.1\r\n",
    ],
)
async def test_what_is_no_header_line_is_not_written(headers):
    """CR, LF and NUL in a header is a fault of ours: it raises, and nothing is sent."""
    async with EvilReceiver(says(OK)) as receiver, an_egress() as egress:
        with pytest.raises(ValueError, match="header lines"):
            await post(egress, receiver.url, headers)
        assert receiver.connections == 0
        assert egress.in_flight == 0


async def test_one_connection_serves_many_requests():
    """Requests one after the other go over one connection, without a task for each."""
    async with EvilReceiver(says(*[OK] * 20)) as receiver, an_egress() as egress:
        await post(egress, receiver.url)
        tasks = len(asyncio.all_tasks())
        for _ in range(19):
            assert (await post(egress, receiver.url)).status == 200
        assert len(asyncio.all_tasks()) == tasks
        assert receiver.connections == 1


async def test_the_next_request_from_inside_done():
    """A lane sends its next request from `done`; the connection is free by then."""
    count = 50
    all_done = asyncio.get_running_loop().create_future()
    async with EvilReceiver(says(*[OK] * count)) as receiver, an_egress() as egress:
        target = egress.target(receiver.url, https_required=False)
        statuses = []

        def done(outcome):
            statuses.append(outcome.status)
            if len(statuses) < count:
                egress.send(target, b"", b"", application_id=1, timeout_ms=5_000, done=done)
            else:
                all_done.set_result(None)

        egress.send(target, b"", b"", application_id=1, timeout_ms=5_000, done=done)
        await all_done
        assert statuses == [200] * count
        assert receiver.connections == 1


async def test_applications_share_no_connection():
    """The same URL of another application gets a connection of its own."""
    async with EvilReceiver(says(OK, OK)) as receiver, an_egress() as egress:
        await post(egress, receiver.url, application_id=1)
        await post(egress, receiver.url, application_id=2)
        await post(egress, receiver.url, application_id=1)
        assert receiver.connections == 2


async def test_idle_connections_are_closed_in_time():
    """What nobody used for 20 s is closed by us."""
    clock = VirtualClock()
    async with EvilReceiver(says(OK)) as receiver, an_egress(clock=clock) as egress:
        await post(egress, receiver.url)
        clock.move(int(IDLE_S_MAX * 1000) - 1)
        egress._sweep()
        assert egress.sockets == 1
        clock.move(1)
        await receiver.all_gone()
        assert egress.sockets == 0


async def test_connections_closed_by_the_receiver_are_forgotten():
    """An idle connection that the receiver closes is not tried."""

    async def once(peer):
        await peer.request()
        await peer.send(OK)

    async with EvilReceiver(once) as receiver, an_egress() as egress:
        await post(egress, receiver.url)
        await until(lambda: egress.sockets == 0)
        outcome = await post(egress, receiver.url)
        assert (outcome.status, outcome.is_resent) == (200, False)


async def test_out_of_sockets():
    """Beyond the bound a request fails, soon, and is ours; an idle connection of another makes room."""

    async def hangs(peer):
        await peer.request()
        await peer.gone()

    async with EvilReceiver(hangs, hangs, says(OK)) as receiver, an_egress(sockets_max=2) as egress:
        target = egress.target(receiver.url, https_required=False)
        held = [asyncio.ensure_future(post(egress, target, timeout_ms=300)) for _ in range(2)]
        await until(lambda: receiver.connections == 2)
        outcome = await post(egress, target)
        assert (outcome.error, outcome.owner) == (ErrorCode.NO_SOCKETS, Owner.US)
        assert egress.sockets == 2
        assert [one.error for one in await asyncio.gather(*held)] == [ErrorCode.TIMEOUT] * 2
        for application in range(5):
            assert (await post(egress, target, application_id=application)).status == 200
        assert egress.sockets == 2


async def test_where_it_is_crowded_requests_wait_for_their_own():
    """A burst beyond a key's share goes over the connections that it has, in order, instead of opening one for each."""
    go_on = asyncio.Event()

    async def slow_once(peer):
        await peer.request()
        await go_on.wait()
        await peer.send(OK)
        await says(*[OK] * 100)(peer)

    async with EvilReceiver(slow_once) as receiver, an_egress(sockets_max=8) as egress:
        target = egress.target(receiver.url, https_required=False)
        others = [asyncio.ensure_future(post(egress, target, application_id=2)) for _ in range(4)]
        await until(lambda: receiver.connections == 4)
        burst = [asyncio.ensure_future(post(egress, target, body=b"[%d]" % number)) for number in range(20)]
        await until(lambda: receiver.connections == 7)  # the burst's share of eight is three
        assert egress.in_flight == 24
        go_on.set()
        assert {one.status for one in await asyncio.gather(*others, *burst)} == {200}
        assert receiver.connections == 7


async def test_who_waited_in_vain_opens():
    """A receiver that is slow gives nothing back in time: then the rest opens, and what comes after it at once. What is
    given up while it waits has its outcome, once.
    """
    clock = VirtualClock()

    async def hangs(peer):
        await peer.request()
        await peer.gone()

    async with EvilReceiver(hangs) as receiver, an_egress(clock=clock, sockets_max=12) as egress:
        target = egress.target(receiver.url, https_required=False)
        outcomes: list[Outcome] = []
        given_up: list[Outcome] = []

        def send(done) -> None:
            egress.send(target, b"", b"", application_id=1, timeout_ms=5_000, done=done)

        for _ in range(11):  # its share of twelve is ten
            send(outcomes.append)
        await until(lambda: receiver.connections == 10)
        gives_up = given_up.append
        send(gives_up)
        assert egress.sockets == 10
        egress.abandon(gives_up)
        assert [one.error for one in given_up] == [ErrorCode.SHUTDOWN]
        clock.move(int(PATIENCE_S * 1000))
        await until(lambda: receiver.connections == 11)
        send(outcomes.append)
        assert egress.sockets == 12
        clock.move(5_000)
        await until(lambda: len(outcomes) == 12)
        assert ({one.error for one in outcomes}, len(given_up)) == ({ErrorCode.TIMEOUT}, 1)


async def test_deadlines_of_many_are_each_their_own():
    """One sweep ends each request at its own time and no other."""

    async def hangs(peer):
        await peer.request()
        await peer.gone()

    async with EvilReceiver(hangs) as receiver, an_egress() as egress:
        outcomes = await asyncio.gather(*[post(egress, receiver.url, timeout_ms=ms) for ms in (50, 150, 250, 350)])
        for outcome, ms in zip(outcomes, (50, 150, 250, 350), strict=True):
            assert outcome.error is ErrorCode.TIMEOUT
            assert ms * 1000 <= outcome.duration_us < ms * 1000 + 3_000_000
        assert egress.in_flight == 0


async def test_a_done_that_raises_stops_nothing():
    """A fault in the caller's `done` ends neither the sweep nor other requests."""
    raised = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: raised.append(context))

    def broken(_outcome):
        raise RuntimeError("a fault of the caller")

    async def hangs(peer):
        await peer.request()
        await peer.gone()

    async with EvilReceiver(hangs) as receiver, an_egress() as egress:
        target = egress.target(receiver.url, https_required=False)
        egress.send(target, b"", b"", application_id=1, timeout_ms=50, done=broken)
        outcomes = await asyncio.gather(*[post(egress, target, timeout_ms=ms) for ms in (50, 250)])
        assert [one.error for one in outcomes] == [ErrorCode.TIMEOUT] * 2
        assert [type(one["exception"]) for one in raised] == [RuntimeError]


async def test_closing_ends_what_is_in_flight():
    """At the end every request has an outcome, ours and not the receiver's, and no socket is left."""

    async def hangs(peer):
        await peer.request()
        await peer.gone()

    async with EvilReceiver(hangs) as receiver:
        async with an_egress() as egress:
            target = egress.target(receiver.url, https_required=False)
            waiting = [asyncio.ensure_future(post(egress, target)) for _ in range(3)]
            await until(lambda: receiver.connections == 3)
            opening = asyncio.ensure_future(post(egress, target))
            await asyncio.sleep(0)
            await egress.close()
            late = await post(egress, target)
            for outcome in [*await asyncio.gather(*waiting, opening), late]:
                assert (outcome.error, outcome.owner) == (ErrorCode.SHUTDOWN, Owner.US)
            assert egress.sockets == 0
            await egress.close()
        await receiver.all_gone()


async def test_what_is_abandoned_ends_at_once():
    """That request and no other; sent or opening, its socket is closed, and its outcome is ours. Once it has an
    outcome, there is nothing to abandon.
    """

    async def hangs(peer):
        await peer.request()
        await peer.gone()

    async with EvilReceiver(hangs) as receiver, an_egress() as egress:
        target = egress.target(receiver.url, https_required=False)
        outcomes: dict[str, list[Outcome]] = {"sent": [], "opening": [], "other": []}
        done = {name: each.append for name, each in outcomes.items()}
        for name in ("sent", "other"):
            egress.send(target, b"", b"", application_id=1, timeout_ms=5_000, done=done[name])
        await until(lambda: len(receiver.requests) == 2)
        egress.send(target, b"", b"", application_id=1, timeout_ms=5_000, done=done["opening"])
        for name in ("sent", "opening", "sent"):
            egress.abandon(done[name])
            assert [(one.error, one.owner) for one in outcomes[name]] == [(ErrorCode.SHUTDOWN, Owner.US)]
        await until(lambda: egress.sockets == 1)
        assert (egress.in_flight, outcomes["other"]) == (1, [])


async def test_a_connection_that_comes_too_late(monkeypatch):
    """When the deadline passes just as the connection is made, it is closed unused and the count is right."""
    async with EvilReceiver(says(OK)) as receiver, an_egress() as egress:
        opener_open = egress._opener.open

        async def just_too_late(job):
            connection = await opener_open(job)
            asyncio.get_running_loop().call_soon(egress._give_up, job, Failure(ErrorCode.TIMEOUT, "too late"))
            return connection

        monkeypatch.setattr(egress._opener, "open", just_too_late)
        assert (await post(egress, receiver.url)).error is ErrorCode.TIMEOUT
        await receiver.all_gone()
        assert receiver.requests == []
        assert (egress.sockets, egress.in_flight) == (0, 0)


async def test_a_fault_of_ours_at_connecting(monkeypatch):
    """An error that nobody foresaw ends the request as ours, gives the socket back and is made known."""
    raised = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: raised.append(context["exception"]))
    async with an_egress() as egress:
        monkeypatch.setattr(egress._opener, "allowed_addresses", None)
        outcome = await post(egress, "http://127.0.0.1:9/")
        assert (outcome.error, outcome.owner) == (ErrorCode.CONNECT_FAILED, Owner.US)
        assert [type(one) for one in raised] == [TypeError]
        assert egress.sockets == 0


async def test_times_are_of_the_clock():
    """`started_at` is the clock's present in ms, the duration what the clock counted."""
    clock = VirtualClock()

    async def script(peer):
        await peer.request()
        clock.move(1_234)
        await peer.send(OK)
        await peer.gone()

    async with EvilReceiver(script) as receiver, an_egress(clock=clock) as egress:
        begun = clock.now_ms()
        outcome = await post(egress, receiver.url)
        assert (outcome.started_at, outcome.duration_us) == (begun, 1_234_000)


async def test_after_the_end_nothing_waits_for_a_connection(monkeypatch: pytest.MonkeyPatch):
    """However crowded it was: nobody would wake what waits, so it has its outcome at once."""
    async with an_egress() as egress:
        target = egress.target("http://127.0.0.1:9/", https_required=False)
        await egress.close()
        monkeypatch.setattr(egress._pool, "has_share_left", lambda _: False)
        outcome = await asyncio.wait_for(post(egress, target), 5)
        assert (outcome.error, outcome.owner) == (ErrorCode.SHUTDOWN, Owner.US)
