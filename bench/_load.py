"""wrk as the publishers: as many requests as its connections can carry, and what became of them."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench._errors import BenchError

CONNECTIONS = 128
_GRACE_S = 30.0  # beyond the agreed duration, before wrk is given up
_MS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}

# About 500 bytes on the wire: an id, a number, a reference and some text, as events of platforms are.
CONTENT: dict[str, Any] = {
    "order_id": 1_234_567_890,
    "status": 0,
    "customer": "3f1c1d6e-2b57-4d35-9b0c-6a4b0f0e7c11",
    "note": "x" * 330,
}
EVENT: dict[str, Any] = {"type": "order.paid", "content": CONTENT}


class Load(msgspec.Struct, frozen=True):
    """What wrk saw."""

    requests: int
    refused: int  # answers other than 2xx and 3xx
    ack_p50_ms: float
    ack_p99_ms: float

    @property
    def accepted(self) -> int:
        """Requests that were answered with 2xx."""
        return self.requests - self.refused


def body_of(batch: int) -> bytes:
    """One event, or an array of `batch` of them."""
    return json.dumps(EVENT if batch == 1 else [EVENT] * batch, separators=(",", ":")).encode()


def script(paths: Sequence[str], body: bytes, key: str) -> str:
    """A wrk script that posts `body` to each of `paths` in turn. Requests are made once, before the clock runs."""
    lines = [
        'wrk.method = "POST"',
        f"wrk.body = {_lua(body.decode())}",
        'wrk.headers["content-type"] = "application/json"',
        f'wrk.headers["authorization"] = {_lua("Bearer " + key)}',
        "local paths = {" + ",".join(map(_lua, paths)) + "}",
        "local requests, turn = {}, 0",
        "init = function() for i, path in ipairs(paths) do requests[i] = wrk.format(nil, path) end end",
        "request = function() turn = turn % #requests + 1; return requests[turn] end",
    ]
    return "\n".join(lines) + "\n"


def run(wrk: str, port: int, lua: str, seconds: int, folder: Path, connections: int = CONNECTIONS) -> Load:
    """Publish for `seconds`. Raises BenchError when wrk fails."""
    file = folder / "publish.lua"
    file.write_text(lua)
    url = f"http://127.0.0.1:{port}/"
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", str(file), url]
    try:
        done = subprocess.run(  # noqa: S603 - a program we found, arguments we made
            command, capture_output=True, text=True, timeout=seconds + _GRACE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"wrk did not end {_GRACE_S:.0f} s after its time.") from None
    if done.returncode != 0:
        raise BenchError(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return parse(done.stdout)


def parse(report: str) -> Load:
    """Read wrk's report. Raises BenchError when it is not one."""
    requests = re.search(r"(\d+) requests in", report)
    if requests is None:
        raise BenchError(f"wrk said something else than expected:\n{report}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", report)
    return Load(
        requests=int(requests.group(1)),
        refused=int(refused.group(1)) if refused else 0,
        ack_p50_ms=_quantile_ms(report, 50),
        ack_p99_ms=_quantile_ms(report, 99),
    )


def _quantile_ms(report: str, percent: int) -> float:
    found = re.search(rf"^\s*{percent}%\s+([\d.]+)(us|ms|s|m)\b", report, re.MULTILINE)
    return float(found.group(1)) * _MS[found.group(2)] if found else 0.0


def _lua(text: str) -> str:
    # JSON's string escapes are Lua's for what occurs here: ASCII without control characters.
    return json.dumps(text)
