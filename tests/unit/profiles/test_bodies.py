"""Bodies, byte for byte as the fact sheets have them."""

import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.errors import ConfigurationError, InvalidRequest, SchemaMismatch, UnknownField
from hookspan.profiles import Sample, load_profile, load_profiles
from tests.unit.profiles._documented import BRIDGE_BODIES, TEST_EVENT
from tests.unit.profiles._folders import MINIMAL, THING, changed, write_profile

PROFILES = load_profiles()
BRIDGE = PROFILES.get("bridge-api")
STANDARD = PROFILES.get("standard")
APPLICATION = "5f0c7f9e-6a5c-4e43-9b5a-0a6f3a2b9c11"


def render(profile, event_type, content, context=None, at_ms=1_700_000_000_123):
    profile.check(event_type, content, context)
    return profile.render(event_type, content, context, "evt_1", at_ms, APPLICATION)


@pytest.mark.parametrize("body", BRIDGE_BODIES)
def test_bridge_api_bodies_are_the_documented_ones(body):
    """From the content as a publisher may write it, with white space, and compact, the same bytes come."""
    whole = json.loads(body)
    compact = body[len('{"content":') : body.index(',"timestamp":')].encode()
    rendered, content_at, content_bytes = render(BRIDGE, whole["type"], compact, at_ms=whole["timestamp"])
    assert rendered == body.encode()
    assert rendered[content_at : content_at + content_bytes] == compact
    spaced = json.dumps(whole["content"], indent=2).encode()
    assert render(BRIDGE, whole["type"], spaced, at_ms=whole["timestamp"]) == (body.encode(), -1, 0)
    assert BRIDGE.sample(whole["type"]) == Sample(compact)


def test_the_bridge_api_test_event_is_verbatim():
    """139 bytes, in seconds, whatever the time: outside the envelope and the catalog."""
    test = BRIDGE.test_event()
    assert test is not None
    assert test.type == "TEST_EVENT"
    assert test.body("evt_9", 1_800_000_000_000, APPLICATION) == TEST_EVENT
    assert len(TEST_EVENT) == 139
    assert not BRIDGE.takes_type("TEST_EVENT")


def test_null_members_of_content_are_left_out_for_bridge_api():
    """Optional keys are left out when null, never sent as null; the schema sees them left out too."""
    content = b'{"payment_transaction_id":"a","payment_request_id":"b","client_reference":null,"end_to_end_id":"null"}'
    body, content_at, _ = render(BRIDGE, "payment.transaction.created", content, at_ms=5)
    assert body == (
        b'{"content":{"payment_transaction_id":"a","payment_request_id":"b","end_to_end_id":"null"},'
        b'"timestamp":5,"type":"payment.transaction.created"}'
    )
    assert content_at == -1


def test_a_required_member_that_is_null_is_missing():
    with pytest.raises(SchemaMismatch) as caught:
        BRIDGE.check("item.created", b'{"item_id":null,"user_uuid":"u"}', None)
    assert [fault.pointer for fault in caught.value.errors] == ["/content/item_id"]


def test_a_standard_body():
    """Type, timestamp in RFC 3339 with milliseconds, data as sent: nulls, number text and escapes untouched."""
    content = b'{"a":null,"b":1.50e3,"c":"\\u00e9\\/"}'
    body, content_at, content_bytes = render(STANDARD, "invoice.paid", content)
    assert body == b'{"type":"invoice.paid","timestamp":"2023-11-14T22:13:20.123Z","data":' + content + b"}"
    assert body[content_at : content_at + content_bytes] == content


def test_the_standard_test_event():
    test = STANDARD.test_event()
    assert test is not None
    assert test.body("evt_1", 0, APPLICATION) == (
        b'{"type":"webhook.test","timestamp":"1970-01-01T00:00:00.000Z","data":{"message":"Hello from Hookspan"}}'
    )


@given(st.integers(0, 253_402_300_799_999))
def test_times_are_rfc_3339(at_ms):
    """The cached second never shows in another's time."""
    body = STANDARD.render("a", b"{}", None, "evt_1", at_ms, APPLICATION)[0]
    at = datetime.datetime.fromisoformat(json.loads(body)["timestamp"])
    assert (at - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(milliseconds=1) == at_ms


# --- the language ---------------------------------------------------------------------------------------------------

ROWS = """rows = [
  ["version", "v0"],
  ["who \\"x\\"", "of {application.uuid}: {type.verb} at {event.at:s}"],
  ["{type.group}", "{content}"],
  ["id", "{event.id}"],
  ["at", "{event.at:ms}"],
  ["sequence", "{context.sequence?}"],
  ["object_id", "{context.object_id | content.id}"],
  ["status", "{context.status | null}"],
  ["changes", "{context.changes | empty}"],
]
context = { sequence = "integer", object_id = "string", status = "string?", changes = "object" }"""


@pytest.fixture
def wide(tmp_path):
    """A profile that uses all of the language of bodies."""
    toml = (
        changed('rows = [["type", "{type}"], ["data", "{content}"]]', ROWS)
        .replace("body.data", "body.thing")
        .replace("body.type", "body.version")
    )
    lost = {**THING["$defs"]["lost"], "x-context": {"object_id": "o"}}
    return load_profile(
        write_profile(tmp_path, toml, files={"thing.json": {"$defs": {**THING["$defs"], "lost": lost}}})
    )


def test_references_and_what_they_fall_back_to(wide):
    lead = f'{{"version":"v0","who \\"x\\"":"of {APPLICATION}: made at 1700000000","thing":{{"id":1}},"id":"evt_1",'
    body, content_at, content_bytes = render(wide, "thing.made", b'{"id":1}')
    assert body.decode() == lead + '"at":1700000000123,"object_id":1,"status":null,"changes":{}}'
    assert body[content_at : content_at + content_bytes] == b'{"id":1}'
    context = b'{"sequence": 7, "object_id": "o 1", "status": null, "changes": {"a": [1, 2]}}'
    body = render(wide, "thing.made", b'{"id":1}', context)[0]
    assert body.decode() == (
        lead + '"at":1700000000123,"sequence":7,"object_id":"o 1","status":null,"changes":{"a":[1,2]}}'
    )


def test_what_the_body_needs_and_does_not_get_is_refused(wide):
    """Plain means required; the refusal comes from `check`, so `render` never fails."""
    with pytest.raises(InvalidRequest) as caught:
        wide.check("thing.lost", b"{}", None)
    assert caught.value.errors[0].pointer == "/context/object_id"
    wide.check("thing.lost", b"{}", b'{"object_id":"o"}')


@pytest.mark.parametrize(
    ("context", "error", "pointer"),
    [
        (b'{"nope":1}', UnknownField, "/context/nope"),
        (b'{"sequence":"1"}', InvalidRequest, "/context/sequence"),
        (b'{"sequence":true}', InvalidRequest, "/context/sequence"),
        (b'{"object_id":null}', InvalidRequest, "/context/object_id"),
        (b'{"changes":[]}', InvalidRequest, "/context/changes"),
        (b"[]", InvalidRequest, "/context"),
    ],
)
def test_context_is_what_the_profile_names(wide, context, error, pointer):
    with pytest.raises(error) as caught:
        wide.check("thing.made", b'{"id":1}', context)
    assert caught.value.errors[0].pointer == pointer


def test_a_profile_without_context_refuses_any():
    """Shipped profiles of this kind accept an empty one."""
    with pytest.raises(UnknownField, match="no context at all"):
        STANDARD.check("a.b", b"{}", b'{"x":1}')
    STANDARD.check("a.b", b"{}", b"{}")


@pytest.mark.parametrize("content", [b"[]", b'"x"', b"null", b"1", b" []"])
@pytest.mark.parametrize(("profile", "event_type"), [(STANDARD, "a.b"), (BRIDGE, "item.created")])
def test_content_is_an_object(profile, event_type, content):
    with pytest.raises(SchemaMismatch) as caught:
        profile.check(event_type, content, None)
    assert caught.value.errors[0].pointer == "/content"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('["a", "{event.at}"]', "is not known here"),
        ('["a", "{content.x | type}"]', "can't be used here"),
        ('["a", "{type | null}"]', "never reached"),
        ('["a", "{null | content.x}"]', "could ever be reached"),
        ('["a", "{type?}"]', "can be missing"),
        ('["a", "x {event.id?}"]', "never missing"),
        ('["a", "{context.x}"]', "does not declare"),
        ('["a", "x {content}"]', "inside text"),
        ('["a", "x {content.id}"]', "inside text"),
        ('["a", "{type"]', "brace"),
        ('["a", "{TYPE}"]', "no reference"),
        ('["type", "{content}"]', "two rows"),
        ('["{event.id}", "x"]', "not known here"),
        ('["a", "{type.colour}"]', "not known here"),
    ],
)
def test_a_wrong_row_is_refused_by_its_number(tmp_path, row, reason):
    toml = changed('["data", "{content}"]]', f'["data", "{{content}}"], {row}]')
    with pytest.raises(ConfigurationError, match=rf"profile\.toml: body\.rows\.2: .*({reason})"):
        load_profile(write_profile(tmp_path, toml))


def test_the_first_row_is_always_there(tmp_path):
    toml = changed('["type", "{type}"]', '["type", "{content.x?}"]')
    with pytest.raises(ConfigurationError, match=r"body\.rows\.0: the first row"):
        load_profile(write_profile(tmp_path, toml))


def test_a_type_s_attributes_need_a_catalog(tmp_path):
    """An open catalog knows no groups."""
    start = MINIMAL.index("[catalog]")
    toml = MINIMAL[:start] + "[catalog]\ntype = '^[a-z.]+$'\nopen = true\n"
    load_profile(write_profile(tmp_path, toml, files={}))
    with pytest.raises(ConfigurationError, match="not known here"):
        load_profile(write_profile(tmp_path, toml.replace('"{type}"', '"{type.group}"'), name="other", files={}))
