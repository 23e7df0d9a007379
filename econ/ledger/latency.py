"""Topic ``latency-throughput``: bytes and parameters of a model, and times at the bound."""

from __future__ import annotations

import pandas as pd

from econ.catalog import accelerator, model
from econ.catalog.units import GIGA, HOUR_S, TERA
from econ.latency.bound import Envelope, envelope
from econ.latency.prediction import (
    DoesNotFit,
    answer_s,
    max_throughput_frame,
    predict,
    weight_bytes,
)
from econ.ledger.recompute import recompute
from econ.scenario import Scenario


@recompute("n_params")
def parameters(id: str) -> float:
    """Parameters of a model from its shape."""
    return model(id).n_params


@recompute("kv_bytes")
def kv_cache_bytes(id: str, context_tokens: float, bytes_per_element: float = 2) -> float:
    """KV cache of one sequence."""
    return float(model(id).kv_bytes(context_tokens, bytes_per_element))


@recompute("n_params", "kv_bytes")
def serving_bytes(
    id: str, batch: int, kv_tokens: float, bytes_per_param: float, bytes_per_element: float
) -> float:
    """Weights and the KV caches of a batch."""
    net = model(id)
    cache = float(net.kv_bytes(kv_tokens, bytes_per_element))
    return net.n_params * bytes_per_param + batch * cache


# -- sums on the data sheet ----------------------------------------------------------------------
@recompute()
def ridge_flop_per_byte(id: str, precision: str) -> float:
    """Peak FLOP per byte of memory bandwidth."""
    chip = accelerator(id)
    return chip.peak_flop_per_s(precision) / chip.memory_bandwidth_bytes_per_s


@recompute()
def streaming_s(
    id: str,
    chip: str,
    n_gpu: int,
    bytes_per_param: float,
    kv_tokens: float = 0,
    batch: int = 0,
    bytes_per_element: float = 2,
    n_kv_heads: int | None = None,
) -> float:
    """Seconds to read the weights, and the KV caches of a batch, once, whether they fit or not.

    ``n_kv_heads``: as if the cache, and it alone, had so many.
    """
    read = serving_bytes(id, batch, kv_tokens, bytes_per_param, bytes_per_element)
    if n_kv_heads:
        caches = batch * kv_cache_bytes(id, kv_tokens, bytes_per_element)
        read -= caches * (1 - n_kv_heads / model(id).n_kv_heads)
    return read / (n_gpu * accelerator(chip).memory_bandwidth_bytes_per_s)


@recompute()
def step_of_bytes_s(
    chip: str,
    n_gpu: int,
    weight_bytes: float,
    sequence_bytes: float,
    batch: int,
    precision: str = "",
) -> float:
    """A decode step at the bound from bytes alone, for a model with no more published than that.

    Caches and weights are read one after the other. With a ``precision`` the arithmetic of the
    batch, 2 FLOP per byte of the weights and sequence, takes the place of reading the weights.
    """
    one = accelerator(chip)
    caches_s = batch * sequence_bytes / (n_gpu * one.memory_bandwidth_bytes_per_s)
    if precision:
        return caches_s + 2 * batch * weight_bytes / (n_gpu * one.peak_flop_per_s(precision))
    return caches_s + weight_bytes / (n_gpu * one.memory_bandwidth_bytes_per_s)


# -- the envelope -------------------------------------------------------------------------------
def _bound(
    id: str,
    chip: str,
    n_gpu: int,
    precision: str,
    batch: int,
    context_tokens: float,
    slowdown: float = 1.0,
) -> Envelope:
    """The envelope of one token after a context of so many."""
    case = Scenario.of(id, chip, n_gpu=n_gpu, precision=precision, cost_usd_per_gpu_hour=1.0)
    return envelope(case, batch, input_tokens=context_tokens, output_tokens=1, slowdown=slowdown)


@recompute("envelope")
def weights_read_s(**case: float) -> float:
    """The part of a step that reads the weights, beside a context of one token."""
    return _bound(context_tokens=1, **case).weights_s


@recompute("envelope")
def prefill_s(input_tokens: float, mfu_frac: float, **case: float) -> float:
    """Prefill at a share of the peak."""
    return _bound(batch=1, context_tokens=input_tokens, slowdown=1 / mfu_frac, **case).prefill_s


@recompute("envelope")
def requests_that_fit(**case: float) -> float:
    """The largest batch whose KV caches fit beside the weights."""
    n = 0
    try:
        while True:
            _bound(batch=n + 1, **case)
            n += 1
    except DoesNotFit:
        return n


@recompute()
def streaming_tokens_per_s(batch: int, **case: float | str) -> float:
    """Tokens per second of a batch whose every step takes `streaming_s`."""
    return batch / streaming_s(batch=batch, **case)


# -- the fitted model ---------------------------------------------------------------------------
@recompute("weight_bytes")
def weights_gb(id: str, precision: str) -> float:
    """Stored weights in decimal gigabytes."""
    return weight_bytes(id, precision) / GIGA


@recompute("predict")
def predicted_tpot_s(concurrency: float, **case: float | str) -> float:
    """Time per output token by the fitted model."""
    return predict(Scenario.of(**case), concurrency=concurrency).tpot_s


@recompute("max_throughput_frame")
def offline_tokens_per_s(**case: float | str) -> float:
    """Output tokens per second of a deployment with all work waiting, by the fitted model."""
    rows = max_throughput_frame(pd.DataFrame([case]).assign(n_gpu=case["tp"]))
    if reason := rows["reason"].iloc[0]:
        raise ValueError(reason)
    return float(rows["output_tokens_per_s_per_gpu"].iloc[0]) * case["tp"]


@recompute("active_params")
def fleet_tflop_per_s(
    id: str, tokens_per_s: float, n_gpu: int, computed_frac: float = 1.0
) -> float:
    """TFLOP/s of each accelerator behind a rate of tokens: 2 per active weight, no attention."""
    return 2 * model(id).active_params * tokens_per_s * computed_frac / n_gpu / TERA


@recompute("active_params")
def fleet_share(id: str, tokens_per_s: float, n_gpu: int, chip: str, precision: str) -> float:
    """The same as a share of an accelerator's peak."""
    work_flop_per_s = 2 * model(id).active_params * tokens_per_s
    return work_flop_per_s / (n_gpu * accelerator(chip).peak_flop_per_s(precision))


# -- sums on published numbers ------------------------------------------------------------------
@recompute()
def whole_answer_s(ttft_s: float, tpot_s: float, output_tokens: float) -> float:
    """End to end: the first token, then a gap for each of the others."""
    return answer_s(ttft_s, tpot_s, output_tokens)


@recompute()
def in_flight(tokens_per_s: float, gap_s: float) -> float:
    """Sequences in a step by Little's law."""
    return tokens_per_s * gap_s


@recompute()
def per_hour(rate_per_s: float) -> float:
    """A rate per second as a rate per hour."""
    return rate_per_s * HOUR_S
