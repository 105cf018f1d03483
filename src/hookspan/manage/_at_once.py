"""A bound on work that takes seconds: a few at a time, and the next is refused rather than kept waiting."""

from types import TracebackType

from hookspan.errors import Overloaded


class AtOnce:
    """`with AtOnce(2, "Too many …")`: used by all callers of one node, on the loop."""

    def __init__(self, most: int, refusal: str) -> None:
        self._left = most
        self._refusal = refusal

    def __enter__(self) -> None:
        if self._left <= 0:
            raise Overloaded(self._refusal)
        self._left -= 1

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._left += 1
