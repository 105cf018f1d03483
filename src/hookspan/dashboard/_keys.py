"""Keys of programs: listed with their last use, made and shown once, revoked."""

from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard import _repeats
from hookspan.dashboard._deliveries import paging_of
from hookspan.dashboard._form import NO_ERRORS, FieldErrors, Form, convert
from hookspan.dashboard._place import place_of
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._repeats import Repeats
from hookspan.dashboard._visit import Entered, Filled, Part, Visit
from hookspan.errors import HookspanError, NotAllowed
from hookspan.manage.inputs import CreateKey

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
TheRepeats = SkipValidation[NamedDependency[Repeats]]
SCOPES: Final = {
    "publisher": "Publisher: publishes events, and nothing else",
    "application": "Application: the API of one application",
    "operator": "Operator: the whole API",
}
ROLES: Final = {
    "admin": "Admin: everything within its scope",
    "support": "Support: looks, and configures where the profile leaves it to them",
    "member": "Member: looks",
}
_FIELDS: Final = {f"/{name}": name for name in ("name", "scope", "role", "application_id")}


class KeyPages(Controller):
    """/dashboard/keys and …/keys"""

    path = "/keys"

    @get("/")
    async def show_all(self, visit: Entered, request: Asked, pages: ThePages) -> Response[Any]:
        """Newest first."""
        place = await place_of(visit)
        if place.stray is not None:
            return go(f"{place.stray}/keys")
        found = await visit.desk.keys.page(paging_of(visit, request), place.application)
        return pages.page("keys.html", request, found=found, place=place)

    @get("/new")
    async def new(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """A new one's form."""
        role = "support" if visit.is_portal else "admin"
        return await _form_page(visit, request, pages, Form([("role", role)]), None)

    @post("/")
    async def create(
        self, visit: Entered, request: Asked, pages: ThePages, repeats: TheRepeats, form: Filled
    ) -> Response[Any]:
        """Make it; it is on this answer and nowhere else."""
        place = await place_of(visit)
        number = form.text(_repeats.FIELD)
        made_before = repeats.place(visit.csrf, number)
        if made_before is not None:
            return go(made_before)
        members: dict[str, Any] = {"name": form.text("name"), "role": form.text("role")}
        if place.application is None:
            members |= {"scope": form.text("scope"), "application_id": form.text("application_id").strip() or None}
        else:
            members |= {"scope": "application", "application_id": place.application}
        try:
            made = await visit.desk.keys.create(convert(members, CreateKey))
        except HookspanError as error:
            return await _form_page(visit, request, pages, form, error)
        repeats.keep(visit.csrf, number, place.to("keys"))
        return pages.page("key_once.html", request, status=201, made=made, place=place, address=place.to("keys"))

    @post("/{key_id:str}/revoke")
    async def revoke(self, visit: Entered, key_id: Part) -> Response[bytes]:
        """From the next request on nobody comes in by it."""
        place = await place_of(visit)
        await visit.desk.keys.revoke(key_id)
        return go(place.to("keys", done="revoked"))


async def _form_page(
    visit: Visit, request: Asked, pages: Pages, form: Form, error: HookspanError | None
) -> Response[str]:
    if not visit.at_large.administers:
        raise NotAllowed("Only admins make keys.")
    place = await place_of(visit)
    return pages.page(
        "key_new.html",
        request,
        status=200 if error is None else error.status,
        form=form,
        errors=NO_ERRORS if error is None else FieldErrors(error, _FIELDS),
        place=place,
        scopes=SCOPES,
        roles={name: ROLES[name] for name in await visit.desk.rights.gifts("key", place.application)},
        number=form.text(_repeats.FIELD) or Repeats.number(),
    )
