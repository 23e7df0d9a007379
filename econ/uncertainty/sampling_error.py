"""The sampling error of what is drawn, the digits that it allows, and ranks that it leaves open.

Another seed draws other samples and gives another number. Its standard error says by how much; a
number is printed to the first digit of that error, since the next would change with the seed.

>>> with_error(687.3, 83.1), with_error(0.6184, 0.0153, "{}%", scale=100)
('$690 ± 80', '62 ± 2%')
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

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
