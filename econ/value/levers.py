"""The levers of a service's cost, each with its fair share of the fall.

A waterfall credits each lever with what it brings in one order; another order gives other shares.
Here every combination is priced by `econ.tco.cost`, and each lever gets its Shapley share with
the range over all orders (`econ.uncertainty.credits_frame`).

>>> from econ.scenario import Scenario
>>> two = {"use": {"utilisation_frac": 0.8}, "batch": {"concurrency": 64}}
>>> fall = levers(Scenario.default().with_(utilisation_frac=0.4), two)
>>> fall.factor > 4, bool(fall.shares["share_frac"].sum().round(9) == 1)
(True, True)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from econ.scenario import Scenario
from econ.station import require_certain
from econ.tco.bill import cost_scenarios
from econ.uncertainty.attribution import credits_frame

# what an operator of 2026 can change about a service on rented H100s that runs at low load
LEVERS_2026: dict[str, dict[str, Any]] = {
    "more users a step": {"concurrency": None},
    "weights in 4 bit": {"precision": "fp4"},
    "busier machines": {"utilisation_frac": 0.75},
    "owned machines": {"tenure": "owned", "cost_usd_per_gpu_hour": None},
    "a newer machine": {"accelerator": "b200-sxm"},
    "cached prompts": {"cached_frac": 0.5},
}
FEW_USERS = 8  # before the first lever


@dataclass(frozen=True, kw_only=True)
class Levers:
    """What levers do to the cost of a token, alone and together.

    Attributes
    ----------
    before_usd_per_mtok, after_usd_per_mtok : float
        Without any, and with all.
    shares : DataFrame
        See `econ.uncertainty.credits_frame`: share, its range over orders, mean factor.
    combinations : DataFrame
        The price of each combination: ``changes``, ``usd_per_mtok``.
    """

    before_usd_per_mtok: float
    after_usd_per_mtok: float
    shares: pd.DataFrame
    combinations: pd.DataFrame

    @property
    def factor(self) -> float:
        """How many times cheaper with all levers."""
        return self.before_usd_per_mtok / self.after_usd_per_mtok


def levers(
    s: Scenario,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    concurrency: float | None = FEW_USERS,
) -> Levers:
    """Price every combination of levers, and credit each one.

    Parameters
    ----------
    s : Scenario
        The service before.
    changes : mapping, optional
        Name → settings for `Scenario.with_`; ``concurrency`` may be among them, None for the most
        users within the SLO. By default `LEVERS_2026`.
    concurrency : float, optional
        Users before any lever, e.g. 8; None for the most within the SLO.

    Returns
    -------
    Levers
        Shares that sum to 1, with their range over all orders.

    Raises
    ------
    ValueError
        Where a combination has no price, with its reason.

    Examples
    --------
    >>> one = levers(Scenario.default(), {"machine": {"accelerator": "h200-sxm"}})
    >>> one.shares["share_frac"].tolist()
    [1.0]
    """
    require_certain("levers", s)
    chosen = LEVERS_2026 if changes is None else changes
    subsets = [
        frozenset(names) for k in range(len(chosen) + 1) for names in combinations(chosen, k)
    ]
    scenarios, users = [], []
    for subset in subsets:
        settings: dict[str, Any] = {"concurrency": concurrency}
        for name in chosen:
            if name in subset:
                settings |= chosen[name]
        users.append(settings.pop("concurrency"))
        scenarios.append(s.with_(**settings) if settings else s)
    prices = cost_scenarios(scenarios, concurrency=users)
    for subset, reason in zip(subsets, prices["reason"], strict=True):
        if reason:
            raise ValueError(f"no price with {sorted(subset) or 'no lever'}: {reason}")
    usd = prices["usd_per_mtok"].tolist()
    names = [" + ".join(n for n in chosen if n in subset) or "none" for subset in subsets]
    shares = credits_frame(dict(zip(subsets, usd, strict=True)))
    order = {name: i for i, name in enumerate(chosen)}
    return Levers(
        before_usd_per_mtok=usd[0],
        after_usd_per_mtok=usd[-1],
        shares=shares.sort_values("change", key=lambda c: c.map(order), ignore_index=True),
        combinations=pd.DataFrame({"changes": names, "usd_per_mtok": usd}),
    )
