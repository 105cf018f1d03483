"""Medians, ratios and quantiles: the only arithmetic behind the report."""

import math
import statistics
from collections.abc import Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """The median of several measurements, with the least and the most of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Raises ValueError when there is nothing to sum up."""
        return cls(statistics.median(values), min(values), max(values))


class Result(msgspec.Struct, frozen=True):
    """One line of the report. `ratio` is None where a row has nothing to be compared with."""

    row: str
    title: str
    figure: str  # in words, with its unit
    pairs: int
    ratio: Spread | None = None
    aim: str = ""  # what the project wants of it
    is_charted: bool = False  # more of the ratio is better, and 1 is a natural line


def ratios(over: Sequence[float], under: Sequence[float]) -> Spread:
    """What comes of dividing pair by pair: never the medians by each other, since the machine drifts between pairs.

    Raises ValueError for sequences of different lengths, empty ones, and a zero below the line.
    """
    if any(value == 0 for value in under):
        raise ValueError("One of a pair measured nothing: there is no ratio.")
    return Spread.of([one / other for one, other in zip(over, under, strict=True)])


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1] of all values do not exceed. Raises ValueError for no values."""
    if not values:
        raise ValueError("No values, no quantile.")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
