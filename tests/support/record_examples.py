"""`python -m tests.support.record_examples` (by `make examples`): asks a real node everything once, and keeps what was
said as the examples of the API's document. Run it when a shape has changed; a test says so.
"""

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from hookspan.api import api_document
from tests.integration.api.conftest import api_in
from tests.integration.api.furniture import furnish
from tests.support.receiver import Receiver
from tests.support.walk import ROUTES, URL

PLACE = Path(__file__).parents[2] / "src" / "hookspan" / "api" / "examples.json"
EVENT = {"type": "order.paid", "content": {"order_id": 17, "total": "99.50"}, "publisher_id": "order-17-paid"}
# Asked in this order where it matters: what makes something before what needs it, what ends something last.
_LAST = ("cancel_job", "end_session", "end_portal_session", "revoke_key", "remove_person", "delete_webhook")
_PARTS_MAX = 2  # of a list are shown


async def record() -> dict[str, dict[str, Any]]:
    """By operation: `request` (absent where there is no body) and `responses` by status (those that are not empty)."""
    operations = {
        operation["operationId"]: (method, path)
        for path, item in api_document()["paths"].items()
        for method, operation in item.items()
        if path.startswith("/v1/")
    }
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with Receiver() as receiver, api_in(Path(folder)) as api:
            place = await furnish(api, "Acme", "standard", receiver.url, EVENT)
            await api.delivery_of(place.ids["app"], place.ids["event"], "succeeded")
            names = sorted(operations, key=lambda name: (name == "delete_application", name in _LAST, name))
            for name in names:
                method, path = operations[name]
                ids = place.ids | {"profile": "bridge-api"}
                if name == "open_session":
                    ids["link"] = (await api("POST", f"/v1/people/{ids['person']}/link", {}, status=201))["link"]
                if "portal-sessions" in path:
                    ids["session"] = ids["portal_session"]
                if name in {"retry_delivery", "cancel_delivery"}:
                    receiver.status = 500
                    ids["delivery"] = await failing_delivery(api, ids)
                if name == "cancel_job":
                    slowly = {"since": ids["since"], "rate": 0.1}
                    start = f"/v1/applications/{ids['app']}/webhooks/{ids['webhook']}/replay"
                    ids["job"] = (await api("POST", start, slowly, status=202))["id"]
                found[name] = await asked(api, name, (method, path.format_map(ids)), ids, receiver.url)
        text = msgspec.json.encode(dict(sorted(found.items()))).decode().replace(receiver.url, URL)
    return msgspec.json.decode(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8400", text))


async def asked(api: Any, name: str, line: tuple[str, str], ids: dict[str, str], url: str) -> dict[str, Any]:
    """What was asked, and what was answered by status."""
    route = ROUTES[name]
    told: dict[str, Any] = {"responses": {}}
    for make in (route.body, *([route.other] if route.other else [])):
        body: Any = None if make is None else make(ids)
        given = {**body, "url": url} if name == "create_webhook" else body
        response = await api.client.request(*line, json=given)
        assert response.is_success, (name, response.status_code, response.text)
        if body:
            told.setdefault("request", body)
        if response.content:
            told["responses"][str(response.status_code)] = shortened(response.json())
    return told


async def failing_delivery(api: Any, ids: dict[str, str]) -> str:
    """A delivery that waits for its second attempt."""
    event = await api.publish(ids["app"], 18)
    line = await api.delivery_of(ids["app"], event, "pending")
    path = f"/v1/applications/{ids['app']}/deliveries/{line['delivery_id']}"
    async with asyncio.timeout(10):
        while not (await api("GET", path))["next_attempt_at"]:
            await asyncio.sleep(0.01)
    return line["delivery_id"]


def shortened(answer: Any) -> Any:
    """Long lists tell no more than short ones."""
    if isinstance(answer, dict):
        return {name: shortened(value) for name, value in answer.items()}
    if isinstance(answer, list) and answer and isinstance(answer[0], dict):
        return [shortened(one) for one in answer[:_PARTS_MAX]]
    return answer


if __name__ == "__main__":
    PLACE.write_bytes(msgspec.json.format(msgspec.json.encode(asyncio.run(record())), indent=1) + b"\n")
