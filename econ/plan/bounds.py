"""The most that one replica can sustain under an SLO, whatever the order of its work.

Every request needs its decode steps and its prefill tokens, and a step costs what the tables of
`econ.serving.StepCost` say. A replica whose steps decode ``B`` sequences each, with the prefill
spread evenly, works at the least cost per request; the slowest pace that the TPOT limit allows, the
batch limit and the KV memory end ``B``. What needs more replicas than the peak rate over that rate
cannot keep the SLO, and need not be simulated.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.serving import Replica
from econ.serving.checks import cached_prompt
from econ.terms import Slo

SLACK_FRAC = 0.05  # what a run of limited length may do beyond a steady state
N_SLOPES = 48  # straight lines below the table of prefill times

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Work:
    """What a request asks for on average: the least over several draws of requests.

    ``n_steps`` are decode steps, ``context_tokens`` the tokens of context summed over them,
    ``computed_tokens`` those of the prompt that no cache holds, ``n_pairs`` their Σ x(2c + x).
    """

    n_steps: float
    context_tokens: float
    computed_tokens: float
    n_pairs: float

    @classmethod
    def of(cls, draws: Iterable[Prompts]) -> Work:
        """The least of each mean over the draws."""
        return cls(*np.min([dataclasses.astuple(prompts.work) for prompts in draws], axis=0))


@dataclass(frozen=True)
class Prompts:
    """What a draw of requests asks of a replica that holds a share of their prompts.

    ``fresh_tokens`` of each prompt are computed over ``n_pairs`` pairs of tokens; ``work`` is that
    of a mean request of the draw.
    """

    fresh_tokens: Numbers
    n_pairs: Numbers
    work: Work

    @classmethod
    def of(cls, requests: pd.DataFrame, one: Replica) -> Prompts:
        """With the replica's share of cached prompts, or what the trace says of them."""
        prompt, out = (requests[f"{name}_tokens"].to_numpy("int64") for name in ("input", "output"))
        cached = cached_prompt(prompt, one, cached_tokens(requests))
        fresh, steps = prompt - cached, out - 1
        context = steps * (prompt + (steps + 1) / 2)
        pairs = fresh * (2.0 * cached + fresh)
        work = Work(*(float(np.mean(x)) for x in (steps, context, fresh, pairs)))
        return cls(fresh.astype("float64"), pairs, work)


def cached_tokens(requests: pd.DataFrame) -> Any:
    """What a trace says of each prompt's cached part; at least one token is always computed.

    None where it says nothing: the workload's share then holds for all prompts.
    """
    if "cached_tokens" not in requests:
        return None
    return requests["cached_tokens"].clip(upper=requests["input_tokens"] - 1)


def least_prefill_s(one: Replica, work: Work) -> float:
    """The least time of a mean prompt: its tokens at the best rate of any step, its attention."""
    linear = one.cost.linear_s
    per_token_s = float(np.min(linear[1:] / np.arange(1, len(linear))))
    return work.computed_tokens * per_token_s + work.n_pairs * one.cost.prefill_per_pair_s


def most_rates_per_s(one: Replica, work: Work, slo: Slo, policy: str) -> Numbers:
    """Requests per second of one replica at most, for each batch limit from 1; 0 where none.

    Of separate pools, those of a replica that only decodes.
    """
    n = int(one.max_batch)
    batch = np.arange(1, n + 1, dtype="float64")
    cost, pace_s = one.cost, float(slo.tpot_s) / float(slo.attainment_frac)
    if work.n_steps <= 0:
        return np.full(n, (1 + SLACK_FRAC) / max(least_prefill_s(one, work), 1e-12))
    context = work.context_tokens / work.n_steps
    decode_s = cost.decode_steps_s(n, context)
    if policy == "disaggregated":
        step_s = decode_s
    elif policy == "prefill_first":
        step_s = decode_s + batch / work.n_steps * least_prefill_s(one, work)
    else:
        fresh = batch * work.computed_tokens / work.n_steps
        mixed_s = _below(cost.linear_s, batch + fresh) - cost.linear_steps_s(n)
        step_s = decode_s + np.maximum(mixed_s, 0)
        step_s = step_s + batch / work.n_steps * work.n_pairs * cost.prefill_per_pair_s
    fits = (step_s <= pace_s) & ((batch - 1) * context <= one.kv_tokens)
    fits[0] = decode_s[0] <= pace_s  # alone, a request need not wait for anybody's prompt
    rates = np.where(fits, batch / (work.n_steps * step_s), 0.0)
    most: Numbers = np.maximum.accumulate(rates) * (1 + SLACK_FRAC)
    return most


def _below(linear_s: Numbers, tokens: Numbers) -> Numbers:
    """A convex curve that is nowhere above the time of a step with so many tokens."""
    sizes = np.arange(1, len(linear_s), dtype="float64")
    steepest = max(float(linear_s[-1] - linear_s[-2]), float(np.min(linear_s[1:] / sizes)))
    slopes = np.linspace(0, steepest, N_SLOPES)[:, None]
    heights = np.min(linear_s[1:] - slopes * sizes, axis=1, keepdims=True)
    curve: Numbers = np.max(heights + slopes * tokens, axis=0)
    return curve


def first_tokens_in_time_frac(one: Replica, prompts: Prompts, ttft_s: float) -> float:
    """The share of requests whose first token would be in time if each had a replica alone."""
    fresh = prompts.fresh_tokens
    linear, last = one.cost.linear_s, len(one.cost.linear_s) - 1
    most = min(one.token_budget, last)
    chunks, rest = np.divmod(fresh, most)
    alone_s = chunks * linear[most] + np.where(rest > 0, linear[rest.astype(int)], 0.0)
    if one.policy == "prefill_first":  # a long prompt is read in one step
        alone_s = np.interp(fresh, np.arange(last + 1), linear)
    alone_s = alone_s + prompts.n_pairs * one.cost.prefill_per_pair_s
    return float(np.mean(one.lag_s + alone_s <= ttft_s))
