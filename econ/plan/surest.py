"""Whether a fleet keeps its SLO where the latency model is wrong, and the cheapest that does.

Where the model is off, it is off for all steps: one error, in standard deviations of its band,
moves TTFT and TPOT of all requests. The largest error at which enough requests still meet both
limits is the chance that the SLO is kept. Slow cases are met with more replicas:
as many as the band of the rate asks for.

>>> round(chance_of(least_sd(0.9)), 2) >= 0.9
True
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from econ.catalog.laws import normal_share
from econ.plan.bounds import first_tokens_in_time_frac
from econ.plan.fleets import Found, Row, Shape
from econ.plan.search import ROUNDING, in_servers
from econ.plan.tasks import Task
from econ.plan.trials import Trial, first_times, try_fleet
from econ.terms import Slo

ERRORS = np.linspace(-3, 3, 121)  # standard deviations of the latency model
Z90 = 1.6449  # normal quantile: nine of ten within
WIDEST = 100.0  # logarithm of a band without an end
HOPELESS = 3.0  # logarithm of a standard deviation beyond which nothing is sure
LATENCIES = ("ttft", "tpot")
Chance: TypeAlias = float  # of keeping the SLO
Extra = Callable[[Any], Any]  # accelerators that are paid for -> USD per hour beside their own


class Wanted(NamedTuple):
    """How sure of the SLO the cheapest fleet has to be, and what an hour costs beside its price."""

    chances: Sequence[Chance]
    extra: Extra


class Spread(NamedTuple):
    """Logarithms of the factor that TTFT and TPOT are off by, in one standard deviation."""

    ttft_factor: float
    tpot_factor: float

    @classmethod
    def of(cls, row: Any) -> Spread:
        """From the bands of a row, e.g. ``ttft_s`` and ``ttft_high_s``."""
        ends = [(getattr(row, f"{n}_high_s"), getattr(row, f"{n}_s")) for n in LATENCIES]
        return cls(*(min(math.log(high / typical) / Z90, WIDEST) for high, typical in ends))

    def tightened(self, slo: Slo, n_sd: float) -> Slo:
        """The limits that a prediction has to keep, so that the SLO holds up to that error."""
        ttft, tpot = (math.exp(-n_sd * width) for width in self)
        return dataclasses.replace(slo, ttft_s=slo.ttft_s * ttft, tpot_s=slo.tpot_s * tpot)


def chance_of(n_sd: float) -> float:
    """P(the latency model errs by no more than so many standard deviations to the slow side)."""
    return float(normal_share(n_sd))


def least_sd(p_frac: float) -> float:
    """The first of `ERRORS` that is not exceeded with so high a chance."""
    return float(next((e for e in ERRORS if chance_of(e) >= p_frac), ERRORS[-1]))


def share_within(ttft_s: np.ndarray, tpot_s: np.ndarray, spread: Spread, slo: Slo) -> float:
    """P(enough requests meet both limits), where the model's error shifts all their latencies."""
    times = ttft_s, np.nan_to_num(tpot_s)  # one token alone has no TPOT
    ttft, tpot = (np.log(np.maximum(t, np.finfo(float).tiny)) for t in times)
    room = np.minimum(  # the error that a request bears
        _room(math.log(slo.ttft_s) - ttft, spread.ttft_factor),
        _room(math.log(slo.tpot_s) - tpot, spread.tpot_factor),
    )
    n_most_late = math.floor((1 - slo.attainment_frac) * len(room) * (1 + 1e-9))
    room = np.where(np.isnan(ttft_s), -np.inf, room)  # never answered
    at_most = np.sort(room)[min(n_most_late, len(room) - 1)] * (1 + 1e-12) + 1e-12
    enough = ERRORS[at_most >= ERRORS]
    return chance_of(float(enough[-1])) if len(enough) else 0.0


def _room(log_slack: np.ndarray, width: float) -> np.ndarray:
    if width <= 0:
        return np.where(log_slack >= 0, np.inf, -np.inf)
    return np.asarray(log_slack / width)


def n_in_slow_cases(row: Any, n_replicas: int, is_owned: bool) -> int:
    """Replicas that serve where the rate is at the low end of its band.

    Of machines of one's own all in the servers that they fill.
    """
    n, size = math.ceil(n_replicas * float(row.rate_p90_factor)), int(row.n_gpu)
    n_gpu = int(in_servers(n * size, row.accelerator)) if is_owned else n * size
    return max(n, n_gpu // size)


def chance(shape: Shape, n_replicas: int, n_row: int, is_owned: bool) -> float:
    """P(so many replicas of a shape keep the SLO) under the batch limit of a row."""
    row, slo = shape.rows[n_row], shape.demand.slo
    fleet = shape.fleet(n_in_slow_cases(row, n_replicas, is_owned), int(shape.limits[n_row]))
    times = first_times(fleet, shape.draws)
    return share_within(times.ttft_s, times.tpot_s, Spread.of(row), slo)


class SureShape(Shape):
    """Fleets of a shape that keep the SLO, and up to an error of the latency model too.

    Parameters
    ----------
    shape : Shape
        What is built.
    at : sequence of int
        Positions of its rows, all with one band.
    n_sd : float
        The error, in standard deviations.
    is_owned : bool
        Whether all machines of whole servers serve.
    """

    def __init__(self, shape: Shape, at: list[int], n_sd: float, is_owned: bool) -> None:
        self.__dict__.update(copy.copy(shape).__dict__)
        self.shape, self.places, self.is_owned = shape, at, is_owned
        self.rows, self.limits = [shape.rows[k] for k in at], shape.limits[at]
        self.n_least = shape.n_least[at]
        self.n_first = min(int(np.searchsorted(at, shape.n_first)), len(at) - 1)
        self.tight = Spread.of(self.rows[0]).tightened(shape.demand.slo, n_sd)
        self.trials = {}

    def trial(self, n_replicas: int, n_row: int) -> Trial:
        """What the usual fleet does; where that is enough, what the one of slow cases does."""
        key = (n_replicas, n_row)
        if key not in self.trials:
            usual = self.shape.trial(n_replicas, self.places[n_row])
            if usual.keeps:
                n = n_in_slow_cases(self.rows[n_row], n_replicas, self.is_owned)
                fleet = self.fleet(n, int(self.limits[n_row]))
                usual = try_fleet(fleet, self.draws, self.tight, n_draws=1)
            self.trials[key] = usual
        return self.trials[key]

    @functools.cached_property
    def is_possible(self) -> bool:
        """Whether enough requests would be in time if each had a replica alone."""
        share = float(self.demand.slo.attainment_frac)
        if not self.one.speculation:  # else tokens are not steps
            _, prompt, out, _ = self.draws.arrays[0]
            ends = np.array([prompt.min(), prompt.max()], "float64")
            ends_s = [float(self.one.cost.decode_steps_s(1, context)[0]) for context in ends]
            late = np.interp(prompt, ends, ends_s) > self.tight.tpot_s
            if np.mean(late & (out > 1)) > 1 - share:
                return False
        first = self.draws.prompts(self.one)[0]
        return first_tokens_in_time_frac(self.one, first, float(self.tight.ttft_s)) >= share


def sure_shapes(shape: Shape, n_sd: float, is_owned: bool) -> list[SureShape]:
    """A shape, once for each band of its rows, the narrowest first."""
    by_spread: dict[Spread, list[int]] = {}
    for k, row in enumerate(shape.rows):
        by_spread.setdefault(Spread.of(row), []).append(k)
    parts = sorted(by_spread.items(), key=lambda item: sum(item[0]))
    return [SureShape(shape, at, n_sd, is_owned) for spread, at in parts if max(spread) < HOPELESS]


def cheapest_sure(
    shape: Shape, n_sd: float, is_owned: bool, price_ratio: float, extra: Extra, below_usd: float
) -> tuple[float, Found] | None:
    """USD per hour and the smallest fleet of a shape that is sure and costs less than a limit.

    ``price_ratio`` is what an hour costs over the price in the rows, ``extra`` what comes on top.
    """
    row = shape.rows[0]
    best: tuple[float, Found] | None = None

    def usd_per_hour(n_replicas: int) -> float:
        usd = shape.usd_per_hour(n_replicas)
        return usd * price_ratio + float(extra(usd / row.usd_per_gpu_hour))

    def most_replicas(below_usd: float) -> int | None:
        if math.isinf(below_usd):
            return None
        each = row.usd_per_gpu_hour * price_ratio * row.n_gpu
        n = math.ceil((below_usd - float(extra(row.n_gpu))) / each)
        while n > 0 and usd_per_hour(n) >= below_usd * ROUNDING:
            n -= 1
        return n

    n = most_replicas(below_usd)
    if n is not None and n < shape.n_least.min():
        return None
    key = n_sd, is_owned
    if key not in shape.sure:
        shape.sure[key] = sure_shapes(shape, n_sd, is_owned)
    for one in shape.sure[key]:
        if (n is None or n >= one.n_least.min()) and one.is_possible:
            fleet = one.least_fleet(n)
            if fleet is not None and fleet.trial.keeps:
                n_row = one.places[fleet.n_row]
                trial = shape.trial(fleet.n_replicas, n_row)
                usd = usd_per_hour(fleet.n_replicas)
                best, n = (usd, Found(n_row, fleet.n_replicas, trial)), most_replicas(usd)
    return best


def cheapest_of(
    tasks: Sequence[Task],
    bounds: np.ndarray,
    price_ratios: np.ndarray,
    build: Callable[[Task], tuple[Sequence[Row], Shape]],
    n_sd: float,
    is_owned: bool,
    extra: Extra,
) -> tuple[Task, Sequence[Row], Found] | None:
    """The cheapest fleet of all tasks that is sure: each is asked that could beat the best so far.

    ``bounds`` are USD per hour that no fleet of a task is below.
    """
    least_usd, best = math.inf, None
    for task, bound, ratio in zip(tasks, bounds, price_ratios, strict=True):
        if bound >= least_usd:
            continue
        try:
            rows, shape = build(task)
            better = cheapest_sure(shape, n_sd, is_owned, ratio, extra, least_usd)
        except ValueError:  # the simulator cannot represent it
            continue
        if better:
            least_usd, fleet = better
            best = task, rows, fleet
    return best
