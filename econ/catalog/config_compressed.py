"""Compressed attention of DeepSeek-V4, from its ``config.json``.

Every layer keeps a short window of tokens one by one. Most also keep one entry for 4 tokens, of
which an indexer selects some, or one for 128, all of which are read. Keys are values, of one head;
the output projection has two matrices of low rank; the residual stream is several streams wide.
"""

from __future__ import annotations

from typing import Any

from econ.catalog.config_file import Config

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
