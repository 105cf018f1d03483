"""Another URL for an active webhook, where it may change only while the webhook is disabled: three steps, one form."""

from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._form import NO_ERRORS, FieldErrors, Form
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._visit import Entered, Filled, Part
from hookspan.dashboard._webhook_changes import version_in
from hookspan.errors import HookspanError, NotAllowed
from hookspan.manage import views
from hookspan.manage.moving import Moved

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
# Each step, and what is told when it fails.
STEPS: Final = {
    "check": "The new URL can't be used",
    "disable": "It could not be disabled",
    "change": "It was disabled, but the URL could not be changed",
}


class MovePages(Controller):
    """…/webhooks/{webhook}/move"""

    path = "/webhooks/{webhook_id:str}/move"

    @get("/")
    async def ask(self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part) -> Response[Any]:
        """Which URL, and what will be done. A webhook whose URL can change as it is has its form for that."""
        room = await visit.room()
        if not room.can.configures:
            raise NotAllowed(room.can.configurers)
        webhook = await visit.desk.webhooks.get(room.id, webhook_id)
        if room.profile.url_change != "disabled" or webhook.status == "disabled":
            return go(room.to("webhooks", webhook.id, "edit"))
        return _page(request, pages, webhook, Form([("version", str(webhook.version))]), None)

    @post("/")
    async def move(
        self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part, form: Filled
    ) -> Response[Any]:
        """Do it. What fails is told with the step and with what the webhook is now."""
        room = await visit.room()
        moved = await visit.desk.moving.move(room.id, webhook_id, form.text("url").strip(), version_in(form))
        if moved.failed is None:
            return go(room.to("webhooks", webhook_id, done="moved"))
        return _page(request, pages, moved.webhook, form, moved)


def _page(
    request: Asked, pages: Pages, webhook: views.Webhook | None, form: Form, moved: Moved | None
) -> Response[str]:
    error: HookspanError | None = None if moved is None else moved.error
    if webhook is None:  # nor can its state be read
        raise error or HookspanError()
    return pages.page(
        "webhook_move.html",
        request,
        status=200 if error is None else error.status,
        webhook=webhook,
        form=form,
        errors=NO_ERRORS if error is None else FieldErrors(error, {"/url": "url"}),
        failed=moved is not None and moved.failed,
        headline="" if moved is None or moved.failed is None else STEPS[moved.failed],
        detail="" if error is None else error.detail,
    )
