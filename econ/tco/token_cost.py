"""From an accelerator-hour to a token: four utilisations, and whose time a token takes.

>>> f"{cost_usd_per_mtok(1.41, 90):.2f}"          # a vendor's example, printed there as 4.20
'4.35'
>>> use = Utilisation(available_frac=0.97, allocated_frac=0.85, busy_frac=0.6)
>>> round(use.useful_frac, 3)
0.495
>>> round(cost_usd_per_mtok(1.41, 90, use.useful_frac), 2)
8.8
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from econ.catalog.guard import each, not_negative, positive
from econ.catalog.units import (
    per_second_from_per_hour,
    usd_per_mtok_from_usd_per_token,
    usd_per_token_from_usd_per_mtok,
)


@dataclass(frozen=True, kw_only=True)
class Utilisation:
    """Three shares of the owned hours; the fourth, MFU or MBU, is inside tokens per second.

    ``available_frac``: neither broken nor in maintenance. ``allocated_frac``: of these, given to
    somebody. ``busy_frac``: of these, serving at the stated throughput.
    """

    available_frac: float = 1.0
    allocated_frac: float = 1.0
    busy_frac: float = 1.0

    def __post_init__(self) -> None:
        for name in ("available_frac", "allocated_frac", "busy_frac"):
            object.__setattr__(self, name, each(positive, name, getattr(self, name), 1.0))

    @property
    def useful_frac(self) -> float:
        """The product: useful hours per owned hour."""
        return self.available_frac * self.allocated_frac * self.busy_frac


def cost_usd_per_mtok(
    cost_usd_per_gpu_hour: float, tokens_per_s_per_gpu: float, utilisation_frac: float = 1.0
) -> float:
    """USD per million tokens of a machine that writes so many while it is busy.

    Formula: USD per GPU-hour / 3600 / (tokens/s per GPU × utilisation) × 10⁶. Numbers or arrays;
    NaN in an array stays NaN. Which tokens are counted, output or all, is the caller's to say.

    Raises `ValueError` for no throughput and for a utilisation of 0 or above 1.

    >>> cost_usd_per_mtok(3.60, [1000.0, 2000.0], 0.5).tolist()
    [2.0, 1.0]
    """
    each(not_negative, "cost_usd_per_gpu_hour", cost_usd_per_gpu_hour)
    each(positive, "tokens_per_s_per_gpu", tokens_per_s_per_gpu)
    each(positive, "utilisation_frac", utilisation_frac, 1.0)
    cost, rate, use = (
        np.asarray(v, dtype=float) if isinstance(v, list | tuple) else v
        for v in (cost_usd_per_gpu_hour, tokens_per_s_per_gpu, utilisation_frac)
    )
    usd = usd_per_mtok_from_usd_per_token(per_second_from_per_hour(cost) / (rate * use))
    return float(usd) if np.ndim(usd) == 0 else usd


def cost_usd_per_good_mtok(
    cost_usd_per_gpu_hour: float,
    tokens_per_s_per_gpu: float,
    good_frac: float,
    utilisation_frac: float = 1.0,
) -> float:
    """USD per million tokens of requests that met their SLO; the late ones cost as much.

    ``good_frac`` is the share of tokens in good requests (`econ.serving.goodput`).

    >>> cost_usd_per_good_mtok(3.60, 1000.0, 0.8)
    1.25
    """
    each(positive, "good_frac", good_frac, 1.0)
    return cost_usd_per_mtok(cost_usd_per_gpu_hour, tokens_per_s_per_gpu, utilisation_frac) / (
        np.asarray(good_frac, dtype=float) if isinstance(good_frac, list | tuple) else good_frac
    )


def cost_usd_per_request(
    cost_usd_per_gpu_hour: float, requests_per_s_per_gpu: float, utilisation_frac: float = 1.0
) -> float:
    """USD per request of a machine that completes so many per second and GPU while busy.

    >>> round(cost_usd_per_request(3.60, 2.0, 0.5) * 1000, 2)      # a thousand requests
    1.0
    """
    each(positive, "requests_per_s_per_gpu", requests_per_s_per_gpu)
    mtok = cost_usd_per_mtok(cost_usd_per_gpu_hour, requests_per_s_per_gpu, utilisation_frac)
    return usd_per_token_from_usd_per_mtok(mtok)


def cost_usd_per_accepted_task(
    attempt_usd: float, accepted_frac: float, review_usd: float = 0.0
) -> float:
    """USD until an attempt is accepted, each tried and reviewed anew: (attempt + review) / share.

    Attempts are taken as independent; a task that no attempt solves is not in the sum, so this is
    a floor.

    >>> cost_usd_per_accepted_task(0.02, 0.5, review_usd=0.48)
    1.0
    """
    attempt_usd = each(not_negative, "attempt_usd", attempt_usd)
    review_usd = each(not_negative, "review_usd", review_usd)
    return (attempt_usd + review_usd) / each(positive, "accepted_frac", accepted_frac, 1.0)
