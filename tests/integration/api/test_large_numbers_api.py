"""Numbers beyond every float, wherever a publisher may write one: kept and sent as they came."""

from typing import Any

import pytest

from hookspan.profiles import Profile
from hookspan.telemetry import log

pytestmark = pytest.mark.anyio

CHANGES = '{"amount":[1e400,2]}'
EVENT = '{"type":"transfer.created","content":{"id":"t"},"context":{"changes":' + CHANGES + "}}"
LEARNER = '{"type":"enrollment.created","content":{"id":1},"context":{"learner":{"uid":1e400},"course":{"id":1e400}}}'


async def post(api, app: str, text: str):
    response = await api.client.post(f"/v1/applications/{app}/events", content=text)
    return response.status_code, response.json()


@pytest.mark.parametrize(
    ("profile", "text", "sent"),
    [("bridge-xyz", EVENT, f'"event_object_changes":{CHANGES}'), ("bridge-lms", LEARNER, '"course":{"id":1e400}')],
)
async def test_a_context_s_number_goes_out_as_it_came(api, profile, text, sent):
    """Alone and in a batch; and reading it afterwards works too."""
    app = await api.application(profile=profile)
    status, one = await post(api, app, text)
    assert status == 202, one
    status, batch = await post(api, app, f"[{text},{text}]")
    assert (status, [list(member) for member in batch["data"]]) == (202, [["id", "publisher_id"]] * 2)
    response = await api.client.get(f"/v1/applications/{app}/events/{one['id']}")
    assert response.status_code == 200
    assert sent in response.text.replace('\\"', '"')
    assert (await api.client.get(f"/v1/applications/{app}/events")).status_code == 200


async def test_what_nobody_foresaw_is_one_event_s_own(api, monkeypatch):
    """A fault of ours in one event of a batch is that event's error; the others are kept, and the log says it once."""
    app = await api.application()
    real, logged = Profile.render, []

    def render(self, event_type, *rest):
        if event_type == "order.bad":
            raise ZeroDivisionError("unforeseen")
        return real(self, event_type, *rest)

    monkeypatch.setattr(Profile, "render", render)
    monkeypatch.setattr(log, "error", lambda *words, **more: logged.append((words, more)), raising=False)
    good: dict[str, Any] = {"type": "order.good", "content": {}}
    bad = good | {"type": "order.bad"}
    answer = await api("POST", f"/v1/applications/{app}/events", [good, bad, bad, good], status=202)
    assert [list(member) for member in answer["data"]] == [
        ["id", "publisher_id"], ["error"], ["error"], ["id", "publisher_id"],
    ]  # fmt: skip
    problem = answer["data"][1]["error"]
    assert (problem["code"], problem["status"]) == ("internal", 500)
    assert "unforeseen" not in str(problem)
    [(_, more)] = logged
    assert (more["application"], repr(more["exc_info"])) == (app, "ZeroDivisionError('unforeseen')")
