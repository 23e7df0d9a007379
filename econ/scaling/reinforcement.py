"""Reinforcement learning over its compute: a sigmoid with a ceiling, and what a ceiling hides.

The reward of a recipe rises from where the model starts to a ceiling A. How much of that way is
done after C accelerator-hours follows a sigmoid in log C. Two recipes of one model can therefore
cross: the one that leads in a short trial need not lead in a long run.

>>> short, long = rl_law("scalerl-8b-batch-512"), rl_law("scalerl-8b-batch-2048")
>>> short.at(3000, 0.3) > long.at(3000, 0.3), short.at(1e5, 0.3) < long.at(1e5, 0.3)
(True, True)
>>> round(crossing_gpu_hours(short, long, 0.3), -3)
34000.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.guard import each, fraction, in_range, not_negative, positive, unknown
from econ.catalog.tables import table

LEAST_HOURS, MOST_HOURS = 1e2, 1e8  # accelerator-hours between which a crossing is looked for


@dataclass(frozen=True, kw_only=True)
class RewardLaw:
    """A recipe of reinforcement learning: ceiling A, hours to half the gain C_mid, steepness B.

    Parameters
    ----------
    ceiling_frac : float
        Share of the problems solved in the limit, e.g. 0.61.
    midpoint_gpu_hours : float
        Accelerator-hours to half of the gain, e.g. 2,542.
    steepness : float
        Exponent, e.g. 1.9.

    Notes
    -----
    R(C) = R₀ + (A − R₀) / (1 + (C_mid / C)^B), with R₀ where the model starts.

    References
    ----------
    Khatri et al. 2025, The art of scaling reinforcement learning compute for LLMs.
    """

    ceiling_frac: float
    midpoint_gpu_hours: float
    steepness: float

    def __post_init__(self) -> None:
        fraction("ceiling_frac", self.ceiling_frac)
        positive("midpoint_gpu_hours", self.midpoint_gpu_hours)
        positive("steepness", self.steepness, 50)

    def gained(self, gpu_hours: float | np.ndarray) -> float | np.ndarray:
        """Share of the attainable gain after so many accelerator-hours; it needs no start.

        >>> rl_law("scalerl-8b").gained(2542)
        0.5
        """
        hours = np.asarray(each(not_negative, "gpu_hours", gpu_hours), dtype="float64")
        with np.errstate(divide="ignore", over="ignore"):
            share = 1 / (1 + (self.midpoint_gpu_hours / hours) ** self.steepness)
        return float(share) if share.ndim == 0 else share

    def at(self, gpu_hours: float | np.ndarray, start_frac: float) -> float | np.ndarray:
        """Share of the problems solved after so many accelerator-hours, from a start."""
        in_range("start_frac", start_frac, 0.0, self.ceiling_frac)
        return start_frac + (self.ceiling_frac - start_frac) * self.gained(gpu_hours)

    def gpu_hours_for(self, gained_frac: float) -> float:
        """Accelerator-hours after which so much of the gain is there.

        >>> round(rl_law("scalerl-8b").gpu_hours_for(0.95))
        11781
        """
        in_range("gained_frac", gained_frac, 1e-9, 1 - 1e-9, says="between 0 and 1")
        odds = gained_frac / (1 - gained_frac)
        return self.midpoint_gpu_hours * math.pow(odds, 1 / self.steepness)


def rl_law(id: str) -> RewardLaw:
    """A published law of ``data/scaling/rl_laws.csv``, e.g. ``"scalerl-8b"``."""
    rows = table("rl_laws")
    if id not in rows.index:
        raise unknown("law of reinforcement learning", id, rows.index)
    names = ("ceiling_frac", "midpoint_gpu_hours", "steepness")
    return RewardLaw(**{name: float(rows.loc[id, name]) for name in names})


def rl_laws_frame(n: int = 40) -> pd.DataFrame:
    """The published laws over their hours: recipe, gpu_hours, gained_percent, ceiling_frac.

    Shares of the attainable gain, since no start is printed beside them.
    """
    hours = np.geomspace(300, 1e5, n)
    parts = [
        pd.DataFrame({"gpu_hours": hours, "gained_percent": 100 * np.asarray(law.gained(hours))})
        .assign(recipe=row.title, ceiling_frac=law.ceiling_frac)
        for row, law in ((row, rl_law(row.Index)) for row in table("rl_laws").itertuples())
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def crossing_gpu_hours(quick: RewardLaw, slow: RewardLaw, start_frac: float) -> float:
    """Accelerator-hours from which the slower recipe of a higher ceiling leads.

    Parameters
    ----------
    quick, slow : RewardLaw
        Two recipes for one model; the second has the higher ceiling.
    start_frac : float
        Share of the problems that the model solves untrained.

    Raises
    ------
    ValueError
        Where the second never passes the first.
    """
    from scipy.optimize import brentq

    def lead(log_hours: float) -> float:
        hours = math.exp(log_hours)
        return float(slow.at(hours, start_frac)) - float(quick.at(hours, start_frac))

    ends = math.log(LEAST_HOURS), math.log(MOST_HOURS)
    if lead(ends[1]) <= 0 or lead(ends[0]) >= 0:
        raise ValueError(
            f"start_frac = {start_frac:g}: between {LEAST_HOURS:g} and {MOST_HOURS:g} hours the "
            "second recipe does not pass the first"
        )
    return math.exp(float(brentq(lead, *ends)))
