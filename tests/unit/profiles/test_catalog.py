"""Which event types exist, and what their contents must be."""

import copy
import itertools
import json

import pytest

from hookspan.errors import ConfigurationError, SchemaMismatch, UnknownEventType
from hookspan.profiles import load_profile, load_profiles
from hookspan.profiles._catalog import SEEN_TYPES_MAX, TYPE_CHARACTERS_MAX, OpenCatalog
from hookspan.profiles._near import NAMES_MAX, did_you_mean
from hookspan.profiles._schemas import FAULTS_MAX
from tests.unit.profiles._folders import MINIMAL, THING, changed, write_profile

PROFILES = load_profiles()
BRIDGE = PROFILES.get("bridge-api")
STANDARD = PROFILES.get("standard")

TYPES = {
    "user.deleted": ("user", "2025", "A user has been deleted"),
    "item.created": ("item", None, "An item has been created"),
    "item.refreshed": ("item", None, "An item has been refreshed"),
    "item.deleted": ("item", "2025", "An item has been deleted"),
    "item.account.created": ("item.account", None, "An account has been created"),
    "item.account.updated": ("item.account", None, "An account has been updated"),
    "item.account.deleted": ("item.account", "late 2021", "An account has been deleted"),
    "payment.transaction.created": ("payment.transaction", "2021", "A payment transaction has been created"),
    "payment.transaction.updated": ("payment.transaction", "2021", "A payment transaction has been updated"),
    "payment.link.updated": ("payment.link", "2021", "A payment link has been updated"),
}


def test_bridge_api_lists_every_type_with_its_words():
    """In the fact sheet's order, each with category, since, title, description, schema and sample."""
    entries = BRIDGE.catalog()
    assert {one.type: (one.category, one.since, one.title) for one in entries} == TYPES
    for one in entries:
        assert one.description.endswith(".")
        assert one.schema is not None
        assert one.schema["$ref"] == f"#/$defs/{one.type.removeprefix(f'{one.category}.')}"
        assert BRIDGE.category_of(one.type) == one.category
        BRIDGE.check(one.type, one.sample, one.context)


@pytest.mark.parametrize("name", ["ITEM_CREATED", "item", "item.", "TEST_EVENT", "item.account", "", "item.created "])
def test_a_type_that_is_not_listed_is_unknown(name):
    with pytest.raises(UnknownEventType):
        BRIDGE.check(name, b"{}", None)
    with pytest.raises(UnknownEventType):
        BRIDGE.sample(name)
    assert BRIDGE.category_of(name) is None


@pytest.mark.parametrize("name", ["a", "invoice.paid", "A_1.b.C", "x" * TYPE_CHARACTERS_MAX])
def test_standard_takes_any_dotted_name(name):
    STANDARD.check(name, b"{}", None)
    assert STANDARD.takes_type(name)
    assert STANDARD.category_of(name) is None


@pytest.mark.parametrize(
    "name", ["", ".", "a.", ".a", "a..b", "a b", "a\n", "é", "a-b", "x" * (TYPE_CHARACTERS_MAX + 1)]
)
def test_standard_refuses_any_other_name(name):
    assert not STANDARD.takes_type(name)
    with pytest.raises(UnknownEventType) as caught:
        STANDARD.check(name, b"{}", None)
    assert caught.value.errors[0].pointer == "/type"


@pytest.mark.parametrize(
    ("profile", "name", "words"),
    [
        (STANDARD, "no spaces", r"'no spaces'. Types of this catalog have the form ^[a-zA-Z0-9_]+"),
        (BRIDGE, "item.creatd", "'item.creatd'. Did you mean 'item.created'? GET /v1/profiles/bridge-api/events lists"),
        (BRIDGE, "zzz", "'zzz'. GET /v1/profiles/bridge-api/events lists those there are."),
    ],
)
def test_an_unknown_type_is_answered_with_what_there_is(profile, name, words):
    """The nearest one, the form, or where they are listed."""
    with pytest.raises(UnknownEventType) as caught:
        profile.check(name, b"{}", None)
    assert words in caught.value.detail


def test_what_is_near_is_looked_for_within_bounds():
    """Neither a long name nor many of them make the answer slow."""
    assert did_you_mean("x" * 100_000, ["x" * 100]) == f" Did you mean {'x' * 100!r}?"
    endless = (f"type.n{number}" for number in itertools.count())
    assert did_you_mean("type.n1", endless) == " Did you mean 'type.n1'?"
    assert next(endless) == f"type.n{NAMES_MAX}"


def test_types_that_were_seen_are_remembered_within_bounds():
    """A publisher that makes up types can't fill the memory."""
    catalog = STANDARD._catalog
    assert isinstance(catalog, OpenCatalog)
    for number in range(SEEN_TYPES_MAX + 10):
        assert STANDARD.takes_type(f"made_up.n{number}")
    assert len(catalog._seen) <= SEEN_TYPES_MAX


def test_standard_lists_its_test_event():
    assert [(one.type, one.sample) for one in STANDARD.catalog()] == [
        ("webhook.test", b'{"message":"Hello from Hookspan"}')
    ]


@pytest.mark.parametrize(
    ("event_type", "content", "faults"),
    [
        ("item.created", b"{}", [("/content/item_id", "required"), ("/content/user_uuid", "required")]),
        ("item.created", b'{"item_id":"1","user_uuid":"u"}', [("/content/item_id", "type")]),
        ("item.created", b'{"item_id":1,"user_uuid":"u","a/b":1}', [("/content/a~1b", "unknown_field")]),
        ("item.created", b'{"item_id":1,"user_uuid":"u","x":1e999}', [("/content", "number")]),
        (
            "payment.link.updated",
            b'{"payment_link_id":"x","payment_link_status":"gone"}',
            [("/content/payment_link_status", "enum")],
        ),
    ],
)
def test_a_content_that_does_not_fit_is_pointed_at(event_type, content, faults):
    """Every place is named, with the reason."""
    with pytest.raises(SchemaMismatch) as caught:
        BRIDGE.check(event_type, content, None)
    assert sorted((fault.pointer, fault.code) for fault in caught.value.errors) == faults
    assert caught.value.errors[0].pointer in caught.value.detail


def test_a_hopeless_content_gets_a_bounded_answer():
    content = b"{" + b",".join(b'"k%d":1' % number for number in range(500)) + b"}"
    with pytest.raises(SchemaMismatch) as caught:
        BRIDGE.check("item.created", content, None)
    assert len(caught.value.errors) == FAULTS_MAX


def test_checking_can_be_switched_off_but_types_stay():
    relaxed = BRIDGE.with_settings({"validate": False})
    relaxed.check("item.created", b'{"anything":1}', None)
    with pytest.raises(UnknownEventType):
        relaxed.check("item.melted", b"{}", None)


# --- wrong catalogs -------------------------------------------------------------------------------------------------


def without(*path):
    """The group's file with something taken out."""
    file = copy.deepcopy(THING)
    inner = file
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return file


def with_made(**members):
    file = copy.deepcopy(THING)
    file["$defs"]["made"].update(members)
    return file


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (without("$defs", "made"), r"thing\.json: \$defs\.made: this schema is missing"),
        (without("$defs", "made", "examples"), r"thing\.json: \$defs\.made\.examples: a sample is missing"),
        (without("$defs", "made", "title"), r"thing\.json: \$defs\.made: .*title"),
        (without("$defs", "id"), r"thing\.json: \$defs\.made: \$ref '#/\$defs/id' leads to nothing"),
        (without("$defs"), r"thing\.json: .*\$defs"),
        (
            with_made(examples=[{"id": "x"}]),
            r"thing\.json: \$defs\.made\.examples: the sample does not fit: /content/id",
        ),
        (with_made(type="thing"), r"thing\.json: \$defs\.made\.type: is no JSON Schema"),
        (with_made(properties={"id": {"$ref": "https://example.com/id.json"}}), "leads to nothing"),
        (with_made(properties={"id": {"$dynamicRef": "#id"}}), r"\$dynamicRef is not for profiles"),
        (with_made(title=" "), r"thing\.json: \$defs\.made\.title: must not be empty"),
        (with_made(description=""), r"thing\.json: \$defs\.made\.description: must not be empty"),
        (
            json.dumps(with_made(maximum=7)).replace("7", "1e400").encode(),
            r"thing\.json: it holds a number beyond every float",
        ),
        (b'{"$defs": {"made": 1, "made": 2}}', r"thing\.json: .*twice"),
        (b"{", r"thing\.json: is no JSON: .* at line 1, column 2\.$"),
        (b'{"$defs": {\n  "made": 17,\n}}', r"thing\.json: is no JSON: .* at line 3, column 1\.$"),
        (
            {"$defs": {**THING["$defs"], "id": {"type": "text"}}},
            r"thing\.json: \$defs\.id\.type: is no JSON Schema",
        ),
        (
            with_made(properties={"id": {"type": "string", "pattern": "^(?!x)"}}),
            r"thing\.json: \$defs\.made\.properties\.id\.pattern: .*without look-around",
        ),
    ],
)
def test_a_wrong_group_file_refuses_to_load(tmp_path, file, reason):
    """File, key and reason."""
    with pytest.raises(ConfigurationError, match=reason):
        load_profile(write_profile(tmp_path, files={"thing.json": file}))


def test_a_missing_group_file_refuses_to_load(tmp_path):
    with pytest.raises(ConfigurationError, match=r"catalog\.group\.thing: the file thing\.json"):
        load_profile(write_profile(tmp_path, files={}))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"made", {', '"made", "made", {', "twice"),
        ('"made", {', '"mäde", {', "can't be the name"),
        ('type = "{group}.{verb}"', 'type = "{verb}"', r"catalog\.type"),
        ('type = "{group}.{verb}"', "type = '^a$'\nopen = true", r"catalog\.group: an open catalog"),
        ('verbs = ["made", { lost = "2025" }]', "verbs = []", r"catalog\.group\.thing\.verbs|verbs"),
    ],
)
def test_a_wrong_catalog_refuses_to_load(tmp_path, old, new, reason):
    with pytest.raises(ConfigurationError, match=reason):
        load_profile(write_profile(tmp_path, changed(old, new)))


def test_two_types_of_one_name_refuse_to_load(tmp_path):
    """Group `thing`, verb `part.made` and group `thing.part`, verb `made` would be the same type."""
    toml = MINIMAL.replace('verbs = ["made",', 'verbs = ["part.made", "made",')
    toml += '"thing.part" = { title = "Parts", verbs = ["made"] }\n'
    part = {"title": "t", "description": "d", "examples": [{}]}
    thing = {"$defs": {**THING["$defs"], "part.made": part}}
    with pytest.raises(ConfigurationError, match=r"two types are called 'thing\.part\.made'"):
        load_profile(write_profile(tmp_path, toml, files={"thing.json": thing, "thing.part.json": THING}))


def test_a_group_has_titles_and_since(tmp_path):
    entries = load_profile(write_profile(tmp_path)).catalog()
    assert [(one.type, one.since) for one in entries] == [("thing.made", "2024"), ("thing.lost", "2025")]


def test_a_broken_pattern_refuses_to_load(tmp_path):
    toml = MINIMAL[: MINIMAL.index("[catalog]")] + "[catalog]\ntype = '(['\nopen = true\n"
    with pytest.raises(ConfigurationError, match=r"catalog\.type: .* is no regular expression: "):
        load_profile(write_profile(tmp_path, toml, files={}))
