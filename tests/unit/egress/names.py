"""DNS as a script: what a name answers, call by call."""

import asyncio
from collections.abc import Sequence

from hookspan.egress.address import pack
from hookspan.egress.dns import Answer, NameFailed


def answer(*texts: str, ttl_s: int = 60) -> Answer:
    return Answer(tuple(pack(text) for text in texts), ttl_s)


NO_SUCH_NAME = NameFailed("The host name has no address in DNS.", is_definite=True)
NO_ANSWER = NameFailed("DNS did not answer in time.", is_definite=False)


class ScriptedNames:
    """Each name's answers in turn, the last one for ever. While `gate` is closed every look-up waits."""

    def __init__(self, **scripts: Sequence[Answer | NameFailed]) -> None:
        self.scripts = {name.replace("__", "."): list(answers) for name, answers in scripts.items()}
        self.asked: list[str] = []
        self.running = 0
        self.running_most = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_closed = False

    async def look_up(self, host: str) -> Answer:
        self.asked.append(host)
        self.running += 1
        self.running_most = max(self.running_most, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        answers = self.scripts.get(host, [NO_SUCH_NAME])
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(said, NameFailed):
            raise NameFailed(said.message, is_definite=said.is_definite)
        return said

    async def close(self) -> None:
        self.is_closed = True
