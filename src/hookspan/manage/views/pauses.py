"""What the operator has paused."""

from typing import Literal

from hookspan.manage.views._base import Time, View

ShownPauseScope = Literal["all", "profile", "application"]


class Paused(View, frozen=True, kw_only=True):
    """Why nothing is sent to an application's webhooks now: the widest pause that it is under."""

    scope: ShownPauseScope
    since: Time
    reason: str


class Pause(View, frozen=True, kw_only=True):
    """The operator has stopped sending of everything, of one profile or of one application. Events are taken in and
    kept meanwhile, and their deliveries wait.
    """

    id: str
    scope: ShownPauseScope
    profile: str | None
    application_id: str | None
    reason: str
    paused_at: Time
    ended_at: Time | None


class PauseList(View, frozen=True, kw_only=True):
    data: list[Pause]
    next: str | None
