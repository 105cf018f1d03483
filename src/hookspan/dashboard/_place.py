"""Pages that stand in both places: at large, for the operator's people, and within one application."""

from hookspan.dashboard._visit import Visit, below


class Place:
    """`root` is the path above the page, `application` the id of the one that it is of; None at large."""

    def __init__(self, root: str, application: str | None, stray: str | None) -> None:
        self.root = root
        self.application = application
        self.stray = stray

    def to(self, *parts: str, **query: str) -> str:
        return below(self.root, *parts, **query)


async def place_of(visit: Visit) -> Place:
    """`stray` is where somebody of one application finds the same within it, if they ask for it at large. Raises
    NotFound.
    """
    if visit.application is not None:
        room = await visit.room()
        return Place(room.root, room.id, None)
    own = visit.caller.application
    return Place(visit.home, own, None if own is None else visit.root_of(own))
