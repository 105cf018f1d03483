"""schemathesis asks every call of /v0, well and badly: no 500, and every answer is as documented."""

import asyncio
import ssl
import uuid
from typing import Any

import hypothesis
import msgspec
import pytest
import schemathesis
import trustme
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from hookspan.egress import Egress
from tests.integration.api.conftest import api_in
from tests.wire._receiver import WireReceiver

pytestmark = pytest.mark.anyio

EXAMPLES = 30
CALLS = 8
# Not asked: that what the document does not allow is refused; existing clients may send more than is known.
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)


@pytest.fixture
async def served(tmp_path, monkeypatch):
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)

    async def take(_self, _target) -> None:
        """Whatever URL comes out of the fuzzing: nothing is asked, and nothing becomes active."""

    async with api_in(tmp_path, egress_ca_file=str(tmp_path / "ca.pem")) as api, WireReceiver(tls) as receiver:
        app = await api.application(profile="bridge-xyz", settings={"limits": {"webhooks": 0}})
        made = await api.webhook(app, f"{receiver.url}/", event_epoch="beginning_of_time")
        content = {"id": str(uuid.uuid4()), "state": "pending", "amount": "1.0", "currency": "usd"}
        for _ in range(3):
            event = await api.publish(app, 0, type="transfer.created", content=content)
        await api("POST", f"/v1/applications/{app}/webhooks/{made['id']}/send", {"event_id": event}, status=202)
        await receiver.next("/")
        body = {"name": "theirs", "scope": "application", "application_id": app}
        key = (await api("POST", "/v1/keys", body, status=201))["key"]
        monkeypatch.setattr(Egress, "check_destination", take)
        monkeypatch.setattr(Egress, "check_certificate", take)
        yield api, key, made["id"], event


def ask(operation: Any, base_url: str, key: str, webhook: str, event: str, mode: GenerationMode) -> None:
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode), is_known=st.sampled_from([True, True, False]))
    def one(case: Any, is_known: Any) -> None:
        if is_known and case.path_parameters:
            case.path_parameters = {"webhook": webhook}
        if is_known and isinstance(case.body, dict):
            if "event_id" in case.body:
                case.body = case.body | {"event_id": event}
            if case.body.get("status") == "active":
                case.body = case.body | {"status": "disabled"}
        case.call_and_validate(base_url=base_url, headers={"api-key": key}, checks=CHECKS.get_by_names(CHECKED))

    one()


def leaves(failure: BaseException) -> list[BaseException]:
    """What went wrong, without the groups around it."""
    if isinstance(failure, BaseExceptionGroup):
        return [leaf for one in failure.exceptions for leaf in leaves(one)]
    return [failure]


def fuzz(document: dict, base_url: str, key: str, webhook: str, event: str) -> tuple[int, list[str]]:
    load_all_checks()
    count, failures = 0, []
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation: Any = found
        operation = operation.ok()
        count += 1
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                ask(operation, base_url, key, webhook, event, mode)
            except hypothesis.errors.Unsatisfiable:
                continue  # nothing about it can be wrong
            except Exception as failure:  # noqa: BLE001 - every kind is a finding
                failures += [f"{operation.method} {operation.path}: {one!r} {one}" for one in leaves(failure)]
    return count, failures


@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
async def test_every_call_keeps_its_word(served):
    """Generated requests, most of them at a webhook that exists; deleting it comes last."""
    api, key, webhook, event = served
    document = msgspec.json.decode((await api.client.get("/openapi.json")).content)
    document["paths"] = {path: item for path, item in document["paths"].items() if path.startswith("/v0/")}
    last = document["paths"]["/v0/webhooks/{webhook}"].pop("delete")
    count, failures = await asyncio.to_thread(fuzz, document, api.node.base_url, key, webhook, event)
    assert failures == []
    document["paths"] = {"/v0/webhooks/{webhook}": {"delete": last}}
    more, failures = await asyncio.to_thread(fuzz, document, api.node.base_url, key, webhook, event)
    assert failures == []
    assert count + more == CALLS
