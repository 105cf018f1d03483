"""Every operation of /v1 with a request that it takes: for the matrix of who may, and for the document's examples."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from hookspan.ids import to_text

# Who may: anybody with a key; look; configure webhooks; publish; the operator's admins; anybody of the operator;
# admins; admins who stay longer than a portal session; people for their own, and admins; anybody at all.
Who = Literal[
    "key", "look", "configure", "publish", "operate", "overlook", "administer", "introduce", "sessions", "nobody"
]
Ids = dict[str, str]
Body = Callable[[Ids], Any]


class Route(msgspec.Struct, frozen=True):
    """`body` None: the operation takes none. `is_last_of_all`: what it is about is gone afterwards."""

    who: Who
    body: Body | None = None
    other: Body | None = None  # one that is answered with another status
    query: dict[str, str] = {}
    is_last_of_all: bool = False


# Of a profile that nothing else of the walk speaks: its things are to be sent.
_PAUSE = {"scope": "profile", "profile": "bridge-xyz", "reason": "Their receivers are being moved."}
URL = "https://shop.example.com/hooks"

ROUTES: dict[str, Route] = {
    "create_application": Route("operate", lambda _: {"name": "Acme", "profile": "standard"}),
    "list_applications": Route("look"),
    "get_application": Route("look"),
    "change_application": Route("operate", lambda _: {"name": "Acme Ltd", "metadata": {"plan": "gold"}}),
    "delete_application": Route("operate", is_last_of_all=True),
    "publish_events": Route("publish", lambda _: {"type": "order.paid", "content": {"order_id": 17}}),
    "publish_sample": Route("configure", lambda _: {"type": "order.paid"}),
    "list_events": Route("look"),
    "get_event": Route("look"),
    "create_webhook": Route("configure", lambda _: {"url": URL, "events": ["order.*"]}),
    "list_webhooks": Route("look"),
    "get_webhook": Route("look"),
    "change_webhook": Route("configure", lambda _: {"name": "Shop", "rate": 50}),
    "delete_webhook": Route("configure", is_last_of_all=True),
    "rotate_secret": Route("configure", lambda _: {}),
    "test_webhook": Route("configure", lambda _: {}),
    "send_event": Route("configure", lambda ids: {"event_id": ids["event"]}),
    "start_replay": Route(
        "configure",
        lambda ids: {"since": ids["since"], "rate": 10},
        lambda ids: {"since": ids["since"], "dry_run": True},
    ),
    "list_upcoming": Route("look"),
    "list_attempts": Route("look"),
    "list_webhook_deliveries": Route("look"),
    "get_webhook_stats": Route("look"),
    "get_application_stats": Route("look"),
    "get_stats": Route("overlook"),
    "list_deliveries": Route("look"),
    "get_delivery": Route("look"),
    "retry_delivery": Route("configure", lambda _: {}),
    "cancel_delivery": Route("configure", lambda _: {}),
    "list_jobs": Route("look"),
    "get_job": Route("look"),
    "cancel_job": Route("configure", lambda _: {}),
    "list_profiles": Route("key"),
    "list_event_types": Route("key"),
    "create_key": Route(
        "administer", lambda ids: {"name": "CI", "scope": "application", "role": "member", "application_id": ids["app"]}
    ),
    "list_keys": Route("administer"),
    "revoke_key": Route("administer", is_last_of_all=True),
    "invite_person": Route("introduce", lambda ids: {"name": "Ada", "role": "member", "application_id": ids["app"]}),
    "list_people": Route("administer"),
    "change_person": Route("introduce", lambda _: {"name": "Ada Lovelace"}),
    "remove_person": Route("introduce", is_last_of_all=True),
    "make_link": Route("introduce", lambda _: {}),
    "open_session": Route("nobody", lambda ids: {"link": ids["link"]}),
    "list_sessions": Route("sessions"),
    "end_session": Route("sessions", is_last_of_all=True),
    "create_portal_session": Route("introduce", lambda _: {"expires_in": 600}),
    "list_portal_sessions": Route("administer"),
    "end_portal_session": Route("administer", is_last_of_all=True),
    "create_pause": Route("operate", lambda _: _PAUSE, lambda _: _PAUSE),
    "list_pauses": Route("look"),
    "end_pause": Route("operate", is_last_of_all=True),
    "list_audit": Route("administer"),
    "get_notify": Route("administer"),
    "test_notify": Route("administer", lambda _: {}),
}


def unknown(ident: str) -> str:
    """A well-formed id of the same kind as `ident` that nothing has."""
    prefix = ident[: len(ident) - len(to_text("", 1))]
    return to_text(prefix, 4_242)
