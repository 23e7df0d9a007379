"""From an accelerator-hour to a token: functions of numbers, for a chain of one's own.

>>> f"{cost_usd_per_mtok(1.41, 90):.2f}"          # a vendor's example, printed there as 4.20
'4.35'
>>> use = Utilisation(available_frac=0.97, allocated_frac=0.85, busy_frac=0.6)
>>> round(use.useful_frac, 3)
0.495
>>> round(cost_usd_per_mtok(1.41, 90, use.useful_frac), 2)
8.8
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.guard import each, fraction, not_negative, positive
from econ.catalog.units import (
    per_second_from_per_hour,
    usd_per_mtok_from_usd_per_token,
    usd_per_token_from_usd_per_mtok,
)
from econ.tco.finance import Amount, plain


@dataclass(frozen=True, kw_only=True)
class Utilisation:
    """Three shares of the owned hours; the fourth, MFU or MBU, is inside tokens per second.

    Parameters
    ----------
    available_frac : float
        Neither broken nor in maintenance, e.g. 0.98.
    allocated_frac : float
        Of these, given to somebody, e.g. 0.85.
    busy_frac : float
        Of these, serving at the stated throughput, e.g. 0.6.
    """

    available_frac: Amount = 1.0
    allocated_frac: Amount = 1.0
    busy_frac: Amount = 1.0

    def __post_init__(self) -> None:
        for name in ("available_frac", "allocated_frac", "busy_frac"):
            object.__setattr__(self, name, each(positive, name, getattr(self, name), 1.0))

    @property
    def useful_frac(self) -> Amount:
        """The product: useful hours per owned hour."""
        return self.available_frac * self.allocated_frac * self.busy_frac


def cost_usd_per_mtok(
    cost_usd_per_gpu_hour: Amount, tokens_per_s_per_gpu: Amount, utilisation_frac: Amount = 1.0
) -> Amount:
    """USD per million tokens of a machine that writes so many while it is busy.

    Parameters
    ----------
    cost_usd_per_gpu_hour : float or array
        Of every hour paid for, e.g. 3.85 for a rented H100.
    tokens_per_s_per_gpu : float or array
        While busy, e.g. 800. Which tokens are counted, output or all, is the caller's to say.
    utilisation_frac : float or array
        Busy hours per paid hour, e.g. 0.6.

    Returns
    -------
    float or array
        USD per million tokens; NaN in an array stays NaN.

    Raises
    ------
    ValueError
        For no throughput, or a utilisation of 0 or above 1.

    Notes
    -----
    USD per GPU-hour / 3600 / (tokens/s per GPU · utilisation) · 10⁶.

    Examples
    --------
    >>> cost_usd_per_mtok(3.60, [1000.0, 2000.0], 0.5).tolist()
    [2.0, 1.0]
    """
    each(not_negative, "cost_usd_per_gpu_hour", cost_usd_per_gpu_hour)
    each(positive, "tokens_per_s_per_gpu", tokens_per_s_per_gpu)
    each(positive, "utilisation_frac", utilisation_frac, 1.0)
    cost, rate, use = (
        plain(v) for v in (cost_usd_per_gpu_hour, tokens_per_s_per_gpu, utilisation_frac)
    )
    usd: Amount = usd_per_mtok_from_usd_per_token(per_second_from_per_hour(cost) / (rate * use))
    return float(usd) if np.ndim(usd) == 0 else usd


def cost_usd_per_good_mtok(
    cost_usd_per_gpu_hour: Amount,
    tokens_per_s_per_gpu: Amount,
    good_frac: Amount,
    utilisation_frac: Amount = 1.0,
) -> Amount:
    """USD per million tokens of requests that met their SLO; the late ones cost as much.

    Parameters are those of `cost_usd_per_mtok`; ``good_frac`` is the share of tokens in good
    requests, e.g. 0.95 (`econ.serving.simulate`).

    Examples
    --------
    >>> cost_usd_per_good_mtok(3.60, 1000.0, 0.8)
    1.25
    """
    good = each(positive, "good_frac", good_frac, 1.0)
    return cost_usd_per_mtok(cost_usd_per_gpu_hour, tokens_per_s_per_gpu, utilisation_frac) / good


def added_by_use(full_use_usd: float, left_frac: Mapping[str, float]) -> pd.Series:
    """What each loss of use adds to a cost at full use, one on top of the other.

    Parameters
    ----------
    full_use_usd : float
        Cost per token (or hour) if every paid hour were used.
    left_frac : mapping of str to float
        What is left after each loss, in the order in which they are counted, e.g.
        ``{"downtime": 0.98, "idle hours": 0.6}``.

    Returns
    -------
    pandas.Series
        USD of each loss; with ``full_use_usd`` they sum to the cost over the product of the shares.

    Examples
    --------
    >>> added_by_use(1.0, {"downtime": 0.8, "idle hours": 0.5}).to_dict()
    {'downtime': 0.25, 'idle hours': 1.25}
    """
    for name, share in left_frac.items():
        positive(name, share)
        fraction(name, share)
    growth = 1 / pd.Series(left_frac, dtype=float).cumprod()
    return full_use_usd * growth.diff().fillna(growth - 1)


def cost_usd_per_request(
    cost_usd_per_gpu_hour: Amount, requests_per_s_per_gpu: Amount, utilisation_frac: Amount = 1.0
) -> Amount:
    """USD per request of a machine that completes so many per second and GPU while busy.

    Examples
    --------
    >>> round(cost_usd_per_request(3.60, 2.0, 0.5) * 1000, 2)      # a thousand requests
    1.0
    """
    each(positive, "requests_per_s_per_gpu", requests_per_s_per_gpu)
    mtok = cost_usd_per_mtok(cost_usd_per_gpu_hour, requests_per_s_per_gpu, utilisation_frac)
    return usd_per_token_from_usd_per_mtok(mtok)


def cost_usd_per_accepted_task(
    attempt_usd: Amount, accepted_frac: Amount, review_usd: Amount = 0.0
) -> Amount:
    """USD until an attempt is accepted, each tried and reviewed anew.

    Parameters
    ----------
    attempt_usd : float or array
        USD of one attempt, e.g. 0.02.
    accepted_frac : float or array
        Share of attempts that are accepted, e.g. 1/3.
    review_usd : float or array
        USD to look at one attempt, e.g. 0.48.

    Returns
    -------
    float or array
        (attempt + review) / share. Attempts are taken as independent; a task that no attempt solves
        is not in the sum, so this is a floor.

    Examples
    --------
    >>> cost_usd_per_accepted_task(0.02, 0.5, review_usd=0.48)
    1.0
    """
    attempt_usd = each(not_negative, "attempt_usd", attempt_usd)
    review_usd = each(not_negative, "review_usd", review_usd)
    return (attempt_usd + review_usd) / each(positive, "accepted_frac", accepted_frac, 1.0)
