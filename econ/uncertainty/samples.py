"""Samples of uncertain inputs, what a model makes of them, and the interval of its answers.

>>> answers = propagate(lambda rent: rent * 2, {"rent": Range(1, 2, 3)}, n=500)
>>> round(interval(answers["value"]).median, 1)
4.0
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import count, in_range
from econ.catalog.ranges import Numbers, Range, check_ranges
from econ.uncertainty.sampling_error import rounded


def sample_frame(ranges: Mapping[str, Range], n: int = 1000, seed: int = 0) -> pd.DataFrame:
    """``n`` joint samples, one column an input: a Latin hypercube.

    Each input falls into each of n equally likely slices exactly once, so that means settle faster
    than with independent draws (McKay, Beckman and Conover, 1979). Inputs are independent of each
    other; where two move together, make one of them a function of the other in the model.

    >>> drawn = sample_frame({"a": Range(0, 1, 4), "b": Range(5, 5, 5)}, n=100)
    >>> drawn.shape, f'{drawn["a"].mean():.2f}', drawn["b"].unique().tolist()
    ((100, 2), '1.33', [5.0])
    """
    from scipy.stats import qmc

    ranges = check_ranges(ranges)
    n = count("n", n, 2, 10_000_000)
    return at_shares(
        ranges, qmc.LatinHypercube(len(ranges), seed=np.random.default_rng(seed)).random(n)
    )


def at_shares(ranges: Mapping[str, Range], shares: np.ndarray) -> pd.DataFrame:
    """The inputs at the given quantiles, one column each."""
    columns = zip(ranges.items(), shares.T, strict=True)
    return pd.DataFrame({name: r.quantile(column) for (name, r), column in columns})


def run_model(model: Callable[..., Any], inputs: pd.DataFrame) -> pd.DataFrame:
    """What ``model(**columns)`` makes of a table of inputs, called once with arrays.

    One number a row gives the column ``value``; a mapping or a table of options gives a column
    each. A model of single numbers takes arrays once it is wrapped in `numpy.vectorize`.
    """
    answer = model(**{name: inputs[name].to_numpy() for name in inputs})
    columns = answer if isinstance(answer, Mapping | pd.DataFrame) else {"value": answer}
    out = {}
    for name in columns:
        values = np.asarray(columns[name], dtype="float64")
        if values.ndim and values.shape != (len(inputs),):
            raise ValueError(
                f"the model gave {name!r} the shape {values.shape} for {len(inputs)} samples: it "
                "must take arrays and give one number a sample (numpy.vectorize wraps one that "
                "cannot)"
            )
        out[str(name)] = np.broadcast_to(values, len(inputs))
    frame = pd.DataFrame(out)
    if frame.isna().to_numpy().any():
        column = frame.columns[frame.isna().any()][0]
        row = int(frame[column].isna().idxmax())
        point = ", ".join(f"{n} = {v:.6g}" for n, v in inputs.iloc[row].items())
        raise ValueError(f"the model gives no number for {column!r} at {point}: narrow the ranges")
    return frame


@dataclass(frozen=True)
class Interval:
    """The middle ``coverage_frac`` of samples, with their median and mean.

    ``low_se``, ``median_se``, ``high_se`` and ``mean_se`` are standard errors: what another seed
    would change, as if draws were independent (those of a hypercube settle faster).
    """

    low: float
    median: float
    high: float
    mean: float
    coverage_frac: float
    n: int
    low_se: float = 0.0
    median_se: float = 0.0
    high_se: float = 0.0
    mean_se: float = 0.0

    def words(self, form: str = "{}") -> str:
        """Both ends in the digits that their sampling errors allow.

        >>> interval(np.random.default_rng(0).normal(10, 1, 400)).words("${}")
        '$8.53 to $11.58'
        """
        ends = ((self.low, self.low_se), (self.high, self.high_se))
        return " to ".join(form.format(rounded(value, se)) for value, se in ends)

    @property
    def middle(self) -> str:
        """The median in the digits that its sampling error allows."""
        return rounded(self.median, self.median_se)

    @property
    def spread_factor(self) -> float:
        """High over low: how far apart the ends of the interval are."""
        return self.high / self.low if self.low else math.inf


def interval(values: Numbers, coverage_frac: float = 0.9) -> Interval:
    """The interval that holds the middle share of some samples.

    >>> found = interval(range(101))
    >>> round(found.low, 6), found.median, round(found.high, 6)
    (5.0, 50.0, 95.0)
    """
    in_range("coverage_frac", coverage_frac, 0, 1, open_low=True, says="above 0, up to 1")
    values = np.asarray(values, dtype="float64")
    if values.size == 0 or np.isnan(values).any():
        raise ValueError("an interval needs at least one sample, and numbers only")
    tail = (1 - coverage_frac) / 2
    shares = np.array([tail, 0.5, 1 - tail])
    low, median, high = np.quantile(values, shares).tolist()
    # the share of samples below a quantile is binomial: half of what one error of it spans
    reach = np.sqrt(shares * (1 - shares) / values.size)
    ends = np.quantile(values, np.clip([shares - reach, shares + reach], 0, 1))
    low_se, median_se, high_se = ((ends[1] - ends[0]) / 2).tolist()
    mean, mean_se = float(values.mean()), float(values.std() / math.sqrt(values.size))
    errors = {"low_se": low_se, "median_se": median_se, "high_se": high_se, "mean_se": mean_se}
    return Interval(low, median, high, mean, coverage_frac, values.size, **errors)


def propagate(
    model: Callable[..., Any], ranges: Mapping[str, Range], n: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Samples of the inputs with the model's answer beside them: ``value``, or one an option.

    >>> answers = propagate(lambda rent: rent * 2, {"rent": Range(1, 2, 3)}, n=500)
    >>> round(interval(answers["value"]).median, 1)
    4.0
    """
    inputs = sample_frame(ranges, n, seed)
    answers = run_model(model, inputs)
    if clash := sorted(set(answers) & set(inputs)):
        raise ValueError(f"{clash[0]!r} names an input and an answer: rename one of them")
    return pd.concat([inputs, answers], axis=1)
