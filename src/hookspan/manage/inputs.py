"""What management takes. Members that are not named here are refused, and so is null where it is not named.

UNSET tells "not given" from null. What a profile has to say about a value is checked by the calls themselves.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

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

Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX, pattern="^[^\\u0000]*$")]
Url = Annotated[str, Meta(min_length=1, max_length=URL_CHARS_MAX, examples=["https://example.com/hooks"])]
PublicId = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$(?!\n)")]
Uuid = Annotated[
    str, Meta(pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$(?!\n)")
]
Pattern = Annotated[str, Meta(min_length=1, max_length=255, examples=["item.created", "item.*", "category:item"])]
Patterns = Annotated[list[Pattern], Meta(max_length=EVENTS_MAX)]
Rate = Annotated[float, Meta(gt=0, le=RATE_MAX, description="Requests a second.")]
Concurrency = Annotated[int, Meta(ge=1, le=CONCURRENCY_MAX, description="Requests at the same time.")]
HeaderName = Annotated[str, Meta(max_length=128, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$(?!\n)")]
HeaderValue = Annotated[str, Meta(max_length=HEADER_VALUE_CHARS_MAX, pattern=r"^([!-~]([ -~\t]*[!-~])?)?$(?!\n)")]
Headers = Annotated[dict[HeaderName, HeaderValue], Meta(max_length=HEADERS_MAX)]
CredentialName = Literal["secret", "private_key", "token"]
Credential = Annotated[str, Meta(min_length=1, max_length=CREDENTIAL_CHARS_MAX)]
State = Literal["pending", "succeeded", "failed", "cancelled"]
Credentials = dict[CredentialName, Credential | None]


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every input."""


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
    (null). For the profile that is there already, `until` absent leaves it, and its credentials stay.
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
    """`secret` absent: one is made."""

    secret: Annotated[Credential, Meta(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])] | UnsetType = UNSET


class SendTest(Input, frozen=True, kw_only=True):
    """`type` absent: the profile's own test."""

    type: Annotated[str, Meta(examples=["item.created"])] | UnsetType = UNSET


class SendEvent(Input, frozen=True, kw_only=True):
    """An event of the same application."""

    event_id: Annotated[str, Meta(examples=["evt_3ALQkvYdcEn2GvRgFG1Bq5h"])]


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
    """Filters of an event list. `sort` "oldest" reads by position, for ever: `after` is where to start."""

    type: str | None = None
    publisher_id: str | None = None
    sort: Literal["newest", "oldest"] = "newest"
    after: Annotated[int, Meta(ge=0, le=POSITION_MAX)] | None = None


class DeliveryQuery(Input, frozen=True, kw_only=True):
    """Filters of a delivery list."""

    state: State | None = None
    type: str | None = None
