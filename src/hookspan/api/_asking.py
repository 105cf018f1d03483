"""Work that lasts as long as somebody waits for its answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar, cast

from litestar import Request

from hookspan.api._asgi import Receive, Scope
from hookspan.api._idempotency import sent_idempotency_key
from hookspan.errors import InvalidRequest

# In the scope of a request: an event, set when nothing more will come from the client. Programs that end look like
# that, and so do the few that close their half of a connection and listen on.
SAYS_NO_MORE: Final = "hookspan.says_no_more"

_T = TypeVar("_T")


async def while_asked(request: Request[Any, Any, Any], work: Coroutine[Any, Any, _T]) -> _T:
    """What `work` returns or raises. It is cancelled when the client goes, so that it holds nothing for nobody; under
    an Idempotency-Key it goes on, for its answer may be asked for again. The body must have been read.
    """
    scope = cast("Scope", request.scope)
    if sent_idempotency_key(scope["headers"]) is not None:
        return await work
    doing = asyncio.ensure_future(work)
    left = asyncio.ensure_future(_end_of(cast("Receive", request.receive)))
    silent = asyncio.ensure_future(scope.setdefault(SAYS_NO_MORE, asyncio.Event()).wait())
    try:
        await asyncio.wait((doing, left, silent), return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            doing.cancel()
            await asyncio.wait((doing,))
        if doing.cancelled():
            raise InvalidRequest(
                "This ended with your side of the connection: keep the connection open for the answer."
            )
        return doing.result()
    finally:
        for task in (doing, left, silent):
            task.cancel()
        await asyncio.gather(doing, left, silent, return_exceptions=True)


async def _end_of(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
