"""Server-sent events of the live tail: one answer that lasts as long as somebody watches, their session lives, and the
node runs; at most STREAM_S, after which the browser asks again by itself and says where it was.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final, Literal

import msgspec

from hookspan.dashboard._asgi import Receive, Scope, Send
from hookspan.errors import HookspanError, Overloaded, RateLimited
from hookspan.manage.tail import TailTurn, Watch
from hookspan.manage.watching import Tails

TURN_S: Final = 1.0
STREAM_S: Final = 300.0
SEND_S: Final = 10.0  # for a reader that takes nothing more
QUIET_TURNS_MAX: Final = 15  # then a line that says nothing, so that nobody on the way thinks it is over
RETRY_MS: Final = 3_000
REFUSED_RETRY_S: Final = 30
# In a request's scope, by the front: the event that is set when nothing more will be read. A publisher may still listen
# then; a browser has left.
_SAYS_NO_MORE: Final = "hookspan.says_no_more"
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),  # nginx would keep it until there is a page of it
]

Render = Callable[[TailTurn], str]
IsIn = Callable[[], Awaitable[bool]]


class TailStream:
    """An ASGI app for one request. `who` is a session and its application, `render` makes a turn's rows, `is_in` asks
    whether they may still look.
    """

    def __init__(self, tails: Tails, who: tuple[str, str | None], watch: Watch, render: Render, is_in: IsIn) -> None:
        self._tails = tails
        self._who = who
        self._watch = watch
        self._render = render
        self._is_in = is_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        try:
            with self._tails.admit(*self._who):
                await self._until_over(scope.setdefault(_SAYS_NO_MORE, asyncio.Event()), receive, send)
        except (RateLimited, Overloaded) as refused:
            told = {"words": refused.detail, "retry_s": REFUSED_RETRY_S}
            await _send(send, _event("refused", told))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TURN_S):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _until_over(self, says_no_more: asyncio.Event, receive: Receive, send: Send) -> None:
        async with asyncio.TaskGroup() as group:
            over = {
                group.create_task(self._tell(send)),
                group.create_task(_gone(receive)),
                group.create_task(says_no_more.wait()),
                group.create_task(self._tails.ending.wait()),
            }
            await asyncio.wait(over, timeout=STREAM_S, return_when=asyncio.FIRST_COMPLETED)
            for one in over:
                one.cancel()

    async def _tell(self, send: Send) -> None:
        """Turn by turn, until they may look no more, take nothing more, or the store does not answer: the browser comes
        back.
        """
        quiet = 0
        with contextlib.suppress(HookspanError, TimeoutError):
            await _send(send, f"retry: {RETRY_MS}\n\n".encode())
            while await self._is_in():
                turn = await self._watch.turn()
                if turn.lines or turn.left_out or turn.is_cut:
                    told = {"html": self._render(turn), "left_out": turn.left_out, "is_cut": turn.is_cut}
                    await _send(send, _event("rows", told, turn.last))
                    quiet = 0
                elif (quiet := quiet + 1) >= QUIET_TURNS_MAX:
                    await _send(send, b": nothing new\n\n")
                    quiet = 0
                await asyncio.sleep(TURN_S)


def _event(kind: Literal["rows", "refused"], told: dict[str, object], last: str | None = None) -> bytes:
    """JSON has no line breaks, so it is one line of data."""
    ident = b"" if last is None else f"id: {last}\n".encode()
    return ident + b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(told))


async def _send(send: Send, body: bytes) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(SEND_S):
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    """Until they have left."""
    with contextlib.suppress(HookspanError):  # they left before their request was read
        while (await receive())["type"] != "http.disconnect":
            pass
