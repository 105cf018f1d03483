"""What the demo shows: an application for each profile, with a webhook at the receiver; all made over HTTP."""

from collections.abc import Callable
from typing import Any

import msgspec

from hookspan.cli._client import ApiClient
from hookspan.cli._profile_finding import read_document
from hookspan.cli._profile_trial import given_credentials, receiver_side
from hookspan.cli._receiver import Expected, Receiver
from hookspan.errors import UnknownEventType
from hookspan.profiles import SHIPPED, Profile, Profiles, Sample

PAGES_MAX = 100  # of deliveries, each of 100
_SHOWN = ("secret", "public_key")  # what a webhook's answer tells of its credentials
_OPEN_SAMPLES = {  # for profiles whose catalog is open: any type will do
    "order.paid": b'{"order_id":17,"total":"129.90","currency":"EUR"}',
    "order.shipped": b'{"order_id":17,"parcels":2}',
    "customer.renamed": b'{"customer_id":4,"name":"Zo\\u00eb \xe2\x9c\x93"}',
}


class Exhibit(msgspec.Struct, frozen=True):
    """One application of the demo: its profile, its id and the path of its webhook at the receiver."""

    profile: Profile
    application: str
    path: str

    @property
    def note(self) -> str:
        """What stands beside its title."""
        checked = ", https, its certificate checked" if self.profile.rules.checks_certificate else ""
        return f"{self.application} → {self.path}{checked}"


def create_exhibits(
    client: ApiClient, profiles: Profiles, receiver: Receiver, tell: Callable[[str], None]
) -> list[Exhibit]:
    """One application for each profile, each with an active webhook at the receiver. `tell` what takes a moment."""
    exhibits = []
    for name in profiles.names:
        profile = profiles.get(name)
        tell(f"{profile.title}: an application and its webhook" + (", a key pair" if profile.makes_slowly else ""))
        wanted = {"name": f"{profile.title} demo", "profile": name}
        application = client.call("POST", "/v1/applications", wanted)["id"]
        path = f"/{name}"
        _create_webhook(client, profile, application, receiver, path)
        exhibits.append(Exhibit(profile, application, path))
    return exhibits


def _create_webhook(client: ApiClient, profile: Profile, application: str, receiver: Receiver, path: str) -> None:
    rules = profile.rules
    document = read_document(SHIPPED / profile.name)
    given = given_credentials(document)
    wanted: dict[str, Any] = {"url": receiver.url("https" if rules.https == "required" else "http") + path}
    if rules.name == "required":
        wanted["name"] = "Demo receiver"
    if rules.subscription_absent != "all":
        wanted["events"] = [entry.type for entry in profile.catalog()]
    if given:
        wanted["credentials"] = given
    webhooks = f"/v1/applications/{application}/webhooks"
    webhook = client.call("POST", webhooks, wanted)
    shown = {name: webhook[name] for name in _SHOWN if webhook.get(name) is not None}
    receiver.expect(path, Expected(profile.name, receiver_side(document, list(given.items())) | shown))
    if webhook["status"] != "active":
        client.call("PATCH", f"{webhooks}/{webhook['id']}", {"status": "active"})


def samples(profile: Profile) -> list[tuple[str, Sample]]:
    """Every listed type with its sample; for an open catalog a few types of a shop beside."""
    found = {entry.type: profile.sample(entry.type) for entry in profile.catalog()}
    for event_type, content in _OPEN_SAMPLES.items():
        try:
            profile.check(event_type, content, None)
        except UnknownEventType:
            continue
        found.setdefault(event_type, Sample(content))
    return list(found.items())


def event_body(event_type: str, sample: Sample) -> bytes:
    """The request that publishes a sample."""
    context = b"" if sample.context is None else b',"context":' + sample.context
    return b'{"type":"%b","content":%b%b}' % (event_type.encode(), sample.content, context)


def count_succeeded(client: ApiClient, exhibits: list[Exhibit]) -> int:
    """How many deliveries Hookspan itself has recorded as succeeded, page by page."""
    return sum(_count(client, f"/v1/applications/{one.application}/deliveries?state=succeeded") for one in exhibits)


def _count(client: ApiClient, path: str) -> int:
    count, cursor = 0, ""
    for _ in range(PAGES_MAX):
        page = client.call("GET", f"{path}&limit=100{cursor}")
        count += len(page["data"])
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    return count
