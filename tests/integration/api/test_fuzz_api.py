"""schemathesis asks every operation of the document, well and badly: no 500, and every answer is as documented."""

import asyncio
from typing import Any

import hypothesis
import msgspec
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from hookspan.domain.outcome import ErrorCode, Outcome
from hookspan.egress import Egress

from .furniture import furnish

pytestmark = pytest.mark.anyio

EXAMPLES = 15
METHODS = frozenset({"get", "post", "put", "patch", "delete"})
PROBLEM = "application/problem+json"
# Not asked: a profile's rules, which no schema has, may refuse what the document allows.
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
)


# At the edges of what has a text; None leaves an event's own.
DATES = [None, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999-23:59", "1970-01-01T00:00:00Z"]


@pytest.fixture
def nowhere(monkeypatch):
    """Whatever URL comes out of the fuzzing, nothing leaves this machine."""

    async def check_destination(_self, _target) -> None:
        return None

    def send(_self, _target, _headers, _body, *, application_id, timeout_ms, done) -> None:
        outcome = Outcome(started_at=0, duration_us=1, error=ErrorCode.CONNECT_REFUSED, error_message="Nowhere.")
        asyncio.get_running_loop().call_soon(done, outcome)

    monkeypatch.setattr(Egress, "check_destination", check_destination)
    monkeypatch.setattr(Egress, "send", send)


async def known_ids(api) -> dict[str, str]:
    """Things that are there, so that not every request ends in 404."""
    event = {"type": "order.paid", "content": {"number": 1}}
    place = await furnish(api, "Fuzz", "standard", "http://127.0.0.1:9/", event)
    return place.ids | {"profile": "bridge-api"}


def fuzz(document: dict, base_url: str, headers: dict[str, str], known: dict[str, str]) -> tuple[int, list[str]]:
    """Ask every operation; returns how many there were, and what was wrong."""
    load_all_checks()
    count, failures = 0, []
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation: Any = found
        operation = operation.ok()
        count += 1
        # A batch is answered with 202 and a problem in the place of each bad event.
        is_publish = operation.definition.raw["operationId"] == "publish_events"
        names = [name for name in CHECKED if not is_publish or name != "negative_data_rejection"]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                ask(operation.as_strategy(generation_mode=mode), base_url, headers, known, CHECKS.get_by_names(names))
            except hypothesis.errors.Unsatisfiable:
                continue  # nothing about it can be wrong
            except Exception as failure:  # noqa: BLE001 - every kind is a finding
                failures += [f"{operation.method} {operation.path}: {one!r} {one}" for one in leaves(failure)]
    return count, failures


def leaves(failure: BaseException) -> list[BaseException]:
    """What went wrong, without the groups around it."""
    if isinstance(failure, BaseExceptionGroup):
        return [leaf for one in failure.exceptions for leaf in leaves(one)]
    return [failure]


def check_code(case: Any, response: Any) -> None:
    """A refusal's code is one that the operation names under its status."""
    if response.headers.get("content-type", [""])[0].startswith(PROBLEM):
        documented = case.operation.definition.raw["responses"][str(response.status_code)]["content"][PROBLEM]
        assert response.json()["code"] in documented["examples"], response.json()


def is_event(body: Any) -> bool:
    return isinstance(body, dict) and isinstance(body.get("occurred_at"), str)


def ask(cases: Any, base_url: str, headers: dict[str, str], known: dict[str, str], checks: Any) -> None:
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=cases, is_known=st.sampled_from([True, True, True, False]), date=st.sampled_from(DATES))
    def one(case: Any, is_known: Any, date: Any) -> None:
        if is_known and case.path_parameters:
            case.path_parameters = {name: known[name] for name in case.path_parameters}
        if is_event(case.body):
            case.body = case.body | {"occurred_at": date} if date else case.body
        response = case.call_and_validate(base_url=base_url, headers=headers, checks=checks)
        check_code(case, response)

    one()


# The node's retry jitter uses `random` on its own thread, which Hypothesis takes for a strategy's doing.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
async def test_every_operation_keeps_its_word(api, nowhere):
    """Generated requests, most of them at things that exist."""
    response = await api.client.get("/openapi.json")
    document = msgspec.json.decode(response.content)
    del document["paths"]["/v1/applications/{app}"]["delete"]  # the known ids would go with it
    headers = dict(api.client.headers)
    known = await known_ids(api)
    count, failures = await asyncio.to_thread(fuzz, document, api.node.base_url, headers, known)
    assert failures == []
    assert count == sum(method in METHODS for item in document["paths"].values() for method in item) >= 60
