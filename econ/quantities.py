"""What a quantity can be by the unit that ends its name: no share above 1, no time below 0.

`data/columns.csv` knows the same names with their units; `tests/catalog/test_arguments.py` holds
the two together.

>>> span_of("cached_frac"), span_of("rent_usd_per_gpu_hour"), span_of("profit_usd_per_hour")
(Span(low=0.0, high=1.0), Span(low=0.0, high=inf), None)
>>> within("ttft_s", -1, AMOUNT)
Traceback (most recent call last):
    ...
ValueError: ttft_s = -1 is outside its range: a finite number, 0 or above
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple


class Span(NamedTuple):
    """The least and the most that a quantity can be."""

    low: float
    high: float


SHARE, AMOUNT = Span(0.0, 1.0), Span(0.0, float("inf"))
WORDS = {
    SHARE: "0 to 1 (a share, not a percentage)",
    AMOUNT: "a finite number, 0 or above",
}
AMOUNTS = re.compile(
    r"(^|_)(hours|days|months|years|usd|factor|tokens|flop|bytes|params|gpus?)$"
    r"|_(m?s|ps|h|k?w|mw|k?j|k?wh|g|l)$|_per_\w+$|^n_|^n$"
)
# a difference, a rate of change, workers as joblib counts them (-1: all), and a decode that is
# cheaper than the prefill it stands beside
SIGNED = re.compile(
    r"profit|npv|flows|present_usd|^usd$|^n_points$|^n_jobs$|(change|growth|rate)_per_year"
    r"|^per_sequence_s"
)


def is_number(value: Any) -> bool:
    """Whether a value is one real number, of whatever library."""
    if isinstance(value, bool) or hasattr(value, "columns"):
        return False
    if isinstance(value, int | float | Decimal | Fraction):
        return True
    return getattr(value, "ndim", 1) == 0 and getattr(value.dtype, "kind", "O") in "iuf"


def plain(value: Any) -> Any:
    """A number of a library as one of Python; anything else as it is."""
    if isinstance(value, Decimal | Fraction):
        return float(value)
    return value.item() if hasattr(value, "dtype") and is_number(value) else value


def span_of(name: str) -> Span | None:
    """What a quantity of that name can be; None for no bound."""
    if SIGNED.search(name):
        return None
    if name.endswith("_frac"):
        return SHARE
    return AMOUNT if AMOUNTS.search(name) else None


def within(name: str, value: float, span: Span) -> None:
    """Refuse a number that its unit does not allow."""
    if value < span.low or value > span.high:
        raise ValueError(f"{name} = {value!r} is outside its range: {WORDS[span]}")
