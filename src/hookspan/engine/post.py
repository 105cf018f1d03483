"""How one webhook's requests are made: where they go, which headers they carry, how they are signed.

Made once for each version of a webhook and kept by its lane; secrets are opened here and live no longer than it.
"""

from collections.abc import Sequence

import msgspec

from hookspan.domain.records import SealedCredential, Webhook
from hookspan.egress import Egress, Target
from hookspan.engine.index import Entry
from hookspan.ids import to_text
from hookspan.profiles import LiveSecret, Profile, Signer
from hookspan.vault import Vault

CUSTOM_HEADERS = "headers"  # the credential that holds a webhook's custom headers, as JSON [[name, value], …]
ALSO = "also:"  # before the names of the credentials of a webhook's second profile
_CONTENT_TYPE = b"content-type: application/json\r\n"


class Post:
    """`target` and the fixed header lines; `lines` makes those of one attempt. `renew_at`: when a secret expires.

    `is_slow`: making them takes about a millisecond, which belongs in a thread.
    """

    __slots__ = ("_profiles", "_signer", "fixed", "is_slow", "renew_at", "target", "timeout_ms")

    def __init__(
        self, target: Target, profiles: Sequence[Profile], signer: Signer, fixed: bytes, renew_at: int | None
    ) -> None:
        self.target = target
        self.fixed = fixed
        self.renew_at = renew_at
        self.timeout_ms = profiles[0].rules.timeout_ms
        self.is_slow = any(profile.is_slow for profile in profiles)
        self._profiles = profiles
        self._signer = signer

    def lines(self, event_id: int, at_ms: int, body: bytes, event_type: str) -> bytes:
        """The header lines that are this attempt's own: id, time, signatures."""
        return self._signer(to_text(self._profiles[0].event_prefix, event_id), at_ms, body, event_type)

    def shown(self, lines: bytes) -> bytes:
        """The same lines as people may see them."""
        for profile in self._profiles:
            lines = profile.mask(lines)
        return lines


def check_secrets(profile: Profile, second: Profile | None, webhook: Webhook, vault: Vault, now_ms: int) -> None:
    """Whether the webhook's secrets can be read and suffice to sign, by `profile` and, if any, by its `second` one.

    Raises SecretUnreadable and InvalidCredential, like `make_post`. Key pairs are not parsed, which takes long.
    """
    live = _live(webhook, now_ms)
    opened = [LiveSecret(one.name, _open(vault, webhook, one)) for one in live]
    own = [one for one in opened if not one.name.startswith(ALSO) and one.name != CUSTOM_HEADERS]
    _check_suffice(profile, own)
    if second is not None:
        _check_suffice(second, [_of_second(one) for one in opened if one.name.startswith(ALSO)])


def _check_suffice(profile: Profile, secrets: Sequence[LiveSecret]) -> None:
    if profile.is_slow:
        profile.check_complete({one.name for one in secrets})
    else:
        profile.signer(secrets)


def _live(webhook: Webhook, now_ms: int) -> list[SealedCredential]:
    """A credential ends at exactly the time that it was told to."""
    return [one for one in webhook.credentials if one.expires_at is None or one.expires_at > now_ms]


def make_post(entry: Entry, webhook: Webhook, egress: Egress, vault: Vault, now_ms: int) -> Post:
    """Raises InvalidUrl, HttpsRequired, BlockedDestination (the operator's rules may have changed since the URL was
    saved), SecretUnreadable, and InvalidCredential where it can't be signed as it must be.
    """
    live = _live(webhook, now_ms)
    secrets = [LiveSecret(one.name, _open(vault, webhook, one)) for one in live if one.name != CUSTOM_HEADERS]
    custom = [_open(vault, webhook, one) for one in live if one.name == CUSTOM_HEADERS]
    profiles = [entry.profile]
    signer = entry.profile.signer([one for one in secrets if not one.name.startswith(ALSO)])
    ends = [one.expires_at for one in live if one.expires_at is not None]
    also = webhook.also_sign
    if also is not None and (also.until is None or also.until > now_ms):
        second = entry.profile_called(also.profile)
        profiles.append(second)
        signer = _both(signer, second.signer([_of_second(one) for one in secrets if one.name.startswith(ALSO)]))
        if also.until is not None:
            ends.append(also.until)
    return Post(
        target=egress.target(webhook.url, https_required=entry.profile.rules.https == "required"),
        profiles=profiles,
        signer=signer,
        fixed=_CONTENT_TYPE + _header_lines(custom),
        renew_at=min(ends, default=None),
    )


def _of_second(secret: LiveSecret) -> LiveSecret:
    return LiveSecret(secret.name.removeprefix(ALSO), secret.secret)


def _both(first: Signer, second: Signer) -> Signer:
    return lambda event_id, at_ms, body, event_type: (
        first(event_id, at_ms, body, event_type) + second(event_id, at_ms, body, event_type)
    )


def _open(vault: Vault, webhook: Webhook, credential: SealedCredential) -> bytes:
    return vault.open(
        credential.sealed, application_id=webhook.application_id, webhook_id=webhook.id, name=credential.name
    )


def _header_lines(custom: Sequence[bytes]) -> bytes:
    pairs = [pair for one in custom for pair in msgspec.json.decode(one, type=list[tuple[str, str]])]
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in pairs)
