"""What the demo makes over HTTP, against a server of a few lines."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hookspan.cli import _exhibit
from hookspan.cli._client import ApiClient
from hookspan.cli._exhibit import Exhibit, count_succeeded, create_exhibits, event_body, samples
from hookspan.cli._receiver import ADDRESS, Expected, Receiver
from hookspan.cli._throwaway_ca import make_ca
from hookspan.profiles import Sample, load_profiles


class Api(ApiClient):
    """Answers as Hookspan does, and writes down what it was asked."""

    def __init__(self, deliveries: int = 0) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.deliveries = deliveries

    def call(self, method: str, path: str, body: bytes | dict[str, Any] | None = None) -> Any:
        self.calls.append((method, path, body))
        if "/deliveries" in path:
            return self._page(path)
        if path.endswith("/webhooks"):
            assert isinstance(body, dict)
            is_pair = body["url"].startswith("https")
            return {
                "id": "whk_1",
                "status": "disabled" if is_pair else "active",
                "secret": None if is_pair or "credentials" in body else "made",
                "public_key": "PEM" if is_pair else None,
            }
        return {"id": "app_1"}

    def _page(self, path: str) -> dict[str, Any]:
        at = int(path.partition("cursor=")[2] or 0)
        left = self.deliveries - at
        return {"data": [{}] * min(left, 100), "next": str(at + 100) if left > 100 else None}


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    _, tls = make_ca(tmp_path, ADDRESS)
    async with Receiver(lambda _: None, tls) as receiver:
        yield receiver


@pytest.mark.anyio
async def test_each_profile_gets_the_webhook_that_it_asks_for(receiver: Receiver) -> None:
    """https where it is required, a name, a list and credentials where they must be given; a disabled one is activated,
    and the receiver is told what it may verify with, whoever made it.
    """
    api = Api()
    told: list[str] = []
    exhibits = create_exhibits(api, load_profiles(), receiver, told.append)
    names = [one.profile.name for one in exhibits]
    assert names == ["bridge-api", "bridge-lms", "bridge-xyz", "standard"]
    wanted = dict(zip(names, [body for method, path, body in api.calls if path.endswith("/webhooks")], strict=True))
    assert wanted["bridge-xyz"] == {"url": receiver.url("https") + "/bridge-xyz"}
    assert wanted["standard"] == {"url": receiver.url() + "/standard"}
    assert set(wanted["bridge-lms"]) == {"url", "name", "events", "credentials"}
    assert set(wanted["bridge-lms"]["credentials"]) == {"token", "secret"}
    assert [body for method, _, body in api.calls if method == "PATCH"] == [{"status": "active"}]
    assert receiver._expected == {
        "/bridge-api": Expected("bridge-api", {"secret": "made"}),
        "/bridge-lms": Expected("bridge-lms", wanted["bridge-lms"]["credentials"]),
        "/bridge-xyz": Expected("bridge-xyz", {"public_key": "PEM"}),
        "/standard": Expected("standard", {"secret": "made"}),
    }
    assert [("key pair" in text) for text in told] == [False, False, True, False]
    assert "certificate checked" in exhibits[2].note


def test_the_samples_are_what_the_profiles_take() -> None:
    """Each listed type with its context, and for an open catalog some types of a shop."""
    profiles = load_profiles()
    for name in profiles.names:
        profile = profiles.get(name)
        found = samples(profile)
        for event_type, sample in found:
            profile.check(event_type, sample.content, sample.context)
        assert [event_type for event_type, _ in found][: len(profile.catalog())] == [
            one.type for one in profile.catalog()
        ]
    assert "order.paid" in dict(samples(profiles.get("standard")))


def test_a_context_is_published_beside_the_content() -> None:
    """And left out where there is none."""
    assert event_body("a.b", Sample(b'{"x":1}')) == b'{"type":"a.b","content":{"x":1}}'
    assert event_body("a.b", Sample(b"{}", b'{"y":2}')) == b'{"type":"a.b","content":{},"context":{"y":2}}'


@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
def test_the_record_is_counted_page_by_page(count: int) -> None:
    """Beyond the hundred that one answer holds."""
    exhibit = Exhibit(load_profiles().get("standard"), "app_1", "/standard")
    assert count_succeeded(Api(count), [exhibit, exhibit]) == 2 * count


def test_the_pages_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that never ends is not read for ever."""
    monkeypatch.setattr(_exhibit, "PAGES_MAX", 3)
    exhibit = Exhibit(load_profiles().get("standard"), "app_1", "/standard")
    assert count_succeeded(Api(100_000), [exhibit]) == 300
