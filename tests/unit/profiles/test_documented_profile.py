"""The example of docs/profiles.md is a profile: loaded from the page's own words, it sends what the page says."""

import hashlib
import hmac
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from hookspan.errors import SchemaMismatch, UnknownEventType, UnknownField
from hookspan.profiles import LiveSecret, Profile, load_profile, load_profiles
from hookspan.profiles._algorithms import ALGORITHMS, ENCODINGS, PREHASHES
from hookspan.profiles._document import Credential, Document
from tests.unit.profiles._folders import MINIMAL, write_profile

PAGE = (Path(__file__).parents[3] / "docs" / "profiles.md").read_text(encoding="utf-8")
AT_MS = 1_767_225_600_125
SECRET = b"a-secret-of-the-example"


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def acme(tmp_path: Path) -> Profile:
    folder = tmp_path / "profiles" / "acme"
    folder.mkdir(parents=True)
    (folder / "profile.toml").write_text(block("toml"), encoding="utf-8")
    (folder / "invoice.json").write_text(block("json"), encoding="utf-8")
    return load_profiles(tmp_path / "profiles").get("acme")


def test_it_sends_what_the_page_says(acme: Profile) -> None:
    """Headers and body, byte for byte."""
    content, context = b'{"number":17,"amount":"129.90"}', b'{"region":"eu"}'
    acme.check("invoice.paid", content, context)
    body, _, _ = acme.render("invoice.paid", content, context, "evt_example", AT_MS, "")
    headers = acme.signer([LiveSecret("secret", SECRET)])("evt_example", AT_MS, body, "invoice.paid")
    sent, _, documented = block("http").partition("\n\n")
    assert body.decode() + "\n" == documented
    assert headers.decode().replace("\r\n", "\n").strip() == sent
    signature = hmac.digest(SECRET, b"1767225600." + body, hashlib.sha256).hex()
    assert f"s={signature}" in sent


def test_it_has_the_catalog_that_the_page_describes(acme: Profile) -> None:
    """Two types with samples; a wrong content and an unknown type are refused."""
    assert [(entry.type, entry.since) for entry in acme.catalog()] == [
        ("invoice.paid", "2025"),
        ("invoice.voided", "2026"),
    ]
    with pytest.raises(SchemaMismatch):
        acme.check("invoice.paid", b'{"number":0,"amount":"1"}', None)
    with pytest.raises(UnknownEventType):
        acme.check("invoice.lost", b"{}", None)


def test_an_optional_row_is_left_out(acme: Profile) -> None:
    """As the page says of `?`."""
    acme.check("invoice.voided", b'{"number":1}', None)
    assert b"region" not in acme.render("invoice.voided", b'{"number":1}', None, "evt_1", AT_MS, "")[0]


def test_its_settings_can_be_changed(acme: Profile) -> None:
    """As `settable` allows."""
    assert acme.with_settings({"retry": {"until": "48h"}}).rules.delivery.retry.until_ms == 48 * 3_600_000


def test_the_shipped_open_catalog_takes_any_dotted_type() -> None:
    """As the page says of `standard`."""
    standard = load_profiles().get("standard")
    standard.check("order.paid", b'{"any":["thing"]}', None)
    standard.check("a_type.of.Your.own_1", b"{}", None)


def test_every_section_is_on_the_page() -> None:
    """The table has each key of a profile's first floor."""
    language = PAGE.partition("## The language")[2]
    names = {"settable", "format", "title", *Document.__struct_fields__}
    missing = [name for name in names if not re.search(rf"`(\[\[?)?{name}\W", language)]
    assert missing == []


def test_every_key_is_on_the_page() -> None:
    """In the part about the language, as code: of each table, at any depth."""
    code = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`[^`\n]+`", PAGE.partition("## The language")[2]))))
    assert {name for name in keys_of(msgspec.inspect.type_info(Document)) if name not in code} == set()


def keys_of(kind: msgspec.inspect.Type) -> Iterator[str]:
    """The names of all tables' keys in a type."""
    match kind:
        case msgspec.inspect.StructType(fields=fields):
            for field in fields:
                yield field.encode_name
                yield from keys_of(field.type)
        case msgspec.inspect.UnionType(types):
            for one in types:
                yield from keys_of(one)
        case msgspec.inspect.VarTupleType(item_type=inner) | msgspec.inspect.DictType(value_type=inner):
            yield from keys_of(inner)
        case _:
            pass


def test_every_choice_is_on_the_page() -> None:
    """Kinds of credentials, algorithms, encodings, prehashes."""
    code = set(re.findall(r"`([^`\n]+)`", PAGE.partition("## The language")[2]))
    kinds = get_args(Credential.__annotations__["kind"])
    assert {*kinds, *ALGORITHMS, *ENCODINGS, *PREHASHES} - code == set()


def test_the_page_s_groups_are_a_profile_too(tmp_path: Path) -> None:
    """The lists of the section on catalogs spread what they say."""
    (snippet,) = re.findall(r"^```\n(rows = .*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    rows, _, groups = snippet.partition("\n[catalog.group]\n")
    start, end = MINIMAL.index("rows = "), MINIMAL.index("[credential.secret]")
    toml = MINIMAL[:start] + rows + MINIMAL[end : MINIMAL.index("thing = ")] + groups
    toml = toml.replace("{body.type}", "{body.resource}").replace("{body.data}", "{body[resource]}")
    verb = {"title": "t", "description": "d", "examples": [{}]}
    with_course = {"$defs": {"created": {**verb, "x-context": {"course": {}}}}}
    files = {"enrollment.json": with_course, "user.json": {"$defs": {"created": verb, "deleted": verb}}}
    profile = load_profile(write_profile(tmp_path, toml, files=files))
    body, _, _ = profile.render("enrollment.created", b"{}", b'{"program":1}', "evt_1", 0, "")
    assert body == b'{"resource":"enrollment","enrollment":{},"program":1}'
    with pytest.raises(UnknownField):
        profile.check("user.created", b"{}", b'{"course":{}}')
