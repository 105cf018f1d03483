"""A profile of one's own touches no Python: a folder, a setting, and the running server speaks it."""

import base64
import hashlib
import hmac
import re
from pathlib import Path

import pytest

from tests.wire.conftest import Wire

pytestmark = pytest.mark.anyio

TOML = """
format = 1
title = "Acme Parcels"
settable = ["signature.header", "signature.algorithm", "signature.encoding"]
[ids]
event = { prefix = "pcl_", random = "base58:23" }
webhook = { prefix = "hook_", random = "base58:23" }
[body]
context = { region = "string?" }
rows = [
  ["v",            "2"],
  ["kind",         "{type.noun} {type.verb}"],
  ["sent",         "{event.at:ms}"],
  ["region",       "{context.region | null}"],
  ["{type.noun}",  "{content}"],
  ["...",          "{context[parties]}"],
  ["object",       "{type.noun}"],
]
[credential.secret]
kind = "text"
make = "hex:20"
give = ["operator"]
required = true
shown = "once"
[[header]]
name = "Acme-Event"
value = "{type}"
[[header]]
name = "Acme-Noun"
value = "a {type.noun}"
[[signature]]
credential = "secret"
header = "Acme-Signature"
algorithm = "hmac-sha512"
signed = "{event.id}|{attempt.at:ms}|{body}"
encoding = "base64"
value = "id={event.id} at={attempt.at:ms} mac={signatures}"
[test]
sample = "subscribed"
[read]
type = "{header.Acme-Event}"
data = "{body[object]}"
[limits]
webhooks = 1
name = "none"
https = "unless_operator_allows"
[states]
new = "active"
url_change = "any"
[access]
configure = ["admin"]
[subscription]
by = "type"
absent = "all"
[delivery]
order = "fifo"
timeout = "5s"
gone = "retry"
[retry]
delays = ["0s", "1m"]
[epoch]
default = "now"
[catalog]
type = "{group}.{verb}"
every = ["lost"]
[catalog.group."parcel.in"]
title = "Incoming parcels"
noun = "parcel"
parties = ["from", "to"]
parties_min = 1
verbs = ["arrived"]
"""
GROUP = """{"$defs": {"arrived": {
  "title": "A parcel has arrived", "description": "It can be fetched.", "type": "object",
  "properties": {"grams": {"type": "number"}}, "required": ["grams"],
  "examples": [{"grams": 1.5}], "x-context": {"to": "Jane"}
}}}"""


@pytest.fixture(scope="module")
def own_profiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "acme").mkdir()
    (folder / "acme" / "profile.toml").write_text(TOML, encoding="utf-8")
    (folder / "acme" / "parcel.in.json").write_text(GROUP, encoding="utf-8")
    return folder


async def test_a_profile_from_a_folder_is_spoken(wire: Wire) -> None:
    """Body, headers and signature are as its file says, checked with plain hmac; so is what it refuses."""
    webhook = await wire.webhook("acme")
    events = f"/v1/applications/{webhook.application_id}/events"
    for verb in ("arrived", "lost"):
        published = (
            b'{"type":"parcel.in.%b","content":{"grams":1.50,"to":"\\u00fc"},"context":{"to":"Jane","from":[1e2]},'
            b'"occurred_at":"2026-01-01T00:00:00.125Z"}' % verb.encode()
        )
        answer = await wire("POST", events, published, 202)
        request = await webhook.receiver.next(webhook.path)
        assert request.body.decode() == (
            f'{{"v":"2","kind":"parcel {verb}","sent":1767225600125,"region":null,'
            '"parcel":{"grams":1.50,"to":"\\u00fc"},"from":[1e2],"to":"Jane","object":"parcel"}'
        )
        assert request.header("Acme-Event") == f"parcel.in.{verb}"
        assert request.header("Acme-Noun") == "a parcel"
        match = re.fullmatch(r"id=(pcl_\w+) at=(\d{13}) mac=(\S+)", request.header("Acme-Signature"))
        assert match is not None
        assert match[1] == answer["id"]
        signed = f"{match[1]}|{match[2]}|".encode() + request.body
        mac = hmac.digest(webhook.webhook["secret"].encode(), signed, hashlib.sha512)
        assert base64.b64encode(mac).decode() == match[3]
    refused = await wire("POST", events, b'{"type":"parcel.in.arrived","content":{"grams":1},"context":{}}', 400)
    assert refused["code"] == "invalid_request"
    refused = await wire(
        "POST", events, b'{"type":"parcel.in.arrived","content":{"grams":"1"},"context":{"to":1,"by":2}}', 400
    )
    assert [fault["pointer"] for fault in refused["errors"]] == ["/context/by"]
