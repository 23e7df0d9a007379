"""The few dozen numbers through which a model and an accelerator enter the step-time equations.

One row per (model, precision, KV precision) and per (accelerator, precision), computed once and
kept; a frame of a million rows then only looks them up. `econ.catalog.precision` says what is
stored in which precision.
"""

from __future__ import annotations

import functools

from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator
from econ.catalog.precision import (
    UNQUANTISED_BYTES,
    bytes_per_element,
    check_precision,
    weight_bytes_by_part,
)

# kernels that a decode step launches in a layer: round counts of the size that the operations
# suggest (norm, QKV, rotary, cache write, attention, output, …), settled after a free fit to all
# measured runs had given 6.5, 6, 15 and 7 for MoE, MLA, sparse and linear. They are thus no blind
# prediction for the sparse and linear models among those runs. The same holds for the last two: a
# fit gave 0.9 kernels for experts in 4 bits where the chip computes in them (one fused kernel
# routes, multiplies and combines) and 0.3 for each quantised input (most are fused with the norm
# or activation before it); fixed lower, at 0.2, where the other values stay physical.
KERNELS = 10.0
KERNELS_MOE = 6.0  # router, top-k, sort, gather, second grouped product, combine
KERNELS_MLA = 6.0  # down- and up-projections with their norms, absorbed products
KERNELS_SPARSE = 15.0  # the indexer's projections, norm, rotary, quantisation, scores, top-k
KERNELS_LINEAR = 7.0  # convolution, gates, decay, state update, gated norm
KERNELS_MOE_FUSED = 1.0
KERNELS_QUANTISE = 0.2

NEVER = 1e18  # a limit on the context that no context reaches

SHAPE = (
    "dense_bytes",  # what every token reads: attention, router, dense and shared blocks, head
    "expert_bytes",
    "stored_bytes",  # the input table, read row by row
    "dense_params",
    "head_params",
    "active_expert_params",
    "touch_log",  # log(1 − k/E): what one token leaves of an expert's chance to stay idle
    "kv_full_bytes",
    "kv_index_bytes",
    "kv_window_bytes",
    "window_tokens",
    "top_k_tokens",
    "state_bytes",
    "kv_heads",
    "attention_flop",
    "prefill_flop",
    "window_flop",
    "n_kernels",
    "n_kernels_native",  # more (or fewer) of them where the chip computes in the precision
    "n_layers",
    "n_moe_layers",
    "hidden_size",
    "experts_per_token",
    "is_moe",
    "n_heads",
    "n_experts",
)
CHIP = (
    "bandwidth",
    "peak",
    "peak16",
    "link",
    "memory",
    "is_mesh",
    "is_native",  # whether it computes in the named precision or only stores weights in it
    "domain",
)


@functools.lru_cache(maxsize=4096)
def shape(model: Model, precision: str, kv_bytes_per_element: float = 2.0) -> tuple[float, ...]:
    """The model's row, in the order of `SHAPE`."""
    part = weight_bytes_by_part(model, precision)
    share = model.experts_per_token / model.n_experts if model.is_moe else 0.0
    elements = model.kv_elements_per_token_per_layer * kv_bytes_per_element
    kernels = (
        KERNELS * model.n_layers
        + KERNELS_MOE * model.n_moe_layers
        + KERNELS_MLA * model.n_attention_layers * model.is_mla
        + KERNELS_SPARSE * model.n_attention_layers * (model.sparse_top_k_tokens > 0)
        + KERNELS_LINEAR * model.n_linear_layers
    )
    quantised = 2 * model.n_moe_layers  # inputs of matrices: two a block, two an attention layer
    if not (model.is_moe and bytes_per_element(precision) < 1 and model.native_precision != "fp8"):
        quantised += 2 * (model.n_layers + model.n_dense_layers)
        quantised += 2 * model.n_moe_layers * (model.shared_expert_params > 0)
    native = KERNELS_QUANTISE * quantised
    if bytes_per_element(precision) < 1:
        native -= (KERNELS_MOE - KERNELS_MOE_FUSED) * model.n_moe_layers
    # where the selected tokens alone are read, prefill works on the latent vectors as decode does
    sparse = model.sparse_top_k_tokens > 0
    prefill = model.prefill_attention_flop_per_context_token
    head_flop = 4.0 * model.n_heads * model.head_dim
    row = {
        "dense_bytes": part["attention"] + part["dense"] + part["head"],
        "expert_bytes": part["experts"],
        "stored_bytes": part["table"],
        "dense_params": model.attention_params
        + model.other_params
        + model.router_params
        + model.dense_ffn_params
        + model.shared_expert_params,
        "head_params": model.head_params,
        "active_expert_params": model.routed_expert_params * share,
        "touch_log": _log1m(share),
        "kv_full_bytes": model.n_full_attention_layers * elements,
        "kv_index_bytes": model.kv_index_bytes_per_token * kv_bytes_per_element / 2,
        "kv_window_bytes": model.n_sliding_layers * elements,
        "window_tokens": model.sliding_window_tokens,
        "top_k_tokens": model.sparse_top_k_tokens or NEVER,
        "state_bytes": model.fixed_state_bytes_per_sequence,
        "kv_heads": 1 if model.is_mla else model.n_kv_heads,
        "attention_flop": model.attention_flop_per_context_token,
        "prefill_flop": model.attention_flop_per_context_token if sparse else prefill,
        "window_flop": model.n_sliding_layers * head_flop,
        "n_kernels": kernels,
        "n_kernels_native": native,
        "n_layers": model.n_layers,
        "n_moe_layers": model.n_moe_layers,
        "hidden_size": model.hidden_size,
        "experts_per_token": model.experts_per_token,
        "is_moe": model.is_moe,
        "n_heads": model.n_heads,
        "n_experts": model.n_experts,
    }
    return tuple(float(row[name]) for name in SHAPE)


def _log1m(share: float) -> float:
    """log(1 − share), with an end for the case that every token uses every expert."""
    from math import log1p

    return log1p(-min(share, 1 - 1e-12))


@functools.lru_cache(maxsize=1024)
def chip(accelerator: Accelerator, precision: str) -> tuple[float, ...]:
    """The accelerator's row, in the order of `CHIP`; an error where it lacks the precision.

    AMD accelerators are joined pairwise: with fewer partners fewer links work (``is_mesh``).
    """
    memory = accelerator.device_memory_bytes or accelerator.memory_bytes
    peak = accelerator.peak_flop_per_s(check_precision(precision))
    row = {
        "bandwidth": accelerator.memory_bandwidth_bytes_per_s,
        "peak": peak,
        "peak16": accelerator.peak_bf16_flop_per_s,
        "link": accelerator.scaleup_bandwidth_bytes_per_s or 0.0,
        "memory": memory,
        "is_mesh": accelerator.vendor == "AMD",
        "is_native": peak > accelerator.peak_bf16_flop_per_s,
        "domain": max(accelerator.scaleup_domain, 1),
    }
    return tuple(float(row[name]) for name in CHIP)


def kv_bytes_per_element(precision: str, engine: str = "") -> float:
    """What the cache is kept in: TensorRT-LLM pairs quantised weights with an fp8 cache, the
    other engines keep 2 bytes unless told otherwise."""
    return (
        1.0
        if engine == "trtllm" and bytes_per_element(precision) < UNQUANTISED_BYTES
        else UNQUANTISED_BYTES
    )
