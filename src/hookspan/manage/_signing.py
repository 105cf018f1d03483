"""Whether a webhook's deliveries can be signed at all, as its lane would find when it sends."""

from hookspan.domain.records import Webhook
from hookspan.engine.post import check_secrets
from hookspan.errors import InvalidCredential, UnknownProfile
from hookspan.manage._ground import Ground
from hookspan.profiles import Profile
from hookspan.vault import SecretUnreadable


def can_sign(ground: Ground, profile: Profile, webhook: Webhook) -> bool:
    """Not where a secret was sealed with another key or is damaged, or where what signing needs is missing: then its
    deliveries wait, since unsigned nothing leaves.
    """
    now_ms = ground.clock.now_ms()
    also = webhook.also_sign
    try:
        is_second = also is not None and (also.until is None or also.until > now_ms)
        second = ground.profiles.get(also.profile) if also is not None and is_second else None
        check_secrets(profile, second, webhook, ground.vault, now_ms)
    except (SecretUnreadable, InvalidCredential, UnknownProfile):
        return False
    return True
