"""The profiles that are loaded, and the event types of each."""

from typing import cast

import msgspec

from hookspan.errors import UnknownProfile
from hookspan.manage import views
from hookspan.manage._ground import Ground, not_found
from hookspan.manage._rights import Right
from hookspan.profiles import CredentialKind, Profile


class ProfileCatalog:
    """Read profiles and their catalogs."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def loaded(self) -> views.ProfileList:
        profiles = self._ground.profiles
        return views.ProfileList(
            data=[_show(profiles.get(name)) for name in sorted(profiles.names)],
            next=None,
            addresses=list(self._ground.egress.addresses),
        )

    async def dialect(self, application_id: str) -> views.Dialect:
        """How the pages of one application speak. Raises NotFound."""
        application = await self._ground.application(application_id, Right.LOOK)
        profile = self._ground.profile(application)
        return views.Dialect(
            profile=_show(profile),
            words=dict(profile.words),
            groups=[
                views.EventGroup(name=one.name, title=one.title, verbs=list(one.verbs)) for one in profile.groups()
            ],
            form_of_types=profile.form_of_types,
            is_given_by_operator=self._ground.giver == "operator",
            addresses=list(self._ground.egress.addresses),
            test_types=list(profile.test_types),
        )

    def events(self, profile_name: str) -> views.Catalog:
        """The event types of a profile; an open catalog lists only what it knows."""
        try:
            profile = self._ground.profiles.get(profile_name)
        except UnknownProfile:
            not_found("profile", profile_name)
        return views.Catalog(
            data=[
                views.CatalogEntry(
                    type=one.type,
                    category=one.category,
                    title=one.title,
                    description=one.description,
                    since=one.since,
                    schema=_raw(one.schema),
                    sample=_raw(one.sample),
                    context=_raw(one.context),
                )
                for one in profile.catalog()
            ],
            next=None,
        )


def _show(profile: Profile) -> views.Profile:
    rules = profile.rules
    return views.Profile(
        name=profile.name,
        title=profile.title,
        hash=profile.hash,
        webhooks_max=rules.webhooks_max,
        webhook_name=cast("views.NameRule", rules.name),
        https=cast("views.HttpsRule", rules.https),
        checks_certificate=rules.checks_certificate,
        new_status=cast("views.NewStatus", rules.new_status.word),
        url_change=cast("views.UrlChange", rules.url_change),
        configure=list(rules.configure),
        subscription=views.SubscriptionRule(
            by=cast("views.SubscriptionBy", rules.subscription_by),
            absent=cast("views.SubscriptionAbsent", rules.subscription_absent),
        ),
        credentials=[_credential(one) for one in profile.credentials],
        headers=sorted(profile.header_names),
        has_test=profile.test_event() is not None,
        order=cast("views.Order", rules.order.word),
        retry_window_ms=rules.delivery.retry.window_ms(),
        epochs=cast("list[views.EpochChoice]", list(rules.epoch_values)),
        epoch_default=cast("views.EpochChoice", rules.epoch_default),
        settable=list(profile.settable),
        management_api=profile.management_api,
    )


def _credential(kind: CredentialKind) -> views.CredentialRule:
    return views.CredentialRule(
        name=kind.given_as,
        kind=kind.kind,
        is_required=kind.is_required,
        one_of=kind.one_of,
        given_by=list(kind.may_give),
        is_made=kind.is_made,
        shown=kind.shown,
        rotation=_rotation(*kind.rotation) if kind.rotation else None,
    )


def _rotation(overlap_ms: int, live_max: int) -> views.Rotation:
    return views.Rotation(overlap_ms=overlap_ms, live_max=live_max)


def _raw(value: object) -> msgspec.Raw | None:
    if value is None:
        return None
    return msgspec.Raw(value if isinstance(value, bytes) else msgspec.json.encode(value))
