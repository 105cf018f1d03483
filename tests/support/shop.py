"""Management over the store of a `World`: an application with one webhook."""

from types import SimpleNamespace
from typing import Any

from hookspan.domain import times
from hookspan.domain.caller import OPERATOR
from hookspan.domain.states import Order
from hookspan.ids import to_text
from hookspan.manage._cursor import Cursors
from hookspan.manage._ground import Ground
from hookspan.manage.by_hand import ByHand
from hookspan.manage.callers import Callers
from hookspan.manage.inputs import ChangeWebhook, StartReplay
from hookspan.manage.jobs import Jobs
from hookspan.manage.replay import Replays
from hookspan.manage.secrets import Secrets
from hookspan.manage.webhooks import Webhooks

from .world import PROFILES, World


class Destinations:
    """Takes every URL."""

    def target(self, url: str, *, https_required: bool) -> SimpleNamespace:
        assert https_required in (True, False)
        return SimpleNamespace(url=url, origin=url.rpartition("/")[0], is_tls=True)

    async def check_destination(self, target: object) -> None:
        assert target

    async def check_certificate(self, target: object) -> None:
        assert target


class Shop:
    """An application with one webhook, and management over its store."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ground = Ground(
            store=world.store,
            profiles=PROFILES,
            egress=Destinations(),  # type: ignore[arg-type]  # a stand-in
            vault=world.vault,
            engine=world.engine,
            clock=world.clock,
            cursors=Cursors("k"),
            caller=OPERATOR,
            callers=Callers(world.store, "k", world.clock),
            public_url="http://hookspan.example",
        )
        self.webhooks = Webhooks(self.ground)
        self.secrets = Secrets(self.ground)
        self.by_hand = ByHand(self.ground)
        self.replays = Replays(self.ground)
        self.jobs = Jobs(self.ground)

    async def open(self, profile: str = "standard", order: Order = Order.ANY, **settings: Any) -> None:
        self.opened_ms = self.world.clock.now_ms()
        self.application = await self.world.application(profile, **settings)
        self.webhook = await self.world.webhook(self.application, order=order)
        self.profile = self.ground.profile(self.application)
        self.webhook_id = to_text(self.profile.webhook_prefix, self.webhook.id)

    async def change(self, expected_version: int | None = None, **members):
        return await self.webhooks.change(
            self.application.public_id, self.webhook_id, ChangeWebhook(**members), expected_version
        )

    async def kept(self):
        return await self.world.store.get_webhook(self.webhook.id)

    async def replay(self, since_ms: int = 0, **members):
        """A replay of what was accepted from then on, to the webhook."""
        given = StartReplay(since=times.to_text(since_ms or self.opened_ms), **members)
        return await self.replays.start(self.application.public_id, self.webhook_id, given)

    async def preview(self, since_ms: int = 0, **members):
        given = StartReplay(since=times.to_text(since_ms or self.opened_ms), dry_run=True, **members)
        return await self.replays.preview(self.application.public_id, self.webhook_id, given)
