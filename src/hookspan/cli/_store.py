"""Which store the settings ask for."""

from hookspan.clock import Clock
from hookspan.ids import IdMaker
from hookspan.settings import Settings
from hookspan.store.contract import Store


def store_of(settings: Settings, clock: Clock, ids: IdMaker) -> Store:
    """The store, not open yet. Raises ConfigurationError where the address can't be understood."""
    if not settings.is_shared:
        from hookspan.store.sqlite import SqliteStore  # late: a node needs one of both

        return SqliteStore(settings.database_path, clock=clock, ids=ids)
    from hookspan.store.postgres import PostgresOptions, PostgresStore

    listen_url = settings.database_listen_url
    options = PostgresOptions(
        cell=settings.cell,
        # Who names another address to listen at, or a pooler that can't carry prepared statements, has one before it.
        is_pooled=listen_url is not None or not settings.database_prepared,
        listen_url=listen_url,
        replica_url=settings.database_replica_url,
        prepare_after=_PREPARE_AFTER if settings.database_prepared else None,
    )
    return PostgresStore(settings.database_url, clock=clock, ids=ids, options=options)


def database_addresses(settings: Settings) -> list[tuple[str, int]]:
    """Where the databases listen, by address and port: nothing of ours is ever sent there. Looks names up; blocks."""
    if not settings.is_shared:
        return []
    from hookspan.store.postgres import listening_at

    urls = (settings.database_url, settings.database_listen_url, settings.database_replica_url)
    return sorted({at for url in urls if url is not None for at in listening_at(url)})


_PREPARE_AFTER = 3  # runs of one statement on one connection: fewer are not worth a name in the server
