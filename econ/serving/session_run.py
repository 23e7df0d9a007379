"""From sessions and a fleet to the engine's whole numbers, and back to the times of every turn.

>>> from econ.serving.cost import StepCost
>>> from econ.serving.replicas import Replica
>>> from econ.tokens.sessions import Sessions
>>> two = Sessions.of(session=[0, 0], branch=[0, 0], input_tokens=[100, 200],
...                   output_tokens=[10, 10], wait_s=[0, 5], waits_for=[[], [0]],
...                   branch_parent=[-1], branch_from_tokens=[0])
>>> fleet = Fleet(replica=Replica(cost=StepCost.affine(0.01), kv_tokens=1000, block_tokens=1))
>>> times = serve_sessions(two, fleet)
>>> times.done_s.tolist(), times.hbm_tokens.tolist()
([0.1, 5.2], [0, 109])
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.catalog.guard import count, one_of
from econ.serving import compiled, session_engine
from econ.serving import session_fields as fields
from econ.serving.checks import MAX_TIME_S, check_fit, check_horizon
from econ.serving.cost import PS_PER_S
from econ.serving.engine import FOREVER
from econ.serving.fleet import ROUTINGS, Fleet
from econ.serving.pools import router_tree
from econ.serving.replicas import Plan
from econ.tokens.sessions import KINDS, Sessions

MOMENTS_PER_TURN, MOMENTS_FLOOR = 5_000, 5_000_000

Whole = NDArray[np.int64]
Seconds = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class SessionTimes:
    """When each turn asked, started and ended, and where its prompt came from.

    Of every attempt of a turn (a failed call, a lost replica) the tokens are counted:
    ``hbm_tokens`` read from the accelerators' own cache, ``loaded_tokens`` from a lower tier,
    ``computed_tokens`` prefilled. Times are integers of picoseconds, −1 where unreached;
    ``status`` is DONE or DROPPED of `econ.serving.session_engine`.
    """

    sessions: Sessions
    fleet: Fleet
    asked_ps: Whole
    admitted_ps: Whole
    first_token_ps: Whole
    done_ps: Whole
    replica: Whole
    status: Whole
    hbm_tokens: Whole
    loaded_tokens: Whole
    computed_tokens: Whole
    n_attempts: Whole
    write_ps: Whole  # by replica: what its steps would take without prompts
    read_ps: Whole  # by replica: what prompts add to its steps
    on_ps: Whole  # by replica: from the decision to start it until it is off
    held_tokens: Whole  # by branch: what of it the accelerators' caches hold at the end
    tiers: pd.DataFrame = field(default_factory=pd.DataFrame)
    engine: str = "python"
    stopped: bool = False

    def __repr__(self) -> str:
        done = int((self.status == fields.DONE).sum())
        return f"SessionTimes({done:,} of {len(self.status):,} turns done, hit {self.hit_frac:.1%})"

    @property
    def done(self) -> NDArray[np.bool_]:
        """Which turns were answered."""
        return np.asarray(self.status == fields.DONE)

    @property
    def asked_s(self) -> Seconds:
        """When each turn first asked."""
        return _seconds(self.asked_ps)

    @property
    def done_s(self) -> Seconds:
        """When each turn's last token appeared."""
        return _seconds(self.done_ps)

    @property
    def lag_s(self) -> Seconds:
        """Before and after the scheduler: seconds, and steps at each turn's own pace."""
        replica, pace_s = self.fleet.replica, self.tpot_s
        if not replica.n_lag_steps:
            return np.full(len(pace_s), replica.lag_s)
        known = np.isfinite(pace_s)
        mean_s = float(pace_s[known].mean()) if known.any() else 0.0
        return replica.lag_s + replica.n_lag_steps * np.where(known, pace_s, mean_s)

    @property
    def ttft_s(self) -> Seconds:
        """From a turn's first request to its first token, with the lag."""
        return _seconds(self.first_token_ps) - self.asked_s + self.lag_s

    @property
    def e2e_s(self) -> Seconds:
        """From a turn's first request to its last token, with the lag."""
        return self.done_s - self.asked_s + self.lag_s

    @property
    def tpot_s(self) -> Seconds:
        """Time per token after the first; NaN for a single token."""
        steps = np.where(self.sessions.output_tokens > 1, self.sessions.output_tokens - 1, np.nan)
        tpot_s: Seconds = (self.done_s - _seconds(self.first_token_ps)) / steps
        return tpot_s

    @property
    def prompt_tokens(self) -> Whole:
        """Tokens of prompts over all attempts: read from HBM, loaded, or computed."""
        prompt: Whole = self.hbm_tokens + self.loaded_tokens + self.computed_tokens
        return prompt

    @property
    def hit_frac(self) -> float:
        """Share of all prompt tokens that no prefill had to compute."""
        n_tokens = self.prompt_tokens.sum()
        return float(1 - self.computed_tokens.sum() / n_tokens) if n_tokens else 0.0

    @property
    def hbm_hit_frac(self) -> float:
        """Share of all prompt tokens that lay in the accelerators' memory."""
        n_tokens = self.prompt_tokens.sum()
        return float(self.hbm_tokens.sum() / n_tokens) if n_tokens else 0.0

    def hit_by_kind(self) -> pd.Series:
        """The hit share of turns that a person, a tool or another agent started."""
        kind = self.sessions.kind
        kinds = list(dict.fromkeys(kind.tolist()))
        computed, prompt = (
            np.bincount(kind.astype(np.intp), n_tokens)[kinds]
            for n_tokens in (self.computed_tokens, self.prompt_tokens)
        )
        return pd.Series(1 - computed / prompt, index=[KINDS[k] for k in kinds])

    @property
    def session_done(self) -> NDArray[np.bool_]:
        """Sessions all of whose turns were answered."""
        left = np.bincount(
            self.sessions.session.astype(np.intp), ~self.done, self.sessions.n_sessions
        )
        return np.asarray(left == 0)

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Sessions that ended and whose task is solved."""
        return np.asarray(self.session_done & self.sessions.solved)

    @property
    def session_s(self) -> Seconds:
        """From a session's first request to its last token; NaN where it was given up."""
        first = np.full(self.sessions.n_sessions, np.inf)
        last = np.zeros(self.sessions.n_sessions)
        np.minimum.at(first, self.sessions.session[self.done], self.asked_s[self.done])
        np.maximum.at(last, self.sessions.session[self.done], self.done_s[self.done])
        return np.where(self.session_done, last - first, np.nan)

    @property
    def span_s(self) -> float:
        """From the first request to the last answer."""
        if not self.done.any():
            return 0.0
        return float(self.done_s[self.done].max() - self.asked_s[self.asked_ps >= 0].min())

    def frame(self) -> pd.DataFrame:
        """One row a turn: what it was, when, and where its prompt came from."""
        columns = ("asked_s", "ttft_s", "e2e_s", "done_s", "hbm_tokens", "loaded_tokens",
                   "computed_tokens", "n_attempts", "replica")  # fmt: skip
        frame = self.sessions.frame().drop(columns=["known_tokens"])
        return frame.assign(**{name: getattr(self, name) for name in columns})


def _seconds(time_ps: Whole) -> Seconds:
    return np.where(time_ps < 0, np.nan, time_ps / PS_PER_S)


def serve_sessions(
    sessions: Sessions,
    fleet: Fleet,
    engine: str = "auto",
    *,
    seed: int = 0,
    until_s: float | None = None,
) -> SessionTimes:
    """Serve sessions on a fleet, exactly.

    Parameters
    ----------
    sessions : Sessions
        The turns and what they share.
    fleet : Fleet
        Replicas, tiers, router, autoscaler, outages.
    engine : str
        c, numba or python, which agree to the picosecond; auto takes c where it was built with the
        package, else numba where it is compiled already or pays.
    seed : int
        Of random routing.
    until_s : float, optional
        Where the run stops.

    Returns
    -------
    SessionTimes
        Times and tokens of every turn.

    Raises
    ------
    ValueError
        For a turn that no replica's memory can hold, by its row.

    Notes
    -----
    A turn reserves the blocks of its prompt and answer when it is admitted, first come first
    served within its priority. What the accelerators' cache lacks is loaded from the fastest tier
    that has it if that ends sooner than computing it, else computed. See
    `econ.serving.session_engine` for what the cache keeps.
    """
    plan, n_rep = Plan.of(fleet.replica), fleet.replica.n_replicas
    prompt, out = sessions.input_tokens, sessions.output_tokens
    check_fit(plan, fleet.replica, prompt, out, None)
    check_horizon(plan, np.rint(sessions.start_s * PS_PER_S), prompt, out)
    one_of("engine", engine, ("auto", *RUNNERS))
    if engine == "auto" and compiled.built(session_engine):
        engine = "c"
    elif engine == "auto":
        pays = compiled.pays(sessions.n_turns, sessions.n_turns, session_engine)
        engine = "numba" if pays else "python"
    if engine == "c" and not compiled.built(session_engine):
        raise ModuleNotFoundError('engine = "c" was not built; "numba" and "python" do without')
    inputs = inputs_of(sessions, fleet, plan, count("seed", seed, 0), until_s)
    turns, reps, caches, blocks_in_use, stopped = RUNNERS[engine](inputs)
    sums = caches.reshape(-1, n_rep, fields.N_CACHE).sum(axis=1) * plan.block_tokens
    tiers = pd.DataFrame(
        sums[:, [fields.USED, fields.EVICTED, fields.WRITTEN, fields.READ]],
        columns=["held_tokens", "evicted_tokens", "written_tokens", "read_tokens"],
    )
    tiers.insert(0, "tier", ["hbm", *(tier.name for tier in fleet.tiers)])
    return SessionTimes(
        sessions,
        fleet,
        asked_ps=turns[:, fields.ASKED],
        admitted_ps=turns[:, fields.ADMITTED],
        first_token_ps=turns[:, fields.FIRST],
        done_ps=turns[:, fields.ENDED],
        replica=turns[:, fields.REPLICA],
        status=turns[:, fields.STATUS],
        hbm_tokens=turns[:, fields.HBM_READ],
        loaded_tokens=turns[:, fields.LOAD_READ],
        computed_tokens=turns[:, fields.COMPUTED],
        n_attempts=turns[:, fields.ATTEMPTS],
        write_ps=reps[:, fields.WRITE_PS],
        read_ps=reps[:, fields.READ_PS],
        on_ps=reps[:, fields.ON_PS],
        held_tokens=blocks_in_use * plan.block_tokens,
        tiers=tiers,
        engine=engine,
        stopped=stopped,
    )


@dataclass(frozen=True)
class Inputs:
    """What the engine takes: tables of whole numbers, one row a thing."""

    turns: Whole  # n × (columns up to START)
    follow: Whole  # turns that wait for each turn
    roots: Whole  # turns that wait for nothing, by time
    tree: Whole  # branches × (parent, from block)
    cost: list[Whole]
    room: Whole  # blocks of each cache
    ttl: Whole  # of each cache
    auto: Whole
    outages: Whole  # outages × (replica, from, to)
    settings: Any  # as `econ.serving.session_fields` names them
    n_on: int  # replicas at the start
    n_most: int
    until_ps: int
    retry_ps: int


def inputs_of(s: Sessions, fleet: Fleet, plan: Plan, seed: int, until_s: float | None) -> Inputs:
    """Sessions and a fleet in whole numbers."""
    n, n_rep = s.n_turns, fleet.replica.n_replicas
    turn = np.repeat(np.arange(n), np.diff(s.waits_at).astype(np.intp))
    order = np.argsort(s.waits_for, kind="stable")
    next_at = np.searchsorted(s.waits_for[order], np.arange(n + 1))
    first, wait = np.diff(s.waits_at) == 0, ps(s.wait_s)
    start = ps(s.start_s) + np.where(first, wait, 0)
    patience = np.minimum(s.patience_s, MAX_TIME_S)
    turns = [
        s.branch, s.input_tokens, s.output_tokens, wait, np.diff(s.waits_at), next_at[:-1],
        next_at[1:], s.priority, np.where(np.isfinite(s.patience_s), ps(patience), FOREVER),
        s.n_failures, np.random.default_rng(seed).integers(0, 2**31, n), start,
    ]  # fmt: skip
    roots = np.flatnonzero(first)
    sizes, ttl = [plan.n_blocks] * n_rep, [_span(fleet.ttl_s)] * n_rep
    block_bytes = fleet.kv_bytes_per_token * plan.block_tokens
    for tier in fleet.tiers:
        sizes += [int(min(tier.capacity_bytes / block_bytes, 2**62))] * n_rep
        ttl += [_span(tier.ttl_s)] * n_rep
    cost = fleet.replica.cost.integer(plan.token_budget, plan.max_batch)
    auto = [n_rep, 0, 0, 0, 0]
    if (rule := fleet.autoscale) is not None:
        auto = [rule.n_least, rule.n_waiting_up, rule.n_load_down, int(ps(rule.cold_start_s)),
                max(int(ps(rule.look_s)), 1)]  # fmt: skip
    outages = [(o.replica, int(ps(o.from_s)), int(ps(o.to_s))) for o in fleet.outages]
    rule_no, slack = ROUTINGS.index(fleet.routing), fleet.n_slack
    settings = [int(fleet.cached), plan.max_batch, plan.token_budget, plan.block_tokens]
    settings += [cost.prefill_base_ps, cost.prefill_per_pair_ps, n_rep, rule_no]
    settings += [slack if fleet.routing == "prefix_aware" else 0, len(fleet.tiers)]
    settings += [int(s.priority.max()) + 1, s.n_branches, n]
    settings += [int(t.shared) for t in fleet.tiers] + [int(ps(t.latency_s)) for t in fleet.tiers]
    settings += [int(ps(fleet.kv_bytes_per_token / t.read_bytes_per_s)) for t in fleet.tiers]
    return Inputs(
        np.stack(turns, axis=1).astype("int64"),
        turn[order],
        roots[np.lexsort((roots, start[roots]))],
        np.stack([s.branch_parent, s.branch_from_tokens // plan.block_tokens], axis=1),
        list(cost[:3]),
        np.array(sizes, "int64"),
        np.array(ttl, "int64"),
        np.array(auto, "int64"),
        np.array(outages, "int64").reshape(-1, 3),
        settings,
        auto[0],
        MOMENTS_PER_TURN * n + MOMENTS_FLOOR,
        FOREVER if until_s is None else int(ps(until_s)),
        int(ps(fleet.retry_s)),
    )


def ps(seconds: Any) -> Whole:
    """Seconds in whole picoseconds."""
    return np.rint(np.asarray(seconds, "float64") * PS_PER_S).astype("int64")


def _span(seconds: float | None) -> int:
    return FOREVER if seconds is None else int(ps(min(seconds, MAX_TIME_S)))


def run(engine: str, inputs: Inputs) -> tuple[Whole, Whole, Whole, Whole, bool]:
    """The event-skipping engine on lists (Python) or arrays (C, numba).

    Returns turns, replicas, caches, blocks of each branch in the accelerators' memory, and whether
    a limit stopped the run.
    """
    settings = inputs.settings
    n, n_rep, n_branches, n_prio = (
        len(inputs.turns),
        *(settings[k] for k in (fields.REPLICAS, fields.BRANCHES, fields.PRIORITIES)),
    )
    turns = np.zeros((n, fields.N_TURN), "int64")
    turns[:, : fields.STATUS] = inputs.turns
    for k in (fields.ASKED, fields.ADMITTED, fields.FIRST, fields.ENDED, fields.REPLICA):
        turns[:, k] = -1
    run_end, by_end = router_tree(n_rep)
    reps = np.zeros((n_rep, fields.N_REP), "int64")
    reps[: inputs.n_on, fields.STATE] = fields.ON
    reps[:, fields.HEAD] = -1
    entries = np.zeros((len(inputs.room), n_branches + 1, fields.N_ENTRY), "int64")
    entries[:, -1, [fields.BEFORE, fields.AFTER]] = n_branches  # lists that hold their own end only
    caches = np.zeros((len(inputs.room), fields.N_CACHE), "int64")
    caches[:, fields.ROOM], caches[:, fields.TTL] = inputs.room, inputs.ttl
    nums = np.zeros(9, "int64")
    nums[[fields.LEFT, fields.LIMBO]] = n, -1
    nums[[fields.BACKOFF, fields.MOST, fields.UNTIL]] = (
        inputs.retry_ps, inputs.n_most, inputs.until_ps,
    )  # fmt: skip
    tables: list[Any] = [
        turns, inputs.follow, reps, inputs.tree, entries, caches, nums,
        np.full(n_rep * n_prio, -1), np.full(n_rep * n_prio, -1),
        np.zeros(max(n_rep * len(inputs.room), 1)), *inputs.cost, inputs.roots, inputs.auto,
        inputs.outages, run_end, by_end, np.array(settings),
    ]  # fmt: skip
    flat: list[Any] = [np.array(table, "int64").ravel() for table in tables]
    if engine == "c":
        compiled.native().run_sessions(tuple(flat))
    elif engine == "numba":
        compiled.run("run_sessions", *flat, module=session_engine)
    else:
        flat = [table.tolist() for table in flat]
        session_engine.run_sessions(*flat)
    shapes = ((0, turns), (2, reps), (5, caches), (4, entries))
    out = [np.asarray(flat[k], "int64").reshape(like.shape) for k, like in shapes]
    blocks_in_use = out[3][:n_rep, :-1, fields.BLOCKS].sum(axis=0)
    return out[0], out[1], out[2], blocks_in_use, bool(flat[6][fields.STOPPED])


# engine → what runs it; the tests add one that goes token by token
RUNNERS: dict[str, Any] = {name: functools.partial(run, name) for name in ("c", "numba", "python")}
