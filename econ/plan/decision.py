"""How sure is the choice? The plan's best options under uncertain load, prices and speed.

Three things are uncertain: how much is asked, what each accelerator rents for, and how fast each
option really is (the error of the latency model, from runs left out of its fit, for each option on
its own). A year's cost of each option follows, whole replicas and all, and with it the share of
cases in which each is cheapest, and what it is worth to measure one of the inputs first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from econ.catalog import catalog
from econ.catalog.guard import count, not_negative, unknown
from econ.catalog.tables import table
from econ.catalog.units import HOURS_PER_YEAR
from econ.plan.search import Demand
from econ.uncertainty import Decision, Range, decide, information_frame, tornado_frame

LOAD, SPEED, RENT = "load", "speed of ", "rent of "


def rent_ranges(accelerators: list[str]) -> dict[str, Range]:
    """What each accelerator rents for: the cheapest, the on-demand and the dearest latest price.

    Over all terms in ``data/rentals.csv``; where there is one price only, the range is that number.

    >>> rent_ranges(["h100-sxm"])["h100-sxm"].typical
    3.85
    """
    rows = table("rentals").sort_values("as_of", kind="stable")
    latest = rows.groupby(["accelerator", "term"])["usd_per_gpu_hour"].last()
    known, made = set(rows["accelerator"]), {}
    for name in accelerators:
        if name not in known:
            raise unknown("rented accelerator", name, sorted(known))
        prices = latest[name]
        typical = float(prices.get("on-demand", prices.median()))
        unit = "USD per GPU-hour"
        made[name] = Range(float(prices.min()), typical, float(prices.max()), unit)
    return made


def options_of(plan: pd.DataFrame, n: int = 4, by: str = "accelerator") -> pd.DataFrame:
    """The plan's best row of each accelerator (or precision, …) that keeps the promise, named.

    Simulated rows where there are any, else screened ones. ``rate_per_s_per_replica`` is what one
    replica bears under the promise: at least the peak over the smallest fleet found, at most the
    peak over one replica less and what the search gives; the geometric mean of the two.
    """
    count("n", n, 1, 50)
    if by not in plan:
        raise unknown("column", by, plan.columns)
    kept = plan[plan["basis"] == "simulated"]
    kept = kept if len(kept) else plan[plan["basis"] == "screened"]
    rows = kept.drop_duplicates(by).head(n).copy()
    names: list[str] = []
    for r in rows.itertuples():
        name = f"{r.accelerator} {r.precision}, {int(r.n_gpu)} a replica"
        names.append(name if name not in names else f"{name} ({len(names) + 1})")
    rows["option"] = names
    return rows.set_index("option")


def yearly_cost(options: pd.DataFrame, demand: Demand) -> Callable[..., dict[str, np.ndarray]]:
    """The model of a year's cost in USD: inputs ``load``, ``speed of …``, ``rent of …`` by name.

    Replicas = load · peak / (what one bears · speed), rounded up, and spares.
    """
    bears = _bears(options, demand)

    def model(**inputs: np.ndarray) -> dict[str, np.ndarray]:
        costs = {}
        for name, row in options.iterrows():
            asked = inputs[LOAD] * demand.peak_factor
            n = np.ceil(asked / (bears[name] * inputs[SPEED + name]) * (1 - 1e-12))
            gpus = (n + demand.n_spare) * row["n_gpu"]
            costs[name] = gpus * inputs[RENT + str(row["accelerator"])] * HOURS_PER_YEAR
        return costs

    return model


def _bears(options: pd.DataFrame, demand: Demand) -> dict[str, float]:
    """Requests per second that one replica of an option bears within the promise."""
    peak, made = demand.rate_per_s * demand.peak_factor, {}
    for name, row in options.iterrows():
        n = max(float(row["n_replicas"]) - demand.n_spare, 1.0)
        least = peak / n
        most = min(float(row["requests_per_s_per_replica"]), peak / (n - 1) if n > 1 else np.inf)
        made[name] = float(np.sqrt(least * max(most, least)))
    return made


def inputs_of(
    options: pd.DataFrame, demand: Demand, load: Range, rents: Mapping[str, Range] | None = None
) -> dict[str, Range]:
    """The uncertain inputs of the decision; ``load`` in requests per second is yours to state."""
    if not len(options):
        raise ValueError("no option to decide on: no deployment keeps the promise")
    if isinstance(load, Range):
        not_negative("low of load", load.low)
    chips = list(dict.fromkeys(options["accelerator"].astype(str)))
    priced = {catalog.accelerator(name).id: rent for name, rent in (rents or {}).items()}
    priced |= rent_ranges([c for c in chips if c not in priced])
    inputs = {LOAD: load}
    for name, row in options.iterrows():
        inputs[SPEED + name] = Range.within_factor(1.0, float(row["rate_p90_factor"]), "× ours")
    return inputs | {RENT + c: priced[c] for c in chips}


def decide_plan(
    options: pd.DataFrame,
    demand: Demand,
    load: Range,
    rents: Mapping[str, Range] | None = None,
    n: int = 4000,
    seed: int = 0,
) -> Decision:
    """Which option is cheapest over a year, in what share of cases, and what being wrong costs."""
    inputs = inputs_of(options, demand, load, rents)
    return decide(yearly_cost(options, demand), inputs, n, seed)


def measure_next_frame(
    options: pd.DataFrame,
    demand: Demand,
    load: Range,
    rents: Mapping[str, Range] | None = None,
    n: int = 512,
    seed: int = 0,
) -> pd.DataFrame:
    """What each input is worth knowing before choosing, in USD a year, most first."""
    inputs = inputs_of(options, demand, load, rents)
    return information_frame(yearly_cost(options, demand), inputs, n, seed=seed)


def swing_frame(
    options: pd.DataFrame, demand: Demand, load: Range, rents: Mapping[str, Range] | None = None
) -> pd.DataFrame:
    """The tornado of the first option's yearly cost."""
    first = options.head(1)
    inputs = inputs_of(first, demand, load, rents)
    model, name = yearly_cost(first, demand), first.index[0]
    return tornado_frame(lambda **given: model(**given)[name], inputs)
