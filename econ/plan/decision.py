"""How sure is the choice? A plan's best options under uncertain load, prices and speed, and stress.

Three things are uncertain: how much is asked, what each accelerator rents for, and how fast each
option really is (the error of the latency model, from runs left out of its fit, for each option on
its own). A year's cost of each option follows, whole replicas and all, and with it the share of
cases in which each is cheapest, and what it is worth to measure one of the inputs first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import catalog
from econ.catalog.guard import count, positive, unknown
from econ.catalog.tables import table
from econ.catalog.units import HOURS_PER_YEAR
from econ.plan.market import prices_of
from econ.plan.planner import plan
from econ.plan.result import Plan
from econ.plan.search import ROUNDING, Demand
from econ.scenario import Scenario
from econ.uncertainty import Decision, Range, decide, information_frame, tornado_frame

LOAD, SPEED, RENT = "load", "speed of ", "rent of "
STRESS_COLUMNS = ["accelerator", "precision", "tp", "pp", "policy", "fleet_gpus", "usd_per_hour",
                  "cost_usd_per_good_mtok"]  # fmt: skip


def rent_ranges(accelerators: Iterable[str]) -> dict[str, Range]:
    """What each accelerator rents for: the cheapest, the on-demand and the dearest latest price.

    Over all terms in ``data/catalog/rentals.csv``; where there is one price only, the range is that
    number.

    >>> rent_ranges(["h100-sxm"])["h100-sxm"].typical
    3.99
    """
    rows = table("rentals").sort_values("as_of", kind="stable")
    latest = rows.groupby(["accelerator", "term"])["usd_per_gpu_hour"].last()
    known = set(rows["accelerator"])
    ranges = {}
    for name in accelerators:
        if name not in known:
            raise unknown("rented accelerator", name, sorted(known))
        prices = latest[name]
        typical = float(prices.get("on-demand", prices.median()))
        low, high = float(prices.min()), float(prices.max())
        ranges[name] = Range(low, typical, high, "USD per GPU-hour")
    return ranges


def options_of(answer: Plan, n: int = 4, by: str = "accelerator") -> pd.DataFrame:
    """The plan's best row of each accelerator (or precision, …) that meets the SLO, named.

    Simulated rows where there are any, else screened ones.
    """
    count("n", n, 1, 50)
    if by not in answer.rows:
        raise unknown("column", by, answer.rows.columns)
    rows = answer.simulated if len(answer.simulated) else answer.feasible
    if rows.empty:
        raise ValueError("no option to decide on: no deployment meets the SLO")
    rows = rows.drop_duplicates(by).head(n).copy()
    names: list[str] = []
    for r in rows.itertuples():
        name = f"{r.accelerator} {r.precision}, {int(r.n_gpu)} a replica"
        names.append(name if name not in names else f"{name} ({len(names) + 1})")
    rows["option"] = names
    return rows.set_index("option")


def yearly_cost(options: pd.DataFrame, demand: Demand) -> Callable[..., dict[str, np.ndarray]]:
    """The model of a year's cost in USD: inputs ``load``, ``speed of …``, ``rent of …`` by name.

    Replicas = load · peak / (sustained rate · speed), rounded up, and spares.
    """
    rates = _sustained_rates(options, demand)

    def model(**inputs: np.ndarray) -> dict[str, np.ndarray]:
        costs = {}
        for name, row in options.iterrows():
            peak = inputs[LOAD] * demand.peak_factor
            n = np.ceil(peak / (rates[name] * inputs[f"{SPEED}{name}"]) * ROUNDING)
            gpus = (n + demand.n_spare) * row["n_gpu"]
            costs[str(name)] = gpus * inputs[f"{RENT}{row['accelerator']}"] * HOURS_PER_YEAR
        return costs

    return model


def _sustained_rates(options: pd.DataFrame, demand: Demand) -> dict[Any, float]:
    """Requests per second that one replica of an option sustains within the SLO.

    At least the peak over the smallest fleet, at most the peak over one replica less and what the
    search gives; the geometric mean of the two.
    """
    peak, rates = demand.peak_per_s, {}
    for name, row in options.iterrows():
        n = max(float(row["n_replicas"]) - demand.n_spare, 1.0)
        least = peak / n
        most = min(float(row["requests_per_s_per_replica"]), peak / (n - 1) if n > 1 else np.inf)
        rates[name] = float(np.sqrt(least * max(most, least)))
    return rates


def inputs_of(
    options: pd.DataFrame, scenario: Scenario, rents: Mapping[str, Range] | None = None
) -> dict[str, Range]:
    """The uncertain inputs of the decision between a plan's options.

    Parameters
    ----------
    options : pandas.DataFrame
        From `options_of`.
    scenario : Scenario
        The plan's, with ``rate_per_s`` as a `Range`: yours to state. Its
        ``cost_usd_per_gpu_hour`` may be one, for its own accelerator.
    rents : mapping of str to Range, optional
        By accelerator; the others as in `rent_ranges`.

    Raises
    ------
    ValueError
        Where another number is a `Range`: the options were planned for one SLO and one workload.
    """
    load = scenario.workload.rate_per_s
    felt = {"workload.rate_per_s", "finance.cost_usd_per_gpu_hour"}
    if others := sorted(set(scenario.ranges()) - felt):
        raise ValueError(
            f"{others[0]} is uncertain (a Range): the options were planned for one value of it; "
            "only rate_per_s and cost_usd_per_gpu_hour may be a Range here"
        )
    chips = list(dict.fromkeys(options["accelerator"].astype(str)))
    priced = {
        name if name in chips else catalog.accelerator(name).id: rent
        for name, rent in (rents or {}).items()
    }
    own_price = scenario.finance.cost_usd_per_gpu_hour
    if own_price is not None:
        priced = {scenario.deployment.accelerator_id: _as_range(own_price)} | priced
    priced |= rent_ranges(chip for chip in chips if chip not in priced)
    speeds = {
        f"{SPEED}{name}": Range.within_factor(1.0, float(row["rate_p90_factor"]), "× ours")
        for name, row in options.iterrows()
    }
    return {LOAD: _as_range(load)} | speeds | {RENT + chip: priced[chip] for chip in chips}


def _as_range(value: float | Range) -> Range:
    return value if isinstance(value, Range) else Range(value, value, value)


def decide_plan(
    answer: Plan,
    scenario: Scenario,
    rents: Mapping[str, Range] | None = None,
    *,
    n_options: int = 4,
    n: int = 4000,
    seed: int = 0,
) -> Decision:
    """Which option is cheapest over a year, in what share of cases, and what being wrong costs.

    Parameters
    ----------
    answer : Plan
        Its best row of each accelerator is an option.
    scenario, rents
        As in `inputs_of`.
    n_options : int
        How many options at most, e.g. 4.
    n, seed : int
        Joint samples, and their seed.
    """
    options = options_of(answer, n_options)
    inputs = inputs_of(options, scenario, rents)
    return decide(yearly_cost(options, answer.demand), inputs, n, seed)


def measure_next_frame(
    answer: Plan,
    scenario: Scenario,
    rents: Mapping[str, Range] | None = None,
    *,
    n_options: int = 4,
    n: int = 512,
    seed: int = 0,
) -> pd.DataFrame:
    """What each input is worth knowing before choosing, in USD a year, most first.

    Parameters as in `decide_plan`.
    """
    options = options_of(answer, n_options)
    inputs = inputs_of(options, scenario, rents)
    return information_frame(yearly_cost(options, answer.demand), inputs, n, seed=seed)


def swing_frame(
    answer: Plan, scenario: Scenario, rents: Mapping[str, Range] | None = None
) -> pd.DataFrame:
    """The tornado of the first option's yearly cost; parameters as in `decide_plan`."""
    first = options_of(answer, 1)
    inputs = inputs_of(first, scenario, rents)
    model, name = yearly_cost(first, answer.demand), str(first.index[0])
    return tornado_frame(lambda **values: model(**values)[name], inputs)


def stresses(
    scenario: Scenario, settings: Mapping[str, Any] | None = None
) -> dict[str, tuple[Scenario, dict[str, Any]]]:
    """The cases: name → scenario and settings of `plan`; ``settings`` are the plain case's."""
    plain = dict(settings or {})
    slo, load = scenario.slo, scenario.workload
    cached = min(0.9, 0.5 + load.cached_frac / 2)
    cases = {
        "as planned": {},
        "twice the load": {"rate_per_s": 2 * load.rate_per_s},
        "half the load": {"rate_per_s": load.rate_per_s / 2},
        "TPOT limit halved": {"tpot_s": slo.tpot_s / 2},
        "TTFT limit halved": {"ttft_s": slo.ttft_s / 2},
        f"{cached:.0%} of prompts cached": {"cached_frac": cached},
    }
    spare = plain | {"n_spare": plain.get("n_spare", 0) + 1}
    return {name: (scenario.with_(**change), plain) for name, change in cases.items()} | {
        "one spare replica": (scenario, spare)
    }


def stress_frame(
    scenario: Scenario, price_factor: float = 1.5, n_refined: int = 3, **settings: Any
) -> pd.DataFrame:
    """The best deployment of each case, its cost, and whether the choice of accelerator changed.

    Parameters
    ----------
    scenario : Scenario
        The plain case.
    price_factor : float
        By how much the accelerator of the plain plan gets dearer in one of the cases.
    n_refined, **settings
        As in `econ.plan.planner.plan`.

    Returns
    -------
    pandas.DataFrame
        A case in which nothing meets the SLO says so in ``note``.
    """
    positive("price_factor", price_factor, 1000)
    settings = {"n_refined": n_refined, **settings}
    cases = iter(stresses(scenario, settings).items())
    rows = [_stressed(name, *case) for name, case in [next(cases)]]
    if chip := rows[0]["accelerator"]:
        prices = prices_of(scenario, settings.get("prices_usd_per_gpu_hour"))
        dearer = settings | {
            "prices_usd_per_gpu_hour": prices | {chip: prices[chip] * price_factor}
        }
        rows.append(_stressed(f"{chip} × {price_factor:g} dearer", scenario, dearer))
    rows += [_stressed(name, *case) for name, case in cases]
    frame = pd.DataFrame(rows)
    cost = frame["cost_usd_per_good_mtok"]
    return frame.assign(
        cost_over_plan=cost / cost.iloc[0],
        same_choice=frame["accelerator"] == frame["accelerator"].iloc[0],
    )


def _stressed(name: str, scenario: Scenario, settings: Mapping[str, Any]) -> dict[str, Any]:
    try:
        best = plan(scenario, **settings).best
    except ValueError as error:
        return {"case": name, **dict.fromkeys(STRESS_COLUMNS), "note": str(error)}
    return {"case": name, **{key: best[key] for key in STRESS_COLUMNS if key in best}, "note": ""}
