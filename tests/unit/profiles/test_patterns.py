"""Regular expressions of profiles are matched in linear time: whoever chooses the text can't stop the server."""

import pytest

from hookspan.errors import ConfigurationError, SchemaMismatch
from hookspan.profiles import load_profile
from hookspan.profiles._patterns import PATTERN_CHARACTERS_MAX, BadPattern, whole_matcher
from tests.unit.profiles._folders import MINIMAL, THING, write_profile

NASTY = "^(a+)+$"
OPEN = MINIMAL[: MINIMAL.index("[catalog]")] + "[catalog]\ntype = '{}'\nopen = true\n"


def test_a_type_s_pattern_never_goes_back(tmp_path):
    """An engine that tries again would need 2**250 steps here: longer than any test may take."""
    profile = load_profile(write_profile(tmp_path, OPEN.replace("{}", NASTY), files={}))
    assert profile.takes_type("a" * 250)
    assert not profile.takes_type("a" * 250 + "!")


def test_a_schema_s_pattern_never_goes_back(tmp_path):
    """The same for a member of a content, which may be much longer."""
    made = THING["$defs"]["made"] | {"properties": {"id": {"type": "integer"}, "note": {"pattern": NASTY}}}
    folder = write_profile(tmp_path, files={"thing.json": {"$defs": {**THING["$defs"], "made": made}}})
    profile = load_profile(folder)
    profile.check("thing.made", b'{"id":1,"note":"%b"}' % (b"a" * 100_000), None)
    with pytest.raises(SchemaMismatch):
        profile.check("thing.made", b'{"id":1,"note":"%b!"}' % (b"a" * 100_000), None)


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("a|b", ["a", "b"], ["ab", "xa", "b\n"]),
        ("^[a-z]+$", ["abc"], ["abc\n", "aB", ""]),
        (r"\w+\.\d", ["a_1.7"], ["é.7", "a.٣"]),
        ("", [""], ["a"]),
    ],
)
def test_all_of_a_text_has_to_fit(pattern, fits, does_not):
    """Whether the pattern has anchors or not; classes are ASCII."""
    matches = whole_matcher(pattern)
    assert [one for one in [*fits, *does_not] if matches(one)] == fits


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "no regular expression: "),
        ("a)(b", "no regular expression: "),
        ("^(?=a)", "without look-around"),
        (r"(a)\1", "without look-around and references back"),
        ("((a{1,99}){1,99}){1,99}", "not too large"),
        ("a" * (PATTERN_CHARACTERS_MAX + 1), "longer than 1,000 characters"),
    ],
)
def test_what_the_engine_can_not_do_is_refused_when_it_is_loaded(tmp_path, pattern, reason):
    """With the reason, and the key."""
    with pytest.raises(BadPattern, match=reason):
        whole_matcher(pattern)
    with pytest.raises(ConfigurationError, match=rf"catalog\.type: .*{reason}"):
        load_profile(write_profile(tmp_path, OPEN.replace("{}", pattern), files={}))
