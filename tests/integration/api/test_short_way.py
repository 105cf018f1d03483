"""Publishing's short way answers exactly as the ASGI way does, and leaves everything unusual to it."""

import asyncio
import contextlib
import json
import re
import resource

import pytest
import structlog

from hookspan.api import _body, _protocol
from hookspan.engine import Intake
from hookspan.manage import callers

from .conftest import OPERATOR_KEY, api_in

pytestmark = pytest.mark.anyio

KEY = f"authorization: Bearer {OPERATOR_KEY}\r\n"
EVENT = json.dumps({"type": "order.paid", "content": {"number": 1}})
UNUSUAL = "connection: keep-alive\r\n"  # says nothing new, but sends a request the ASGI way


def request(application: str, body: str, *, headers: str = KEY, target: str = "", line: str = "") -> bytes:
    path = target or f"/v1/applications/{application}/events"
    first = line or f"POST {path} HTTP/1.1"
    return f"{first}\r\nhost: h\r\n{headers}content-length: {len(body.encode())}\r\n\r\n{body}".encode()


class Line:
    """One connection, written to and read from byte by byte."""

    def __init__(self, reader, writer) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.split("\r\n")[:-2]
            headers = dict(line.split(": ", 1) for line in lines)
            if status.split()[1] == "100":
                return 100, headers, b""
            body = await self.reader.readexactly(int(headers["content-length"]))
        return int(status.split()[1]), headers, body

    async def ask(self, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        self.writer.write(raw)
        return await self.answer()


@pytest.fixture
async def line(api):
    port = int(api.node.base_url.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Line(reader, writer)
    writer.close()


@pytest.fixture
def ways(monkeypatch) -> list[str]:
    """Which way each publish went."""
    went: list[str] = []
    submit, publish = Intake.submit, Intake.publish

    def short(self, *args):
        went.append("short")
        return submit(self, *args)

    async def asgi(self, *args):
        went.append("asgi")
        return await publish(self, *args)

    monkeypatch.setattr(Intake, "submit", short)
    monkeypatch.setattr(Intake, "publish", asgi)
    return went


def plain(answer) -> tuple[int, dict[str, str], str]:
    """An answer without what differs each time: ids and the date."""
    status, headers, body = answer
    headers = {name: value for name, value in headers.items() if name not in {"date", "x-request-id"}}
    return status, headers, re.sub(r'"(evt|req)_[^"]*"', '"ID"', body.decode())


CASES = {
    "one event": EVENT,
    "a batch with a bad event": f'[{EVENT},{{"type":"b"}},{EVENT}]',
    "a publisher_id": json.dumps({"type": "order.paid", "content": {}, "publisher_id": "ö-1"}),
    "no JSON": "hello",
    "an empty body": "",
    "NaN": '{"type":"a","content":NaN}',
    "a duplicate key": '{"type":"a","content":{"k":1,"k":2}}',
    "an unknown field": '{"type":"a","content":{},"kind":1}',
    "an event that is too large": json.dumps({"type": "a", "content": {"x": "y" * 300_000}}),
}


@pytest.mark.parametrize("case", CASES)
async def test_both_ways_answer_alike(api, line, ways, case):
    application = await api.application()
    await line.ask(request(application, EVENT))  # now it is in memory
    ways.clear()
    short = await line.ask(request(application, CASES[case]))
    asgi = await line.ask(request(application, CASES[case], headers=KEY + UNUSUAL))
    assert plain(short) == plain(asgi)
    if len(CASES[case]) < 60_000:  # a longer one does not come in one read
        assert ways == ["short", "asgi"]


@pytest.mark.parametrize(
    "headers", ["", "authorization: Bearer wrong\r\n", "api-key: wrong\r\n", "authorization: Basic eA==\r\n"]
)
async def test_both_ways_refuse_a_wrong_key_alike(api, line, headers):
    application = await api.application()
    await line.ask(request(application, EVENT))
    short = await line.ask(request(application, EVENT, headers=headers))
    asgi = await line.ask(request(application, EVENT, headers=headers + UNUSUAL))
    assert plain(short) == plain(asgi)
    assert short[0] == 401


async def new_key(api, scope: str, application: str | None = None) -> str:
    given = {"name": "k", "scope": scope, "application_id": application}
    return (await api("POST", "/v1/keys", given, status=201))["key"]


async def test_a_key_goes_the_short_way_once_it_is_known(api, line, ways, monkeypatch):
    """And the other once when it was revoked by somebody else or has gone stale: there it is looked for."""
    application = await api.application()
    made = await api("POST", "/v1/keys", {"name": "k", "scope": "publisher"}, status=201)
    key = f"authorization: Bearer {made['key']}\r\n"
    await line.ask(request(application, EVENT))
    ways.clear()
    for _ in range(3):
        assert (await line.ask(request(application, EVENT, headers=key)))[0] == 202
    assert ways == ["asgi", "short", "short"]
    api.node.manage.callers.forget(made["id"])
    assert (await line.ask(request(application, EVENT, headers=key)))[0] == 202
    monkeypatch.setattr(callers, "FRESH_S", 0.0)
    api.node.manage.callers.forget(made["id"])
    for _ in range(2):
        assert (await line.ask(request(application, EVENT, headers=key)))[0] == 202
    assert ways[3:] == ["asgi"] * 3


@pytest.mark.parametrize(
    ("scope", "whose", "status"),
    [("publisher", "other", 404), ("application", "other", 404), ("application", "own", 403), ("operator", None, 202)],
)
async def test_both_ways_judge_a_key_alike(api, line, scope, whose, status):
    """In the words of an application that is not there, where it is another's."""
    application, other = await api.application(), await api.application()
    owner = {"own": application, "other": other, None: None}[whose]
    key = f"api-key: {await new_key(api, scope, owner)}\r\n"
    await line.ask(request(application, EVENT))
    await line.ask(request(application, EVENT, headers=key))  # now both are in memory
    short = await line.ask(request(application, EVENT, headers=key))
    asgi = await line.ask(request(application, EVENT, headers=key + UNUSUAL))
    assert plain(short) == plain(asgi)
    assert short[0] == status
    if status == 404:
        missing = await line.ask(request("app_none", EVENT, headers=key))
        assert plain(missing)[2].replace("app_none", application) == plain(short)[2]


@pytest.mark.parametrize(
    "more", ["api-key: other\r\n", f"api-key: {OPERATOR_KEY}\r\n", "authorization: Bearer other\r\n"]
)
async def test_both_ways_refuse_two_keys_alike(api, line, more):
    """Unless they are the same."""
    application = await api.application()
    await line.ask(request(application, EVENT))
    short = await line.ask(request(application, EVENT, headers=KEY + more))
    asgi = await line.ask(request(application, EVENT, headers=KEY + more + UNUSUAL))
    assert plain(short) == plain(asgi)
    assert short[0] == (202 if OPERATOR_KEY in more else 401)


async def test_an_application_that_is_not_in_memory_goes_the_asgi_way_once(api, line, ways):
    application = await api.application()
    api.node.engine.index.forget((await api.node.engine.index.find(application)).application.id)
    ways.clear()
    for _ in range(2):
        assert (await line.ask(request(application, EVENT)))[0] == 202
    assert ways == ["short", "asgi", "short"]
    assert (await line.ask(request("app_nobody", EVENT)))[0] == 404


async def test_a_request_in_pieces_is_whole_all_the_same(api, line):
    application = await api.application()
    await line.ask(request(application, EVENT))
    raw = request(application, EVENT)
    for cut in (1, 10, 60, len(raw) - len(EVENT), len(raw) - 1):
        line.writer.write(raw[:cut])
        await line.writer.drain()
        await api("GET", "/healthz")  # the first piece has been read by now
        line.writer.write(raw[cut:])
        assert (await line.answer())[0] == 202


async def test_chunked_bodies_and_expect_are_understood(api, line):
    application = await api.application()
    await line.ask(request(application, EVENT))
    chunked = (
        f"POST /v1/applications/{application}/events HTTP/1.1\r\nhost: h\r\n{KEY}transfer-encoding: chunked\r\n\r\n"
        f"{len(EVENT):x}\r\n{EVENT}\r\n0\r\n\r\n"
    ).encode()
    assert (await line.ask(chunked))[0] == 202
    head, _, body = request(application, EVENT, headers=KEY + "expect: 100-continue\r\n").partition(b"\r\n\r\n")
    assert (await line.ask(head + b"\r\n\r\n"))[0] == 100
    assert (await line.ask(body))[0] == 202


async def test_pipelined_requests_are_answered_in_order(api, line):
    """In one read, and in reads that come while the one before is waiting for its commit."""
    application = await api.application()
    await line.ask(request(application, EVENT))
    bad = request(application, "hello")
    good = request(application, EVENT)
    line.writer.write(good + bad + good)
    assert [(await line.answer())[0] for _ in range(3)] == [202, 400, 202]
    for raw in (good, bad, good, request("", "", line="GET /healthz HTTP/1.1")):
        line.writer.write(raw)
        await asyncio.sleep(0)
    assert [(await line.answer())[0] for _ in range(4)] == [202, 400, 202, 200]


async def test_a_connection_serves_every_route_in_turn(api, line):
    application = await api.application()
    for _ in range(3):
        assert (await line.ask(request(application, EVENT)))[0] == 202
        assert (await line.ask(request("", "", line="GET /healthz HTTP/1.1")))[0] == 200


@pytest.mark.parametrize(
    ("line_", "status"),
    [
        ("POST /v1/applications/{app}/events?dry=1 HTTP/1.1", 400),
        ("POST /v1/applications/{app}/events/ HTTP/1.1", 202),
        ("POST /v1/applications//events HTTP/1.1", 405),
        ("PUT /v1/applications/{app}/events HTTP/1.1", 405),
    ],
)
async def test_other_targets_are_not_taken_for_publishing(api, line, ways, line_, status):
    application = await api.application()
    await line.ask(request(application, EVENT))
    ways.clear()
    assert (await line.ask(request(application, EVENT, line=line_.format(app=application))))[0] == status
    assert "short" not in ways


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /v1/applications/a/events HTTP/1.1\r\nhost: h\r\ncontent-length: x\r\n\r\n",
        b"POST /v1/applications/a/events HTTP/9.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n",
        b"POST /v1/applications/a/events HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST /v1/applications/a/events HTTP/1.1\r\nbad header\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_and_the_connection_closed(line, raw):
    line.writer.write(raw)
    async with asyncio.timeout(10):
        answer = await line.reader.read()
    assert answer.startswith(b"HTTP/1.1 400")


async def test_a_publisher_that_goes_away_leaves_its_event_kept(api, line):
    application = await api.application()
    await line.ask(request(application, EVENT))
    line.writer.write(request(application, json.dumps({"type": "a.b", "content": {}, "publisher_id": "gone"})))
    line.writer.transport.abort()
    async with asyncio.timeout(10):
        while not (await api("GET", f"/v1/applications/{application}/events?publisher_id=gone"))["data"]:
            await asyncio.sleep(0.01)
    assert await api("GET", "/healthz") is not None


async def test_quiet_connections_are_closed(tmp_path, monkeypatch):
    """An idle one, and one whose request stopped arriving."""
    monkeypatch.setattr(_protocol, "SWEEP_S", 0.01)
    async with api_in(tmp_path) as api:
        application = await api.application()
        port = int(api.node.base_url.rsplit(":", 1)[1])
        idle, half = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        assert (await Line(*idle).ask(request(application, EVENT)))[0] == 202
        half[1].write(request(application, EVENT)[:40])
        await half[1].drain()
        await api("GET", "/healthz")
        monkeypatch.setattr(_protocol, "IDLE_S", 0.0)
        async with asyncio.timeout(10):
            assert await idle[0].read() == b""
            assert await half[0].read() == b""
        for _, writer in (idle, half):
            writer.close()


def endless_head(application: str) -> list[bytes]:
    """Parts of heads that have no end, each larger than a head may be, for both ways."""
    lines = b"".join(b"x-%07d: %s\r\n" % (number, b"a" * 1000) for number in range(200))
    publish = f"POST /v1/applications/{application}/events HTTP/1.1\r\nhost: h\r\n".encode()
    return [b"GET /healthz HTTP/1.1\r\nhost: h\r\n" + lines, publish + lines, b"GET /" + b"a" * 200_000]


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_a_head_is_bounded(line, number):
    """Refused without a key, and the connection closed, long before it fills the memory."""
    raw = endless_head("app_x")[number]
    with contextlib.suppress(ConnectionError):
        for at in range(0, len(raw), 10_000):
            line.writer.write(raw[at : at + 10_000])
            await line.writer.drain()
    async with asyncio.timeout(10):
        try:
            answer = await line.reader.read()
        except ConnectionError:  # what was sent after the refusal may reset what it says
            answer = b""
    assert not answer or answer.startswith(b"HTTP/1.1 400")


async def test_a_head_in_one_read_is_bounded(api, line):
    """Whole, too large, with a key: on the short way as on the other."""
    application = await api.application()
    await line.ask(request(application, EVENT))
    status, headers, body = await line.ask(request(application, EVENT, headers=f"{KEY}x: {'a' * 66_000}\r\n"))
    assert (status, headers["connection"]) == (400, "close")
    assert json.loads(body)["detail"].endswith("are larger than 65,536 bytes.")


@pytest.mark.parametrize("hosts", ["", "host: a\r\nhost: a\r\n"])
@pytest.mark.parametrize("target", ["POST /v1/applications/{app}/events HTTP/1.1", "GET /healthz HTTP/1.1"])
async def test_there_is_one_host(api, line, hosts, target):
    """RFC 9112 3.2, on both ways."""
    application = await api.application()
    await line.ask(request(application, EVENT))
    raw = request(application, EVENT, line=target.format(app=application)).replace(b"host: h\r\n", hosts.encode())
    status, headers, body = await line.ask(raw)
    assert (status, json.loads(body)["code"]) == (400, "invalid_request")
    assert headers["x-request-id"] == json.loads(body)["request_id"]


@pytest.mark.parametrize("headers", [KEY, KEY + UNUSUAL])
async def test_who_says_no_more_still_gets_the_answer(api, line, headers):
    """A client that ends its half of the connection after the request; then the other half ends too."""
    application = await api.application()
    await line.ask(request(application, EVENT))
    line.writer.write(request(application, EVENT, headers=headers))
    line.writer.write_eof()
    assert (await line.answer())[0] == 202
    async with asyncio.timeout(10):
        assert await line.reader.read() == b""


async def test_the_end_amid_a_request_is_the_end(line):
    """Nothing waits for the rest."""
    line.writer.write(b"GET /healthz HTTP/1.1\r\nho")
    line.writer.write_eof()
    async with asyncio.timeout(10):
        assert await line.reader.read() == b""


async def test_connections_are_bounded(api, monkeypatch):
    """One too many is told so and when to come again; the others stay."""
    port = int(api.node.base_url.rsplit(":", 1)[1])
    kept = Line(*await asyncio.open_connection("127.0.0.1", port))
    assert (await kept.ask(request("", "", line="GET /healthz HTTP/1.1")))[0] == 200
    monkeypatch.setattr(_protocol, "CONNECTIONS_MAX", 1)
    more = Line(*await asyncio.open_connection("127.0.0.1", port))
    status, headers, body = await more.answer()
    assert (status, headers["connection"], json.loads(body)["code"]) == (503, "close", "overloaded")
    assert int(headers["retry-after"]) >= 1
    assert (await kept.ask(request("", "", line="GET /healthz HTTP/1.1")))[0] == 200
    for one in (kept, more):
        one.writer.close()


async def test_a_node_takes_all_the_descriptors_it_may(api):
    """The soft limit is the hard one: connections and requests both need them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == hard


async def test_descriptors_bound_connections_too(monkeypatch):
    """Sending needs the other half."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 100))
    assert _protocol.connections_max() == 50


@pytest.mark.parametrize("begun", [b"GET /healthz HTTP/1.1\r\nho", b"POST /v1/applications/a/events HTTP/1.1\r\n"])
async def test_dripping_does_not_keep_a_head_open(tmp_path, monkeypatch, begun):
    """Its time runs from its first byte, whatever comes after it."""
    monkeypatch.setattr(_protocol, "SWEEP_S", 0.01)
    monkeypatch.setattr(_protocol, "HEAD_S", 0.05)
    async with api_in(tmp_path) as api:
        port = int(api.node.base_url.rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        async with asyncio.timeout(10):
            answer = asyncio.ensure_future(reader.read())
            while not answer.done():
                writer.write(b"a")
                await asyncio.wait([answer], timeout=0.01)
        # What was dripped after the refusal may reset what it says.
        assert isinstance(answer.exception(), ConnectionError) or answer.result().startswith(b"HTTP/1.1 400")
        writer.close()


async def test_a_body_that_nobody_reads_any_more_ends(tmp_path, monkeypatch):
    """Refused at its head, it goes on dripping: the connection is closed, without a second answer."""
    monkeypatch.setattr(_protocol, "SWEEP_S", 0.01)
    monkeypatch.setattr(_protocol, "MESSAGE_S", 0.05)
    async with api_in(tmp_path) as api:
        one = Line(*await asyncio.open_connection("127.0.0.1", int(api.node.base_url.rsplit(":", 1)[1])))
        head = "POST /v1/applications/a/events HTTP/1.1\r\nhost: h\r\ncontent-length: 900000\r\n\r\n{"
        assert (await one.ask(head.encode()))[0] == 401
        async with asyncio.timeout(10):
            rest = asyncio.ensure_future(one.reader.read())
            while not rest.done():
                one.writer.write(b" ")
                await asyncio.wait([rest], timeout=0.01)
        assert isinstance(rest.exception(), ConnectionError) or rest.result() == b""
        one.writer.close()


async def test_a_body_that_goes_wrong_is_refused(api, line):
    """Chunks that are none: said once, and the connection closed."""
    head = f"POST /v1/applications HTTP/1.1\r\nhost: h\r\n{KEY}transfer-encoding: chunked\r\n\r\n"
    line.writer.write(head.encode())
    await line.writer.drain()
    await api("GET", "/healthz")
    line.writer.write(b"no chunk\r\n")
    async with asyncio.timeout(10):
        answer = await line.reader.read()
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_management_body_that_does_not_come_ends(api, line, monkeypatch):
    """Refused in time, and the connection closed: the rest of it could be taken for a request."""
    monkeypatch.setattr(_body, "BODY_TIMEOUT_S", 0.05)
    head = f"POST /v1/applications HTTP/1.1\r\nhost: h\r\n{KEY}content-length: 20\r\n\r\n{{"
    status, headers, body = await line.ask(head.encode())
    assert (status, headers["connection"]) == (400, "close")
    assert "did not come" in json.loads(body)["detail"]


async def test_who_leaves_amid_a_management_body_is_no_line(api, line):
    """Nor an error, nor a traceback."""
    with structlog.testing.capture_logs() as lines:
        head = f"POST /v1/applications HTTP/1.1\r\nhost: h\r\n{KEY}content-length: 20\r\n\r\n{{"
        line.writer.write(head.encode())
        await line.writer.drain()
        await api("GET", "/healthz")
        line.writer.transport.abort()
        before = api.node.counters.requests_by_status.get("4xx", 0)
        async with asyncio.timeout(10):
            while api.node.counters.requests_by_status.get("4xx", 0) == before:
                await asyncio.sleep(0.01)
    assert [one for one in lines if one["log_level"] not in {"debug", "info"}] == []
