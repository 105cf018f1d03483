"""docs/keys.md as it stands: each of its commands does what the page says, in one go."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from tests.support.node import OPERATOR_KEY, Node
from tests.support.tools import tool

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
PATIENCE_S = 60


async def test_every_block_of_the_page_runs(tmp_path: Path) -> None:
    """In order, in one shell, beside a server; the last token that the page makes is none any more at its end."""
    for name in ("curl", "sh", "sed"):
        tool(name)
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    node = Node(tmp_path)
    await node.start()
    try:
        await node.wait_ready()
        closing = 'echo; curl -s -o /dev/null -w "removed: %{http_code}" -H "Authorization: Bearer $TOKEN" $API/people'
        script = "set -e\n" + "\n".join([*blocks, closing]).replace("http://127.0.0.1:8400", node.base)
        code, shown = await run(script, tmp_path, node.port)
    finally:
        await node.stop()
    assert code == 0, shown
    for expected in (
        r'"id":"acme"',
        r'"id":"evt_',
        r'"key":"hk_app_',
        r"key_\w+ is revoked",
        r'"next":null',
        r"/sign-in/hk_link_",
        r"Ada is member now",
        r"their sessions have ended",
        r'"url":"http://127\.0\.0\.1:\d+/portal/hk_portal_',
        r"removed: 401",
    ):
        assert re.search(expected, shown), (expected, shown)


async def run(script: str, folder: Path, port: int) -> tuple[int | None, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOOKSPAN_")}
    process = await asyncio.create_subprocess_exec(
        tool("sh"), "-c", script, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={
            **kept,
            "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}",
            "HOOKSPAN_OPERATOR_KEY": OPERATOR_KEY,
            "HOOKSPAN_PORT": str(port),
        },
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        out, _ = await process.communicate()
    return process.returncode, out.decode()
