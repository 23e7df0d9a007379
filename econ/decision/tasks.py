"""A decision about agents: fleets sized by their sessions, and what a finished task costs.

The hit share is no input of a decision about sessions. A seller's follows from the life of its
cache entries, a fleet's from its memory and router, and both come out of the simulator.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.prices import CACHE_TTL_S
from econ.catalog.units import DAY_S
from econ.decision.asking import cut_to
from econ.decision.fleets import ONE_SIDED, Fleet
from econ.decision.result import Option
from econ.plan.agents import AgentCost, agent_cost, max_sessions_per_s
from econ.plan.search import ROUNDING
from econ.plan.sellers import seller_times
from econ.plan.session_fleets import draws_of, smallest
from econ.plan.surest import Z90, Spread, share_within
from econ.scenario import Scenario
from econ.serving.session_service import calls_of, check_context
from econ.tokens import Replay, SessionLoad, Sessions, session_load

STEP_FACTOR = 1.15  # how near the rate that one replica sustains is looked for


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Tasks:
    """The sessions behind a decision.

    Attributes
    ----------
    load : SessionLoad or Replay
        What comes.
    rate_per_s : float
        Sessions that begin per second, on average.
    draws : tuple of Sessions
        A fleet keeps the SLO on each.
    own, seller : Scenario
        The calls as a workload, with what an unlimited cache would serve of them, and what a
        seller's serves. Of ``own`` the longest prompt and the longest answer, which come in
        different turns, fit into the model's window together: fleets are looked for with it, and
        sized by the turns themselves.
    costs : mapping of str to AgentCost
        By `econ.decision.fleets.Fleet.label`, on the smallest fleet.
    """

    load: SessionLoad | Replay
    rate_per_s: float
    draws: tuple[Sessions, ...]
    own: Scenario
    seller: Scenario
    costs: Mapping[str, AgentCost] = dataclasses.field(default_factory=dict)

    def per_frame(
        self, options: Sequence[tuple[Option, Fleet | None]], requests_per_day: float
    ) -> pd.DataFrame:
        """Every option: USD, joules and seconds of a turn, a session and a finished task.

        A seller's joules and seconds are nowhere published, so they stay empty
        (`econ.energy.disclosed_prompt` has what sellers say of a prompt).
        """
        n_turns = self.draws[0].n_turns / self.draws[0].n_sessions
        rows = []
        for option, fleet in options:
            cost = self.costs.get(fleet.label) if fleet else None
            solved = cost.solved_frac if cost else float(self.draws[0].solved.mean())
            turn_usd = option.usd_per_day / requests_per_day
            row: dict[str, Any] = {"option": option.name, "usd_per_turn": turn_usd}
            row |= {"usd_per_session": turn_usd * n_turns}
            row |= {"usd_per_task": turn_usd * n_turns / solved if solved else math.nan}
            for name in ("site_j_per_turn", "site_j_per_session", "site_j_per_task",
                         "mean_turn_s", "session_s", "task_s", "hit_frac"):  # fmt: skip
                row[name] = getattr(cost, name) if cost else math.nan
            if not cost:
                row["hit_frac"] = float(self.seller.workload.cached_frac)
            rows.append(row)
        return pd.DataFrame(rows)


def tasks_of(
    s: Scenario,
    load: SessionLoad | Replay | Sessions | str,
    rate_per_s: float | None,
    seed: int,
    ttl_s: float | None = CACHE_TTL_S,
) -> Tasks:
    """What sessions ask of a scenario's model, as calls a second.

    Raises
    ------
    TypeError
        For what is no kind of session and no log of them.
    ValueError
        For a turn longer than the model's context.
    """
    if isinstance(load, str):
        load = session_load(load)
    if isinstance(load, Sessions):  # a decision looks at other rates too
        load = Replay(load)
    if not isinstance(load, SessionLoad | Replay):
        raise TypeError(
            f"sessions = {load!r}: a decision takes a SessionLoad, its name, or Sessions of a log"
        )
    window = s.resolved_model.max_context_tokens
    if isinstance(load, SessionLoad) and window and window < load.context_limit_tokens:
        try:  # agents compact before their model's window ends
            load = load.replace(context_limit_tokens=window)
        except ValueError as error:
            raise ValueError(
                f"{s.model_id} reads {window:,} tokens, too few for {load.id}: name a model with a "
                f"longer window ({error})"
            ) from None
    draws, rate = draws_of(load, rate_per_s, None, seed)
    check_context(s, draws[0])
    n_turns = draws[0].n_turns / draws[0].n_sessions
    calls = calls_of(draws[0], load.id, rate * n_turns)
    hits = draws[0].hit_frac, seller_times(draws[0], ttl_s=ttl_s).hit_frac
    own, seller = (s.with_(workload=dataclasses.replace(calls, cached_frac=h)) for h in hits)
    if window and calls.input_quantile_tokens[-1] + calls.output_quantile_tokens[-1] > window:
        own = own.with_(**cut_to(calls, window))  # no turn has both: `check_context`
    return Tasks(load=load, rate_per_s=rate, draws=tuple(draws), own=own, seller=seller)


def sized(tasks: Tasks, fleets: Sequence[Fleet], peak_factor: float) -> tuple[Tasks, list[Fleet]]:
    """Each fleet as small as its sessions at the peak allow; what keeps no SLO is left out."""
    priced, costs = [], {}
    peak = tasks.rate_per_s * peak_factor
    n = tasks.draws[0].n_sessions
    draws = [tasks.load.draw(n, rate_per_s=peak, seed=k) for k in range(len(tasks.draws))]
    n_turns = tasks.draws[0].n_turns / tasks.draws[0].n_sessions
    for fleet in fleets:
        one = fleet.scenario.with_(n_gpu=fleet.n_gpu_per_replica)
        try:
            n_replicas, served = smallest(one, draws)
        except ValueError:
            continue
        rate = peak / n_replicas
        if n_replicas == 1:
            most = max_sessions_per_s(one, tasks.load, n=n, low_per_s=peak, step_factor=STEP_FACTOR)
            rate = max(peak, most)
        errors = math.exp(ONE_SIDED * math.log(fleet.rate_p90_factor) / Z90)
        n_sure = max(n_replicas, math.ceil(peak * errors / rate * ROUNDING))
        on = one.with_(n_gpu=n_replicas * fleet.n_gpu_per_replica)
        done = served.times.done
        p_keeps = share_within(
            np.where(done, served.times.ttft_s, np.inf), served.times.tpot_s,
            Spread.of(fleet.row), one.slo,
        )  # fmt: skip
        sized_fleet = dataclasses.replace(
            fleet,
            scenario=on.with_(cached_frac=served.hit_frac),
            n_replicas=n_replicas,
            rate_per_s=rate * n_turns,
            p_keeps_slo=p_keeps,
            n_sure=n_sure,
            basis="simulated",
        )
        priced.append(sized_fleet)
        costs[sized_fleet.label] = agent_cost(on, tasks.load, rate_per_s=tasks.rate_per_s, n=n)
    return dataclasses.replace(tasks, costs=costs), priced


def tasks_note(tasks: Tasks) -> str:
    """What the answer about sessions rests on."""
    own = [f"{cost.hit_frac:.1%}" for cost in tasks.costs.values()]
    of_own = f", on own fleets {' to '.join(dict.fromkeys((min(own), max(own))))}" if own else ""
    limit = getattr(tasks.load, "context_limit_tokens", None)
    compacted = f" A context is compacted before {limit:,} tokens." if limit else ""
    return (
        f"Sessions ({tasks.load.id}, {tasks.rate_per_s * DAY_S:,.0f} a day) were simulated turn by "
        f"turn: at a seller the cache serves {tasks.seller.workload.cached_frac:.1%} of the input"
        f"{of_own}.{compacted}"
    )
