"""A station asked about an uncertain scenario: an interval, a tornado, and what to measure next.

Any number of a scenario may be a `Range`. `uncertain` draws joint samples of all of them, runs the
station on each (its vector form once, where it has one) and keeps inputs and answers together.

>>> import econ
>>> @econ.station.station(headline="usd")
... def rent_of_a_year(s):
...     return s.cost_usd_per_gpu_hour * s.deployment.n_gpu * 8760
>>> s = econ.Scenario.default().with_(cost_usd_per_gpu_hour=econ.Range(2.0, 3.0, 5.0))
>>> answer = uncertain(rent_of_a_year, s, n=200)
>>> 80_000 < answer.interval.low < answer.interval.high < 170_000
True
>>> answer.measure_next()["input"].tolist()
['finance.cost_usd_per_gpu_hour']
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import one_of
from econ.catalog.ranges import Range
from econ.scenario import Scenario
from econ.station import answers_frame
from econ.uncertainty.samples import Interval, groups_of, interval, ranked_frame, sample_frame
from econ.uncertainty.sensitivity import sobol_frame, tornado_frame

N_SLICES = 16  # of an input's samples, for the share of the spread that it explains


@dataclass(frozen=True)
class Uncertain:
    """Samples of an uncertain scenario and of a station's answers.

    Attributes
    ----------
    metric : str
        The number asked for, e.g. ``usd_per_mtok``.
    samples : DataFrame
        One row a sample: the inputs by path, then the numbers of the answer.
    ranges : dict of str to Range
        The uncertain inputs.
    """

    metric: str
    samples: pd.DataFrame
    ranges: dict[str, Range]
    model: Callable[..., np.ndarray]

    @property
    def interval(self) -> Interval:
        """The middle 90 % of the answers, with median and mean."""
        return interval(self.samples[self.metric])

    def tornado(self, coverage_frac: float = 0.9) -> pd.DataFrame:
        """Each input moved alone across its range: `tornado_frame`."""
        return tornado_frame(self.model, self.ranges, coverage_frac)

    def sobol(self, n: int = 256) -> pd.DataFrame:
        """Shares of the variance, alone and with others: `sobol_frame` (needs SALib)."""
        return sobol_frame(self.model, self.ranges, n)

    def measure_next(self) -> pd.DataFrame:
        """Inputs by the share of the answer's variance that knowing them would remove.

        Columns: ``input``, ``unit``, ``explains_frac``, ``explains_se_frac`` (its standard error)
        and ``may_swap``, whether other samples could rank the next input before this one. The share
        is the variance of the mean answer within slices of the input over the whole variance (the
        correlation ratio), less what chance alone would give; what two inputs do only together is
        in neither.
        """
        answers = self.samples[self.metric].to_numpy()
        groups = groups_of(len(answers))
        estimates: dict[tuple[str, ...], list[float]] = {}
        for name, range_ in self.ranges.items():
            inputs = self.samples[name].to_numpy()
            without = (groups != g for g in np.unique(groups))
            estimates[name, range_.unit] = [
                _explained(inputs, answers),
                *(_explained(inputs[rest], answers[rest]) for rest in without),
            ]
        return ranked_frame(estimates, ["input", "unit"], "explains_frac", "explains_se_frac")


def _explained(inputs: np.ndarray, answers: np.ndarray) -> float:
    """The share of the answers' variance that lies between slices of an input."""
    if not answers.var() > 0:
        return 0.0
    order = answers[np.argsort(inputs, kind="stable")]
    between = np.var([part.mean() for part in np.array_split(order, N_SLICES)]) / answers.var()
    by_chance = N_SLICES / len(answers)
    return max(float(between - by_chance) / (1 - by_chance), 0.0)


def uncertain(
    station: Callable[..., Any],
    scenario: Scenario,
    *,
    metric: str | None = None,
    n: int = 1000,
    seed: int = 0,
    **options: Any,
) -> Uncertain:
    """Ask a station about a scenario in which at least one number is a `Range`.

    Parameters
    ----------
    station : callable
        e.g. ``econ.tco.cost``.
    scenario : Scenario
        With a `Range` for every uncertain number.
    metric : str, optional
        Which number of the answer; the station's headline by default.
    n : int
        Joint samples (a Latin hypercube), e.g. 1000.
    options
        The station's own, e.g. ``concurrency=32``.

    Raises
    ------
    ValueError
        If nothing is uncertain, if no number of the answer feels what is, or if a sample has no
        answer: the reason and its inputs are named.
    """
    ranges = scenario.ranges()
    if not ranges:
        raise ValueError(
            "nothing in this scenario is uncertain: give a number as a Range, e.g. "
            "scenario.with_(cost_usd_per_gpu_hour=econ.Range(2, 3, 5))"
        )
    metric = metric or str(getattr(station, "headline", "value"))
    inputs = sample_frame(ranges, n, seed)
    answers = _answers(station, scenario, inputs, options)
    one_of("number of the answer", metric, answers.columns)
    numbers = answers.select_dtypes("number")
    echoes = {path.split(".")[-1] for path in ranges}
    spread = numbers.drop(columns=[name for name in numbers if name in echoes]).agg(np.ptp)
    if n > 1 and not (spread > 0).any():
        raise ValueError(
            f"{getattr(station, '__name__', 'the station')} gives one answer over all of "
            f"{', '.join(ranges)}: it does not depend on that here"
        )
    model = functools.partial(_metric_of, station, scenario, options, metric)
    return Uncertain(metric, pd.concat([inputs, numbers], axis=1), ranges, model)


def _answers(
    station: Callable[..., Any], scenario: Scenario, inputs: pd.DataFrame, options: dict[str, Any]
) -> pd.DataFrame:
    scenarios = [scenario.at(row) for row in inputs.to_dict("records")]
    columns = {name: [value] * len(scenarios) for name, value in options.items()}
    answers = answers_frame(station, scenarios, columns)
    if (bad := answers["reason"] != "").any():
        row = int(np.flatnonzero(bad)[0])
        where = ", ".join(f"{n} = {v:.4g}" for n, v in inputs.iloc[row].items())
        raise ValueError(f"no answer at {where}: {answers['reason'].iloc[row]}; narrow the ranges")
    return answers


def _metric_of(
    station: Callable[..., Any],
    scenario: Scenario,
    options: dict[str, Any],
    metric: str,
    **columns: np.ndarray,
) -> np.ndarray:
    """One number of the answers for arrays of inputs: what tornado and Sobol indices call."""
    answers = _answers(station, scenario, pd.DataFrame(columns), options)
    return np.asarray(answers[metric])
