"""How requests run through the pools of a replica, as columns of whole numbers.

`simulate_arrays` checks them (`econ.serving.checks`), chooses an engine and hands them to each
pool; `econ.serving.engine` does the steps.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from econ.catalog.engines import engine_names
from econ.catalog.guard import count, one_of, positive
from econ.serving import compiled
from econ.serving import engine as events
from econ.serving.checks import (
    MAX_TIME_S,
    cached_prompt,
    check_fit,
    check_horizon,
    checked_requests,
)
from econ.serving.cost import PS_PER_S
from econ.serving.replicas import Disaggregated, Plan, Replica
from econ.serving.result import NEVER, RequestTimes
from econ.terms import Slo

EVENTS_PER_REQUEST, EVENTS_FLOOR = 1000, 1_000_000
SMALL = "int32"  # tokens and positions, as the engines take them

Whole = NDArray[np.int64]


class Times(NamedTuple):
    """What a pool returns; ``n_peak``: the most requests that ran on one replica at a time."""

    first: Whole
    done: Whole
    n_preempt: Whole
    n_events: int
    stopped: bool
    n_peak: int


class Limits(NamedTuple):
    """Where a run stops; the last five end it once more requests miss an SLO than may."""

    until_ps: int
    n_most_events: int
    ttft_ps: int = events.FOREVER
    tpot_ps: int = events.FOREVER
    lag_ps: int = 0
    n_fine_lag_steps: int = 0
    n_most_bad: int = events.FOREVER

    def judging(self, slo: Slo, replica: Replica, n: int, n_lag_steps: float) -> Limits:
        """With an end once the SLO is out of reach for ``n`` requests, roundings in its favour."""
        n_bad = int((1 - slo.attainment_frac) * n) + 1
        while (n - n_bad) / n < slo.attainment_frac:
            n_bad -= 1
        return self._replace(
            ttft_ps=math.ceil(float(slo.ttft_s) * PS_PER_S) + 2,
            tpot_ps=math.ceil(float(slo.tpot_s) * PS_PER_S) + 2,
            lag_ps=round(replica.lag_s * PS_PER_S),
            n_fine_lag_steps=int(n_lag_steps * (1 << events.FINE)),
            n_most_bad=n_bad,
        )


class Columns(NamedTuple):
    """Requests in order of arrival: arrival in picoseconds, tokens of prompt and answer, cached."""

    arrival: Whole
    prompt: Whole
    out: Whole
    cached: Whole

    def part(self, rows: Any) -> Columns:
        """Some of the requests."""
        return Columns(*(column[rows] for column in self))


def simulate_arrays(
    arrival_s: Any,
    input_tokens: Any,
    output_tokens: Any,
    replica: Replica | Disaggregated,
    engine: str,
    cached_tokens: Any = None,
    seed: int = 0,
    until_s: float | None = None,
    n_most_events: int | None = None,
    slo: Slo | None = None,
) -> RequestTimes:
    """`econ.serving.simulate` of requests as arrays, with the arguments described there.

    With ``slo`` the run stops as soon as its share of good requests is out of reach; of separate
    pools only the prompts' TTFT is judged on the way.
    """
    arrival, prompt, out = checked_requests(arrival_s, input_tokens, output_tokens)
    n = len(arrival)
    if isinstance(replica, Replica) and replica.policy == "disaggregated":
        pool = replica.replace(policy="chunked_prefill")
        replica = Disaggregated(prefill=pool, decode=pool)
    if not isinstance(replica, Replica | Disaggregated):
        raise TypeError(f"replica = {replica!r} is neither a Replica nor a Disaggregated")
    until_ps = events.FOREVER
    if until_s is not None:
        until_ps = round(positive("until_s", until_s, MAX_TIME_S) * PS_PER_S)
    if n_most_events is None:
        n_most_events = EVENTS_PER_REQUEST * n + EVENTS_FLOOR
    limits = Limits(until_ps, count("n_most_events", n_most_events, 1, 1e18))
    engine = _chosen_engine(engine, n)

    if isinstance(replica, Disaggregated):
        prefill, decode = replica.prefill, replica.decode
    else:
        prefill = decode = replica
    cached = cached_prompt(prompt, prefill, cached_tokens)
    steps: Whole = out
    reserve_tokens: Whole | int = 0
    if decode.speculation:
        steps = 1 + decode.speculation.draw_steps(out - 1, seed)
        reserve_tokens = out - steps
    if slo is not None and not decode.speculation:  # there, tokens are not steps
        n_lag_steps = prefill.n_lag_steps if isinstance(replica, Replica) else 0.0
        limits = limits.judging(slo, prefill, n, n_lag_steps)
    n_replicas = prefill.n_replicas
    requests = Columns(arrival, prompt, steps, cached)
    if isinstance(replica, Disaggregated):
        n_replicas += decode.n_replicas
        times = run_pools(engine, replica, limits, requests, reserve_tokens)
    else:
        if decode.speculation:
            requests = requests._replace(prompt=prompt + reserve_tokens)
        times = run_pool(engine, prefill, limits, requests)
    first, done, n_preempt, n_events, stopped, peak = times
    stopped = stopped or bool((done == NEVER).any())
    lag: Whole | int = round(prefill.lag_s * PS_PER_S)
    if prefill.n_lag_steps and isinstance(replica, Replica):
        lag = lag + lag_ps(prefill.n_lag_steps, first, done, steps)
    return RequestTimes(
        arrival,
        first,
        done,
        prompt,
        out,
        n_preempt,
        n_replicas,
        n_events,
        engine,
        stopped,
        lag,
        peak,
    )


_n_in_python = 0  # requests that plain Python has served in this process


def _chosen_engine(engine: str, n: int) -> str:
    """The engine that runs ``n`` requests."""
    global _n_in_python
    if engine in engine_names():
        raise ValueError(
            f"engine = {engine!r} is a setting of the deployment: scenario.with_(engine={engine!r})"
        )
    one_of("engine", engine, ("auto", *RUNNERS))
    if engine == "auto" and compiled.native() is not None:
        engine = "c"
    if engine == "auto":
        engine = "numba" if compiled.pays(n, _n_in_python + n) else "python"
    if engine == "c" and compiled.native() is None:
        raise ModuleNotFoundError(
            'engine = "c" was not built when this package was installed, for want of a C compiler, '
            'or from another version; "numba" and "python" do without'
        )
    if engine == "numba" and not compiled.has_numba():
        raise ModuleNotFoundError('engine = "numba" needs the numba package; "python" does not')
    if engine == "python":
        _n_in_python += n
    return engine


def lag_ps(n_lag_steps: float, first: Whole, done: Whole, steps: Whole) -> Whole:
    """So many steps of each request's own pace; the mean pace for one without a decode step."""
    paced = (steps > 1) & (done != NEVER)
    if not paced.any():
        return np.zeros(len(first), "int64")
    pace = (done[paced] - first[paced]) / (steps[paced] - 1)
    step = np.full(len(first), pace.mean())
    step[paced] = pace
    return np.rint(n_lag_steps * step).astype("int64")


def run_pools(
    engine: str,
    pools: Disaggregated,
    limits: Limits,
    requests: Columns,
    reserve_tokens: Whole | int,
) -> Times:
    """The prefill pool makes one token each; the rest go on in order of the KV cache's arrival.

    ``reserve_tokens``: tokens of each request that the decode pool keeps free for speculation.
    """
    arrival, prompt, out, _ = requests
    move = round(pools.kv_transfer_s_per_token * PS_PER_S)
    # in floats, as it may not fit; by the arrival, as a queue in front is no fault of the request
    moved = arrival + float(move) * prompt * (out > 1)
    check_horizon(Plan.of(pools.decode), moved, prompt + reserve_tokens, out)
    first, done, n_preempt, n_events, stopped, peak = run_pool(
        engine, pools.prefill, limits, requests._replace(out=np.ones_like(out))
    )
    limits = Limits(limits.until_ps, limits.n_most_events)
    going_on = np.flatnonzero((out > 1) & (done != NEVER))
    moved = done[going_on] + move * prompt[going_on]
    order = np.argsort(moved, kind="stable")
    going_on, moved = going_on[order], moved[order]
    done = np.where(out > 1, NEVER, done)
    if len(going_on):
        rest = (
            requests._replace(prompt=prompt + reserve_tokens).part(going_on)._replace(arrival=moved)
        )
        last = run_pool(engine, pools.decode, limits, rest, names=going_on)
        done[going_on] = last.done
        n_preempt[going_on] += last.n_preempt
        n_events, stopped = n_events + last.n_events, stopped or last.stopped
        peak = max(peak, last.n_peak)
    return Times(first, done, n_preempt, n_events, stopped, peak)


def run_pool(
    engine: str, replica: Replica, limits: Limits, requests: Columns, names: Whole | None = None
) -> Times:
    """Run one pool; ``names`` are the original positions of requests that come prefilled."""
    plan, is_ready = Plan.of(replica), names is not None
    check_fit(plan, replica, requests.prompt, requests.out, names)
    if not is_ready:  # the decode pool's were checked before the prefill
        check_horizon(plan, *requests[:3])
    return RUNNERS[engine](plan, limits, requests, is_ready)


def _run_routed(
    engine: str, plan: Plan, limits: Limits, requests: Columns, is_ready: bool
) -> Times:
    """The event-skipping engine; under round robin every replica runs by itself."""
    if plan.n_replicas == 1 or plan.least_loaded:
        return run_engine(engine, plan, limits, requests, is_ready)
    n = len(requests.arrival)
    first, done = np.full(n, NEVER), np.full(n, NEVER)
    n_preempt, n_events, stopped, peak = np.zeros(n, "int64"), 0, False, 0
    for r in range(min(plan.n_replicas, n)):
        own = slice(r, None, plan.n_replicas)
        part = run_engine(engine, plan, limits, requests.part(own), is_ready)
        first[own], done[own], n_preempt[own] = part[:3]
        n_events, stopped = n_events + part.n_events, stopped or part.stopped
        peak = max(peak, part.n_peak)
    return Times(first, done, n_preempt, n_events, stopped, peak)


def run_engine(engine: str, plan: Plan, limits: Limits, requests: Columns, is_ready: bool) -> Times:
    """The event-skipping engine on lists (Python) or arrays (C, numba)."""
    n_rep = plan.n_replicas if plan.least_loaded else 1
    req: list[Any] = [np.ascontiguousarray(column) for column in requests[:3]]
    req.append(np.ascontiguousarray(requests.cached, SMALL))
    cost = list(plan.cost[:3])
    par = [int(plan.chunked), plan.max_batch, plan.token_budget, plan.block_tokens, plan.n_blocks]
    par += [plan.tokens_per_sequence, *plan.cost[3:], *limits[1:], 0]
    state = [0] * events.N_STATE
    for k in (events.TAIL, events.STACK, events.PART):
        state[k] = -1
    state[events.HEAD] = -1 if plan.least_loaded else 0
    states: Any = np.array([state] * n_rep, "int64")
    counts: Any = np.zeros((n_rep, plan.block_tokens), "int64")
    router = _router(n_rep) if plan.least_loaded else ()
    if engine == "c":
        n = len(requests.arrival)
        times = np.full(n, NEVER), np.full(n, NEVER), np.zeros(n, "int64")
        columns = (*req, *times), tuple(cost), np.array(par, "int64")
        compiled.native().run(states, counts, router, limits.until_ps, is_ready, *columns)
    else:
        own = [states, counts, router] if plan.least_loaded else [states[0], counts[0]]
        states, times = _run_columns(engine, own, limits.until_ps, req, is_ready, cost, par)
    n_events = sum(int(state[events.EVENTS]) for state in states)
    stopped = any(int(state[events.STOPPED]) for state in states)
    peak = max(int(state[events.PEAK]) for state in states)
    return Times(*times, n_events, stopped, peak)


def _run_columns(
    engine: str, own: list[Any], until_ps: int, req: list[Any], is_ready: bool, *rest: list[Any]
) -> tuple[Any, tuple[Whole, Whole, Whole]]:
    """`econ.serving.engine` on lists (Python) or arrays (numba), one column a field of a request:
    the states, and first, done and preemptions."""
    n, (cost, par) = len(req[0]), rest
    req = [req[0], *(column.astype(SMALL) for column in req[1:])]
    req += [np.full(n, is_ready, "int8"), np.full(n, int(is_ready), SMALL)]
    req += [np.full(n, -1, "int64"), np.full(n, -1, "int64"), np.full(n, -1, "int64")]
    req += [np.zeros(n, SMALL)]
    links = [np.full(n, -1, SMALL), np.full(n, -1, SMALL), np.arange(1, n + 1, dtype=SMALL)]
    links[2][-1] = -1
    name, states = ("run_least_loaded", own[0]) if len(own) > 2 else ("run_one", own[:1])
    if engine == "numba":
        columns = (until_ps, tuple(req), tuple(links), tuple(cost), np.array(par, "int64"))
        compiled.run(name, *own, *columns)
    else:
        lists = tuple([column.tolist() for column in group] for group in (req, links, cost))
        own = [_listed(part) for part in own]
        getattr(events, name)(*own, until_ps, *lists, par)
        states = own[0] if len(own) > 2 else own[:1]
        req = [np.array(column) for column in lists[0]]
    first, done, n_preempt = (np.asarray(req[k], "int64") for k in (6, 7, 9))
    first[first < 0], done[done < 0] = NEVER, NEVER
    return states, (first, done, n_preempt)


def _router(n_rep: int) -> tuple[Whole, ...]:
    """Last request and requests routed of each replica; trees of the least load and wake."""
    last, routed = np.zeros(n_rep, "int64"), np.zeros(n_rep, "int64")
    width = len(router_tree(n_rep)[0])
    loads = np.full(2 * width, events.FOREVER)
    loads[width : width + n_rep] = np.arange(n_rep)  # load · width + replica
    for k in range(width - 1, 0, -1):
        loads[k] = loads[2 * k : 2 * k + 2].min()
    return last, routed, loads, np.full(2 * width, events.FOREVER)


def router_tree(n_rep: int) -> tuple[Whole, Whole]:
    """A key for each replica, all `FOREVER`, and the tree that ``session_steps.settle`` plays.

    >>> router_tree(3)[1].tolist()
    [0, 0, 0, 2, 0, 1, 2, 3]
    """
    width = 1 << (count("n_rep", n_rep, 1, 1_000_000) - 1).bit_length()
    tree = np.arange(-width, width)  # a leaf is its replica; all equal, the first leads
    for k in range(width - 1, -1, -1):
        tree[k] = tree[2 * k] if k else 0
    return np.full(width, events.FOREVER), tree


def _listed(part: Any) -> Any:
    return tuple(map(_listed, part)) if isinstance(part, tuple) else part.tolist()


# engine → what runs the requests of one pool; the tests add one that goes token by token
RUNNERS: dict[str, Callable[..., Times]] = {
    name: functools.partial(_run_routed, name) for name in ("c", "numba", "python")
}
