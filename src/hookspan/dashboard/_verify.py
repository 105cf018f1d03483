"""How a receiver sees that a request is ours: what is signed, with which headers, and a signed sample to try it on."""

from typing import Any

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._render import Pages
from hookspan.dashboard._sample import sample_for
from hookspan.dashboard._visit import Entered, Part

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]


class VerifyPages(Controller):
    """…/webhooks/{webhook}/verify"""

    path = "/webhooks/{webhook_id:str}/verify"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part) -> Response[str]:
        """For whoever writes the receiver."""
        room = await visit.room()
        webhook = await visit.desk.webhooks.get(room.id, webhook_id)
        sample = await sample_for(visit, room, webhook)
        return pages.page("webhook_verify.html", request, webhook=webhook, sample=sample)
