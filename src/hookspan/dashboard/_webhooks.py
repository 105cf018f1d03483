"""Webhooks: make one, with its secret shown once, and look at one."""

from functools import partial
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import UNSET

from hookspan.dashboard import _repeats
from hookspan.dashboard._advice import SLOW_MS
from hookspan.dashboard._checklist import has_checklist, steps_of
from hookspan.dashboard._choice import choice_of, chosen_in
from hookspan.dashboard._form import NO_ERRORS, FieldErrors, Form, convert
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._repeats import Repeats
from hookspan.dashboard._sample import groups_of, sample_beside, tests_of
from hookspan.dashboard._statistics import SPAN, charts_in
from hookspan.dashboard._upcoming import waiting_of
from hookspan.dashboard._visit import Entered, Filled, Part, Room, Visit
from hookspan.dashboard._webhook_form import copied_form, credential_fields, empty_form, fields_of_pointers, new_members
from hookspan.errors import HookspanError, NotAllowed
from hookspan.manage import views
from hookspan.manage.inputs import LIMIT_MAX, CreateWebhook, DeliveryQuery, Paging, StatisticsQuery, UpcomingQuery

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
TheRepeats = SkipValidation[NamedDependency[Repeats]]
RECENT = 10


class WebhookPages(Controller):
    """…/webhooks"""

    path = "/webhooks"

    @get("/")
    async def show_all(self, visit: Entered) -> Response[bytes]:
        """The list is the application's first page."""
        return go((await visit.room()).root)

    @get("/new")
    async def new(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """Create in one page; `copy` names a webhook of the application to begin from."""
        room = await visit.room()
        copied = request.query_params.get("copy", "")
        if not copied or not room.can.configures:
            return await form_page(visit, request, pages, empty_form(room), None)
        webhook = await visit.desk.webhooks.get(room.id, copied)
        return await form_page(visit, request, pages, copied_form(room, webhook), None, copied=webhook)

    @get("/sample")
    async def new_again(self, visit: Entered) -> Response[bytes]:
        """A reload of the answer below leads back to the form."""
        return go((await visit.room()).to("webhooks", "new"))

    @post("/sample")
    async def show_sample(self, visit: Entered, request: Asked, pages: ThePages, form: Filled) -> Response[str]:
        """The form as it is filled in, with what will be sent beside it; nothing is made."""
        return await form_page(visit, request, pages, form, None)

    @post("/")
    async def create(
        self, visit: Entered, request: Asked, pages: ThePages, repeats: TheRepeats, form: Filled
    ) -> Response[Any]:
        """Create it; its secret is on this answer and nowhere else."""
        room = await visit.room()
        number = form.text(_repeats.FIELD)
        made_before = repeats.place(visit.csrf, number)
        if made_before is not None:
            return go(made_before)
        try:
            members = new_members(room, form)
            webhook = await visit.desk.webhooks.create(room.id, convert(members, CreateWebhook))
        except NotAllowed as error:
            if not room.can.configures:
                raise
            return await form_page(visit, request, pages, form, error)
        except HookspanError as error:
            return await form_page(visit, request, pages, form, error)
        place = room.to("webhooks", webhook.id)
        repeats.keep(visit.csrf, number, place)
        if webhook.secret is UNSET and webhook.public_key is None:
            return go(f"{place}?done=created")
        return pages.page(
            "secret_once.html",
            request,
            status=201,
            webhook=webhook,
            secret=webhook.secret or None,
            public_key=webhook.public_key,
            previous_until=None,
            is_new=True,
            address=place,
        )

    @get("/{webhook_id:str}")
    async def show(self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part) -> Response[str]:
        """State, health, what it asks for, what was delivered lately, and what can be done."""
        room = await visit.room()
        webhook = await visit.desk.webhooks.get(room.id, webhook_id)
        recent = await visit.desk.deliveries.page(room.id, DeliveryQuery(), Paging(limit=RECENT), webhook_id)
        upcoming = None
        is_stalled = webhook.health.state == "stalled"
        if webhook.health.waiting and (webhook.status == "disabled" or is_stalled or not room.profile.has_test):
            upcoming = (await visit.desk.upcoming.events(room.id, webhook_id, UpcomingQuery())).data
        steps = steps_of(room, webhook, recent.data, upcoming or []) if has_checklist(room, webhook) else []
        catalog = visit.desk.profiles.events(room.profile.name).data
        ask = partial(visit.desk.statistics.of_webhook, room.id, webhook_id)
        return pages.page(
            "webhook.html",
            request,
            webhook=webhook,
            choice=choice_of(room, catalog, webhook.events),
            catalog=catalog,
            credentials=credential_fields(room, webhook),
            recent=recent.data,
            upcoming=upcoming,
            head=upcoming[0] if is_stalled and upcoming else None,
            fate=waiting_of(upcoming[0], webhook.id) if is_stalled and upcoming else None,
            steps=steps,
            samples=groups_of(room, catalog, None) if not room.profile.has_test else [],
            tests=tests_of(room, catalog, webhook),
            link_names=await visit.desk.credential_links.names(room.id),
            is_slow=_is_slow(await ask(StatisticsQuery())),
            charts=await charts_in(ask, request.query_params.get(SPAN, ""), visit.now_ms),
        )


async def form_page(
    visit: Visit,
    request: Asked,
    pages: Pages,
    form: Form,
    error: HookspanError | None,
    *,
    webhook: views.Webhook | None = None,
    meanwhile: list[tuple[str, str, str]] | None = None,
    copied: views.Webhook | None = None,
) -> Response[str]:
    """The form, new or filled, with what was refused. `meanwhile`: somebody else has changed the webhook; `copied`: the
    one that a new one is made from.
    """
    room = await visit.room()
    if not room.can.configures:
        raise NotAllowed(room.can.configurers)
    catalog = visit.desk.profiles.events(room.profile.name).data
    count = len((await visit.desk.webhooks.page(room.id, Paging(limit=LIMIT_MAX))).data)
    return pages.page(
        "webhook_form.html",
        request,
        status=200 if error is None else error.status,
        form=form,
        errors=NO_ERRORS if error is None else FieldErrors(error, fields_of_pointers(room)),
        choice=choice_of(room, catalog, chosen_in(form, room)),
        credentials=credential_fields(room, webhook),
        webhook=webhook,
        meanwhile=meanwhile,
        copied=copied,
        shown=await sample_beside(visit, room, form, catalog, webhook),
        count=count,
        is_url_fixed=_is_url_fixed(room, webhook),
        number=form.text(_repeats.FIELD) or Repeats.number(),
    )


def _is_slow(day: views.Statistics) -> bool:
    """Whether one in twenty answers of 24 hours took long."""
    return day.latency_ms is not None and day.latency_ms.p95 >= SLOW_MS


def _is_url_fixed(room: Room, webhook: views.Webhook | None) -> bool:
    return webhook is not None and room.profile.url_change == "disabled" and webhook.status == "active"
