"""Logging: one line a thing, JSON for programs, and no secret in any of them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from hookspan.telemetry import configure_logging


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_pipe_gets_json() -> None:
    """One JSON object a line, with time, level and members."""
    stream = io.StringIO()
    configure_logging("info", stream)
    structlog.get_logger().info("listening", address="http://127.0.0.1:8400")
    (line,) = written(stream)
    assert line["event"] == "listening"
    assert line["level"] == "info"
    assert line["address"] == "http://127.0.0.1:8400"
    assert line["timestamp"].endswith("Z")


def test_a_terminal_gets_text() -> None:
    """People get coloured text instead."""
    stream = Terminal()
    configure_logging("info", stream)
    structlog.get_logger().info("listening", port=1)
    assert "listening" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()


def test_the_level_holds() -> None:
    """Below the level nothing is written, for other libraries neither."""
    stream = io.StringIO()
    configure_logging("warning", stream)
    structlog.get_logger().info("quiet")
    logging.getLogger("other").info("quiet")
    logging.getLogger("other").warning("loud")
    assert [line["event"] for line in written(stream)] == ["loud"]


@pytest.mark.parametrize(
    "members",
    [
        {"operator_key": "canary-1234567890"},
        {"Authorization": "Bearer canary-1234567890"},
        {"secret": b"canary-1234567890"},
        {"detail": "the header was Bearer canary-1234567890"},
        {"detail": "hk_op_canary-1234567890 is unknown"},
        {"detail": "given whsec_canary1234567890"},
    ],
)
def test_no_secret_is_written(members: dict[str, Any]) -> None:
    """By name and by shape, a planted secret does not reach the line."""
    for stream in (io.StringIO(), Terminal()):
        configure_logging("info", stream)
        structlog.get_logger().info("something", **members)
        logging.getLogger("other").warning("something %s", members.get("detail", ""))
        assert "something" in stream.getvalue()
        assert "canary" not in stream.getvalue()


def test_a_traceback_is_part_of_its_line() -> None:
    """An exception is logged in one line, its secret hidden too."""
    stream = io.StringIO()
    configure_logging("info", stream)
    try:
        raise ValueError("key whsec_canary1234567890")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = written(stream)
    assert "ValueError" in line["exception"]
    assert "canary" not in line["exception"]


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_traceback_shows_no_local_variables(stream: io.StringIO) -> None:
    """They hold keys and secrets, on a terminal as in a file."""
    configure_logging("info", stream)

    def fail(header: str) -> None:
        raise ValueError(len(header))

    try:
        fail("Bearer " + "canary" * 5)
    except ValueError:
        structlog.get_logger().exception("it failed")
    assert "ValueError" in stream.getvalue()
    assert "canarycanary" not in stream.getvalue()
