"""A trend that bends: two rates that meet on a date, and whether the data pay for the bend.

>>> import pandas as pd
>>> down_then_up = pd.DataFrame({"date": [f"20{y}" for y in range(11, 20)],
...                              "value": [64.0, 32, 16, 8, 4, 8, 16, 32, 64]})
>>> bend = fit_break(down_then_up)
>>> bend.at[:4], round(bend.before_per_year, 1), round(bend.after_per_year, 1), bend.earned
('2015', 0.5, 2.0, True)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.trends.rates import TINY, points_of, year_of

EACH_SIDE = 3  # points that a bend must leave on either side
STRONG = 10.0  # evidence that earns the bend


@dataclass(frozen=True, kw_only=True)
class Break:
    """Two rates that meet on a date, and whether the data pay for the bend.

    ``evidence_factor`` is exp(ΔBIC/2) for the bend against one line: above 10 is strong.
    """

    at: str
    before_per_year: float
    after_per_year: float
    evidence_factor: float

    @property
    def earned(self) -> bool:
        """Whether the bend explains more than its two extra parameters cost, by ten to one."""
        return self.evidence_factor > STRONG


def fit_break(frame: pd.DataFrame, value: str = "value", date: str = "date") -> Break:
    """The best single bend: two lines that meet on one of the dates, at least 3 points a side.

    Raises `ValueError` as `fit_trend`, and for fewer than six points.
    """
    x, y = points_of(frame, value, date)
    n = len(x)
    inner = np.unique(x[EACH_SIDE - 1 : n - EACH_SIDE + 1])
    inner = inner[(inner > x[0]) & (inner < x[-1])]
    if n < 2 * EACH_SIDE or len(inner) == 0:
        raise ValueError(f"{n} points carry no bend: it needs {EACH_SIDE} on either side")
    fits = [_bent(x, y, at) for at in inner]
    best = int(np.argmin([rest for rest, _ in fits]))
    straight = float(np.sum((y - np.polyval(np.polyfit(x - x[0], y, 1), x - x[0])) ** 2))
    tiny = TINY * (1 + float(y @ y))  # a perfect fit has no finite evidence
    gain = n * math.log((straight + tiny) / (fits[best][0] + tiny)) - 2 * math.log(n)
    slopes = fits[best][1]
    dates = frame[date].astype(str).to_numpy()
    return Break(
        at=str(dates[np.argmin(np.abs(year_of(dates) - inner[best]))])[:10],
        before_per_year=math.exp(slopes[0]),
        after_per_year=math.exp(slopes[1]),
        evidence_factor=math.exp(min(gain / 2, 300)),
    )


def _bent(x: np.ndarray, y: np.ndarray, at: float) -> tuple[float, tuple[float, float]]:
    """Squared rest and both slopes of a line that bends at a date."""
    columns = np.column_stack([np.ones_like(x), x - at, np.maximum(x - at, 0)])
    fit, *_ = np.linalg.lstsq(columns, y, rcond=None)
    rest = y - columns @ fit
    return float(rest @ rest), (float(fit[1]), float(fit[1] + fit[2]))
