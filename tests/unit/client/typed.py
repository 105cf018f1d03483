"""What a program that is checked by mypy sees of the client. Never run: mypy judges it with all other files, and an
`ignore` that nothing needs is an error too.
"""

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from hookspan.client import Accepted, AsyncClient, Client, ClientError, NewEvent, Refused, Retry, shapes


def publishes(client: Client, events: Iterator[NewEvent]) -> None:
    assert_type(client.publish("app_1", "order.paid", {"id": 1}, publisher_id="o-1", context=None), Accepted)
    assert_type(client.publish_many("app_1", [NewEvent(type="a", content={})]), list[Accepted | Refused])
    for event, result in client.publish_all("app_1", events, batch_events=10, in_flight=2):
        assert_type(event, NewEvent)
        assert_type(result, Accepted | Refused)
    client.publish("app_1", "order.paid")  # type: ignore[call-arg]
    client.publish(17, "order.paid", {})  # type: ignore[arg-type]


async def publishes_on_a_loop(client: AsyncClient, events: AsyncIterator[NewEvent]) -> None:
    assert_type(await client.publish("app_1", "order.paid", {"id": 1}), Accepted)
    assert_type(await client.publish_many("app_1", []), list[Accepted | Refused])
    async for event, result in client.publish_all("app_1", events, linger_s=1):
        assert_type(event, NewEvent)
        assert_type(result, Accepted | Refused)


def manages(client: Client) -> None:
    webhook = client.webhooks.create("app_1", "https://h/", status="active", events=None, event_epoch={"position": 3})
    assert_type(webhook, shapes.Webhook)
    assert_type(webhook.secret, str | None)
    assert_type(client.webhooks.rotate_secret("app_1", "wh_1"), shapes.RotatedSecret)
    assert_type(client.webhooks.list("app_1").page(), shapes.Page[shapes.Webhook])
    for one in client.webhooks.list("app_1"):
        assert_type(one, shapes.Webhook)
    for event in client.events.read_on("app_1", after=3):
        assert_type(event, shapes.Event)
    client.webhooks.change("app_1", "wh_1", status="deleted")  # type: ignore[arg-type]
    client.webhooks.change("app_1", "wh_1", nam="x")  # type: ignore[call-arg]
    webhook.url = "https://other/"  # type: ignore[misc]


async def manages_on_a_loop(client: AsyncClient) -> None:
    assert_type(await client.webhooks.test("app_1", "wh_1"), shapes.Attempt)
    assert_type(await client.webhooks.list("app_1").page(), shapes.Page[shapes.Webhook])
    async for one in client.deliveries.list("app_1", state="pending"):
        assert_type(one, shapes.Delivery)
    client.deliveries.list("app_1", state="waiting")  # type: ignore[arg-type]


def catches(error: ClientError, refused: Refused) -> None:
    assert_type(error.status, int | None)
    assert_type(refused.status, int)
    assert_type(error.retry_after_s, int | None)
    Client("http://h", "k", retry=Retry(tries_max=1), timeout_s=3, ca_file=None)
