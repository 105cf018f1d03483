"""What only callers of the store get to hear. Part of `hookspan.store.contract`, where everybody has it from."""

from hookspan.errors import StoreUnavailable


class ApplicationFrozen(StoreUnavailable):
    """The application is being moved to another database; nothing of it can be changed here meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "The application is being moved to another database. Nothing was kept: try again in some seconds."
        )


class DataRefused(StoreUnavailable):
    """The database refuses a row of this call for what it holds; nothing was written. Other data may pass."""


class NodeGone(Exception):
    """This node is not registered any more: it must stop sending and register anew."""
