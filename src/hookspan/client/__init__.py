"""The publisher's half of Hookspan: publish events to a server, and manage it.

    from hookspan.client import Client

    with Client("https://hookspan.example.com", key) as client:
        client.publish("app_acme", "order.paid", {"order_id": 17})

`AsyncClient` is the same for asyncio. Answers are the frozen records of `hookspan.client.shapes`.
"""

from hookspan.client._async.client import AsyncClient
from hookspan.client._errors import (
    ChangedMeanwhile,
    ClientError,
    Conflict,
    NotAllowed,
    NotFound,
    Refused,
    TimedOut,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    Untrusted,
)
from hookspan.client._publishing import NewEvent
from hookspan.client._retry import Retry
from hookspan.client._sync.client import Client
from hookspan.client.shapes import Accepted

__all__ = [
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
