"""The blocking client is the asyncio client without its `await`s, word by word. To write it anew after a change:

python -m tests.unit.client.twins
"""

import re
import subprocess
import sysconfig
from pathlib import Path

CLIENT = Path(__file__).parents[3] / "src" / "hookspan" / "client"
HANDMADE = {"all.py", "__init__.py"}  # what is on its way at once: tasks there, threads here
_RUFF = Path(sysconfig.get_path("scripts")) / "ruff"
_HEAD = "# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.\n"
_RULES = [
    (r"\basync (def|with|for) ", r"\1 "),
    (r"\bawait ", ""),
    (r"Callable\[\[float\], Awaitable\[None\]\]", "Callable[[float], None]"),
    (r"\bAwaitable, ", ""),
    (r", Awaitable\b", ""),
    (r"  # noqa: ASYNC109 - the library's", ""),
    (r"\bAnyIOBackend\b", "SyncBackend"),
    (r"\bAsyncGenerator\[(.+), None\]", r"Generator[\1, None, None]"),
    (r"\bAsync([A-Z]\w*)\b", r"\1"),
    (r"__a(enter|exit|iter|next)__", r"__\1__"),
    (r"\ba(close|iter_stream)\b", r"\1"),
    (r"hookspan\.client\._async", "hookspan.client._sync"),
    (r"^import asyncio\n", ""),
    (r"asyncio\.sleep", "time.sleep"),
    (r", for asyncio\. Any number of tasks may share one", ". Any number of threads may share one"),
    (r"Any number of tasks may use it at once", "Any number of threads may use it at once"),
    (r"of this task has", "of this thread has"),
]


def sources() -> list[Path]:
    return sorted(path for path in (CLIENT / "_async").glob("*.py") if path.name not in HANDMADE)


def twin_of(path: Path) -> Path:
    return CLIENT / "_sync" / path.name


def blocking(text: str) -> str:
    """The blocking twin of a module's text."""
    for pattern, new in _RULES:
        text = re.sub(pattern, new, text, flags=re.MULTILINE)
    text = _HEAD + text
    for command in (["check", "--select", "I,SIM117,UP028", "--fix", "--unsafe-fixes", "-q"], ["format", "-q"]):
        text = subprocess.run(
            [_RUFF, *command, "--stdin-filename", str(CLIENT / "_sync" / "twin.py"), "-"],
            input=text, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    return text


if __name__ == "__main__":
    for source in sources():
        twin_of(source).write_text(blocking(source.read_text(encoding="utf-8")), encoding="utf-8")
