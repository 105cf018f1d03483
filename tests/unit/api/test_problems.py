"""What was wrong becomes a code, a place and words."""

from typing import Annotated, Literal

import msgspec
import pytest
from litestar.exceptions import HTTPException, NotFoundException

from hookspan import explain_json
from hookspan.api._problem import problem_headers, problem_members, translate
from hookspan.errors import HookspanError, NotFound, Overloaded, StoreUnavailable, Unauthenticated, WebhookLimit
from hookspan.explain_json import NAMED_BYTES_MAX, explain_validation


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    number: Annotated[int, msgspec.Meta(ge=0)]


Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2, pattern="^[^!]*$", description="Without a `!`.")]


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    one: Inner | None = None
    many: list[Inner] = []
    named: dict[str, Inner] = {}
    word: Literal["on", "off"] | None = None
    texts: dict[Annotated[str, msgspec.Meta(pattern="^[a-z/]*$", description="Small letters.")], Text] = {}
    doors: dict[Literal["in", "out"], int] = {}
    number: Annotated[float, msgspec.Meta(gt=0)] | None = None


def explained(raw: bytes) -> HookspanError:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(raw, type=Outer)
    return explain_validation(caught.value, Outer, raw)


@pytest.mark.parametrize(
    ("raw", "code", "pointer"),
    [
        (b"[]", "invalid_request", ""),
        (b'{"two":1}', "unknown_field", "/two"),
        (b'{"a/b~c":1}', "unknown_field", "/a~1b~0c"),
        (b'{"` - at `$.one`":1}', "unknown_field", None),
        (b'{"one":{}}', "invalid_request", "/one/number"),
        (b'{"one":{"number":-1}}', "invalid_request", "/one/number"),
        (b'{"one":{"number":1,"x":2}}', "unknown_field", "/one/x"),
        (b'{"many":[{"number":1},{"number":"1"}]}', "invalid_request", "/many/1/number"),
        (b'{"many":[{"number":1},{}]}', "invalid_request", "/many/1/number"),
        (b'{"named":{"k":{"number":"1"}}}', "invalid_request", "/named/k/number"),
        (
            b'{"named":{"a":{"number":1},"b/c":{"number":"1"},"d":{"number":"1"}}}',
            "invalid_request",
            "/named/b~1c/number",
        ),
        (b'{"texts":{"a":"","b":""}}', "invalid_request", "/texts/a"),
        (b'{"texts":{"a":"x","A/":"x"}}', "invalid_request", "/texts/A~1"),
        (b'{"doors":{"in":1,"off":2}}', "invalid_request", "/doors/off"),
        (b'{"word":"of"}', "invalid_request", "/word"),
    ],
)
def test_the_place_is_a_json_pointer(raw, code, pointer):
    """Into the body; of an object whose keys are free, as far as it is known."""
    error = explained(raw)
    assert error.code == code
    assert pointer is None or error.errors[0].pointer == pointer


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"two":1}', "there are: one, many, named, word, texts, doors, number."),
        (b'{"one":{"number":1,"x":2}}', "there are: number."),
        (b'{"many":[{"number":1},{"number":1,"x":1}]}', "there are: number."),
        (b'{"named":{"k":{"number":1,"x":1}}}', "there are: number."),
        (b'{"word":"of"}', "/word: 'of' is not known here; there are: off, on."),
        (b'{"doors":{"off":1}}', "/doors/off: The name 'off' is not known here; there are: in, out."),
        (b'{"word":7}', "/word: Must be a text or null, not a whole number."),
        (b'{"many":7}', "/many: Must be a list, not a whole number."),
        (b"[]", "The body: Must be an object, not a list."),
        (b'{"texts":{"a":""}}', "/texts/a: Must not be empty."),
        (b'{"texts":{"a":"xxx"}}', "/texts/a: Must have at most 2 characters."),
        (b'{"texts":{"a":"!"}}', "/texts/a: Must be without a `!`."),
        (b'{"texts":{"A":"x"}}', "/texts/A: The name must be small letters."),
        (b'{"number":0}', "/number: Must be more than 0."),
        (b'{"one":{"number":-1}}', "/one/number: Must be at least 0."),
    ],
)
def test_what_is_possible_is_listed(raw, words):
    """The members of the place, or its words: a typo is mended without the manual."""
    assert explained(raw).detail.endswith(words)


def test_a_wrong_member_among_many_is_found_by_halves(monkeypatch):
    """A thousand members cost ten looks, not a thousand; in a document beyond the bound it is not looked for."""
    looks = []
    real = explain_json._says

    def counted(*call):
        looks.append(call)
        return real(*call)

    monkeypatch.setattr(explain_json, "_says", counted)
    texts = {"a" * (n + 1): "x" for n in range(300)} | {"z": ""}
    assert explained(msgspec.json.encode({"texts": texts})).errors[0].pointer == "/texts/z"
    assert len(looks) <= 10
    texts["b" * NAMED_BYTES_MAX] = "x"
    assert explained(msgspec.json.encode({"texts": texts})).errors[0].pointer == "/texts"


def test_members_of_a_problem():
    """The standard ones, the name of the request, and what belongs to the code."""
    members = problem_members(WebhookLimit("Ten.", limit=10), "req_1")
    assert members == {
        "type": "urn:hookspan:problem:webhook_limit", "title": "Too many webhooks", "status": 409,
        "code": "webhook_limit", "detail": "Ten.", "request_id": "req_1", "limit": 10,
    }  # fmt: skip


def test_data_never_replaces_a_standard_member():
    """An error can't lie about its own code."""
    assert problem_members(NotFound("x", status=200, code="fine"), "req_1")["status"] == 404


@pytest.mark.parametrize("error", [Overloaded(), StoreUnavailable()])
def test_whoever_must_wait_is_told_how_long(error):
    """In whole seconds."""
    headers = dict(problem_headers(error))
    assert headers[b"retry-after"].isdigit()


def test_whoever_lacks_a_key_is_told_how_to_send_one():
    """RFC 9110 wants it."""
    assert b"www-authenticate" in dict(problem_headers(Unauthenticated()))
    assert b"www-authenticate" not in dict(problem_headers(NotFound()))


@pytest.mark.parametrize(
    ("exception", "code"),
    [
        (NotFound("x"), "not_found"),
        (NotFoundException(), "not_found"),
        (HTTPException(status_code=418, detail="teapot secret"), "invalid_request"),
        (HTTPException(status_code=502, detail="secret"), "internal"),
        (ZeroDivisionError("secret"), "internal"),
    ],
)
def test_every_exception_becomes_a_refusal(exception, code):
    """And nothing of what nobody foresaw is shown."""
    error = translate(exception)
    assert error.code == code
    assert "secret" not in error.detail
