"""Software has a date: how much faster or slower an engine on a kind of accelerator was, and when.

The physics of the latency model is one for all dates. Engines change under it: DeepSeek-R1 on eight
MI355X answered four users nearly twice as fast in May 2026 as in December 2025. `Software` holds
what dated runs say, by engine, generation of accelerators and date, as a factor on what exceeds the
physical floor; between two dates it is interpolated, before the first and after the last it stays.
How far software has drifted between dates widens the band of everything beyond the last data.

>>> rows = (Dated("sglang", "cdna4", 2026.0, 0.8), Dated("sglang", "cdna4", 2026.4, 1.25))
>>> layer = Software(rows=rows, today="2026-11")
>>> round(layer.maturity("sglang", "cdna4", "2026-03"), 2), layer.maturity("vllm", "hopper", "")
(1.01, 1.0)
>>> layer.widening("sglang", "cdna4", "2026-03"), layer.widening("sglang", "cdna4", "") > 1.2
(1.0, True)
>>> year_of("2026-07"), year_of("2025")
(2026.54, 2025.5)
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from econ.catalog.guard import check_date


class Dated(NamedTuple):
    """The maturity of an engine on a generation at a date (a year with its fraction)."""

    engine: str
    generation: str
    year: float
    maturity: float


def year_of(as_of: str) -> float:
    """A date as a year with its fraction; the middle of what is not said."""
    if not check_date(as_of):
        raise ValueError("as_of = '' is outside its range: a date like 2026-05-31")
    year, month, day = ([*as_of.split("-"), "", ""])[:3]
    if not month:
        return int(year) + 0.5
    months = int(month) - 1 + ((int(day) - 0.5) / 30.5 if day else 0.5)
    return round(int(year) + months / 12, 2)


@dataclass(frozen=True)
class Software:
    """The dated maturity of engines; ``today`` is the date that an undated question means."""

    rows: tuple[Dated, ...] = ()
    today: str = ""

    def maturity(self, engine: str, generation: str, as_of: str) -> float:
        """Above 1 for software that is faster than that of the physics; 1 where nothing is dated.

        Formula: straight lines of the logarithm between the dates of a cell, level outside.
        """
        dates, logs = self._cell(engine, generation)
        if not len(dates):
            return 1.0
        return float(np.exp(np.interp(self._year(as_of), dates, logs)))

    def widening(self, engine: str, generation: str, as_of: str) -> float:
        """By which factor a 90 % band grows beyond the last data of a cell.

        Formula: exp(1.64 · drift · √years), with the drift between dates of all cells.
        """
        dates, _ = self._cell(engine, generation)
        if not len(dates):
            return 1.0
        return float(np.exp(1.64 * self.drift * np.sqrt(max(self._year(as_of) - dates[-1], 0))))

    @functools.cached_property
    def drift(self) -> float:
        """Root mean square of the steps of the logarithm between dates, per root year."""
        steps = []
        for cell in {(row.engine, row.generation) for row in self.rows}:
            dates, logs = self._cell(*cell)
            steps += [*(np.diff(logs) / np.sqrt(np.diff(dates)))]
        return float(np.sqrt(np.mean(np.square(steps)))) if steps else 0.0

    def _year(self, as_of: str) -> float:
        date = as_of or self.today
        return year_of(date) if date else float("inf")

    @functools.lru_cache(maxsize=256)  # noqa: B019 (a frozen object, of which there are a few)
    def _cell(self, engine: str, generation: str) -> tuple[np.ndarray, np.ndarray]:
        rows = sorted(r for r in self.rows if (r.engine, r.generation) == (engine, generation))
        return np.array([r.year for r in rows]), np.log([r.maturity for r in rows])
