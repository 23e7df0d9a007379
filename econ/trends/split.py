"""Splitting a fall into its causes, as bounds: parameters, precision, hardware, software, the rest.

A fall of a price is a product. Some factors are known within a range; what is left, margins and
whatever was not named, is known within the range that they leave, and no more. A split that gives
one number a cause has chosen ends of ranges without saying so.

>>> parts = split_frame(280, {"parameters": (2.5, 22), "hardware": (1.3, 2.0)}).set_index("part")
>>> [round(float(end), 1) for end in parts.loc[REST, ["low", "high"]]]
[6.4, 86.2]
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from econ.catalog import model, table
from econ.catalog.guard import in_range
from econ.catalog.precision import BYTES_PER_ELEMENT, check_precision
from econ.trends.hardware import hardware_frame
from econ.trends.rates import annual_factor, years_between

REST = "the rest (margins and what is not named)"
LEAST, MOST = 1e-9, 1e9  # times; beyond, a product of causes could leave the floats
FIXED, NEWEST = "USD per byte/s of memory", "USD per FLOP/s, newest format"


def split_frame(
    total_factor: float, cause_factor: Mapping[str, tuple[float, float]]
) -> pd.DataFrame:
    """A fall and its causes: each factor's range, and its share of the logarithm.

    Parameters
    ----------
    total_factor : float
        How many times cheaper, e.g. 280.
    cause_factor : mapping of str to (float, float)
        Low and high factor of each cause, e.g. ``{"parameters": (2.5, 22)}``.

    Returns
    -------
    DataFrame
        ``part, low, high, share_low, share_high``; the last row is the rest: total over the
        product of the others' highs and lows. A rest whose low is below 1 may have been against
        the fall: a margin that grew.

    Raises
    ------
    ValueError
        For a factor that is not greater than 0, bounds in the wrong order, a total of 1.

    Notes
    -----
    rest = total / Π factors, so its bounds are total / Π highs and total / Π lows.
    """
    in_range("total_factor", total_factor, LEAST, MOST)
    if total_factor == 1:
        raise ValueError("total_factor = 1: a price that did not move has nothing to split")
    lows, highs = 1.0, 1.0
    rows = []
    for part, (low, high) in cause_factor.items():
        in_range(f"{part}: low", low, LEAST, MOST)
        if not low <= high <= MOST:
            raise ValueError(f"{part} = {low:g} to {high:g}: give the lower factor first")
        lows, highs = lows * low, highs * high
        rows.append((part, low, high))
    rows.append((REST, total_factor / highs, total_factor / lows))
    frame = pd.DataFrame(rows, columns=["part", "low", "high"])
    total = math.log(total_factor)
    shares = {f"share_{end}": frame[end].map(math.log) / total for end in ("low", "high")}
    return frame.assign(**shares)


def parameters_factor(before: str, after: str) -> tuple[float, float]:
    """How much less work and memory a token takes from one open model to another.

    Parameters
    ----------
    before, after : str
        Models of the catalogue, e.g. ``"llama-3.1-405b"``, ``"qwen3-8b"``.

    Returns
    -------
    (float, float)
        Ratios of active parameters (work per token, and reads at small batches) and of all
        (memory, and reads at large batches), the lower first.

    Examples
    --------
    >>> [round(f) for f in parameters_factor("llama-3.1-405b", "qwen3-8b")]
    [50, 53]
    """
    old, new = model(before), model(after)
    ratios = (old.active_params / new.active_params, old.n_params / new.n_params)
    return min(ratios), max(ratios)


def precision_factor(before: str, after: str) -> tuple[float, float]:
    """What fewer bits can give: nothing where they are not the bound, else the ratio of bits.

    >>> precision_factor("bf16", "fp8")
    (1.0, 2.0)
    """
    bits = [BYTES_PER_ELEMENT[check_precision(p)] for p in (before, after)]
    return 1.0, max(bits[0] / bits[1], 1.0)


def hardware_factor(start: str, end: str) -> tuple[float, float]:
    """Cheaper hardware between two months: at the rate of memory bandwidth, and across formats.

    The second counts narrower formats as progress, so with `precision_factor` it counts them twice:
    it is an upper bound. Both are rates of launch prices; rents rose from 2025 on.

    >>> low, high = hardware_factor("2022-11", "2024-10")
    >>> 1 < low < high < 2.1
    True
    """
    rates = hardware_frame().set_index("trend")["change_per_year"]
    years = years_between(start, end)
    factors = [float((1 + rates[name]) ** -years) for name in (FIXED, NEWEST)]
    return min(factors), max(factors)


def software_factor(start: str, end: str) -> tuple[float, float]:
    """Faster software on the same silicon, at the least and the largest gain of the MLPerf pairs.

    >>> low, high = software_factor("2022-11", "2024-10")
    >>> 1 < low < high < 2.2
    True
    """
    rows = table("software_gains")
    rates = [
        annual_factor(row.gain_factor, years_between(row.start, row.end))
        for row in rows.itertuples()
    ]
    years = years_between(start, end)
    return min(rates) ** years, max(rates) ** years
