"""Which events a webhook asks for, as people tick it: types under headings, categories, a matrix, or patterns as text.

What a form can't tick (patterns that the API was given) stays in a text field, so that saving a form loses nothing.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from hookspan.dashboard._form import Form
from hookspan.dashboard._visit import Room
from hookspan.manage import views

TICK: Final = "event"
OTHERS: Final = "others"
MODE: Final = "events"
_CATEGORY: Final = "category:"


class Tick(msgspec.Struct, frozen=True):
    """One box. `title` is for people, `name` the type's or category's own."""

    value: str
    title: str
    name: str
    note: str
    is_on: bool


class TickGroup(msgspec.Struct, frozen=True):
    """Boxes under a heading; in a matrix a row, with None where there is no such event."""

    title: str
    ticks: list[Tick | None]


class Choice(msgspec.Struct, frozen=True):
    """`offers_all`: every event, also of types added later, can be asked for, and `is_all` says that it is."""

    kind: Literal["list", "matrix", "pattern"]
    offers_all: bool
    is_all: bool
    columns: list[str]
    groups: list[TickGroup]
    others: list[str]

    @property
    def count(self) -> int:
        return sum(tick is not None and tick.is_on for group in self.groups for tick in group.ticks)


def choice_of(room: Room, catalog: Sequence[views.CatalogEntry], chosen: Sequence[str] | None) -> Choice:
    """`chosen` None is what a webhook without a list gets."""
    rule = room.profile.subscription
    wanted = set(chosen or ())
    kind: Literal["list", "matrix", "pattern"] = "list"
    columns: list[str] = []
    if room.dialect.form_of_types is not None:
        kind, groups = "pattern", []
    elif rule.by == "matrix":
        kind = "matrix"
        verbs = list(dict.fromkeys(verb for group in room.dialect.groups for verb in group.verbs))
        columns = [room.verb(verb) for verb in verbs]
        groups = _matrix(room, catalog, verbs, wanted)
    elif rule.by == "group":
        groups = [_categories(room, catalog, wanted)]
    else:
        groups = _types(room, catalog, wanted)
    known = {tick.value for group in groups for tick in group.ticks if tick is not None}
    return Choice(
        kind=kind,
        offers_all=rule.absent == "all",
        is_all=rule.absent == "all" and chosen is None,
        columns=columns,
        groups=groups,
        others=[one for one in chosen or () if one not in known],
    )


def chosen_in(form: Form, room: Room) -> list[str] | None:
    """What a form asks for; None is everything, where that can be asked for."""
    if room.profile.subscription.absent == "all" and form.text(MODE) == "all":
        return None
    return list(dict.fromkeys([*form.all(TICK), *form.lines(OTHERS)]))


def _tick(entry: views.CatalogEntry, wanted: set[str]) -> Tick:
    return Tick(entry.type, entry.title or entry.type, entry.type, entry.description or "", entry.type in wanted)


def _types(room: Room, catalog: Sequence[views.CatalogEntry], wanted: set[str]) -> list[TickGroup]:
    return [
        TickGroup(group.title, [_tick(one, wanted) for one in catalog if one.category == group.name])
        for group in room.dialect.groups
    ]


def _categories(room: Room, catalog: Sequence[views.CatalogEntry], wanted: set[str]) -> TickGroup:
    ticks: list[Tick | None] = []
    for group in room.dialect.groups:
        value = _CATEGORY + group.name
        types = ", ".join(one.type for one in catalog if one.category == group.name)
        ticks.append(Tick(value, group.title, group.name, types, value in wanted))
    return TickGroup("", ticks)


def _matrix(
    room: Room, catalog: Sequence[views.CatalogEntry], verbs: Sequence[str], wanted: set[str]
) -> list[TickGroup]:
    by_type = {one.type: one for one in catalog}
    rows = []
    for group in room.dialect.groups:
        entries = [by_type.get(f"{group.name}.{verb}") for verb in verbs]
        rows.append(TickGroup(group.title, [None if one is None else _tick(one, wanted) for one in entries]))
    return rows
