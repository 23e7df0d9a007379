"""Which deployment serves a workload within its SLO at the least cost?

`plan` looks at every candidate (`econ.plan.candidates`) at every batch limit (`econ.plan.search`),
proves the best by simulation (`econ.plan.optimum`) and marks the frontier. Every rejected row
names the constraint that failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from econ.catalog.catalog import Accelerator
from econ.catalog.guard import count, in_range, one_of
from econ.plan.candidates import Split
from econ.plan.frontier import LARGER, SMALLER
from econ.plan.result import Plan
from econ.plan.screens import proven, screened
from econ.plan.search import COST, PROFIT
from econ.scenario import Scenario
from econ.station import station

OBJECTIVES = (*SMALLER, *LARGER, PROFIT)


@station(headline="cost_usd_per_good_mtok", searches=True)
def plan(
    scenario: Scenario,
    accelerators: Iterable[str | Accelerator] | None = None,
    precisions: Iterable[str] | None = None,
    parallelism: Iterable[Split] | None = None,
    policies: Iterable[str] | None = None,
    objective: str = "cost_usd_per_good_mtok",
    *,
    value_usd_per_answer: float | None = None,
    right_frac: float = 1.0,
    concurrencies: Iterable[int] | None = None,
    prices_usd_per_gpu_hour: Mapping[str, float] | None = None,
    peak_factor: float = 1.0,
    n_spare: int = 0,
    step_overhead_s: float = 0.0,
    trace: pd.DataFrame | None = None,
    n_refined: int = 6,
    gap_frac: float = 0.0,
    n: int | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
) -> Plan:
    """Which deployment meets the scenario's SLO at its load best, and what rules out the others.

    Load, lengths, cached share, model, engine, software, KV precision, batch limit, token budget,
    SLO, site, prices and utilisation are the scenario's. Accelerator, split, precision, batch and
    the size of the fleet are what is searched; the scenario's own are among the candidates.

    Parameters
    ----------
    scenario : Scenario
        What is asked; see `econ.scenario`.
    accelerators : iterable of str or Accelerator, optional
        Names or objects of your own; None for all that have a price.
    precisions : iterable of str, optional
        None for bf16, fp8 and the scenario's.
    parallelism : iterable of (tp, pp, ep, dp), optional
        Splits of a replica; None for `econ.plan.candidates.splits_of` the model.
    policies : iterable of str, optional
        Scheduling policies, which the simulator alone tells apart; None for the scenario's.
    objective : str
        cost_usd_per_good_mtok, site_energy_j_per_token, carbon_g_per_mtok,
        tokens_per_s_per_user, or profit_usd_per_hour, which a value asks for.
    value_usd_per_answer : float, optional
        What an answer that is right and in time is worth, e.g. 0.01: the fleet that earns most is
        the best, and rows say value, profit (per hour, GPU-hour and MW) and break-even value.
    right_frac : float
        Share of the model's answers that are right, e.g. 0.7.
    concurrencies : iterable of int, optional
        Batch limits of a replica; None for 41 from 1 to 1,024, ended by ``max_batch``.
    prices_usd_per_gpu_hour : mapping of str to float, optional
        By accelerator, e.g. ``{"h100-sxm": 2.9}``, over list rents and the scenario's own.
    peak_factor : float
        Peak over mean rate, for which the fleet is sized, e.g. 1.5.
    n_spare : int
        Replicas beyond need; 1 is N+1.
    step_overhead_s : float
        Seconds that your stack adds to a step (`econ.latency.own_stack`).
    trace : pandas.DataFrame, optional
        Requests that the simulator serves in place of draws from the workload.
    n_refined : int
        Replica shapes whose smallest fleet is found by simulation; more, where some fail there,
        and all that could be better than the best. 0 for the screen alone.
    gap_frac : float
        By how much a deployment that is left out may be better than the best, as a share of the
        best's cost or profit, e.g. 0.02; 0 for the optimum.
    n : int, optional
        Requests of each of the draws a fleet has to serve; None for enough.
    seed : int
        Of the first draw of requests.
    n_jobs, progress
        Processes as in joblib, and a bar.

    Returns
    -------
    Plan
        `Plan.best`, `Plan.frame`, `Plan.constraints`, `Plan.scenario`.

    Raises
    ------
    ValueError
        For a number outside its range, an empty list, or an accelerator of your own without a
        price.
    UnknownName
        For a name that the catalogue does not hold.

    Notes
    -----
    Every fleet that is simulated serves four independent draws of requests (a trace is one) and has
    to keep the SLO on each. Of all shapes, batch limits, policies and fleets that the simulator can
    serve, the best is found: a bound on the work (`econ.plan.bounds`) and the simulations of larger
    fleets rule the others out, on the premises that more replicas never serve fewer requests well,
    and that a larger batch limit never shortens the time per token nor lengthens the wait for the
    first.

    Work that is all there at the start is only screened: its rate is what has to be worked off.
    Pipelines (pp > 1) are only screened too; the simulator has none. Whoever owns machines pays for
    whole servers.

    Examples
    --------
    >>> answer = plan(Scenario.default(), ["h100-sxm"], ["fp8"], [(4, 1, 1, 1), (8, 1, 1, 1)],
    ...               n_refined=1, concurrencies=[8, 32], n=400)
    >>> best = answer.best
    >>> best["basis"], best["accelerator"], int(best["tp"]), int(best["fleet_gpus"])
    ('simulated', 'h100-sxm', 4, 4)
    >>> answer.scenario().deployment.max_batch
    32
    """
    one_of("objective", objective, OBJECTIVES)
    if value_usd_per_answer is not None and objective in (COST, PROFIT):
        objective = PROFIT
    elif (value_usd_per_answer is None) == (objective == PROFIT):
        raise ValueError(
            f"objective = {objective!r}: profit needs value_usd_per_answer, and only it"
        )
    n_refined = count("n_refined", n_refined, 0, 10_000)
    in_range("gap_frac", gap_frac, 0, 10)
    workers: dict[str, Any] = {"n_jobs": n_jobs, "progress": progress}
    one = screened(
        scenario, accelerators, precisions, parallelism, policies, concurrencies=concurrencies,
        prices_usd_per_gpu_hour=prices_usd_per_gpu_hour, peak_factor=peak_factor, n_spare=n_spare,
        step_overhead_s=step_overhead_s, value_usd_per_answer=value_usd_per_answer,
        right_frac=right_frac, trace=trace, n=n, seed=seed, is_simulated=n_refined > 0, **workers,
    )  # fmt: skip
    return proven(one, objective, n_refined=n_refined, gap_frac=gap_frac, **workers)
