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

# keys whose presence (with a true value) means layers that the closed form cannot count
FOREIGN = {
    "state_size": "state-space layers",
    "ssm_state_size": "state-space layers",
    "mamba_num_heads": "state-space layers",
    "mamba_n_heads": "state-space layers",
    "mamba_d_state": "state-space layers",
    "linear_num_key_heads": "linear attention",
    "linear_attn_config": "linear attention",
    "attn_type_list": "linear attention",
    "hybrid_override_pattern": "state-space layers",
    "is_encoder_decoder": "an encoder and a decoder",
    "block_types": "recurrent layers",
    "index_topk": "a sparse-attention indexer",
}
# feed-forward blocks of two matrices instead of the gated three
PLAIN_FFN = {"gpt2", "opt", "bloom", "falcon", "gpt_neox", "phi", "gpt_bigcode", "mpt", "nemotron"}
ALWAYS_TIED = {"gemma", "gemma2", "gemma3", "gemma3_text"}


class _Config:
    """Look-ups that name the file and the key when something is missing."""

    def __init__(self, values: Mapping[str, Any], where: str):
        self.values, self.where = values, where

    def get(self, *keys: str, default: Any = None) -> Any:
        return next((self.values[k] for k in keys if self.values.get(k) is not None), default)

    def need(self, *keys: str) -> int:
        value = self.get(*keys)
        if value is None:
            raise ValueError(f"{self.where}: no key {' or '.join(map(repr, keys))}")
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise ValueError(f"{self.where}: {keys[0]} = {value!r} is not a positive whole number")
        return value


def _load(config: str | Path | Mapping) -> tuple[dict, str]:
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
    window = c.get("sliding_window", "attention_chunk_size", default=0) or 0
    kinds = c.get("layer_types")
    if kinds:
        odd = set(kinds) - {"full_attention", "sliding_attention", "chunked_attention"}
        if odd:
            raise ValueError(f"{c.where}: layer_types {sorted(odd)} are not understood")
        return sum(k != "full_attention" for k in kinds), int(window)
    if not window or c.get("use_sliding_window", default=True) is False:
        return 0, 0
    family = c.get("model_type", default="")
    if isinstance(no_rope := c.get("no_rope_layers"), list) and no_rope:  # Llama 4: 1 = chunked
        return sum(map(bool, no_rope)), int(window)
    if family == "llama4_text":
        step = c.get("no_rope_layer_interval", default=4)
        return n_layers - n_layers // step, int(window)
    if family.startswith("gemma3"):
        step = c.get("sliding_window_pattern", default=6)
        return n_layers - n_layers // step, int(window)
    if family in ("gemma2", "gpt_oss"):
        return n_layers // 2 + n_layers % 2 * (family == "gemma2"), int(window)
    if family.startswith("qwen"):  # only the layers past max_window_layers slide
        return max(0, n_layers - c.get("max_window_layers", default=n_layers)), int(window)
    return n_layers, int(window)


def _experts(c: _Config, n_layers: int, ffn_size: int) -> dict[str, int]:
    """Routed and shared experts, and which layers have them."""
    n_experts = c.get("num_local_experts", "n_routed_experts", "num_experts", default=0) or 0
    if n_experts <= 1:
        return {}
    moe_ffn = c.get("moe_intermediate_size", default=None)
    family = c.get("model_type", default="")
    if moe_ffn is None:
        moe_ffn = c.need("intermediate_size")
    shared = c.get("shared_expert_intermediate_size", default=None)
    if shared is None:
        shared = (c.get("n_shared_experts", "num_shared_experts", default=0) or 0) * moe_ffn
    if family.startswith("llama4"):  # one shared expert of the same width; experts every nth layer
        shared = moe_ffn
        step = c.get("interleave_moe_layer_step", default=1)
        dense = n_layers - n_layers // step
    else:
        dense = c.get("first_k_dense_replace", default=0) or 0
        step = c.get("decoder_sparse_step", "moe_layer_freq", default=1)
        if isinstance(step, int) and step > 1:
            dense += (n_layers - dense) - (n_layers - dense) // step
        dense = max(dense, len(c.get("mlp_only_layers", default=[]) or []))
    return {
        "n_experts": n_experts,
        "experts_per_token": c.need("num_experts_per_tok", "experts_per_token", "moe_topk"),
        "moe_ffn_size": moe_ffn,
        "shared_ffn_size": shared,
        "n_dense_layers": dense,
    }


def shape_of(config: str | Path | Mapping, id: str = "") -> dict[str, Any]:
    """The keyword arguments of `Model` that a ``config.json`` states.

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
    family = c.get("model_type", default="")
    n_layers = c.need("num_hidden_layers", "n_layer", "num_layers")
    hidden = c.need("hidden_size", "n_embd", "d_model")
    heads = c.need("num_attention_heads", "n_head")
    if c.get("multi_query") and not c.get("new_decoder_architecture"):
        kv_heads = 1
    else:
        kv_heads = c.get("num_key_value_heads", "num_kv_heads", default=heads)
    n_experts = c.get("num_local_experts", "n_routed_experts", "num_experts", default=0)
    ffn = c.get("intermediate_size_mlp") if family.startswith("llama4") else None
    ffn = ffn or c.get("intermediate_size", "ffn_dim", "n_inner")
    if ffn is None:
        if n_experts or family not in PLAIN_FFN:
            ffn = c.need("intermediate_size")
        ffn = 4 * hidden
    sliding, window = _sliding_layers(c, n_layers)
    name = str(c.get("_name_or_path", default="") or "").rstrip("/").split("/")[-1]
    shape = {
        "id": id or name or family or "from-config",
        "name": name,
        "n_layers": n_layers,
        "hidden_size": hidden,
        "n_heads": heads,
        "n_kv_heads": kv_heads,
        "head_dim": c.get("head_dim", default=None) or hidden // heads,
        "ffn_size": ffn,
        "vocab_size": c.need("vocab_size"),
        "tied_embeddings": bool(
            c.get("tie_word_embeddings", default=family in ALWAYS_TIED | PLAIN_FFN - {"gpt_neox"})
        ),
        "n_ffn_matrices": 2 if family in PLAIN_FFN else 3,
        "n_sliding_layers": sliding,
        "sliding_window_tokens": window if sliding else 0,
        "max_context_tokens": c.get("max_position_embeddings", "n_positions", default=0),
        "source": where,
        **_experts(c, n_layers, ffn),
    }
    if c.get("kv_lora_rank"):
        shape |= {
            "n_kv_heads": heads,
            "mla_kv_lora_rank": c.need("kv_lora_rank"),
            "mla_q_lora_rank": c.get("q_lora_rank", default=0) or 0,
            "mla_rope_dim": c.need("qk_rope_head_dim"),
            "mla_nope_dim": c.need("qk_nope_head_dim"),
            "mla_v_dim": c.need("v_head_dim"),
        }
    return shape
