"""Portal sessions: an address for a time, by which a customer of the platform comes to one application only."""

import ipaddress
import re
from typing import Any

from hookspan.domain.caller import Role
from hookspan.domain.identity import Session, SessionKind
from hookspan.domain.times import to_text as time_text
from hookspan.errors import AccessLimit
from hookspan.ids import SESSION_PREFIX, to_text
from hookspan.manage import _reach, views
from hookspan.manage._ground import Ground, invalid, not_found
from hookspan.manage._rights import Right
from hookspan.manage._show import time_or_none
from hookspan.manage._tokens import PORTAL_START, new_token
from hookspan.manage.inputs import CreatePortalSession, Paging
from hookspan.store.identity import NewSession

PORTAL_SESSIONS_MAX = 1_000  # of one application, that live
PORTAL_PATH = "/portal/"
_PORTS = {"http": 80, "https": 443}
_PORT_MAX = 65_535
_HOST_CHARS_MAX = 253
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\])(?::(?P<port>[0-9]{{1,5}}))?",
    re.ASCII,
)


class PortalSessions:
    """Create, list and end portal sessions of an application."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def create(self, app: str, given: CreatePortalSession) -> views.CreatedPortalSession:
        """Its url is shown here and never again. Raises AccessLimit, and NotAllowed for more than the caller has."""
        ground = self._ground
        application = await ground.application(app, Right.INTRODUCE, "open portal sessions")
        role = Role[given.role.upper()]
        ground.check_gift(_reach.newcomer("portal", role, application), application)
        origin = None if given.origin is None else _origin(given.origin)
        token, now_ms = new_token(PORTAL_START), ground.clock.now_ms()
        ident = ground.engine.ids.make()
        text = to_text(SESSION_PREFIX, ident)
        ends_at = now_ms + given.expires_in * 1000
        session = await ground.audited(
            "portal_session.created", "portal_session", text, application, role=given.role, origin=origin
        ).create_portal_session(
            NewSession(
                id=ident,
                kind=SessionKind.PORTAL,
                digest=token.digest,
                application_id=application.id,
                role=role,
                origin=origin,
                address=ground.caller.address,
                created_at=now_ms,
                expires_at=ends_at,
                ends_at=ends_at,
            ),
            PORTAL_SESSIONS_MAX,
        )
        if session is None:
            raise AccessLimit(
                f"{PORTAL_SESSIONS_MAX:,} portal sessions of the application live: end some, or make shorter ones.",
                limit=PORTAL_SESSIONS_MAX,
            )
        return views.CreatedPortalSession(url=f"{ground.public_url}{PORTAL_PATH}{token.text}", **_members(session))

    async def page(self, app: str, paging: Paging) -> views.PortalSessionList:
        """Those that live, newest first."""
        ground = self._ground
        application = await ground.application(app, Right.ADMINISTER, "list portal sessions")
        of = f"portal sessions of {app}"
        page = ground.page(of, paging)
        found = await ground.store.list_sessions(
            page, ground.clock.now_ms(), SessionKind.PORTAL, application_id=application.id, person_id=None
        )
        return views.PortalSessionList(
            data=[views.PortalSession(**_members(one)) for one in found],
            next=ground.next_of(of, page, found[-1].id) if len(found) >= page.limit else None,
        )

    async def end(self, app: str, text: str) -> None:
        """From the next request on nobody comes in by it."""
        ground = self._ground
        application = await ground.application(app, Right.ADMINISTER, "end portal sessions")
        session = await _reach.session(ground, text)
        if session.kind is not SessionKind.PORTAL or session.application_id != application.id:
            not_found("session", text)
        store = ground.audited("portal_session.revoked", "portal_session", text, application)
        if not await store.delete_session(session.id):
            not_found("session", text)
        ground.callers.forget(text)


def _origin(text: str) -> str:
    """`text` as a browser writes an origin: scheme, host in lower case, port where it is not the scheme's own."""
    match = _ORIGIN.fullmatch(text.lower()) if text.isascii() else None  # other letters may have ASCII ones as small
    port = int(match["port"] or 0) if match else 0
    if match is None or port > _PORT_MAX or (match["port"] and not port) or not _is_host(match["host"]):
        raise invalid(
            "/origin", "origin must be http(s)://host or http(s)://host:port and no more, as https://app.example.com."
        )
    shown = f":{port}" if port not in (0, _PORTS[match["scheme"]]) else ""
    return f"{match['scheme']}://{match['host']}{shown}"


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return len(host) <= _HOST_CHARS_MAX
    try:
        ipaddress.IPv6Address(host[1:-1])
    except ValueError:
        return False
    return True


def _members(session: Session) -> dict[str, Any]:
    return {
        "id": to_text(SESSION_PREFIX, session.id),
        "application_id": session.application,
        "role": session.role.word,
        "origin": session.origin,
        "created_at": time_text(session.created_at),
        "last_seen_at": time_or_none(session.last_seen_at),
        "expires_at": time_text(session.expires_at),
    }
