"""The measured server beside the simulator: the cost of a step measured, everything else computed.

`steps_frame` times single steps (decodes of some batches and contexts, chunks of some lengths);
`step_cost` turns them into the simulator's table; `compare_frame` serves the very same arrivals in
`econ.serving.simulate` and lays percentiles side by side. No request that is compared was fitted.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.machine.server import MAX_BATCH, TOKEN_BUDGET
from econ.machine.transformer import Cache, TinyModel, Work
from econ.serving.cost import FIT_COLUMNS, StepCost
from econ.serving.replicas import Replica
from econ.serving.result import RequestTimes
from econ.serving.simulation import simulate, simulate_closed

BATCHES = (1, 2, 4, 8, 16)
CONTEXTS_TOKENS = (16, 192)
CHUNKS_TOKENS = (32, 64)
N_REPEATS = 5
PERCENTILES = (50, 95)


def steps_frame(
    model: TinyModel,
    *,
    batches: Iterable[int] = BATCHES,
    contexts_tokens: Iterable[int] = CONTEXTS_TOKENS,
    chunks_tokens: Iterable[int] = CHUNKS_TOKENS,
    n_repeats: int = N_REPEATS,
) -> pd.DataFrame:
    """Single steps, timed: a row each with the median of its repeats.

    Parameters
    ----------
    model : TinyModel
        From `tiny_model`.
    batches, contexts_tokens : iterable of int
        Sequences that decode, and tokens that each of them holds: every pair is timed.
    chunks_tokens : iterable of int
        Lengths of a prompt read alone.
    n_repeats : int
        Of each step, e.g. 5.

    Returns
    -------
    DataFrame
        step_s, prefill_tokens, n_decode, context_tokens, prefill_pairs, as
        `econ.serving.StepCost.fit` takes them.
    """
    count("n_repeats", n_repeats, 1, 1000)
    pairs = [(batch, context) for batch in batches for context in contexts_tokens]
    rows = []
    for batch, context in pairs:
        cache = model.cache(batch, context + n_repeats + 1)
        tokens = model.step(cache, [(slot, [1] * context) for slot in range(batch)])
        work = [(slot, [token]) for slot, token in enumerate(tokens)]
        seconds = [_timed(model, cache, work) for _ in range(n_repeats)]
        n_context = batch * (context + n_repeats // 2 + 1)
        rows.append((statistics.median(seconds), 0, batch, n_context, 0))
    for chunk in chunks_tokens:
        seconds = []
        for _ in range(n_repeats):
            cache = model.cache(1, chunk + 1)
            seconds.append(_timed(model, cache, [(0, [1] * chunk)]))
        rows.append((statistics.median(seconds), chunk, 0, 0, chunk**2))
    return pd.DataFrame(rows, columns=FIT_COLUMNS)


def _timed(model: TinyModel, cache: Cache, work: Work) -> float:
    start = time.perf_counter()
    model.step(cache, work)
    return time.perf_counter() - start


def step_cost(steps: pd.DataFrame) -> StepCost:
    """The simulator's cost from measured steps: a table over tokens, and a slope over context.

    Parameters
    ----------
    steps : DataFrame
        As `steps_frame` gives them: decodes of each batch at two contexts or more, and chunks.

    Returns
    -------
    StepCost
        ``linear_s`` goes straight between the sizes that were measured, and never falls: the
        products of all tokens of a step are one, whether they are read or written. It is never
        below zero, where a busy computer made the slope over context too steep.

    Raises
    ------
    ValueError
        Where a column, decodes or chunks are missing.
    """
    if missing := [c for c in FIT_COLUMNS if c not in steps]:
        raise ValueError(f"no column {', '.join(missing)}; it has {list(steps.columns)}")
    decodes, chunks = steps[steps["n_decode"] > 0], steps[steps["n_decode"] == 0]
    if decodes["n_decode"].nunique() < 2 or chunks.empty:
        raise ValueError("measure decodes of two batch sizes or more, and a chunk or more")
    per_ctx_s = _slope_s(decodes)
    bare = (decodes["step_s"] - per_ctx_s * decodes["context_tokens"]).clip(lower=0.0)
    by_size = pd.concat(
        [
            bare.groupby(decodes["n_decode"]).median(),
            chunks.groupby("prefill_tokens")["step_s"].median(),
        ]
    )
    by_size = by_size.groupby(level=0).median()
    sizes = np.arange(int(by_size.index[-1]) + 1)
    linear_s = np.interp(sizes, by_size.index, np.maximum.accumulate(by_size.to_numpy()))
    return StepCost(linear_s=linear_s, decode_per_ctx_token_s=per_ctx_s)


def _slope_s(decodes: pd.DataFrame) -> float:
    """Seconds of a step per token of context: least squares within each batch, not below 0."""
    centred = decodes[["step_s", "context_tokens"]]
    centred = centred - centred.groupby(decodes["n_decode"]).transform("mean")
    spread = float((centred["context_tokens"] ** 2).sum())
    if spread == 0:
        return 0.0
    return max(float((centred["step_s"] * centred["context_tokens"]).sum()) / spread, 0.0)


def own_replica(
    steps: pd.DataFrame,
    *,
    max_tokens: int,
    max_batch: int = MAX_BATCH,
    token_budget: int = TOKEN_BUDGET,
    policy: str = "chunked_prefill",
) -> Replica:
    """This computer as the simulator takes it.

    Parameters
    ----------
    steps : DataFrame
        As in `step_cost`.
    max_tokens : int
        Of the longest request, prompt and answer: the server reserves a slot of that size.
    max_batch, token_budget, policy
        As in `serve`.
    """
    block_tokens = 16
    slot_tokens = -(-max_tokens // block_tokens) * block_tokens
    return Replica(
        cost=step_cost(steps),
        kv_tokens=max_batch * slot_tokens,
        block_tokens=block_tokens,
        max_batch=max_batch,
        token_budget=token_budget,
        policy=policy,
    )


def simulated(
    times: RequestTimes, replica: Replica, concurrency: int | None = None
) -> RequestTimes:
    """The requests that were served here, served by the simulator.

    Parameters
    ----------
    times : RequestTimes
        Of `serve`: its arrivals, or for a closed loop its lengths, are simulated.
    replica : Replica
        From `own_replica`.
    concurrency : int, optional
        Users of a closed loop.
    """
    n_in, n_out = times.input_tokens, times.output_tokens
    if concurrency is not None:
        return simulate_closed(n_in, n_out, replica, concurrency)
    return simulate(times.arrival_s, n_in, n_out, replica)


def compare_frame(measured: RequestTimes, computed: RequestTimes) -> pd.DataFrame:
    """Percentiles of the measured and of the simulated server.

    Returns
    -------
    DataFrame
        metric (ttft_s or tpot_s), percentile, measured_s, simulated_s, ratio (simulated over
        measured).
    """
    rows = []
    for metric in ("ttft_s", "tpot_s"):
        for percentile in PERCENTILES:
            pair = [float(np.nanpercentile(getattr(t, metric), percentile))
                    for t in (measured, computed)]  # fmt: skip
            rows.append((metric, percentile, *pair, pair[1] / pair[0]))
    names = ["metric", "percentile", "measured_s", "simulated_s", "ratio"]
    return pd.DataFrame(rows, columns=names)
