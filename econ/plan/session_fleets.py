"""Which fleet serves sessions within the SLO at the least cost per finished task?

The hit share of a prefix cache depends on the fleet: on its memory, the tiers below and the router.
So calls of agents are no independent requests at a share that somebody states: here each fleet
serves the sessions themselves, and the smallest that keeps the SLO on every draw is found. The
screen of `econ.plan.plan` only says which shapes to look at first.

>>> from econ.scenario import Scenario
>>> s = Scenario.of("qwen3-32b", "h200-sxm", precision="fp8", ttft_s=2.0)
>>> found = plan_sessions(s, "support", ["h200-sxm"], ["fp8"], rate_per_s=0.5, n=60, n_shapes=1)
>>> int(found.best["n_replicas"]), bool(found.best["hit_frac"] > 0.8)
(1, True)
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import Accelerator, Price
from econ.catalog.guard import count
from econ.catalog.prices import CACHE_TTL_S
from econ.plan.agents import AgentCost, agent_cost
from econ.plan.candidates import Split
from econ.plan.planner import plan
from econ.plan.result import Plan
from econ.plan.search import KEYS, server_gpus
from econ.plan.tasks import Label
from econ.scenario import Scenario
from econ.serving import Tier, simulate_sessions
from econ.serving.fleet import ROUTINGS
from econ.serving.session_service import SessionService, calls_of, check_context, drawn
from econ.station import Result, station
from econ.tokens import Replay, SessionLoad, Sessions

Tiers = tuple[Tier | str, ...]
N_DRAWS = 3  # a fleet keeps the SLO on each
FEWEST, MOST = 200, 4_000  # sessions of a draw
SPAN = 5.0  # how many times as long as a session a draw lasts at least
MOST_REPLICAS = 512
SIZE = ["n_replicas", "fleet_gpus", "max_batch", "tiers", "routing"]
FIGURES = [
    *("usd_per_turn", "usd_per_session", "usd_per_task"),
    *("site_j_per_turn", "site_j_per_session", "site_j_per_task"),
    *("mean_turn_s", "session_s", "task_s", "hit_frac", "good_frac", "solved_frac"),
    *("api_usd_per_session", "api_usd_per_task", "cheaper"),
]


@dataclass(frozen=True, kw_only=True, eq=False)
class SessionPlan(Result):
    """Fleets that serve sessions within the SLO, the cheapest per finished task first.

    Attributes
    ----------
    rows : pandas.DataFrame
        A row for each shape, set of tiers and router: the smallest fleet, USD, joules and seconds
        of a turn, session and finished task, and a ``reason`` where none keeps the SLO.
    rate_per_s : float
        Sessions that begin per second.
    screen : Plan
        What was looked at first.
    costs : mapping of int to AgentCost
        By row.
    """

    rows: pd.DataFrame = field(repr=False)
    rate_per_s: float
    screen: Plan = field(repr=False)
    costs: Mapping[Label, AgentCost] = field(repr=False)

    @property
    def best(self) -> pd.Series:
        """The row with the least USD per finished task.

        Raises
        ------
        ValueError
            Where no fleet keeps the SLO, with the reason of the first.
        """
        if self.rows.empty or self.rows["reason"].iloc[0]:
            if self.rows.empty:
                _ = self.screen.best  # says why
            raise ValueError(
                f"no fleet keeps the SLO of these sessions: {self.rows['reason'].iloc[0]}"
            )
        return self.rows.iloc[0]

    @property
    def cost(self) -> AgentCost:
        """The best fleet's `AgentCost`, with every turn it served."""
        return self.costs[int(self.best.name)]

    @property
    def scenario(self) -> Scenario:
        """The scenario on the best fleet, with the hit share that came out there."""
        return self.cost.scenario

    @property
    def usd_per_task(self) -> float:
        """USD of a finished task on the best fleet."""
        return float(self.best["usd_per_task"])

    @property
    def bands(self) -> dict[str, tuple[float, float]]:
        """Of the best fleet's figures."""
        return self.cost.bands

    def row(self) -> dict[str, Any]:
        """The best row's numbers and words; only a ``reason`` where none keeps the SLO."""
        try:
            best = self.best
        except ValueError as error:
            return {"reason": str(error)}
        return {str(k): v.item() if hasattr(v, "item") else v for k, v in best.items()}

    def band(self, metric: str, coverage_frac: float = 0.9) -> tuple[float, float]:
        """Low and high of a figure of the best fleet, as `AgentCost.band`."""
        return self.cost.band(metric, coverage_frac)


@station(headline="usd_per_task")
def plan_sessions(
    s: Scenario,
    load: SessionLoad | Replay | Sessions | str = "coding-agent",
    accelerators: Iterable[str | Accelerator] | None = None,
    precisions: Iterable[str] | None = None,
    parallelism: Iterable[Split] | None = None,
    *,
    rate_per_s: float | None = None,
    tiers: Iterable[Tiers] = ((), ("host",)),
    routings: Iterable[str] = ("prefix_aware",),
    prices_usd_per_gpu_hour: Mapping[str, float] | None = None,
    price: Price | str | None = None,
    ttl_s: float | None = CACHE_TTL_S,
    review_usd: float = 0.0,
    n_shapes: int = 6,
    n: int | None = None,
    seed: int = 0,
) -> SessionPlan:
    """The smallest fleets that serve sessions within the SLO, and what a finished task costs there.

    Parameters
    ----------
    s : Scenario
        Model, SLO of a turn, place, finance and launch settings. Its workload is replaced.
    load, rate_per_s
        As in `econ.serving.simulate_sessions`: what comes, and how many sessions per second.
    accelerators, precisions, parallelism, prices_usd_per_gpu_hour
        As in `econ.plan.plan`.
    tiers : iterable of tuple
        Sets of memories below the accelerators', each tried, e.g. ``[(), ("host", "disk")]``.
    routings : iterable of str
        Routers, each tried where a fleet has several replicas.
    price, ttl_s
        As in `econ.plan.agent_cost`: what a seller asks for the same sessions, and how long its
        cache keeps them. ``cheaper`` says which of the two a row's fleet is.
    review_usd : float
        USD to check one attempt.
    n_shapes : int
        Shapes (accelerator, precision, split) whose fleets are simulated: the cheapest of each
        accelerator by the screen, then the next.
    n : int, optional
        Sessions of a draw; None for enough to last five times as long as one of them.
    seed : int
        Of the first draw.

    Returns
    -------
    SessionPlan

    Raises
    ------
    ValueError
        For a number outside its range, and as in `econ.serving.simulate_sessions`.

    Notes
    -----
    The screen takes the calls as independent and the cache as unlimited, so it flatters all shapes.
    What is left out by ``n_shapes`` is not proven to be worse. A row's ``max_batch``, the most
    turns of a step, is the largest limit that the screen finds within the SLO; how many turns a
    step does hold follows from the sessions. A lower limit trades waits for shorter steps and is
    not tried: set the scenario's ``max_batch``, which ends the search, to look at one. Tiers cost
    nothing: the host's memory comes with the machine, a shared store is not priced.

    Examples
    --------
    >>> s = Scenario.of("qwen3-32b", "h200-sxm", precision="fp8", ttft_s=2.0)
    >>> two = plan_sessions(s, "support", ["h200-sxm", "h100-sxm"], ["fp8"], rate_per_s=0.5,
    ...                     n=60, n_shapes=2)
    >>> bool(two.rows["usd_per_task"].is_monotonic_increasing)
    True
    """
    n_shapes = count("n_shapes", n_shapes, 1, 1000)
    rules = [rule for rule in ROUTINGS if rule in set(routings)] or ["prefix_aware"]
    loads, rate = draws_of(load, rate_per_s, n, seed)
    sessions = loads[0]
    check_context(s, sessions)
    calls = calls_of(sessions, rate_per_s=rate * sessions.n_turns / sessions.n_sessions)
    question = s.with_(workload=dataclasses.replace(calls, cached_frac=sessions.hit_frac))
    screen = plan(question, accelerators, precisions, parallelism, n_refined=0,
                  prices_usd_per_gpu_hour=prices_usd_per_gpu_hour)  # fmt: skip
    bills: dict[str, Any] = {"price": price, "ttl_s": ttl_s, "review_usd": review_usd}
    is_drawn = not isinstance(load, Sessions)
    comes: dict[str, Any] = {"rate_per_s": rate, "n": sessions.n_sessions} if is_drawn else {}
    rows: list[dict[str, Any]] = []
    costs: dict[int, AgentCost] = {}
    for shape in _shapes(screen, n_shapes):
        for below in map(tuple, tiers):
            for rule in rules:
                row = {**shape[[*KEYS]].to_dict(), "tiers": _names(below), "routing": rule}
                row |= {"n_gpu": int(shape["n_gpu"]), "max_batch": int(shape["concurrency"])}
                on = on_shape(screen, shape, 1)
                size = server_gpus(screen.demand, screen.accelerators[shape["accelerator"]])
                n_together = max(size // row["n_gpu"], 1)
                fleet: dict[str, Any] = {"tiers": below, "routing": rule}
                try:
                    n_replicas, _ = smallest(on, loads, n_together, **fleet)
                    fleet_size = on.with_(n_gpu=n_replicas * row["n_gpu"])
                    cost = agent_cost(fleet_size, load, seed=seed, **bills, **comes, **fleet)
                except ValueError as error:
                    rows.append(row | {"reason": str(error)})
                    continue
                costs[len(rows)] = cost
                sized = {"n_replicas": n_replicas, "fleet_gpus": n_replicas * row["n_gpu"]}
                figures = {name: getattr(cost, name) for name in FIGURES}
                rows.append(row | sized | figures | {"reason": ""})
                if n_replicas == 1:
                    break  # one replica has no router
    frame = pd.DataFrame(rows, columns=[*KEYS, "n_gpu", *SIZE, *FIGURES, "reason"])
    frame = frame.sort_values("usd_per_task", kind="stable")
    return SessionPlan(rows=frame, rate_per_s=rate, screen=screen, costs=costs)


def draws_of(
    load: SessionLoad | Replay | Sessions | str, rate_per_s: float | None, n: int | None, seed: int
) -> tuple[list[Sessions], float]:
    """The draws that a fleet has to serve, and how many sessions begin per second."""
    few, rate = drawn(load, FEWEST if n is None else count("n", n, 10, 10 * MOST), rate_per_s, seed)
    if isinstance(load, Sessions):
        return [few], rate
    if n is None:
        waits = few.wait_s * (np.diff(few.waits_at) > 0)
        own_s = np.bincount(few.session.astype(np.intp), waits).mean()
        n = int(min(max(FEWEST, SPAN * own_s * rate), MOST))
    return [drawn(load, n, rate_per_s, seed + k)[0] for k in range(N_DRAWS)], rate


def _names(below: Tiers) -> str:
    return " + ".join(t if isinstance(t, str) else t.name for t in below) or "none"


def _shapes(screen: Plan, n_most: int) -> list[pd.Series]:
    """The cheapest shape of each accelerator, then the next cheapest of any; each at its largest
    batch limit within the SLO, as a step is only as long as the sessions that are there make it."""
    rows = screen.rows[(screen.rows["basis"] == "screened") & (screen.rows["pp"] == 1)]
    largest = rows.groupby([*KEYS], observed=True)["concurrency"].transform("max")
    rows = rows.drop_duplicates([*KEYS]).assign(concurrency=largest)
    first = ~rows["accelerator"].duplicated()
    return [row for _, row in pd.concat([rows[first], rows[~first]]).head(n_most).iterrows()]


def on_shape(screen: Plan, shape: pd.Series, n_replicas: int) -> Scenario:
    """The scenario on so many replicas of a shape, at its price."""
    sized = shape.copy()
    sized["fleet_gpus"] = n_replicas * int(shape["n_gpu"])
    return screen.scenario(sized)


def smallest(
    on: Scenario, loads: list[Sessions], n_together: int = 1, **fleet: Any
) -> tuple[int, SessionService]:
    """The least number of replicas that keeps the SLO on every draw, and the first draw there.

    Parameters
    ----------
    on : Scenario
        One replica.
    loads : list of Sessions
        The draws.
    n_together : int
        Replicas that come together, as in an owner's server.
    fleet
        As in `econ.serving.simulate_sessions`.

    Raises
    ------
    ValueError
        Where `MOST_REPLICAS` do not keep it, with the share of turns within it.
    """
    n_gpu = on.deployment.n_gpu

    def served(n_replicas: int) -> tuple[bool, SessionService]:
        first = None
        for sessions in loads:
            one = simulate_sessions(on.with_(n_gpu=n_replicas * n_gpu), sessions, **fleet)
            first = first or one
            if not one.meets_slo:
                return False, one
        assert first is not None
        return True, first

    low, high = 0, n_together
    keeps, service = served(high)
    share = -math.inf
    while not keeps:
        if high >= MOST_REPLICAS or service.good_frac <= share + 1e-9:
            raise ValueError(
                f"{high} replicas answer {service.good_frac:.1%} of turns within the SLO, of "
                f"{on.slo.attainment_frac:.0%} wanted: P95 of TTFT {service.p95_ttft_s:.3g} s, of "
                f"TPOT {service.p95_tpot_s:.3g} s; more replicas do not help"
            )
        share, low, high = service.good_frac, high, 2 * high
        keeps, service = served(high)
    while high - low > n_together:
        middle = low + (high - low) // 2 // n_together * n_together
        keeps, tried = served(middle)
        low, high, service = (low, middle, tried) if keeps else (middle, high, service)
    return high, service
