"""What layers have beside plain attention, from a file: their weights, state and cache.

* Mixers that keep a fixed state, and indexers. A state counts 4 bytes for each element of the
  recurrent state and 2 for the short convolution.
* Compressed attention of DeepSeek-V4. Every layer keeps a short window of tokens one by one. Most
  also keep one entry for 4 tokens, of which an indexer selects some, or one for 128, all of which
  are read. Keys are values, of one head; the output projection has two matrices of low rank; the
  residual stream is several streams wide.
* Inputs of every layer of its own, in Gemma 3n and the small Gemma 4. A token reads a row of a
  second table for each layer: stored, but not read whole. Gemma 3n also has several residual
  streams (AltUp) and a shortcut of low rank (LAuReL).

>>> weights, state = linear_mixer(Config({"conv_L_cache": 3}, "config"), 2048, 32, 64)
>>> weights, state
(16783360, 8192)
>>> shape = {"n_layers": 2, "hidden_size": 8, "ffn_size": 16, "other_params": 0, "ffn_sizes": ()}
>>> c = Config({"hidden_size_per_layer_input": 4, "vocab_size_per_layer_input": 100}, "config")
>>> side_inputs(c, shape, ["full", "full"])
>>> shape["lookup_params"], shape["other_params"]
(800, 192)
"""

from __future__ import annotations

from typing import Any

from econ.catalog.config_file import Config


def linear_mixer(c: Config, hidden_size: int, n_heads: int, head_dim: int) -> tuple[int, int]:
    """(weights, state bytes of a sequence) of one layer with linear attention or the like."""
    c.get("mamba_expand", "expand", "time_step_rank", "mamba_proj_bias", "conv_use_xconv")
    if c.get("linear_num_value_heads"):
        return _gated_delta_net(c, hidden_size)
    if isinstance(part := c.get("linear_attn_config"), dict):
        return _kimi_delta(Config(part, f"{c.where}: linear_attn_config"), hidden_size)
    if c.family in ("kimi_linear", "bailing_hybrid") or c.get("linear_num_heads"):  # at the top
        c.get("short_conv_kernel_size")
        return _kimi_delta(c, hidden_size)
    if c.get("conv_L_cache"):  # LFM2: a gated short convolution
        length = c.need("conv_L_cache")
        c.get("conv_dim", "conv_dim_out")
        return 4 * hidden_size * hidden_size + length * hidden_size, 2 * (length - 1) * hidden_size
    if c.get("mamba_dt_rank") and not c.get("mamba_n_heads"):
        return _mamba(c, hidden_size)
    if c.get("mamba_num_heads", "mamba_n_heads"):
        return _mamba2(c)
    if c.get("attn_type_list") or c.family.startswith("minimax"):  # lightning attention
        inner = n_heads * head_dim
        c.get("block_size")
        return 5 * hidden_size * inner, n_heads * head_dim * head_dim * 4
    raise c.refuse("layers without softmax attention, of a kind that is not understood")


def _gated_delta_net(c: Config, d: int) -> tuple[int, int]:
    """Qwen3-Next: q, k, v, gate, two numbers a head, a short convolution, output."""
    v_heads, conv = c.need("linear_num_value_heads"), c.need("linear_conv_kernel_dim")
    keys = c.need("linear_num_key_heads") * (k_dim := c.need("linear_key_head_dim"))
    values = v_heads * (v_dim := c.need("linear_value_head_dim"))
    weights = d * (2 * keys + 2 * values) + 2 * d * v_heads + conv * (2 * keys + values)
    state = v_heads * k_dim * v_dim * 4 + (2 * keys + values) * (conv - 1) * 2
    return weights + values * d, state


def _kimi_delta(part: Config, d: int) -> tuple[int, int]:
    """Kimi: q, k, v, output, gate (of full or low rank), decay, write strength, convolutions."""
    heads = part.need("linear_num_heads", "num_heads")
    dim = part.need("linear_head_dim", "head_dim")
    conv = part.need("linear_conv_kernel_dim", "short_conv_kernel_size")
    inner = heads * dim
    low_rank = d * dim + dim * inner
    if part.family == "bailing_hybrid":  # both of full rank
        low_rank = d * inner
    gate = d * inner if part.get("use_full_rank_gate") else low_rank
    part.get("full_attn_layers", "kda_layers")
    if "kda_layers" in part.values and (odd := part.leftover()):
        raise part.refuse(f"{', '.join(odd)}: not understood")
    weights = 4 * d * inner + gate + low_rank + d * heads + 3 * conv * inner
    return weights, heads * dim * dim * 4 + 3 * inner * (conv - 1) * 2


def _mamba2(c: Config) -> tuple[int, int]:
    heads, dim = (
        c.need("mamba_num_heads", "mamba_n_heads"),
        c.need("mamba_head_dim", "mamba_d_head"),
    )
    state = c.need("ssm_state_size", "mamba_d_state")
    conv = c.need("conv_kernel", "mamba_d_conv")
    d, inner = c.need("hidden_size"), heads * dim
    if (stated := c.whole("mamba_d_ssm")) and stated != inner:
        raise c.refuse(f"mamba_d_ssm = {stated} is not {heads} heads of {dim}")
    mixed = inner + 2 * c.need("n_groups", "mamba_n_groups", "mamba_ngroups") * state
    weights = d * (inner + mixed + heads) + (conv + 1) * mixed + inner * d
    return weights, inner * state * 4 + mixed * (conv - 1) * 2


def _mamba(c: Config, d: int) -> tuple[int, int]:
    inner = c.need("mamba_expand") * d
    rank, state, conv = c.need("mamba_dt_rank"), c.need("mamba_d_state"), c.need("mamba_d_conv")
    weights = 2 * d * inner + inner * (conv + 1) + inner * (rank + 2 * state) + rank * inner
    return weights + inner * (state + 2) + inner * d, inner * state * 4 + inner * (conv - 1) * 2


def indexer(c: Config, n_layers: int, hidden_size: int) -> dict[str, int]:
    """Sparse attention: weights of the indexer, elements a token leaves in it, tokens selected."""
    if isinstance(part := c.get("sparse_attention_config"), dict):
        return _block_indexer(c, part, n_layers, hidden_size)
    if c.get("index_topk_blocks"):
        return _flat_block_indexer(c, n_layers, hidden_size)
    if not (top_k := c.whole("index_topk")):
        return {}
    kinds = [str(x) for x in c.per_layer("indexer_types", n_layers)]
    if odd := sorted(set(kinds) - {"full", "shared"}):
        raise c.refuse(f"indexer_types {odd} are not understood")
    if not kinds and (c.whole("index_topk_freq") > 1 or c.get("index_topk_pattern")):
        raise c.refuse("index_topk_freq without indexer_types: which layers hold an index?")
    n = kinds.count("full") if kinds else n_layers
    heads, dim = c.need("index_n_heads"), c.need("index_head_dim")
    rank = c.whole("q_lora_rank") or hidden_size
    weights = n * (rank * heads * dim + hidden_size * dim + hidden_size * heads)
    return {"weights": weights, "elements": n * dim, "top_k": top_k}


def _flat_block_indexer(c: Config, n: int, d: int) -> dict[str, int]:
    """The same as `_block_indexer` in the keys of the transformers library."""
    layers = [str(x) for x in c.per_layer("layer_types", n)].count("minimax_m3_sparse")
    heads, dim = c.need("index_n_heads"), c.need("index_head_dim")
    tokens = c.need("index_topk_blocks") * c.need("index_block_size")
    c.get("index_local_blocks")
    if not layers:
        return {}
    return {"weights": layers * d * (heads + 1) * dim, "elements": layers * dim, "top_k": tokens}


def _block_indexer(c: Config, part: dict[str, object], n: int, d: int) -> dict[str, int]:
    """MiniMax-M3: an index selects blocks of tokens."""
    sparse = Config(part, f"{c.where}: sparse_attention_config")
    if not sparse.get("use_sparse_attention"):
        return {}
    flags = sparse.per_layer("sparse_attention_freq", n)
    layers = sum(map(bool, flags)) if flags else n
    heads, dim = sparse.need("sparse_num_index_heads"), sparse.need("sparse_index_dim")
    tokens = sparse.need("sparse_topk_blocks") * sparse.need("sparse_block_size")
    sparse.get("sparse_init_block", "sparse_local_block", "sparse_score_type")
    sparse.get("sparse_disable_index_value")
    if odd := sparse.leftover():
        raise sparse.refuse(f"not understood: {', '.join(odd)}")
    weights = layers * (d * heads * dim + d * dim)
    return {"weights": weights, "elements": layers * dim, "top_k": tokens}


def side_inputs(c: Config, shape: dict[str, Any], mixers: list[str]) -> None:
    """Add to a shape the tables and matrices that every layer has beside attention and blocks."""
    n, d = shape["n_layers"], shape["hidden_size"]
    if width := c.whole("hidden_size_per_layer_input"):
        shape["lookup_params"] = n * width * c.need("vocab_size_per_layer_input")
        shape["other_params"] += n * d * width + n * 2 * d * width
    else:
        c.get("vocab_size_per_layer_input")
    if rank := c.whole("laurel_rank"):
        shape["other_params"] += n * 2 * d * rank
    if streams := c.whole("altup_num_inputs"):
        maps = d * streams + streams * (streams + streams * streams)
        shape["other_params"] += 2 * (streams - 1) * d * d + n * maps
    c.get("altup_active_idx", "altup_coef_clip", "altup_correct_scale")
    if c.get("use_double_wide_mlp"):  # of the layers that reuse a cache
        widths = tuple((1 + m.endswith("reuse")) * shape["ffn_size"] for m in mixers)
        shape |= {"ffn_sizes": widths, "ffn_size": round(sum(widths) / n)}


FINE, COARSE = "compressed_sparse_attention", "heavily_compressed_attention"


def compressed(c: Config, shape: dict[str, Any]) -> None:
    """Add to a shape what compressed attention needs."""
    rates = c.get("compress_rates")
    rates = rates if isinstance(rates, dict) else {}
    fine = int(rates.get(FINE) or c.whole("compress_rate_csa", n_else=4))
    coarse = int(rates.get(COARSE) or c.whole("compress_rate_hca", n_else=128))
    c.get("compress_ratios", "num_hash_layers", "mlp_layer_types", "qk_rope_head_dim")
    if shape["n_kv_heads"] != 1:
        raise c.refuse(f"num_key_value_heads = {shape['n_kv_heads']} with compressed attention")
    d, dim, n = shape["hidden_size"], shape["head_dim"], shape["n_layers"]
    n_coarse = shape["n_coarse_layers"]
    n_fine = shape["n_attention_layers"] - shape["n_sliding_layers"] - n_coarse
    heads, index = c.need("index_n_heads"), c.need("index_head_dim")
    indexer = c.need("q_lora_rank") * heads * index + d * heads + 2 * d * 2 * index
    streams = c.need("hc_mult")  # the residual stream, and the maps between its parts
    maps = 2 * n * (2 + streams) * streams * streams * d + streams * streams * d
    shape["other_params"] += (
        n_fine * (2 * d * 2 * dim + fine * 2 * (dim + index) + indexer)
        + n_coarse * (2 * d * dim + coarse * dim)
        + maps
    )
    pending = n_coarse * coarse * 2 * dim + n_fine * 2 * fine * 2 * (dim + index)  # and gates
    shape["fixed_state_bytes_per_sequence"] += 2 * pending
    shape |= {
        "keys_are_values": True,
        "stores_keys_only": True,
        "full_layers_have_window": True,
        "sliding_window_tokens": c.need("sliding_window"),
        "kv_stride_tokens": fine,
        "coarse_stride_tokens": coarse,
        "sparse_top_k_tokens": c.need("index_topk") * fine,
        "kv_index_bytes_per_token": 2 * n_fine * index / fine,
        "output_lora_rank": c.need("o_lora_rank"),
        "n_output_groups": c.need("o_groups"),
    }
