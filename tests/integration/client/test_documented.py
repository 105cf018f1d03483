"""docs/client.md as it stands: every block runs, one after the other, against a real server."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from hookspan import client as module
from tests.support.node import OPERATOR_KEY
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[3] / "docs" / "client.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
RUN_S = 60.0


async def test_every_block_runs(node, client, tmp_path):
    """As one program, with warnings as errors: a connection that is left open would be one."""
    await client.applications.create("Acme", id="app_acme")
    async with Receiver() as receiver:
        text = "".join(BLOCKS).replace("http://127.0.0.1:8400", node.base)
        program = tmp_path / "page.py"
        program.write_text(text.replace("http://127.0.0.1:9000/hook", receiver.url) + "client.close()\n", "utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "error", str(program),
            env={"HOOKSPAN_KEY": OPERATOR_KEY}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(RUN_S):
            said, complained = await process.communicate()
    assert (process.returncode, complained) == (0, b"")
    lines = said.decode()
    assert re.search(r"^evt_\w+$", lines, re.MULTILINE)
    assert " unknown_event_type " in lines
    assert re.search(r"^\w+ whsec_\S+$", lines, re.MULTILINE)
    assert "succeeded AttemptResponse(status=200" in lines
    assert "not_found 404 " in lines
    events = [event async for event in client.events.read_on("app_acme", wait_s=None)]
    assert len(events) == 1 + 1 + 2_000 + 2 + 1 + 3


def test_every_error_is_on_the_page():
    """Each class that a call may raise stands in the table."""
    errors = {name for name in module.__all__ if isinstance(getattr(module, name), type)}
    errors = {name for name in errors if issubclass(getattr(module, name), module.ClientError)}
    table = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    assert {name for name in errors if f"`{name}`" not in table} == set()
