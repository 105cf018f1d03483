"""What all shapes have in common."""

from typing import ClassVar, Generic, TypeVar

import msgspec

T = TypeVar("T")
HIDDEN = frozenset({"key", "link", "secret", "token"})


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every shape. What was shown this once, such as a secret, is there by its name and not in the repr:
    what is printed ends up in logs.
    """

    _hidden: ClassVar[frozenset[str]] = HIDDEN

    def __repr__(self) -> str:
        shown = ((name, getattr(self, name)) for name in self.__struct_fields__)
        hidden = self._hidden
        members = (f"{name}={'…' if name in hidden and value is not None else repr(value)}" for name, value in shown)
        return f"{type(self).__name__}({', '.join(members)})"


class Page(Shape, Generic[T], frozen=True, kw_only=True):
    """One page of a list. `next` is the cursor of the next one, None at the end."""

    data: list[T]
    next: str | None = None
