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
import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.catalog import Price
from econ.catalog import price as list_price
from econ.catalog.guard import fraction, not_negative, positive
from econ.catalog.units import per_second_from_per_hour, usd_per_token_from_usd_per_mtok
from econ.energy import energy
from econ.energy.boundaries import ladder_ranges
from econ.energy.sites import site_figure
from econ.latency import predict
from econ.scenario import Scenario
from econ.serving import Fleet, Replica, StepCost, serve_sessions, simulate_sessions
from econ.serving.cost import PS_PER_S
from econ.serving.engine import FOREVER
from econ.serving.session_run import SessionTimes
from econ.serving.session_service import SessionService
from econ.station import Result, station
from econ.tco import cost_usd_per_accepted_task
from econ.tco.hours import hour_parts
from econ.tokens import Replay, SessionLoad, Sessions, session_load
from econ.tokens.tasks import PER, per_frame

API_TTL_S = 300.0  # the usual life of a seller's cache entry
API_TPOT_S = 0.015
API_TTFT_S = 1.5
LARGEST_BATCH, LARGEST_STEP = 20_000, 200_000  # of a seller: nothing waits


@dataclass(frozen=True, kw_only=True, eq=False)
class ApiBill:
    """What a seller asks for sessions, turn by turn.

    Attributes
    ----------
    read_usd, new_usd, output_usd : array of float
        Of each turn: input read from the seller's cache, other input, output.
    session_usd : array of float
        The sum of each session.
    hit_frac, user_hit_frac, tool_hit_frac : float
        Share of input tokens read from the cache; of turns that a person or a tool starts.
    """

    read_usd: NDArray[np.float64]
    new_usd: NDArray[np.float64]
    output_usd: NDArray[np.float64]
    session_usd: NDArray[np.float64]
    hit_frac: float
    user_hit_frac: float
    tool_hit_frac: float

    @property
    def total_usd(self) -> float:
        """Of all sessions."""
        return float(self.session_usd.sum())

    @property
    def share_frac(self) -> tuple[float, ...]:
        """Shares of the bill: cached input, new input, output."""
        return tuple(self.shares())

    def shares(self) -> pd.Series:
        """Of the bill: cached input, new input, output."""
        parts = {
            "cached input": self.read_usd,
            "new input": self.new_usd,
            "output": self.output_usd,
        }
        usd = pd.Series({name: float(part.sum()) for name, part in parts.items()})
        return usd / self.total_usd


def api_bill(
    sessions: Sessions,
    price: Price | str,
    *,
    ttl_s: float | None = API_TTL_S,
    tpot_s: float = API_TPOT_S,
    ttft_s: float = API_TTFT_S,
) -> ApiBill:
    """The bill of sessions at a seller whose cache keeps everything for a while.

    Parameters
    ----------
    sessions : Sessions
        The turns.
    price : Price or str
        A list price or the name of its model. Input that is not read from the cache is billed at
        the write rate where the list has one (that of an hour where ``ttl_s`` is above 300).
    ttl_s : float, optional
        Life of an entry after its last use, e.g. 300; None for ever.
    tpot_s, ttft_s : float
        Pace of the seller's answers, which decides when the next turn asks.

    Raises
    ------
    ValueError
        For sessions that last longer than can be simulated, by the first such turn.

    Notes
    -----
    The same engine serves both: here a replica without limits, whose entries live ``ttl_s``.

    Examples
    --------
    >>> drawn = session_load("support").draw(50, seed=1)
    >>> short, long = (api_bill(drawn, "gpt-4o-mini", ttl_s=t) for t in (60, 3600))
    >>> short.hit_frac < long.hit_frac, short.total_usd > long.total_usd
    (True, True)
    """
    listed = list_price(price) if isinstance(price, str) else price
    times = seller_times(sessions, ttl_s=ttl_s, tpot_s=tpot_s, ttft_s=ttft_s)
    parts = np.zeros((3, sessions.n_turns))
    limits = sorted({0.0, *(float(r.above_input_tokens) for r in listed.other_rates)})
    for limit in limits:  # the upper rates take the place of the lower ones
        rows = sessions.input_tokens > limit
        rates = listed.rates(input_tokens=limit + 1)
        write = rates.cache_write_usd_per_mtok
        if ttl_s is None or ttl_s > API_TTL_S:
            write = rates.cache_write_1h_usd_per_mtok or write
        fresh = rates.input_usd_per_mtok
        read = rates.cached_input_usd_per_mtok
        written = sessions.output_tokens * times.n_attempts
        for k, (tokens, usd_per_mtok) in enumerate(
            (
                (times.hbm_tokens, fresh if read is None else read),
                (times.computed_tokens, fresh if write is None else write),
                (written, rates.output_usd_per_mtok),
            )
        ):
            parts[k, rows] = tokens[rows] * usd_per_token_from_usd_per_mtok(usd_per_mtok)
    kinds = times.hit_by_kind()
    session_usd = np.zeros(sessions.n_sessions)
    np.add.at(session_usd, sessions.session, parts.sum(axis=0))
    return ApiBill(
        read_usd=parts[0],
        new_usd=parts[1],
        output_usd=parts[2],
        session_usd=session_usd,
        hit_frac=times.hit_frac,
        user_hit_frac=float(kinds.get("user", np.nan)),
        tool_hit_frac=float(kinds.get("tool", np.nan)),
    )


def seller_times(
    sessions: Sessions,
    *,
    ttl_s: float | None = API_TTL_S,
    tpot_s: float = API_TPOT_S,
    ttft_s: float = API_TTFT_S,
) -> SessionTimes:
    """Sessions at a seller who has room for all, and whose cache entries live so long.

    Parameters and errors as in `api_bill`.

    Examples
    --------
    >>> seller_times(session_load("support").draw(50, seed=1)).hit_frac > 0.5
    True
    """
    positive("tpot_s", tpot_s, 10)
    not_negative("ttft_s", ttft_s, 1000)
    whole = int((sessions.input_tokens + sessions.output_tokens).sum())
    seller = Replica(
        cost=StepCost.affine(base_s=tpot_s),
        kv_tokens=min(2 * whole + 1, 10**12),
        block_tokens=1,
        max_batch=LARGEST_BATCH,
        token_budget=LARGEST_STEP,
    )
    follows = np.diff(sessions.waits_at) > 0
    asked = dataclasses.replace(
        sessions,
        patience_s=np.full(sessions.n_turns, np.inf),
        wait_s=sessions.wait_s + ttft_s * follows,  # nobody waits for anybody else's prompt
    )
    times = serve_sessions(asked, Fleet(replica=seller, ttl_s=ttl_s))
    if not times.done.all():
        row = int(np.argmin(times.done))
        raise ValueError(
            f"turn {row}: comes later than the {FOREVER / PS_PER_S:,.0f} s that can be simulated; "
            "let the sessions begin closer together, or shorten the waits"
        )
    return times


@functools.lru_cache(maxsize=32)
def typical_bill(
    load: str, price: str, n: int = 1000, seed: int = 1, ttl_s: float | None = API_TTL_S
) -> ApiBill:
    """`api_bill` of a named kind of session, computed once.

    Parameters
    ----------
    load, price : str
        A name of `econ.tokens.session_load`, and of a priced model.
    n, seed : int
        Sessions to draw, and how.
    ttl_s : float, optional
        As in `api_bill`.

    Examples
    --------
    >>> typical_bill("voice", "gpt-4o-mini", n=50).hit_frac > 0.9
    True
    """
    return api_bill(session_load(load).draw(n, seed=seed), price, ttl_s=ttl_s)


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
        asked = self.served.scenario
        assert asked.workload.task is not None
        return asked.with_(
            task=dataclasses.replace(asked.workload.task, review_usd=self.review_usd)
        )

    def per_frame(self) -> pd.DataFrame:
        """``per`` turn, session and finished task: ``usd``, ``site_j``, ``duration_s``, by API."""
        frame = per_frame(self.row())
        session_usd, n_turns = self.api_usd_per_session, self.served.mean_turns
        return frame.assign(api_usd=[session_usd / n_turns, session_usd, self.api_usd_per_task])


@station(headline="usd_per_task")
def agent_cost(
    s: Scenario,
    load: SessionLoad | Replay | Sessions | str = "coding-agent",
    *,
    rate_per_s: float | None = None,
    n: int = 200,
    seed: int = 0,
    price: Price | str | None = None,
    ttl_s: float | None = API_TTL_S,
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
    times, asked = served.times, served.asked
    sessions = times.sessions
    per_replica = asked.deployment.n_gpu // asked.n_replicas
    hour_usd = sum(part.usd_per_gpu_hour for part in hour_parts(asked))
    hour_usd /= float(asked.finance.utilisation_frac)
    n_on = min(served.mean_replicas_on, float(asked.n_replicas))
    gpu_s = n_on * per_replica / served.rate_per_s
    usd = gpu_s * per_second_from_per_hour(hour_usd)
    if not served.solved_frac:
        raise ValueError("no session is solved, so a finished task has no price")
    site_j, bands, regime = _site_j(served, gpu_s, per_replica)
    bill = None if price is None else api_bill(sessions, price, ttl_s=ttl_s)
    kept = served.meets_slo  # a fleet that cannot keep up is no answer, however cheap
    api_solved = float(sessions.solved.mean())
    busy_s = float(np.nansum(times.e2e_s)) / sessions.n_sessions
    fleet_hour_usd = hour_usd * asked.deployment.n_gpu
    api_usd = bill.total_usd / sessions.n_sessions if bill else np.nan
    task_usd = float(cost_usd_per_accepted_task(usd, served.solved_frac, review_usd))
    api_task_usd = (
        float(cost_usd_per_accepted_task(api_usd, api_solved, review_usd)) if bill else np.nan
    )
    return AgentCost(
        usd_per_turn=usd * sessions.n_sessions / sessions.n_turns,
        usd_per_session=usd,
        usd_per_task=task_usd,
        api_usd_per_session=api_usd,
        p50_api_usd_per_session=percentile_usd(bill, 0.5) if bill else np.nan,
        p99_api_usd_per_session=percentile_usd(bill, 0.99) if bill else np.nan,
        api_usd_per_task=api_task_usd,
        api_hit_frac=bill.hit_frac if bill else np.nan,
        site_j_per_turn=site_j * sessions.n_sessions / sessions.n_turns,
        site_j_per_session=site_j,
        site_j_per_task=site_j / served.solved_frac,
        mean_turn_s=served.mean_turn_s,
        session_s=busy_s,
        task_s=busy_s / served.solved_frac,
        break_even_sessions_per_hour=fleet_hour_usd / api_usd if bill else np.nan,
        cheaper="" if bill is None else "own" if kept and task_usd < api_task_usd else "api",
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


def percentile_usd(bill: ApiBill, share_frac: float) -> float:
    """USD that this share of the sessions costs at most, e.g. 0.5 or 0.99.

    >>> bill = typical_bill("voice", "gpt-4o-mini", n=50)
    >>> percentile_usd(bill, 0.5) < percentile_usd(bill, 0.99)
    True
    """
    return float(np.quantile(bill.session_usd, fraction("share_frac", share_frac)))


def _site_j(
    served: SessionService, gpu_s: float, per_replica: int
) -> tuple[float, dict[str, tuple[float, float]], str]:
    """Joules of a session at the site's meter; the bands of `AgentCost`, and the regime."""
    times, s = served.times, served.scenario.with_(task=None)
    busy_s = np.array([times.read_ps.sum(), times.write_ps.sum()]) / PS_PER_S
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
