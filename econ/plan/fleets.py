"""Fleets of one replica shape: what they are in the simulator, what they cost, which are enough.

A shape is an accelerator, a precision and a split; its fleets differ in the number of replicas and
in the batch limit. Fewer places in the batch make requests wait longer for their first token, more
make each token slower: so a limit that fails by TTFT rules out the smaller ones, one that fails by
TPOT the larger ones, and one that is never reached stands for all above it.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from econ.catalog.catalog import Accelerator
from econ.plan.bounds import (
    SLACK_FRAC,
    first_tokens_in_time_frac,
    least_prefill_s,
    most_rates_per_s,
)
from econ.plan.search import KEYS, ROUNDING, Demand, server_gpus
from econ.plan.trials import Draws, Trial, try_fleet
from econ.scenario import Scenario
from econ.serving import Disaggregated, Replica, replica
from econ.serving.pool_sizes import n_prefill_replicas

GROWTH = 8  # a fleet more than this many times the least possible is not looked for
NOISE_FRAC = 0.005  # by which a share within one limit may move against the batch limit
LEAST_BUDGET = 2048  # tokens of a step, where the scenario names none
NEVER = 1 << 40  # replicas, where no number is enough


def deployed(
    scenario: Scenario, row: Any, accelerator: Accelerator, n_gpu: int, policy: str
) -> Scenario:
    """The scenario on the deployment of a row: its split, precision, batch limit and budget."""
    batch = max(int(row.concurrency), 1)
    own = scenario.deployment
    budget = own.token_budget
    deployment = dataclasses.replace(
        own,
        accelerator=accelerator,
        n_gpu=n_gpu,
        tp=int(row.tp),
        pp=int(row.pp),
        ep=int(row.ep),
        dp=int(row.dp),
        precision=str(row.precision),
        max_batch=batch,
        token_budget=max(LEAST_BUDGET, 2 * batch) if budget is None else budget,
        policy=policy,
    )
    return scenario.with_(deployment=deployment)


def least_size(policy: str) -> int:
    """Replicas that a policy needs."""
    return 2 if policy == "disaggregated" else 1


class Row(NamedTuple):
    """What the search knows of one shape under one batch limit (`econ.plan.search`)."""

    accelerator: Accelerator
    precision: str
    tp: int
    pp: int
    ep: int
    dp: int
    n_gpu: int
    concurrency: int
    slowdown: float
    usd_per_gpu_hour: float
    requests_per_s_per_replica: float
    rate_p90_factor: float
    ttft_s: float
    ttft_high_s: float
    tpot_s: float
    tpot_high_s: float


class Found(NamedTuple):
    """The smallest fleet of a shape that is enough, or (without a trial that keeps the SLO) the
    largest that was tried and is not."""

    n_row: int  # of the shape's rows: the batch limit
    n_replicas: int  # spares not counted
    trial: Trial


class Shape:
    """The fleets of one replica shape under one policy.

    Parameters
    ----------
    rows : sequence of Row
        Rows of the search that can be built, one a batch limit, in rising order.
    policy : str
        How the replicas schedule.
    demand : Demand
        What has to be served.
    draws : Draws
        The requests.

    Raises
    ------
    ValueError
        Where the simulator cannot represent the shape.
    """

    def __init__(self, rows: Sequence[Row], policy: str, demand: Demand, draws: Draws) -> None:
        self.rows = rows
        self.policy, self.demand, self.draws, self.n_first = policy, demand, draws, 0
        self.limits = np.array([max(int(row.concurrency), 1) for row in self.rows])
        widest = self.rows[-1]
        n_gpu = int(widest.n_gpu) * least_size(policy)
        self.scenario = deployed(demand.scenario, widest, widest.accelerator, n_gpu, policy)
        built = replica(self.scenario)
        one, self.transfer_s = built, 0.0
        if isinstance(built, Disaggregated):
            one, self.transfer_s = built.prefill, built.kv_transfer_s_per_token
        assert isinstance(one, Replica)
        self.one: Replica = one.replace(
            cost=one.cost.times(float(widest.slowdown)), n_replicas=1, routing="least_loaded"
        )
        self.trials: dict[tuple[int, int], Trial] = {}
        self.sure: dict[Any, Any] = {}  # what `econ.plan.surest` made of it
        most_gpus, _ = demand.scenario.power_limit(widest.accelerator)
        self.n_held = most_gpus // int(widest.n_gpu) - demand.n_spare  # by the site's power

    def sharing(self, twin: Shape) -> Shape:
        """This shape, with the bound and the simulations of one that is the same `machine`."""
        self.n_least, self.trials = twin.n_least, twin.trials
        return self

    @property
    def machine(self) -> tuple[Any, ...]:
        """What the simulator knows of the replica: formats and splits that it cannot tell apart
        share it."""
        one, first = self.one, self.rows[0]
        numbers = [getattr(one, f.name) for f in dataclasses.fields(one) if f.name != "cost"]
        tables = [np.asarray(getattr(one.cost, f.name)) for f in dataclasses.fields(one.cost)]
        split = first[: len(KEYS)] if self.transfer_s else ()  # pools divide by it
        known = (*(table.tobytes() for table in tables), self.limits.tobytes())
        return (self.policy, *split, self.transfer_s, *numbers, *known)

    def paid(self, rows: Sequence[Row], demand: Demand, n_first: int = 0) -> Shape:
        """The same fleets at other prices, with all that was simulated of them.

        ``n_first`` is the position of the batch limit to try first.
        """
        other = copy.copy(self)
        other.rows, other.demand, other.n_first = rows, demand, n_first
        return other

    @functools.cached_property
    def n_least(self) -> np.ndarray:
        """Replicas that no fleet of each batch limit can do with less (`econ.plan.bounds`)."""
        slo, prompts = self.demand.slo, self.draws.prompts(self.one)
        work = self.draws.work(self.one)
        rates = most_rates_per_s(self.one, work, slo, self.policy)[self.limits - 1]
        with np.errstate(divide="ignore"):
            needed = np.ceil(self.demand.peak_per_s / rates * ROUNDING)
        if self.policy == "disaggregated":
            reading_s = least_prefill_s(self.one, work) / (1 + SLACK_FRAC)
            needed = needed + math.ceil(self.demand.peak_per_s * reading_s * ROUNDING)
        in_time = min(
            first_tokens_in_time_frac(self.one, draw, float(slo.ttft_s)) for draw in prompts
        )
        if in_time < slo.attainment_frac:
            needed = np.full(len(rates), np.inf)
        least: np.ndarray = np.clip(needed, least_size(self.policy), NEVER).astype("int64")
        return least

    def fleet(self, n_replicas: int, max_batch: int) -> Replica | Disaggregated:
        """So many replicas behind a router, or shared between two pools by their work."""
        one = self.one.replace(max_batch=max_batch)
        if self.policy != "disaggregated":
            return one.replace(n_replicas=n_replicas)
        n_prefill = n_prefill_replicas(one, n_replicas, self.scenario)
        return Disaggregated(
            prefill=one.replace(n_replicas=n_prefill),
            decode=one.replace(n_replicas=n_replicas - n_prefill),
            kv_transfer_s_per_token=self.transfer_s,
        )

    def trial(self, n_replicas: int, n_row: int) -> Trial:
        """What a fleet does under a batch limit."""
        key = (n_replicas, n_row)
        if key not in self.trials:
            fleet = self.fleet(n_replicas, int(self.limits[n_row]))
            self.trials[key] = try_fleet(fleet, self.draws, self.demand.slo)
        return self.trials[key]

    def best(self, n_replicas: int, stop_at_first: bool = False) -> Found:
        """The batch limit with the greatest share of good requests, or the first that is enough.

        Where none is enough, the one that comes nearest of those tried.
        """
        open_rows = np.flatnonzero(self.n_least <= n_replicas)
        limits = self.limits[open_rows]
        best, nearest = None, Found(self.n_first, n_replicas, Trial(False))
        todo = [(0, len(open_rows))]
        while todo:
            low, high = todo.pop()
            if low >= high:
                continue
            k = (low + high) // 2
            if (low, high) == (0, len(open_rows)):
                k = min(int(np.searchsorted(open_rows, self.n_first)), high - 1)
            fleet = Found(int(open_rows[k]), n_replicas, self.trial(n_replicas, int(open_rows[k])))
            trial = fleet.trial
            if trial.keeps and (best is None or trial.good_frac > best.trial.good_frac):
                best = fleet
                if stop_at_first:
                    break
            if not trial.keeps and trial.good_frac >= nearest.trial.good_frac:
                nearest = fleet
            floor = best.trial.good_frac if best else self.demand.slo.attainment_frac - NOISE_FRAC
            fewer = int(np.searchsorted(limits, trial.n_most_running))  # those above are no limit
            if trial.ttft_met_frac > floor:
                todo.append((low, min(k, fewer)))
            if trial.tpot_met_frac > floor and trial.n_most_running >= limits[k]:
                todo.append((k + 1, high))
        return best or nearest

    def least_fleet(self, n_most: int | None = None) -> Found | None:
        """The smallest fleet that keeps the SLO, of ``n_most`` replicas at most.

        None where the bound rules all of them out; without ``n_most``, up to `GROWTH` times the
        least that is possible.
        """
        n_from = int(self.n_least.min())
        ends = [self.n_held] if n_most is None else [self.n_held, n_most]
        if n_from >= NEVER or n_from > min(ends):
            return None
        low, step = n_from - 1, 1
        if n_most is None:
            high, n_most = n_from, min(GROWTH * n_from, self.n_held)
        else:
            high = n_most
        while not (fleet := self.best(high, stop_at_first=True)).trial.keeps:
            if high >= n_most:
                return fleet
            low, high, step = high, min(high + step, n_most), 2 * step
        while high - low > 1:
            middle = (low + high) // 2
            if (tried := self.best(middle, stop_at_first=True)).trial.keeps:
                high, fleet = middle, tried
            else:
                low = middle
        return fleet

    def usd_per_hour(self, n_replicas: int) -> float:
        """What a fleet of so many replicas and the spares costs."""
        row = self.rows[0]
        size = server_gpus(self.demand, row.accelerator)
        n_gpu = (n_replicas + self.demand.n_spare) * row.n_gpu
        return math.ceil(n_gpu / size) * size * row.usd_per_gpu_hour

    def most_replicas(self, usd_per_hour: float) -> int | None:
        """Replicas that cost less than so much per hour; None for any number."""
        if math.isinf(usd_per_hour):
            return None
        row = self.rows[0]
        n = math.ceil(usd_per_hour / row.usd_per_gpu_hour / row.n_gpu) - self.demand.n_spare
        while n > 0 and self.usd_per_hour(n) >= usd_per_hour * ROUNDING:
            n -= 1
        return min(n, self.n_held)

    def best_fleet(self, usd_per_hour: float = math.inf, is_fewest: bool = False) -> Found | None:
        """The smallest fleet below a price that keeps the SLO, with the most good requests.

        One of more replicas where they pay in good requests, unless the fewest are asked for.
        """
        n_most = self.most_replicas(usd_per_hour)
        fleet = self.least_fleet(n_most) if n_most is None or n_most > 0 else None
        if fleet is None or not fleet.trial.keeps:
            return fleet
        best = self.best(fleet.n_replicas)
        if is_fewest:
            return best
        least, n = self.objective(best.n_replicas, best.trial.good_frac), best.n_replicas + 1
        while n <= self.n_held and self.objective(n, 1.0) < least:
            more = self.best(n)
            if (value := self.objective(n, more.trial.good_frac)) < least:
                best, least = more, value
            n += 1
        return best

    def objective(self, n_replicas: int, good_frac: float) -> float:
        """What a fleet should have least of: cost over good requests, or cost less their value."""
        usd = self.usd_per_hour(n_replicas)
        if self.demand.value_usd_per_answer is not None:
            return usd - good_frac * self.demand.most_usd_per_hour
        return usd / good_frac
