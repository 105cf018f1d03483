"""The profiles that are loaded, and the event types of each."""

from typing import cast

import msgspec

from hookspan.errors import UnknownProfile
from hookspan.manage import views
from hookspan.manage._ground import Ground, not_found
from hookspan.profiles import Profile


class ProfileCatalog:
    """Read profiles and their catalogs."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def loaded(self) -> views.ProfileList:
        profiles = self._ground.profiles
        return views.ProfileList(data=[_show(profiles.get(name)) for name in sorted(profiles.names)], next=None)

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
        order=cast("views.Order", rules.order.word),
        configure=list(rules.configure),
    )


def _raw(value: object) -> msgspec.Raw | None:
    if value is None:
        return None
    return msgspec.Raw(value if isinstance(value, bytes) else msgspec.json.encode(value))
