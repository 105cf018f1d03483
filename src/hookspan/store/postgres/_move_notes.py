"""What two databases know of a move between them, and what keeps one from beginning.

Each side has a note of it while it is under way. That of the target says when it has arrived: it is written with the
commit by which the target serves, so it decides which of both does.
"""

import secrets
from collections.abc import Callable

import msgspec

from hookspan.errors import ConfigurationError, StateForbidden
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._cell import Cell

_LOCK = 0x486F6F6B4D6F7665  # "HookMove" read as a number; with the application's id, so that several may move
_LOCK_MASK = (1 << 63) - 1


class Note(msgspec.Struct, frozen=True):
    """`where` is the other database; `move` is the same on both sides."""

    move: str
    where: str
    has_arrived: bool = False


_decoder = msgspec.json.Decoder(Note)


class Notes:
    """Of the application `public_id`, which moves from `source` to `target`."""

    def __init__(self, source: Cell, target: Cell, public_id: str) -> None:
        self._source = source
        self._target = target
        self._public_id = public_id

    def lock(self, application_id: int) -> None:
        """Until the connections end. Raises StateForbidden where another run is at it."""
        for cell in (self._source, self._target):
            if not rows.value(cell.connection, "try_lock_move", ((_LOCK ^ application_id) & _LOCK_MASK,)):
                raise StateForbidden(f"{self._public_id} is being moved by another run of this command just now.")

    def begin(self, application_id: int) -> None:
        """Both sides know of the move, the source first; or know of it already. Raises StateForbidden."""
        leaving = _read(self._source, _leaving(application_id))
        if leaving is None:
            self.check_target(application_id)
            leaving = Note(secrets.token_hex(8), self._target.where)
            _write(self._source, _leaving(application_id), leaving)
        self._check_same(application_id, leaving)
        arriving = _read(self._target, _arriving(application_id))
        if arriving is None or arriving.move != leaving.move:
            self.check_target(application_id)
            _write(self._target, _arriving(application_id), Note(leaving.move, self._source.where))

    def check_undoable(self, application_id: int) -> None:
        """Raises StateForbidden where no move is under way, or it has arrived."""
        leaving = _read(self._source, _leaving(application_id))
        if leaving is None:
            raise StateForbidden(f"No move of {self._public_id} out of {self._source.where} is under way.")
        self._check_same(application_id, leaving)
        arriving = _read(self._target, _arriving(application_id))
        if arriving is not None and arriving.has_arrived and arriving.move == leaving.move:
            raise StateForbidden(
                f"{self._public_id} has arrived at {self._target.where} already. Run the same command without --undo: "
                "it finishes."
            )

    def _check_same(self, application_id: int, leaving: Note) -> None:
        """Two targets of one application would both come to serve it."""
        arriving = _read(self._target, _arriving(application_id))
        is_known = arriving is not None and arriving.move == leaving.move
        if not is_known and leaving.where != self._target.where:
            raise StateForbidden(
                f"{self._public_id} is being moved to {leaving.where} already. Name that one as --to, to go on or with "
                "--undo."
            )

    def check_target(self, application_id: int) -> None:
        """Raises StateForbidden where something in the target is in the way."""
        found = rows.first_row(
            self._target.connection, "find_arriving", {"public_id": self._public_id, "id": application_id}
        )
        if found is None:
            return
        if found[0]:
            raise StateForbidden(
                f"{self._target.where} has not yet forgotten what {self._public_id} left there when it moved away. "
                "Retention clears it away turn by turn: try later."
            )
        raise StateForbidden(f"There is an application {self._public_id!r} in {self._target.where} already.")

    def has_arrived(self, application_id: int) -> bool:
        """Whether the target serves it, or has before."""
        arriving = _read(self._target, _arriving(application_id))
        return arriving is not None and arriving.has_arrived

    def arrive(self, application_id: int) -> None:
        """In the transaction by which the target serves."""
        note = _read(self._target, _arriving(application_id))
        assert note is not None, "it was written when the move began, and the lock is ours"
        _write(self._target, _arriving(application_id), msgspec.structs.replace(note, has_arrived=True))

    def forget_leaving(self, application_id: int) -> None:
        """The source knows of no move."""
        rows.run(self._source.connection, "delete_note", (_leaving(application_id),))

    def forget_arriving(self, application_id: int) -> None:
        """Nor does the target."""
        rows.run(self._target.connection, "delete_note", (_arriving(application_id),))


def check_sides(source: Cell, target: Cell, opens: Callable[[bytes], bool]) -> None:
    """Raises ConfigurationError where nothing can move between them."""
    if source.cell == target.cell:
        raise ConfigurationError(
            f"{source.where} and {target.where} are both cell {source.cell}: their ids can meet. Databases between "
            "which applications move are made with a HOOKSPAN_CELL of their own."
        )
    for cell in (source, target):
        if not opens(cell.check_value or b""):
            raise ConfigurationError(
                f"The encryption key is not the one that {cell.where} was written with. Applications move between "
                "databases that have the same one: set HOOKSPAN_ENCRYPTION_KEY."
            )


def _read(cell: Cell, name: str) -> Note | None:
    noted = rows.value(cell.connection, "read_note", (name,))
    return None if noted is None else _decoder.decode(noted)


def _write(cell: Cell, name: str, note: Note) -> None:
    rows.run(cell.connection, "set_note", (name, msgspec.json.encode(note)))


def _leaving(application_id: int) -> str:
    return f"leaving_{application_id}"


def _arriving(application_id: int) -> str:
    return f"arriving_{application_id}"
