"""Continuous batching under load, exactly and fast: when does each request get its tokens?

One step follows another without a gap. At the start of a step, requests that have arrived and fit
(a place in the batch, KV blocks, token budget) are admitted in order of arrival; the end of a
prefill yields the first token, every decode step one more per sequence. The policies:

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
import functools
import inspect
from collections.abc import Callable
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from econ.catalog.guard import count, positive, unknown
from econ.deployment import ENGINES as SERVING_SOFTWARE
from econ.scenario import Scenario
from econ.serving import engine as events
from econ.serving.checks import (
    MAX_TIME_S,
    cached_prompt,
    check_fit,
    check_horizon,
    checked_requests,
)
from econ.serving.cost import PS_PER_S, StepCost
from econ.serving.from_scenario import draw_requests
from econ.serving.from_scenario import replica as replica_of_scenario
from econ.serving.replicas import Disaggregated, Plan, Replica
from econ.serving.result import NEVER, RequestTimes, Service
from econ.station import require_certain

N_REQUESTS = 10_000  # of a scenario's simulation
COMPILE_FROM = 50_000  # requests of one call; below, plain Python answers before the compiler has
COMPILE_FROM_TOTAL = 200_000  # and that many over all calls of a process pay for compiling, too
EVENTS_PER_REQUEST, EVENTS_FLOOR = 1000, 1_000_000

Whole = NDArray[np.int64]
Times = tuple[Whole, Whole, Whole, int, bool]  # first token, done, preemptions, events, stopped


@overload
def simulate(
    scenario: Scenario,
    /,
    *,
    rate_per_s: float | None = None,
    n: int | None = None,
    seed: int = 0,
    engine: str = "auto",
    replica: Replica | Disaggregated | None = None,
    until_s: float | None = None,
    n_most_events: int | None = None,
) -> Service: ...


@overload
def simulate(
    arrival_s: ArrayLike,
    input_tokens: ArrayLike,
    output_tokens: ArrayLike,
    replica: Replica | Disaggregated,
    engine: str = "auto",
    *,
    cached_tokens: ArrayLike | None = None,
    seed: int = 0,
    until_s: float | None = None,
    n_most_events: int | None = None,
) -> RequestTimes: ...


def simulate(
    arrival_s: Any,
    input_tokens: Any = None,
    output_tokens: Any = None,
    replica: Any = None,
    engine: str = "auto",
    *,
    rate_per_s: float | None = None,
    n: int | None = None,
    cached_tokens: Any = None,
    seed: int = 0,
    until_s: float | None = None,
    n_most_events: int | None = None,
) -> Service | RequestTimes:
    """Serve requests and say when each got its first and its last token.

    Takes a scenario, ``simulate(s, rate_per_s=8)``, and answers with a `Service`; or the requests
    as arrays with a replica, ``simulate(arrival_s, input_tokens, output_tokens, replica)``, and
    answers with the `RequestTimes`.

    Parameters
    ----------
    arrival_s : Scenario or array
        A scenario; or the time of each arrival, from 0, in rising order.
    input_tokens, output_tokens : array
        Tokens of each request, e.g. 1000 and 200; with arrays only.
    replica : Replica or Disaggregated
        What serves. Of a scenario it is built by `econ.serving.replica` unless one is given.
    engine : str
        python or numba, which agree to the picosecond; auto takes numba where it is compiled
        already or pays.
    rate_per_s : float, optional
        Arrivals per second, e.g. 8; the workload's own by default. With a scenario only.
    n : int, optional
        Requests to draw; 10,000 by default. With a scenario only.
    cached_tokens : array, optional
        Tokens of each prompt that a prefix cache holds; by default the replica's share.
    seed : int
        Draws the requests of a scenario, and speculative acceptance.
    until_s : float, optional
        No step starts later.
    n_most_events : int, optional
        Where the run stops; by default 1,000 a request and a million, which a queue that merely
        grows never reaches. ``RequestTimes.stopped`` says so, and unfinished requests are NaN.

    Returns
    -------
    Service or RequestTimes
        What users get under the scenario's SLO; or the times of the requests.

    Raises
    ------
    ValueError
        Names the first offending request by its position, from 0; or the setting of the scenario.
    DoesNotFit
        Where weights and one sequence of the scenario exceed the memory.

    Notes
    -----
    Time is counted in whole picoseconds, so results do not depend on the engine or the machine.
    The policies are described in `econ.serving.simulation`.

    References
    ----------
    Yu et al., Orca, OSDI 2022 (continuous batching); Kwon et al., PagedAttention, SOSP 2023 (blocks
    and preemption); Agrawal et al., Sarathi-Serve, OSDI 2024 (chunked prefill); Zhong et al.,
    DistServe, OSDI 2024 (separate pools, goodput).

    Examples
    --------
    >>> service = simulate(Scenario.default(), rate_per_s=8, n=1000)
    >>> service.good_frac > 0.9, service.binding, round(service.goodput)
    (True, 'tpot', 8)
    >>> cost = StepCost.affine(5e-3, 20e-6, per_ctx_token_s=40e-9)
    >>> replica = Replica(cost=cost, kv_tokens=100_000, max_batch=64, token_budget=512)
    >>> times = simulate([0.0, 0.1], [1000, 200], [3, 2], replica)
    >>> times.first_token_s.round(4).tolist(), times.done_s.round(4).tolist()
    ([0.03, 0.109], [0.0401, 0.114])
    """
    more: dict[str, Any] = {"seed": seed, "until_s": until_s, "n_most_events": n_most_events}
    if isinstance(arrival_s, Scenario):
        scenario = arrival_s
        require_certain("simulate", scenario)
        if input_tokens is not None or output_tokens is not None or cached_tokens is not None:
            raise TypeError("the requests of a scenario are drawn from its workload: change that")
        load = scenario.workload
        trace = draw_requests(load, rate_per_s, N_REQUESTS if n is None else n, seed)
        serving = replica_of_scenario(scenario) if replica is None else replica
        rate = float(load.rate_per_s) if rate_per_s is None else rate_per_s
        return Service.of(serve(trace, serving, engine, **more), scenario.slo, serving, rate)
    if rate_per_s is not None or n is not None:
        raise TypeError("rate_per_s and n belong to a scenario; arrays hold the requests already")
    return _simulate_arrays(
        arrival_s, input_tokens, output_tokens, replica, engine, cached_tokens, **more
    )


def _station_form(
    scenario: Scenario,
    *,
    rate_per_s: float | None = None,
    n: int | None = None,
    seed: int = 0,
    replica: Replica | Disaggregated | None = None,
) -> Service:
    """What `econ.sweep` sees of `simulate`: there, ``engine`` is the deployment's."""
    raise NotImplementedError


simulate.headline = "goodput"  # type: ignore[attr-defined]
simulate.vector = None  # type: ignore[attr-defined]
simulate.__signature__ = inspect.signature(_station_form)  # type: ignore[attr-defined]


def serve(
    trace: pd.DataFrame,
    replica: Replica | Disaggregated,
    engine: str = "auto",
    **more: Any,
) -> RequestTimes:
    """Simulate the rows of a trace: arrival_s, input_tokens, output_tokens; ``more`` as there.

    >>> trace = pd.DataFrame({"arrival_s": [0.0], "input_tokens": [10], "output_tokens": [3]})
    >>> serve(trace, Replica(cost=StepCost.affine(1.0), kv_tokens=100)).done_s.tolist()
    [3.0]
    """
    arrival_s, prompt, out = (
        trace[c].to_numpy() for c in ("arrival_s", "input_tokens", "output_tokens")
    )
    return _simulate_arrays(arrival_s, prompt, out, replica, engine, **more)


def warm_up() -> bool:
    """Compile the engine, or load it from numba's cache, so that the next call only runs.

    Returns False, and does nothing, where numba is not installed.
    """
    if not events.available():
        return False
    tiny = Replica(cost=StepCost.affine(1.0), kv_tokens=64, max_batch=2)
    simulate([0.0], [4], [2], tiny, engine="numba")
    return True


def _simulate_arrays(
    arrival_s: Any,
    input_tokens: Any,
    output_tokens: Any,
    replica: Replica | Disaggregated,
    engine: str,
    cached_tokens: Any = None,
    seed: int = 0,
    until_s: float | None = None,
    n_most_events: int | None = None,
) -> RequestTimes:
    arrival, prompt, out = checked_requests(arrival_s, input_tokens, output_tokens)
    n = len(arrival)
    if isinstance(replica, Replica) and replica.policy == "disaggregated":
        pool = replica.replace(policy="chunked_prefill")
        replica = Disaggregated(prefill=pool, decode=pool)
    if not isinstance(replica, Replica | Disaggregated):
        raise TypeError(f"replica = {replica!r} is neither a Replica nor a Disaggregated")
    until = events.FOREVER
    if until_s is not None:
        until = round(positive("until_s", until_s, MAX_TIME_S) * PS_PER_S)
    if n_most_events is None:
        n_most_events = EVENTS_PER_REQUEST * n + EVENTS_FLOOR
    limits = (until, count("n_most_events", n_most_events, 1, 1e18))
    engine = _chosen_engine(engine, n)

    pools = isinstance(replica, Disaggregated)
    prefill = replica.prefill if isinstance(replica, Disaggregated) else replica
    decode = replica.decode if isinstance(replica, Disaggregated) else replica
    cached = cached_prompt(prompt, prefill, cached_tokens)
    steps, reserve = out, np.zeros(n, "int64")
    if decode.speculation:
        steps = 1 + decode.speculation.draw_steps(out - 1, seed)
        reserve = out - steps
    n_replicas = prefill.n_replicas
    if isinstance(replica, Disaggregated):
        n_replicas += decode.n_replicas
        times = _run_pools(engine, replica, limits, arrival, prompt, reserve, steps, cached)
    else:
        times = _run_pool(engine, replica, limits, arrival, prompt + reserve, steps, cached)
    first, done, n_preempt, n_events, stopped = times
    stopped = stopped or bool((done == NEVER).any())
    lag: Whole | int = round(prefill.lag_s * PS_PER_S)
    if prefill.n_lag_steps and not pools:
        lag = lag + _lag_ps(prefill.n_lag_steps, first, done, steps)
    return RequestTimes(
        arrival, first, done, prompt, out, n_preempt, n_replicas, n_events, engine, stopped, lag
    )


_n_in_python = 0  # requests that plain Python has served in this process


def _chosen_engine(engine: str, n: int) -> str:
    """The engine that runs ``n`` requests."""
    global _n_in_python
    if engine in SERVING_SOFTWARE:
        raise ValueError(
            f"engine = {engine!r} is a setting of the deployment: scenario.with_(engine={engine!r})"
        )
    if engine not in ("auto", *RUNNERS):
        raise unknown("engine", engine, ("auto", *RUNNERS))
    if engine == "auto":
        pays = n >= COMPILE_FROM or _n_in_python + n >= COMPILE_FROM_TOTAL
        engine = "numba" if events.compiled() or (pays and events.available()) else "python"
    if engine == "numba" and not events.available():
        raise ModuleNotFoundError('engine = "numba" needs the numba package; "python" does not')
    if engine == "python":
        _n_in_python += n
    return engine


def simulate_closed(
    input_tokens: ArrayLike,
    output_tokens: ArrayLike,
    replica: Replica,
    concurrency: int,
    engine: str = "auto",
    **more: Any,
) -> RequestTimes:
    """A closed loop: users who each ask again as soon as they are answered.

    Parameters
    ----------
    input_tokens, output_tokens : array
        Tokens of each request, sent in the order given.
    replica : Replica
        One replica of a single pool.
    concurrency : int
        Users, e.g. 32.
    engine : str
        As in `simulate`, and so are ``more``.

    Notes
    -----
    Exact without a feedback: with all requests queued at 0 and at most ``concurrency`` in the
    batch, request i starts as if submitted at the (i − concurrency)-th completion, which is its
    arrival here (unless steps take no time).

    Examples
    --------
    >>> replica = Replica(cost=StepCost.affine(0.01), kv_tokens=1000)
    >>> simulate_closed([10] * 3, [2] * 3, replica, concurrency=1).arrival_s.tolist()
    [0.0, 0.02, 0.04]
    """
    count("concurrency", concurrency, 1)
    if not isinstance(replica, Replica) or replica.policy == "disaggregated":
        raise TypeError("a closed loop is simulated on one Replica of a single pool")
    count("n_replicas", replica.n_replicas, 1, 1)
    narrow = replica.replace(max_batch=min(replica.max_batch, concurrency))
    zeros = np.zeros(len(np.atleast_1d(np.asarray(input_tokens))))
    times = simulate(zeros, input_tokens, output_tokens, narrow, engine, **more)
    arrival = np.zeros(len(zeros), "int64")
    arrival[concurrency:] = np.sort(times.done_ps)[: max(len(zeros) - concurrency, 0)]
    return dataclasses.replace(times, arrival_ps=arrival)


def _lag_ps(n_lag_steps: float, first: Whole, done: Whole, steps: Whole) -> Whole:
    """So many steps of each request's own pace; the mean pace for one without a decode step."""
    paced = (steps > 1) & (done != NEVER)
    if not paced.any():
        return np.zeros(len(first), "int64")
    pace = (done[paced] - first[paced]) / (steps[paced] - 1)
    step = np.full(len(first), pace.mean())
    step[paced] = pace
    return np.rint(n_lag_steps * step).astype("int64")


def _run_pools(
    engine: str,
    pools: Disaggregated,
    limits: tuple[int, int],
    arrival: Whole,
    prompt: Whole,
    reserve: Whole,
    steps: Whole,
    cached: Whole,
) -> Times:
    """The prefill pool makes one token each; the rest go on in order of the KV cache's arrival."""
    n, move = len(arrival), round(pools.kv_transfer_s_per_token * PS_PER_S)
    # in floats, as it may not fit; by the arrival, as a queue in front is no fault of the request
    moved = arrival + float(move) * prompt * (steps > 1)
    check_horizon(Plan.of(pools.decode), moved, prompt + reserve, steps)
    first, done, n_preempt, n_events, stopped = _run_pool(
        engine, pools.prefill, limits, arrival, prompt, np.ones(n, "int64"), cached
    )
    going_on = np.flatnonzero((steps > 1) & (done != NEVER))
    moved = done[going_on] + move * prompt[going_on]
    order = np.argsort(moved, kind="stable")
    going_on, moved = going_on[order], moved[order]
    done = np.where((steps > 1), NEVER, done)
    if len(going_on):
        size, again = prompt[going_on] + reserve[going_on], cached[going_on]
        last = _run_pool(
            engine, pools.decode, limits, moved, size, steps[going_on], again, names=going_on
        )
        done[going_on] = last[1]
        n_preempt[going_on] += last[2]
        n_events, stopped = n_events + last[3], stopped or last[4]
    return first, done, n_preempt, n_events, stopped


def _run_pool(
    engine: str,
    replica: Replica,
    limits: tuple[int, int],
    arrival: Whole,
    prompt: Whole,
    out: Whole,
    cached: Whole,
    names: Whole | None = None,
) -> Times:
    """Run one pool; ``names`` are the original positions of requests that come prefilled."""
    plan, is_ready = Plan.of(replica), names is not None
    check_fit(plan, replica, prompt, out, names)
    if not is_ready:  # the decode pool's were checked before the prefill
        check_horizon(plan, arrival, prompt, out)
    return RUNNERS[engine](plan, *limits, arrival, prompt, out, cached, is_ready)


def _run_routed(
    is_compiled: bool,
    plan: Plan,
    until: int,
    n_most_events: int,
    arrival: Whole,
    prompt: Whole,
    out: Whole,
    cached: Whole,
    is_ready: bool,
) -> Times:
    """The event-skipping engine; under round robin every replica runs by itself."""
    rest = (until, n_most_events)
    if plan.n_replicas == 1 or plan.least_loaded:
        return _run_engine(is_compiled, plan, *rest, arrival, prompt, out, cached, is_ready)
    n = len(arrival)
    first, done = np.full(n, NEVER), np.full(n, NEVER)
    n_preempt, n_events, stopped = np.zeros(n, "int64"), 0, False
    for r in range(min(plan.n_replicas, n)):
        own = slice(r, None, plan.n_replicas)
        columns = (arrival[own], prompt[own], out[own], cached[own])
        part = _run_engine(is_compiled, plan, *rest, *columns, is_ready)
        first[own], done[own], n_preempt[own] = part[:3]
        n_events, stopped = n_events + part[3], stopped or part[4]
    return first, done, n_preempt, n_events, stopped


def _run_engine(
    is_compiled: bool,
    plan: Plan,
    until: int,
    n_most_events: int,
    arrival: Whole,
    prompt: Whole,
    out: Whole,
    cached: Whole,
    is_ready: bool,
) -> Times:
    """The event-skipping engine on lists (Python) or arrays (numba)."""
    n, n_rep, small = len(arrival), plan.n_replicas if plan.least_loaded else 1, "int32"
    req: list[Any] = [np.ascontiguousarray(arrival)]
    req += [np.ascontiguousarray(column, small) for column in (prompt, out, cached)]
    req += [np.full(n, is_ready, "int8"), np.full(n, int(is_ready), small)]
    req += [np.full(n, -1, "int64"), np.full(n, -1, "int64"), np.full(n, -1, "int64")]
    req += [np.zeros(n, small)]
    links = [np.full(n, -1, small), np.full(n, -1, small), np.arange(1, n + 1, dtype=small)]
    links[2][-1] = -1
    cost = list(plan.cost[:3])
    par = [int(plan.chunked), plan.max_batch, plan.token_budget, plan.block_tokens, plan.n_blocks]
    par += [plan.tokens_per_sequence, *plan.cost[3:], n_most_events]
    state = [0] * events.N_STATE
    for k in (events.TAIL, events.STACK, events.PART):
        state[k] = -1
    state[events.HEAD] = -1 if plan.least_loaded else 0
    states: Any = np.array([state] * n_rep, "int64")
    counts: Any = np.zeros((n_rep, plan.block_tokens), "int64")
    last = np.zeros(n_rep, "int64")
    if is_compiled:
        rest = (until, tuple(req), tuple(links), tuple(cost), np.array(par, "int64"))
        if plan.least_loaded:
            events.run_compiled("run_least_loaded", states, counts, last, *rest)
        else:
            events.run_compiled("run_one", states[0], counts[0], *rest)
    else:
        lists = tuple([column.tolist() for column in group] for group in (req, links, cost))
        states, counts = states.tolist(), counts.tolist()
        if plan.least_loaded:
            events.run_least_loaded(
                states, counts, last.tolist(), until, lists[0], lists[1], lists[2], par
            )
        else:
            events.run_one(states[0], counts[0], until, lists[0], lists[1], lists[2], par)
        req = [np.array(column) for column in lists[0]]
    first, done, n_preempt = (np.asarray(req[k], "int64") for k in (6, 7, 9))
    first[first < 0], done[done < 0] = NEVER, NEVER
    n_events = sum(int(state[events.EVENTS]) for state in states)
    stopped = any(int(state[events.STOPPED]) for state in states)
    return first, done, n_preempt, n_events, stopped


# engine → what runs the requests of one pool; the tests add one that goes token by token
RUNNERS: dict[str, Callable[..., Times]] = {
    "python": functools.partial(_run_routed, False),
    "numba": functools.partial(_run_routed, True),
}
