"""Forms as browsers send them, and what is wrong with them at their fields."""

import pytest

from hookspan.dashboard._csrf import csrf_token, is_foreign, is_right
from hookspan.dashboard._form import BODY_BYTES_MAX, FIELDS_MAX, LINES_MAX, FieldErrors, Form, convert, read_form
from hookspan.dashboard._repeats import KEPT_MAX, Repeats
from hookspan.errors import Fault, InvalidRequest, TooLarge
from hookspan.manage.inputs import CreateWebhook

KIND = "application/x-www-form-urlencoded; charset=UTF-8"


def test_fields_in_order() -> None:
    """Names may come several times; empty values stay; plus is a space."""
    form = read_form(KIND, b"a=1&b=&a=2+3%26&c=%E2%9C%93&lines=+x+%0D%0A%0D%0Ay")
    assert form.all("a") == ["1", "2 3&"]
    assert (form.text("a"), form.text("b"), form.text("c"), form.text("none", "else")) == ("1", "", "✓", "else")
    assert form.has("b")
    assert not form.has("none")
    assert form.lines("lines") == ["x", "y"]
    assert read_form("", b"").fields == ()


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=x", b"--x"),
        ("", b"a=1"),
        (KIND, b"a=%ff"),
        (KIND, b"a=\xff"),
        (KIND, b"a=1&" * (FIELDS_MAX + 1)),
    ],
)
def test_what_no_form_of_ours_sends(kind: str, raw: bytes) -> None:
    """It is refused whole."""
    with pytest.raises(InvalidRequest):
        read_form(kind, raw)


def test_bounds() -> None:
    """As many fields and bytes as there may be are read, one more is not."""
    assert len(read_form(KIND, b"&".join([b"a=1"] * FIELDS_MAX)).fields) == FIELDS_MAX
    assert read_form(KIND, b"a=" + b"x" * (BODY_BYTES_MAX - 2)).text("a")
    with pytest.raises(TooLarge):
        read_form(KIND, b"a=" + b"x" * (BODY_BYTES_MAX - 1))
    assert len(Form([("a", "x\r\n" * (LINES_MAX - 1) + "x")]).lines("a")) == LINES_MAX
    with pytest.raises(InvalidRequest):
        Form([("a", "x\n" * LINES_MAX + "x")]).lines("a")


def test_a_refusal_is_spread_over_its_fields() -> None:
    """By pointer, and by what lies below one; what has no field stays above the form."""
    faults = (Fault("/url", "c", "U."), Fault("/events/3", "c", "E."), Fault("/credentials/token", "c", "T."))
    fields = {"/url": "url", "/events": "events", "/credentials/token": "credential.token"}
    errors = FieldErrors(InvalidRequest("Whole.", errors=faults), fields)
    assert (errors.of("url"), errors.of("events"), errors.of("credential.token")) == ("U.", "E.", "T.")
    assert errors.of("name") == ""
    assert errors.summary == "Look at what is marked below."
    errors = FieldErrors(InvalidRequest("Whole.", errors=(*faults, Fault("/odd", "c", "O."))), fields)
    assert errors.summary == "Whole."
    assert not FieldErrors(None, fields)


def test_members_are_judged_as_json_would_be() -> None:
    """The bounds of management's inputs hold for forms too."""
    with pytest.raises(InvalidRequest) as caught:
        convert({"url": "https://a", "concurrency": 0}, CreateWebhook)
    assert caught.value.errors[0].pointer == "/concurrency"
    assert convert({"url": "https://a"}, CreateWebhook).concurrency == 16


def test_form_tokens() -> None:
    """One for each session; nothing else is right, whatever it is made of."""
    token = csrf_token("hk_session_a")
    assert is_right("hk_session_a", token)
    for wrong in ("", "é", token[:-1], token.upper(), csrf_token("hk_session_b"), "hk_session_a"):
        assert not is_right("hk_session_a", wrong)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"origin": "http://h:1", "host": "h:1"}, False),
        ({"origin": "https://public.example", "host": "h:1"}, False),
        ({"origin": "http://h:2", "host": "h:1"}, True),
        ({"origin": "https://evil.example", "host": "h:1"}, True),
        ({"origin": "nonsense", "host": "h:1"}, True),
        ({"origin": "http://[", "host": "h:1"}, True),
    ],
)
def test_where_a_form_comes_from(headers: dict[str, str], expected: bool) -> None:
    """The browser's word, then the origin where it is told."""
    assert is_foreign(headers, "https://public.example") is expected


def test_repeats_are_bounded() -> None:
    """The oldest are forgotten; long numbers are not kept at all."""
    repeats = Repeats()
    for number in range(KEPT_MAX + 1):
        repeats.keep("s", str(number), f"/{number}")
    assert repeats.place("s", "0") is None
    assert repeats.place("s", "1") == "/1"
    assert repeats.place("t", "1") is None
    repeats.keep("s", "x" * 100, "/x")
    assert repeats.place("s", "x" * 100) is None
    repeats.keep("s", "", "/x")
    assert repeats.place("s", "") is None
    assert Repeats.number() != Repeats.number()
    assert Form().fields == ()
