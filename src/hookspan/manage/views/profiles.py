"""Profiles and their catalogs."""

from typing import Any, Literal

import msgspec

from hookspan.manage.views._base import View
from hookspan.manage.views.webhooks import EpochChoice, Order

NameRule = Literal["optional", "required", "none"]
HttpsRule = Literal["required", "unless_operator_allows"]
NewStatus = Literal["active", "disabled"]
UrlChange = Literal["any", "disabled"]
SubscriptionBy = Literal["type", "pattern", "group", "matrix"]
SubscriptionAbsent = Literal["all", "none", "refused"]
ShownRule = Literal["once", "public", "never"]


class Rotation(View, frozen=True, kw_only=True):
    """How long the credential before goes on signing, and how many there are at most."""

    overlap_ms: int
    live_max: int


class CredentialRule(View, frozen=True, kw_only=True):
    """A credential as a webhook's `credentials` name it. Of several with the same `one_of` one is required.

    `given_by` says who may bring one, `is_made` whether Hookspan makes one; `shown` is whether people get to see the
    secret once, only its public half, or never anything.
    """

    name: str
    kind: str
    is_required: bool
    one_of: str | None
    given_by: list[str]
    is_made: bool
    shown: ShownRule
    rotation: Rotation | None


class SubscriptionRule(View, frozen=True, kw_only=True):
    """What people choose events by, and what a webhook without a list gets."""

    by: SubscriptionBy
    absent: SubscriptionAbsent


class Profile(View, frozen=True, kw_only=True):
    """A wire format with its rules, as far as they concern who configures webhooks and who receives.

    `webhooks_max` 0: no limit. `headers` are all that its signers may write, in lower case. `retry_window_ms`
    is from the first attempt to the last.
    """

    name: str
    title: str
    hash: str
    webhooks_max: int
    webhook_name: NameRule
    https: HttpsRule
    checks_certificate: bool
    new_status: NewStatus
    url_change: UrlChange
    configure: list[str]
    subscription: SubscriptionRule
    credentials: list[CredentialRule]
    headers: list[str]
    has_test: bool
    order: Order
    retry_window_ms: int
    epochs: list[EpochChoice]
    epoch_default: EpochChoice
    settable: list[str]
    management_api: str | None


class EventGroup(View, frozen=True, kw_only=True):
    """Event types that belong together, as people choose them: `verbs` in the profile's order."""

    name: str
    title: str
    verbs: list[str]


class Dialect(View, frozen=True, kw_only=True):
    """How one application's pages and forms speak: its profile with the application's settings in force, the vendor's
    own words, and its groups. `form_of_types` is a sentence where any type of a form will do; `addresses` are those
    that requests come from; `test_types` are those that a test may be a sample of, where there is a choice. Not of the
    API.
    """

    profile: Profile
    words: dict[str, Any]
    groups: list[EventGroup]
    form_of_types: str | None
    is_given_by_operator: bool
    addresses: list[str]
    test_types: list[str]


class CatalogEntry(View, frozen=True, kw_only=True):
    """One event type of a profile, with the JSON Schema of its content and a sample; `context` belongs to the sample
    where the profile's body asks for one.
    """

    type: str
    category: str | None
    title: str | None
    description: str | None
    since: str | None
    schema: msgspec.Raw | None
    sample: msgspec.Raw | None
    context: msgspec.Raw | None


class ProfileList(View, frozen=True, kw_only=True):
    """`addresses` are those that all requests come from, for receivers' allow lists, as the operator has set them."""

    data: list[Profile]
    next: None
    addresses: list[str]


class Catalog(View, frozen=True, kw_only=True):
    data: list[CatalogEntry]
    next: None
