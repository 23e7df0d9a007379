"""Continuous batching under load, exactly and fast: when does each request get its tokens?

>>> cost = StepCost.affine(5e-3, 20e-6, per_ctx_token_s=40e-9)
>>> replica = Replica(cost=cost, kv_tokens=100_000, max_batch=64, policy="chunked_prefill",
...                   token_budget=512)
>>> result = simulate([0.0, 0.1], [1000, 200], [3, 2], replica)
>>> result.first_token_s.round(4).tolist(), result.done_s.round(4).tolist()
([0.03, 0.109], [0.0401, 0.114])

One step follows another without a gap. At the start of a step, requests that have arrived and fit
(a place in the batch, KV blocks, token budget) are admitted in order of arrival; the end of a
prefill yields the first token, every decode step one more per sequence. `POLICIES`:

``prefill_first``
    A prefill of whole prompts goes before any decode and stalls them. Prompts are taken together
    up to ``token_budget`` tokens; a longer one is prefilled alone.
``chunked_prefill``
    Each step decodes every running sequence and fills the rest of ``token_budget`` with prefill.
``disaggregated``
    `Disaggregated` pools: one prefills, the KV cache moves, the other decodes.

When a decode step does not fit into KV memory the latest arrival is preempted: its cache is
dropped, and it is prefilled again, with what it had generated, before anything newer is admitted.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from econ.catalog.guard import count, positive, unknown
from econ.serving import engine as serving_engine
from econ.serving import jit as serving_jit
from econ.serving.checks import (
    MAX_TIME_S,
    cached_prompt,
    check_fit,
    check_horizon,
    checked_requests,
)
from econ.serving.cost import PS_PER_S, StepCost
from econ.serving.engine import FOREVER
from econ.serving.reference import Sequence, run_reference
from econ.serving.replica import POLICIES, Disaggregated, Plan, Replica, Speculation
from econ.serving.result import NEVER, Goodput, Result

__all__ = [
    "POLICIES",
    "Disaggregated",
    "Goodput",
    "Replica",
    "Result",
    "Speculation",
    "StepCost",
    "simulate",
    "simulate_closed",
]

ENGINES = ("auto", "reference", "python", "numba")
NUMBA_PAYS_FROM = 50_000  # requests; below, plain Python answers before the compiler has
EVENTS_PER_REQUEST, EVENTS_FLOOR = 1000, 1_000_000


def simulate(
    arrival_s,
    input_tokens,
    output_tokens,
    replica: Replica | Disaggregated,
    engine: str = "auto",
    *,
    cached_tokens=None,
    seed: int = 0,
    until_s: float | None = None,
    n_most_events: int | None = None,
) -> Result:
    """Serve the requests and return when each got its first and its last token.

    ``engine``: "reference" steps token by token, "python" and "numba" skip from event to event;
    all agree to the picosecond. "auto" takes numba if it is compiled already or pays (from 50,000
    requests), else Python. ``cached_tokens`` of each prompt overrides the replica's cached share.
    ``seed`` draws speculative acceptance. Past ``until_s`` no step starts; after ``n_most_events``
    (default 1,000 a request and a million, never reached by a queue that merely grows) the run
    stops: ``Result.stopped`` says so, and unfinished requests are NaN. The first offending request
    is named by its position, from 0.
    """
    arrival, prompt, out = checked_requests(arrival_s, input_tokens, output_tokens)
    n = len(arrival)
    if isinstance(replica, Replica) and replica.policy == "disaggregated":
        pool = replica.replace(policy="chunked_prefill")
        replica = Disaggregated(prefill=pool, decode=pool)
    if not isinstance(replica, Replica | Disaggregated):
        raise TypeError(f"replica = {replica!r} is neither a Replica nor a Disaggregated")
    until = FOREVER
    if until_s is not None:
        until = round(positive("until_s", until_s, MAX_TIME_S) * PS_PER_S)
    if n_most_events is None:
        n_most_events = EVENTS_PER_REQUEST * n + EVENTS_FLOOR
    limits = (until, count("n_most_events", n_most_events, 1, 1e18))
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    if engine == "auto":
        pays = n >= NUMBA_PAYS_FROM and serving_jit.available()
        engine = "numba" if pays or serving_jit.compiled() else "python"
    if engine == "numba" and not serving_jit.available():
        raise ModuleNotFoundError('engine = "numba" needs the numba package; "python" does not')

    pools = isinstance(replica, Disaggregated)
    prefill, decode = (replica.prefill, replica.decode) if pools else (replica, replica)
    cached = cached_prompt(prompt, prefill, cached_tokens)
    steps, reserve = out, np.zeros(n, "int64")
    if decode.speculation:
        steps = 1 + decode.speculation.draw_steps(out - 1, seed)
        reserve = out - steps
    n_replicas = prefill.n_replicas
    if pools:
        n_replicas += decode.n_replicas
        times = _run_pools(engine, replica, limits, arrival, prompt, reserve, steps, cached)
    else:
        times = _run(engine, replica, limits, arrival, prompt + reserve, steps, cached)
    first, done, n_preempt, n_events, stopped = times
    stopped = stopped or bool((done == NEVER).any())
    lag = round(prefill.lag_s * PS_PER_S)
    if prefill.n_lag_steps and not pools:
        lag = lag + _lag_ps(prefill.n_lag_steps, first, done, steps)
    return Result(
        arrival, first, done, prompt, out, n_preempt, n_replicas, n_events, engine, stopped, lag
    )


def simulate_closed(
    input_tokens, output_tokens, replica: Replica, concurrency: int, engine: str = "auto", **more
) -> Result:
    """A closed loop: ``concurrency`` users, each of whom asks again as soon as the answer is done.

    Exact without a feedback: with all requests queued at 0 and at most ``concurrency`` in the
    batch, request i starts as if submitted at the (i − concurrency)-th completion, which is its
    arrival here (unless steps take no time). One replica; requests are sent in the order given.

    >>> replica = Replica(cost=StepCost.affine(0.01), kv_tokens=1000)
    >>> simulate_closed([10] * 3, [2] * 3, replica, concurrency=1).arrival_s.tolist()
    [0.0, 0.02, 0.04]
    """
    count("concurrency", concurrency, 1)
    if not isinstance(replica, Replica) or replica.policy == "disaggregated":
        raise TypeError("a closed loop is simulated on one Replica of a single pool")
    count("n_replicas", replica.n_replicas, 1, 1)
    narrow = replica.replace(max_batch=min(replica.max_batch, concurrency))
    zeros = np.zeros(len(np.atleast_1d(input_tokens)))
    result = simulate(zeros, input_tokens, output_tokens, narrow, engine, **more)
    arrival = np.zeros(len(zeros), "int64")
    arrival[concurrency:] = np.sort(result.done_ps)[: max(len(zeros) - concurrency, 0)]
    return dataclasses.replace(result, arrival_ps=arrival)


def _lag_ps(n_lag_steps: float, first, done, steps) -> np.ndarray:
    """So many steps of each request's own pace; the mean pace for one without a decode step."""
    paced = (steps > 1) & (done != NEVER)
    if not paced.any():
        return np.zeros(len(first), "int64")
    pace = (done[paced] - first[paced]) / (steps[paced] - 1)
    step = np.full(len(first), pace.mean())
    step[paced] = pace
    return np.rint(n_lag_steps * step).astype("int64")


def _run_pools(engine, pools: Disaggregated, limits, arrival, prompt, reserve, steps, cached):
    """The prefill pool makes one token each; the rest go on in order of the KV cache's arrival."""
    n, move = len(arrival), round(pools.kv_transfer_s_per_token * PS_PER_S)
    # in floats, as it may not fit; by the arrival, as a queue in front is no fault of the request
    there = arrival + float(move) * prompt * (steps > 1)
    check_horizon(Plan.of(pools.decode), there, prompt + reserve, steps)
    first, done, n_preempt, n_events, stopped = _run(
        engine, pools.prefill, limits, arrival, prompt, np.ones(n, "int64"), cached
    )
    going_on = np.flatnonzero((steps > 1) & (done != NEVER))
    there = done[going_on] + move * prompt[going_on]
    order = np.argsort(there, kind="stable")
    going_on, there = going_on[order], there[order]
    done = np.where((steps > 1), NEVER, done)
    if len(going_on):
        size, again = prompt[going_on] + reserve[going_on], cached[going_on]
        last = _run(
            engine, pools.decode, limits, there, size, steps[going_on], again, names=going_on
        )
        done[going_on] = last[1]
        n_preempt[going_on] += last[2]
        n_events, stopped = n_events + last[3], stopped or last[4]
    return first, done, n_preempt, n_events, stopped


def _run(engine, replica: Replica, limits, arrival, prompt, out, cached, names=None):
    """Run one pool; ``names`` are the original positions of requests that come prefilled."""
    plan, ready = Plan.of(replica), names is not None
    until, n_most_events = limits
    check_fit(plan, replica, prompt, out, names)
    if not ready:  # the decode pool's were checked before the prefill
        check_horizon(plan, arrival, prompt, out)
    n = len(arrival)
    if engine == "reference":
        columns = zip(arrival, prompt, out, cached, strict=True)
        seqs = [
            Sequence(i, int(a), int(p), int(o), int(c), int(ready), ready)
            for i, (a, p, o, c) in enumerate(columns)
        ]
        servers = run_reference(plan, seqs, until)
        first, done = np.full(n, NEVER), np.full(n, NEVER)
        n_preempt = np.zeros(n, "int64")
        for server in servers:
            first[list(server.first)] = list(server.first.values())
            for i, at in server.finished:
                done[i] = at
            for i, k in server.n_preempt.items():
                n_preempt[i] = k
        return first, done, n_preempt, 0, False
    if plan.n_replicas == 1 or plan.least_loaded:
        return _skip(engine, plan, until, n_most_events, arrival, prompt, out, cached, ready)
    first, done = np.full(n, NEVER), np.full(n, NEVER)
    n_preempt, n_events, stopped = np.zeros(n, "int64"), 0, False
    for r in range(min(plan.n_replicas, n)):
        mine = slice(r, None, plan.n_replicas)
        part = [column[mine] for column in (arrival, prompt, out, cached)]
        f, d, k, e, s = _skip(engine, plan, until, n_most_events, *part, ready)
        first[mine], done[mine], n_preempt[mine] = f, d, k
        n_events, stopped = n_events + e, stopped or s
    return first, done, n_preempt, n_events, stopped


def _skip(engine, plan: Plan, until, n_most_events, arrival, prompt, out, cached, ready):
    """The event-skipping engine on lists (Python) or arrays (numba)."""
    n, n_rep, small = len(arrival), plan.n_replicas if plan.least_loaded else 1, "int32"
    req = [np.ascontiguousarray(arrival)]
    req += [np.ascontiguousarray(column, small) for column in (prompt, out, cached)]
    req += [np.full(n, ready, "int8"), np.full(n, int(ready), small)]
    req += [np.full(n, -1, "int64"), np.full(n, -1, "int64"), np.full(n, -1, "int64")]
    req += [np.zeros(n, small)]
    links = [np.full(n, -1, small), np.full(n, -1, small), np.arange(1, n + 1, dtype=small)]
    links[2][-1] = -1
    cost = list(plan.cost[:3])
    par = [int(plan.chunked), plan.max_batch, plan.token_budget, plan.block_tokens, plan.n_blocks]
    par += [plan.tokens_per_sequence, *plan.cost[3:], n_most_events]
    state = [0] * serving_engine.N_STATE
    for k in (serving_engine.TAIL, serving_engine.STACK, serving_engine.PART):
        state[k] = -1
    state[serving_engine.HEAD] = -1 if plan.least_loaded else 0
    st, cnt = np.array([state] * n_rep, "int64"), np.zeros((n_rep, plan.block_tokens), "int64")
    last = np.zeros(n_rep, "int64")
    if engine == "numba":
        rest = (until, tuple(req), tuple(links), tuple(cost), np.array(par, "int64"))
        if plan.least_loaded:
            serving_jit.run_least_loaded(st, cnt, last, *rest)
        else:
            serving_jit.run_one(st[0], cnt[0], *rest)
    else:
        lists = [[c.tolist() for c in group] for group in (req, links, cost)]
        st, cnt = st.tolist(), cnt.tolist()
        if plan.least_loaded:
            serving_engine.run_least_loaded(st, cnt, last.tolist(), until, *lists, par)
        else:
            serving_engine.run_one(st[0], cnt[0], until, *lists, par)
        req = [np.array(c) for c in lists[0]]
    first, done, n_preempt = (np.asarray(req[k], "int64") for k in (6, 7, 9))
    first[first < 0], done[done < 0] = NEVER, NEVER
    n_events = sum(int(s[serving_engine.EVENTS]) for s in st)
    stopped = any(int(s[serving_engine.STOPPED]) for s in st)
    return first, done, n_preempt, n_events, stopped
