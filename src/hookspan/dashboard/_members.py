"""People: listed, invited by a link that is shown once, given another role, removed."""

from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard import _repeats
from hookspan.dashboard._deliveries import paging_of
from hookspan.dashboard._form import NO_ERRORS, FieldErrors, Form, convert
from hookspan.dashboard._place import Place, place_of
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._repeats import Repeats
from hookspan.dashboard._visit import Entered, Filled, Part, Visit
from hookspan.errors import HookspanError, NotAllowed
from hookspan.manage import views
from hookspan.manage.inputs import ChangePerson, InvitePerson, MakeLink

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
TheRepeats = SkipValidation[NamedDependency[Repeats]]
ROLES: Final = {
    "admin": "Admin: also manages people and keys, and reads the audit log",
    "support": "Support: looks, and configures where the profile leaves it to them",
    "member": "Member: looks",
}
# Seconds that a link works → in words.
SPANS: Final = {"900": "15 minutes", "3600": "1 hour", "86400": "1 day", "604800": "7 days"}
_FIELDS: Final = {f"/{name}": name for name in ("name", "role", "application_id", "expires_in")}


class MemberPages(Controller):
    """/dashboard/members and …/members"""

    path = "/members"

    @get("/")
    async def show_all(self, visit: Entered, request: Asked, pages: ThePages) -> Response[Any]:
        """Newest first."""
        place = await place_of(visit)
        if place.stray is not None:
            return go(f"{place.stray}/members")
        found = await visit.desk.people.page(paging_of(visit, request), place.application)
        return pages.page("members.html", request, found=found, place=place)

    @get("/new")
    async def new(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """The form of an invitation."""
        return await _form_page(visit, request, pages, Form([("role", "member")]), None)

    @post("/")
    async def invite(
        self, visit: Entered, request: Asked, pages: ThePages, repeats: TheRepeats, form: Filled
    ) -> Response[Any]:
        """Somebody new; their link is on this answer and nowhere else."""
        place = await place_of(visit)
        number = form.text(_repeats.FIELD)
        made_before = repeats.place(visit.csrf, number)
        if made_before is not None:
            return go(made_before)
        members: dict[str, Any] = {"name": form.text("name"), "role": form.text("role")}
        members["application_id"] = place.application or form.text("application_id").strip() or None
        try:
            made = await visit.desk.people.invite(convert(members | _span(form), InvitePerson))
        except HookspanError as error:
            return await _form_page(visit, request, pages, form, error)
        repeats.keep(visit.csrf, number, place.to("members", made.id))
        return _link_page(request, pages, place, made)

    @get("/{person_id:str}")
    async def show(self, visit: Entered, request: Asked, pages: ThePages, person_id: Part) -> Response[str]:
        """One person, with the sessions that are open."""
        return await _person_page(visit, request, pages, person_id, None, None)

    @post("/{person_id:str}")
    async def change(
        self, visit: Entered, request: Asked, pages: ThePages, person_id: Part, form: Filled
    ) -> Response[Any]:
        """Another name or role, in force at once."""
        place = await place_of(visit)
        try:
            given = convert({"name": form.text("name"), "role": form.text("role")}, ChangePerson)
            await visit.desk.people.change((await _person(visit, place, person_id)).id, given)
        except HookspanError as error:
            return await _person_page(visit, request, pages, person_id, form, error)
        return go(place.to("members", person_id, done="saved"))

    @post("/{person_id:str}/link")
    async def link(
        self, visit: Entered, request: Asked, pages: ThePages, person_id: Part, form: Filled
    ) -> Response[Any]:
        """A new link to sign in by; the one before ends."""
        place = await place_of(visit)
        person = await _person(visit, place, person_id)
        try:
            made = await visit.desk.people.make_link(person.id, convert(_span(form), MakeLink))
        except HookspanError as error:
            return await _person_page(visit, request, pages, person_id, None, error)
        return _link_page(request, pages, place, made)

    @get("/{person_id:str}/link")
    async def link_again(self, visit: Entered, person_id: Part) -> Response[bytes]:
        """A reload of the answer leads back to the person."""
        return go((await place_of(visit)).to("members", person_id))

    @post("/{person_id:str}/remove")
    async def remove(self, visit: Entered, person_id: Part) -> Response[bytes]:
        """Their sessions end at once."""
        place = await place_of(visit)
        await visit.desk.people.remove((await _person(visit, place, person_id)).id)
        return go(place.to("members", done="person-removed"))


def _span(form: Form) -> dict[str, int]:
    text = form.text("expires_in")
    return {"expires_in": int(text)} if text in SPANS else {}


async def _person(visit: Visit, place: Place, person_id: str) -> views.Person:
    """Within the application of this path, also for who reaches more."""
    return await visit.desk.people.get(person_id, place.application)


async def _form_page(
    visit: Visit, request: Asked, pages: Pages, form: Form, error: HookspanError | None
) -> Response[str]:
    if not visit.at_large.administers:
        raise NotAllowed("Only admins invite people.")
    place = await place_of(visit)
    return pages.page(
        "member_new.html",
        request,
        status=200 if error is None else error.status,
        form=form,
        errors=NO_ERRORS if error is None else FieldErrors(error, _FIELDS),
        place=place,
        roles={name: ROLES[name] for name in await visit.desk.rights.gifts("person", place.application)},
        spans=SPANS,
        number=form.text(_repeats.FIELD) or Repeats.number(),
    )


async def _person_page(
    visit: Visit, request: Asked, pages: Pages, person_id: str, form: Form | None, error: HookspanError | None
) -> Response[str]:
    if not visit.at_large.administers:
        raise NotAllowed("Only admins manage people.")
    place = await place_of(visit)
    person = await _person(visit, place, person_id)
    gifts = await visit.desk.rights.gifts("person", person.application_id)
    return pages.page(
        "member.html",
        request,
        status=200 if error is None else error.status,
        person=person,
        sessions=await visit.desk.sessions.of_person(person.id),
        form=form or Form([("name", person.name), ("role", person.role)]),
        errors=NO_ERRORS if error is None else FieldErrors(error, _FIELDS),
        place=place,
        roles={name: words for name, words in ROLES.items() if name in {person.role, *gifts}},
        may_make_link=person.role in gifts,
        spans=SPANS,
    )


def _link_page(request: Asked, pages: Pages, place: Place, made: views.InvitedPerson) -> Response[str]:
    address = place.to("members", made.id)
    return pages.page("member_link.html", request, status=201, person=made, place=place, address=address)
