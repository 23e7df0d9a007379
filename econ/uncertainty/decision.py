"""From ranges of inputs to an interval on a cost and on a *decision*, and what to measure next.

Inputs are `Range(low, typical, high)`, sampled by a Latin hypercube (`econ.catalog.ranges`). A
model is any function of the inputs by name that takes arrays; one that gives a mapping of
options to costs is a decision. Costs are in USD over whatever the decision covers; the cheapest
option wins.

>>> ranges = {"price": Range(2.0, 3.0, 4.0, "USD per GPU-hour"), "busy_frac": Range(0.3, 0.5, 0.9)}
>>> def year(price, busy_frac):                       # own at 15,000 USD a year, or rent by need
...     return {"own": 15_000.0, "rent": price * busy_frac * 8760}
>>> decision = decide(year, ranges, n=2000)
>>> decision.best, round(decision.confidence_frac, 1)
('rent', 0.6)
>>> information_frame(year, ranges)["input"].tolist()       # measure this first
['busy_frac', 'price']
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.catalog.ranges import Range, check_ranges
from econ.uncertainty.samples import (
    N_GROUPS,
    interval,
    propagate,
    ranked_frame,
    run_model,
    sample_frame,
)


@dataclass(frozen=True)
class Decision:
    """A choice under uncertainty.

    ``best`` is the option of least mean cost. ``frame`` has a row an option: ``wins_frac``, the
    share of samples in which it is cheapest (ties are shared), ``wins_error_frac``, two standard
    errors of that share, mean, low, median, high of its cost, ``low_se_usd`` and
    ``high_se_usd``, the standard errors of the two ends, and ``regret_usd``, what choosing it
    costs on average beyond the cheapest of each sample. ``evpi_usd`` is the least of those regrets:
    no study is worth more; ``evpi_se_usd`` is its standard error, as if draws were independent
    (those of a hypercube settle faster). ``samples`` are inputs and costs.
    """

    best: str
    evpi_usd: float
    evpi_se_usd: float
    frame: pd.DataFrame
    samples: pd.DataFrame

    @property
    def confidence_frac(self) -> float:
        """The share of samples in which the best option is in fact the cheapest."""
        return float(self.frame.loc[self.best, "wins_frac"])


def decide(
    model: Callable[..., Mapping[str, Any]],
    ranges: Mapping[str, Range],
    n: int = 4000,
    seed: int = 0,
    coverage_frac: float = 0.9,
) -> Decision:
    """Which option is cheapest, in what share of samples, and what being wrong costs."""
    samples = propagate(model, ranges, n, seed)
    costs = samples.drop(columns=list(ranges))
    if costs.shape[1] < 2:
        raise ValueError("a decision needs a model that gives two options or more: {name: costs}")
    array = _finite(costs)
    least = array.min(axis=1, keepdims=True)
    cheapest = array == least
    wins = (cheapest / cheapest.sum(axis=1, keepdims=True)).mean(axis=0)
    spans = [interval(column, coverage_frac) for column in array.T]
    frame = pd.DataFrame(
        {
            "wins_frac": wins,
            "wins_error_frac": 2 * np.sqrt(wins * (1 - wins) / len(array)),
            "mean_usd": [s.mean for s in spans],
            "low_usd": [s.low for s in spans],
            "median_usd": [s.median for s in spans],
            "high_usd": [s.high for s in spans],
            "low_se_usd": [s.low_se for s in spans],
            "high_se_usd": [s.high_se for s in spans],
            "regret_usd": (array - least).mean(axis=0),
        },
        index=pd.Index(costs.columns, name="option"),
    ).sort_values("mean_usd", kind="stable")
    best = str(frame.index[0])
    regrets = costs[best].to_numpy() - least[:, 0]
    se = float(regrets.std() / np.sqrt(len(regrets)))
    return Decision(best, float(regrets.mean()), se, frame, samples)


def evpi_usd(costs: pd.DataFrame) -> float:
    """Expected value of perfect information: least mean cost − mean of the least cost.

    What knowing every input exactly before choosing would save on average; 0 where one option
    always wins. By hand: 10 or 20 USD against a sure 14 saves (14 − 10)/2 = 2 USD.

    >>> evpi_usd(pd.DataFrame({"risky": [10.0, 20.0], "sure": [14.0, 14.0]}))
    2.0
    """
    array = _finite(costs)
    chosen = array.mean(axis=0).argmin()
    return float((array[:, chosen] - array.min(axis=1)).mean())


def information_frame(
    model: Callable[..., Mapping[str, Any]],
    ranges: Mapping[str, Range],
    n: int = 512,
    n_points: int = 32,
    seed: int = 0,
) -> pd.DataFrame:
    """Which input to measure next: the value of knowing each one exactly, in USD (EVPPI).

    EVPPI = least mean cost − mean over the input of the least mean cost given it; an input that
    changes no choice is worth 0, however uncertain it is. The outer mean is a Gauss–Legendre rule
    of ``n_points`` quantiles, the inner one of ``n`` samples of the others (several Latin
    hypercubes), the same for every point, so no noise is mistaken for value: the model runs at
    n·n_points rows for each input. Columns: ``input``, ``unit``, ``value_usd``, ``value_se_usd``
    (its standard error: a jackknife over the hypercubes), ``share_frac`` (of EVPI on the same
    samples; inputs can be worth more together than the sum of each) and ``may_swap``: whether
    another seed could rank the next input before this one.
    """
    ranges = check_ranges(ranges)
    n_points = count("n_points", n_points, 2, 512)
    n = count("n", n, 4, 10_000_000)
    parts = np.array_split(np.arange(n), min(N_GROUPS, n // 2))
    seeds = np.random.SeedSequence(seed).generate_state(len(parts)).tolist()
    drawn = [sample_frame(ranges, len(p), s) for p, s in zip(parts, seeds, strict=True)]
    inner = pd.concat(drawn, ignore_index=True)
    total_usd = evpi_usd(_options(model, inner))
    nodes, weights = np.polynomial.legendre.leggauss(n_points)
    shares, weights = (nodes + 1) / 2, weights / 2

    def worth_usd(costs: np.ndarray) -> float:
        means = costs.mean(axis=1)
        return float((weights @ means).min() - weights @ means.min(axis=1))

    estimates: dict[tuple[str, ...], list[float]] = {}
    for name, r in ranges.items():
        estimates[name, r.unit] = [0.0] * (len(parts) + 1)
        if not r.is_fixed:
            table = pd.concat([inner] * n_points, ignore_index=True)
            table[name] = np.repeat(r.quantile(shares), n)
            costs = _finite(_options(model, table)).reshape(n_points, n, -1)
            without = (worth_usd(np.delete(costs, part, axis=1)) for part in parts)
            estimates[name, r.unit] = [worth_usd(costs), *without]
    frame = ranked_frame(estimates, ["input", "unit"], "value_usd", "value_se_usd")
    share = frame["value_usd"] / total_usd if total_usd > 0 else 0.0
    return frame.assign(share_frac=share)


def _options(model: Callable[..., Any], inputs: pd.DataFrame) -> pd.DataFrame:
    costs = run_model(model, inputs)
    if costs.shape[1] < 2:
        raise ValueError("a decision needs a model that gives two options or more: {name: costs}")
    return costs


def _finite(costs: pd.DataFrame) -> np.ndarray:
    """The costs as an array; an option that is impossible in a sample has no mean to compare."""
    if text := costs.select_dtypes(exclude="number").columns.tolist():
        raise ValueError(f"the cost of {text[0]!r} is no number")
    array: np.ndarray = np.asarray(costs, dtype="float64")
    bad = ~np.isfinite(array)
    if array.size == 0 or bad.any():
        where = costs.columns[bad.any(axis=0)].tolist() or ["costs"]
        raise ValueError(
            f"the cost of {where[0]!r} is not finite in {int(bad.sum())} samples: give an "
            "impossible option the price of its remedy, or leave it out"
        )
    return array
