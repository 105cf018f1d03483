"""Lists over HTTP stay right while rows arrive, and a cursor is good for the list that made it and for nothing else."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.integration.api.conftest import ARRIVAL_S

pytestmark = pytest.mark.anyio

ROWS = 7
LISTS = ("applications", "webhooks", "events", "undelivered", "deliveries", "of one webhook", "logs")
More = Callable[[], Awaitable[object]]


class Place:
    """An application in which every list has some rows, and what adds more to each."""

    def __init__(self, api, receiver) -> None:
        self.api, self.receiver = api, receiver
        self._number = 0

    async def fill(self) -> None:
        self.id = await self.api.application()
        for _ in range(2):
            await self.more_events()  # nobody gets these
        self.webhook = (await self.api.webhook(self.id, self.receiver.url))["id"]
        for _ in range(ROWS - 1):
            await self.more_webhooks()
        for _ in range(ROWS):
            await self.more_events()
        await self.recorded(ROWS)
        for _ in range(ROWS):
            await self.api.application()

    async def more_webhooks(self) -> None:
        await self.api.webhook(self.id, self.receiver.url, events=[])

    async def more_events(self) -> None:
        self._number += 1
        await self.api.publish(self.id, self._number)

    async def recorded(self, count: int) -> None:
        async with asyncio.timeout(ARRIVAL_S):
            while len((await self.api("GET", self.path("logs"), params={"limit": 500}))["data"]) < count:
                await asyncio.sleep(0.01)

    def path(self, name: str) -> str:
        place = f"/v1/applications/{self.id}"
        return {
            "applications": "/v1/applications",
            "webhooks": f"{place}/webhooks",
            "events": f"{place}/events",
            "undelivered": f"{place}/events?undelivered=true",
            "oldest": f"{place}/events?sort=oldest",
            "deliveries": f"{place}/deliveries",
            "of one webhook": f"{place}/webhooks/{self.webhook}/deliveries",
            "logs": f"{place}/webhooks/{self.webhook}/logs",
        }[name]

    def more(self, name: str) -> More:
        return {"applications": self.api.application, "webhooks": self.more_webhooks}.get(name, self.more_events)

    async def page(self, name: str, limit: int, cursor: str | None = None) -> dict:
        path = self.path(name)
        path += f"{'&' if '?' in path else '?'}limit={limit}" + ("" if cursor is None else f"&cursor={cursor}")
        return await self.api("GET", path)


@pytest.fixture
async def place(api, receiver) -> Place:
    one = Place(api, receiver)
    await one.fill()
    return one


@pytest.mark.parametrize("name", LISTS)
async def test_pages_fit_together_while_rows_arrive(place, name):
    """No row twice, and none of those that were there at the start missing."""
    if name == "undelivered":
        await place.api("PATCH", f"{place.path('webhooks')}/{place.webhook}", {"status": "disabled"})
        for _ in range(ROWS):
            await place.more_events()
    whole = await place.page(name, 500)
    first = [one["id"] for one in whole["data"]]
    assert len(first) >= ROWS
    assert whole["next"] is None or len(first) == 500
    found: list[str] = []
    cursor = None
    while True:
        page = await place.page(name, 2, cursor)
        found += [one["id"] for one in page["data"]]
        cursor = page["next"]
        if cursor is None or len(found) > 2 * len(first):
            break
        await place.more(name)()
    assert len(found) == len(set(found))
    assert [one for one in found if one in first] == first


async def test_events_oldest_first_go_on_for_ever(place):
    """Each once, in the order of their positions, those that come meanwhile too."""
    positions: list[int] = []
    cursor, wanted = None, ROWS + 10
    while len(positions) < wanted:
        page = await place.page("oldest", 3, cursor)
        positions += [one["position"] for one in page["data"]]
        cursor = page["next"]
        assert cursor is not None
        if len(positions) < ROWS + 5:
            await place.more_events()
        elif not page["data"]:
            break
    assert positions == list(range(1, len(positions) + 1))
    assert len(positions) > ROWS


@pytest.mark.parametrize("name", [*LISTS, "oldest"])
async def test_a_tampered_cursor_is_refused(place, name):
    """Each of its characters changed, cut off, or doubled: 400 invalid_cursor."""
    path = place.path(name)
    joint = "&" if "?" in path else "?"
    cursor = (await place.page(name, 1))["next"]
    assert cursor is not None
    changed = [cursor[:at] + ("A" if letter != "A" else "B") + cursor[at + 1 :] for at, letter in enumerate(cursor)]
    for text in (*changed, cursor[:-1], cursor + "A", cursor[1:], "", "=", cursor[::-1]):
        await place.api.refused("GET", f"{path}{joint}cursor={text}", status=400, code="invalid_cursor")


async def test_a_cursor_of_another_list_or_tenant_is_refused(place, api, receiver):
    """Also of the same list with another filter."""
    other = Place(api, receiver)
    await other.fill()
    names = [*LISTS, "oldest"]
    cursors = {name: (await place.page(name, 1))["next"] for name in names}
    for name in names:
        path = place.path(name)
        joint = "&" if "?" in path else "?"
        foreign = [text for maker, text in cursors.items() if maker != name]
        if name != "applications":
            foreign.append((await other.page(name, 1))["next"])
        for text in foreign:
            await api.refused("GET", f"{path}{joint}cursor={text}", status=400, code="invalid_cursor")
        if name != "oldest":
            narrower = f"{path}{joint}cursor={cursors[name]}&since=2026-01-01T00:00:00Z"
            await api.refused("GET", narrower, status=400, code="invalid_cursor")


async def test_what_has_not_arrived_everywhere(api, receiver):
    """Waits, failed, or was asked for by nobody; `undelivered=false` is no filter."""
    app = await api.application()
    nobody = await api.publish(app, 1)
    webhook = (await api.webhook(app, receiver.url))["id"]
    arrived = await api.publish(app, 2)
    await api.delivery_of(app, arrived, "succeeded")
    await api("PATCH", f"/v1/applications/{app}/webhooks/{webhook}", {"status": "disabled"})
    waits = await api.publish(app, 3)
    place = f"/v1/applications/{app}/events"
    found = await api("GET", place, params={"undelivered": "true"})
    assert [one["id"] for one in found["data"]] == [waits, nobody]
    assert found["next"] is None
    assert len((await api("GET", place, params={"undelivered": "false"}))["data"]) == 3
    typed = await api("GET", place, params={"undelivered": "true", "type": "other.type"})
    assert typed == {"data": [], "next": None}
    for params in (
        {"undelivered": "true", "sort": "oldest"},
        {"undelivered": "true", "publisher_id": "x"},
        {"undelivered": "perhaps"},
    ):
        await api.refused("GET", place, params=params, status=400, code="invalid_request")


@pytest.mark.parametrize("path", ["/v1/applications", "/v1/audit", "/v1/keys", "/v1/jobs"])
async def test_a_window_that_ends_before_it_begins_is_refused(api, path):
    """With its place: an empty list would read as "nothing happened". The same time twice is an empty window."""
    window = {"since": "2026-05-02T00:00:00Z", "until": "2026-05-01T00:00:00Z"}
    problem = await api.refused("GET", path, status=400, code="invalid_request", params=window)
    assert problem["errors"][0]["pointer"] == "/until"
    assert (await api("GET", path, params=window | {"until": window["since"]}))["data"] == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("limit", "x", "must be a whole number"),
        ("limit", "0", "must be at least 1"),
        ("limit", "501", "must be at most 500"),
        ("after", "x", "must be a whole number"),
        ("after", "-1", "must be at least 0"),
        ("undelivered", "maybe", "must be true or false"),
        ("cursor", "x" * 99, "must have at most 64 characters"),
    ],
)
async def test_a_wrong_parameter_is_told_in_words(api, name, value, said):
    """Not in those of a programming language."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"
    problem = await api.refused("GET", path, status=400, code="invalid_request", params={name: value})
    assert problem["detail"] == f"The query parameter {name} {said}."
    assert problem["errors"][0]["pointer"] == f"/{name}"
