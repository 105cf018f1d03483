"""What management takes. Members that are not named here are refused, and so is null where it is not named.

UNSET tells "not given" from null. What a profile has to say about a value is checked by the calls themselves.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hookspan.domain.pause import REASON_CHARS_MAX

NAME_CHARS_MAX = 10_000
URL_CHARS_MAX = 2_048
EVENTS_MAX = 1_000
HEADERS_MAX = 20
HEADER_VALUE_CHARS_MAX = 4_096
CREDENTIAL_CHARS_MAX = 16_384
CONCURRENCY_MAX = 1_000
CONCURRENCY_DEFAULT = 16
RATE_MAX = 100_000
LIMIT_DEFAULT = 50
LIMIT_MAX = 500
POSITION_MAX = 2**62
CREDENTIAL_NAME_CHARS_MAX = 100
PROFILE_NAME_CHARS_MAX = 255

# What patterns say, in words: for refusals and for the API's document.
_NO_NUL = "Any text without NUL."
_ID = "Letters, digits, - and _, beginning with a letter or digit."
_UUID = "A UUID: 8-4-4-4-12 hexadecimal digits."
_HEADER_NAME = "Letters, digits and any of !#$%&'*+.^_`|~-, as a header's name is written (RFC 9110)."
_HEADER_VALUE = "Visible ASCII, with spaces and tabs only in between; no line breaks."

Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX, pattern="^[^\\u0000]*$", description=_NO_NUL)]
Url = Annotated[str, Meta(min_length=1, max_length=URL_CHARS_MAX, examples=["https://example.com/hooks"])]
PublicId = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$(?!\n)", description=_ID)]
Uuid = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$(?!\n)",
        description=_UUID,
    ),
]
Pattern = Annotated[str, Meta(min_length=1, max_length=255, examples=["item.created", "item.*", "category:item"])]
Patterns = Annotated[list[Pattern], Meta(max_length=EVENTS_MAX)]
JobRate = Annotated[float, Meta(ge=0.001, le=RATE_MAX, description="Deliveries a second.")]
Rate = Annotated[float, Meta(gt=0, le=RATE_MAX, description="Requests a second.")]
Concurrency = Annotated[int, Meta(ge=1, le=CONCURRENCY_MAX, description="Requests at the same time.")]
HeaderName = Annotated[
    str, Meta(max_length=128, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$(?!\n)", description=_HEADER_NAME)
]
HeaderValue = Annotated[
    str,
    Meta(max_length=HEADER_VALUE_CHARS_MAX, pattern=r"^([!-~]([ -~\t]*[!-~])?)?$(?!\n)", description=_HEADER_VALUE),
]
Headers = Annotated[dict[HeaderName, HeaderValue], Meta(max_length=HEADERS_MAX)]
CredentialName = Annotated[
    str,
    Meta(
        max_length=CREDENTIAL_NAME_CHARS_MAX,
        description="One of the profile's credentials: secret, private_key, token, or what a profile of one's own has.",
    ),
]
Credential = Annotated[str, Meta(min_length=1, max_length=CREDENTIAL_CHARS_MAX)]
_SECRETS = frozenset({"credentials", "headers", "link", "secret"})  # members of inputs
_MASK = "***"
LINK_S = 900
KeyScope = Literal["operator", "publisher", "application"]
RoleWord = Literal["admin", "support", "member"]
LinkSeconds = Annotated[int, Meta(ge=60, le=604_800)]
State = Literal["pending", "succeeded", "failed", "cancelled"]
ReplayState = Literal["succeeded", "failed", "cancelled", "missing"]
JobWord = Literal["queued", "running", "succeeded", "failed", "cancelled"]
PauseScopeWord = Literal["all", "profile", "application"]
Credentials = dict[CredentialName, Credential | None]


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every input. What may be secret is masked where one is printed."""

    def __repr__(self) -> str:
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        said = (f"{name}={_MASK if name in _SECRETS and value else repr(value)}" for name, value in values)
        return f"{type(self).__name__}({', '.join(said)})"


class CreateApplication(Input, frozen=True, kw_only=True):
    """`id` and `uuid` are made when not given. `settings` change what the profile lists as settable."""

    name: Name
    profile: str = "standard"
    id: PublicId | UnsetType = UNSET
    uuid: Uuid | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    notify: Url | None = None


class ChangeApplication(Input, frozen=True, kw_only=True):
    """Members that are given replace the old ones. The profile is fixed once there are webhooks or events."""

    name: Name | UnsetType = UNSET
    profile: str | UnsetType = UNSET
    uuid: Uuid | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    notify: Url | UnsetType | None = UNSET


class EpochAt(Input, frozen=True, kw_only=True):
    """Start after this position of the application's event sequence."""

    position: Annotated[int, Meta(ge=0, le=POSITION_MAX)]


Epoch = Literal["now", "webhook_creation", "beginning_of_time"] | EpochAt


class SetAlsoSign(Input, frozen=True, kw_only=True):
    """A second profile whose signature goes beside the first's, until a time at most a year ahead, or without an end
    (null). For the profile that is there already, `until` absent leaves it, unless it has passed, and its credentials
    stay.
    """

    profile: Annotated[str, Meta(examples=["standard"])]
    until: Annotated[str, Meta(examples=["2026-12-31T00:00:00Z"])] | UnsetType | None = UNSET
    credentials: Credentials | UnsetType = UNSET


class CreateWebhook(Input, frozen=True, kw_only=True):
    """`events` absent or null is the profile's rule for it; `[]` asks for none."""

    url: Url
    name: Name | None = None
    events: Patterns | UnsetType | None = UNSET
    status: Literal["active", "disabled"] | UnsetType = UNSET
    credentials: Credentials | UnsetType = UNSET
    order: Literal["any", "fifo"] | UnsetType = UNSET
    rate: Rate | None = None
    concurrency: Concurrency = CONCURRENCY_DEFAULT
    headers: Headers | UnsetType = UNSET
    also_sign: SetAlsoSign | UnsetType | None = UNSET
    event_epoch: Epoch | UnsetType = UNSET


class ChangeWebhook(Input, frozen=True, kw_only=True):
    """Members that are given replace the old ones. `resume` goes with `"status": "active"` and says whether the
    events that came while the webhook was off are delivered (keep, the default) or left out (skip). `also_sign` null
    takes the second signature away.
    """

    url: Url | UnsetType = UNSET
    name: Name | UnsetType | None = UNSET
    events: Patterns | UnsetType | None = UNSET
    status: Literal["active", "disabled"] | UnsetType = UNSET
    resume: Literal["keep", "skip"] | UnsetType = UNSET
    credentials: Credentials | UnsetType = UNSET
    order: Literal["any", "fifo"] | UnsetType = UNSET
    rate: Rate | UnsetType | None = UNSET
    concurrency: Concurrency | UnsetType = UNSET
    headers: Headers | UnsetType = UNSET
    also_sign: SetAlsoSign | UnsetType | None = UNSET


class RotateSecret(Input, frozen=True, kw_only=True):
    """`secret` absent: one is made, and another one each time that it is asked for; where two may be live, rotating
    twice within the overlap drops the first at once. A `secret` that is in force already changes nothing, so giving
    one can be sent again safely. `credential` absent: the first of the profile's that the webhook has and that rotates;
    a webhook with a secret and a key pair names the pair by `"private_key"`.
    """

    credential: Annotated[CredentialName, Meta(examples=["private_key"])] | UnsetType = UNSET
    secret: Annotated[Credential, Meta(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])] | UnsetType = UNSET


class SendTest(Input, frozen=True, kw_only=True):
    """`type` absent: the profile's own test."""

    type: Annotated[str, Meta(examples=["item.created"])] | UnsetType = UNSET


class SendEvent(Input, frozen=True, kw_only=True):
    """An event of the same application."""

    event_id: Annotated[str, Meta(examples=["evt_3ALQkvYdcEn2GvRgFG1Bq5h"])]


class StartReplay(Input, frozen=True, kw_only=True):
    """Events accepted from `since` (inclusive) to `until` (exclusive; absent: now) that the webhook asks for are
    delivered again, or those of them that `types` names. `state`: only those whose newest delivery to the webhook is in
    it, or that have none (`missing`). `rate` is deliveries a second. With `dry_run` they are counted and nothing is
    started.
    """

    since: Annotated[str, Meta(max_length=64, examples=["2026-05-01T00:00:00Z"])]
    until: Annotated[str, Meta(max_length=64, examples=["2026-05-02T00:00:00Z"])] | UnsetType | None = UNSET
    state: ReplayState | UnsetType | None = UNSET
    types: Patterns | UnsetType | None = UNSET
    rate: JobRate | UnsetType | None = UNSET
    dry_run: bool = False


class PublishSample(Input, frozen=True, kw_only=True):
    """`type` absent: the first of the profile's catalog."""

    type: Annotated[str, Meta(examples=["item.created"])] | UnsetType = UNSET


class Paging(Input, frozen=True, kw_only=True):
    """Which part of a list. `since` is inclusive, `until` exclusive, both RFC 3339."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: str | None = None
    since: str | None = None
    until: str | None = None


class EventQuery(Input, frozen=True, kw_only=True):
    """Filters of an event list. `sort` "oldest" reads by position, for ever: `after` is where to start. `undelivered`:
    only events of which some delivery is pending or failed, or none has succeeded.
    """

    type: str | None = None
    publisher_id: str | None = None
    sort: Literal["newest", "oldest"] = "newest"
    after: Annotated[int, Meta(ge=0, le=POSITION_MAX)] | None = None
    undelivered: bool = False


class EventWindow(Input, frozen=True, kw_only=True):
    """Which events: the newest, or those next to one that is named by its id."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)]
    older_than: str | None = None
    newer_than: str | None = None
    category: str | None = None


class UpcomingQuery(Input, frozen=True, kw_only=True):
    """Filters of what will be delivered next."""

    type: str | None = None
    category: str | None = None


class DeliveryQuery(Input, frozen=True, kw_only=True):
    """Filters of a delivery list."""

    state: State | None = None
    type: str | None = None


class StatisticsQuery(Input, frozen=True, kw_only=True):
    """Which time, RFC 3339, and in which parts. `since` absent is a day before `until`, `until` absent is now."""

    since: str | None = None
    until: str | None = None
    by: Literal["hour", "day"] = "hour"


# --- who may come in


class CreateKey(Input, frozen=True, kw_only=True):
    """`application_id` is needed for the scope application, and may be left out by a caller who has only one; a key of
    the scope publisher publishes to all applications without it, and has no role.
    """

    name: Name
    scope: KeyScope
    application_id: PublicId | None = None
    role: RoleWord = "admin"


class InvitePerson(Input, frozen=True, kw_only=True):
    """`application_id` absent: someone of the caller's own application, or of the operator."""

    name: Name
    role: RoleWord
    application_id: PublicId | None = None
    expires_in: LinkSeconds = LINK_S


class ChangePerson(Input, frozen=True, kw_only=True):
    """Members that are given replace the old ones."""

    name: Name | UnsetType = UNSET
    role: RoleWord | UnsetType = UNSET


class MakeLink(Input, frozen=True, kw_only=True):
    """Sign-in by a new link, which ends the one before."""

    expires_in: LinkSeconds = LINK_S


class OpenSession(Input, frozen=True, kw_only=True):
    """The link as it was given, or its last part alone."""

    link: Annotated[str, Meta(min_length=1, max_length=URL_CHARS_MAX)]


class CreatePortalSession(Input, frozen=True, kw_only=True):
    """`origin`: of the page that shows the portal within itself."""

    expires_in: Annotated[int, Meta(ge=60, le=86_400)] = 3_600
    role: RoleWord = "admin"
    origin: Annotated[str, Meta(min_length=1, max_length=300, examples=["https://app.example.com"])] | None = None


class AuditFilter(Input, frozen=True, kw_only=True):
    """Filters of the audit log: ids of who did something and of what it was done to."""

    application_id: str | None = None
    action: str | None = None
    actor: str | None = None
    object: str | None = None


class CreatePause(Input, frozen=True, kw_only=True):
    """`profile` goes with the scope profile, `application_id` with the scope application."""

    scope: PauseScopeWord
    profile: Annotated[str, Meta(max_length=PROFILE_NAME_CHARS_MAX, examples=["standard"])] | None = None
    application_id: PublicId | None = None
    reason: Annotated[
        str, Meta(max_length=REASON_CHARS_MAX, pattern="^[^\\u0000]*$", examples=["After a restore."])
    ] = ""


class JobQuery(Input, frozen=True, kw_only=True):
    """Filters of a job list."""

    application_id: str | None = None
    webhook_id: str | None = None
    state: JobWord | None = None
