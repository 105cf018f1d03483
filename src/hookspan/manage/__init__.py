"""What a person or program may do. The API, the command line and the dashboard call this and nothing beneath it."""

from hookspan.clock import Clock
from hookspan.domain.caller import SYSTEM, Caller
from hookspan.egress import Egress
from hookspan.errors import HookspanError
from hookspan.manage._cursor import Cursors
from hookspan.manage._ground import Ground, Machine
from hookspan.manage.applications import Applications
from hookspan.manage.audit import Audit
from hookspan.manage.by_hand import ByHand
from hookspan.manage.callers import Callers, check_publish
from hookspan.manage.catalog import ProfileCatalog
from hookspan.manage.credential_links import CredentialEntry, CredentialLinks
from hookspan.manage.deliveries import Deliveries
from hookspan.manage.events import Events
from hookspan.manage.failures import Failures
from hookspan.manage.finding import Finding
from hookspan.manage.idempotency import Idempotency
from hookspan.manage.jobs import Jobs
from hookspan.manage.keys import Keys
from hookspan.manage.moving import Moving
from hookspan.manage.notices import Notices
from hookspan.manage.pauses import Pauses, Standing
from hookspan.manage.people import People
from hookspan.manage.portal import PortalSessions
from hookspan.manage.rates import Rates
from hookspan.manage.replay import Replays
from hookspan.manage.rights import Rights
from hookspan.manage.samples import Samples
from hookspan.manage.searching import Searching
from hookspan.manage.secrets import Secrets
from hookspan.manage.sessions import Sessions, SignIn
from hookspan.manage.statistics import Statistics
from hookspan.manage.tail import Tail
from hookspan.manage.upcoming import Upcoming
from hookspan.manage.webhooks import Webhooks
from hookspan.profiles import Profiles
from hookspan.settings import Settings
from hookspan.store.contract import Store
from hookspan.vault import Vault

__all__ = [
    "Applications",
    "Audit",
    "ByHand",
    "Callers",
    "CredentialEntry",
    "CredentialLinks",
    "Deliveries",
    "Desk",
    "Events",
    "Failures",
    "Finding",
    "Idempotency",
    "Jobs",
    "Keys",
    "Machine",
    "Manage",
    "Moving",
    "Notices",
    "Pauses",
    "People",
    "PortalSessions",
    "ProfileCatalog",
    "Rates",
    "Replays",
    "Rights",
    "Samples",
    "Secrets",
    "Sessions",
    "SignIn",
    "Standing",
    "Statistics",
    "Tail",
    "Upcoming",
    "Webhooks",
    "check_publish",
]


class Manage:
    """All of management; `desk` opens it for one caller."""

    def __init__(
        self,
        store: Store,
        profiles: Profiles,
        egress: Egress,
        vault: Vault,
        engine: Machine,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self.callers = Callers(store, settings.operator_key, clock)
        self.rates = Rates(clock, settings.management_rate)
        self._ground = Ground(
            store=store,
            profiles=profiles,
            egress=egress,
            vault=vault,
            engine=engine,
            clock=clock,
            cursors=Cursors(settings.operator_key),
            caller=SYSTEM,
            callers=self.callers,
            public_url=settings.public_url or f"http://{settings.host}:{settings.port}",
        )
        self.sign_in = SignIn(self._ground)
        self.credential_entry = CredentialEntry(self._ground)
        self.tails = self._ground.tails
        self._store = store
        self.idempotency = Idempotency(store, vault, clock)

    def desk(self, caller: Caller) -> "Desk":
        """What `caller` may do."""
        return Desk(self._ground.with_caller(caller))

    def intake_refusal(self) -> str | None:
        """Why the store takes in no events now, in a sentence; None when it does."""
        try:
            self._store.check_intake()
        except HookspanError as error:
            return error.detail
        return None

    async def gauges(self) -> dict[str, int]:
        """Readings of the store for /metrics, by name with unit."""
        return await self._store.stats()


class Desk:
    """Management as one caller has it. Each call takes ids as texts and inputs of `manage.inputs`, gives shapes of
    `manage.views`, and raises the refusals of `hookspan.errors`.
    """

    def __init__(self, ground: Ground) -> None:
        self.applications = Applications(ground)
        self.webhooks = Webhooks(ground)
        self.secrets = Secrets(ground)
        self.upcoming = Upcoming(ground)
        self.by_hand = ByHand(ground)
        self.samples = Samples(ground)
        self.moving = Moving(ground)
        self.credential_links = CredentialLinks(ground)
        self.events = Events(ground)
        self.deliveries = Deliveries(ground)
        self.replays = Replays(ground)
        self.jobs = Jobs(ground)
        self.statistics = Statistics(ground)
        self.notices = Notices(ground)
        self.audit = Audit(ground)
        self.profiles = ProfileCatalog(ground)
        self.pauses = Pauses(ground)
        self.rights = Rights(ground)
        self.finding = Finding(ground)
        self.tail = Tail(ground)
        self.failures = Failures(ground)
        self.searching = Searching(ground)
        self.keys = Keys(ground)
        self.people = People(ground)
        self.sessions = Sessions(ground)
        self.portal_sessions = PortalSessions(ground)
