"""Recomputations of published figures, by topic: small named functions that table rows call.

``data/published_figures.csv`` names one and its inputs; `econ.ledger` runs it. This module holds
the registry and plain arithmetic; each topic has a module of its own beside it. A recomputation
that calls a function of the notebooks names it and counts as ``model``; one that does sums of its
own, on published numbers or on facts, counts as ``arithmetic``.

>>> product([25, 5], [10])
12.5
>>> is_model("product")
False
"""

from __future__ import annotations

import math
from collections.abc import Callable

RECOMPUTE: dict[str, Callable[..., float]] = {}
# recomputation -> the functions of the notebooks that it calls; empty for arithmetic
SPEAKS_FOR: dict[str, tuple[str, ...]] = {}


def recompute(*speaks_for: str) -> Callable:
    """Register a recomputation under its function's name, and what it speaks for, if a model."""

    def keep(function: Callable[..., float]) -> Callable[..., float]:
        if function.__name__ in RECOMPUTE:
            raise ValueError(f"recomputation {function.__name__!r} is registered twice")
        RECOMPUTE[function.__name__] = function
        SPEAKS_FOR[function.__name__] = speaks_for
        return function

    return keep


def is_model(name: str) -> bool:
    """Whether a recomputation speaks for a model, not only for arithmetic."""
    return bool(SPEAKS_FOR[name])


@recompute()
def ratio(over: float, under: float) -> float:
    """One number over another."""
    return over / under


@recompute()
def product(over: list[float], under: list[float]) -> float:
    """The product of some numbers over the product of others."""
    return math.prod(over) / math.prod(under)


@recompute()
def more_by(new: float, old: float) -> float:
    """By what share the new number is larger."""
    return new / old - 1


@recompute()
def fewer_by(new: float, old: float) -> float:
    """By what share the new number is smaller."""
    return 1 - new / old
