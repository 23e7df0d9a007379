"""From a scenario to what the simulator takes: the requests, the step cost, the replica.

The step equations (`econ.latency.steps`) become the tables of a `StepCost`: what all tokens of a
step share (weights read, or products at prefill efficiency; collectives, kernels) is ``linear_s``;
``decode_base_s`` moves a pure decode step to the equations' own value, so it is exact at the
context the tables are made for; KV reading is linear in context around it. Two things the
equations add for a closed loop stay out, because here they emerge: other users' prompts and the
wait for a step to end. The rest of a first token's latency (host, steps until a request is
admitted) is the replica's lag, from the same calibration.

>>> ours = replica(Scenario.of("llama-3.1-8b", "h100-sxm", precision="fp8", max_batch=64))
>>> 400_000 < ours.kv_tokens < 600_000
True
>>> 0.003 < ours.cost.step_s(n_decode=1, context_tokens=1000) < 0.006
True
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.catalog.engines import Engine
from econ.catalog.guard import positive
from econ.latency import steps
from econ.latency.calibration import Calibration
from econ.latency.prediction import case_of, dated_maturity, fitting
from econ.latency.steps import Case, Load, Prepared
from econ.latency.waits import gathered, others_wait_s
from econ.scenario import Scenario
from econ.serving.cost import StepCost
from econ.serving.pool_sizes import n_prefill_replicas
from econ.serving.replicas import Disaggregated, Replica
from econ.station import require_certain
from econ.tokens.traces import check_trace
from econ.tokens.workloads import Workload

MOST_REMEMBERED = 50_000  # requests of one draw: a megabyte
N_TABLES = 128  # of replicas, remembered
TABLE_POINTS = 400  # points of the linear table past the batch; straight lines between them


def draw_requests(
    load: Workload | pd.DataFrame, rate_per_s: float | None, n: int, seed: int = 0
) -> pd.DataFrame:
    """Requests of a workload, or a whole trace, with the time stretched to a rate.

    Parameters
    ----------
    load : Workload or DataFrame
        A workload to draw from, or a trace (arrival_s, input_tokens, output_tokens).
    rate_per_s : float, optional
        Mean arrivals per second, e.g. 8; None for the load's own.
    n : int
        Requests to draw; a trace is taken whole.
    seed : int
        The same seed gives the same requests at every rate (common random numbers), so what
        differs between two rates is the rate.

    Returns
    -------
    DataFrame
        arrival_s, input_tokens, output_tokens.

    Raises
    ------
    ValueError
        For a rate of a load that arrives all at once.

    Examples
    --------
    >>> from econ.tokens.workloads import workload
    >>> slow, fast = (draw_requests(workload("chat"), rate, 100) for rate in (1.0, 2.0))
    >>> round(float((slow["arrival_s"] / fast["arrival_s"]).iloc[0]), 6)
    2.0
    """
    if rate_per_s is not None:
        positive("rate_per_s", rate_per_s)
    if isinstance(load, Workload):
        if rate_per_s is not None and load.arrival != "gamma":
            raise ValueError(f"workload {load.id!r} arrives all at once: it has no rate to set")
        sample = _sample if n <= MOST_REMEMBERED else Workload.sample
        trace, own_per_s = sample(load, n, seed).copy(deep=False), float(load.rate_per_s)
    else:
        trace = check_trace(load)
        span_s = float(trace["arrival_s"].iloc[-1] - trace["arrival_s"].iloc[0])
        if rate_per_s is not None and span_s <= 0:
            raise ValueError("the trace arrives all at once: it has no rate to set")
        own_per_s = (len(trace) - 1) / span_s if span_s > 0 else 0.0
    if rate_per_s is None:
        return trace
    return trace.assign(arrival_s=trace["arrival_s"] * (own_per_s / rate_per_s))


@functools.lru_cache(maxsize=8)
def _sample(load: Workload, n: int, seed: int) -> pd.DataFrame:
    """The same requests serve at many rates."""
    return load.sample(n, seed)


def step_cost(s: Scenario, *, calibration: Calibration | None = None) -> StepCost:
    """The cost of an engine step of one replica, exact for decodes at the workload's mean context.

    Parameters
    ----------
    s : Scenario
        Model, deployment (all of it) and the workload's mean lengths.
    calibration : Calibration, optional
        Efficiencies and overheads; fitted values by default.

    Returns
    -------
    StepCost
        Tables over the tokens and the sequences of a step.

    Raises
    ------
    DoesNotFit
        Where weights and one sequence exceed the memory.
    ValueError
        For a pipeline: its steps overlap, which the simulator does not represent.

    Notes
    -----
    ``decode_per_ctx_token_s`` is the slope of the KV time from half of the mean context to one and
    a half times it; sliding windows and sparse attention make the true curve bend. Attention in
    prefill is quadratic where every pair is computed, else linear (window, top-k).

    Software maturity m (of decode steps also that of the engine's date) shortens or lengthens
    every step as in `econ.latency.predict`: only what
    exceeds the datasheet's bound scales, bound + (time − bound)/m.

    Examples
    --------
    >>> cost = step_cost(Scenario.of("llama-3.1-8b", "h100-sxm", precision="fp8"))
    >>> cost.step_s(n_decode=64, context_tokens=64_000) < 64 * cost.step_s(1, 1000)
    True
    """
    require_certain("step_cost", s)
    k = calibration or Calibration.fitted()
    return _matured(s, _replica_case(s, k), k)


def _matured(s: Scenario, case: Case, k: Calibration) -> StepCost:
    """The cost of a step with the maturity of the scenario's software."""
    cost, ideal = _step_cost(s, case, k), Calibration.datasheet()
    better = s.deployment.software_maturity
    decoding = better * dated_maturity(s, k)
    if better == decoding == 1:
        return cost
    bound = _step_cost(s, _replica_case(s, ideal), ideal)
    tables = {}
    for name, factor in (
        ("linear_s", better),
        ("prefill_per_pair_s", better),
        ("decode_base_s", decoding),
        ("decode_per_ctx_token_s", decoding),
    ):
        least = getattr(bound, name)
        tables[name] = least + (getattr(cost, name) - least) / factor
    return StepCost(**tables)


def replica(s: Scenario, *, calibration: Calibration | None = None) -> Replica | Disaggregated:
    """The deployment of a scenario as the simulator takes it.

    Parameters
    ----------
    s : Scenario
        Model, deployment (all of it) and workload: mean lengths and ``cached_frac``.
    calibration : Calibration, optional
        Efficiencies and overheads; fitted values by default.

    Returns
    -------
    Replica or Disaggregated
        Equal replicas take the next request that has the fewest before it. Of a disaggregated
        deployment the pools share the replicas by their work (`n_prefill_replicas`), and KV caches
        move over the links inside a server.

    Raises
    ------
    DoesNotFit
        Where weights and one sequence exceed the memory.
    ValueError
        For a pipeline (pp > 1), and for two pools with fewer than two replicas.

    Notes
    -----
    ``kv_tokens`` = sequences of the mean context that fit beside the weights × that context. The
    lag is the calibrated host latency of a first token and the steps until a request is admitted,
    less the one step that the simulation itself waits. A deployment without ``max_batch`` or
    ``token_budget`` runs with its engine's own; without an engine, 256 sequences at a time and
    2,048 tokens a step. With prompts first, a step reads up to ``prefill_budget_tokens``.

    Examples
    --------
    >>> ours = replica(Scenario.default())
    >>> ours.policy, ours.n_replicas, ours.max_batch
    ('chunked_prefill', 1, 256)
    >>> replica(Scenario.default().with_(cached_frac=0.366)).prefix_cached_frac
    0.366
    """
    require_certain("replica", s)
    d, k = s.deployment, calibration or Calibration.fitted()
    case, context_tokens = _replica_case(s, k), _context_tokens(s)
    room = steps.room(_prepared(case, k, context_tokens), k, context_tokens)
    host_s = float(case.shapes.first_token_s)
    launch, cost = d.launch, _matured(s, case, k)
    one = Replica(
        cost=cost,
        kv_tokens=int(room * context_tokens),
        max_batch=launch.max_batch,
        policy="chunked_prefill" if d.has_pools else launch.policy,
        token_budget=step_budget(launch),
        n_replicas=s.n_replicas,
        routing="least_loaded",
        prefix_cached_frac=float(s.workload.cached_frac),
        lag_s=host_s / float(s.deployment.software_maturity),
        n_lag_steps=_lag_steps(s, k, float(case.shapes.n_wait_steps), cost),
    )
    if not d.has_pools:
        return one
    if s.n_replicas < 2:
        needed = 2 * d.n_gpu // s.n_replicas
        raise ValueError(
            f"n_gpu = {d.n_gpu} is outside its range: two pools need at least {needed}"
        )
    link = d.resolved_accelerator.scaleup_bandwidth_bytes_per_s
    if not link:
        raise ValueError(
            f"the link bandwidth of {d.accelerator_id} is unknown, so KV caches cannot move between"
            " pools; choose another policy than disaggregated"
        )
    n_prefill = n_prefill_replicas(one, s.n_replicas, s)
    moved_bytes = s.resolved_model.kv_bytes_per_token(s.deployment.kv_bytes_per_element)
    return Disaggregated(
        prefill=one.replace(n_replicas=n_prefill),
        decode=one.replace(n_replicas=s.n_replicas - n_prefill),
        kv_transfer_s_per_token=moved_bytes / (link * d.n_gpu / s.n_replicas),
    )


def step_budget(launch: Engine) -> int:
    """Tokens of a step: with prompts first those of prompts alone, else decodes beside them."""
    if launch.is_prefill_first:
        return launch.prefill_budget_tokens
    return min(launch.token_budget, launch.prefill_budget_tokens + launch.max_batch)


def _lag_steps(s: Scenario, k: Calibration, n_wait_steps: float, cost: StepCost) -> float:
    """Steps that pass before a request reaches the scheduler, beside the one it waits there.

    Attention replicas hold a prompt back until the others have one too, at most so many steps; an
    engine that gathers prompts does so until others come.
    """
    launch, d = s.deployment.launch, s.deployment
    n = n_wait_steps - 1 + k.recv_wait_frac * (launch.recv_interval - 1)
    per_s, least_s = float(s.workload.rate_per_s) / s.n_replicas, 0.0
    if launch.dp_wait_steps or launch.batch_wait_steps:
        least_s = cost.step_s(1, int(_context_tokens(s)))
        n += float(gathered(launch.batch_wait_steps, per_s * least_s)[0])
    if launch.dp_wait_steps and d.dp > 1 and s.resolved_model.is_moe:
        others_s = others_wait_s(d.dp, launch.dp_wait_steps * least_s, 1.0, 1 / per_s)
        n += float(others_s) / least_s
    return max(n, 0.0)


def _context_tokens(s: Scenario) -> float:
    """The mean context over an answer's life: the prompt and half the output."""
    return s.workload.mean_input_tokens + s.workload.mean_output_tokens / 2


def _replica_case(s: Scenario, k: Calibration) -> Case:
    """The numbers of one replica; refuses a pipeline and what does not fit."""
    d = s.deployment
    if d.pp != 1:
        raise ValueError(f"pp = {d.pp} is outside its range: 1; pipelines are not simulated")
    case = case_of(s, 1.0, k)
    load = case.load._replace(input_tokens=_context_tokens(s), output_tokens=1.0, cached_frac=0.0)
    fitting(Case(case.shapes, case.split, load), k)
    return case


def _step_cost(s: Scenario, c: Case, k: Calibration) -> StepCost:
    launch = s.deployment.launch
    return _tables(c, k, _context_tokens(s), launch.max_batch, step_budget(launch))


@functools.lru_cache(maxsize=N_TABLES)
def _tables(
    c: Case, k: Calibration, context_tokens: float, max_batch: int, token_budget: int
) -> StepCost:
    """A replica's steps; formats and splits that the equations cannot tell apart share them."""
    batch = np.arange(1, max_batch + 1)

    contexts = (0.5 * context_tokens, 1.5 * context_tokens)
    kv_s = [steps.step(_prepared(c, k, tokens), k, batch).kv_s for tokens in contexts]
    per_ctx_s = (kv_s[1] - kv_s[0]) / (contexts[1] - contexts[0]) / batch

    # one table over tokens: every size a decode can have, then sparser
    most = max(token_budget, 2 * max_batch)
    sizes = np.unique(np.rint(np.geomspace(1, most, TABLE_POINTS)).astype(int))
    sizes = np.union1d(batch, sizes)
    p = _prepared(c, k, sizes.astype("float64"))
    net, reading = c.shapes, steps.prefill(p, k)
    attending = p.n_sharing * steps.attention_flop_per_s(p, k)
    pairless = net.prefill_flop * net.top_k_tokens * (net.top_k_tokens < context_tokens)
    pairless = pairless + net.window_flop * np.minimum(net.window_tokens, context_tokens)
    attention_s = sizes * pairless / attending
    work_s = reading.compute_s + reading.link_s + reading.state_s + attention_s
    linear_s = np.maximum(work_s, reading.read_s) + p.kernels_s
    linear_s = np.interp(np.arange(sizes[-1] + 1), sizes, np.maximum.accumulate(linear_s))
    linear_s[0] = 0.0

    decode = steps.step(_prepared(c, k, context_tokens), k, batch)
    base_s = decode.step_s - per_ctx_s * batch * context_tokens - linear_s[1 : max_batch + 1]
    pair_flop = net.prefill_flop * (net.top_k_tokens >= context_tokens)
    per_pair_s = pair_flop / 2 / attending
    return StepCost(
        linear_s=linear_s,
        decode_base_s=_table(base_s),
        decode_per_ctx_token_s=_table(per_ctx_s),
        prefill_per_pair_s=float(per_pair_s),
    )


def _prepared(c: Case, k: Calibration, context_tokens: float | NDArray[Any]) -> Prepared:
    """For prompts of that length and answers that add nothing to the context."""
    return steps.prepare(
        Case(c.shapes, c.split, Load(context_tokens, 0.0, launch=c.load.launch)), k
    )


def _table(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """With an entry for a batch of 0, and one past the end so that the table goes on level."""
    return np.concatenate([[0.0], values, values[-1:]])
