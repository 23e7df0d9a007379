"""A plan's best replica of each accelerator, as something to rent or buy: rate, band, P(SLO).

The plan sizes a fleet for one rate. A decision asks more: how many replicas at three in the
morning and after two years of growth. So each fleet carries the rate that one of its replicas
sustains within the SLO, simulated where the plan's fleet is too small to show it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
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
TWINS = [*KEYS, "concurrency", "policy", "n_replicas"]  # the same replicas
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
    n_spare : int
        Replicas that stand by in every hour, and are paid.
    rate_per_s : float
        Requests per second that one replica sustains within the SLO.
    rate_p90_factor : float
        Within which that rate is known, for nine held-out cases in ten.
    p_keeps_slo : float
        Probability that the SLO is kept, from the bands of the latency model, with the replicas
        that each case needs: what is missing to 1 is what no further replica can mend. Where whole
        servers are bought, all their accelerators serve.
    n_sure : int
        Replicas with which the rate suffices in nine of ten cases; what is rented or bought grows
        to it where a test shows that it must.
    regime : str
        How far it lies from what was measured (`econ.latency.calibration.REGIMES`).
    basis : str
        simulated or screened.
    is_owned : bool
        Whether it is bought, in whole servers.
    """

    scenario: Scenario
    n_replicas: int
    n_gpu_per_replica: int
    rate_per_s: float
    rate_p90_factor: float
    p_keeps_slo: float
    n_sure: int
    regime: str
    basis: str
    is_owned: bool = False
    n_spare: int = 0
    row: pd.Series = dataclasses.field(repr=False)

    @property
    def accelerator(self) -> Accelerator:
        """The accelerator itself."""
        return self.scenario.deployment.resolved_accelerator

    def times(self, n_parts: int) -> Fleet:
        """So many of it, each for its part of the load."""
        if n_parts == 1:
            return self
        n = self.n_replicas * n_parts
        load = self.scenario.workload.rate_per_s * n_parts
        return dataclasses.replace(
            self, n_replicas=n, n_sure=self.n_sure * n_parts,
            scenario=self.scenario.with_(n_gpu=n * self.n_gpu_per_replica, rate_per_s=load),
        )  # fmt: skip

    @property
    def key(self) -> tuple[str, str]:
        """Accelerator, and ``"rent"`` or ``"own"``."""
        return self.accelerator.id, "own" if self.is_owned else "rent"

    @property
    def speed(self) -> str:
        """What its rate rests on: fleets that share it are fast or slow together."""
        name = self.accelerator.id
        return name if self.regime == "calibrated" else f"{name} ({self.regime})"

    @property
    def words(self) -> str:
        """Precision and split of a replica, e.g. ``fp8, TP 2``."""
        d = self.scenario.deployment
        parts = [f"{n.upper()} {getattr(d, n)}" for n in ("tp", "pp", "dp") if getattr(d, n) > 1]
        return ", ".join([d.precision, *parts])


def fleets_at(
    answer: Plan,
    usd_per_gpu_hour: Mapping[str, float],
    n_most: int,
    n_sure: int,
    known: Sequence[Fleet],
) -> list[Fleet]:
    """The fleets that are known, and the cheapest of more accelerators at these prices.

    Parameters
    ----------
    answer : Plan
        What was searched.
    usd_per_gpu_hour : mapping of str to float
        Prices on one term, by accelerator.
    n_most : int
        Accelerators looked at in the order of their cost, e.g. 3; more, until ``n_sure`` of them
        are so sure of the SLO as what binds has to be (`BINDING_P`).
    n_sure : int
        See there.
    known : sequence of Fleet
        Those of other price lists, which count where they stand in that order.
    """
    rows = answer.simulated if answer.n_simulated else answer.feasible
    rows = rows[rows["accelerator"].isin(list(usd_per_gpu_hour))]
    hour = rows["accelerator"].astype(str).map(usd_per_gpu_hour).to_numpy(dtype=float)
    family = "own" if answer.demand.scenario.finance.tenure == "owned" else "rent"
    # of whole servers that cost the same, those with the most good requests come first
    usd = rows["cost_usd_per_good_mtok"].to_numpy() / rows["usd_per_gpu_hour"].to_numpy() * hour
    best = rows.iloc[np.argsort(usd, kind="stable")]
    fleets = {fleet.key: fleet for fleet in known}
    for _, row in best.drop_duplicates("accelerator").iterrows():
        key = str(row["accelerator"]), family
        if key not in fleets:
            fleets[key] = _fleet(answer, row, list(fleets.values()))
        n_most -= 1
        n_sure -= fleets[key].p_keeps_slo >= BINDING_P
        if n_most <= 0 and n_sure <= 0:
            break
    return list(fleets.values())


def _fleet(answer: Plan, row: pd.Series, known: Sequence[Fleet]) -> Fleet:
    """A row as a fleet; what was found of the same replicas on other terms is not sought again."""
    n, size = max(int(row["n_replicas"]) - answer.demand.n_spare, 1), int(row["n_gpu"])
    peak = answer.demand.peak_per_s
    scenario = answer.scenario(row)
    is_owned = scenario.finance.tenure == "owned"
    twin = next((fleet for fleet in known if _twins(row, fleet.row)), None)
    is_simulated = row["basis"] == "simulated"
    if twin:
        rate = twin.rate_per_s
    elif is_simulated:
        rate = _sustained_rate(answer, row, n)
    else:
        rate = float(row["requests_per_s_per_replica"])
    factor = float(row["rate_p90_factor"])
    n_sure = math.ceil(peak * math.exp(ONE_SIDED * math.log(factor) / Z90) / rate * ROUNDING)
    n_sure = max(n, n_sure)
    n_slow = max(n_sure, math.ceil(n * factor))  # at the low end of the band of the speed
    n_whole = int(in_servers(n_slow * size, scenario.deployment.resolved_accelerator)) // size
    p_keeps = 1.0
    if is_simulated:
        p_keeps = twin.p_keeps_slo if twin else _latency_share(answer, row, scenario, n_slow)
        if is_owned and p_keeps < NEARLY_SURE and n_whole > n_slow:
            p_keeps = max(p_keeps, _latency_share(answer, row, scenario, n_whole))
    return Fleet(
        scenario=scenario,
        n_replicas=n,
        n_gpu_per_replica=size,
        rate_per_s=rate,
        rate_p90_factor=factor,
        p_keeps_slo=p_keeps,
        n_sure=n_sure,
        regime=str(row["regime"]),
        basis=str(row["basis"]),
        is_owned=is_owned,
        n_spare=answer.demand.n_spare,
        row=row,
    )


def _twins(one: pd.Series, other: pd.Series) -> bool:
    """Whether two rows are the same replicas."""
    return all(one.get(name) == other.get(name) for name in TWINS)


def _sustained_rate(answer: Plan, row: pd.Series, n: int) -> float:
    """Requests per second of a replica: between what the fleet's peak and one replica less show."""
    peak = answer.demand.peak_per_s
    least, most = peak / n, peak / (n - 1) * ROUNDING if n > 1 else math.inf
    if n > MOST_TELLING:
        return math.sqrt(least * most)
    one = answer.scenario(row)
    batch = _largest_batch(answer, row)
    one = one.with_(n_gpu=int(row["n_gpu"]), max_batch=batch, token_budget=max(2048, 2 * batch))
    rate_per_s = max_rate_per_s(one, n=N_REQUESTS, tolerance_frac=TOLERANCE_FRAC)
    return float(np.clip(rate_per_s, least, most))


def _largest_batch(answer: Plan, row: pd.Series) -> int:
    """The largest batch limit of this replica that the search found within the SLO."""
    most = max(int(row["concurrency"]), answer.largest_batch(row))
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
