"""Talking to wrk: the script it runs, the report it gives."""

import json

import pytest

from bench._errors import BenchError
from bench._load import Load, body_of, parse, script

REPORT = """Running 3s test @ http://127.0.0.1:1/
  1 threads and 128 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     5.41ms    2.10ms  41.02ms   85.31%
    Req/Sec    22.98k     1.92k   27.01k    70.00%
  Latency Distribution
     50%  512.00us
     75%    6.12ms
     90%    7.80ms
     99%    1.25s
  68651 requests in 3.00s, 9.17MB read
"""


def test_a_report_is_read_in_ms() -> None:
    """Whatever units wrk chose."""
    assert parse(REPORT) == Load(requests=68_651, refused=0, ack_p50_ms=0.512, ack_p99_ms=1_250.0)


def test_refused_requests_were_not_accepted() -> None:
    """What the receiver must get is what was answered with 2xx."""
    load = parse(REPORT + "  Non-2xx or 3xx responses: 651\n")
    assert (load.refused, load.accepted) == (651, 68_000)


def test_another_text_is_refused() -> None:
    """No number is made of a failure."""
    with pytest.raises(BenchError, match="something else"):
        parse("unable to connect")


def test_bodies_are_one_event_or_an_array() -> None:
    """About 500 bytes an event, as the report says."""
    one = body_of(1)
    assert 400 <= len(one) <= 600
    assert json.loads(body_of(3)) == [json.loads(one)] * 3


def test_the_script_goes_through_all_paths() -> None:
    """Quotes of the body survive the way through Lua."""
    text = script(["/a", "/b"], b'{"type":"x"}', "key")
    assert 'local paths = {"/a","/b"}' in text
    assert r'wrk.body = "{\"type\":\"x\"}"' in text
    assert '"Bearer key"' in text
