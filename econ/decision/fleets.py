"""A plan's best replica of each accelerator, as something to rent or buy: rate, band, P(SLO).

The plan sizes a fleet for one rate. A decision asks more: how many replicas at three in the
morning and after two years of growth. So each fleet carries the rate that one of its replicas
sustains within the SLO, simulated where the plan's fleet is too small to show it.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.catalog import Accelerator
from econ.plan import Plan
from econ.plan.fleets import Shape, least_size
from econ.plan.optimum import Place
from econ.plan.screens import Screen
from econ.plan.search import KEYS, ROUNDING, in_servers
from econ.plan.surest import Z90, chance
from econ.plan.trials import simulated_per_s, try_requests
from econ.scenario import Scenario

MOST_TELLING = 4  # replicas; a larger fleet itself shows what one of its replicas sustains
N_REQUESTS, TOLERANCE_FRAC, MOST_PER_S = 1_000, 0.03, 1e6  # of the search for that rate
BINDING_P = 0.9  # of keeping the SLO, that what binds for years needs
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

    @functools.cached_property
    def replicas(self) -> tuple[Any, ...]:
        """What makes two fleets the same replicas."""
        return _replicas(self.row)

    @property
    def n_paid(self) -> int:
        """Accelerators at the peak, spares too; of whole servers where it is bought."""
        n = (self.n_replicas + self.n_spare) * self.n_gpu_per_replica
        return int(in_servers(n, self.accelerator)) if self.is_owned else n

    @property
    def label(self) -> str:
        """What tells it from all other fleets of a decision."""
        batch = self.scenario.deployment.max_batch
        return f"{' '.join(self.key)}: {self.n_replicas} × {self.words}, batch {batch}"

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
    screen: Screen,
    answer: Plan,
    usd_per_gpu_hour: Mapping[str, float],
    n_most: int,
    sure: Sequence[Place],
    known: Sequence[Fleet],
) -> list[Fleet]:
    """The fleets that are known, and the best of more accelerators at these prices.

    Parameters
    ----------
    screen, answer : Screen, Plan
        What was searched, and what was found.
    usd_per_gpu_hour : mapping of str to float
        Prices on one term, by accelerator.
    n_most : int
        Accelerators looked at in the order of their cost, e.g. 3.
    sure : sequence of int
        Places, in what was simulated, of the cheapest fleets that are sure at these prices.
    known : sequence of Fleet
        Those of other price lists, which count where they stand in that order.
    """
    rows = _found(answer)
    rows = rows[rows["accelerator"].isin(list(usd_per_gpu_hour))]
    hour = rows["accelerator"].map(usd_per_gpu_hour).to_numpy(dtype=float)
    # of whole servers that cost the same, those with the most good requests come first
    usd = rows["cost_usd_per_good_mtok"].to_numpy() / rows["usd_per_gpu_hour"].to_numpy() * hour
    best = rows.iloc[np.argsort(usd, kind="stable")].drop_duplicates("accelerator").head(n_most)
    of_sure = rows[rows["place"].isin(list(sure))]
    fleets = list(known)
    for _, row in pd.concat([best, of_sure]).iterrows():
        if not any(_replicas(row) == fleet.replicas and _is_of(answer, fleet) for fleet in fleets):
            fleets.append(_fleet(screen, answer, row, fleets))
    return [
        one
        for n, one in enumerate(fleets)
        if not any(_dominates(other, one, k < n) for k, other in enumerate(fleets) if k != n)
    ]


def _found(answer: Plan) -> pd.DataFrame:
    """What keeps the SLO by simulation (else by the screen), with its place in the evidence."""
    if not answer.n_simulated:
        return answer.feasible.assign(place=-1)
    rows = answer.evidence.rows
    rows = rows.assign(place=np.arange(len(rows)), basis="simulated")
    rows = rows[(rows["constraint"] == "").to_numpy()]
    return rows.assign(accelerator=[chip.id for chip in rows["accelerator"]])


def _is_of(answer: Plan, fleet: Fleet) -> bool:
    return fleet.is_owned == (answer.demand.scenario.finance.tenure == "owned")


def _dominates(one: Fleet, other: Fleet, is_before: bool) -> bool:
    """Whether a fleet is surer than another at the same bill: as many of the same accelerators.

    Of two that are as sure the one before stays. Where they are rented, smaller replicas follow the
    hours of the day better.
    """
    p_gain = one.p_keeps_slo - other.p_keeps_slo
    is_finer = one.is_owned or one.n_gpu_per_replica <= other.n_gpu_per_replica
    return (
        one.key == other.key
        and one.n_paid == other.n_paid
        and (p_gain > 0 or (p_gain == 0 and is_before))
        and is_finer
    )


def _fleet(screen: Screen, answer: Plan, row: pd.Series, known: Sequence[Fleet]) -> Fleet:
    """A row as a fleet; what was found of the same replicas on other terms is not sought again."""
    n, size = max(int(row["n_replicas"]) - answer.demand.n_spare, 1), int(row["n_gpu"])
    peak = answer.demand.peak_per_s
    scenario = answer.scenario(row)
    is_owned = scenario.finance.tenure == "owned"
    twin = next((fleet for fleet in known if fleet.replicas == _replicas(row)), None)
    is_simulated = row["basis"] == "simulated"
    shape, n_row = screen.shape(row) if is_simulated else (None, 0)
    if twin:
        rate = twin.rate_per_s
    elif shape:
        rate = _sustained_rate(shape, n_row, n)
    else:
        rate = float(row["requests_per_s_per_replica"])
    factor = float(row["rate_p90_factor"])
    n_sure = math.ceil(peak * math.exp(ONE_SIDED * math.log(factor) / Z90) / rate * ROUNDING)
    p_keeps = chance(shape, n, n_row, is_owned) if shape else 1.0
    return Fleet(
        scenario=scenario,
        n_replicas=n,
        n_gpu_per_replica=size,
        rate_per_s=rate,
        rate_p90_factor=factor,
        p_keeps_slo=p_keeps,
        n_sure=max(n, n_sure),
        regime=str(row["regime"]),
        basis=str(row["basis"]),
        is_owned=is_owned,
        n_spare=answer.demand.n_spare,
        row=row,
    )


def _replicas(row: pd.Series) -> tuple[Any, ...]:
    """What makes two rows the same replicas."""
    return tuple(row.get(name) for name in TWINS)


def _sustained_rate(shape: Shape, n_row: int, n: int) -> float:
    """Requests per second of a replica: between what the fleet's peak and one replica less show.

    Under the largest batch limit that the screen finds within the SLO.
    """
    peak, slo = shape.demand.peak_per_s, shape.demand.slo
    low, high = peak / n, peak / (n - 1) * ROUNDING if n > 1 else math.inf
    if n > MOST_TELLING:
        return math.sqrt(low * high)
    fit = (row.ttft_s <= slo.ttft_s and row.tpot_s <= slo.tpot_s for row in shape.rows)
    limit = max(shape.limits[n_row], *np.where([*fit], shape.limits, 0))
    one = shape.fleet(least_size(shape.policy), int(limit))
    arrivals, *rest = shape.draws.arrays[0]
    lengths = [None if part is None else part[:N_REQUESTS] for part in rest]
    drawn = simulated_per_s(peak, len(arrivals))
    low = min(max(low, drawn / n), high)

    def is_met(rate_per_s: float) -> bool:
        arrival_s = arrivals[:N_REQUESTS] * drawn / rate_per_s
        return try_requests(one, (arrival_s, *lengths), shape.draws, slo)

    rate = min(2 * low, high)
    while rate < high and rate < MOST_PER_S and is_met(rate):
        low, rate = rate, min(2 * rate, high)
    high = min(high, rate)
    while high / low > 1 + TOLERANCE_FRAC:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if is_met(middle) else (low, middle)
    return low
