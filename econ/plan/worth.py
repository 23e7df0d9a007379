"""What the answers of a fleet are worth, and what is left when its accelerators are paid.

>>> from econ.scenario import Scenario
>>> demand = Demand(Scenario.default(), value_usd_per_answer=0.01, right_frac=0.5)
>>> fleet = pd.DataFrame({"usd_per_hour": [20.0], "fleet_gpus": [8.0], "good_frac": [0.98]})
>>> rate = demand.rate_per_s
>>> round(float(with_profit(fleet, demand)["profit_usd_per_hour"].iloc[0] / rate + 20 / rate), 2)
17.64
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog.provisioned import Unit
from econ.plan.search import COST, Demand
from econ.tco.earning import profits


def with_profit(frame: pd.DataFrame, demand: Demand) -> pd.DataFrame:
    """Value and profit of each fleet, over the hour, accelerators and megawatts; break-even value.

    Without a value of an answer the frame comes back as it is. A fleet that is only screened counts
    every answer as in time. The band on profit is that of the fleet's cost.
    """
    if demand.value_usd_per_answer is None:
        return frame
    good = frame["good_frac"] if "good_frac" in frame else pd.Series(1.0, frame.index)
    good = good.astype("float64").fillna(1.0)
    accepted = demand.right_answers_per_hour * good
    worth, usd = accepted * demand.value_usd_per_answer, frame["usd_per_hour"].astype("float64")
    n_gpu, watts = frame["fleet_gpus"].astype("float64"), np.full(len(frame), np.nan)
    if "accelerator" in frame:
        chips = pd.Categorical(frame["accelerator"])
        pue = demand.scenario.resolved_site.pue or np.nan
        units = [Unit.of(chip) for chip in chips.categories]
        watts = np.array([unit.power_w / unit.n_gpu * pue for unit in units], "float64")[
            chips.codes
        ]
    columns = profits(worth, usd, accepted_per_hour=accepted, n_gpu=n_gpu, site_w_per_gpu=watts)
    out = frame.assign(value_usd_per_hour=worth, **columns)
    for end, of_cost in (("low", "high"), ("high", "low")):
        name = f"cost_{of_cost}_usd_per_good_mtok"
        if name in frame:
            out[f"profit_{end}_usd_per_hour"] = worth - usd * frame[name] / frame[COST]
    return out
