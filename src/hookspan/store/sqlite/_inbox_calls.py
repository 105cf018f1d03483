"""The calls of `hookspan.store.inbox` on SQLite, which has no inbox: one process holds the file, so no platform can
write to it in a transaction of its own.
"""

from collections.abc import Sequence

from hookspan.store.inbox import InboxApplication, InboxRefusal, InboxRow


class InboxCalls:
    """Part of `SqliteStore`."""

    @property
    def has_inbox(self) -> bool:
        return False

    async def inbox_applications(self, node: int, after: str, limit: int) -> list[InboxApplication]:  # noqa: ARG002
        return []

    async def draw_inbox(
        self,
        node: int,  # noqa: ARG002
        applications: Sequence[str],  # noqa: ARG002
        *,
        each: int,  # noqa: ARG002
        limit: int,  # noqa: ARG002
        bytes_max: int,  # noqa: ARG002
    ) -> list[InboxRow]:
        return []

    async def settle_inbox(
        self,
        node: int,
        applications: Sequence[str],
        refusals: Sequence[InboxRefusal],
        now_ms: int,
    ) -> None:
        """Nothing was drawn."""
