"""The webhook form: from a webhook to fields, and from fields to what management takes. Pure."""

from typing import Any, Final

import msgspec
from msgspec import UNSET

from hookspan.dashboard._choice import MODE, TICK, chosen_in
from hookspan.dashboard._form import Form
from hookspan.dashboard._shown import NOTHING
from hookspan.dashboard._visit import Room
from hookspan.errors import Fault, InvalidRequest
from hookspan.manage import views
from hookspan.manage.inputs import NAME_CHARS_MAX

CREDENTIAL: Final = "credential."
REMOVE: Final = "remove."
REMOVE_HEADERS: Final = "remove_headers"
COPY: Final = " (copy)"
_SIMPLE: Final = ("url", "name", "events", "order", "rate", "concurrency", "event_epoch")


class CredentialField(msgspec.Struct, frozen=True):
    """A credential that the person may bring. `is_extra`: one is made where none is brought."""

    name: str
    label: str
    hint: str
    is_extra: bool
    is_long: bool
    state: views.CredentialState | None


def fields_of_pointers(room: Room) -> dict[str, str]:
    """Where refusals of management belong in the form."""
    found = {f"/{name}": name for name in _SIMPLE} | {"/headers": "headers"}
    return found | {f"/credentials/{one.name}": CREDENTIAL + one.name for one in room.profile.credentials}


def credential_fields(room: Room, webhook: views.Webhook | None) -> list[CredentialField]:
    """Those that this person may give, in the profile's order."""
    givers = {"configurer", "operator"} if room.dialect.is_given_by_operator else {"configurer"}
    return [
        CredentialField(
            name=one.name,
            label=room.word(one.name, one.name.replace("_", " ").capitalize()),
            hint=room.word(f"{one.name}_hint", "Leave empty, and one is made." if one.is_made else ""),
            is_extra=one.is_made,
            is_long=one.name == "private_key",
            state=None if webhook is None else webhook.credentials.get(one.name),
        )
        for one in room.profile.credentials
        if givers & set(one.given_by)
    ]


def empty_form(room: Room) -> Form:
    """As a new webhook's form begins."""
    fields = [(MODE, "all"), ("concurrency", ""), ("event_epoch", room.profile.epoch_default)]
    return Form([*fields, ("order", room.profile.order)])


def filled_form(webhook: views.Webhook) -> Form:
    """As an existing webhook's form begins. Credentials and values of headers are never shown."""
    fields = [
        ("url", webhook.url),
        ("name", webhook.name or ""),
        (MODE, "all" if webhook.events is None else "some"),
        ("order", webhook.order),
        ("rate", "" if webhook.rate is None else f"{webhook.rate:g}"),
        ("concurrency", str(webhook.concurrency)),
        ("version", str(webhook.version)),
    ]
    return Form([*fields, *((TICK, one) for one in webhook.events or ())])


def copied_form(room: Room, webhook: views.Webhook) -> Form:
    """As the form of a new webhook begins that is to be like another. Credentials and headers are not copied: nobody
    gets to see them, so nobody may send them elsewhere.
    """
    kept = [one for one in filled_form(webhook).fields if one[0] not in {"name", "version"}]
    name = f"{(webhook.name or '')[: NAME_CHARS_MAX - len(COPY)]}{COPY}" if webhook.name else ""
    return Form([("name", name), ("event_epoch", room.profile.epoch_default), *kept])


def new_members(room: Room, form: Form) -> dict[str, Any]:
    """The members of CreateWebhook. Raises InvalidRequest for what is no number or header."""
    events = chosen_in(form, room)
    if not events and room.profile.subscription.absent == "refused":
        raise _wrong("/events", "Tick at least one event.")
    members: dict[str, Any] = {"url": form.text("url").strip(), "events": events}
    if form.text("name"):
        members["name"] = form.text("name")
    given = {one.name: value for one in credential_fields(room, None) if (value := _credential(form, one.name))}
    if given:
        members["credentials"] = given
    members |= _tuning(form)
    if form.text("order") not in ("", room.profile.order):
        members["order"] = form.text("order")
    if form.text("event_epoch") not in ("", "position", room.profile.epoch_default):
        members["event_epoch"] = form.text("event_epoch")
    return members


def changed_members(room: Room, webhook: views.Webhook, form: Form) -> dict[str, Any]:
    """The members of ChangeWebhook: only those that differ from the webhook as it is."""
    new: dict[str, Any] = {"name": form.text("name") or None, "events": chosen_in(form, room)}
    if form.has("url"):  # it is left out where it can't change
        new["url"] = form.text("url").strip()
    tuning = _tuning(form)
    new |= {"rate": tuning.get("rate"), "concurrency": tuning.get("concurrency", webhook.concurrency)}
    if form.text("order"):
        new["order"] = form.text("order")
    members = {name: value for name, value in new.items() if not _is_same(value, getattr(webhook, name))}
    if "headers" in tuning or form.has(REMOVE_HEADERS):
        members["headers"] = tuning.get("headers", {})
    credentials: dict[str, str | None] = {}
    for one in credential_fields(room, webhook):
        value = _credential(form, one.name)
        if value:
            credentials[one.name] = value
        elif form.has(REMOVE + one.name):
            credentials[one.name] = None
    return members | ({"credentials": credentials} if credentials else {})


def differences(room: Room, webhook: views.Webhook, form: Form) -> list[tuple[str, str, str]]:
    """(what, as it is now, as the form has it), for whoever was second."""
    labels = {"url": room.word("url", "URL"), "name": "Name", "events": "Events", "order": "Order", "rate": "Rate"}
    found = []
    for name, value in changed_members(room, webhook, form).items():
        now = getattr(webhook, name, UNSET)
        if name in {"credentials", "headers"}:
            found.append((name.capitalize(), "as they are", "new ones"))
        else:
            found.append((labels.get(name, name.capitalize()), _say(now), _say(value)))
    return found


def _say(value: Any) -> str:
    if value is None:
        return NOTHING
    return ", ".join(value) if isinstance(value, list) else str(value)


def _is_same(given: Any, kept: Any) -> bool:
    """A text field sends no line breaks: a name that has some is not changed by being looked at."""
    if isinstance(given, str) and isinstance(kept, str):
        return given in (kept, kept.replace("\r", "").replace("\n", ""))
    if isinstance(given, list) and isinstance(kept, list):
        return sorted(given) == sorted(kept)
    return bool(given == kept)


def _credential(form: Form, name: str) -> str:
    """As it was typed, but for the line ends that browsers write."""
    return form.text(CREDENTIAL + name).replace("\r\n", "\n")


def _tuning(form: Form) -> dict[str, Any]:
    """Rate, concurrency and headers, those that are filled in."""
    members: dict[str, Any] = {}
    if form.text("rate").strip():
        members["rate"] = _number(form.text("rate"), "/rate", float)
    if form.text("concurrency").strip():
        members["concurrency"] = _number(form.text("concurrency"), "/concurrency", int)
    headers: dict[str, str] = {}
    for line in form.lines("headers"):
        name, colon, value = line.partition(":")
        if not colon:
            raise _wrong("/headers", f"{line[:80]!r} has no colon: write one `Name: value` a line.")
        if name.strip() in headers:
            raise _wrong("/headers", f"{name.strip()[:80]!r} is there twice.")
        headers[name.strip()] = value.strip()
    return members | ({"headers": headers} if headers else {})


def _number(text: str, pointer: str, kind: type[float] | type[int]) -> float | int:
    try:
        return kind(text.strip())
    except ValueError:
        raise _wrong(pointer, f"{text.strip()[:40]!r} is not a number.") from None


def _wrong(pointer: str, detail: str) -> InvalidRequest:
    return InvalidRequest(detail, errors=(Fault(pointer, "invalid_request", detail),))
