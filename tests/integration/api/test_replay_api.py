"""Replays and jobs over a real socket: the answers, the refusals, and what a receiver gets."""

import asyncio
import json
import sys
from collections import Counter

import pytest

from tests.integration.api.conftest import OPERATOR_KEY
from tests.support.tools import environment

pytestmark = pytest.mark.anyio

JOB = {
    "id", "application_id", "webhook_id", "kind", "state", "input", "total", "done", "succeeded", "failed", "skipped",
    "rate_per_s", "created_at", "started_at", "finished_at", "ends_about_at", "problem",
}  # fmt: skip


async def beginning(api, app: str) -> str:
    """A time before everything that was published to the application."""
    return (await api("GET", f"/v1/applications/{app}"))["created_at"]


async def shop(api, receiver, count: int, **members) -> tuple[str, str]:
    """(application, path of its webhook), with `count` events that the receiver has got, and forgotten."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url, **members)
    events = [{"type": "order.paid", "content": {"number": number}} for number in range(count)]
    for start in range(0, count, 500):
        await api("POST", f"/v1/applications/{app}/events", events[start : start + 500], status=202)
    assert await receiver.wait_until(lambda: len(receiver.numbers) == count, 60)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    async with asyncio.timeout(20):
        while (await api("GET", path))["health"]["waiting"]:
            await asyncio.sleep(0.02)
    receiver.numbers.clear()
    return app, path


async def until(api, job: dict, is_so, timeout_s: float = 60) -> dict:
    """The job, once it is so. What it shows meanwhile never runs backwards."""
    done = 0
    async with asyncio.timeout(timeout_s):
        while True:
            job = await api("GET", f"/v1/jobs/{job['id']}")
            assert job["done"] == job["succeeded"] + job["failed"] + job["skipped"] <= job["total"]
            assert job["done"] >= done
            done = job["done"]
            if is_so(job):
                return job
            await asyncio.sleep(0.02)


def finished(job: dict) -> bool:
    return job["finished_at"] is not None


async def test_a_replay_delivers_all_again(api, receiver):
    """The preview counts, the job is shown with all its members, each event arrives once more, as a run of its own."""
    app, path = await shop(api, receiver, 300)
    since = await beginning(api, app)
    preview = await api("POST", f"{path}/replay", {"since": since, "dry_run": True})
    assert (preview["count"], preview["by_type"]) == (300, {"order.paid": 300})
    assert set(preview) == {"count", "by_type", "first_at", "last_at"}
    assert since <= preview["first_at"] <= preview["last_at"]
    assert (await api("GET", "/v1/jobs", params={"application_id": app}))["data"] == []

    job = await api("POST", f"{path}/replay", {"since": since}, status=202)
    assert set(job) == JOB
    assert job["id"].startswith("job_")
    assert (job["application_id"], job["webhook_id"], job["kind"]) == (app, path.rpartition("/")[2], "replay")
    assert (job["state"], job["total"], job["rate_per_s"], job["problem"]) == ("running", 300, None, None)
    assert {name: job["input"][name] for name in ("since", "state", "types", "rate")} == {
        "since": since, "state": None, "types": None, "rate": None,
    }  # fmt: skip
    done = await until(api, job, finished)
    assert (done["state"], done["succeeded"], done["failed"], done["skipped"]) == ("succeeded", 300, 0, 0)
    assert (done["ends_about_at"], done["problem"]) == (None, None)
    assert receiver.numbers == Counter(range(300))
    [newest] = (await api("GET", f"{path}/deliveries", params={"limit": 1}))["data"]
    shown = await api("GET", f"/v1/applications/{app}/deliveries/{newest['id']}")
    assert (shown["run"], [one["cause"] for one in shown["attempts"]]) == (1, ["replay"])
    assert (await api("GET", "/v1/jobs", params={"application_id": app, "state": "succeeded"}))["data"] == [done]


async def test_a_rate_and_a_cancel_over_a_real_socket(api, receiver):
    """Progress moves by the rate; after the cancel nothing comes but what was in flight, and the sum is the total."""
    app, path = await shop(api, receiver, 600, concurrency=4)
    job = await api("POST", f"{path}/replay", {"since": await beginning(api, app), "rate": 100}, status=202)
    seen = set()

    def moves(shown: dict) -> bool:
        seen.add(shown["done"])
        assert shown["done"] <= sum(receiver.numbers.values())
        return shown["done"] >= 100

    moved = await until(api, job, moves)
    assert moved["ends_about_at"] > moved["created_at"]
    assert len(seen) >= 3
    cancelled = await api("POST", f"/v1/jobs/{job['id']}/cancel")
    assert cancelled["state"] == "cancelled"
    ended = await until(api, job, finished)
    assert (ended["state"], ended["done"], ended["failed"]) == ("cancelled", 600, 0)
    assert ended["succeeded"] == sum(receiver.numbers.values()) < 600
    assert set(receiver.numbers.values()) == {1}
    assert await api("POST", f"/v1/jobs/{job['id']}/cancel") == ended, "again changes nothing"
    await api.publish(app, 7_000)  # what is sent after it arrives, and nothing else did
    assert await receiver.wait_until(lambda: 7_000 in receiver.numbers, 20)
    assert sum(receiver.numbers.values()) == ended["succeeded"] + 1
    states: Counter[str] = Counter()
    cursor = None
    while True:
        params = {"state": "cancelled", "limit": 500} | ({"cursor": cursor} if cursor else {})
        page = await api("GET", f"{path}/deliveries", params=params)
        states.update(one["reason"] for one in page["data"])
        cursor = page["next"]
        if cursor is None:
            break
    assert set(states) <= {"job_cancelled"}
    assert states.total() <= ended["skipped"]


async def test_a_job_that_is_done_is_not_cancelled(api, receiver):
    """409, with its state in words."""
    app, path = await shop(api, receiver, 1)
    job = await api("POST", f"{path}/replay", {"since": await beginning(api, app), "types": ["a.b"]}, status=202)
    assert (job["total"], job["input"]["types"]) == (0, ["a.b"])
    await until(api, job, finished)
    problem = await api.refused("POST", f"/v1/jobs/{job['id']}/cancel", status=409, code="state_forbidden")
    assert "succeeded already" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "invalid_request", "/since"),
        ({"since": None}, "invalid_request", "/since"),
        ({"since": 1}, "invalid_request", "/since"),
        ({"since": "yesterday"}, "invalid_request", "/since"),
        ({"since": "x" * 65}, "invalid_request", "/since"),
        ({"since": "1999-01-01T00:00:00Z"}, "invalid_request", "/since"),
        ({"since": "9999-01-01T00:00:00Z"}, "invalid_request", "/since"),
        ({"since": "{start}", "until": "{start}"}, "invalid_request", "/since"),
        ({"since": "{start}", "until": "9999-12-31T23:59:59Z"}, "invalid_request", "/until"),
        ({"since": "{start}", "until": "soon"}, "invalid_request", "/until"),
        ({"since": "{start}", "until": 0}, "invalid_request", "/until"),
        ({"since": "{start}", "state": "pending"}, "invalid_request", "/state"),
        ({"since": "{start}", "state": 1}, "invalid_request", "/state"),
        ({"since": "{start}", "types": []}, "invalid_request", "/types"),
        ({"since": "{start}", "types": "order.paid"}, "invalid_request", "/types"),
        ({"since": "{start}", "types": ["a b"]}, "unknown_event_type", "/types/0"),
        ({"since": "{start}", "types": ["a.b", "a.b"]}, "invalid_request", "/types"),
        ({"since": "{start}", "types": ["a.b", None]}, "invalid_request", "/types/1"),
        ({"since": "{start}", "rate": 0}, "invalid_request", "/rate"),
        ({"since": "{start}", "rate": -1}, "invalid_request", "/rate"),
        ({"since": "{start}", "rate": 1e-300}, "invalid_request", "/rate"),
        ({"since": "{start}", "rate": 1e300}, "invalid_request", "/rate"),
        ({"since": "{start}", "rate": "fast"}, "invalid_request", "/rate"),
        ({"since": "{start}", "dry_run": 1}, "invalid_request", "/dry_run"),
        ({"since": "{start}", "dry_run": None}, "invalid_request", "/dry_run"),
        ({"since": "{start}", "from": "x"}, "unknown_field", "/from"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
async def test_wrong_inputs_are_refused_by_their_place(api, body, code, pointer, dry_run):
    """Missing, null, of a wrong type, out of bounds, empty, inverted, too old, in the future, unknown."""
    app = await api.application()
    webhook = await api.webhook(app, "http://127.0.0.1:9/hook")
    start = await beginning(api, app)
    given = {name: start if value == "{start}" else value for name, value in body.items()}
    if dry_run:
        given = {"dry_run": True, **given}
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}/replay"
    problem = await api.refused("POST", path, given, status=400, code=code)
    assert problem["errors"][0]["pointer"] == pointer


async def test_null_is_as_absent(api, receiver):
    """For what may be left out."""
    app, path = await shop(api, receiver, 2)
    given = {"since": await beginning(api, app), "until": None, "state": None, "types": None, "rate": None}
    assert (await api("POST", f"{path}/replay", {**given, "dry_run": True}))["count"] == 2


async def test_a_webhook_that_is_off_or_gone(api, receiver):
    """Counted, but not started; a deleted one is not found."""
    app, path = await shop(api, receiver, 2)
    since = await beginning(api, app)
    await api("PATCH", path, {"status": "disabled"})
    assert (await api("POST", f"{path}/replay", {"since": since, "dry_run": True}))["count"] == 2
    problem = await api.refused("POST", f"{path}/replay", {"since": since}, status=409, code="state_forbidden")
    assert "activate it first" in problem["detail"]
    assert problem["allowed"] == ["active"]
    await api("DELETE", path)
    await api.refused("POST", f"{path}/replay", {"since": since}, status=404, code="not_found")


async def test_a_job_ends_with_its_webhook(api, receiver):
    """Disabled it waits and says so; deleted it fails and says why."""
    app, path = await shop(api, receiver, 50)
    job = await api("POST", f"{path}/replay", {"since": await beginning(api, app), "rate": 1}, status=202)
    await api("PATCH", path, {"status": "disabled"})
    shown = await api("GET", f"/v1/jobs/{job['id']}")
    assert (shown["state"], shown["ends_about_at"]) == ("running", None)
    assert "The job goes on when it is activated." in shown["problem"]
    await api("DELETE", path)
    failed = await until(api, job, finished)
    assert (failed["state"], failed["done"]) == ("failed", 50)
    assert "deleted" in failed["problem"]
    await api.refused("POST", f"/v1/jobs/{job['id']}/cancel", status=409, code="state_forbidden")


async def test_jobs_are_listed(api, receiver):
    """Newest first, by application, webhook and state, page by page; wrong filters are refused."""
    app, path = await shop(api, receiver, 3)
    since = await beginning(api, app)
    jobs = [await api("POST", f"{path}/replay", {"since": since, "rate": 0.001}, status=202) for _ in range(3)]
    ids = [one["id"] for one in jobs][::-1]
    webhook = path.rpartition("/")[2]

    async def listed(**filters) -> tuple[list[str], str | None]:
        page = await api("GET", "/v1/jobs", params=filters)
        assert set(page) == {"data", "next"}
        return [one["id"] for one in page["data"]], page["next"]

    assert (await listed(application_id=app))[0] == ids
    assert (await listed(webhook_id=webhook))[0] == ids
    assert (await listed())[0][:3] == ids
    assert (await listed(application_id=app, state="queued"))[0] == []
    first, cursor = await listed(application_id=app, limit=2)
    assert first == ids[:2]
    assert await listed(application_id=app, limit=2, cursor=cursor) == (ids[2:], None)
    await api.refused("GET", "/v1/jobs", params={"cursor": cursor}, status=400, code="invalid_cursor")
    await api.refused("GET", "/v1/jobs", params={"state": "done"}, status=400, code="invalid_request")
    await api.refused("GET", "/v1/jobs", params={"job": "x"}, status=400, code="unknown_field")
    await api.refused("GET", "/v1/jobs", params={"application_id": "app_none"}, status=404, code="not_found")
    await api.refused("GET", "/v1/jobs", params={"webhook_id": "whk_none"}, status=404, code="not_found")
    for one in jobs:
        await api("POST", f"/v1/jobs/{one['id']}/cancel")


@pytest.mark.parametrize("ident", ["job_x", "job_" + "1" * 23, "é" * 30, "app_sample"])
async def test_unknown_jobs(api, ident):
    """Not found, whatever they look like."""
    for method, path in (("GET", ""), ("POST", "/cancel")):
        problem = await api.refused(method, f"/v1/jobs/{ident}{path}", status=404, code="not_found")
        assert problem["detail"].startswith("There is no job ")


async def test_a_deleted_application_takes_its_jobs_along(api, receiver):
    """Out of reach at once."""
    app, path = await shop(api, receiver, 5)
    job = await api("POST", f"{path}/replay", {"since": await beginning(api, app), "rate": 1}, status=202)
    await api("DELETE", f"/v1/applications/{app}", status=204)
    await api.refused("GET", f"/v1/jobs/{job['id']}", status=404, code="not_found")
    assert job["id"] not in {one["id"] for one in (await api("GET", "/v1/jobs"))["data"]}


# --- the command


async def hookspan(api, *arguments: str, typed: str = "") -> tuple[int, str, str]:
    """Exit code, what it says, and what it says beside."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hookspan", *arguments, "--url", api.node.base_url, "--key", OPERATOR_KEY,
        env=environment(), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, beside = await asyncio.wait_for(process.communicate(typed.encode()), 60)
    return process.returncode or 0, said.decode(), beside.decode()


async def test_the_command_previews_asks_and_watches(api, receiver):
    """No bar where the output is piped; the counts at the end; nothing starts without a yes."""
    app, path = await shop(api, receiver, 20)
    flags = ["replay", "--application", app, "--webhook", path.rpartition("/")[2], "--since", "1h"]
    code, said, beside = await hookspan(api, *flags, "--dry-run")
    assert (code, said) == (0, "")
    assert "20 events, accepted from " in beside
    assert "order.paid" in beside
    code, said, _ = await hookspan(api, *flags, "--dry-run", "--json")
    assert (code, json.loads(said)["count"]) == (0, 20)
    code, said, _ = await hookspan(api, *flags, typed="n\n")
    assert (code, said) == (130, "")
    code, said, beside = await hookspan(api, *flags)
    assert (code, said) == (2, "")
    assert "There is no terminal to ask on: give --yes." in beside
    assert (await api("GET", "/v1/jobs", params={"application_id": app}))["data"] == []
    code, said, beside = await hookspan(api, *flags, typed="y\n")
    assert code == 0
    assert said.endswith(" ended: 20 delivered, 0 failed, 0 skipped\n")
    assert "20 of 20" not in beside
    assert "--no-wait leaves at once" in beside
    assert receiver.numbers == Counter(range(20))
    code, said, _ = await hookspan(api, *flags, "--type", "a.b", "--yes", "--json")
    assert (code, json.loads(said)["state"], json.loads(said)["total"]) == (0, "succeeded", 0)
    code, said, _ = await hookspan(api, *flags, "--rate", "0.5", "--yes", "--no-wait", "--json")
    job = json.loads(said)
    assert (code, job["state"], job["rate_per_s"]) == (0, "running", 0.5)
    await api("POST", f"/v1/jobs/{job['id']}/cancel")


async def test_the_command_says_what_is_wrong(api):
    """With exit codes that mean something."""
    app = await api.application()
    webhook = (await api.webhook(app, "http://127.0.0.1:9/hook"))["id"]
    flags = ["replay", "--application", app, "--webhook", webhook]
    assert (await hookspan(api, *flags, "--since", "two days"))[0] == 2
    assert (await hookspan(api, *flags, "--since", "2h", "--json"))[0] == 2
    code, _, beside = await hookspan(api, *flags, "--since", "300d", "--dry-run")
    assert code == 1
    assert "Events are kept for 30 days" in beside
    code, _, beside = await hookspan(api, *flags, "--since", "1h", "--until", "2h", "--yes")
    assert code == 1
    assert "at /since" in beside
    code, _, beside = await hookspan(api, *flags, "--since", "1h")
    assert (code, beside) == (0, "No event fits.\n")
