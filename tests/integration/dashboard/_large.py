"""Applications with very many events and deliveries, written straight into the tables: for how fast lists are.

`python -m tests.integration.dashboard._large 100000` builds them, asks every list with every filter over HTTP, and says
how long each took.
"""

import asyncio
import base64
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import apsw
import httpx
import msgspec

from hookspan.clock import SystemClock
from hookspan.domain.states import DeliveryReason, DeliveryState, VerdictKind
from hookspan.domain.times import to_text
from hookspan.ids import first_id_at, made_at_ms
from tests.integration.api.conftest import Api, api_in
from tests.integration.dashboard.conftest import House

DAYS: Final = 20  # that the events lie over
DAY_MS: Final = 86_400_000
RARE: Final = 10  # of the oldest events are of a type, and their deliveries in states, that no others have
USUAL_TYPE, RARE_TYPE = "order.paid", "order.disputed"
BODY: Final = b'{"type":"order.paid","data":{"order_id":17,"note":"' + b"x" * 500 + b'"}}'
USUAL: Final = (DeliveryState.SUCCEEDED, DeliveryState.FAILED, DeliveryState.PENDING)
RUNS: Final = 5  # of each list; the one in the middle counts


class Large(msgspec.Struct, frozen=True):
    """An application: `usual` is the state of most deliveries; the oldest RARE have each of the others."""

    application: str
    webhook: str
    usual: DeliveryState
    begins_ms: int


def ident_of(database: apsw.Connection, large: Large) -> int:
    """The application's id in the tables."""
    ident = database.execute("select id from application where public_id = ?", (large.application,)).get
    assert isinstance(ident, int)
    return ident


async def settle(api: Api, usual: DeliveryState) -> Large:
    """An application with two webhooks; the second one gets little."""
    application = await api.application(name=f"Mostly {usual.word}")
    webhook = await api.webhook(application, "http://127.0.0.1:1/hook", name="Everything")
    await api.webhook(application, "http://127.0.0.1:1/few", name="Little")
    return Large(application, webhook["id"], usual, SystemClock().now_ms() - DAYS * DAY_MS)


def fill(path: Path, large: Large, count: int) -> None:
    """`count` events with a delivery and an attempt each, over DAYS. One in a hundred goes to the second webhook too.
    To be called while no node holds the file.
    """
    database = apsw.Connection(str(path))
    application = ident_of(database, large)
    rows: list[tuple[int, int]] = database.execute(
        "select min(id), max(id) from webhook where application_id = ?", (application,)
    ).fetchall()  # type: ignore[assignment]  # as the table has them
    [(first, second)] = rows
    step_ms = DAYS * DAY_MS // count
    events, deliveries = [], []
    for number in range(count):
        at_ms = large.begins_ms + number * step_ms
        ident = first_id_at(at_ms) | 900 << 11
        is_rare = number < RARE * 4
        event_type = RARE_TYPE if is_rare else USUAL_TYPE
        events.append((ident, application, number + 1, event_type, f"order-{number}", at_ms, at_ms, BODY))
        state = DeliveryState(1 + number % 4) if is_rare else large.usual
        deliveries.append(_delivery(ident + 1, application, first, ident, state, at_ms))
        if number % 100 == 0:
            deliveries.append(_delivery(ident + 2, application, second, ident, large.usual, at_ms))
    with database:
        database.executemany("insert into event values (?, ?, ?, ?, ?, ?, ?, null, 24, 500, null, ?)", events)
        database.executemany(
            "insert into publish_key values (?, ?, ?, x'00')", [(one[1], one[4], one[0]) for one in events]
        )
        database.executemany(
            "insert into delivery (id, application_id, webhook_id, event_id, state, reason, node, claim, is_fifo, "
            "attempt_count, next_attempt_at, finished_at) values (?, ?, ?, ?, ?, ?, 0, 1, 0, 1, ?, ?)",
            deliveries,
        )
        database.executemany(
            "insert into attempt (id, delivery_id, webhook_id, event_id, number, round, cause, webhook_version, "
            "started_at, duration_us, verdict, error, error_message, request_headers, response_status, response_bytes) "
            "values (?, ?, ?, ?, 1, 1, 1, 1, ?, 30000, ?, null, null, x'5b5d', ?, 0)",
            [_attempt(one, large.usual) for one in deliveries],
        )
        database.execute("update application set last_position = ? where id = ?", (count, application))
    database.close()


def _delivery(
    ident: int, application: int, webhook: int, event: int, state: DeliveryState, at_ms: int
) -> tuple[int | None, ...]:
    reason = {DeliveryState.FAILED: DeliveryReason.EXHAUSTED, DeliveryState.CANCELLED: DeliveryReason.PERSON}.get(state)
    is_pending = state is DeliveryState.PENDING
    due = SystemClock().now_ms() + DAY_MS if is_pending else None
    return ident, application, webhook, event, state, reason, due, None if is_pending else at_ms + 30


def _attempt(delivery: tuple[int | None, ...], usual: DeliveryState) -> tuple[int | None, ...]:
    ident, _, webhook, event, state, *_ = delivery
    assert ident is not None
    is_good = (state or usual) is DeliveryState.SUCCEEDED
    verdict, status = (VerdictKind.SUCCEEDED, 200) if is_good else (VerdictKind.FAILED, 503)
    return ident + 3, ident, webhook, event, made_at_ms(ident), verdict, status


def queries(large: Large) -> list[str]:
    """Every list with every filter: alone, rare, together, of an old and of a young time, and a page in the middle."""
    step = DAYS * DAY_MS // 4
    old = {"from": to_text(large.begins_ms), "to": to_text(large.begins_ms + 60_000)}
    middle = {"from": to_text(large.begins_ms + step), "to": to_text(large.begins_ms + 2 * step)}
    filters: list[dict[str, str]] = [{}, {"within": "1h"}, {"within": "7d"}, old, middle]
    filters += [{"type": one} for one in (USUAL_TYPE, RARE_TYPE, "order.never")]
    deliveries = list(filters)
    for state in DeliveryState:
        deliveries += [{"state": state.word}, {"state": state.word} | middle]
        deliveries += [{"state": state.word, "type": RARE_TYPE}, {"state": state.word, "webhook": large.webhook}]
        deliveries += [{"state": state.word, "within": "1h"}]
    deliveries += [{"webhook": large.webhook}, {"webhook": large.webhook, "type": RARE_TYPE}]
    events = list(filters) + [one | {"undelivered": "1"} for one in filters]
    events += [{"publisher_id": "order-3"}, {"publisher_id": "nobody's"}, {"type": RARE_TYPE} | middle]
    lists = [f"deliveries?{urlencode(one)}" for one in deliveries] + [f"events?{urlencode(one)}" for one in events]
    here = f"webhooks/{large.webhook}"
    looks = ["tail", "tail?outcome=failed", f"tail?webhook={large.webhook}", "failures", "failures?within=30d", "audit"]
    pages = ["", "?span=90d", "jobs", "search?q=127.0", "search?q=%25", here, f"{here}?span=90d"]
    return [*lists, *looks, *pages, f"{here}/upcoming"]


async def took_ms(client: httpx.AsyncClient, path: str) -> float:
    """How long the processor works for a page, in server, store and client: what else the machine has to do does not
    count. The middle one of some.
    """
    spent = []
    for _ in range(RUNS):
        began = time.process_time()
        response = await client.get(path)
        spent.append((time.process_time() - began) * 1000)
        assert response.status_code == 200, (path, response.text[:500])
    return sorted(spent)[RUNS // 2]


async def measured(folder: Path, count: int) -> dict[str, float]:
    """ms of work by list, of an application where most arrived, one where most failed and one where most waits."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    async with api_in(folder, encryption_key=key) as api:
        all_large = [await settle(api, one) for one in USUAL]
    for one in all_large:
        fill(folder / "hookspan.db", one, count)
    found = {}
    async with api_in(folder, encryption_key=key) as api:
        house = House(api)
        for one in all_large:
            browser = await house.browser("operator_admin", one.application)
            for query in queries(one):
                found[f"{one.usual.word}: {query}"] = await took_ms(browser.client, f"{browser.root}/{query}")
        for path in ("", "/failures", "/tail", "/jobs", "/audit", "/search?q=nothing"):
            found[f"of all: {path}"] = await took_ms(browser.client, f"/dashboard{path}")
        await house.close()
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        found = asyncio.run(measured(Path(place), int(sys.argv[1])))
    for name, spent_ms in sorted(found.items(), key=lambda one: -one[1]):
        sys.stdout.write(f"{spent_ms:8.1f} ms  {name}\n")


if __name__ == "__main__":
    main()
