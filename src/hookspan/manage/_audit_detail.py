"""What lines of the audit log say beside who did what: the members that changed, with their values where those are no
secrets. Of credentials and custom headers only the names are told, of metadata only that it changed, of URLs
the origin with a mark (`domain.audit.veiled`).
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from hookspan.domain.audit import moved
from hookspan.domain.records import AlsoSign, Application, SealedCredential, Webhook
from hookspan.domain.states import WebhookStatus, Word
from hookspan.engine.post import ALSO
from hookspan.manage._headers import HEADERS, header_names
from hookspan.store.contract import NewApplication, NewWebhook, WebhookChange

_WEBHOOK_MEMBERS = ("name", "url", "status", "events", "order", "rate", "concurrency", "also_sign")


def of_application(new: NewApplication) -> dict[str, Any]:
    """A new application."""
    return {"name": new.name, "profile": new.profile, "uuid": new.uuid, "settings": new.settings, "notify": new.notify}


def of_application_change(old: Application, members: dict[str, Any]) -> dict[str, Any]:
    """`members` as they are to be; those that stay as they are say nothing."""
    changed: dict[str, Any] = {
        name: moved(getattr(old, name), value) for name, value in members.items() if value != getattr(old, name)
    }
    if "metadata" in changed:
        changed["metadata"] = "changed"
    return changed


def of_webhook(new: NewWebhook) -> dict[str, Any]:
    """A new webhook."""
    shown = {name: _plain(getattr(new, name)) for name in _WEBHOOK_MEMBERS}
    return shown | {
        "event_epoch": new.event_epoch,
        "credentials": _names(new.credentials),
        "headers": header_names(new.credentials),
    }


def of_webhook_change(old: Webhook, change: WebhookChange) -> dict[str, Any]:
    """A change of a webhook; `keep` is told where it is switched on."""
    detail: dict[str, Any] = {}
    for name in _WEBHOOK_MEMBERS:
        given = getattr(change, name)
        before, after = _plain(getattr(old, name)), _plain(given)
        if given is not UNSET and before != after:
            detail[name] = moved(before, after)
    if change.status is not UNSET:
        detail["resume"] = "keep" if change.keep else "skip"
    if change.credentials is not UNSET:
        touched = set(old.credentials) ^ set(change.credentials)
        detail["credentials"] = _names([one for one in (*old.credentials, *change.credentials) if one in touched])
        if any(one.name == HEADERS for one in touched):
            detail["headers"] = moved(header_names(old.credentials), header_names(change.credentials))
    return detail


def _names(credentials: Sequence[SealedCredential]) -> list[str]:
    """Names only, and those of a second profile as `also_sign.NAME`."""
    names = {
        f"also_sign.{one.name.removeprefix(ALSO)}" if one.name.startswith(ALSO) else one.name for one in credentials
    }
    return sorted(names - {HEADERS})


def _plain(value: Any) -> Any:
    if value is WebhookStatus.CATCHING_UP:  # nobody asked for that: it is how the machine makes one active
        return WebhookStatus.ACTIVE.word
    if isinstance(value, Word):
        return value.word
    if isinstance(value, AlsoSign):
        return msgspec.to_builtins(value)
    return value
