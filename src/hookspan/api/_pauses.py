"""/v1/pauses"""

from litestar import Controller, Response, delete, get, post
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody

from hookspan.api._body import JsonBody
from hookspan.api._parameters import Desk, Page, PauseId
from hookspan.manage import views
from hookspan.manage.inputs import CreatePause


class PauseRoutes(Controller):
    """Where the operator has stopped sending."""

    path = "/pauses"
    tags = ("Pauses",)

    @post(
        dto=JsonBody,
        return_dto=None,
        status_code=201,
        responses={200: ResponseSpec(views.Pause, generate_examples=False)},
    )
    async def create_pause(self, desk: Desk, data: JSONBody[CreatePause]) -> Response[views.Pause]:
        """Pause sending: of everything, of one profile, or of one application.

        From the answer on, no delivery of it begins; requests in flight end. Events are taken in and kept as ever, and
        their deliveries wait, with the reason `paused`. The time until the pause ends spends nothing of their retries.
        What is paused already stays so, with the reason that it has: 200 with that pause. For the operator's admins.
        """
        pause, is_new = await desk.pauses.create(data)
        return Response(pause, status_code=201 if is_new else 200)

    @get()
    async def list_pauses(self, desk: Desk, page: Page) -> views.PauseList:
        """List the pauses in force, newest first. A key of one application sees those that it is under."""
        return await desk.pauses.page(page)

    @delete("/{pause:str}", status_code=200)
    async def end_pause(self, desk: Desk, pause: PauseId) -> views.Pause:
        """Resume sending: end a pause.

        Everything that waited for it leaves, in each webhook's order and rate, unless a wider pause covers it too.
        Ending it again changes nothing. For the operator's admins.
        """
        return await desk.pauses.end(pause)
