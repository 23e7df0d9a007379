"""An input as low, typical and high: `Range`.

Three laws, and ``low`` and ``high`` mean something else in each:

* ``pert`` (default): the **ends** of what is thought possible, ``typical`` the likeliest value. A
  beta distribution with mean (low + 4·typical + high)/6 (Malcolm and others, 1959). For what
  people judge: prices, lives, staff.
* ``lognormal``: the **5 % and 95 % quantiles**, ``typical`` the median; each side has a spread of
  its own. For factors and for bands of predictions, which come as "within ×1.4 for 90 %".
* ``uniform``: the ends; nothing between them is likelier, ``typical`` serves the tornado alone.

>>> rent = Range(2.0, 3.0, 6.0, unit="USD per GPU-hour")
>>> round(rent.mean, 3), [round(float(q), 2) for q in rent.quantile([0.0, 0.5, 1.0])]
(3.333, [2.0, 3.26, 6.0])
>>> tpot = Range.within_factor(0.020, 1.4, unit="s")
>>> [round(float(q), 4) for q in tpot.quantile([0.05, 0.5, 0.95])]
[0.0143, 0.02, 0.028]
>>> Range(3.0, 2.0, 6.0)
Traceback (most recent call last):
    ...
ValueError: low, typical, high = 3.0, 2.0, 6.0: give them in rising order
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from econ.catalog.columns import column
from econ.catalog.guard import in_range, one_of, positive, shown
from econ.catalog.laws import Numbers, normal_quantile, normal_share, pert_quantile
from econ.catalog.tables import remember, table

LAWS = ("pert", "lognormal", "uniform")
TAIL_FRAC = 0.05  # what a lognormal's low leaves below it, and its high above


@dataclass(frozen=True)
class Range:
    """One uncertain input; this module says what low and high are under each law."""

    low: float
    typical: float
    high: float
    unit: str = ""
    law: str = "pert"
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("low", "typical", "high"):
            in_range(name, getattr(self, name), says="a finite number")
        if not self.low <= self.typical <= self.high:
            values = f"{self.low}, {self.typical}, {self.high}"
            raise ValueError(f"low, typical, high = {values}: give them in rising order")
        one_of("law of a range", self.law, LAWS)
        if self.law == "lognormal":
            positive("low", self.low)

    @classmethod
    def within_factor(cls, typical: float, p90_factor: float, unit: str = "") -> Range:
        """A value known within a factor either way in 90 % of cases, as predictions are."""
        positive("typical", typical)
        in_range("p90_factor", p90_factor, 1, says="1 or above")
        return cls(typical / p90_factor, typical, typical * p90_factor, unit, "lognormal")

    @property
    def is_fixed(self) -> bool:
        """Whether the range is a single number."""
        return self.low == self.high

    @property
    def mean(self) -> float:
        """The mean of the distribution."""
        if self.law == "pert":
            return (self.low + 4 * self.typical + self.high) / 6
        if self.law == "uniform":
            return (self.low + self.high) / 2
        return sum(  # each half of a lognormal: exp(s²/2)·Φ(±s)
            self.typical * math.exp(s * s / 2) * float(normal_share(side * s))
            for side, s in zip((-1, 1), self._spreads(), strict=True)
        )

    def _spreads(self) -> tuple[float, float]:
        z = float(normal_quantile(1 - TAIL_FRAC))
        return math.log(self.typical / self.low) / z, math.log(self.high / self.typical) / z

    def quantile(self, share_frac: float | Numbers) -> Numbers:
        """The value below which a share (0 to 1) of the distribution lies."""
        share = np.asarray(share_frac, dtype="float64")
        if not ((share >= 0) & (share <= 1)).all():
            raise ValueError(f"share = {shown(share)} is outside its range: 0 to 1")
        width = self.high - self.low
        if width == 0:
            return np.full_like(share, self.typical)
        if self.law == "uniform":
            return np.asarray(self.low + width * share)
        if self.law == "pert":
            peak = (self.typical - self.low) / width
            return np.asarray(self.low + width * pert_quantile(peak, share))
        below, above = self._spreads()
        z = normal_quantile(share)
        return np.asarray(self.typical * np.exp(np.where(z < 0, below, above) * z))


@remember
def given(name: str, id: str) -> Range:
    """A row of low, typical and high as a `Range`.

    Parameters
    ----------
    name : str
        A table with these three columns, e.g. ``"energy_inputs"``, ``"tco_inputs"`` or
        ``"servers"`` (``low_usd``, ``typical_usd``, ``high_usd``).
    id : str
        Key of the row.

    Returns
    -------
    Range
        With unit and source of the row.

    Raises
    ------
    UnknownName
        For an unknown table or row, with the nearest.
    ValueError
        For a table without such columns.

    Examples
    --------
    >>> given("energy_inputs", "life_years").typical
    5.0
    >>> given("servers", "h100-sxm").unit
    'USD'
    """
    rows = table(name)
    typical = [column for column in rows if column.split("_")[0] == "typical"]
    if not typical:
        raise ValueError(f"table {name} has no columns low, typical and high")
    suffix = typical[0].removeprefix("typical")
    one_of(f"row of {name}", id, rows.index)
    row = rows.loc[id]
    unit = row["unit"] if "unit" in rows else column(typical[0]).unit
    low, high = float(row[f"low{suffix}"]), float(row[f"high{suffix}"])
    return Range(low, float(row[typical[0]]), high, unit=unit, source=row["source"])


def ends(check: Callable[..., Any], name: str, value: Any, *limits: float) -> None:
    """Apply a check of one number to a number, or to both ends of a `Range`.

    >>> ends(positive, "ttft_s", Range(0.2, 0.5, 1.0))
    >>> ends(positive, "ttft_s", Range(0.0, 0.5, 1.0))
    Traceback (most recent call last):
        ...
    ValueError: ttft_s = 0.0 is outside its range: a finite number above 0
    """
    for number in (value.low, value.high) if isinstance(value, Range) else (value,):
        check(name, number, *limits)


def check_ranges(ranges: Mapping[str, Range]) -> dict[str, Range]:
    """The ranges, each a `Range` under a name; at least one of them not a single number."""
    if not isinstance(ranges, Mapping) or not ranges:
        raise ValueError("give the inputs as {name: Range(low, typical, high), ...}")
    for name, value in ranges.items():
        if not isinstance(value, Range):
            raise ValueError(f"{name} = {value!r} is not a Range(low, typical, high)")
    if all(r.is_fixed for r in ranges.values()):
        raise ValueError("every range is a single number: nothing is uncertain")
    return dict(ranges)


def typical_of(ranges: Mapping[str, Range]) -> dict[str, float]:
    """Every input at its typical value.

    >>> typical_of({"rent": Range(2.0, 3.0, 6.0)})
    {'rent': 3.0}
    """
    return {name: r.typical for name, r in ranges.items()}
