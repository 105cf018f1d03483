"""Who asks: every call of management is made by a caller, who reaches one application or all, in a role."""

from typing import Literal

import msgspec

from hookspan.domain.states import Word


class Role(Word):
    """What someone may do within reach; see `hookspan.manage._rights`."""

    ADMIN = 1  # everything
    SUPPORT = 2  # looks, and configures webhooks of profiles that leave it to support
    MEMBER = 3  # looks


class Scope(Word):
    """What a key reaches."""

    OPERATOR = 1  # every application
    PUBLISHER = 2  # publishes and nothing else, to one application or to all
    APPLICATION = 3  # one application


CallerKind = Literal["operator", "key", "person", "portal", "system"]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, as the audit log names them. `application` is a public id; None reaches all."""

    kind: CallerKind
    id: str | None = None  # "key_…", "per_…", "ses_…"; None for the installation's own key and for itself
    name: str
    scope: Scope = Scope.OPERATOR
    role: Role = Role.ADMIN
    application: str | None = None
    address: str | None = None  # where the request came from
    request_id: str | None = None
    session: str | None = None  # "ses_…" by which a person or portal came
    origin: str | None = None  # of the page that may show a portal session within itself

    def reaches(self, application: str) -> bool:
        return self.application is None or self.application == application


OPERATOR = Caller(kind="operator", name="operator key")
SYSTEM = Caller(kind="system", name="Hookspan")
