"""An application with one of everything that has an id, and a key for every kind of caller."""

import msgspec

from tests.support.walk import Ids

from .conftest import OPERATOR_KEY, Api

# name → members of the key; those of an application get its id.
_KEYS = {
    "operator_support": {"scope": "operator", "role": "support"},
    "operator_member": {"scope": "operator", "role": "member"},
    "operator_admin": {"scope": "operator", "role": "admin"},
    "publisher": {"scope": "publisher"},
    "own_publisher": {"scope": "publisher", "application_id": ""},
    "admin": {"scope": "application", "role": "admin", "application_id": ""},
    "support": {"scope": "application", "role": "support", "application_id": ""},
    "member": {"scope": "application", "role": "member", "application_id": ""},
}


class Furnished(msgspec.Struct, frozen=True):
    """`ids` by the name of the path's parameter, and `since` when the event came; `keys` by caller, people and portals
    among them.
    """

    ids: Ids
    keys: dict[str, str]


async def furnish(api: Api, name: str, profile: str, url: str, event: dict) -> Furnished:
    """`event` is one that `profile` takes; `url` a receiver's."""
    app = await api.application(name=name, profile=profile, notify=url)
    root = f"/v1/applications/{app}"
    members = {} if profile != "bridge-lms" else {"name": "L", "credentials": {"token": "t"}}
    webhook = await api.webhook(app, url, status="active", events=[event["type"]], **members)
    published = (await api("POST", f"{root}/events", event, status=202))["id"]
    delivery = (await api.delivery_of(app, published, "pending", "succeeded", "failed"))["delivery_id"]
    since = (await api("GET", f"{root}/events/{published}"))["accepted_at"]
    replay = {"since": since, "rate": 0.01}
    job = await api("POST", f"{root}/webhooks/{webhook['id']}/replay", replay, status=202)
    # Of a profile that nothing here speaks; the second time it is there already.
    of_another = {"scope": "profile", "profile": "bridge-api", "reason": "Being restored."}
    pause = (await api.client.request("POST", "/v1/pauses", json=of_another)).json()
    keys = {"operator": OPERATOR_KEY}
    ids = {"app": app, "webhook": webhook["id"], "event": published, "delivery": delivery, "job": job["id"]}
    ids |= {"since": since, "pause": pause["id"]}
    for caller, wanted in _KEYS.items():
        asked = {"name": caller, **wanted, **({"application_id": app} if "application_id" in wanted else {})}
        made = await api("POST", "/v1/keys", asked, status=201)
        keys[caller], ids["key"] = made["key"], made["id"]
    for role in ("admin", "support", "member"):
        portal = await api("POST", f"{root}/portal-sessions", {"role": role}, status=201)
        keys[f"portal_{role}"] = portal["url"].rpartition("/")[2]
        person = {"name": role, "role": role, "application_id": app}
        invited = await api("POST", "/v1/people", person, status=201)
        opened = await api("POST", "/v1/sessions", {"link": invited["link"]}, status=201)
        keys[f"person_{role}"] = opened["token"]
        ids |= {"person": invited["id"], "session": opened["id"], "portal_session": portal["id"]}
    return Furnished(ids, keys)
