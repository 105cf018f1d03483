"""What is done to one webhook: edit, switch off and on, rotate, delete, send a test, send one event."""

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard import _repeats
from hookspan.dashboard._advice import advice_on
from hookspan.dashboard._form import NO_ERRORS, FieldErrors, Form, convert
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._repeats import Repeats
from hookspan.dashboard._sample import tests_of
from hookspan.dashboard._visit import Entered, Filled, Part, Visit
from hookspan.dashboard._webhook_form import changed_members, differences, filled_form
from hookspan.dashboard._webhooks import form_page
from hookspan.engine import Intake, Published
from hookspan.errors import ChangedMeanwhile, HookspanError, NotAllowed
from hookspan.manage.inputs import ChangeWebhook, RotateSecret, SendEvent, SendTest

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
TheRepeats = SkipValidation[NamedDependency[Repeats]]
TheIntake = SkipValidation[NamedDependency[Intake]]
_VERSION_CHARS_MAX = 18


class WebhookChangePages(Controller):
    """…/webhooks/{webhook}/…"""

    path = "/webhooks/{webhook_id:str}"

    @get("/edit")
    async def edit(self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part) -> Response[str]:
        """The form as the webhook is."""
        webhook = await visit.desk.webhooks.get((await visit.room()).id, webhook_id)
        return await form_page(visit, request, pages, filled_form(webhook), None, webhook=webhook)

    @post("/edit")
    async def save(
        self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part, form: Filled
    ) -> Response[Any]:
        """Save what differs; whoever comes second sees both."""
        room = await visit.room()
        if not room.can.configures:
            raise NotAllowed(room.can.configurers)
        webhook = await visit.desk.webhooks.get(room.id, webhook_id)
        version = version_in(form)
        try:
            members = changed_members(room, webhook, form)
            if version != webhook.version:
                raise ChangedMeanwhile("Somebody else has changed this webhook while you were editing it.")
            if not members:
                return go(room.to("webhooks", webhook.id, done="unchanged"))
            await visit.desk.webhooks.change(room.id, webhook_id, convert(members, ChangeWebhook), version)
        except ChangedMeanwhile as error:
            webhook = await visit.desk.webhooks.get(room.id, webhook_id)
            meanwhile = differences(room, webhook, form)
            return await form_page(visit, request, pages, form, error, webhook=webhook, meanwhile=meanwhile)
        except HookspanError as error:
            return await form_page(visit, request, pages, form, error, webhook=webhook)
        return go(room.to("webhooks", webhook.id, done="saved"))

    @get("/edit/sample")
    async def edit_again(self, visit: Entered, webhook_id: Part) -> Response[bytes]:
        """A reload of the answer below leads back to the form."""
        return go((await visit.room()).to("webhooks", webhook_id, "edit"))

    @post("/edit/sample")
    async def show_sample(
        self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part, form: Filled
    ) -> Response[str]:
        """The form as it is filled in, with what will be sent beside it; nothing is saved."""
        webhook = await visit.desk.webhooks.get((await visit.room()).id, webhook_id)
        return await form_page(visit, request, pages, form, None, webhook=webhook)

    @post("/disable")
    async def disable(self, visit: Entered, webhook_id: Part) -> Response[bytes]:
        """Off; nothing is lost, so nothing is asked."""
        return await _change(visit, webhook_id, {"status": "disabled"}, "disabled")

    @post("/activate")
    async def activate(self, visit: Entered, webhook_id: Part, form: Filled) -> Response[bytes]:
        """On, with what waited or without it."""
        resume = "skip" if form.text("resume") == "skip" else "keep"
        members = {"status": "active", "resume": resume}
        return await _change(visit, webhook_id, members, "skipped" if resume == "skip" else "activated")

    @get("/delete")
    async def confirm_delete(self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part) -> Response[str]:
        """What deleting means."""
        room = await visit.room()
        webhook = await visit.desk.webhooks.get(room.id, webhook_id)
        return pages.page("webhook_delete.html", request, webhook=webhook)

    @post("/delete")
    async def delete(self, visit: Entered, webhook_id: Part) -> Response[bytes]:
        """For ever."""
        room = await visit.room()
        await visit.desk.webhooks.delete(room.id, webhook_id)
        return go(f"{room.root}?done=deleted")

    @get("/secret")
    async def confirm_rotate(self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part) -> Response[str]:
        """What rotating means."""
        return await _rotate_page(visit, request, pages, webhook_id, Form(), None)

    @post("/secret")
    async def rotate(
        self, visit: Entered, request: Asked, pages: ThePages, repeats: TheRepeats, webhook_id: Part, form: Filled
    ) -> Response[Any]:
        """A new secret, on this answer and nowhere else."""
        room = await visit.room()
        number = form.text(_repeats.FIELD)
        done_before = repeats.place(visit.csrf, number)
        if done_before is not None:
            return go(done_before)
        given = form.text("secret").strip()
        try:
            rotated = await visit.desk.secrets.rotate(
                room.id, webhook_id, convert({"secret": given} if given else {}, RotateSecret)
            )
        except HookspanError as error:
            if not room.can.configures:
                raise
            return await _rotate_page(visit, request, pages, webhook_id, form, error)
        place = room.to("webhooks", webhook_id)
        repeats.keep(visit.csrf, number, place)
        return pages.page(
            "secret_once.html",
            request,
            status=201,
            webhook=await visit.desk.webhooks.get(room.id, webhook_id),
            secret=rotated.secret,
            public_key=rotated.public_key,
            previous_until=rotated.previous_until,
            is_new=False,
            address=place,
        )

    @get("/test")
    async def test_again(self, visit: Entered, webhook_id: Part) -> Response[bytes]:
        """A reload of the answer leads back to the webhook."""
        return go((await visit.room()).to("webhooks", webhook_id))

    @post("/test")
    async def test(
        self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part, form: Filled
    ) -> Response[str]:
        """One attempt now: request, reply, verdict and what to do about it."""
        room = await visit.room()
        event_type = form.text("type")
        attempt = await visit.desk.by_hand.test(
            room.id, webhook_id, convert({"type": event_type} if event_type else {}, SendTest)
        )
        webhook = await visit.desk.webhooks.get(room.id, webhook_id)
        catalog = visit.desk.profiles.events(room.profile.name).data
        return pages.page(
            "webhook_test.html",
            request,
            webhook=webhook,
            attempt=attempt,
            advice=advice_on(attempt, room),
            tests=tests_of(room, catalog, webhook),
            chosen=event_type,
        )

    @post("/send")
    async def send(self, visit: Entered, webhook_id: Part, form: Filled) -> Response[bytes]:
        """One event once more, by hand."""
        room = await visit.room()
        given = convert({"event_id": form.text("event_id").strip()}, SendEvent)
        delivery = await visit.desk.by_hand.send(room.id, webhook_id, given)
        return go(room.to("deliveries", delivery.id, done="waits" if delivery.reason == "paused" else "sent"))

    @post("/send-sample")
    async def send_sample(self, visit: Entered, intake: TheIntake, webhook_id: Part, form: Filled) -> Response[bytes]:
        """A sample is published, as an event like any other; where this webhook does not get it by that, by hand."""
        room = await visit.room()
        webhook = await visit.desk.webhooks.get(room.id, webhook_id)
        sample = await visit.desk.events.sample(room.id, form.text("type") or None)
        receipt = await intake.publish(room.id, sample)
        if not isinstance(receipt, Published):
            raise HookspanError
        await visit.desk.events.sample_published(room.id, sample, receipt.id)
        fates = (await visit.desk.events.get(room.id, receipt.id)).webhooks
        found = next((one.delivery_id for one in fates if one.webhook_id == webhook.id), None)
        if found is None:
            found = (await visit.desk.by_hand.send(room.id, webhook.id, SendEvent(event_id=receipt.id))).id
        return go(room.to("deliveries", found, done="sent"))


async def _change(visit: Visit, webhook_id: str, members: dict[str, Any], done: str) -> Response[bytes]:
    room = await visit.room()
    await visit.desk.webhooks.change(room.id, webhook_id, convert(members, ChangeWebhook))
    return go(room.to("webhooks", webhook_id, done=done))


async def _rotate_page(
    visit: Visit, request: Asked, pages: Pages, webhook_id: str, form: Form, error: HookspanError | None
) -> Response[str]:
    room = await visit.room()
    webhook = await visit.desk.webhooks.get(room.id, webhook_id)
    kinds = [one for one in room.profile.credentials if one.rotation is not None and one.name in webhook.credentials]
    kind = kinds[0] if kinds else None
    givers = {"configurer", "operator"} if room.dialect.is_given_by_operator else {"configurer"}
    return pages.page(
        "webhook_rotate.html",
        request,
        status=200 if error is None else error.status,
        webhook=webhook,
        kind=kind,
        may_give=kind is not None and bool(givers & set(kind.given_by)),
        form=form,
        errors=NO_ERRORS if error is None else FieldErrors(error, {"/secret": "secret"}),
        number=form.text(_repeats.FIELD) or Repeats.number(),
    )


def version_in(form: Form) -> int:
    """The version that a form was filled in for; -1 for what is none."""
    text = form.text("version")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _VERSION_CHARS_MAX else -1
