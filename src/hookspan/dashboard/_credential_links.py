"""A one-time link by which a customer enters what only they know, such as a bearer token: made here by whoever
configures, opened by the customer without signing in.

The link is looked at by GET, which spends nothing; the form that it shows spends it. Its form is held to the link
itself, and to the URL that it shows: who could send one from elsewhere would have to know the link.
"""

from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan import manage
from hookspan.dashboard import _csrf, _repeats
from hookspan.dashboard._entry import Door, address_of, request_id_of
from hookspan.dashboard._form import NO_ERRORS, FieldErrors, Form, convert
from hookspan.dashboard._members import SPANS
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._repeats import Repeats
from hookspan.dashboard._visit import Entered, Filled, Part, Room, Visit
from hookspan.errors import HookspanError, NotAllowed, NotFound, RateLimited, Unauthenticated
from hookspan.manage.credential_links import Link, MakeCredentialLink, Opened

CREDENTIAL: Final = "credential"
Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
TheDoor = SkipValidation[NamedDependency[Door]]
TheRepeats = SkipValidation[NamedDependency[Repeats]]
Management = SkipValidation[NamedDependency[manage.Manage]]


class CredentialLinkPages(Controller):
    """…/webhooks/{webhook}/credential-link"""

    path = "/webhooks/{webhook_id:str}/credential-link"

    @get("/")
    async def ask(self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part) -> Response[str]:
        """Which credentials, and for how long the link is to work."""
        return await _ask_page(visit, request, pages, webhook_id, Form([("expires_in", "86400")]), None)

    @post("/")
    async def make(
        self, visit: Entered, request: Asked, pages: ThePages, repeats: TheRepeats, webhook_id: Part, form: Filled
    ) -> Response[Any]:
        """The link, on this answer and nowhere else."""
        room = await visit.room()
        number = form.text(_repeats.FIELD)
        made_before = repeats.place(visit.csrf, number)
        if made_before is not None:
            return go(made_before)
        span = form.text("expires_in")
        members = {"credentials": form.all(CREDENTIAL)} | ({"expires_in": int(span)} if span in SPANS else {})
        try:
            made = await visit.desk.credential_links.create(room.id, webhook_id, convert(members, MakeCredentialLink))
        except HookspanError as error:
            if not room.can.configures or isinstance(error, NotFound | NotAllowed):
                raise
            return await _ask_page(visit, request, pages, webhook_id, form, error)
        place = room.to("webhooks", webhook_id)
        repeats.keep(visit.csrf, number, place)
        return pages.page(
            "credential_link.html",
            request,
            status=201,
            webhook=await visit.desk.webhooks.get(room.id, webhook_id),
            made=made,
            labels=[label_of(room.dialect.words, one) for one in made.credentials],
            address=place,
        )


async def _ask_page(
    visit: Visit, request: Asked, pages: Pages, webhook_id: str, form: Form, error: HookspanError | None
) -> Response[str]:
    room = await visit.room()
    webhook = await visit.desk.webhooks.get(room.id, webhook_id)
    names = await visit.desk.credential_links.names(room.id)
    if not names:
        raise NotAllowed(_why_not(room, is_portal=visit.is_portal))
    chosen = form.all(CREDENTIAL) if error is not None else [one for one in names if one not in webhook.credentials]
    return pages.page(
        "credential_link_new.html",
        request,
        status=200 if error is None else error.status,
        webhook=webhook,
        names=[(one, label_of(room.dialect.words, one), one in (chosen or names[:1])) for one in names],
        form=form,
        errors=NO_ERRORS if error is None else FieldErrors(error, {"/credentials": CREDENTIAL}),
        spans=SPANS,
        number=form.text(_repeats.FIELD) or Repeats.number(),
    )


def _why_not(room: Room, *, is_portal: bool) -> str:
    if not room.can.configures:
        return room.can.configurers
    if is_portal:
        return "A link would outlive this portal session: enter the credentials in the webhook's form itself."
    return "There is nothing that a customer could enter for a webhook of this kind."


class EntryPages(Controller):
    """/enter/{application}/{webhook}/{credentials}/{token}"""

    path = "/enter/{app:str}/{webhook_id:str}/{names:str}/{token:str}"

    @get("/")
    async def show(self, request: Asked, pages: ThePages, management: Management) -> Response[str]:
        """Whose webhook it is, and a field for each credential."""
        link = _link(request)
        try:
            opened = await management.credential_entry.look(link, address_of(request))
        except (Unauthenticated, NotFound, RateLimited) as error:
            return _refusal(request, pages, error)
        return _entry_page(request, pages, link, opened, None)

    @post("/")
    async def save(self, request: Asked, pages: ThePages, door: TheDoor, management: Management) -> Response[str]:
        """Keep them, and spend the link. What was typed is never shown again, not even where it was refused."""
        link = _link(request)
        form = await door.form(request)
        address = address_of(request)
        try:
            opened = await management.credential_entry.look(link, address)
        except (Unauthenticated, NotFound, RateLimited) as error:
            return _refusal(request, pages, error)
        try:
            if not _csrf.is_right(_mark(link, opened), form.text(_csrf.FIELD)):
                raise NotAllowed(
                    "The form is another link's, or the webhook leads elsewhere by now: nothing was saved."
                )
            values = {one: form.text(f"credential.{one}").strip() for one in opened.credentials}
            await management.credential_entry.save(link, values, opened.url, address, request_id_of(request))
        except (Unauthenticated, NotFound, RateLimited) as error:
            return _refusal(request, pages, error)
        except HookspanError as error:
            return _entry_page(request, pages, link, opened, error)
        return pages.page("enter_done.html", request, opened=opened)


def label_of(words: dict[str, Any], name: str) -> str:
    """The vendor's word for a credential, else its name."""
    word = words.get(name)
    return word if isinstance(word, str) else name.replace("_", " ").capitalize()


def _link(request: Asked) -> Link:
    parts = request.path_params
    return Link(application=parts["app"], webhook=parts["webhook_id"], names=parts["names"], token=parts["token"])


def _mark(link: Link, opened: Opened) -> str:
    """What a form is held to: the link, and where the webhook led when the customer was shown it. A token that they
    meant for one host goes to no other.
    """
    return f"{link.token} {opened.url}"


def _entry_page(request: Asked, pages: Pages, link: Link, opened: Opened, error: HookspanError | None) -> Response[str]:
    fields = {f"/credentials/{one}": f"credential.{one}" for one in opened.credentials}
    return pages.page(
        "enter.html",
        request,
        status=200 if error is None else error.status,
        opened=opened,
        fields=[(f"credential.{one}", label_of(opened.words, one)) for one in opened.credentials],
        form=Form(),
        csrf=_csrf.csrf_token(_mark(link, opened)),
        errors=NO_ERRORS if error is None else FieldErrors(error, fields),
    )


def _refusal(request: Asked, pages: Pages, error: HookspanError) -> Response[str]:
    response = pages.page("enter_refused.html", request, status=error.status, error=error)
    if isinstance(error, RateLimited):
        response.headers["retry-after"] = str(error.retry_after_s)
    return response
