"""What may be simulated: every refusal names the first offending request and what to do.

>>> checked_requests([2.0, 1.0], [10, 20], [5, 5])
Traceback (most recent call last):
    ...
ValueError: request 1: arrival_s = 1.0 comes before request 0 at 2.0; sort the requests by arrival
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from econ.serving.cost import PS_PER_S
from econ.serving.replicas import Plan, Replica

Whole = NDArray[np.int64]
BLOCK = 1 << 16
MAX_TIME_S = 2.0**61 / PS_PER_S  # 26 days: no sum of picoseconds may leave int64


def cached_prompt(prompt: Whole, replica: Replica, cached_tokens: Any) -> Whole:
    """Prompt tokens of each request that need no prefill; at least one does."""
    if cached_tokens is None and replica.prefix_cached_frac == 0:
        return np.zeros(len(prompt), "int32")  # as the engines take it
    if cached_tokens is None:
        block = replica.block_tokens
        hit: Whole = np.floor(replica.prefix_cached_frac * prompt).astype("int64")
        hit = hit // block * block
        most: Whole = (prompt - 1) // block * block
        return np.minimum(hit, most)
    hit = _whole("cached_tokens", cached_tokens, 0)
    if hit.shape != prompt.shape:
        raise ValueError(f"cached_tokens holds {len(hit)} requests, input_tokens {len(prompt)}")
    if (bad := hit >= prompt).any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"request {i}: cached_tokens = {hit[i]} leaves nothing to compute of its {prompt[i]} "
            "input tokens; at most all but one can come from a cache"
        )
    return hit


def _whole(name: str, values: Any, low: int) -> Whole:
    """Whole numbers from ``low``, or an error that names the first request without."""
    values = np.asarray(values)
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise ValueError(f"{name}: give one number per request in a flat list or array")
    most = 2**31 - 1
    if values.dtype.kind in "iu" and (
        not len(values) or low <= values.min() <= values.max() <= most
    ):
        whole_numbers: Whole = values.astype("int64")
        return whole_numbers
    bad = ~np.isfinite(values) | (values < low) | (values > most)
    bad |= values != np.floor(values)
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"request {i}: {name} = {values[i]} is outside its range: a whole number from {low} "
            "to 2,147,483,647; drop or correct the request"
        )
    integers: Whole = values.astype("int64")
    return integers


def checked_requests(
    arrival_s: Any, input_tokens: Any, output_tokens: Any
) -> tuple[Whole, Whole, Whole]:
    """The three columns as integers, or one error that names the first offending request."""
    arrival = np.asarray(arrival_s)
    if arrival.ndim != 1 or arrival.dtype.kind not in "iuf" or not len(arrival):
        raise ValueError("arrival_s: give one number per request in a flat list or array")
    arrival = arrival.astype("float64", copy=False)
    if not 0 <= arrival.min() <= arrival.max() <= MAX_TIME_S:
        bad = ~np.isfinite(arrival) | (arrival < 0) | (arrival > MAX_TIME_S)
        i = int(np.argmax(bad))
        raise ValueError(
            f"request {i}: arrival_s = {arrival[i]} is outside its range: 0 to {MAX_TIME_S:,.0f} s;"
            " shift the trace so that it starts at 0"
        )
    if (bad := arrival[1:] < arrival[:-1]).any():
        i = int(np.argmax(bad)) + 1
        raise ValueError(
            f"request {i}: arrival_s = {arrival[i]} comes before request {i - 1} at "
            f"{arrival[i - 1]}; sort the requests by arrival"
        )
    prompt = _whole("input_tokens", input_tokens, 1)
    out = _whole("output_tokens", output_tokens, 1)
    if not len(arrival) == len(prompt) == len(out):
        raise ValueError(
            f"arrival_s, input_tokens and output_tokens hold {len(arrival)}, {len(prompt)} and "
            f"{len(out)} requests; give the same number of each"
        )
    arrival_ps = np.empty(len(arrival), "int64")
    for k in range(0, len(arrival), BLOCK):  # no second column of floats
        arrival_ps[k : k + BLOCK] = np.rint(arrival[k : k + BLOCK] * PS_PER_S)
    return arrival_ps, prompt, out


def check_fit(plan: Plan, replica: Replica, prompt: Whole, out: Whole, names: Whole | None) -> None:
    """No request may need more KV memory than a replica has: it would wait forever."""
    if prompt.max() + out.max() - 1 <= plan.n_blocks * plan.block_tokens:
        return
    peak = prompt + out - 1
    if (bad := -(-peak // plan.block_tokens) > plan.n_blocks).any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"request {i if names is None else names[i]}: needs {peak[i]:,} tokens of KV memory "
            f"(input + output − 1), more than a replica's kv_tokens = {replica.kv_tokens:,} in "
            f"blocks of {plan.block_tokens}; shorten or drop it, or give the replica more memory"
        )


def check_horizon(plan: Plan, ready: NDArray[Any], prompt: Whole, out: Whole) -> None:
    """Every run of steps must fit into int64 picoseconds; ``ready``: when each could start."""
    cost = plan.cost
    step = int(cost.linear_ps.max()) + int(cost.decode_base_ps.max()) + cost.prefill_base_ps
    step += int(cost.decode_per_ctx_ps.max()) * (plan.n_blocks * plan.block_tokens + plan.max_batch)

    def alone_ps(size: Any) -> Any:
        per_token = step + cost.linear_ps_per_token
        return size * float(per_token) + size * float(cost.prefill_per_pair_ps) * size

    longest = float(prompt.max()) + float(out.max())
    if alone_ps(longest) + float(ready.max()) <= MAX_TIME_S * PS_PER_S:
        return
    worst = alone_ps((prompt + out).astype("float64")) + ready
    if (bad := worst > MAX_TIME_S * PS_PER_S).any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"request {i}: could last to {worst[i] / PS_PER_S:,.0f} s, past the "
            f"{MAX_TIME_S:,.0f} s that can be simulated; shorten it or check the units of the step "
            "cost (and of a KV transfer)"
        )
