"""A server in one process: requests arrive, are batched continuously, and every token is timed.

The loop does what `econ.serving.simulate` computes, step by step on the real clock: at the start of
a step, requests that have arrived take a free slot in order of arrival; each step decodes what runs
and fills the rest of the token budget with prompts (``chunked_prefill``), or reads whole prompts
before anybody decodes (``prefill_first``). The answer has the simulator's own type, so that the two
can be laid side by side.

>>> from econ.machine.transformer import tiny_model
>>> tiny = tiny_model(1e6)
>>> requests = pd.DataFrame({"arrival_s": 0.0, "input_tokens": [9, 3], "output_tokens": [2, 4]})
>>> out = serve(tiny, requests, max_batch=2, token_budget=4)
>>> len(out.steps), int(out.times.output_tokens.sum()), int(out.steps["prefill_tokens"].sum())
(6, 6, 12)
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import count, one_of
from econ.serving.cost import FIT_COLUMNS, PS_PER_S
from econ.serving.result import RequestTimes
from econ.tokens.traces import check_trace

POLICIES = ("chunked_prefill", "prefill_first")
MAX_BATCH = 16
TOKEN_BUDGET = 64
LONGEST_SLEEP_S = 0.05  # so that an arrival is not slept over


@dataclass(frozen=True, eq=False)
class Served:
    """The times of every request, every engine step, and every gap between tokens."""

    times: RequestTimes
    steps: pd.DataFrame = field(repr=False)
    itl_s: np.ndarray[Any, np.dtype[np.float64]] = field(repr=False)


@dataclass(eq=False)
class _Sequence:
    """A request that runs: what of its prompt is unread, and the token it wrote last."""

    row: int
    slot: int
    prompt: list[int]
    n_left: int
    token: int = -1
    token_s: float = 0.0


@dataclass(eq=False)
class _Log:
    """When each request arrived, got its first token and was done; the steps; the gaps."""

    arrival_s: Any
    first_s: Any
    done_s: Any
    steps: list[tuple[float, ...]] = field(default_factory=list)
    itl_s: list[float] = field(default_factory=list)


def serve(
    model: Any,
    requests: pd.DataFrame,
    *,
    concurrency: int | None = None,
    max_batch: int = MAX_BATCH,
    token_budget: int = TOKEN_BUDGET,
    policy: str = "chunked_prefill",
    seed: int = 0,
) -> Served:
    """Serve requests on this computer, in real time.

    Parameters
    ----------
    model : TinyModel
        From `tiny_model`, or what has its ``shape``, ``cache`` and ``step``.
    requests : DataFrame
        arrival_s, input_tokens, output_tokens, e.g. of `econ.serving.draw_requests`; it takes as
        long as the last arrival and its answer.
    concurrency : int, optional
        A closed loop: so many users each ask again as soon as they are answered, and the arrivals
        of ``requests`` are not used.
    max_batch : int
        Sequences at a time, e.g. 16.
    token_budget : int
        Tokens of a step, e.g. 64; at least ``max_batch``.
    policy : str
        chunked_prefill or prefill_first.
    seed : int
        Of the prompts' tokens.

    Returns
    -------
    Served
        ``times`` as `econ.serving.simulate` gives them, ``steps`` as `econ.serving.StepCost.fit`
        takes them, and all gaps.

    Raises
    ------
    MemoryError
        Where the caches exceed the memory that is free.
    ValueError
        For a number outside its range or another policy.
    """
    trace = check_trace(requests)
    count("max_batch", max_batch, 1, 4096)
    count("token_budget", token_budget, max_batch, 1_000_000)
    one_of("policy of the server here", policy, POLICIES)
    n = len(trace)
    n_in, n_out = (trace[c].to_numpy("int64") for c in ("input_tokens", "output_tokens"))
    arrival_s = trace["arrival_s"].to_numpy("float64").copy()
    if concurrency is not None:
        count("concurrency", concurrency, 1, 4096)
        arrival_s = np.where(np.arange(n) < concurrency, 0.0, np.inf)
    cache = model.cache(max_batch, int((n_in + n_out).max()))
    rng = np.random.default_rng(seed)
    prompts = [rng.integers(0, model.shape.vocab_size, k).tolist() for k in n_in]
    log = _Log(arrival_s, np.full(n, np.nan), np.full(n, np.nan))
    free, running, next_row = deque(range(max_batch)), deque[_Sequence](), 0
    start = time.perf_counter()
    while next_row < n or running:
        now = time.perf_counter() - start
        while free and next_row < n and log.arrival_s[next_row] <= now:
            running.append(
                _Sequence(next_row, free.popleft(), prompts[next_row], int(n_out[next_row]))
            )
            next_row += 1
        if not running:
            time.sleep(min(max(log.arrival_s[next_row] - now, 0), LONGEST_SLEEP_S))
            continue
        work = _choose(running, token_budget, policy)
        _one_step(model, cache, work, log, start)
        for sequence in [s for s in running if s.n_left == 0]:
            running.remove(sequence)
            cache.n_tokens[sequence.slot] = 0
            free.append(sequence.slot)
            if concurrency is not None and (k := int(np.isinf(log.arrival_s).sum())):
                log.arrival_s[n - k] = log.done_s[sequence.row]
    return Served(
        times=measured_times(log.arrival_s, log.first_s, log.done_s, n_in, n_out, len(log.steps)),
        steps=pd.DataFrame(log.steps, columns=FIT_COLUMNS),
        itl_s=np.array(log.itl_s),
    )


def _choose(
    running: deque[_Sequence], token_budget: int, policy: str
) -> list[tuple[_Sequence, list[int]]]:
    """What each sequence does in the next step: a token it wrote, or a part of its prompt."""
    unread = [s for s in running if s.prompt]
    if policy == "prefill_first" and unread:
        chosen: list[tuple[_Sequence, list[int]]] = []
        left = token_budget
        for s in unread:
            if chosen and len(s.prompt) > left:
                break
            chosen.append((s, s.prompt))
            left -= len(s.prompt)
        return chosen
    work = [(s, [s.token]) for s in running if not s.prompt]
    left = token_budget - len(work)
    for s in unread:
        if left <= 0:
            break
        chunk = s.prompt[:left]
        work.append((s, chunk))
        left -= len(chunk)
    return work


def _one_step(
    model: Any,
    cache: Any,
    work: list[tuple[_Sequence, list[int]]],
    log: _Log,
    start: float,
) -> None:
    before = [cache.n_tokens[s.slot] for s, _ in work]
    begin = time.perf_counter()
    tokens = model.step(cache, [(s.slot, part) for s, part in work])
    end = time.perf_counter()
    n_prefill = n_decode = context = pairs = 0
    for (s, part), token, n_before in zip(work, tokens, before, strict=True):
        if s.prompt:
            n_prefill += len(part)
            pairs += len(part) * (2 * n_before + len(part))
            s.prompt = s.prompt[len(part) :]
            if s.prompt:
                continue
            log.first_s[s.row] = end - start
        else:
            n_decode += 1
            context += n_before + 1  # a token attends to itself
            log.itl_s.append(end - s.token_s)
        s.token, s.token_s, s.n_left = token, end, s.n_left - 1
        if s.n_left == 0:
            log.done_s[s.row] = end - start
    log.steps.append((end - begin, n_prefill, n_decode, context, pairs))


def measured_times(
    arrival_s: Any, first_token_s: Any, done_s: Any, n_in: Any, n_out: Any, n_events: int = 0
) -> RequestTimes:
    """The moments of every request, as the simulator's own result.

    Parameters
    ----------
    arrival_s, first_token_s, done_s : array
        Seconds from the start.
    n_in, n_out : array of int
        Tokens of prompt and answer.
    n_events : int
        Steps of the engine.
    """
    arrival, first, done = (
        np.rint(moments * PS_PER_S).astype("int64")
        for moments in (arrival_s, first_token_s, done_s)
    )
    none = np.zeros(len(n_in), "int64")
    return RequestTimes(arrival, first, done, n_in, n_out, none, 1, n_events, "measured", False)
