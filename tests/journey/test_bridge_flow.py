"""A client of Bridge's Webhooks API works by changing its base URL: the documented way, against a real process."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.journey.bridge_flow import flow
from tests.support.node import OPERATOR_KEY, Node
from tests.support.tools import tool

pytestmark = pytest.mark.anyio

STEPS = 6


async def test_the_documented_flow(tmp_path):
    """Created, looked at, tried out, active, paused, deleted; every member, code and signature on the way."""
    steps: list[str] = []
    await flow(tmp_path, steps.append)
    assert len(steps) == STEPS


async def test_pointing_a_client_at_it(tmp_path):
    """docs/bridge-webhooks-api.md as it stands: from the operator's key to the client's first answer."""
    tool("curl")
    page = (Path(__file__).parents[2] / "docs" / "bridge-webhooks-api.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert "tests.journey.bridge_flow" in second  # which the test above runs
    node = Node(tmp_path)
    try:
        await node.start()
        await node.wait_ready()
        environment = os.environ | {
            "HOOKSPAN_URL": node.base,
            "KEY": OPERATOR_KEY,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        shell = await asyncio.create_subprocess_exec(
            "bash", "-euc", first, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, errors = await shell.communicate()
        assert shell.returncode == 0, errors.decode()
        assert json.loads(out) == {"data": []}
    finally:
        await node.stop()
