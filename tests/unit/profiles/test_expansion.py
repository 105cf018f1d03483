"""Schemas are bounded in what checking a content may come to, however few lines they have."""

import itertools
from typing import Any

import pytest

from hookspan.errors import ConfigurationError, SchemaMismatch
from hookspan.profiles import load_profile
from hookspan.profiles._document import Refused
from hookspan.profiles._expansion import EXPANDED_MAX, REFS_DEEP_MAX, check_expansion
from tests.unit.profiles._folders import THING, write_profile


def ref(name):
    return {"$ref": f"#/$defs/{name}"}


def made(definitions, **members):
    return {"thing.json": {"$defs": {**THING["$defs"], "made": {**THING["$defs"]["made"], **members}, **definitions}}}


def doubled(times):
    """Each definition refers twice to the next: 2 ** times in all."""
    steps = {f"d{at}": {"anyOf": [ref(f"d{at + 1}"), ref(f"d{at + 1}")]} for at in range(times)}
    return steps | {f"d{times}": {"type": "string"}}


def test_a_schema_that_doubles_forty_times_is_refused_at_once(tmp_path):
    """Checking its own sample would take longer than any test may."""
    files = made(doubled(40), properties={"id": ref("d0")})
    with pytest.raises(ConfigurationError, match=rf"thing\.json: \$defs\.made: .*more than {EXPANDED_MAX:,} parts"):
        load_profile(write_profile(tmp_path, files=files))


def test_a_few_references_are_no_matter(tmp_path):
    """Shared definitions, and doubled ones within the bound."""
    files = made(doubled(8), properties={"id": {"anyOf": [ref("d0"), ref("id")]}})
    profile = load_profile(write_profile(tmp_path, files=files))
    profile.check("thing.made", b'{"id":1}', None)


def test_a_tree_may_refer_to_itself(tmp_path):
    """A definition on its own way counts once, wherever it comes again."""
    node = {"type": "object", "properties": {"left": ref("node"), "right": ref("node"), "id": ref("id")}}
    profile = load_profile(write_profile(tmp_path, files=made({"node": node}, additionalProperties=ref("node"))))
    profile.check("thing.made", b'{"id":1,"x":{"left":{"right":{"id":1}}}}', None)
    with pytest.raises(SchemaMismatch):
        profile.check("thing.made", b'{"id":1,"x":{"left":{"right":{"id":"x"}}}}', None)


@pytest.mark.parametrize("size", [EXPANDED_MAX - 2, EXPANDED_MAX - 1])
def test_the_bound_is_exact(size):
    definitions: dict[str, Any] = {"made": {"anyOf": [{}] * size}}  # itself, its list, and as many
    if size + 2 <= EXPANDED_MAX:
        check_expansion("here", definitions, "made")
        return
    with pytest.raises(Refused, match="parts"):
        check_expansion("here", definitions, "made")


@pytest.mark.parametrize("deep", [REFS_DEEP_MAX, REFS_DEEP_MAX + 1])
def test_references_lead_on_only_so_far(deep):
    chain = dict(itertools.pairwise([f"d{at}" for at in range(deep + 1)]))
    definitions = {name: ref(onward) for name, onward in chain.items()} | {f"d{deep}": {}}
    if deep <= REFS_DEEP_MAX:
        check_expansion("here", definitions, "d0")
        return
    with pytest.raises(Refused, match=f"more than {REFS_DEEP_MAX} times"):
        check_expansion("here", definitions, "d0")


@pytest.mark.parametrize("target", ["#/$defs/none", "other.json", "#/", "#here", "#/$defs/a/1", 7, None, ["x"], {}])
def test_a_reference_that_leads_to_nothing_is_refused(target):
    if target is None:
        check_expansion("here", {"made": {"$ref": None}, "a": [{}]}, "made")  # the compiler of schemas refuses it
        return
    with pytest.raises(Refused, match="leads to nothing"):
        check_expansion("here", {"made": {"$ref": target}, "a": [{}]}, "made")


def test_a_place_in_a_definition_can_be_referred_to():
    definitions = {
        "made": {"$ref": "#/$defs/a/anyOf/1/properties/x~1y"},
        "a": {"anyOf": [{}, {"properties": {"x/y": {}}}]},
    }
    check_expansion("here", definitions, "made")


def test_what_looks_like_a_reference_inside_data_is_data():
    """In samples and constants, and as the name of a property."""
    data = {"$ref": "nowhere", "$id": "x"}
    made = {"examples": [data], "const": data, "enum": [data], "x-context": data, "properties": {"$id": {}, "$ref": {}}}
    check_expansion("here", {"made": made}, "made")
