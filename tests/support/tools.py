"""Programs that tests ask and a developer's machine may lack: node, go, java, openssl, ruby, php."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Git ignores it and `make clean` removes it.
PLACE = Path(__file__).parents[2] / ".venv"

ALL_TOOLS = "HOOKSPAN_TEST_ALL_TOOLS"
OPTIONAL = frozenset({"ruby", "php"})  # their tests run where they are, and are asked for nowhere


def tool(name: str) -> str:
    """The program's path. Without it the test is skipped, or fails where HOOKSPAN_TEST_ALL_TOOLS=1 says that all are
    here: a machine that judges changes must not pass what it did not look at.
    """
    path = shutil.which(name)
    if path is not None:
        return path
    reason = f"{name} is not on this machine"
    if os.environ.get(ALL_TOOLS) == "1" and name not in OPTIONAL:
        pytest.fail(f"{reason}, and {ALL_TOOLS}=1 asks for all tools")
    pytest.skip(reason)


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """For what is made once and found made by the others: pytest's workers are processes, so the lock is a file."""
    PLACE.mkdir(exist_ok=True)
    with (PLACE / f"{name}.lock").open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        yield


def environment(**more: str) -> dict[str, str]:
    """This process's environment for a `hookspan` of its own: without settings that happen to be there."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HOOKSPAN_")} | more
