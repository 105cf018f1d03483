"""A replay is asked for: which events, counted by type before anything is sent, then started as a job."""

import math
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard import _repeats
from hookspan.dashboard._form import NO_ERRORS, FieldErrors, Form, convert
from hookspan.dashboard._moments import field_moment, moment_in
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._repeats import Repeats
from hookspan.dashboard._visit import Entered, Filled, Part, Visit
from hookspan.domain.times import to_text
from hookspan.errors import Fault, HookspanError, InvalidRequest, NotAllowed
from hookspan.manage import views
from hookspan.manage.inputs import StartReplay

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
TheRepeats = SkipValidation[NamedDependency[Repeats]]
FIELDS: Final = ("since", "until", "state", "types", "rate")
# Label → how long before now, in ms; the second is what an empty form begins with.
SPANS: Final = (("last hour", 3_600_000), ("24 hours", 86_400_000), ("7 days", 604_800_000))
STATES: Final = {
    "": "whatever became of them",
    "failed": "that failed",
    "missing": "that were never sent to it",
    "cancelled": "that were cancelled",
    "succeeded": "that arrived",
}
_POINTERS: Final = {f"/{name}": name for name in FIELDS}


class ReplayPages(Controller):
    """…/webhooks/{webhook}/replay"""

    path = "/webhooks/{webhook_id:str}/replay"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part) -> Response[str]:
        """The form; and, where it is filled in, what would be sent. The address has all of it."""
        asked = Form([(name, request.query_params[name]) for name in FIELDS if name in request.query_params])
        room = await visit.room()
        if not room.can.configures:
            raise NotAllowed(room.can.configurers)
        if not asked.has("since"):
            return await _page(visit, request, pages, webhook_id, Form([("since", field_moment(_day_ago(visit)))]))
        try:
            preview = await visit.desk.replays.preview(room.id, webhook_id, given_in(asked))
        except HookspanError as error:
            return await _page(visit, request, pages, webhook_id, asked, error=error)
        return await _page(visit, request, pages, webhook_id, asked, preview=preview)

    @post("/")
    async def start(
        self, visit: Entered, request: Asked, pages: ThePages, repeats: TheRepeats, webhook_id: Part, form: Filled
    ) -> Response[Any]:
        """Start it; sent twice it leads to the job that the first has started."""
        room = await visit.room()
        if not room.can.configures:
            raise NotAllowed(room.can.configurers)
        number = form.text(_repeats.FIELD)
        started_before = repeats.place(visit.csrf, number)
        if started_before is not None:
            return go(started_before)
        try:
            job = await visit.desk.replays.start(room.id, webhook_id, given_in(form))
        except HookspanError as error:
            return await _page(visit, request, pages, webhook_id, form, error=error)
        repeats.keep(visit.csrf, number, room.to("jobs", job.id))
        return go(room.to("jobs", job.id, done="started"))


def given_in(form: Form) -> StartReplay:
    """Raises InvalidRequest with the field."""
    members: dict[str, Any] = {"since": moment_in(form.text("since"))}
    if form.text("until").strip():
        members["until"] = moment_in(form.text("until"))
    if form.text("state"):
        members["state"] = form.text("state")
    if form.lines("types"):
        members["types"] = form.lines("types")
    if form.text("rate").strip():
        members["rate"] = _number(form.text("rate").strip())
    return convert(members, StartReplay)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        detail = f"{text[:40]!r} is not a number."
        raise InvalidRequest(detail, errors=(Fault("/rate", "invalid_request", detail),))
    return number


def _day_ago(visit: Visit) -> int:
    return visit.now_ms - SPANS[1][1]


async def _page(
    visit: Visit,
    request: Asked,
    pages: Pages,
    webhook_id: str,
    form: Form,
    *,
    preview: views.ReplayPreview | None = None,
    error: HookspanError | None = None,
) -> Response[str]:
    room = await visit.room()
    here = room.to("webhooks", webhook_id, "replay")
    kept = {name: form.text(name) for name in FIELDS if form.text(name).strip()}
    if preview is not None and "until" not in kept:
        kept["until"] = to_text(visit.now_ms)  # what is started is what was counted
    rate = given_in(form).rate if preview is not None else None
    return pages.page(
        "replay.html",
        request,
        status=200 if error is None else error.status,
        webhook=await visit.desk.webhooks.get(room.id, webhook_id),
        form=form,
        errors=NO_ERRORS if error is None else FieldErrors(error, _POINTERS),
        preview=preview,
        takes_ms=preview.count / rate * 1000 if preview is not None and isinstance(rate, float) else None,
        kept=kept,
        number=form.text(_repeats.FIELD) or Repeats.number(),
        states=STATES,
        spans=[(label, f"{here}?since={field_moment(visit.now_ms - span_ms)}") for label, span_ms in SPANS],
        types=[one.type for one in visit.desk.profiles.events(room.profile.name).data],
    )
