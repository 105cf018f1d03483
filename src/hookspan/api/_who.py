"""Who may call each operation of the API, for its document. A new operation needs an entry; a test holds the table
against the one by which every route is asked by every kind of caller.
"""

from typing import Literal

Who = Literal[
    "key", "look", "configure", "publish", "operate", "overlook", "administer", "introduce", "sessions", "nobody"
]

WORDS: dict[Who, str] = {
    "key": "every key, person and portal session.",
    "look": "every key, person and portal session within reach, except publishers' keys.",
    "configure": (
        "the operator's admins, and whom the application's profile names (`configure` in `GET /v1/profiles`): its "
        "admins, support users, or keys."
    ),
    "publish": "the operator's admins and publishers' keys.",
    "operate": "the operator's admins.",
    "overlook": "every key and person of the operator, except publishers' keys.",
    "administer": "admins: the operator's, the application's own, and portal sessions in that role.",
    "introduce": "admins: the operator's and the application's own, by a key or as people; no portal session.",
    "sessions": "people for their own, admins for all within reach.",
    "nobody": "anybody; it asks for no key.",
}

WHO: dict[str, Who] = {
    "create_application": "operate",
    "list_applications": "look",
    "get_application": "look",
    "change_application": "operate",
    "delete_application": "operate",
    "publish_events": "publish",
    "publish_sample": "configure",
    "list_events": "look",
    "get_event": "look",
    "create_webhook": "configure",
    "list_webhooks": "look",
    "get_webhook": "look",
    "change_webhook": "configure",
    "delete_webhook": "configure",
    "rotate_secret": "configure",
    "test_webhook": "configure",
    "send_event": "configure",
    "start_replay": "configure",
    "list_upcoming": "look",
    "list_attempts": "look",
    "list_webhook_deliveries": "look",
    "list_deliveries": "look",
    "get_delivery": "look",
    "retry_delivery": "configure",
    "cancel_delivery": "configure",
    "list_jobs": "look",
    "get_job": "look",
    "cancel_job": "configure",
    "create_pause": "operate",
    "list_pauses": "look",
    "end_pause": "operate",
    "list_audit": "administer",
    "get_application_stats": "look",
    "get_webhook_stats": "look",
    "get_stats": "overlook",
    "get_notify": "administer",
    "test_notify": "administer",
    "list_profiles": "key",
    "list_event_types": "key",
    "create_key": "administer",
    "list_keys": "administer",
    "revoke_key": "administer",
    "invite_person": "introduce",
    "list_people": "administer",
    "change_person": "introduce",
    "remove_person": "introduce",
    "make_link": "introduce",
    "open_session": "nobody",
    "list_sessions": "sessions",
    "end_session": "sessions",
    "create_portal_session": "introduce",
    "list_portal_sessions": "administer",
    "end_portal_session": "administer",
}


def who_may(operation_id: str) -> str:
    """A sentence. Raises KeyError for an operation without an entry."""
    return f"Who may: {WORDS[WHO[operation_id]]}"
