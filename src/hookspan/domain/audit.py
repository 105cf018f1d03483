"""The audit log: who did what to which object, from where. Append-only, and chained by hashes for each application."""

from typing import Any

import msgspec

from hookspan.domain.caller import CallerKind, Role


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line, before it has its place in a chain. `detail` never holds a secret."""

    at: int  # ms
    application_id: int  # 0: the installation itself
    actor_kind: CallerKind
    actor_id: str | None
    actor_name: str
    role: Role
    action: str  # "webhook.created"
    object_kind: str  # "webhook"
    object_id: str
    address: str | None
    request_id: str | None
    detail: dict[str, Any]
