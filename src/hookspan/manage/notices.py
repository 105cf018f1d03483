"""Notices: where an application's people are told of their webhooks, what they were told, and a try."""

from typing import Any, cast

import msgspec

from hookspan.domain.notice import Notice
from hookspan.domain.outcome import Outcome
from hookspan.domain.times import to_text as time_text
from hookspan.engine.notices import NOTICE_PREFIX, signing_secret
from hookspan.errors import StateForbidden
from hookspan.ids import to_text
from hookspan.manage import views
from hookspan.manage._ground import Ground
from hookspan.manage._rights import Right
from hookspan.manage._show import show_response, time_or_none

NOTICES_SHOWN = 20


class _Sent(msgspec.Struct, frozen=True):
    """A notice's body."""

    data: views.NoticeData


class Notices:
    """Look at an application's notices, and try whether they arrive. The URL is changed with the application."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def get(self, application_id: str) -> views.Notify:
        """For admins: the answer holds the secret that notices are signed with, but to portal sessions, which end."""
        ground = self._ground
        application = await ground.application(application_id, Right.ADMINISTER, "see its notices and their secret")
        return views.Notify(
            url=application.notify,
            secret=signing_secret(ground.vault, application.id) if ground.may(Right.INTRODUCE, application) else None,
            notices=[_show(one) for one in await ground.store.notices(application.id, NOTICES_SHOWN)],
        )

    async def test(self, application_id: str) -> views.NotifyTest:
        """Send one now. Raises StateForbidden where there is no URL, Overloaded when too many are under way."""
        ground = self._ground
        application = await ground.application(application_id, Right.ADMINISTER, "try its notices")
        url = application.notify
        if url is None:
            raise StateForbidden(
                "The application has no notify URL: give it one by PATCH of the application, as its admin may too.",
                allowed=[],
            )
        ident = ground.engine.ids.make()
        body: dict[str, Any] = {
            "type": "notify.test",
            "timestamp": time_text(ground.clock.now_ms()),
            "data": {
                "application_id": application.public_id,
                "sentence": "This is a test: notices about the application's webhooks arrive here.",
            },
        }
        outcome = await ground.engine.try_notify(application.id, url, ident, msgspec.json.encode(body))
        await ground.store.keep_audit(ground.entry("notify.tested", "application", application.public_id, application))
        return _show_test(ident, url, outcome)


def _show(notice: Notice) -> views.Notice:
    return views.Notice(
        id=to_text(NOTICE_PREFIX, notice.id),
        type=cast("views.NoticeType", notice.kind.type),
        created_at=time_text(notice.created_at),
        attempts=notice.attempts,
        next_attempt_at=time_or_none(notice.next_attempt_at),
        finished_at=time_or_none(notice.finished_at),
        outcome=None if notice.outcome is None else cast("views.ShownNoticeOutcome", notice.outcome.word),
        problem=notice.problem,
        data=msgspec.json.decode(notice.body, type=_Sent).data,
    )


def _show_test(ident: int, url: str, outcome: Outcome) -> views.NotifyTest:
    return views.NotifyTest(
        id=to_text(NOTICE_PREFIX, ident),
        url=url,
        is_accepted=outcome.is_success,
        started_at=time_text(outcome.started_at),
        duration_ms=outcome.duration_us / 1000,
        error=None
        if outcome.error is None
        else views.AttemptError(code=outcome.error.value, message=outcome.error_message or outcome.error.value),
        response=None
        if outcome.status is None
        else show_response(outcome.status, outcome.headers, outcome.body, outcome.body_bytes),
    )
