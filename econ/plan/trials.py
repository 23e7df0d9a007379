"""One fleet under real arrivals: does it keep the SLO, on every draw of the requests?

A fleet that keeps an SLO on two draws of four does not keep it. Each draw is a simulation that ends
as soon as the SLO is out of reach, and a fleet that fails on one is not tried on the rest.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.plan.bounds import Prompts, Work, cached_tokens
from econ.plan.search import Demand
from econ.serving import Disaggregated, Replica, draw_requests
from econ.serving.checks import MAX_TIME_S
from econ.serving.pools import simulate_arrays
from econ.serving.result import NEVER, RequestTimes
from econ.terms import Slo

N_DRAWS = 4
N_PARTS = 8  # of a draw, one after the other: their spread is the standard error of its share
FEWEST_TURNS = 5  # of a load that is simulated whole
TURNS = 20  # how often every place in use is used over in a draw, filling included
FEWEST, USUAL, MOST = 2_000, 16_000, 64_000  # requests of one draw; beyond usual, few turns
CLOCK_MARGIN = 1.5  # draws of gaps may add up to more than their mean
Requests: TypeAlias = tuple[Any, ...]  # arrivals, tokens of prompts and answers, cached ones
USUAL_TPOT_S = 0.03  # for the number of places in use


def simulated_per_s(rate_per_s: float, n: int) -> float:
    """The rate, or the least at which ``n`` requests end before the simulator's clock does.

    A fleet that serves more is large enough; so rare requests never meet at either rate.

    >>> simulated_per_s(2.0, 2_000), simulated_per_s(1e-5, 2_000) < 0.002
    (2.0, True)
    """
    return max(rate_per_s, CLOCK_MARGIN * n / MAX_TIME_S)


def n_busy(rate_per_s: float, output_tokens: float) -> float:
    """Places in use at a rate, at a usual pace."""
    return rate_per_s * output_tokens * USUAL_TPOT_S


def n_parts(rate_per_s: float, output_tokens: float) -> int:
    """Equal parts of a load of which one can be simulated until every place is used over again.

    >>> n_parts(100.0, 200.0), n_parts(100_000.0, 200.0)
    (1, 188)
    """
    return max(math.ceil(FEWEST_TURNS * n_busy(rate_per_s, output_tokens) / USUAL), 1)


def n_enough(n_busy: float) -> int:
    """Requests of a draw with so many places in use: 20 turns, of many places five.

    >>> n_enough(10), n_enough(700), n_enough(3_000), n_enough(12_000)
    (2000, 16000, 16000, 64000)
    """
    n, turns = FEWEST, max(USUAL, FEWEST_TURNS * n_busy)
    while n < min(TURNS * n_busy, turns, MOST):
        n *= 2
    return n


class Draws:
    """The requests of a plan at its peak rate: the same ones for all its fleets.

    Parameters
    ----------
    demand : Demand
        Workload and peak rate.
    trace : pandas.DataFrame, optional
        Requests in the workload's place, stretched to the peak rate; there is one draw of them.
    n : int, optional
        Requests of a draw; None for enough that every place in use is used over several times.
    seed : int
        Of the first draw; the others follow.
    """

    def __init__(
        self, demand: Demand, trace: pd.DataFrame | None, n: int | None, seed: int
    ) -> None:
        if n is None:
            n = n_enough(n_busy(demand.peak_per_s, demand.output_tokens))
        self.seed = seed
        self.n_requests = count("n", n, 10, 10_000_000)
        load = demand.scenario.workload if trace is None else trace.head(n)
        rate_per_s = simulated_per_s(demand.peak_per_s, n)
        self._prompts: dict[tuple[float, int], list[Prompts]] = {}
        self._work: dict[int, Work] = {}
        self._drawn = [
            draw_requests(load, rate_per_s, n, seed + index)
            for index in range(N_DRAWS if trace is None else 1)
        ]

    def prompts(self, one: Replica) -> list[Prompts]:
        """What each draw asks of a replica: alike for all that cache alike."""
        key = float(one.prefix_cached_frac), int(one.block_tokens)
        if key not in self._prompts:
            self._prompts[key] = [Prompts.of(requests, one) for requests in self._drawn]
        return self._prompts[key]

    def work(self, one: Replica) -> Work:
        """The least mean work of its draws."""
        prompts = self.prompts(one)
        if id(prompts) not in self._work:
            self._work[id(prompts)] = Work.of(prompts)
        return self._work[id(prompts)]

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return iter(self._drawn)

    @functools.cached_property
    def arrays(self) -> list[Requests]:
        """Of each draw arrivals, tokens of prompts and of answers, and what a trace has cached."""
        names = ("arrival_s", "input_tokens", "output_tokens")
        return [
            (*(requests[name].to_numpy() for name in names), cached_tokens(requests))
            for requests in self._drawn
        ]

    def __len__(self) -> int:
        return len(self._drawn)


@dataclass(frozen=True)
class Trial:
    """What a fleet did: over all draws where it keeps the SLO, else of the draw that failed.

    There, ``ttft_met_frac`` and ``tpot_met_frac`` are the most that were still possible when the
    run ended. ``error`` says why no request could be served.
    """

    keeps: bool
    good_frac: float = 0.0
    good_frac_se: float = np.nan
    ttft_met_frac: float = 0.0
    tpot_met_frac: float = 0.0
    p95_ttft_s: float = np.nan
    p95_tpot_s: float = np.nan
    binding: str = ""
    n_most_running: int = 0
    n_requests: int = 0
    error: str = ""


def first_times(fleet: Replica | Disaggregated, draws: Draws) -> RequestTimes:
    """What the first draw comes to, served to its end."""
    arrival_s, prompt, out, cached = draws.arrays[0]
    return simulate_arrays(arrival_s, prompt, out, fleet, "auto", cached, draws.seed)


def try_fleet(
    fleet: Replica | Disaggregated, draws: Draws, slo: Slo, n_draws: int = N_DRAWS
) -> Trial:
    """Serve each of so many draws in turn, until one fails."""
    runs: list[RequestTimes] = []
    for requests in draws.arrays[:n_draws]:
        try:
            times, is_enough = _tried(fleet, requests, draws, slo)
        except ValueError as error:  # a request that no replica can hold
            return Trial(False, error=str(error))
        if not is_enough:
            return _failed(times, slo)
        runs.append(times)
    return _kept(runs, slo)


def try_requests(
    fleet: Replica | Disaggregated, requests: Requests, draws: Draws, slo: Slo
) -> bool:
    """Whether a fleet keeps the SLO for these requests (as in `Draws.arrays`)."""
    return _tried(fleet, requests, draws, slo)[1]


def _tried(
    fleet: Replica | Disaggregated, requests: Requests, draws: Draws, slo: Slo
) -> tuple[RequestTimes, bool]:
    arrival_s, prompt, out, cached = requests
    times = simulate_arrays(arrival_s, prompt, out, fleet, "auto", cached, draws.seed, slo=slo)
    if times.stopped or times.overloaded:
        return times, False
    return times, times.goodput(slo.ttft_s, slo.tpot_s).good_frac >= slo.attainment_frac


def _met(times: RequestTimes, slo: Slo) -> tuple[np.ndarray, np.ndarray]:
    """Whether each request that is done meets TTFT, and TPOT; one that is not done meets both."""
    open_ = times.done_ps == NEVER
    one = times.output_tokens == 1
    return open_ | (times.ttft_s <= slo.ttft_s), open_ | one | (times.tpot_s <= slo.tpot_s)


def _failed(times: RequestTimes, slo: Slo) -> Trial:
    ttft, tpot = _met(times, slo)
    n_late, n_slow = int((~ttft).sum()), int((~tpot).sum())
    grows = not times.stopped and times.overloaded
    return Trial(
        False,
        good_frac=float((ttft & tpot).mean()),
        ttft_met_frac=float(ttft.mean()),
        tpot_met_frac=float(tpot.mean()),
        binding="ttft" if n_late >= n_slow or grows else "tpot",
        n_most_running=times.n_most_running,
        n_requests=int((times.done_ps != NEVER).sum()),
    )


def _kept(runs: list[RequestTimes], slo: Slo) -> Trial:
    met = [_met(times, slo) for times in runs]
    good = [ttft & tpot for ttft, tpot in met]
    parts = np.concatenate([_part_means(met_both) for met_both in good])
    n = sum(map(len, good))
    share = float(np.concatenate(good).mean())
    independent = np.sqrt(share * (1 - share) / n)
    se = max(float(np.std(parts, ddof=1)) / np.sqrt(len(parts)), float(independent))
    ttft_frac, tpot_frac = (
        float(np.concatenate([pair[k] for pair in met]).mean()) for k in range(2)
    )
    ttft_s = np.concatenate([times.ttft_s for times in runs])
    tpot_s = np.concatenate([times.tpot_s for times in runs])
    tpot_s = tpot_s[np.isfinite(tpot_s)]
    return Trial(
        True,
        good_frac=share,
        good_frac_se=float(se),
        ttft_met_frac=ttft_frac,
        tpot_met_frac=tpot_frac,
        p95_ttft_s=float(np.percentile(ttft_s, 95)),
        p95_tpot_s=float(np.percentile(tpot_s, 95)) if len(tpot_s) else np.nan,
        binding=_binding(ttft_frac, tpot_frac),
        n_most_running=max(times.n_most_running for times in runs),
        n_requests=n,
    )


def _part_means(met: np.ndarray) -> np.ndarray:
    """The share met in each of `N_PARTS` parts of even size, as `numpy.array_split` cuts them."""
    size, rest = divmod(len(met), N_PARTS)
    cuts = np.arange(N_PARTS + 1) * size + np.minimum(np.arange(N_PARTS + 1), rest)
    return np.diff(np.concatenate([[0], np.cumsum(met)])[cuts]) / np.diff(cuts)


def _binding(ttft_frac: float, tpot_frac: float) -> str:
    """The limit that more requests miss."""
    if ttft_frac == tpot_frac:
        return "both" if ttft_frac < 1 else "none"
    return "ttft" if ttft_frac < tpot_frac else "tpot"
