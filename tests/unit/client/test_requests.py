"""What is refused before anything is sent, and how a request is put together."""

import datetime
from typing import Any

import pytest

from hookspan.client import AsyncClient, Client, Retry, shapes
from hookspan.client._answer import retry_after_s
from hookspan.client._request import get, new_id, path_of, read_base


@pytest.mark.parametrize(
    ("url", "shown", "port"),
    [
        ("http://127.0.0.1:8400", "http://127.0.0.1:8400", 8400),
        ("https://hooks.example/", "https://hooks.example", 443),
        ("HTTPS://Hooks.Example:443/in/", "https://hooks.example/in", 443),
        ("http://[::1]:1", "http://[::1]:1", 1),
        ("https://bücher.example", "https://xn--bcher-kva.example", 443),
    ],
)
def test_the_address_of_a_server(url, shown, port):
    """With a port, a path before the API, IPv6, a name in any script."""
    base = read_base(url)
    assert (base.shown, base.port) == (shown, port)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8400", "ftp://h", "http://", "http://h:0", "http://h:99999", "http://h:x", "http://a b", "",
        "http://h\r\nx: y", "http://h/\npath", "http://user:hunter2@h",
        "http://h?key=hunter2", "http://h/#hunter2", "http://h?", "http://h/ü",
        "http://" + "h" * 3_000, "http://\N{SNOWMAN}\u200b.",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_not_repeated(url):
    """It may hold a password."""
    with pytest.raises(ValueError, match="write it as https://host") as caught:
        Client(url, "k")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("key", ["hk_1\r\nx: y", "hk_1\n", "hk 1", "hk_\u00e9", "\x00", "k" * 5_000])
def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(key):
    """A key file read with its line end, above all."""
    with pytest.raises(ValueError, match="printable ASCII") as caught:
        AsyncClient("http://h", key)
    assert key not in str(caught.value)


def test_a_client_shows_where_it_leads_and_not_its_key():
    with Client("http://127.0.0.1:8400", "hk_secret") as client:
        assert repr(client) == "Client('http://127.0.0.1:8400')"
    assert repr(AsyncClient("https://h/x", "hk_secret")) == "AsyncClient('https://h/x')"


@pytest.mark.parametrize("wrong", [{"timeout_s": 0}, {"connections_max": 0}, {"timeout_s": -1}])
def test_bounds_that_bound_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="timeout_s"):
        Client("http://h", "k", **wrong, retry=Retry())


def test_an_id_stays_in_its_place():
    """Whatever it holds, it is one segment of the path."""
    assert path_of("applications", "a/../b?c#d%2F\r\n ü") == "/v1/applications/a%2F..%2Fb%3Fc%23d%252F%0D%0A%20%C3%BC"
    for wrong in ("", ".", ".."):
        with pytest.raises(ValueError, match="not an id"):
            path_of("applications", wrong)


def test_parameters_are_escaped_and_left_out_when_not_given():
    call = get(shapes.Webhook, "x", since="2026-01-01T00:00:00+02:00", type=None, limit=3)
    assert call.path == "/v1/x?since=2026-01-01T00%3A00%3A00%2B02%3A00&limit=3"


def test_made_ids_are_short_ordered_and_never_the_same():
    """Those of later milliseconds sort after."""
    ids = [new_id() for _ in range(1_000)]
    assert len(set(ids)) == 1_000
    assert {len(one) for one in ids} == {32}
    assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None), ("", None), ("5", 5), (" 5 ", 5), ("0", 0), ("-1", None), ("1.5", None), ("9" * 9, 3_600),
        ("9" * 400, None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("\u0665", None),
    ],
)  # fmt: skip
def test_retry_after_is_whole_seconds_or_nothing(header, seconds):
    assert retry_after_s(header) == seconds


def test_a_secret_that_was_just_made_is_not_printed():
    """What is printed ends up in logs; it is there to be read, by its name."""
    rotated = shapes.RotatedSecret(secret="whsec_x", public_key=None, previous_until=None)
    also = shapes.AlsoSign(profile="standard", until=None, secret="whsec_x", public_key=None, credentials={})
    for one in (rotated, also):
        assert one.secret == "whsec_x"
        assert "whsec_x" not in repr(one) + str(one)


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("http://127.0.0.1:9", None, "The API key is missing: this is NoneType"),
        ("http://127.0.0.1:9", "", "The API key is empty"),
        ("http://127.0.0.1:9", b"k" * 20, "this is bytes, not a text"),
        (None, "k" * 20, "The server's URL is missing"),
    ],
)
def test_what_is_missing_is_named(url: Any, key: Any, said: str) -> None:
    """A variable that is not set is the commonest reason."""
    for kind in (Client, AsyncClient):
        with pytest.raises((TypeError, ValueError), match=said):
            kind(url, key)


def test_other_things_than_events_are_told_apart() -> None:
    """With what to write instead."""
    with Client("http://127.0.0.1:9", "k" * 20) as client:
        given: Any = {"type": "order.paid", "content": {}}
        with pytest.raises(TypeError, match=r"not dict; of a dict NewEvent\(\*\*it\)"):
            client.publish_many("app_x", [given])
        a_day: Any = datetime.date(2026, 1, 1)
        with pytest.raises(TypeError, match="RFC 3339 text, not date"):
            client.publish("app_x", "order.paid", {}, occurred_at=a_day)
        with pytest.raises(ValueError, match="needs a time zone"):
            client.publish("app_x", "order.paid", {}, occurred_at=datetime.datetime(2026, 1, 1))  # noqa: DTZ001
