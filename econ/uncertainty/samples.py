"""Samples of uncertain inputs, what a model makes of them, its interval, and how sure that is.

Another seed draws other samples and gives another number. Its standard error says by how much; a
number is printed to the first digit of that error, since the next would change with the seed.

>>> answers = propagate(lambda rent: rent * 2, {"rent": Range(1, 2, 3)}, n=500)
>>> round(interval(answers["value"]).median, 1)
4.0
>>> with_error(687.3, 83.1), with_error(0.6184, 0.0153, "{}%", scale=100)
('$690 ± 80', '62 ± 2%')
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import count, in_range, shown
from econ.catalog.laws import Numbers
from econ.catalog.ranges import Range, check_ranges


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
    try:
        with np.errstate(all="ignore"):  # what is no number is named below
            answer = model(**{name: inputs[name].to_numpy() for name in inputs})
    except TypeError as error:
        if error.__traceback__ is None or error.__traceback__.tb_next:  # of the model itself
            raise
        raise TypeError(f"the model does not take the inputs by name: {error}") from None
    columns = answer if isinstance(answer, Mapping | pd.DataFrame) else {"value": answer}
    out = {}
    for name in columns:
        try:
            values = np.asarray(columns[name], dtype="float64")
        except (TypeError, ValueError):
            raise ValueError(
                f"the model gave {name!r} = {shown(columns[name])}: give one number a sample"
            ) from None
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
    # the share of samples below a quantile is binomial: half of what one error of it spans
    reach = np.sqrt(shares * (1 - shares) / values.size)
    levels = np.clip([shares, shares - reach, shares + reach], 0, 1)
    ends = np.quantile(values, levels)
    low, median, high = ends[0].tolist()
    low_se, median_se, high_se = ((ends[2] - ends[1]) / 2).tolist()
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


N_GROUPS = 10  # of samples, each left out once
SURE = 2.0  # standard errors by which two numbers must differ for their order to be called known


def rounded(value: float, se: float) -> str:
    """A number to the first digit of its standard error; to whole units where that is 0.

    Parameters
    ----------
    value, se : float
        e.g. 687.3 and 83.1 USD.

    Examples
    --------
    >>> rounded(687.3, 83.1), rounded(1.0449, 0.0032), rounded(1234.5, 0.0)
    ('690', '1.045', '1,234')
    """
    power = math.floor(math.log10(se)) if se > 0 else 0
    return f"{round(value, -power):,.{max(-power, 0)}f}"


def with_error(value: float, se: float, form: str = "${}", scale: float = 1.0) -> str:
    """A number with its standard error, both in the digits that this allows.

    Parameters
    ----------
    value, se : float
        e.g. 687.3 and 83.1 USD.
    form : str
        What stands around, e.g. ``"{}%"``.
    scale : float
        Of the unit that is shown, e.g. 100 for a share in percent.

    Examples
    --------
    >>> with_error(1234.5, 0.0), with_error(1234.5, 0.04)
    ('$1,234', '$1,234.50 ± 0.04')
    """
    value, se = value * scale, se * scale
    both = f"{rounded(value, se)} ± {rounded(se, se)}" if se > 0 else rounded(value, se)
    return form.format(both)


def sure_digits(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose numbers keep the digits that the errors beside them allow, without the errors.

    Parameters
    ----------
    frame : pandas.DataFrame
        The error of a column ``x`` stands in ``x_se``; columns without one stay as they are.

    Examples
    --------
    >>> ends = pd.DataFrame({"low": [91.63, 0.5263], "low_se": [1.2, 0.006], "unit": ["g", "kWh"]})
    >>> sure_digits(ends).to_dict("list")
    {'low': [92.0, 0.526], 'unit': ['g', 'kWh']}
    """
    of = {f"{name}_se": name for name in frame if f"{name}_se" in frame}
    sure = {
        name: [_digits(*pair) for pair in zip(frame[name], frame[error], strict=True)]
        for error, name in of.items()
    }
    return frame.assign(**sure).drop(columns=list(of))


def _digits(value: float, se: float) -> float:
    return round(value, -math.floor(math.log10(se))) if se > 0 else value


def groups_of(n: int) -> np.ndarray:
    """The group of each of ``n`` samples; each group is a random part, for samples in any order."""
    groups: np.ndarray = np.arange(n) % min(N_GROUPS, n)
    return groups


def jackknife_se(without: np.ndarray) -> np.ndarray:
    """The standard error of what was computed anew without each group; groups along the first axis.

    The jackknife. A Latin hypercube settles faster than independent draws, for which it is exact,
    so that it errs to the wide side.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 11.
    """
    se: np.ndarray = np.std(without, axis=0) * math.sqrt(len(without) - 1)
    return se


def ranked_frame(
    by_name: Mapping[tuple[str, ...], Sequence[float]], names: Sequence[str], value: str, se: str
) -> pd.DataFrame:
    """Estimates of several things, the greatest first, and whether their ranks are sure.

    Parameters
    ----------
    by_name : mapping of tuple to sequence of float
        Of each thing its names, e.g. an input and its unit, and the estimate, followed by the
        estimates without each group of samples (`groups_of`).
    names, value, se : str
        The columns of the names, of the estimate and of its standard error.

    Returns
    -------
    pandas.DataFrame
        With a column ``may_swap`` beside: whether other samples could rank the next thing first.

    Examples
    --------
    >>> by_name = {("rent",): [20.0, 19.0, 21.0], ("load",): [690.0, 605.0, 775.0]}
    >>> ranked_frame(by_name, ["input"], "usd", "se_usd").to_dict("records")[0]
    {'input': 'load', 'usd': 690.0, 'se_usd': 85.0, 'may_swap': False}
    """
    order = sorted(by_name, key=lambda key: -by_name[key][0])
    frame = pd.DataFrame(order, columns=list(names))
    if not order:
        return frame.assign(**{value: 0.0, se: 0.0, "may_swap": False})
    estimates = np.array([by_name[key] for key in order], dtype="float64")
    without = estimates[:, 1:].T
    gap_se = jackknife_se(np.diff(without, axis=1))
    swaps = swaps_of(estimates[:, 0], gap_se)
    return frame.assign(**{value: estimates[:, 0], se: jackknife_se(without), "may_swap": swaps})


def swaps_of(values: np.ndarray, gap_se: np.ndarray) -> list[bool]:
    """Of numbers in descending order: whether each could trade places with the next.

    Parameters
    ----------
    values : array
        Greatest first.
    gap_se : array
        Standard error of the difference between each and the next; one fewer.

    Examples
    --------
    >>> swaps_of(np.array([690.0, 610.0, 20.0]), np.array([85.0, 80.0]))
    [True, False, False]
    """
    gaps = values[:-1] - values[1:]
    return [*(bool(gap < SURE * se) for gap, se in zip(gaps, gap_se, strict=True)), False]
