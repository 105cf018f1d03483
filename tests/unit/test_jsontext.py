"""JSON as text: strict, unambiguous, and never rewritten. The standard library is the oracle."""

import json
import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hookspan import jsontext
from hookspan.errors import DuplicateKey, HookspanError, InvalidJson

KEYS = st.sampled_from(["a", "b", "a:b", ":", '":', "x/y", "~", "é", "null", ""])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8), st.sampled_from(["10:25:35", 'a":1', "\\", " : ", "\u2028", "😀"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)
SPACES = st.sampled_from(["", "", " ", "\n", "\t \r\n"])


@st.composite
def texts(draw):
    """JSON texts with any white space, any spelling of strings, and now and then a key twice in one object."""

    def string(text):
        spelled = json.dumps(text, ensure_ascii=draw(st.booleans()))
        return spelled.replace(":", draw(st.sampled_from([":", "\\u003a", "\\u003A"])))

    def write(value):
        around = draw(SPACES)
        if isinstance(value, str):
            return around + string(value) + around
        if isinstance(value, list):
            return "[" + ",".join(write(one) for one in value) + (around if value else "") + "]"
        if isinstance(value, dict):
            pairs = list(value.items())
            if pairs and draw(st.integers(0, 9)) == 0:
                pairs.append((pairs[0][0], 1))
            return "{" + ",".join(f"{around}{string(k)}{around}:{write(v)}" for k, v in pairs) + "}"
        return around + json.dumps(value) + around

    return write(draw(VALUES))


def oracle(text):
    """ "ok", "duplicate" or "invalid", by the standard library."""
    twice = []

    def look(pairs):
        if len(dict(pairs)) != len(pairs):
            twice.append(pairs)
        return dict(pairs)

    def refuse(word):
        raise ValueError(word)

    try:
        value = json.loads(text, object_pairs_hook=look, parse_constant=refuse, parse_int=str, parse_float=str)
        json.dumps(value, ensure_ascii=False).encode()  # fails for half a surrogate pair
    except ValueError:
        return "invalid"
    return "duplicate" if twice else "ok"


def verdict(raw):
    try:
        jsontext.check(raw)
    except DuplicateKey as error:
        return "duplicate" if error.errors[0].pointer.startswith("/") else "no pointer"
    except InvalidJson as error:
        return "invalid" if re.search(r"byte \d+", error.detail) else f"no place: {error.detail}"
    return "ok"


@given(texts())
@example('{"a" :1,"a":":"}')
@example('{"\\u0061":1,"a":"::"}')
@example('{"a":1,"a":"\\u003a"}')
@example('{"a":"\\u003a:"}')
def test_texts_are_judged_as_the_standard_library_judges_them(text):
    """A key twice is found wherever it hides: behind escapes, white space, or colons in strings."""
    assert verdict(text.encode()) == oracle(text)


@given(texts(), st.data())
def test_broken_texts_are_judged_as_the_standard_library_judges_them(text, data):
    """One character taken out, put in or changed: whatever is no JSON is refused, with its place."""
    at = data.draw(st.integers(0, len(text)))
    piece = data.draw(
        st.sampled_from(["", ",", ":", '"', "\\", "{", "]", "0", "-", "\x01", "NaN", "\\ud800", "é", "."])
    )
    broken = text[:at] + piece + text[at + data.draw(st.integers(0, 2)) :]
    assert verdict(broken.encode()) == oracle(broken)


@given(st.binary(max_size=12))
def test_bytes_that_are_not_utf_8_are_refused(noise):
    """Also inside strings, where a parser that skips would not look."""
    raw = b'{"a":"' + noise.replace(b'"', b"").replace(b"\\", b"") + b'"}'
    try:
        expected = oracle(raw.decode())
    except UnicodeDecodeError:
        expected = "invalid"
    assert verdict(raw) == expected


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"", "byte 0"),
        (b"NaN", "byte 0"),
        (b"[-Infinity]", "byte 2"),
        (b'{"a":1}\x00', "byte 7"),
        (b'{"a":1} x', "byte 8"),
        (b"\xef\xbb\xbf{}", "byte 0"),
        (b'["\xc3\xa9",1', "byte 7"),
        (b'{"a":"\xff"}', "byte 6"),
        (b'"\xed\xa0\x80"', "byte 1"),
        (b'{"a":"b\\ud800"}', "byte 7"),
        (b'["\\ud83d\\ude00","\\udc00"]', "byte 17"),
        (b'["\\ud800\\n"]', "byte 2"),
        (b'["\\x"]', "byte 2"),
        (b"[01]", "byte 2"),
        (b'{"a":1,}', "byte 7"),
    ],
)
def test_the_detail_has_the_place(raw, place):
    """Whoever sent it can find the byte."""
    with pytest.raises(InvalidJson, match=place):
        jsontext.check(raw)


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b'{"a":1,"a":2}', "/a"),
        (b'{"x":[0,{"y/z":{"~":1,"b":2,"~":3}}]}', "/x/1/y~1z/~0"),
        (b'[{"b":{"c":1,"c":1},"b":1}]', "/0/b"),
        (b'[1e999,{"a":1,"a":2}]', "/1/a"),
        (b'{"":0,"":0}', "/"),
    ],
)
def test_a_duplicate_is_pointed_at(raw, pointer):
    """The pointer is RFC 6901's, and the outermost, first duplicate is named."""
    with pytest.raises(DuplicateKey) as caught:
        jsontext.check(raw)
    assert [fault.pointer for fault in caught.value.errors] == [pointer]


@pytest.mark.parametrize("kind", [b"[]", b'{"a":}'])
def test_depth_is_bounded(kind):
    """Depth 128 passes, 129 does not, and a hundred thousand neither crash nor hang."""
    opening, closing = kind[:-1], kind[-1:]
    full = opening * jsontext.DEPTH_MAX + (b"0" if kind[:1] == b"{" else b"") + closing * jsontext.DEPTH_MAX
    jsontext.check(full)
    for over in (opening + full + closing, opening * 100_000, b"[" * 900 + b"]" * 900):
        with pytest.raises(InvalidJson, match="128 deep"):
            jsontext.check(over)


def test_brackets_in_strings_are_no_depth():
    jsontext.check(b'{"a":"' + b"[{" * 500 + b'"}')


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 5000, "0.1e-400", "-0", "1E+5", "123456789012345678901"])
def test_numbers_of_any_size_pass_and_stay_as_written(number):
    """RFC 8259 sets no limit, and no value is ever touched."""
    raw = f'{{"a": [{number}]}}'.encode()
    jsontext.check(raw)
    assert jsontext.compact(raw) == f'{{"a":[{number}]}}'.encode()


@given(texts())
def test_compact_takes_white_space_and_nothing_else(text):
    """Outside of strings nothing but white space goes; a compact text is given back as the same object."""
    assume(oracle(text) != "invalid")
    raw = text.encode()
    compacted = jsontext.compact(raw)
    outside = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', re.DOTALL)
    assert compacted == outside.sub(lambda match: match[1] or b"", raw)
    assert jsontext.compact(compacted) is compacted


def test_compact_refuses_what_was_not_checked():
    with pytest.raises(HookspanError):
        jsontext.compact(b'{"a": tru}')


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.booleans())
def test_null_members_of_the_object_itself_are_left_out(content, ascii_only):
    """Not those of objects in it, and the rest is as it was, key by key."""
    raw = json.dumps(content, ensure_ascii=ascii_only, separators=(",", ":")).encode()
    kept = {key: value for key, value in content.items() if value is not None}
    left = jsontext.without_null_members(raw)
    assert left == json.dumps(kept, ensure_ascii=ascii_only, separators=(",", ":")).encode()
    if kept == content:
        assert left is raw


def test_escapes_in_keys_stay_as_written():
    assert (
        jsontext.without_null_members(b'{"\\u0061\\"":1.50,"b":null,"c\\/":[null]}')
        == b'{"\\u0061\\"":1.50,"c\\/":[null]}'
    )


def test_members_are_compact_texts():
    assert jsontext.members(b' {"a": [1, 2.50], "b":"x y"}') == {"a": b"[1,2.50]", "b": b'"x y"'}
    assert jsontext.members(b"[1]") == {}
