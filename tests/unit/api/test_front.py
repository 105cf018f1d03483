"""Which requests go to the pages of people: those of their places, and never a publish."""

from typing import Any

import pytest
import structlog

from hookspan.api import Pages
from hookspan.api._app import _Front
from hookspan.api._peer import Peers
from hookspan.telemetry import Counters
from tests.support.asgi import ask

pytestmark = pytest.mark.anyio


def app(name: str) -> Any:
    async def answer(_scope, _receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": name.encode()})

    return answer


def front() -> _Front:
    from hookspan.api._tally import Tally

    async def publish(_application, scope, receive, send) -> None:
        await app("publish")(scope, receive, send)

    anything: Any = publish
    pages = Pages(app("pages"), frozenset({"", "dashboard", "portal"}))
    nothing: Any = None
    return _Front(anything, app("api"), Tally(Counters()), nothing, peers=Peers(()), pages=pages, is_logged=True)


@pytest.mark.parametrize(
    ("method", "path", "whose"),
    [
        ("GET", "/", "pages"),
        ("GET", "/dashboard", "pages"),
        ("POST", "/portal/hk_portal_x/webhooks", "pages"),
        ("GET", "/dashboards", "api"),
        ("GET", "/v1/dashboard", "api"),
        ("GET", "*", "api"),
        ("POST", "/v1/applications/a/events", "publish"),
        ("POST", "/v1/applications/dashboard/events", "publish"),
    ],
)
async def test_whose_a_path_is(method: str, path: str, whose: str) -> None:
    """Publishing first, then the pages by the first part of the path, then the API."""
    assert (await ask(front(), method, path)).body == whose.encode()


async def test_no_token_of_a_path_is_logged() -> None:
    """Portals and links have theirs in the path: the log has its first part."""
    with structlog.testing.capture_logs() as lines:
        await ask(front(), "GET", "/portal/hk_portal_secret/webhooks")
    assert [line["path"] for line in lines] == ["/portal"]
