"""Pauses: the operator stops sending for a while, of everything, of one profile or of one application.

Events are taken in and kept meanwhile, and deliveries are made of them, which wait. What is under way ends. Nothing of
the time in which they waited spends a delivery's window: a round that had begun before the pause ended begins anew.
"""

from hookspan.domain.records import Record
from hookspan.domain.states import Word

PAUSE_PREFIX = "pau_"
REASON_CHARS_MAX = 500


class PauseScope(Word):
    """What is paused."""

    ALL = 1
    PROFILE = 2
    APPLICATION = 3


class Pause(Record, frozen=True, kw_only=True):
    """One pause. `ended_at` (ms) is None while it is in force; of a scope the last that ended is kept, for as long as
    rounds may last.
    """

    id: int
    scope: PauseScope
    profile: str | None = None  # its name; of scope PROFILE only
    application_id: int | None = None  # of scope APPLICATION only
    reason: str = ""
    paused_at: int
    ended_at: int | None = None


class Pauses:
    """What is paused, as one node sees it at a moment. Replaced whole when anything about it changes."""

    __slots__ = ("_all", "_by_application", "_by_profile", "_ends", "in_force")

    def __init__(self, pauses: "list[Pause] | tuple[Pause, ...]" = ()) -> None:
        self.in_force = tuple(one for one in pauses if one.ended_at is None)
        self._all = next((one for one in self.in_force if one.scope is PauseScope.ALL), None)
        self._by_profile = {one.profile: one for one in self.in_force if one.scope is PauseScope.PROFILE}
        self._by_application = {one.application_id: one for one in self.in_force if one.scope is PauseScope.APPLICATION}
        self._ends: dict[tuple[PauseScope, str | int | None], int] = {}
        for one in pauses:
            if one.ended_at is not None:
                key = one.scope, one.profile or one.application_id
                self._ends[key] = max(one.ended_at, self._ends.get(key, 0))

    def of(self, application_id: int, profile: str) -> Pause | None:
        """The widest pause that an application is under; None while it sends."""
        return self._all or self._by_profile.get(profile) or self._by_application.get(application_id)

    def ended_at(self, application_id: int, profile: str) -> int | None:
        """When (ms) the last pause of an application ended; None when it had none lately. Rounds begun before begin
        anew, as after a webhook's activation.
        """
        ends = self._ends
        keys = (PauseScope.ALL, None), (PauseScope.PROFILE, profile), (PauseScope.APPLICATION, application_id)
        return max((ends[key] for key in keys if key in ends), default=None)
