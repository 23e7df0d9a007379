"""A plan's best replica of each accelerator, as something to rent or buy: rate, band, P(SLO).

The plan sizes a fleet for one rate. A decision asks more: how many replicas at three in the
morning and after two years of growth. So each fleet carries the rate that one of its replicas
sustains within the SLO, simulated where the plan's fleet is too small to show it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.catalog import Accelerator
from econ.plan import Plan, concurrency_grid
from econ.plan.search import KEYS, ROUNDING, in_servers
from econ.plan.trials import simulated_per_s
from econ.scenario import Scenario
from econ.serving import max_rate_per_s, simulate
from econ.terms import Slo

MOST_TELLING = 4  # replicas; a larger fleet itself shows what one of its replicas sustains
N_REQUESTS, TOLERANCE_FRAC = 1_000, 0.03  # of the search for that rate
BINDING_P = 0.9  # of keeping the SLO, that what binds for years needs
NEARLY_SURE = 0.99  # of keeping the SLO: more accelerators would not be felt
Z90 = 1.6449  # normal quantile: nine of ten within
WIDEST = 100.0  # logarithm of a band without an end
LATENCIES = ("ttft", "tpot")
ONE_SIDED = 1.2816  # normal quantile: nine of ten below


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Replicas of one kind.

    Attributes
    ----------
    scenario : Scenario
        The scenario on the plan's fleet, at its price.
    n_replicas, n_gpu_per_replica : int
        Of the plan, without spares.
    rate_per_s : float
        Requests per second that one replica sustains within the SLO.
    rate_p90_factor : float
        Within which that rate is known, for nine held-out cases in ten.
    p_keeps_slo : float
        Probability that the SLO is kept, from the bands of the latency model, with the replicas
        that each case needs: what is missing to 1 is what no further replica can mend.
    p_owned_frac : float
        The same where whole servers are bought and all their accelerators serve.
    n_sure : int
        Replicas with which the rate suffices in nine of ten cases; what is rented or bought grows
        to it where a test shows that it must.
    regime : str
        How far it lies from what was measured (`econ.latency.calibration.REGIMES`).
    basis : str
        simulated or screened.
    """

    scenario: Scenario
    n_replicas: int
    n_gpu_per_replica: int
    rate_per_s: float
    rate_p90_factor: float
    p_keeps_slo: float
    p_owned_frac: float
    n_sure: int
    regime: str
    basis: str
    row: pd.Series = dataclasses.field(repr=False)

    @property
    def accelerator(self) -> Accelerator:
        """The accelerator itself."""
        return self.scenario.deployment.resolved_accelerator

    @property
    def words(self) -> str:
        """Precision and split of a replica, e.g. ``fp8, TP 2``."""
        d = self.scenario.deployment
        parts = [f"{n.upper()} {getattr(d, n)}" for n in ("tp", "pp", "dp") if getattr(d, n) > 1]
        return ", ".join([d.precision, *parts])


def fleets_of(answer: Plan, n_most: int, among: Collection[str]) -> list[Fleet]:
    """The best fleet of each accelerator that meets the SLO, cheapest first.

    Parameters
    ----------
    answer : Plan
        What was searched.
    n_most : int
        Accelerators at most, e.g. 4.
    among : collection of str
        Accelerators, by name.

    Returns
    -------
    list of Fleet
        Of simulated rows where anything was simulated; empty where nothing meets the SLO.
    """
    best = _best_rows(answer, among).head(n_most)
    return [_fleet(answer, row) for _, row in best.iterrows()]


def fleets_to_buy(
    answer: Plan, n_sure: int, usd_per_gpu_hour: Mapping[str, float], known: Sequence[Fleet]
) -> list[Fleet]:
    """More fleets, in the order of what their whole servers cost, until ``n_sure`` can be bought.

    ``known`` fleets count where they stand in that order; what binds for years has to be sure of
    the SLO (`BINDING_P`).
    """
    there = {fleet.accelerator.id: fleet for fleet in known}
    best = _best_rows(answer, usd_per_gpu_hour)
    usd = [
        in_servers(n, answer.accelerators[name]) * usd_per_gpu_hour[name]
        for n, name in zip(best["fleet_gpus"], best["accelerator"], strict=True)
    ]
    more: list[Fleet] = []
    for _, row in best.iloc[np.argsort(usd, kind="stable")].iterrows():
        if (fleet := there.get(str(row["accelerator"]))) is None:
            more.append(fleet := _fleet(answer, row))
        n_sure -= fleet.p_owned_frac >= BINDING_P
        if n_sure <= 0:
            break
    return more


def _best_rows(answer: Plan, among: Collection[str]) -> pd.DataFrame:
    rows = answer.simulated if answer.n_simulated else answer.feasible
    return rows[rows["accelerator"].isin(list(among))].drop_duplicates("accelerator")


def _fleet(answer: Plan, row: pd.Series) -> Fleet:
    n = max(int(row["n_replicas"]) - answer.demand.n_spare, 1)
    peak = answer.demand.peak_per_s
    scenario = answer.scenario(row)
    is_simulated = row["basis"] == "simulated"
    rate = _sustained_rate(answer, row, n) if is_simulated else row["requests_per_s_per_replica"]
    factor = float(row["rate_p90_factor"])
    n_sure = math.ceil(peak * math.exp(ONE_SIDED * math.log(factor) / Z90) / rate * ROUNDING)
    n_sure = max(n, n_sure)
    n_slow = max(n_sure, math.ceil(n * factor))  # at the low end of the band of the speed
    size = int(row["n_gpu"])
    n_owned = int(in_servers(n_slow * size, scenario.deployment.resolved_accelerator)) // size
    p_keeps = _latency_share(answer, row, scenario, n_slow) if is_simulated else 1.0
    p_owned_frac = p_keeps
    if p_keeps < NEARLY_SURE and n_owned > n_slow:
        p_owned_frac = max(p_keeps, _latency_share(answer, row, scenario, n_owned))
    return Fleet(
        scenario=scenario,
        n_replicas=n,
        n_gpu_per_replica=int(row["n_gpu"]),
        rate_per_s=float(rate),
        rate_p90_factor=factor,
        p_keeps_slo=p_keeps,
        p_owned_frac=p_owned_frac,
        n_sure=n_sure,
        regime=str(row["regime"]),
        basis=str(row["basis"]),
        row=row,
    )


def _sustained_rate(answer: Plan, row: pd.Series, n: int) -> float:
    """Requests per second of a replica: between what the fleet's peak and one replica less show."""
    peak = answer.demand.peak_per_s
    least, most = peak / n, peak / (n - 1) * ROUNDING if n > 1 else math.inf
    if n > MOST_TELLING:
        return math.sqrt(least * most)
    one = answer.scenario(row)
    batch = _largest_batch(answer, row)
    one = one.with_(n_gpu=int(row["n_gpu"]), max_batch=batch, token_budget=max(2048, 2 * batch))
    found = max_rate_per_s(one, n=N_REQUESTS, tolerance_frac=TOLERANCE_FRAC)
    return float(np.clip(found, least, most))


def _largest_batch(answer: Plan, row: pd.Series) -> int:
    """The largest batch limit of this replica that the search found within the SLO."""
    rows = answer.rows
    alike = (rows["basis"] != "rejected").to_numpy()
    for key in KEYS:
        alike = alike & (rows[key] == row[key]).to_numpy()
    most = int(rows["concurrency"].to_numpy()[alike].max())
    limit = answer.demand.scenario.deployment.max_batch
    return min(most, limit or max(concurrency_grid()))


def _latency_share(answer: Plan, row: pd.Series, scenario: Scenario, n: int) -> float:
    """P(the SLO's share of requests is within both limits), when both latencies err together.

    Where the model is off, it is off for all steps: one error in units of its band moves TTFT and
    TPOT. The largest error at which enough simulated requests still meet both limits decides.
    """
    demand = answer.demand
    fleet = scenario.with_(n_gpu=n * int(row["n_gpu"]))
    rate_per_s = simulated_per_s(demand.peak_per_s, 2 * N_REQUESTS)
    requests = simulate(fleet, rate_per_s=rate_per_s, n=2 * N_REQUESTS).requests
    return share_within(requests.ttft_s, requests.tpot_s, row, demand.slo)


def share_within(ttft_s: np.ndarray, tpot_s: np.ndarray, row: pd.Series, slo: Slo) -> float:
    """P(enough requests meet both limits), where the model's error shifts all their latencies.

    ``row`` holds the bands of the latency model at this fleet.
    """
    times = ttft_s, np.nan_to_num(tpot_s)  # one token alone has no TPOT
    ttft, tpot = (np.log(np.maximum(t, np.finfo(float).tiny)) for t in times)
    error = np.linspace(-3, 3, 121)[:, None]
    factors = [
        min(math.log(row[f"{name}_high_s"] / row[f"{name}_s"]) / Z90, WIDEST) for name in LATENCIES
    ]
    good = (ttft + error * factors[0] <= math.log(slo.ttft_s)) & (
        tpot + error * factors[1] <= math.log(slo.tpot_s)
    )
    enough = good.mean(axis=1) >= slo.attainment_frac
    return _normal(float(error[enough].max())) if enough.any() else 0.0


def _normal(z: float) -> float:
    return (1 + math.erf(z / math.sqrt(2))) / 2
