"""Contexts: each member is of its kind, and its value goes out as it came, whatever it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan import jsontext
from hookspan.errors import ConfigurationError, HookspanError, InvalidRequest
from hookspan.profiles import EXAMPLES, SHIPPED, load_profile
from hookspan.profiles._kinds import ANY, is_of_kind
from tests.unit.profiles._folders import changed, write_profile

ALL = [load_profile(path) for path in sorted((*SHIPPED.iterdir(), *EXAMPLES.iterdir()))]
# Numbers beyond every float, and beyond every integer that is usual, wherever a number may stand.
LARGE = [b"1e400", b"-1e400", b"[1e400,2]", b'{"a":[1e400,2]}', b'{"a":1e400}', b"9" * 5_000, b'"1e400"', b"null"]
KINDS = {
    "string": {b'"a"', b'""', b'" "'},
    "text": {b'"a"', b'" "'},
    "integer": {b"0", b"-1", b"9" * 400},
    "number": {b"0", b"-1", b"9" * 400, b"-1.5", b"1e400"},
    "boolean": {b"true", b"false"},
    "object": {b"{}", b'{"a":1e400}', b'{"a": [1, 2]}', b'{"a":[[],{}],"b":[null,1e400]}'},
    "array": {b"[]", b"[1e400,2]"},
    "pairs": {b"{}", b'{"a": [1, 2]}', b'{"a":[[],{}],"b":[null,1e400]}'},
}
VALUES = sorted(set().union(*KINDS.values()))


def every_type():
    for profile in ALL:
        listed = [one.type for one in profile.catalog()] or ["order.paid"]
        for name in listed:
            yield profile, name


def sample_of(profile, name):
    sample = profile.sample(name)
    return sample.content, jsontext.members(sample.context or b"{}")


def refusal(profile, name, content, context):
    """How it is refused, None where it is taken; everything else is a fault of ours."""
    try:
        profile.check(name, content, context)
    except HookspanError as refused:
        return refused
    return None


@pytest.mark.parametrize("value", LARGE, ids=range(len(LARGE)))
def test_a_number_of_any_size_is_no_fault_of_ours(value):
    """In every member of every context of every profile it is taken as it is, or refused by name: never a 500."""
    taken = 0
    for profile, name in every_type():
        content, members = sample_of(profile, name)
        for member in profile._events.renderers.get(name, profile._events.renderer).context:
            given = members | {member: value}
            raw = b"{%b}" % b",".join(b'"%b":%b' % (one.encode(), text) for one, text in given.items())
            jsontext.check(raw)
            refused = refusal(profile, name, content, raw)
            if refused is not None:
                assert isinstance(refused, InvalidRequest)
                assert [fault.pointer for fault in refused.errors] == [f"/context/{member}"]
                continue
            body, _, _ = profile.render(name, content, raw, "evt_1", 0, "u")
            taken += b":" + value in body
    assert taken or value in {b"1e400", b"-1e400"}, "somewhere it is taken"


@given(st.binary(max_size=40))
def test_no_context_raises_what_nobody_foresaw(raw):
    """Any JSON at all, whole or as a member."""
    for text in (raw, b'{"changes":%b}' % raw, b'{"sequence":%b,"author":%b}' % (raw, raw)):
        try:
            jsontext.check(text)
        except HookspanError:
            continue
        for profile in ALL:
            name = next((one.type for one in profile.catalog()), "order.paid")
            refused = refusal(profile, name, profile.sample(name).content, text)
            assert refused is None or refused.errors


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind in KINDS for value in VALUES])
def test_each_kind_takes_its_own(kind, value):
    assert is_of_kind(value, kind) == (value in KINDS[kind])
    assert is_of_kind(value, f"{kind}?") == (value in KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_null_needs_a_question_mark(kind):
    assert not is_of_kind(b"null", kind)
    assert is_of_kind(b"null", f"{kind}?")
    assert is_of_kind(b"null", ANY)


@pytest.mark.parametrize("value", [b'{"a":"notpair"}', b'{"a":[1]}', b'{"a":[1,2,3]}', b'{"a":[1,2],"b":{}}', b"[]"])
def test_pairs_are_of_two(value):
    assert not is_of_kind(value, "pairs")


@pytest.mark.parametrize(
    ("profile", "event_type", "context", "pointer", "reason"),
    [
        ("bridge-xyz", "transfer.created", {"object_id": '""'}, "/context/object_id", "string, and not empty"),
        ("bridge-xyz", "transfer.created", {"changes": '{"a":"notpair"}'}, "/context/changes", r"array \[old, new\]"),
        ("bridge-lms", "enrollment.created", {"learner": "3"}, "/context/learner", "type object"),
        ("bridge-lms", "enrollment.created", {"course": "null"}, "/context/course", "type object"),
    ],
)
def test_the_vendors_shapes_are_held(profile, event_type, context, pointer, reason):
    """What a receiver of theirs would stumble over is refused at publishing."""
    one = load_profile(SHIPPED / profile)
    content, members = sample_of(one, event_type)
    given = members | {name: text.encode() for name, text in context.items()}
    raw = b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), text) for name, text in given.items())
    with pytest.raises(InvalidRequest, match=reason) as caught:
        one.check(event_type, content, raw)
    assert [fault.pointer for fault in caught.value.errors] == [pointer]


GROUP = 'thing = { title = "Things", since = "2024", verbs = ["made", { lost = "2025" }] }'
ROWS = 'rows = [["type", "{type}"], ["data", "{content}"]]'


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ('["shop:objct"]', r"catalog\.group\.thing\.at: 'objct' is no type; types are string, "),
        ('["shop:any"]', "'any' is no type"),
        ('["shop:"]', "'' is no type"),
        ('[":object"]', "':object' names no member"),
        ('["shop:object", "shop"]', "'shop' stands there twice"),
    ],
)
def test_a_list_s_kinds_are_checked(tmp_path, names, reason):
    group = f'thing = {{ title = "Things", at = {names}, at_min = 0, verbs = ["made", "lost"] }}'
    rows = 'rows = [["type", "{type}"], ["data", "{content}"], ["...", "{context[at]}"]]'
    with pytest.raises(ConfigurationError, match=reason):
        load_profile(write_profile(tmp_path, changed(ROWS, rows).replace(GROUP, group)))


def test_a_list_may_name_kinds(tmp_path):
    """With a ? for null; a name without a kind takes any value."""
    group = 'thing = { title = "T", at = ["shop:object?", "any"], at_min = 0, verbs = ["made", "lost"] }'
    rows = 'rows = [["type", "{type}"], ["data", "{content}"], ["...", "{context[at]}"]]'
    profile = load_profile(write_profile(tmp_path, changed(ROWS, rows).replace(GROUP, group)))
    profile.check("thing.lost", b"{}", b'{"shop":null,"any":[1e400]}')
    assert profile.render("thing.lost", b"{}", b'{"any":1e400,"shop":{}}', "e", 0, "u")[0].endswith(
        b'"shop":{},"any":1e400}'
    )
    with pytest.raises(InvalidRequest, match=r"context\.shop must be of type object\."):
        profile.check("thing.lost", b"{}", b'{"shop":1}')
