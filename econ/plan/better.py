"""What would be better than the best so far, and what the search looks at together.

>>> list(waves([*"abcde"], 2, 2))
[['a', 'b'], ['c', 'd']]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from econ.catalog.units import HOUR_S, MTOK
from econ.plan.search import Demand

T = TypeVar("T")


def better_by(value: float, gap_frac: float) -> float:
    """What would be better by that share: a lesser cost, or a profit (below zero here) beyond it.

    >>> better_by(11.0, 0.1), better_by(-10.0, 0.1), better_by(-10.0, 0.0)
    (10.0, -11.0, -10.0)
    """
    return value / (1 + gap_frac) if value > 0 else value * (1 + gap_frac)


def waves(tasks: Sequence[T], size: int, n_most: int) -> Iterator[list[T]]:
    """The first ``n_most`` lots of so many tasks."""
    for start in range(0, min(len(tasks), size * n_most), size):
        yield list(tasks[start : start + size])


def mtok_per_hour(demand: Demand) -> float:
    """Million output tokens for each hour that is paid."""
    return demand.output_tokens_per_s * demand.utilisation_frac * HOUR_S / MTOK
