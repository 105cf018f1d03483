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
_CONTENT_TYPE = b"content-type: application/json\r\n"


class Post:
    """`target` and the fixed header lines; `lines` makes those of one attempt. `renew_at`: when a secret expires."""

    __slots__ = ("_profile", "_signer", "fixed", "renew_at", "target", "timeout_ms")

    def __init__(self, target: Target, profile: Profile, signer: Signer, fixed: bytes, renew_at: int | None) -> None:
        self.target = target
        self.fixed = fixed
        self.renew_at = renew_at
        self.timeout_ms = profile.rules.timeout_ms
        self._profile = profile
        self._signer = signer

    def lines(self, event_id: int, at_ms: int, body: bytes) -> bytes:
        """The header lines that are this attempt's own: id, time, signatures."""
        return self._signer(to_text(self._profile.event_prefix, event_id), at_ms, body)

    def shown(self, lines: bytes) -> bytes:
        """The same lines as people may see them."""
        return self._profile.mask(lines)


def make_post(entry: Entry, webhook: Webhook, egress: Egress, vault: Vault, now_ms: int) -> Post:
    """Raises InvalidUrl, HttpsRequired, BlockedDestination (the operator's rules may have changed since the URL was
    saved) and SecretUnreadable.
    """
    live = [one for one in webhook.credentials if one.expires_at is None or one.expires_at > now_ms]
    secrets = [LiveSecret(one.name, _open(vault, webhook, one)) for one in live if one.name != CUSTOM_HEADERS]
    custom = [_open(vault, webhook, one) for one in live if one.name == CUSTOM_HEADERS]
    profile = entry.profile
    return Post(
        target=egress.target(webhook.url, https_required=profile.rules.https == "required"),
        profile=profile,
        signer=profile.signer(secrets),
        fixed=_CONTENT_TYPE + _header_lines(custom),
        renew_at=min((one.expires_at for one in live if one.expires_at is not None), default=None),
    )


def _open(vault: Vault, webhook: Webhook, credential: SealedCredential) -> bytes:
    return vault.open(
        credential.sealed, application_id=webhook.application_id, webhook_id=webhook.id, name=credential.name
    )


def _header_lines(custom: Sequence[bytes]) -> bytes:
    pairs = [pair for one in custom for pair in msgspec.json.decode(one, type=list[tuple[str, str]])]
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in pairs)
