"""What will be sent, beside the form that decides it: a signed sample of a type that is ticked."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hookspan.dashboard._choice import chosen_in
from hookspan.dashboard._form import Form
from hookspan.dashboard._visit import Room, Visit
from hookspan.dashboard._webhook_form import CREDENTIAL, REMOVE, REMOVE_HEADERS, credential_fields
from hookspan.errors import HookspanError
from hookspan.manage import views
from hookspan.manage.samples import Sample

TYPE: Final = "sample"
_ANY: Final = ".*"


class TypeGroup(msgspec.Struct, frozen=True):
    """Types to choose one from, under a heading: (type, its title in words, its category)."""

    title: str
    types: list[tuple[str, str, str]]


class ShownSample(msgspec.Struct, frozen=True):
    """`chosen` is what was asked for, empty for the first that is ticked. Without a `sample`, `refusal` says why."""

    chosen: str
    groups: list[TypeGroup]
    sample: Sample | None
    refusal: str


async def sample_beside(
    visit: Visit, room: Room, form: Form, catalog: Sequence[views.CatalogEntry], webhook: views.Webhook | None
) -> ShownSample:
    """The sample that fits a form as it is filled in. What is wrong with the form is no refusal of the page."""
    chosen = form.text(TYPE)
    events = chosen_in(form, room)
    groups = groups_of(room, catalog, room.dialect.form_of_types and events)
    also = None if webhook is None or webhook.also_sign is None else webhook.also_sign
    try:
        sample = await visit.desk.samples.show(
            room.id,
            event_type=chosen or None,
            events=events,
            credentials=_credentials(room, form, webhook),
            url=form.text("url").strip() or ("" if webhook is None else webhook.url),
            headers=_headers(form, webhook),
            also=None if also is None else (also.profile, list(also.credentials)),
        )
    except HookspanError as error:
        return ShownSample(chosen, groups, None, error.detail)
    return ShownSample(chosen, groups, sample, "")


async def sample_for(visit: Visit, room: Room, webhook: views.Webhook) -> Sample | None:
    """The sample of a webhook as it is; None for who does not configure, and where there is none."""
    if not room.can.configures:
        return None
    also = webhook.also_sign
    try:
        return await visit.desk.samples.show(
            room.id,
            event_type=None,
            events=webhook.events,
            credentials=list(webhook.credentials),
            url=webhook.url,
            headers=list(webhook.headers),
            also=None if also is None else (also.profile, list(also.credentials)),
        )
    except HookspanError:
        return None


def tests_of(room: Room, catalog: Sequence[views.CatalogEntry], webhook: views.Webhook) -> list[TypeGroup]:
    """The types that a test may be of, those that the webhook asks for by name first in an open catalog. Empty where
    there is nothing to choose.
    """
    allowed = set(room.dialect.test_types)
    named = webhook.events if room.dialect.form_of_types is not None and allowed else None
    groups = groups_of(room, [one for one in catalog if one.type in allowed], named)
    return groups if sum(len(one.types) for one in groups) > 1 else []


def groups_of(room: Room, catalog: Sequence[views.CatalogEntry], named: Sequence[str] | None) -> list[TypeGroup]:
    """The catalog's types under their headings; `named` are types of an open one, which lists nearly none."""
    listed = {one.type for one in catalog}
    free = [(one, one, "") for one in named or () if not one.endswith(_ANY) and one not in listed]
    titles = {one.name: one.title for one in room.dialect.groups}
    found: dict[str, list[tuple[str, str, str]]] = {"Asked for": free} if free else {}
    for one in catalog:
        category = one.category or ""
        found.setdefault(titles.get(category, category), []).append((one.type, one.title or one.type, category))
    return [TypeGroup(title, types) for title, types in found.items()]


def _credentials(room: Room, form: Form, webhook: views.Webhook | None) -> list[str]:
    """Those that the webhook will have: what is typed, and what is set and stays."""
    kept = {} if webhook is None else webhook.credentials
    names = [one for one in kept if not form.has(REMOVE + one)]
    return [*names, *(one.name for one in credential_fields(room, webhook) if form.text(CREDENTIAL + one.name))]


def _headers(form: Form, webhook: views.Webhook | None) -> list[str]:
    """Names alone: their values may be secrets."""
    typed = [name.strip() for name, colon, _ in (line.partition(":") for line in form.lines("headers")) if colon]
    if typed or webhook is None or form.has(REMOVE_HEADERS):
        return typed
    return list(webhook.headers)
