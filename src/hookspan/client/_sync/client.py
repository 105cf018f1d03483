# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""The client itself: publishing, and a door to each part of the API."""

import datetime
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from hookspan.client._errors import ClientError
from hookspan.client._publishing import NO_ANSWERS, NewEvent, Result, batches, publish_call, results
from hookspan.client._request import get, new_id
from hookspan.client._retry import Retry
from hookspan.client._sync.all import PublishAll
from hookspan.client._sync.applications import Applications, Part
from hookspan.client._sync.audit import Audit
from hookspan.client._sync.deliveries import Deliveries
from hookspan.client._sync.events import Events
from hookspan.client._sync.jobs import Jobs
from hookspan.client._sync.keys import Keys
from hookspan.client._sync.notices import Notices
from hookspan.client._sync.pauses import Pauses
from hookspan.client._sync.people import People, Sessions
from hookspan.client._sync.portal import PortalSessions
from hookspan.client._sync.profiles import Profiles
from hookspan.client._sync.webhooks import Webhooks
from hookspan.client._sync.wire import Wire
from hookspan.client.shapes import Accepted, Statistics

_DEFAULT_RETRY = Retry()


class Client(PublishAll):
    """A Hookspan server as a publisher uses it. Any number of threads may share one.

    `timeout_s` is for one request with its answer, `retry` says how often and how long it is tried again. `ca_file`:
    certificates (PEM) of authorities to believe beside the system's. At most `connections_max` connections are open.
    `sleep` and `monotonic` are for tests. Raises ValueError for a URL or a key that can't be one; `http://` sends the
    key in the clear, so use it for this machine only.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_s: float = 10.0,
        retry: Retry = _DEFAULT_RETRY,
        ca_file: str | None = None,
        connections_max: int = 10,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire = Wire(
            base_url,
            key,
            timeout_s=timeout_s,
            retry=retry,
            ca_file=ca_file,
            connections_max=connections_max,
            sleep=sleep,
            monotonic=monotonic,
        )
        self.applications = Applications(self._wire)
        self.webhooks = Webhooks(self._wire)
        self.events = Events(self._wire, sleep)
        self.deliveries = Deliveries(self._wire)
        self.profiles = Profiles(self._wire)
        self.jobs = Jobs(self._wire)
        self.notices = Notices(self._wire)
        self.pauses = Pauses(self._wire)
        self.keys = Keys(self._wire)
        self.people = People(self._wire)
        self.sessions = Sessions(self._wire)
        self.portal_sessions = PortalSessions(self._wire)
        self.audit = Audit(self._wire)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._wire.base.shown!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections. A closed client can't be used again."""
        self._wire.close()

    def publish(
        self,
        application: str,
        type: str,  # noqa: A002 - the member's name
        content: Any,
        *,
        publisher_id: str | None = None,
        context: Any = None,
        occurred_at: datetime.datetime | str | None = None,
    ) -> Accepted:
        """Publish one event; when this returns, it is on the server's disk.

        Without a `publisher_id` one is made, so that a try whose answer was lost can be repeated and the event is kept
        once all the same. Where all tries failed, `publisher_id` of the error is the one to go on with.
        """
        event = NewEvent(
            type=type,
            content=content,
            publisher_id=new_id() if publisher_id is None else publisher_id,
            context=context,
            occurred_at=occurred_at,
        )
        try:
            return self._wire.run(publish_call(application, event))
        except ClientError as error:
            error.publisher_id = event.publisher_id
            raise

    def publish_many(self, application: str, events: Iterable[NewEvent]) -> list[Result]:
        """Publish a list, in as few requests as it takes. For each event, in order: Accepted, or Refused (returned, not
        raised) where something is wrong with it alone.

        Raises ClientError where a request failed as a whole: call again with the same events, and what was kept already
        is not kept twice.
        """
        found: list[Result] = []
        for batch in batches(events):
            answer = self._wire.run(batch.call(application)) if batch.encoded else NO_ANSWERS
            found += results(batch, answer)
        return found

    def stats(self, *, since: str | None = None, until: str | None = None, by: Part | None = None) -> Statistics:
        """What happened to all applications, hour by hour or day by day; of the last 24 hours unless told."""
        return self._wire.run(get(Statistics, "stats", since=since, until=until, by=by))
