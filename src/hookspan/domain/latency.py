"""A histogram of latencies that stays small and can be added up: eight buckets to each doubling. Pure.

A bucket is at most an eighth as wide as where it begins, and a percentile is told as its bucket's middle: within 6.25 %
of the true one. Below 16 µs every microsecond has a bucket of its own. What takes longer than 537 s counts as that.
"""

import math
from collections.abc import Iterable, Mapping

_EXACT_US = 16
_PARTS_BITS = 3  # 2**3 buckets to a doubling
_PARTS_MASK = (1 << _PARTS_BITS) - 1
BUCKET_MAX = 215  # from 503 s on
ERROR_MAX = 1 / 16


def bucket_of(duration_us: int) -> int:
    """The bucket that a duration belongs to, 0 … BUCKET_MAX."""
    if duration_us < _EXACT_US:
        return max(duration_us, 0)
    shift = duration_us.bit_length() - 4
    return min((shift << _PARTS_BITS) + (duration_us >> shift), BUCKET_MAX)


def middle_us(bucket: int) -> float:
    """The middle of a bucket."""
    if bucket < _EXACT_US:
        return float(bucket)
    shift = (bucket >> _PARTS_BITS) - 1
    low = ((bucket & _PARTS_MASK) + _PARTS_MASK + 1) << shift
    return low + ((1 << shift) - 1) / 2


def percentiles_us(histogram: Mapping[int, int], shares: Iterable[float]) -> list[float]:
    """For each share (0 to 1) the duration that so many of the counted ones don't exceed; there is at least one."""
    ranks = [math.ceil(share * sum(histogram.values())) for share in shares]
    found = []
    for rank in ranks:
        seen = 0
        for bucket in sorted(histogram):
            seen += histogram[bucket]
            if seen >= rank:
                found.append(middle_us(bucket))
                break
    return found


def add_to(histogram: dict[int, int], more: Mapping[int, int]) -> None:
    """Count `more` in `histogram` too."""
    for bucket, count in more.items():
        histogram[bucket] = histogram.get(bucket, 0) + count
