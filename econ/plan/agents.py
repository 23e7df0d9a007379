"""What a finished task costs: USD, joules and seconds by turn, session and task, own or by API.

One set of sessions is served twice: on the scenario's own accelerators (`simulate_sessions`), and
by a seller whose cache has no limit but a lifetime. On own hardware the whole fleet is paid,
whatever it does; at a seller each token is. A task that fails costs as much as one that is solved,
so the price of a finished one is that of an attempt, with its review, over the share that succeeds.

>>> from econ.scenario import Scenario
>>> s = Scenario.of("qwen3-32b", "h200-sxm", precision="fp8")
>>> cost = agent_cost(s, "support", rate_per_s=0.2, n=50, price="gpt-4o-mini")
>>> cost.usd_per_task > cost.usd_per_session > cost.usd_per_turn > 0
True
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import Price
from econ.catalog.guard import positive
from econ.catalog.prices import CACHE_TTL_S
from econ.catalog.units import per_second_from_per_hour
from econ.energy import energy
from econ.energy.boundaries import ladder_ranges
from econ.energy.sites import site_figure
from econ.latency import predict
from econ.plan.sellers import API_TPOT_S, API_TTFT_S, ApiBill, api_bill, percentile_usd
from econ.scenario import Scenario
from econ.serving import simulate_sessions
from econ.serving.cost import PS_PER_S
from econ.serving.session_service import SessionService
from econ.station import Result, station
from econ.tco import cost_usd_per_accepted_task
from econ.tco.hours import hour_parts
from econ.tokens import Replay, SessionLoad, Sessions
from econ.tokens.tasks import PER, per_frame


@dataclass(frozen=True, kw_only=True, eq=False)
class AgentCost(Result):
    """What turns, sessions and finished tasks cost on own accelerators and at a seller.

    Attributes
    ----------
    usd_per_turn, usd_per_session, usd_per_task : float
        On the scenario's accelerators, all hours paid. A task is finished when an attempt (a
        session) succeeds; attempts that fail and their review are in its price.
    api_usd_per_session, p50_api_usd_per_session, p99_api_usd_per_session, api_usd_per_task : float
        The same at the seller; NaN without a price.
    api_hit_frac : float
        Share of input that the seller's cache serves.
    api_mean_turn_s, api_session_s, api_task_s : float
        Seconds there, at the pace that ``api_ttft_s`` and ``api_tpot_s`` assume. What a seller's
        machines take in joules none says (`econ.energy.disclosed_prompt`).
    site_j_per_turn, site_j_per_session, site_j_per_task : float
        Joules at the site's meter: accelerators at work and idle, host and building.
    mean_turn_s, session_s, task_s : float
        Seconds of a turn, of a session without the waits for tools and people, and of all attempts
        of a finished task.
    break_even_sessions_per_hour : float
        From so many sessions an hour on, this fleet costs less than the seller; NaN without one.
    cheaper : str
        own or api; empty without a price. A fleet that misses the SLO is not cheaper.
    solved_frac : float
        Share of sessions whose task is solved.
    review_usd : float
        USD to check one attempt.
    regime, bands
        How far the deployment lies from what was measured, and the factors within which half and
        90 % of errors lie: of USD, because a fleet that keeps pace with the same sessions is larger
        by as much as its accelerators are slower; of joules; of seconds, by the time per token.
    """

    usd_per_turn: float
    usd_per_session: float
    usd_per_task: float
    api_usd_per_session: float
    p50_api_usd_per_session: float
    p99_api_usd_per_session: float
    api_usd_per_task: float
    api_hit_frac: float
    api_mean_turn_s: float
    api_session_s: float
    api_task_s: float
    site_j_per_turn: float
    site_j_per_session: float
    site_j_per_task: float
    mean_turn_s: float
    session_s: float
    task_s: float
    break_even_sessions_per_hour: float
    cheaper: str
    solved_frac: float
    hit_frac: float
    good_frac: float
    meets_slo: bool
    usd_per_fleet_hour: float
    rate_per_s: float
    review_usd: float
    served: SessionService = field(repr=False)
    api: ApiBill | None = field(repr=False)
    regime: str = ""
    bands: dict[str, tuple[float, float]] = field(repr=False, default_factory=dict)

    @property
    def scenario(self) -> Scenario:
        """The calls as a workload, as `SessionService.scenario`, with the review in the task."""
        question = self.served.scenario
        assert question.workload.task is not None
        return question.with_(
            task=dataclasses.replace(question.workload.task, review_usd=self.review_usd)
        )

    def per_frame(self) -> pd.DataFrame:
        """``per`` turn, session and finished task: ``usd``, ``site_j``, ``duration_s``, by API."""
        frame = per_frame(self.row())
        session_usd, n_turns = self.api_usd_per_session, self.served.mean_turns
        return frame.assign(
            api_usd=[session_usd / n_turns, session_usd, self.api_usd_per_task],
            api_duration_s=[self.api_mean_turn_s, self.api_session_s, self.api_task_s],
        )


@station(headline="usd_per_task")
def agent_cost(
    s: Scenario,
    load: SessionLoad | Replay | Sessions | str = "coding-agent",
    *,
    rate_per_s: float | None = None,
    n: int = 200,
    seed: int = 0,
    price: Price | str | None = None,
    ttl_s: float | None = CACHE_TTL_S,
    api_ttft_s: float = API_TTFT_S,
    api_tpot_s: float = API_TPOT_S,
    review_usd: float = 0.0,
    **fleet: Any,
) -> AgentCost:
    """What a finished task costs, in USD, joules and seconds.

    Parameters
    ----------
    s : Scenario
        Model, deployment, SLO of a turn, place and price. ``utilisation_frac`` is the share of paid
        hours in which sessions come at this rate.
    load, rate_per_s, n, seed
        As in `econ.serving.simulate_sessions`.
    price : Price or str, optional
        What a seller asks, e.g. ``"gpt-4o-mini"``.
    ttl_s : float, optional
        Life of an entry in the seller's cache, e.g. 300.
    api_ttft_s, api_tpot_s : float
        Pace of the seller, which no list states: assumed unless you have measured it.
    review_usd : float
        USD to check one attempt, e.g. 2.0.
    fleet
        Tiers, routing, autoscaler and outages, as there.

    Raises
    ------
    ValueError
        Where no session is solved, and as in `econ.serving.simulate_sessions`.

    Notes
    -----
    A session costs the hours of the replicas that are on over the sessions that begin meanwhile.
    Energy is the power of the two phases (`econ.energy.energy`) over the time that the simulation
    spends in them, at most all of it, and idle power over the rest. So draw sessions enough to last
    several times as long as one of them. A seller's sessions are solved as often as one's own,
    unless those are given up in a queue.
    """
    served = simulate_sessions(s, load, rate_per_s=rate_per_s, n=n, seed=seed, **fleet)
    times, question = served.times, served.asked
    sessions = times.sessions
    per_replica = question.deployment.n_gpu // question.n_replicas
    hour_usd = sum(part.usd_per_gpu_hour for part in hour_parts(question))
    hour_usd /= float(question.finance.utilisation_frac)
    n_on = min(served.mean_replicas_on, float(question.n_replicas))
    gpu_s = n_on * per_replica / served.rate_per_s
    usd = gpu_s * per_second_from_per_hour(hour_usd)
    if not served.solved_frac:
        raise ValueError("no session is solved, so a finished task has no price")
    site_j, bands, regime = _site_j(served, gpu_s, per_replica)
    bill = None
    if price is not None:
        bill = api_bill(sessions, price, ttl_s=ttl_s, ttft_s=api_ttft_s, tpot_s=api_tpot_s)
    keeps_slo = served.meets_slo  # a fleet that cannot keep up is no answer, however cheap
    api_solved = float(sessions.solved.mean())
    busy_s = float(np.nansum(times.e2e_s)) / sessions.n_sessions
    fleet_hour_usd = hour_usd * question.deployment.n_gpu
    api_usd = bill.total_usd / sessions.n_sessions if bill else np.nan
    task_usd = float(cost_usd_per_accepted_task(usd, served.solved_frac, review_usd))
    api_task_usd = (
        float(cost_usd_per_accepted_task(api_usd, api_solved, review_usd)) if bill else np.nan
    )
    api_s = float(bill.turn_s.sum()) / sessions.n_sessions if bill else np.nan
    return AgentCost(
        usd_per_turn=usd * sessions.n_sessions / sessions.n_turns,
        usd_per_session=usd,
        usd_per_task=task_usd,
        api_usd_per_session=api_usd,
        p50_api_usd_per_session=percentile_usd(bill, 0.5) if bill else np.nan,
        p99_api_usd_per_session=percentile_usd(bill, 0.99) if bill else np.nan,
        api_usd_per_task=api_task_usd,
        api_hit_frac=bill.hit_frac if bill else np.nan,
        api_mean_turn_s=float(bill.turn_s.mean()) if bill else np.nan,
        api_session_s=api_s,
        api_task_s=api_s / api_solved if api_solved else np.nan,
        site_j_per_turn=site_j * sessions.n_sessions / sessions.n_turns,
        site_j_per_session=site_j,
        site_j_per_task=site_j / served.solved_frac,
        mean_turn_s=served.mean_turn_s,
        session_s=busy_s,
        task_s=busy_s / served.solved_frac,
        break_even_sessions_per_hour=fleet_hour_usd / api_usd if bill else np.nan,
        cheaper="" if bill is None else "own" if keeps_slo and task_usd < api_task_usd else "api",
        solved_frac=served.solved_frac,
        hit_frac=served.hit_frac,
        good_frac=served.good_frac,
        meets_slo=served.meets_slo,
        usd_per_fleet_hour=fleet_hour_usd,
        rate_per_s=served.rate_per_s,
        review_usd=review_usd,
        served=served,
        api=bill,
        regime=regime,
        bands=bands,
    )


def _site_j(
    served: SessionService, gpu_s: float, per_replica: int
) -> tuple[float, dict[str, tuple[float, float]], str]:
    """Joules of a session at the site's meter; the bands of `AgentCost`, and the regime."""
    times, s = served.times, served.scenario.with_(task=None)
    busy_s = np.array([ps.sum(dtype=float) for ps in (times.read_ps, times.write_ps)]) / PS_PER_S
    busy_s = busy_s * per_replica / times.sessions.n_sessions  # accelerator-seconds of a session
    busy_s *= min(1.0, gpu_s / busy_s.sum())
    present = np.nansum(times.done_s - times.admitted_ps / PS_PER_S) / max(times.span_s, 1e-12)
    users = max(float(present), float(s.n_replicas))
    point = energy(s, concurrency=users)
    host = ladder_ranges(point)["host_frac"].typical * point.tdp_w
    at_work_j = busy_s @ (np.array([point.prefill_power_w, point.decode_power_w]) + host)
    idle_j = (gpu_s - busy_s.sum()) * (point.idle_power_w + host)
    speed = predict(s, concurrency=users)
    known = {
        "usd": speed.bands.get("output_tokens_per_s_per_gpu"),
        "site_j": point.bands["j_per_output_token"],
        "s": speed.bands.get("tpot_s"),
    }
    bands = {
        name: factors
        for unit, factors in known.items()
        for name in _figures(unit)
        if factors is not None
    }
    site_j = float((at_work_j + idle_j) * site_figure(s.resolved_site, "pue"))
    return site_j, bands, speed.regime


def _figures(unit: str) -> tuple[str, ...]:
    if unit == "s":
        return ("mean_turn_s", "session_s", "task_s")
    return tuple(f"{unit}_per_{per}" for per in PER)


def max_sessions_per_s(
    s: Scenario,
    load: SessionLoad | Replay | str = "coding-agent",
    *,
    n: int = 200,
    seed: int = 0,
    low_per_s: float = 1e-4,
    step_factor: float = 1.1,
    **fleet: Any,
) -> float:
    """The highest rate of sessions at which the turns keep the scenario's SLO.

    Parameters
    ----------
    s, load, n, seed, fleet
        As in `econ.serving.simulate_sessions`.
    low_per_s : float
        A rate that is surely low enough, e.g. 1e-4; 0 comes back where it is not.
    step_factor : float
        How near the answer is to a rate at which the SLO is missed, e.g. 1.1.

    Notes
    -----
    Doubling, then halving the interval in the logarithm; the same sessions come at every rate.
    """
    positive("low_per_s", low_per_s, 1e3)
    positive("step_factor - 1", step_factor - 1, 10)

    def keeps(rate_per_s: float) -> bool:
        served = simulate_sessions(s, load, rate_per_s=rate_per_s, n=n, seed=seed, **fleet)
        return bool(served.meets_slo)

    if not keeps(low_per_s):
        return 0.0
    high = 2 * low_per_s
    while keeps(high):
        low_per_s, high = high, 2 * high
        if high > 1e5:
            return low_per_s
    while high / low_per_s > step_factor:
        middle = float(np.sqrt(low_per_s * high))
        low_per_s, high = (middle, high) if keeps(middle) else (low_per_s, middle)
    return low_per_s
