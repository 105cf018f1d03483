"""Folders of profiles: what is loaded, and how a wrong one refuses to start."""

import json
from pathlib import Path

import pytest

import hookspan.profiles
from hookspan.errors import ConfigurationError, UnknownProfile
from hookspan.profiles import EXAMPLES, SHIPPED, LiveSecret, load_profile, load_profiles
from hookspan.profiles._loader import FILE_BYTES_MAX, FILES_MAX
from tests.unit.profiles._folders import MINIMAL, changed, write_profile


def test_the_shipped_profiles_load():
    assert set(load_profiles().names) >= {"standard", "bridge-api"}


def test_an_unknown_profile_is_refused_with_those_there_are():
    with pytest.raises(UnknownProfile) as caught:
        load_profiles().get("bridge")
    assert set(caught.value.data["allowed"]) >= {"standard", "bridge-api"}


def test_a_profile_of_one_s_own_needs_no_python(tmp_path):
    """A folder is enough to check, render and sign."""
    write_profile(tmp_path, name="own")
    own = load_profiles(tmp_path).get("own")
    own.check("thing.made", b'{"id":1}', None)
    assert own.render("thing.made", b'{"id":1}', None, "evt_1", 0, "")[0] == b'{"type":"thing.made","data":{"id":1}}'
    assert own.signer([LiveSecret("secret", b"k")])("evt_1", 0, b"{}", "thing.made").startswith(b"X-Signature: ")
    assert own.test_event() is None


def test_a_name_that_is_taken_is_refused(tmp_path):
    write_profile(tmp_path, name="standard")
    with pytest.raises(ConfigurationError, match="already"):
        load_profiles(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="can't be read"):
        load_profiles(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="can't be read"):
        load_profile(tmp_path / "nowhere")


def test_a_folder_without_its_document_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"profile\.toml.*missing"):
        load_profile(tmp_path)


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        (MINIMAL + "[", "is no TOML"),
        (MINIMAL + "[colour]\nred = 1\n", "colour: there is no such key"),
        (changed("format = 1\n", ""), "format: this key is missing"),
        (changed("format = 1", "format = 2"), "format: "),
        (changed("format = 1", "format = 2"), "format: 2 is not known here; there are: 1\\.$"),
        (changed('prefix = "evt_"', 'prefix = "a.b"'), r"ids\.event\.prefix: must be one to eight small letters"),
        (changed('by = "type"', 'by = "types"'), r"subscription\.by: 'types' is .*are: group, matrix, pattern, type\."),
        (changed('kind = "text"', 'kind = "txt"'), r"credential\.secret\.kind: 'txt' is .*are: .*rsa-2048, text"),
        (changed('https = "required"', "https = 7"), r"limits\.https: must be a text, not a whole number\."),
        (changed("webhooks = 3", "webhooks = -1"), r"limits\.webhooks: must be at least 0\."),
        (changed('["support"]', "[]"), r"access\.configure: must not be empty\."),
        (changed("[states]", "[state]"), r"state: there is no such key\. Did you mean 'states'\?$"),
        (
            changed("{type}", "{event.at:unix}"),
            r"body\.rows\.0: \{event\.at:unix\} is not known here; .*\{event\.at:s\}",
        ),
        (changed('until = "36h"', 'until = "4s"'), r"retry\.until: '4s' is before the first retry, '5s'"),
        (changed("[read]", "[test]\ntype = 'x'\nverbatim = '{'\n[read]"), r"test: Not JSON[^.]*\.$"),
        (changed('encoding = "hex"', 'encodings = "hex"'), r"signature\.0\.encoding"),
        (changed('encoding = "hex"', 'encoding = "hex"\ncolour = 1'), r"signature\.0\.colour: there is no such key"),
        (changed("[read]", "[test]\ntype = 'x'\n[read]"), "test: write either"),
        (changed("[read]", "[test]\ntype = 'thing.made'\ncontent = '{}'\n[read]"), "test: .*/content/id"),
        (changed("[read]", "[test]\ntype = 'x'\ncontent = '{}'\n[read]"), "test: .*no event type"),
        (changed("[read]", "[test]\ntype = 'x'\nverbatim = '{'\n[read]"), "test: Not JSON"),
        (changed("rows = [", 'context = { x = "colour" }\nrows = ['), r"body\.context\.x"),
        (changed('type = "{body.type}"', 'type = "body"'), r"read\.type"),
        (changed('data = "{body.data}"', 'data = "{body.data}"\nat = "{body.at:epoch}"'), r"read\.at"),
        (changed('type = "{body.type}"', 'type = "{body.typ}"'), r"read\.type: no row has the key 'typ'"),
        (changed('type = "{body.type}"', 'type = "{body.type:s}"'), r"read\.type: .*is no time"),
        (changed('type = "{body.type}"', 'type = "x.{body.type?}"'), r"read\.type: .*must name a member"),
        (changed('type = "{body.type}"', 'type = "{body[type]}"'), r"read\.type: .*must name a member"),
        (changed('type = "{body.type}"', 'type = "{header.X-Type}"'), r"read\.type: the profile sends no header"),
        (changed('data = "{body.data}"', 'data = "{body[kind]}"'), r"read\.data: no row has the key 'kind'"),
        (changed('data = "{body.data}"', 'data = "x {body.data}"'), r"read\.data: .*exactly one reference"),
        (changed('data = "{body.data}"', 'data = "{body.data}"\nid = "{body[type]}"'), r"read\.id: .*must name"),
        (changed('title = "Minimal"', 'title = "Minimal"\nmanagement_api = "x"'), "management_api: "),
        (changed("[read]", "[test]\nsamples = 'subscribed'\n[read]"), r"test\.samples: there is no such key"),
        (
            changed('data = "{body.data}"', 'data = "{body.data}"\ntolerance = { past = "x", future = "1m" }'),
            r"read\.tolerance\.past",
        ),
        (
            changed('data = "{body.data}"', 'data = "{body.data}"\ntolerance = { past = "1m", future = "1m" }'),
            r"read\.tolerance: .*\{attempt\.at\} is not in `signed`",
        ),
        (changed('title = "Minimal"', 'title = " "'), r"title: must be a text that is not empty\."),
        (changed('title = "Things"', 'title = ""'), r"catalog\.group\.thing\.title: must be a text that is not empty"),
        ("a = " + "[" * 200_000, "its tables or lists are nested too deeply"),
        ("a = " + "9" * 6_000, "is no TOML"),
        (changed("webhooks = 3", "webhooks = " + "9" * 4_000), r"limits\.webhooks: "),
    ],
)
def test_a_wrong_document_names_file_key_and_reason(tmp_path, toml, reason):
    with pytest.raises(ConfigurationError, match=rf"minimal/profile\.toml: {reason}"):
        load_profile(write_profile(tmp_path, toml))


@pytest.mark.parametrize(
    ("kind", "data"), [("{type.group}.{type.verb}", "{body.data}"), ("made {type.verb}", "{body[kind]}")]
)
def test_a_type_may_be_read_from_several_places_and_data_from_where_another_member_says(tmp_path, kind, data):
    toml = changed('["type", "{type}"]', f'["kind", "{kind}"]').replace("{body.data}", data)
    load_profile(write_profile(tmp_path, toml.replace('"{body.type}"', '"{body.kind}.{body.data}"')))


def test_a_folder_may_be_named_by_a_path_without_its_name(tmp_path, monkeypatch):
    """As somebody does who stands in it."""
    monkeypatch.chdir(write_profile(tmp_path, name="here"))
    assert load_profile(Path()).name == "here"


def test_examples_load_but_not_by_themselves():
    """Each from its folder; they are to be copied."""
    examples = [load_profile(folder) for folder in sorted(EXAMPLES.iterdir()) if folder.is_dir()]
    assert {one.name for one in examples} >= {"github-like", "slack-like", "stripe-like"}
    assert not {one.name for one in examples} & set(load_profiles().names)


def test_the_hash_is_of_all_that_is_in_the_folder(tmp_path):
    """Two nodes with one hash send the same bytes; a changed sample is another profile."""
    first = load_profile(write_profile(tmp_path / "a")).hash
    assert load_profile(write_profile(tmp_path / "b")).hash == first
    assert load_profile(write_profile(tmp_path / "c", MINIMAL + "# a comment\n")).hash != first
    more = write_profile(tmp_path / "d")
    (more / "notes.txt").write_text("not part of it")
    assert load_profile(more).hash == first
    (more / "other.toml").write_text("")
    assert load_profile(more).hash != first


def test_the_content_s_hash_is_of_what_is_said(tmp_path):
    """Not of how it is said: comments and white space are nothing; every value and the order of members is."""
    toml = MINIMAL + "# a comment\n\n"
    one, other = write_profile(tmp_path / "a"), write_profile(tmp_path / "b", toml)
    first = load_profile(one).content_hash
    assert load_profile(other).content_hash == first
    assert load_profile(other).hash != load_profile(one).hash
    for file in other.glob("*.json"):
        file.write_bytes(b" \r\n" + file.read_bytes())
    assert load_profile(other).content_hash == first
    one_more = write_profile(tmp_path / "c", MINIMAL.replace('title = "Things"', 'title = "All things"'))
    assert load_profile(one_more).content_hash != first
    for file in other.glob("*.json"):
        document = json.loads(file.read_bytes())
        document["$defs"]["made"]["description"] += " Or so."
        file.write_text(json.dumps(document))
    assert load_profile(other).content_hash != first


def test_hashes_are_told_by_name():
    """Pinned to no value: they change with the data; but to their form, and to being the same each time."""
    profiles = load_profiles()
    assert set(profiles.hashes) == set(profiles.names)
    assert profiles.hashes == load_profiles().hashes
    assert all(len(one) == 64 for one in profiles.hashes.values())


def test_a_profile_is_bounded(tmp_path):
    big = write_profile(tmp_path, name="big")
    (big / "big.json").write_bytes(b" " * (FILE_BYTES_MAX + 1))
    many = write_profile(tmp_path, name="many")
    for number in range(FILES_MAX):
        (many / f"{number}.json").write_text("{}")
    for path in (big, many):
        with pytest.raises(ConfigurationError, match="at most"):
            load_profile(path)


def test_every_file_of_the_shipped_profiles_is_used():
    """No schema lies about that no type has."""
    for folder in SHIPPED.iterdir():
        groups = {entry.category for entry in load_profile(folder).catalog()} - {None}
        assert {path.name for path in folder.iterdir()} == {"profile.toml", *(f"{group}.json" for group in groups)}


def test_the_public_names():
    """What other rooms may lean on; a change here is a change for them."""
    assert sorted(hookspan.profiles.__all__) == [
        "CatalogEntry", "CatalogGroup", "CredentialKind", "EXAMPLES", "LiveSecret", "NewCredential", "Profile",
        "Profiles", "Rules", "SHIPPED", "Sample", "Signer", "TIMEOUT_MS_MAX", "TestEvent", "did_you_mean",
        "load_profile", "load_profiles",
    ]  # fmt: skip
