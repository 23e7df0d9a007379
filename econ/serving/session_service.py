"""What sessions get from a scenario: time to answer by turn and session, and a hit share.

The hit share is no input: it comes out of the sessions, the memory beside the weights, the tiers
below and the router. `SessionService.scenario` carries it on, so that the energy, the cost and the
bill of the same calls follow from it.

>>> from econ.scenario import Scenario
>>> s = Scenario.of("qwen3-32b", "h200-sxm", precision="fp8")
>>> served = simulate_sessions(s, "support", rate_per_s=0.05, n=40)
>>> served.hit_frac > 0.8, served.warm_ttft_s < served.cold_ttft_s
(True, True)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from econ.catalog.guard import positive, shown
from econ.scenario import Scenario
from econ.serving.cost import PS_PER_S
from econ.serving.fleet import Autoscale, Fleet, Outage, Tier, tier
from econ.serving.from_scenario import replica as replica_of_scenario
from econ.serving.replicas import Replica
from econ.serving.session_run import SessionTimes, serve_sessions
from econ.station import Result, station
from econ.tokens.session_loads import SessionLoad, session_load
from econ.tokens.session_traces import Replay, begin_rate_per_s
from econ.tokens.sessions import Sessions
from econ.tokens.tasks import Task
from econ.tokens.workloads import QUANTILES, Workload

N_SESSIONS = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class SessionService(Result):
    """What sessions get, turn by turn.

    Attributes
    ----------
    rate_per_s : float
        Sessions that began per second.
    hit_frac, hbm_hit_frac, loaded_frac : float
        Share of prompt tokens that no prefill computed; that lay in the accelerators' memory; that
        came from a lower tier.
    user_hit_frac, tool_hit_frac : float
        The hit share of turns that a person, or a tool, started.
    warm_ttft_s, cold_ttft_s : float
        Median TTFT of turns with at least, and less than, half of the prompt from a cache.
    mean_turn_s, p50_session_s, p95_session_s : float
        From a request to its last token; from a session's first request to its last answer.
    good_frac : float
        Share of turns that were answered within the SLO.
    done_frac, solved_frac : float
        Share of sessions that were completed, and whose task was solved as well.
    busy_frac : float
        Share of paid replica-seconds in which a step ran.
    prompt_time_frac : float
        Share of the working time that prompts add to the steps.
    mean_replicas_on : float
        Replicas paid for, on average over the run.
    times : SessionTimes
        Every turn.
    asked : Scenario
        What was simulated.
    load : str
        Name of the kind of session; empty for sessions of your own.
    """

    rate_per_s: float
    n_sessions: int
    n_turns: int
    mean_turns: float
    mean_input_tokens: float
    mean_output_tokens: float
    hit_frac: float
    hbm_hit_frac: float
    loaded_frac: float
    user_hit_frac: float
    tool_hit_frac: float
    p50_ttft_s: float
    p95_ttft_s: float
    p99_ttft_s: float
    warm_ttft_s: float
    cold_ttft_s: float
    p50_tpot_s: float
    p95_tpot_s: float
    mean_turn_s: float
    p50_session_s: float
    p95_session_s: float
    good_frac: float
    meets_slo: bool
    done_frac: float
    solved_frac: float
    busy_frac: float
    prompt_time_frac: float
    mean_replicas_on: float
    times: SessionTimes = field(repr=False)
    asked: Scenario = field(repr=False)
    load: str = ""

    @property
    def scenario(self) -> Scenario:
        """The scenario with these calls as its workload, the hit share as its cached share.

        It goes into `econ.energy.energy`, `econ.tco.cost` and `econ.bill`, which then speak of
        turns, sessions and finished tasks. What looks for another fleet refuses it, because that
        fleet finds another share: there are `econ.plan.plan_sessions` and
        ``econ.decide(sessions=…)``.
        """
        task = Task(
            load=self.load,
            n_turns=self.mean_turns,
            solved_frac=self.solved_frac,
        )
        return self.asked.with_(cached_frac=self.hit_frac, task=task)

    @classmethod
    def of(
        cls, times: SessionTimes, s: Scenario, rate_per_s: float, load: str = ""
    ) -> SessionService:
        """The figures of one simulation under the scenario's SLO."""
        done, sessions = times.done, times.sessions
        ttft, tpot = times.ttft_s, times.tpot_s
        single = sessions.output_tokens == 1
        good = done & (ttft <= s.slo.ttft_s) & (single | (tpot <= s.slo.tpot_s))
        warm = times.computed_tokens < 0.5 * times.prompt_tokens
        kinds, length_s = times.hit_by_kind(), times.session_s
        read_ps = times.read_ps.sum(dtype=float)
        busy_ps = times.write_ps.sum(dtype=float) + read_ps
        on_ps = times.on_ps.sum(dtype=float)  # of ten replicas a fortnight exceeds 64 bits
        n_tokens = max(float(times.prompt_tokens.sum()), 1.0)
        span_s = max(times.span_s, 1e-12)
        return cls(
            rate_per_s=rate_per_s,
            n_sessions=sessions.n_sessions,
            n_turns=sessions.n_turns,
            mean_turns=sessions.n_turns / sessions.n_sessions,
            mean_input_tokens=float(sessions.input_tokens.mean()),
            mean_output_tokens=float(sessions.output_tokens.mean()),
            hit_frac=times.hit_frac,
            hbm_hit_frac=times.hbm_hit_frac,
            loaded_frac=float(times.loaded_tokens.sum()) / n_tokens,
            user_hit_frac=float(kinds.get("user", np.nan)),
            tool_hit_frac=float(kinds.get("tool", np.nan)),
            **{f"p{q}_ttft_s": _quantile(ttft[done], q) for q in (50, 95, 99)},
            warm_ttft_s=_quantile(ttft[done & warm], 50),
            cold_ttft_s=_quantile(ttft[done & ~warm], 50),
            **{f"p{q}_tpot_s": _quantile(tpot[done & ~single], q) for q in (50, 95)},
            mean_turn_s=float(times.e2e_s[done].mean()) if done.any() else np.nan,
            p50_session_s=_quantile(length_s[times.session_done], 50),
            p95_session_s=_quantile(length_s[times.session_done], 95),
            good_frac=float(good.mean()),
            meets_slo=bool(good.mean() >= s.slo.attainment_frac) and not times.stopped,
            done_frac=float(times.session_done.mean()),
            solved_frac=float(times.solved.mean()),
            busy_frac=busy_ps / on_ps if on_ps else 0.0,
            prompt_time_frac=read_ps / busy_ps if busy_ps else 0.0,
            mean_replicas_on=on_ps / PS_PER_S / span_s,
            times=times,
            asked=s,
            load=load,
        )


def _quantile(values: Any, percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else np.nan


def calls_of(sessions: Sessions, id: str = "sessions", rate_per_s: float = 1.0) -> Workload:
    """The calls of sessions as a workload: lengths and rate, what is cached left open.

    >>> calls_of(session_load("voice").draw(50)).mean_output_tokens < 100
    True
    """
    lengths = {
        name: tuple(np.quantile(getattr(sessions, name), QUANTILES))
        for name in ("input_tokens", "output_tokens")
    }
    return Workload(
        id=id,
        title=f"Calls of {sessions.n_sessions:,} sessions",
        rate_per_s=rate_per_s,
        input_quantile_tokens=lengths["input_tokens"],
        output_quantile_tokens=lengths["output_tokens"],
    )


def kv_bytes_per_token(s: Scenario) -> float:
    """Bytes that a token of context takes in the KV cache of the scenario's deployment."""
    return float(s.resolved_model.kv_bytes_per_token(s.deployment.kv_bytes_per_element))


@station(headline="hit_frac")
def simulate_sessions(
    s: Scenario,
    load: SessionLoad | Replay | Sessions | str = "coding-agent",
    *,
    rate_per_s: float | None = None,
    n: int = N_SESSIONS,
    seed: int = 0,
    tiers: tuple[Tier | str, ...] = (),
    routing: str = "prefix_aware",
    n_slack: int = 4,
    cached: bool = True,
    ttl_s: float | None = None,
    autoscale: Autoscale | None = None,
    outages: tuple[Outage, ...] = (),
    engine: str = "auto",
) -> SessionService:
    """Serve sessions on a scenario's deployment.

    Parameters
    ----------
    s : Scenario
        Model, deployment and SLO (of a turn). Its workload is replaced by the calls of the
        sessions.
    load : SessionLoad, Replay, Sessions or str
        A kind of session or its name (`econ.tokens.session_load`); a log to draw from
        (`econ.tokens.Replay`); or sessions as they are, e.g. from a trace.
    rate_per_s : float, optional
        Sessions that begin per second; the load's own by default. Not with sessions.
    n : int
        Sessions to draw, e.g. 200.
    seed : int
        Draws the sessions; the same at every rate.
    tiers : tuple of Tier or str
        Below the accelerators' memory, fastest first; a name (host, disk, store) stands for that
        tier of a replica of this size.
    routing, n_slack, cached, ttl_s, autoscale, outages
        As in `econ.serving.Fleet`.
    engine : str
        As in `econ.serving.serve_sessions`.

    Returns
    -------
    SessionService
        Hit shares, times, and every turn.

    Raises
    ------
    DoesNotFit
        Where weights and one sequence exceed the memory.
    ValueError
        For a turn longer than the model's context or a replica's memory, by its row; for a
        deployment that does not read prompts in chunks.

    Notes
    -----
    Steps cost what they do in `econ.serving.simulate`; what else happens is in
    `econ.serving.serve_sessions`.

    References
    ----------
    Kwon et al., SOSP 2023 (blocks); Zheng et al., SGLang, 2024 (prefixes as a tree); Qin et al.,
    Mooncake, FAST 2025 (tiers, a shared store).

    Examples
    --------
    >>> s = Scenario.of("qwen3-32b", "h200-sxm", precision="fp8")
    >>> none = simulate_sessions(s, "voice", rate_per_s=0.1, n=20, cached=False)
    >>> none.hit_frac
    0.0
    """
    sessions, rate = drawn(load, n, rate_per_s, seed)
    check_context(s, sessions)
    calls = calls_of(sessions, rate_per_s=rate * sessions.n_turns / sessions.n_sessions)
    s = s.with_(workload=calls)
    one = replica_of_scenario(s)
    if not isinstance(one, Replica) or one.policy != "chunked_prefill":
        raise ValueError(
            f"policy = {s.deployment.policy!r} with engine = {s.deployment.engine!r}: sessions are "
            "simulated with chunked_prefill; set policy"
        )
    per_replica = s.deployment.n_gpu // s.n_replicas
    fleet = Fleet(
        replica=one,
        kv_bytes_per_token=kv_bytes_per_token(s),
        tiers=tuple(tier(t, per_replica) if isinstance(t, str) else t for t in tiers),
        routing=routing,
        n_slack=n_slack,
        cached=cached,
        ttl_s=ttl_s,
        autoscale=autoscale,
        outages=outages,
    )
    kind = load if isinstance(load, str) else getattr(load, "id", "")
    return SessionService.of(serve_sessions(sessions, fleet, engine, seed=seed), s, rate, kind)


def check_context(s: Scenario, sessions: Sessions) -> None:
    """Refuse a turn that is longer than what the scenario's model reads, by its row."""
    limit = s.resolved_model.max_context_tokens
    longest = sessions.input_tokens + sessions.output_tokens
    if limit and (longest > limit).any():
        row = int(np.argmax(longest > limit))
        raise ValueError(
            f"turn {row}: prompt and answer take {longest[row]:,} tokens, more than the "
            f"{limit:,} that {s.model_id} reads; compact earlier (context_limit_tokens)"
        )


def drawn(
    load: SessionLoad | Replay | Sessions | str, n: int, rate_per_s: float | None, seed: int = 0
) -> tuple[Sessions, float]:
    """Sessions, and how many begin per second."""
    if isinstance(load, Sessions):
        if rate_per_s is not None:
            raise TypeError("sessions begin when they say; rate_per_s belongs to a SessionLoad")
        return load, begin_rate_per_s(load)
    if isinstance(load, str):
        load = session_load(load)
    if not isinstance(load, SessionLoad | Replay):
        raise TypeError(f"load = {shown(load)} is no SessionLoad, no Sessions and no name of one")
    rate = load.rate_per_s if rate_per_s is None else positive("rate_per_s", rate_per_s, 1e6)
    return load.draw(n, rate_per_s=rate, seed=seed), rate


def ttft_by_cache(
    s: Scenario, input_tokens: int, *, new_tokens: int = 64, tiers: tuple[Tier | str, ...] = ()
) -> dict[str, float]:
    """TTFT of one turn alone, by where its prefix lies.

    Parameters
    ----------
    s : Scenario
        Model and deployment.
    input_tokens : int
        The whole prompt, e.g. 64_000.
    new_tokens : int
        Of these, tokens that no cache can know.
    tiers : tuple of Tier or str
        As in `simulate_sessions`.

    Returns
    -------
    dict of str to float
        Seconds: ``miss``, ``hbm``, and one entry a tier. A tier slower than recompute reads as a
        miss.

    Examples
    --------
    >>> s = Scenario.of("qwen3-32b", "h200-sxm", precision="fp8")
    >>> ttft_s = ttft_by_cache(s, 30_000, tiers=("host",))
    >>> ttft_s["hbm"] < ttft_s["host"] < ttft_s["miss"]
    True
    """
    turns = Sessions.of(
        session=[0, 0], branch=[0, 0], input_tokens=[input_tokens - new_tokens, input_tokens],
        output_tokens=[1, 1], wait_s=[0.0, 1.0], waits_for=[[], [0]], branch_parent=[-1],
        branch_from_tokens=[0],
    )  # fmt: skip
    answer = {"miss": simulate_sessions(s, turns, cached=False).times.ttft_s[1]}
    answer["hbm"] = simulate_sessions(s, turns).times.ttft_s[1]
    for one in tiers:
        below = simulate_sessions(s, turns, cached=False, tiers=(one,))
        answer[one if isinstance(one, str) else one.name] = below.times.ttft_s[1]
    return {name: float(value) for name, value in answer.items()}
