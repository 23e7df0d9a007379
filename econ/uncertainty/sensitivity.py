"""Which input moves the answer: alone (tornado), as shares of the variance (Sobol), with others.

Several changes together do something; what one brings depends on those made before it. Its Shapley
share (`credits_frame`) is the mean over all orders in which they can be made; the range over the
orders says how much a single order can mislead.

>>> from econ.catalog.ranges import Range
>>> ranges = {"rent": Range(2, 3, 6), "rate": Range(800, 1000, 1100)}
>>> def cost(rent, rate):
...     return rent / rate
>>> tornado_frame(cost, ranges)["input"].tolist()
['rent', 'rate']
>>> cost = {frozenset(): 8.0, frozenset("a"): 4.0, frozenset("b"): 4.0, frozenset("ab"): 1.0}
>>> credits_frame(cost)["share_frac"].tolist()
[0.5, 0.5]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import count, in_range, positive
from econ.catalog.ranges import Range, check_ranges, typical_of
from econ.uncertainty.samples import at_shares, run_model, swaps_of

NORMAL_95 = 1.96  # standard errors in half of a 95 % interval


def tornado_frame(
    model: Callable[..., Any], ranges: Mapping[str, Range], coverage_frac: float = 0.9
) -> pd.DataFrame:
    """Each input moved alone across the middle ``coverage_frac`` of its range, widest swing first.

    Columns: ``input``, ``unit``, ``low_input``, ``high_input`` (where it was put), ``low``,
    ``high`` (the lesser and the greater answer), ``at_low_input``, ``at_high_input`` (which is
    which), ``typical``, ``swing``. Nothing is drawn, so that no number has a sampling error. What
    two inputs do together it does not see: `sobol_frame` does.
    """
    ranges = check_ranges(ranges)
    in_range("coverage_frac", coverage_frac, 0, 1, open_low=True, says="above 0, up to 1")
    if coverage_frac == 1 and any(r.law == "lognormal" for r in ranges.values()):
        raise ValueError("coverage_frac = 1 is outside its range: a lognormal has no ends")
    ends = np.array([(1 - coverage_frac) / 2, (1 + coverage_frac) / 2])
    rows = [typical_of(ranges)]
    for name, r in ranges.items():
        rows += [typical_of(ranges) | {name: float(end)} for end in r.quantile(ends)]
    answers = run_model(model, pd.DataFrame(rows))
    if list(answers) != ["value"]:
        raise ValueError(f"a tornado is of one number, not of {', '.join(answers)}")
    value = answers["value"].to_numpy()
    at_low, at_high = value[1::2], value[2::2]
    frame = pd.DataFrame(
        {
            "input": list(ranges),
            "unit": [r.unit for r in ranges.values()],
            "low_input": [float(r.quantile(ends[0])) for r in ranges.values()],
            "high_input": [float(r.quantile(ends[1])) for r in ranges.values()],
            "low": np.minimum(at_low, at_high),
            "high": np.maximum(at_low, at_high),
            "at_low_input": at_low,
            "at_high_input": at_high,
            "typical": value[0],
        }
    )
    frame["swing"] = frame["high"] - frame["low"]
    return frame.sort_values("swing", ascending=False, kind="stable", ignore_index=True)


def sobol_frame(
    model: Callable[..., Any], ranges: Mapping[str, Range], n: int = 1024, seed: int = 0
) -> pd.DataFrame:
    """Sobol indices: the share of the answer's variance that each input explains (needs SALib).

    Columns: ``input``, ``first_frac`` (alone), ``total_frac`` (with all it does together with
    others), each with ``…_error_frac``, the half-width of its 95 % interval, and ``may_swap``:
    whether another sample could rank the next input before this one. First-order indices of an
    additive model add up to 1. Runs the model at n·(inputs + 2) points of a Sobol sequence;
    ``n`` is a power of two (Saltelli and others, 2010).
    """
    ranges = check_ranges(ranges)
    n = count("n", n, 8, 2**20)
    if n & (n - 1):
        raise ValueError(f"n = {n} is outside its range: a power of two")
    sample, analyze = _salib()
    moving = {name: r for name, r in ranges.items() if not r.is_fixed}
    still = {name: r.typical for name, r in ranges.items() if r.is_fixed}
    problem = {"num_vars": len(moving), "names": list(moving), "bounds": [[0, 1]] * len(moving)}
    shares = sample(problem, n, calc_second_order=False, seed=seed)
    inside = np.clip(shares, 1e-9, 1 - 1e-9)  # a lognormal has no ends
    answers = run_model(model, at_shares(moving, inside).assign(**still)[list(ranges)])
    if list(answers) != ["value"]:
        raise ValueError(f"Sobol indices are of one number, not of {', '.join(answers)}")
    value = answers["value"].to_numpy()
    if np.ptp(value) == 0:
        raise ValueError("the model gives the same number everywhere: no variance to share out")
    # SALib's estimators lose digits where the mean dwarfs the spread
    value = (value - value.mean()) / value.std()
    indices = analyze(problem, value, calc_second_order=False, seed=seed)
    zero = np.zeros(len(still))
    frame = pd.DataFrame(
        {
            "input": [*moving, *still],
            "first_frac": np.append(indices["S1"], zero),
            "first_error_frac": np.append(indices["S1_conf"], zero),
            "total_frac": np.append(indices["ST"], zero),
            "total_error_frac": np.append(indices["ST_conf"], zero),
        }
    )
    frame = frame.sort_values("total_frac", ascending=False, kind="stable", ignore_index=True)
    se = frame["total_error_frac"].to_numpy() / NORMAL_95
    return frame.assign(
        may_swap=swaps_of(frame["total_frac"].to_numpy(), np.hypot(se[:-1], se[1:]))
    )


def _salib() -> tuple[Callable[..., Any], Callable[..., Any]]:
    try:
        from SALib.analyze import sobol as analyze
        from SALib.sample import sobol as sample
    except ImportError:
        raise ImportError(
            "Sobol indices need SALib: pip install 'inference-economics[sensitivity]'; "
            "tornado_frame and information_frame do without"
        ) from None
    return sample.sample, analyze.analyze


MOST_CHANGES = 12  # 4,096 combinations


def credits_frame(value: Mapping[frozenset[str], float]) -> pd.DataFrame:
    """Each change's share of a ratio, and the range of that share over the orders.

    Parameters
    ----------
    value : mapping of frozenset to float
        What is measured, e.g. USD per Mtok, after each combination of changes: all subsets, the
        empty one included; above zero.

    Returns
    -------
    DataFrame
        One row a change, in the order of the names' first appearance by size: ``change``,
        ``share_frac`` (they sum to 1), ``low_share_frac`` and ``high_share_frac`` over all
        orders, and ``factor``: what the value is multiplied by on the geometric mean.

    Raises
    ------
    ValueError
        For a missing combination, a value that is not above zero, more than 12 changes, or
        changes that together change nothing.

    Notes
    -----
    With v the logarithm of the value and n changes, the credit of change i is
    Σ over S without i of |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)), its share that over
    v(all) − v(none). Logarithms, since costs multiply.

    References
    ----------
    Shapley, A Value for n-Person Games (1953).

    Examples
    --------
    >>> cost = {frozenset(): 4.0, frozenset("a"): 2.0, frozenset("b"): 4.0, frozenset("ab"): 1.0}
    >>> credits_frame(cost)["share_frac"].tolist()  # b does something only after a
    [0.75, 0.25]
    """
    names = sorted(frozenset().union(*value), key=str)
    n = len(names)
    if not 1 <= n <= MOST_CHANGES:
        raise ValueError(f"{n} changes are outside the range: 1 to {MOST_CHANGES}")
    log = {}
    for size in range(n + 1):
        for chosen in map(frozenset, combinations(names, size)):
            if chosen not in value:
                raise ValueError(f"no value for the changes {sorted(chosen) or 'none'}")
            log[chosen] = math.log(positive(f"value of {sorted(chosen)}", value[chosen]))
    total = log[frozenset(names)] - log[frozenset()]
    if math.isclose(total, 0.0, abs_tol=1e-12):
        raise ValueError("the changes together change nothing, so there is no credit to share")
    weight = [math.factorial(k) * math.factorial(n - k - 1) / math.factorial(n) for k in range(n)]
    rows = []
    for name in names:
        gains = [(len(s), log[s | {name}] - log[s]) for s in log if name not in s]
        credit = sum(weight[size] * gain for size, gain in gains)
        ends = sorted((min(g for _, g in gains) / total, max(g for _, g in gains) / total))
        rows.append((name, credit / total, *ends, math.exp(credit)))
    columns = ["change", "share_frac", "low_share_frac", "high_share_frac", "factor"]
    return pd.DataFrame(rows, columns=columns)
