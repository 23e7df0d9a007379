"""Who gets the credit: several changes together do something; each one's share, by Shapley.

What a change brings depends on those made before it. Its Shapley share is the mean over all orders
in which they can be made; the range over the orders says how much a single order can mislead.

>>> cost = {frozenset(): 8.0, frozenset("a"): 4.0, frozenset("b"): 4.0, frozenset("ab"): 1.0}
>>> credits_frame(cost)["share_frac"].tolist()
[0.5, 0.5]
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations

import pandas as pd

from econ.catalog.guard import positive

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
