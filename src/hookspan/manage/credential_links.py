"""Credential links: a one-time link by which a customer enters what a webhook of theirs is to be called with, so that
whoever configures it never sees the secret.

A link is kept as a portal session whose digest is not that of any token: of the link's random part together with the
application, the webhook and the credentials that it is for. So it opens nothing else, can't be turned to another
webhook, is listed and ended where portal sessions are, and goes with its application.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hookspan.domain.caller import Caller, Role, Scope
from hookspan.domain.identity import Session, SessionKind, digest_of
from hookspan.domain.records import Application, Webhook
from hookspan.domain.times import to_text as time_text
from hookspan.errors import (
    AccessLimit,
    ChangedMeanwhile,
    Fault,
    HookspanError,
    InvalidCredential,
    NotAllowed,
    Unauthenticated,
)
from hookspan.ids import SESSION_PREFIX, to_text
from hookspan.manage import _rights
from hookspan.manage._attempts import Attempts
from hookspan.manage._ground import Ground, invalid
from hookspan.manage._rights import Right
from hookspan.manage._tokens import ENTRY_START, new_token
from hookspan.manage.inputs import CREDENTIAL_CHARS_MAX, ChangeWebhook, Input, LinkSeconds
from hookspan.manage.portal import PORTAL_SESSIONS_MAX
from hookspan.manage.webhooks import Webhooks
from hookspan.profiles import CredentialKind, Profile
from hookspan.store.identity import NewSession

ENTRY_PATH: Final = "/enter/"
ENTRY_S: Final = 86_400  # a day: somebody else has to find the time
NAMES_MAX: Final = 8
PART_CHARS_MAX: Final = 200
_PURPOSE: Final = b"hookspan credential link"
_OVER: Final = "The link is unknown, was used already, or is over. Ask whoever sent it to you for a new one."


class MakeCredentialLink(Input, frozen=True, kw_only=True):
    """`credentials`: names of those that the customer is to enter."""

    credentials: list[str]
    expires_in: LinkSeconds = ENTRY_S


class CredentialLink(msgspec.Struct, frozen=True, kw_only=True):
    """`link` is shown here and never again."""

    link: str
    credentials: list[str]
    expires_at: str

    def __repr__(self) -> str:
        return f"CredentialLink(link=***, credentials={self.credentials!r}, expires_at={self.expires_at!r})"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What a link is for: `words` are the profile's own, `url` is where the webhook leads."""

    application: str
    webhook: str | None
    url: str
    credentials: list[str]
    words: dict[str, object]
    expires_at: str


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link's parts, as its address has them."""

    application: str
    webhook: str
    names: str
    token: str

    @property
    def digest(self) -> bytes:
        parts = (self.application, self.webhook, self.names, self.token)
        return digest_of(b"\0".join([_PURPOSE, *(one.encode("utf-8", "replace") for one in parts)]))

    def __repr__(self) -> str:
        return f"Link(application={self.application!r}, webhook={self.webhook!r}, names={self.names!r}, token=***)"


def enterable(profile: Profile) -> list[CredentialKind]:
    """What a customer can bring: text that whoever configures may give, and that Hookspan does not make."""
    return [one for one in profile.credentials if "configurer" in one.may_give and not one.is_made and one.pair is None]


class CredentialLinks:
    """Make links."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def names(self, application_id: str) -> list[str]:
        """The credentials that the caller may make a link for; none where the caller may not."""
        ground = self._ground
        application = await ground.application(application_id, Right.LOOK)
        profile = ground.profile(application)
        if ground.caller.kind == "portal" or not ground.may(Right.CONFIGURE, application):
            return []
        return [one.given_as for one in enterable(profile)] if _role(profile, application) is not None else []

    async def create(self, application_id: str, webhook_id: str, given: MakeCredentialLink) -> CredentialLink:
        """Raises NotAllowed for who may not configure, and for portal sessions, which a link would outlive;
        InvalidRequest for a credential that nobody enters; AccessLimit.
        """
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        webhook = await ground.webhook(application, webhook_id)
        profile = ground.profile(application)
        possible = await self.names(application_id)
        if not possible and ground.caller.kind == "portal":
            raise NotAllowed("A link would outlive this portal session: enter the credentials in the form itself.")
        names = [one for one in possible if one in given.credentials]
        if not names or set(given.credentials) - set(possible) or len(given.credentials) > NAMES_MAX:
            there_are = ", ".join(possible) or "none"
            raise invalid("/credentials", f"Name which credentials are to be entered; there are: {there_are}.")
        token, now_ms = new_token(ENTRY_START), ground.clock.now_ms()
        shown = to_text(profile.webhook_prefix, webhook.id)
        link = Link(application=application.public_id, webhook=shown, names=",".join(names), token=token.text)
        ends_at = now_ms + given.expires_in * 1000
        store = ground.audited("credential_link.created", "webhook", shown, application, credentials=names)
        new = _session(ground, link, application, ends_at)
        if await store.create_portal_session(new, PORTAL_SESSIONS_MAX) is None:
            raise AccessLimit(
                f"{PORTAL_SESSIONS_MAX:,} links and portal sessions of the application live.", limit=PORTAL_SESSIONS_MAX
            )
        path = f"{link.application}/{link.webhook}/{link.names}/{link.token}"
        return CredentialLink(
            link=f"{ground.public_url}{ENTRY_PATH}{path}", credentials=names, expires_at=time_text(ends_at)
        )


class CredentialEntry:
    """What whoever has a link may do: look what it is for, and enter it once. Asks for no key."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._attempts = Attempts(ground.clock)

    async def look(self, link: Link, address: str | None) -> Opened:
        """Spends nothing: chats and mail look at links beforehand. Raises Unauthenticated for a link that is unknown,
        used or over, NotFound when the webhook was deleted, RateLimited.
        """
        session, application, webhook = await self._find(link, address)
        profile = self._ground.profile(application)
        return Opened(
            application=application.name,
            webhook=webhook.name,
            url=webhook.url,
            credentials=link.names.split(","),
            words=dict(profile.words),
            expires_at=time_text(session.expires_at),
        )

    async def save(
        self, link: Link, values: Mapping[str, str], url: str, address: str | None, request_id: str | None
    ) -> None:
        """Set the credentials, all of them, of the webhook as it leads to `url`, which is what the customer was shown;
        with that the link is spent: of two at once one wins. What is refused leaves it as it was. Raises as `look`
        does, InvalidCredential, and ChangedMeanwhile where the webhook leads elsewhere by now.
        """
        session, application, webhook = await self._find(link, address)
        if webhook.url != url:
            raise ChangedMeanwhile("The webhook leads elsewhere by now.")
        names = link.names.split(",")
        _check_all(names, values)
        ground = self._ground.with_caller(_caller(self._ground, session, application, address, request_id))
        if not await ground.store.delete_session(session.id):
            raise Unauthenticated(_OVER)
        try:
            await Webhooks(ground).change(
                application.public_id,
                link.webhook,
                ChangeWebhook(credentials={one: values[one] for one in names}),
                webhook.version,
            )
        except HookspanError:
            # Nothing was saved, so it is not spent. If this fails too the customer asks for a new one.
            kept = _session(ground, link, application, session.ends_at)
            await self._ground.store.create_portal_session(kept, PORTAL_SESSIONS_MAX)
            raise

    async def _find(self, link: Link, address: str | None) -> tuple[Session, Application, Webhook]:
        self._attempts.take(address)
        is_long = any(len(part) > PART_CHARS_MAX for part in (link.application, link.webhook, link.names, link.token))
        now_ms = self._ground.clock.now_ms()
        found = None if is_long else await self._ground.store.find_identity(link.digest, now_ms)
        if not isinstance(found, Session) or found.kind is not SessionKind.PORTAL or found.application is None:
            raise Unauthenticated(_OVER)
        application = await self._ground.store.get_application(found.application)
        if application is None:
            raise Unauthenticated(_OVER)
        self._attempts.give_back(address)
        return found, application, await self._ground.webhook(application, link.webhook)


def _check_all(names: Sequence[str], values: Mapping[str, str]) -> None:
    faults = []
    for name in names:
        length = len(values.get(name, ""))
        if not length or length > CREDENTIAL_CHARS_MAX:
            detail = f"Must have {CREDENTIAL_CHARS_MAX:,} characters at most." if length else "Must not be empty."
            faults.append(Fault(f"/credentials/{name}", InvalidCredential.code, detail))
    if faults:
        raise InvalidCredential("Fill in every field.", errors=tuple(faults))


def _session(ground: Ground, link: Link, application: Application, ends_at: int) -> NewSession:
    """The role is the least: nobody comes in by it."""
    return NewSession(
        id=ground.engine.ids.make(),
        kind=SessionKind.PORTAL,
        digest=link.digest,
        application_id=application.id,
        role=Role.MEMBER,
        address=ground.caller.address,
        created_at=ground.clock.now_ms(),
        expires_at=ends_at,
        ends_at=ends_at,
    )


def _role(profile: Profile, application: Application) -> Role | None:
    """The least role of the application that may change a webhook of this profile."""
    for role in (Role.MEMBER, Role.SUPPORT, Role.ADMIN):
        if _rights.has(_who(application, role), Right.CONFIGURE, profile):
            return role
    return None


def _who(application: Application, role: Role) -> Caller:
    scope = Scope.APPLICATION
    return Caller(kind="portal", name="credential link", scope=scope, role=role, application=application.public_id)


def _caller(
    ground: Ground, session: Session, application: Application, address: str | None, request_id: str | None
) -> Caller:
    """Who changes the webhook, as the audit log names them: the link, in the role that it takes."""
    role = _role(ground.profile(application), application)
    if role is None:  # the profile was changed since
        raise Unauthenticated(_OVER)
    return msgspec.structs.replace(
        _who(application, role), id=to_text(SESSION_PREFIX, session.id), address=address, request_id=request_id
    )
