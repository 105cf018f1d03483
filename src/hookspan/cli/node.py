"""Everything one process is made of, put together from the ground up. This is the only place that knows all rooms.

    settings ─► vault, store, profiles ─► egress ─► engine ─► manage ─► api, dashboard ─► a listening socket

Taken down in the opposite order: first nothing new comes in, then what is in flight ends, then the store closes.
"""

import asyncio
import contextlib
import errno
import gc
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from hookspan.api import Pages, PublishProtocol, create_app, sweep_idle
from hookspan.cli._store import database_addresses, store_of
from hookspan.cli._time import SharedTime
from hookspan.clock import SystemClock
from hookspan.dashboard import PLACES, create_dashboard
from hookspan.egress import Egress, EgressSettings
from hookspan.engine import Engine, EngineOptions
from hookspan.engine.duty import Duty
from hookspan.engine.nodes import trust_window_least_s
from hookspan.engine.notices import Letters
from hookspan.errors import ConfigurationError, HookspanError
from hookspan.ids import IdMaker
from hookspan.manage import Callers, Manage
from hookspan.profiles import TIMEOUT_MS_MAX, Profiles, load_profiles
from hookspan.settings import Settings, decode_encryption_key
from hookspan.telemetry import Counters, log
from hookspan.vault import Vault

REQUESTS_GRACE_S = 5  # for requests that were being answered when the stop came
# For deliveries in flight: the longest deadline that a profile or an application may give them, and room. With those
# shipped it takes 15 s at most, for a stop waits no longer than what is in flight.
GRACE_S = TIMEOUT_MS_MAX / 1000 + 5
IDLE_CONNECTION_S = 30
_GC_THRESHOLD = 50_000  # per-event garbage has no cycles: collecting often only costs


class Node(msgspec.Struct, frozen=True):
    """One running Hookspan."""

    settings: Settings
    base_url: str
    profiles: Profiles
    engine: Engine
    manage: Manage
    counters: Counters


def bind(host: str, port: int) -> socket.socket:
    """A bound socket, not listening yet. Raises ConfigurationError in words when the address can't be had."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
    except OSError as error:
        raise ConfigurationError(f"Can't listen on {host}: {error.strerror}. Choose another with --host.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        advice = {
            errno.EADDRINUSE: "Is another Hookspan running? Choose another port with --port.",
            errno.EADDRNOTAVAIL: "This machine does not have that address: choose another with --host.",
            errno.EACCES: "Choose a port above 1023 with --port.",
        }.get(error.errno or 0, "Choose others with --host and --port.")
        raise ConfigurationError(f"Can't listen on {host} port {port}: {error.strerror}. {advice}") from error
    listener.setblocking(False)
    return listener


@contextlib.asynccontextmanager
async def running(settings: Settings, listener: socket.socket) -> AsyncIterator[Node]:
    """A node that answers on `listener` for as long as the block runs. `settings` must have its keys."""
    _raise_descriptor_limit()
    host, port = listener.getsockname()[:2]
    clock, counters = SystemClock(), Counters()
    ids = IdMaker(clock)
    profiles = load_profiles(Path(settings.profiles_path) if settings.profiles_path else None)
    vault = Vault(decode_encryption_key(settings.encryption_key))
    async with contextlib.AsyncExitStack() as stack:
        store = store_of(settings, clock, ids)
        await store.open()
        stack.push_async_callback(store.close)
        if not vault.opens_check_value(await store.check_value(vault.check_value())):
            raise ConfigurationError(
                "The encryption key is not the one this database was written with. Put the right one back "
                "(HOOKSPAN_ENCRYPTION_KEY, or encryption.key in the data folder)."
            )
        if store.is_shared:
            shared_time = SharedTime(store, clock)
            await shared_time.begin()
            await stack.enter_async_context(_turning(shared_time))
        own = [(host, port), *await asyncio.to_thread(database_addresses, settings)]
        egress = Egress(_egress_settings(settings, own), clock)
        await egress.start()
        stack.push_async_callback(egress.close)
        engine = Engine(
            store=store,
            profiles=profiles,
            egress=egress,
            vault=vault,
            clock=clock,
            ids=ids,
            counters=counters,
            options=_engine_options(settings, profiles),
            mail=_mail(settings, clock, stack),
        )
        await engine.start()
        stack.push_async_callback(engine.stop, GRACE_S)
        base_url = _base_url(host, port)
        known_as = msgspec.structs.replace(settings, public_url=settings.public_url or base_url)
        manage = Manage(store, profiles, egress, vault, engine, clock, known_as)
        counters.readings.append(lambda: _readings(engine, manage.callers, counters))
        await stack.enter_async_context(_flushing(manage.callers))
        pages = None
        if settings.role != "deliver":
            pages = Pages(create_dashboard(manage, engine.intake, clock, known_as), PLACES)
        await stack.enter_async_context(_listening(create_app(manage, engine, counters, settings, pages), listener))
        stack.callback(manage.tails.ending.set)  # streams have no end of their own that a stop could wait for
        with _calm_collector():
            yield Node(settings, base_url, profiles, engine, manage, counters)


@contextlib.asynccontextmanager
async def _turning(duty: Duty) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        turning = group.create_task(duty.run(), name=duty.name)
        try:
            yield
        finally:
            turning.cancel()


@contextlib.asynccontextmanager
async def _flushing(callers: Callers) -> AsyncIterator[None]:
    """Who was here last is kept every now and then, and at the end."""
    async with _turning(callers):
        yield
    with contextlib.suppress(HookspanError):  # a store that is gone: they are no more than a hint
        await callers.flush()


def _raise_descriptor_limit() -> None:
    """As many connections, in and out, as the machine allows this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # some systems have a lower limit than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _readings(engine: Engine, callers: Callers, counters: Counters) -> dict[str, float]:
    """What waits in this node, for /metrics; see docs/metrics.md."""
    duties = (
        engine.intake,
        engine.recorder,
        engine.poller,
        engine.catch_up,
        engine.node,
        engine.retention,
        engine.disabler,
        engine.statistics,
        engine.notice_finder,
        engine.notice_sender,
        engine.watch,
        engine.following,
        engine.inbox,
        callers,
    )
    counters.errors_by_duty |= {duty.name: duty.errors for duty in duties}
    return {
        "intake_events": engine.intake.waiting_events,
        "intake_bytes": engine.intake.waiting_bytes,
        "lane_deliveries": engine.dispatcher.items,
        "attempts_in_flight": engine.dispatcher.in_flight,
        "results_waiting": engine.recorder.waiting,
        "pauses_in_force": len(engine.pauses.in_force),
        "profiles_left": len(engine.roll_out.left),
    }


def _warn_of_short_window(settings: Settings, profiles: Profiles) -> None:
    """No refusal: what it gives up is told in docs/settings.md, and no event, no fence and no bound is among it."""
    timeout_s, profile = max((profiles.get(name).rules.timeout_ms / 1000, name) for name in profiles.names)
    advised = trust_window_least_s(timeout_s)
    if settings.trust_window < advised:
        log.warning(
            "trust_window is short: a request may outlast it, and another node send the same meanwhile",
            trust_window=settings.trust_window,
            advised=advised,
            profile=profile,
            timeout_s=timeout_s,
        )


def _engine_options(settings: Settings, profiles: Profiles) -> EngineOptions:
    if settings.is_shared:
        _warn_of_short_window(settings, profiles)
    return EngineOptions(
        retention_days=settings.retention_days,
        takes_in=settings.role != "deliver",
        delivers=settings.role != "intake",
        trust_window_s=settings.trust_window,
        cell=settings.cell,
        start_paused=settings.start_paused,
        logs_failures=settings.log_level in {"debug", "info"},
        logs_successes=settings.log_level == "debug",
    )


def _egress_settings(settings: Settings, own: list[tuple[str, int]]) -> EgressSettings:
    return EgressSettings(
        allow=settings.egress_allow,
        allow_http=settings.egress_allow_http,
        ca_file=settings.egress_ca_file,
        proxy=settings.egress_proxy,
        own=tuple(own),
        addresses=settings.egress_addresses,
    )


def _mail(settings: Settings, clock: SystemClock, stack: contextlib.AsyncExitStack) -> Letters | None:
    """The operator's mail server, closed with `stack`; None where there is none."""
    if settings.smtp_url is None or settings.smtp_from is None:
        return None
    from hookspan.egress.mail import Mail  # few need it: not at every start

    mail = Mail(settings.smtp_url, settings.smtp_from, clock, ca_file=settings.egress_ca_file)
    stack.callback(mail.close)
    return mail


def _base_url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def _calm_collector() -> Iterator[None]:
    """Start-up's objects live for ever: leave them out of every collection, and collect seldom."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the command's business: stopping has an order that uvicorn does not know."""
        yield


@contextlib.asynccontextmanager
async def _listening(app: Any, listener: socket.socket) -> AsyncIterator[None]:
    server = _Server(
        uvicorn.Config(
            app,
            loop="none",
            http=PublishProtocol,
            interface="asgi3",
            proxy_headers=False,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=IDLE_CONNECTION_S,
            timeout_graceful_shutdown=REQUESTS_GRACE_S,
        )
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        sweeping = group.create_task(sweep_idle(server.server_state.connections))
        try:
            await server.is_listening.wait()
            yield
        finally:
            sweeping.cancel()
            server.should_exit = True
