"""Read the shape of a model from its Hugging Face ``config.json``.

Understood: dense, grouped-query and multi-query attention, sliding windows, multi-head latent
attention, and mixtures of experts with shared experts and leading dense layers. An architecture
with parts the closed form does not know (state-space, linear attention) is refused: a wrong
count would be worse than none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# keys that mean parts the closed form cannot count
FOREIGN = {
    "state_size": "state-space layers",
    "ssm_state_size": "state-space layers",
    "mamba_num_heads": "state-space layers",
    "mamba_n_heads": "state-space layers",
    "mamba_d_state": "state-space layers",
    "hybrid_override_pattern": "state-space layers",
    "linear_num_key_heads": "linear attention",
    "linear_attn_config": "linear attention",
    "is_encoder_decoder": "an encoder and a decoder",
    "block_types": "recurrent layers",
    "index_topk": "a sparse-attention indexer",
    "sparse_attention_config": "a sparse-attention indexer",
    "compress_ratios": "compressed attention",
    "o_lora_rank": "compressed attention",
    "global_head_dim": "attention heads of two widths",
    "swa_num_key_value_heads": "attention heads of two kinds",
    "num_kv_shared_layers": "layers that share a cache",
    "hidden_size_per_layer_input": "per-layer embeddings",
    "routed_expert_hidden_size": "experts on a latent",
    "moe_latent_size": "experts on a latent",
    "block_configs": "layers of different shapes",
    "layers_block_type": "layers of different kinds",
}
# feed-forward blocks of two matrices instead of the gated three
PLAIN_FFN = {
    "bloom", "falcon", "gpt2", "gpt_bigcode", "gpt_neox", "mpt", "nemotron", "opt", "phi",
    "starcoder2",
}  # fmt: skip
# families whose output matrix is the input table unless the file says otherwise
TIED = {
    "bloom", "cohere", "cohere2", "falcon", "gemma", "gemma2", "gemma3", "gemma3_text", "gpt2",
    "gpt_bigcode", "mpt", "opt", "starcoder2",
}  # fmt: skip
# one layer in so many attends to everything, the rest slide
FULL_EVERY = {
    "cohere2": 4,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3_text": 6,
    "gpt_oss": 2,
    "llama4_text": 4,
}
PRECISIONS = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
EXPERTS = ("num_local_experts", "n_routed_experts", "num_experts")
QUANTISED = {"fp8": "fp8", "mxfp4": "fp4", "fbgemm_fp8": "fp8", "nvfp4": "fp4"}


class _Config:
    """Look-ups that name the file and the key when something is missing."""

    def __init__(self, values: Mapping[str, Any], where: str):
        self.values, self.where = values, where

    def get(self, *keys: str, default: Any = None) -> Any:
        return next((self.values[k] for k in keys if self.values.get(k) is not None), default)

    def whole(self, *keys: str, default: int = 0) -> int:
        """The first of ``keys`` that is set, as a whole number; else ``default``."""
        key = next((k for k in keys if self.values.get(k) is not None), None)
        if key is None:
            return default
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{self.where}: {key} = {value!r} is not a whole number, 0 or above")
        return value

    def need(self, *keys: str) -> int:
        """The same, where nothing or 0 is an error."""
        value = self.whole(*keys)
        if not value:
            raise ValueError(f"{self.where}: no key {' or '.join(map(repr, keys))}")
        return value


def _load(config: str | Path | Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    if isinstance(config, Mapping):
        values, where = dict(config), "config"
    else:
        where = str(config)
        try:
            values = json.loads(Path(config).read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ValueError(f"{where}: not JSON (line {error.lineno}: {error.msg})") from None
        if not isinstance(values, dict):
            raise ValueError(f"{where}: holds a {type(values).__name__}, not an object")
    for nested in ("text_config", "llm_config", "language_config"):
        if isinstance(values.get(nested), Mapping):  # a model with eyes or ears: its text tower
            values = {**values, **values[nested]}
    return values, where


def _sliding_layers(c: _Config, n_layers: int) -> tuple[int, int]:
    """How many layers slide, and the window in tokens."""
    window = c.whole("sliding_window", "attention_chunk_size")
    kinds = c.get("layer_types")
    if kinds:
        if len(kinds) != n_layers:
            raise ValueError(f"{c.where}: layer_types names {len(kinds)} layers of {n_layers}")
        odd = set(kinds) - {"full_attention", "sliding_attention", "chunked_attention"}
        if odd:
            raise ValueError(f"{c.where}: layer_types {sorted(odd)} are not understood")
        return sum(k != "full_attention" for k in kinds), window
    family = c.get("model_type", default="")
    if not window or not c.get("use_sliding_window", default=not family.startswith("qwen")):
        return 0, 0
    if isinstance(no_rope := c.get("no_rope_layers"), list) and no_rope:  # Llama 4: 1 = chunked
        return sum(map(bool, no_rope)), window
    if family in FULL_EVERY:
        step = c.whole("no_rope_layer_interval", "sliding_window_pattern") or FULL_EVERY[family]
        return n_layers - n_layers // step, window
    if family.startswith("qwen"):  # only the layers past max_window_layers slide
        return max(0, n_layers - c.whole("max_window_layers", default=n_layers)), window
    return n_layers, window


def _experts(c: _Config, n_layers: int) -> dict[str, int]:
    """Routed and shared experts, and which layers have them."""
    n_experts = c.whole(*EXPERTS)
    if n_experts <= 1:
        return {}
    moe_ffn = c.need("moe_intermediate_size", "intermediate_size")
    family = c.get("model_type", default="")
    shared = c.whole("shared_expert_intermediate_size")
    shared = shared or c.whole("n_shared_experts", "num_shared_experts") * moe_ffn
    has_experts = [True] * n_layers
    if family.startswith("llama4"):  # one shared expert of the same width; experts every nth layer
        shared = moe_ffn
        step = c.whole("interleave_moe_layer_step") or 1
        has_experts = [(i + 1) % step == 0 for i in range(n_layers)]
    else:
        first = c.whole("first_k_dense_replace")
        dense = {*range(first), *(c.get("mlp_only_layers") or [])}
        if isinstance(flags := c.get("moe_layer_freq"), list):  # one flag per layer
            has_experts = [bool(x) for x in flags]
        elif step := c.whole("decoder_sparse_step"):
            has_experts = [(i + 1) % step == 0 for i in range(n_layers)]
        elif step := c.whole("moe_layer_freq"):
            has_experts = [i % step == 0 for i in range(n_layers)]
        has_experts = [has and i not in dense for i, has in enumerate(has_experts)]
        if len(has_experts) != n_layers:
            raise ValueError(
                f"{c.where}: moe_layer_freq names {len(has_experts)} of {n_layers} layers"
            )
    return {
        "n_experts": n_experts,
        "experts_per_token": c.need("num_experts_per_tok", "experts_per_token", "moe_topk"),
        "moe_ffn_size": moe_ffn,
        "shared_ffn_size": shared,
        "n_dense_layers": n_layers - sum(has_experts),
    }


def _precision(c: _Config) -> str:
    """The precision that most weights are published in."""
    method = (c.get("quantization_config") or {}).get("quant_method", "")
    dtype = str(c.get("torch_dtype", "dtype", default="bfloat16"))
    return QUANTISED.get(method) or PRECISIONS.get(dtype, "bf16")


def shape_of(config: str | Path | Mapping[str, Any], id: str = "") -> dict[str, Any]:
    """The keyword arguments of `Model` that a ``config.json`` states.

    Raises ``ValueError`` that names the file and the key for anything missing, malformed or
    beyond the closed form.

    >>> shape = shape_of({"model_type": "llama", "num_hidden_layers": 80, "hidden_size": 8192,
    ...     "num_attention_heads": 64, "num_key_value_heads": 8, "intermediate_size": 28672,
    ...     "vocab_size": 128256})
    >>> shape["n_kv_heads"], shape["head_dim"]
    (8, 128)
    >>> shape_of({"model_type": "mamba2", "state_size": 128})
    Traceback (most recent call last):
        ...
    ValueError: config: state_size means state-space layers, which the closed form cannot count
    """
    values, where = _load(config)
    c = _Config(values, where)
    for key, what in FOREIGN.items():
        if c.get(key):
            raise ValueError(f"{where}: {key} means {what}, which the closed form cannot count")
    if 0 in (c.get("attn_type_list") or []):  # all 1: softmax attention everywhere
        raise ValueError(
            f"{where}: attn_type_list means linear attention, which the closed form cannot count"
        )
    family = c.get("model_type", default="")
    n_layers = c.need("num_hidden_layers", "n_layer", "num_layers", "n_layers")
    hidden = c.need("hidden_size", "n_embd", "n_embed", "d_model")
    heads = c.need("num_attention_heads", "n_head", "n_heads")
    if c.get("multi_query") and not c.get("new_decoder_architecture"):
        kv_heads = 1
    else:
        kv_heads = c.whole("num_key_value_heads", "num_kv_heads", default=heads)
    wide = ("intermediate_size_mlp",) if family.startswith("llama4") else ()
    wide = (*wide, "intermediate_size", "ffn_dim", "ffn_hidden_size", "n_inner")
    if family in PLAIN_FFN:
        ffn = c.whole(*wide, default=4 * hidden)
    elif c.whole(*EXPERTS):  # a file may leave out a width that no layer uses
        ffn = c.whole(*wide)
    else:
        ffn = c.need(*wide)
    sliding, window = _sliding_layers(c, n_layers)
    name = str(c.get("_name_or_path", default="") or "").rstrip("/").split("/")[-1]
    shape = {
        "id": id or name or family or "from-config",
        "name": name,
        "n_layers": n_layers,
        "hidden_size": hidden,
        "n_heads": heads,
        "n_kv_heads": kv_heads,
        "head_dim": c.whole("head_dim") or hidden // heads,
        "ffn_size": ffn,
        "vocab_size": c.need("vocab_size"),
        "tied_embeddings": bool(c.get("tie_word_embeddings", default=family in TIED)),
        "n_ffn_matrices": 2 if family in PLAIN_FFN else 3,
        "n_sliding_layers": sliding,
        "sliding_window_tokens": window if sliding else 0,
        "max_context_tokens": c.whole("max_position_embeddings", "n_positions"),
        "native_precision": _precision(c),
        "source": where,
        **_experts(c, n_layers),
    }
    if c.get("kv_lora_rank"):
        shape |= {
            "n_kv_heads": heads,
            "head_dim": c.need("v_head_dim"),
            "mla_kv_lora_rank": c.need("kv_lora_rank"),
            "mla_q_lora_rank": c.whole("q_lora_rank"),
            "mla_rope_dim": c.need("qk_rope_head_dim"),
            "mla_nope_dim": c.need("qk_nope_head_dim"),
            "mla_v_dim": c.need("v_head_dim"),
        }
    return shape
