"""Groups: attributes of their own, lists that spread context into the body, samples with context, unlisted verbs."""

import copy
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.errors import ConfigurationError, InvalidRequest, SchemaMismatch, UnknownEventType, UnknownField
from hookspan.profiles import Sample, load_profile
from hookspan.profiles._groups import LIST_LENGTH_MAX
from tests.unit.profiles._folders import THING, changed, write_profile

ROWS = """rows = [
  ["of", "{type.key}"],
  ["...", "{context[actor]}"],
  ["{type.key}", "{content}"],
  ["...", "{context[parents]}"],
  ["note", "{context.note?}"],
]
context = { note = "string" }"""
THINGS = (
    'thing = { title = "Things", key = "th\\"ing", actor = ["author"], parents = ["shop", "mall"], parents_min = 1,'
    ' verbs = ["made"] }'
)
PLAIN = 'thing = { title = "Things", since = "2024", verbs = ["made", { lost = "2025" }] }'
CONTEXT = {"author": {"id": 1}, "mall": "m"}


def things(rows=ROWS, group=THINGS, *, more=""):
    """The small profile with rows and groups of these."""
    toml = changed('rows = [["type", "{type}"], ["data", "{content}"]]', rows).replace(PLAIN, group)
    return toml.replace("{body.type}", "{body.of}").replace("{body.data}", "{body[of]}") + more


def files(context=CONTEXT, **definitions):
    file = copy.deepcopy(THING)
    file["$defs"].update(definitions)
    if context is not None:
        file["$defs"]["made"]["x-context"] = context
    return {"thing.json": file}


@pytest.fixture
def spreading(tmp_path):
    return load_profile(write_profile(tmp_path, things(), files=files()))


def body_of(profile, context):
    raw = None if context is None else json.dumps(context).encode()
    profile.check("thing.made", b'{"id":1}', raw)
    return profile.render("thing.made", b'{"id":1}', raw, "evt_1", 0, "")


# --- spreading --------------------------------------------------------------------------------------------------------


def test_lists_spread_their_members_in_their_order(spreading):
    """Not in the publisher's order; values stay as they are, keys and attributes are JSON strings."""
    body, content_at, content_bytes = body_of(
        spreading, {"mall": [None], "note": "n", "shop": None, "author": {"a": 1}}
    )
    assert body == (b'{"of":"th\\"ing","author":{"a":1},"th\\"ing":{"id":1},"shop":null,"mall":[null],"note":"n"}')
    assert body[content_at : content_at + content_bytes] == b'{"id":1}'


def test_at_least_as_many_as_the_group_says(spreading):
    """`parents_min = 1`: one of two will do."""
    assert body_of(spreading, CONTEXT)[0] == b'{"of":"th\\"ing","author":{"id":1},"th\\"ing":{"id":1},"mall":"m"}'


@pytest.mark.parametrize(
    ("context", "error", "pointers"),
    [
        (None, InvalidRequest, ["/context/author"]),
        ({"shop": 1}, InvalidRequest, ["/context/author"]),
        ({"author": 1}, InvalidRequest, ["/context"]),
        ({"author": 1, "shop": 1, "note": 1}, InvalidRequest, ["/context/note"]),
        ({"author": 1, "shop": 1, "course": 1}, UnknownField, ["/context/course"]),
        ({"author": 1, "shop": 1, "a/b~": 1}, UnknownField, ["/context/a~1b~0"]),
    ],
)
def test_context_is_what_the_type_s_lists_name(spreading, context, error, pointers):
    """What is missing and what is unknown are pointed at, when the event is checked."""
    with pytest.raises(error) as caught:
        body_of(spreading, context)
    assert [fault.pointer for fault in caught.value.errors] == pointers


def test_context_of_one_group_is_unknown_to_another(tmp_path):
    """Each type has the context of its own lists."""
    part = 'part = { title = "Parts", key = "part", actor = [], parents = [], verbs = ["made"] }\n'
    both = load_profile(
        write_profile(tmp_path, things(more=part), files={**files(), "part.json": THING}),
    )
    assert both.render("part.made", b'{"id":1}', None, "evt_1", 0, "")[0] == b'{"of":"part","part":{"id":1}}'
    with pytest.raises(UnknownField, match=r"part\.made has no context member 'author'; it has note"):
        both.check("part.made", b'{"id":1}', b'{"author":{}}')


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.lists(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters=":"), min_size=1, max_size=6
    ).filter(lambda name: name not in {"of", "thing", "note", "..."}),
    min_size=1,
    max_size=5,
    unique=True,
)


@given(data=st.data(), names=NAMES)
def test_a_spread_body_is_what_json_would_make(tmp_path_factory, data, names):
    """Whatever a list names and a context holds: the same members in the list's order, then as the rows say."""
    parents = json.dumps(names, ensure_ascii=False)
    group = (
        f'thing = {{ title = "T", key = "thing", actor = [], parents_min = 0, parents = {parents}, verbs = ["made"] }}'
    )
    folder = write_profile(tmp_path_factory.mktemp("p"), things(group=group), files=files({}))
    profile = load_profile(folder)
    context = data.draw(st.dictionaries(st.sampled_from(names), VALUES))
    body, content_at, _ = body_of(profile, context)
    wanted = {"of": "thing", "thing": {"id": 1}, **{name: context[name] for name in names if name in context}}
    assert json.loads(body) == wanted
    assert list(json.loads(body)) == list(wanted)
    assert body[content_at:].startswith(b'{"id":1}')


# --- samples ----------------------------------------------------------------------------------------------------------


def test_a_sample_has_its_context(spreading):
    """What `sample` and the catalog give can be published as it is."""
    context = b'{"author":{"id":1},"mall":"m"}'
    assert spreading.sample("thing.made") == Sample(b'{"id":1}', context)
    (entry,) = spreading.catalog()
    assert (entry.sample, entry.context) == (b'{"id":1}', context)
    spreading.check(entry.type, entry.sample, entry.context)


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (None, "needs context.author"),
        ({"author": 1}, "at least 1 of: shop, mall"),
        ({**CONTEXT, "course": 1}, "no context member 'course'"),
        ({**CONTEXT, "note": 1}, "context.note must be of type string"),
        ([], "context must be an object"),
    ],
)
def test_a_sample_whose_context_does_not_fit_refuses_to_load(tmp_path, context, reason):
    """File, key and reason."""
    with pytest.raises(ConfigurationError, match=rf"/thing\.json: \$defs\.made\.x-context: .*{re.escape(reason)}"):
        load_profile(write_profile(tmp_path, things(), files=files(context)))


# --- wrong groups -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('title = "Things"', "title = 1", r"catalog\.group\.thing\.title: must be a text, not a whole number"),
        ('title = "Things", ', "", r"catalog\.group\.thing\.title: this key is missing"),
        ('verbs = ["made"]', 'verbs = ["made", 1]', r"catalog\.group\.thing\.verbs\.1: "),
        ('verbs = ["made"]', "verbs = [{}]", r"catalog\.group\.thing\.verbs: a group needs a verb"),
        (
            'verbs = ["made"]',
            'verbs = ["made"], colour = "red"',
            r"catalog\.group\.thing\.colour: there is no such key",
        ),
        ("parents_min = 1", "parent_min = 1", r"catalog\.group\.thing\.parent_min: there is no such key"),
        ("parents_min = 1", "parents_min = 3", r"catalog\.group\.thing\.parents_min: .*from 0 to 2"),
        ("parents_min = 1", "parents_min = true", r"catalog\.group\.thing\.parents_min: .*whole number"),
        ("parents_min = 1", "key_min = 1", r"catalog\.group\.thing\.key_min: there is no such key"),
        ('parents = ["shop", "mall"]', 'parents = "shop"', r"catalog\.group\.thing\.parents: must be a list"),
        ('parents = ["shop", "mall"]', "parents = [1]", r"catalog\.group\.thing\.parents: must be a list"),
        (
            'parents = ["shop", "mall"]',
            'parents = ["a", "a"]',
            r"catalog\.group\.thing\.parents: 'a' stands there twice",
        ),
        (
            'parents = ["shop", "mall"]',
            f"parents = {json.dumps([f'p{number}' for number in range(LIST_LENGTH_MAX + 1)])}",
            rf"catalog\.group\.thing\.parents: has {LIST_LENGTH_MAX + 1} names",
        ),
        ('parents = ["shop", "mall"], ', "", r"catalog\.group\.thing\.parents_min: the list 'parents' .*missing"),
        ('actor = ["author"], ', "", r"body\.rows\.1: the group 'thing' has no list 'actor'"),
        ('actor = ["author"]', 'actor = ["mall"]', r"body\.rows\.3: the key 'mall' stands in two rows"),
        ('actor = ["author"]', 'actor = ["of"]', r"body\.rows\.1: the key 'of' stands in two rows"),
        ('key = "th\\"ing"', 'key = ["a"]', r"catalog\.group\.thing\.key: must be a text"),
        ('key = "th\\"ing"', 'key = "a\\nb"', r"catalog\.group\.thing\.key: must be a text"),
        ('key = "th\\"ing", ', "", r"body\.rows\.0: \{type\.key\} is not known here: the group 'thing' has no text"),
    ],
)
def test_a_wrong_group_refuses_to_load(tmp_path, old, new, reason):
    """File, key and reason; an attribute that nothing refers to is a typo."""
    assert THINGS.count(old) == 1
    with pytest.raises(ConfigurationError, match=rf"minimal/profile\.toml: {reason}"):
        load_profile(write_profile(tmp_path, things(group=THINGS.replace(old, new)), files=files()))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('["...", "{context[actor]} x"]', "goes with .*alone"),
        ('["...", "{context[actor]:ms}"]', "goes with"),
        ('["...", "{context[actor]?}"]', "goes with"),
        ('["...", "{content}"]', "goes with"),
        ('["...", "x"]', "goes with"),
        ('["...", "{content[actor]}"]', "goes with"),
        ('["...", "{context[nope]}"]', "no list 'nope'"),
        ('["...", "{context[key]}"]', "must be a list"),
        ('["...", "{context[a.b]}"]', "is no reference"),
        ('["x", "{context[actor]}"]', "is not known here"),
        ('["x", "{content[actor]}"]', "is not known here"),
        ('["x", "{type[actor]}"]', "is not known here"),
        ('["x", "{type.actor}"]', "the group 'thing' has no text 'actor'"),
        ('["{type.key | type}", "x"]', "alternatives"),
        ('["{type.key?}", "x"]', "not known here"),
    ],
)
def test_a_wrong_spread_refuses_to_load(tmp_path, row, reason):
    rows = ROWS.replace('  ["note"', f'  {row},\n  ["note"')
    with pytest.raises(ConfigurationError, match=rf"minimal/profile\.toml: .*({reason})"):
        load_profile(write_profile(tmp_path, things(rows), files=files()))


def test_a_spread_can_t_come_first(tmp_path):
    rows = 'rows = [["...", "{context[actor]}"], ["of", "{type.key}"], ["a", "{context[parents]}"]]'
    with pytest.raises(ConfigurationError, match=r"body\.rows\.0: the first row can't be a list"):
        load_profile(write_profile(tmp_path, things(rows), files=files()))


def test_an_open_catalog_has_no_lists(tmp_path):
    toml = things('rows = [["of", "{type}"], ["...", "{context[actor]}"]]')
    toml = toml[: toml.index("[catalog]")] + "[catalog]\ntype = '^[a-z.]+$'\nopen = true\n"
    with pytest.raises(ConfigurationError, match=r"body\.rows\.1: an open catalog has no groups"):
        load_profile(write_profile(tmp_path, toml, files={}))
    with pytest.raises(ConfigurationError, match=r"catalog\.every: an open catalog has no groups"):
        load_profile(write_profile(tmp_path, toml + 'every = ["x"]', name="other", files={}))


# --- verbs of every group ---------------------------------------------------------------------------------------------

EVERY = 'type = "{group}.{verb}"\nevery = ["lost", "gone"]'


@pytest.fixture
def unlisted(tmp_path):
    """`thing` lists `lost`; `gone` is of every group, and only `part` has a schema for it."""
    toml = changed('type = "{group}.{verb}"', EVERY) + 'part = { title = "Parts", verbs = ["made"] }\n'
    gone = {"title": "t", "description": "d", "required": ["why"], "examples": [{"why": "w"}]}
    part = {"$defs": {**THING["$defs"], "gone": gone}}
    return load_profile(write_profile(tmp_path, toml, files={"thing.json": THING, "part.json": part}))


def test_verbs_of_every_group_are_taken_but_not_listed(unlisted):
    """With category and body like the others."""
    assert [one.type for one in unlisted.catalog()] == ["thing.made", "thing.lost", "part.made"]
    assert unlisted.takes_type("thing.gone")
    assert unlisted.category_of("part.gone") == "part"
    body = unlisted.render("thing.gone", b'{"id":1}', None, "evt_1", 0, "")[0]
    assert body == b'{"type":"thing.gone","data":{"id":1}}'
    with pytest.raises(UnknownEventType):
        unlisted.check("thing.melted", b'{"id":1}', None)


def test_they_are_checked_like_the_group_s_first_verb_or_by_their_own_schema(unlisted):
    unlisted.check("thing.gone", b'{"id":1}', None)
    with pytest.raises(SchemaMismatch, match="/content/id"):
        unlisted.check("thing.gone", b"{}", None)
    assert unlisted.sample("thing.gone") == Sample(b'{"id":1}')
    unlisted.check("part.lost", b"{}", None)  # part.json has a schema of its own for it
    with pytest.raises(SchemaMismatch, match="/content/why"):
        unlisted.check("part.gone", b'{"id":1}', None)
    assert unlisted.sample("part.gone") == Sample(b'{"why":"w"}')


@pytest.mark.parametrize(
    ("every", "reason"),
    [
        ('["gone", "gone"]', r"catalog\.every: the verb 'gone' stands there twice"),
        ('["g one"]', r"catalog\.group\.thing: 'thing\.g one' can't be the name"),
        ('"gone"', r"catalog\.every: must be a list, not a text"),
    ],
)
def test_wrong_verbs_of_every_group_refuse_to_load(tmp_path, every, reason):
    toml = changed('type = "{group}.{verb}"', f'type = "{{group}}.{{verb}}"\nevery = {every}')
    with pytest.raises(ConfigurationError, match=reason):
        load_profile(write_profile(tmp_path, toml))


def test_a_verb_of_every_group_can_t_make_a_second_type_of_one_name(tmp_path):
    """`thing.part` + `made` and `thing` + `part.made`."""
    toml = changed('type = "{group}.{verb}"', 'type = "{group}.{verb}"\nevery = ["part.made"]')
    toml += '"thing.part" = { title = "Parts", verbs = ["made"] }\n'
    with pytest.raises(ConfigurationError, match=r"two types are called 'thing\.part\.made'"):
        load_profile(write_profile(tmp_path, toml, files={"thing.json": THING, "thing.part.json": THING}))
