"""Pages of lists are bounded by their bytes too: what is listed may be large, by what people wrote into it."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

PAGE_BYTES_MAX = 4 * 1024 * 1024

T = TypeVar("T", bound=msgspec.Struct)


def fitting(shown: Sequence[T]) -> list[T]:
    """The first of `shown`, until there are PAGE_BYTES_MAX bytes of them as JSON; at least one, if there is one. What
    is left follows on the next page.
    """
    size = 0
    for index, one in enumerate(shown):
        if size >= PAGE_BYTES_MAX:
            return list(shown[:index])
        size += len(msgspec.json.encode(one))
    return list(shown)
