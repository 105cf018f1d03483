"""A platform publishes in its own transactions; real nodes take that in, and a real receiver gets it, signed."""

import asyncio
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Json

from hookspan.verify import VerificationError, verify
from tests.support.cluster import Cluster
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio

ORDERS = 60
LOST_EVERY = 5  # of so many orders one is rolled back
KILLED_AT = 30


def _is_signed(secret: str, headers: dict[bytes, bytes], body: bytes) -> bool:
    try:
        verify(
            "standard",
            headers={name.decode(): text.decode() for name, text in headers.items()},
            body=body,
            secret=secret,
        )
    except VerificationError:
        return False
    return True


def _order(connection: psycopg.Connection[Any], application: str, number: int) -> None:
    connection.execute("insert into shop.orders (id) values (%s)", (number,))
    connection.execute(
        "select hookspan.publish(%s, 'order.paid', %s, publisher_id => %s)",
        (application, Json({"number": number}), f"order-{number}"),
    )


async def test_an_order_and_its_event_share_one_fate(tmp_path: Path) -> None:
    """Each order that is committed is told once as an event and arrives signed, though a node is killed on the way; of
    one that is rolled back nothing is ever heard.
    """
    async with Receiver() as receiver, Cluster(tmp_path, receiver, nodes=2) as cluster:
        receiver.keeps_requests = True
        path = f"/v1/applications/{cluster.application}/webhooks"
        secret = (await cluster.call("POST", path, {"url": receiver.url}))["secret"]
        assert cluster.server is not None
        cluster.server.execute(
            "create role shop login password 'p'",
            "create schema shop authorization shop",
            "grant usage on schema hookspan to shop",
            "grant execute on function hookspan.publish to shop",
            database="hookspan",
        )
        url = cluster.server.url("hookspan", user="shop", password="p")

        def sell(numbers: range) -> None:
            with psycopg.connect(url) as connection:
                connection.execute("create table if not exists shop.orders (id int primary key)")
                connection.commit()
                for number in numbers:
                    _order(connection, cluster.application, number)
                    if number % LOST_EVERY:
                        connection.commit()
                    else:
                        connection.rollback()

        await asyncio.to_thread(sell, range(KILLED_AT))
        await cluster.nodes[0].kill()
        await asyncio.to_thread(sell, range(KILLED_AT, ORDERS))
        committed = {number for number in range(ORDERS) if number % LOST_EVERY}
        await cluster.arrive(committed, within_s=60)
        assert set(receiver.numbers) == committed

        def all_signed() -> bool:
            signed = {
                json.loads(body)["data"]["number"]
                for headers, body in receiver.requests
                if _is_signed(secret, headers, body)
            }
            return signed == committed

        assert await receiver.wait_until(all_signed, 60)
        with psycopg.connect(cluster.server.url("hookspan")) as owner:
            assert owner.execute("select count(*) from inbox").fetchone() == (0,)
            assert owner.execute("select count(*) from event").fetchone() == (len(committed),)
            assert owner.execute("select count(*) from shop.orders").fetchone() == (len(committed),)
