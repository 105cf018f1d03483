"""Settings in force, for the operator: each with its value, its names, and where it may be set."""

from typing import Any, Final

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._render import Pages
from hookspan.dashboard._visit import Entered
from hookspan.errors import NotAllowed
from hookspan.settings import PREFIX, SECRET_NAMES, Settings

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
TheSettings = SkipValidation[NamedDependency[Settings]]
# What each is for, in a few words; docs/settings.md has the whole of it.
MEANINGS: Final = {
    "database_url": "where events are kept",
    "host": "address to listen on",
    "port": "port to listen on",
    "operator_key": "opens the whole API",
    "encryption_key": "seals credentials of webhooks",
    "egress_allow": "private networks that may be sent to",
    "egress_allow_http": "whether plain http may be sent to",
    "egress_ca_file": "further certificate authorities",
    "egress_proxy": "a proxy to send through",
    "egress_addresses": "addresses that requests come from, for receivers to allow",
    "retention_days": "how long events are kept",
    "log_level": "what is logged",
    "profiles_path": "a folder of profiles of your own",
    "public_url": "how people and links reach this server",
    "trusted_proxies": "proxies that are believed whom they speak for",
    "management_rate": "changes a second that one application may make",
    "smtp_url": "a mail server for notices",
    "smtp_from": "the sender of those letters",
    "role": "what this node does, of several on one database",
    "trust_window": "seconds after which a silent node is taken for dead",
    "start_paused": "whether all sending is paused at the start",
    "cell": "the number of this database among several",
    "database_listen_url": "where wake-ups come from, past a PgBouncer",
    "database_replica_url": "a read replica, for lists",
    "database_prepared": "whether statements may be prepared",
    "brand_name": "your name, on your customers' pages",
    "brand_logo": "your logo, likewise",
    "brand_colour": "your colour, likewise",
    "support_contact": "whom customers write to, on their pages",
}


class Line(msgspec.Struct, frozen=True):
    """One setting. `is_default`: it has the value that it has by itself."""

    name: str
    variable: str
    value: str
    meaning: str
    is_default: bool
    is_secret: bool


class SettingPages(Controller):
    """/dashboard/settings"""

    path = "/settings"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages, settings: TheSettings) -> Response[str]:
        """What this node runs with. Secrets are hidden."""
        if not visit.at_large.operates:
            raise NotAllowed("Only the operator's admins see the settings.")
        loaded = visit.desk.profiles.loaded()
        return pages.page("settings.html", request, lines=lines_of(settings), loaded=loaded)


def lines_of(settings: Settings) -> list[Line]:
    """In the order of docs/settings.md."""
    default, shown = Settings(), settings.shown()
    return [
        Line(
            name=name,
            variable=PREFIX + name.upper(),
            value=_say(shown[name]),
            meaning=MEANINGS.get(name, ""),
            is_default=getattr(settings, name) == getattr(default, name),
            is_secret=name in SECRET_NAMES,
        )
        for name in Settings.__struct_fields__
    ]


def _say(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value)
