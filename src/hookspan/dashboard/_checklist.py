"""From a webhook that was made disabled to one that runs: what is left to do, as far as that can be known. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from hookspan.dashboard._visit import Room
from hookspan.manage import views

# known to be done, known to be open, nobody here can know
State = Literal["done", "open", "yours"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """`act` says what stands beside it: a link to `href`, or a button of the page's own."""

    name: Literal["key", "verify", "upcoming", "send", "logs", "activate"]
    state: State
    title: str
    note: str
    label: str = ""
    href: str = ""


def has_checklist(room: Room, webhook: views.Webhook) -> bool:
    """For webhooks that begin disabled, until they run; one that its receiver has switched off needs other help."""
    is_off = webhook.status == "disabled" and webhook.status_reason in {"created", "person"}
    return is_off and room.profile.new_status == "disabled"


def steps_of(
    room: Room, webhook: views.Webhook, recent: Sequence[views.Delivery], upcoming: Sequence[views.Event]
) -> list[Step]:
    """`recent` are the webhook's newest deliveries, `upcoming` what waits for it."""
    tried = [one for one in recent if one.attempt_count]
    is_accepted = any(one.state == "succeeded" for one in tried)
    steps = [] if webhook.public_key is None else [_KEY]
    return [
        *steps,
        Step(
            name="verify",
            state="done" if is_accepted else "yours",
            title="Verify the signature",
            note="Your server has accepted a signed request. That it refuses a wrong signature, only you can see."
            if is_accepted
            else "Over the raw body, before it is read.",
            label="How to",
            href=room.to("webhooks", webhook.id, "verify"),
        ),
        Step(
            name="upcoming",
            state="done" if upcoming else "yours",
            title="See what will be sent",
            note=_waiting(webhook.health.waiting)
            if upcoming
            else "Nothing waits yet: the catalog shows how events look.",
            label="Upcoming" if upcoming else "Catalog",
            href=room.to("webhooks", webhook.id, "upcoming") if upcoming else room.to("catalog"),
        ),
        _send(is_accepted=is_accepted, is_tried=bool(tried), has_upcoming=bool(upcoming)),
        Step(
            name="logs",
            state="done" if tried else "open",
            title="Read the log",
            note=_log(tried[0]) if tried else "What was sent and what came back stands there, once something was sent.",
            label="The newest" if tried else "",
            href=room.to("deliveries", tried[0].id) if tried else "",
        ),
        Step(
            name="activate",
            state="open",
            title="Activate",
            note="From then on events go out as they come, after those that wait.",
        ),
    ]


_KEY = Step(
    name="key",
    state="yours",
    title="Copy the public key",
    note="Your server verifies by it that a request is ours. It is no secret.",
)


def _send(*, is_accepted: bool, is_tried: bool, has_upcoming: bool) -> Step:
    note = "One that waits, or a sample." if has_upcoming else "A sample, as nothing waits."
    if is_accepted:
        note = "Your server has answered 2xx."
    elif is_tried:
        note = "It was sent, but your server has not accepted it yet."
    return Step(name="send", state="done" if is_accepted else "open", title="Send one by hand", note=note)


def _waiting(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'} wait{'s' if count == 1 else ''}."


def _log(newest: views.Delivery) -> str:
    status = newest.last_response_status
    return "There was no complete answer." if status is None else f"The newest answer was {status}."
