"""A publisher's program carries no server."""

import subprocess
import sys

import pytest

import hookspan.client

PROGRAM = """
import sys
from hookspan.client import AsyncClient, Client
tops = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
rooms = {name.split(".")[1] for name in sys.modules if name.startswith("hookspan.")}
print(*sorted(rooms), "|", *sorted(tops))
"""
SERVER = {
    "aiodns",
    "apsw",
    "click",
    "cryptography",
    "jsonschema_rs",
    "litestar",
    "prometheus_client",
    "structlog",
    "uvicorn",
}


@pytest.fixture(scope="module")
def imported() -> list[set[str]]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    return [set(part.split()) for part in done.stdout.split("|")]


def test_importing_the_client_imports_no_server(imported):
    """Nothing of the house but its errors, and of others the HTTP library and msgspec."""
    rooms, tops = imported
    assert rooms == {"client", "errors"}
    assert tops & SERVER == set()
    assert {"httpcore", "msgspec"} <= tops


def test_the_public_names():
    """What a program may lean on."""
    assert hookspan.client.__all__ == [
        "Accepted",
        "AsyncClient",
        "ChangedMeanwhile",
        "Client",
        "ClientError",
        "Conflict",
        "NewEvent",
        "NotAllowed",
        "NotFound",
        "Refused",
        "Retry",
        "TimedOut",
        "Unauthenticated",
        "Unavailable",
        "UnexpectedAnswer",
        "Unreachable",
        "Untrusted",
    ]
