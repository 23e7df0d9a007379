"""The few dozen numbers through which a model and an accelerator enter the step-time equations.

One row per (model, precision, KV precision) and per (accelerator, precision), computed once and
kept; a frame of a million rows then only looks them up. `econ.catalog.precision` says what is
stored in which precision.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import Any

from econ.catalog import catalog
from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator
from econ.catalog.engines import Engine
from econ.catalog.precision import bytes_per_element, check_precision, weight_bytes_by_part

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

Numbers = Any  # a float for one deployment, an array of floats for many


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """All that the step equations know of a model, an accelerator and an engine.

    Of the model in its precisions: what every token reads (``dense_bytes``), the routed experts,
    the input table (``stored_bytes``), parameters by their use, ``touch_log`` = log(1 − k/E) (what
    one token leaves of an expert's chance to stay idle), bytes of KV cache per token by layer kind,
    FLOP of attention per pair of tokens, kernels per step (``n_kernels_native`` more of them where
    the chip computes in the precision). Of the accelerator: rates at the datasheet's peak,
    ``is_mesh`` and ``n_torus_links`` where fewer partners mean fewer links, ``is_native`` where it
    computes in the precision and does not only store it, ``n_domain`` accelerators joined by fast
    links. Of the engine: see `econ.catalog.engines.Engine`.
    """

    dense_bytes: Numbers
    expert_bytes: Numbers
    stored_bytes: Numbers
    dense_params: Numbers
    head_params: Numbers
    active_expert_params: Numbers
    touch_log: Numbers
    kv_full_bytes: Numbers
    kv_index_bytes: Numbers
    kv_window_bytes: Numbers
    window_tokens: Numbers
    top_k_tokens: Numbers
    state_bytes: Numbers
    n_kv_heads: Numbers
    attention_flop: Numbers
    prefill_flop: Numbers
    window_flop: Numbers
    n_kernels: Numbers
    n_kernels_native: Numbers
    n_layers: Numbers
    n_moe_layers: Numbers
    hidden_size: Numbers
    experts_per_token: Numbers
    is_moe: Numbers
    n_heads: Numbers
    n_experts: Numbers
    bandwidth_bytes_per_s: Numbers
    peak_flop_per_s: Numbers
    peak16_flop_per_s: Numbers
    link_bytes_per_s: Numbers
    memory_bytes: Numbers
    is_amd: Numbers
    is_cdna4: Numbers
    is_mesh: Numbers
    n_torus_links: Numbers
    is_native: Numbers
    n_domain: Numbers
    first_token_s: Numbers
    n_wait_steps: Numbers
    opening_s: Numbers
    host_s_per_sequence: Numbers

    @classmethod
    def of(
        cls, model: Model, accelerator: Accelerator, precision: str, kv_bytes: float, habits: Engine
    ) -> Shapes:
        """The numbers of one model on one accelerator under one engine."""
        return cls(
            **dict(zip(MODEL_FIELDS, model_row(model, precision, kv_bytes), strict=True)),
            **dict(zip(CHIP_FIELDS, chip_row(accelerator, precision), strict=True)),
            **dict(zip(ENGINE_FIELDS, engine_row(habits), strict=True)),
        )


_FIELDS = tuple(field.name for field in fields(Shapes))
MODEL_FIELDS = _FIELDS[: _FIELDS.index("bandwidth_bytes_per_s")]
CHIP_FIELDS = _FIELDS[len(MODEL_FIELDS) : _FIELDS.index("first_token_s")]
ENGINE_FIELDS = _FIELDS[len(MODEL_FIELDS) + len(CHIP_FIELDS) :]


def as_model(model: Model | str) -> Model:
    """The model itself, or the catalogue's by name."""
    return model if isinstance(model, Model) else catalog.model(model)


def as_accelerator(accelerator: Accelerator | str) -> Accelerator:
    """The accelerator itself, or the catalogue's by name."""
    if isinstance(accelerator, Accelerator):
        return accelerator
    return catalog.accelerator(accelerator)


def generation(accelerator: Accelerator) -> str:
    """The kind of accelerator, by its maker and by the formats it computes in.

    Hopper and Ada compute in 8 bits, Blackwell and CDNA4 in 4, Ampere and older in neither.

    >>> generation(as_accelerator("h200-sxm")), generation(as_accelerator("mi355x"))
    ('hopper', 'cdna4')
    """
    if accelerator.vendor == "AMD":
        return "cdna4" if accelerator.peak_fp4_flop_per_s else "cdna3"
    if accelerator.vendor != "NVIDIA":
        return "other"
    if accelerator.peak_fp4_flop_per_s:
        return "blackwell"
    return "hopper" if accelerator.peak_fp8_flop_per_s else "ampere"


def engine_row(habits: Engine) -> tuple[float, ...]:
    """An engine's values, in the order of `ENGINE_FIELDS`."""
    return tuple(float(getattr(habits, name)) for name in ENGINE_FIELDS)


@functools.lru_cache(maxsize=4096)
def model_row(model: Model, precision: str, kv_bytes: float = 2.0) -> tuple[float, ...]:
    """A model's numbers in the order of `MODEL_FIELDS`; ``kv_bytes`` per cached element."""
    part = weight_bytes_by_part(model, precision)
    return _model_values(model, part, precision, kv_bytes)


def _model_values(
    model: Any, part: dict[str, float], precision: str, kv_bytes: float
) -> tuple[float, ...]:
    """A `Model` fills in its optional fields when it is made, which its types do not say."""
    share = model.experts_per_token / model.n_experts if model.is_moe else 0.0
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
    heads, _, key_dim, value_dim = model.sliding_shape
    head_flop = 2.0 * heads * (key_dim + value_dim)
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
        "kv_full_bytes": model.kv_full_elements_per_token * kv_bytes,
        "kv_index_bytes": model.kv_scanned_elements_per_token * kv_bytes,
        "kv_window_bytes": model.kv_window_elements_per_token * kv_bytes,
        "window_tokens": model.sliding_window_tokens,
        "top_k_tokens": model.sparse_top_k_tokens or NEVER,
        "state_bytes": model.fixed_state_bytes_per_sequence,
        "n_kv_heads": 1 if model.is_mla else model.n_kv_heads,
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
    return tuple(float(row[name]) for name in MODEL_FIELDS)


def _log1m(share: float) -> float:
    """log(1 − share), with an end for the case that every token uses every expert."""
    from math import log1p

    return log1p(-min(share, 1 - 1e-12))


@functools.lru_cache(maxsize=1024)
def chip_row(accelerator: Accelerator, precision: str) -> tuple[float, ...]:
    """An accelerator's numbers in the order of `CHIP_FIELDS`; an error without the precision.

    In a mesh or a torus fewer partners leave links unused (`Accelerator.links_frac`).
    """
    memory = accelerator.device_memory_bytes or accelerator.memory_bytes
    peak = accelerator.peak_flop_per_s(check_precision(precision))
    row: dict[str, Any] = {
        "bandwidth_bytes_per_s": accelerator.memory_bandwidth_bytes_per_s,
        "peak_flop_per_s": peak,
        "peak16_flop_per_s": accelerator.peak_bf16_flop_per_s,
        "link_bytes_per_s": accelerator.scaleup_bandwidth_bytes_per_s or 0.0,
        "memory_bytes": memory,
        "is_amd": accelerator.vendor == "AMD",
        "is_cdna4": generation(accelerator) == "cdna4",
        "is_mesh": accelerator.is_mesh,
        "n_torus_links": accelerator.n_torus_links,
        "is_native": peak > accelerator.peak_bf16_flop_per_s,
        "n_domain": max(accelerator.scaleup_domain, 1),
    }
    return tuple(float(row[name]) for name in CHIP_FIELDS)
