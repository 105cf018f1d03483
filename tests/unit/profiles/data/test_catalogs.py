"""The catalogs of the shipped and the example profiles: complete, in words, and neither too strict nor too lax."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from hookspan.errors import SchemaMismatch, UnknownEventType
from hookspan.profiles import EXAMPLES, CatalogEntry, Profile, load_profile, load_profiles
from tests.unit.profiles.data._facts import BY_PROFILE
from tests.wire._golden import golden

PROFILES = load_profiles()
SHIPPED = [PROFILES.get(name) for name in PROFILES.names]
ALL = SHIPPED + [load_profile(folder) for folder in sorted(EXAMPLES.iterdir()) if folder.is_dir()]
ENTRIES = [
    pytest.param(profile, entry, id=f"{profile.name}:{entry.type}") for profile in ALL for entry in profile.catalog()
]
LISTED = [one for one in ENTRIES if isinstance(one.values[1], CatalogEntry) and one.values[1].schema is not None]
# One value of each type of JSON; what a schema's `type` does not name is wrong for it.
VALUES: dict[str, Any] = {
    "null": None, "boolean": True, "integer": 1, "number": 0.5, "string": "text", "array": [{}], "object": {"a": []},
}  # fmt: skip


def definition(entry: CatalogEntry, schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with the reference followed, if it is one."""
    assert entry.schema is not None
    while "$ref" in schema:
        schema = entry.schema["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return schema


def content_schema(entry: CatalogEntry) -> dict[str, Any]:
    assert entry.schema is not None
    return definition(entry, entry.schema)


def places(entry: CatalogEntry) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Each described member of a content, by its path, with its schema."""
    level: list[tuple[tuple[str, ...], dict[str, Any]]] = [((), content_schema(entry))]
    while level:
        path, schema = level.pop()
        for name, inner in schema.get("properties", {}).items():
            followed = definition(entry, inner)
            yield (*path, name), followed
            level.append(((*path, name), followed))


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("profile", "entry"), LISTED)
def test_titles_are_words(profile: Profile, entry: CatalogEntry) -> None:
    """ "An item has been refreshed", not "item.refreshed"."""
    assert re.fullmatch(r"(An?|The) [A-Za-z' ]+ has (been )?[a-z]+|An? [A-Za-z ]+'s st\w+ has changed", entry.title)
    assert entry.type not in entry.title


def test_titles_tell_the_types_of_a_profile_apart() -> None:
    for profile in ALL:
        titles = [entry.title for entry in profile.catalog()]
        assert len(set(titles)) == len(titles), profile.name


@pytest.mark.parametrize(("profile", "entry"), ENTRIES)
def test_descriptions_are_complete_sentences(profile: Profile, entry: CatalogEntry) -> None:
    """What happened, and what a receiver does with it; so there are at least two."""
    sentences = re.split(r"(?<=\.) ", entry.description)
    assert len(sentences) >= 2
    for sentence in sentences:
        assert re.fullmatch(r"[A-Z].{10,}\.", sentence), sentence
        assert not re.search(r"[_{}]", sentence), "a word for people, not a key"


@pytest.mark.parametrize(("profile", "entry"), [one for one in LISTED if one.values[0] in SHIPPED])
def test_descriptions_of_shipped_types_say_when_and_what_for(profile: Profile, entry: CatalogEntry) -> None:
    assert "It is sent" in entry.description
    assert "A receiver " in entry.description
    assert re.search(r"\b(sample|documented|inner fields)\b", entry.description), "where the sample comes from"


@pytest.mark.parametrize(("profile", "entry"), LISTED)
def test_every_member_is_described(profile: Profile, entry: CatalogEntry) -> None:
    found = dict(places(entry))
    assert found
    for path, schema in found.items():
        assert re.fullmatch(r"[A-Z].*\.", schema.get("description", "")) or "properties" in schema, path


# --- completeness ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(BY_PROFILE))
def test_a_catalog_has_what_is_documented_in_its_order(name: str) -> None:
    """Every type of the vendor's tables, and no other; each with every key that is known of its content."""
    entries = PROFILES.get(name).catalog()
    assert [entry.type for entry in entries] == list(BY_PROFILE[name])
    for entry in entries:
        assert set(BY_PROFILE[name][entry.type].split()) <= set(content_schema(entry)["properties"]), entry.type


@pytest.mark.parametrize("name", sorted(BY_PROFILE))
def test_documented_samples_are_the_catalogs_verbatim(name: str) -> None:
    profile = PROFILES.get(name)
    documented = [one for one in golden(name) if one.source in {"documented", "seen"} and one.type not in SEEN]
    assert documented
    for one in documented:
        assert profile.sample(one.type).content == bytes(one.content)


SEEN = {
    f"{category}.{verb}"
    for category in ("liquidation_address", "virtual_account", "rfi", "card_dispute")
    for verb in ("created", "updated")
}


@pytest.mark.parametrize("category", sorted({entry.category or "" for entry in PROFILES.get("bridge-xyz").catalog()}))
@pytest.mark.parametrize("verb", ["canceled", "deleted"])
def test_mutations_that_every_category_has_are_taken_without_being_listed(category: str, verb: str) -> None:
    """And their contents are held against the category's schema all the same."""
    profile = PROFILES.get("bridge-xyz")
    name = f"{category}.{verb}"
    profile.check(name, b'{"id":"x"}', None)
    assert profile.category_of(name) == category
    with pytest.raises(SchemaMismatch):
        profile.check(name, b'{"id":7}', None)
    if name != "customer.deleted":
        assert name not in {entry.type for entry in profile.catalog()}
    with pytest.raises(UnknownEventType):
        profile.check(f"{category}.melted", b'{"id":"x"}', None)


# --- strictness -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("profile", "entry"), ENTRIES)
def test_samples_fit(profile: Profile, entry: CatalogEntry) -> None:
    """Whole, with their context: what the catalog shows can be published as it is."""
    profile.check(entry.type, entry.sample, entry.context)
    if entry.schema is not None:
        sample = msgspec.json.decode(entry.sample)
        assert set(sample) <= set(content_schema(entry)["properties"]), "a sample shows only what is described"


@pytest.mark.parametrize(("profile", "entry"), LISTED)
def test_a_member_of_a_wrong_type_is_caught(profile: Profile, entry: CatalogEntry) -> None:
    """Each described member, with a value of each type that it can't have."""
    for path, schema in places(entry):
        allowed = {schema["type"]} if isinstance(schema.get("type"), str) else set(schema.get("type", ()))
        if "number" in allowed:
            allowed.add("integer")
        for kind, value in VALUES.items():
            drops_it = value is None and profile.name == "bridge-api"
            if kind in allowed or drops_it:
                continue
            content = with_member(entry.sample, path, value)
            if not allowed and value in (schema.get("enum") or [schema.get("const")]):
                continue
            with pytest.raises(SchemaMismatch) as caught:
                profile.check(entry.type, content, entry.context)
            assert caught.value.errors[0].pointer.startswith("/content/" + path[0]), (path, kind)


def with_member(sample: bytes, path: tuple[str, ...], value: Any) -> bytes:
    content = msgspec.json.decode(sample)
    inner = content
    for step in path[:-1]:
        inner = inner.setdefault(step, {})
    inner[path[-1]] = value
    return msgspec.json.encode(content)


@pytest.mark.parametrize(("profile", "entry"), LISTED)
def test_a_required_member_that_is_missing_is_caught(profile: Profile, entry: CatalogEntry) -> None:
    required = content_schema(entry)["required"]
    assert required
    for name in required:
        content = msgspec.json.decode(entry.sample)
        del content[name]
        with pytest.raises(SchemaMismatch) as caught:
            profile.check(entry.type, msgspec.json.encode(content), entry.context)
        assert caught.value.errors[0].pointer == f"/content/{name}"


@pytest.mark.parametrize("name", ["bridge-lms", "bridge-xyz"])
def test_what_the_vendor_may_add_is_let_through(name: str) -> None:
    """Unknown members, any value of a documented list that may grow, and nothing but the id."""
    profile = PROFILES.get(name)
    for entry in profile.catalog():
        profile.check(entry.type, b'{"id":"1"}', entry.context)
        profile.check(entry.type, b'{"id":"1","new":{"a":[1]},"status":"new","state":"new"}', entry.context)


def test_ids_of_the_learning_platform_are_numbers_or_texts() -> None:
    profile = PROFILES.get("bridge-lms")
    for entry in profile.catalog():
        for value in (b"7", b'"7"', b"12345678901234567890"):
            profile.check(entry.type, b'{"id":%b}' % value, entry.context)
        with pytest.raises(SchemaMismatch):
            profile.check(entry.type, b'{"id":null}', entry.context)
