"""JSON for the eye: every character of the text is there, in its order, escaped."""

import html
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.dashboard._json_view import BYTES_MAX, HTML_CHARS_MAX, json_view

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def plain(view: object) -> str:
    """The text of the view, without its tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", str(view)))


@given(VALUES)
def test_nothing_is_lost_or_added_but_white_space(value) -> None:
    """What is shown parses to the same value, and its only tags are ours."""
    text = json.dumps(value)
    view = json_view(text)
    assert view is not None
    assert json.loads(plain(view)) == value
    assert re.findall(r"<(?!/?span\b)", str(view)) == []


@given(VALUES)
def test_shown_as_others_indent_it(value) -> None:
    """Indented by two, as everybody does."""
    assert plain(json_view(json.dumps(value))) == json.dumps(value, indent=2)


@pytest.mark.parametrize("number", ["1.10", "1E400", "-0", "123456789012345678901234567890"])
def test_numbers_stay_as_they_were_sent(number: str) -> None:
    """No digit is changed by being shown."""
    assert f">{number}<" in str(json_view(f'{{"a":{number}}}'))


@pytest.mark.parametrize("text", ["", "no json", '{"a":1', "[1,]", "{'a':1}", "<html>", "[" * 200 + "]" * 200])
def test_what_is_no_json_is_shown_otherwise(text: str) -> None:
    """The view is for JSON only."""
    assert json_view(text) is None


def test_a_large_text_is_not_coloured() -> None:
    """Beyond the bound the work is not worth it."""
    assert json_view('"' + "x" * BYTES_MAX + '"') is None
    assert json_view('"' + "x" * (BYTES_MAX - 2) + '"') is not None


@pytest.mark.parametrize(
    "text",
    [
        "[" + "1," * 30_000 + "1]",
        "[" * 120 + "1," * 2_000 + "1" + "]" * 120,
        "[" * 100 + "[1]," * 2_000 + "1" + "]" * 100,
    ],
)
def test_a_small_text_makes_no_large_page(text: str) -> None:
    """Tags, white space deep inside and escapes are many times what was sent: beyond the bound it is shown as it is."""
    assert len(text) < BYTES_MAX
    assert json_view(text) is None
    near = "[" + "1," * 4_000 + "1]"
    assert 0 < len(json_view(near) or "") <= HTML_CHARS_MAX


def test_markup_is_text() -> None:
    """Strings that try to be markup are escaped."""
    view = str(json_view('{"</span><script>alert(1)</script>": "\\u003cimg onerror=x> \\" onload=y"}'))
    assert "<script" not in view
    assert "&lt;/span&gt;&lt;script&gt;" in view
