"""The layers that a ``config.json`` describes: what mixes tokens in each, and what feeds forward.

>>> c = Config({"layer_types": ["linear_attention", "full_attention"]}, "config")
>>> mixers(c, 2, 0)
(['linear', 'full'], 0)
"""

from __future__ import annotations

from typing import Any

from econ.catalog.config_file import Config, all_of, families

# words of files for what mixes the tokens of a layer
WORDS = {
    "full_attention": "full",
    "attention": "full",
    "global": "full",
    "global_attention": "full",
    "full": "full",
    "deepseek_sparse_attention": "full",
    "indexed_attention": "full",
    "minimax_m3_sparse": "full",
    "sliding_attention": "sliding",
    "local": "sliding",
    "chunked_attention": "sliding",
    "linear_attention": "linear",
    "lightning_attention": "linear",
    "mamba": "linear",
    "mamba2": "linear",
    "conv": "linear",
    "local_attention": "sliding",
    "compressed_sparse_attention": "full",
    "heavily_compressed_attention": "coarse",
}
# files of one block a layer: what it mixes, what it feeds forward
BLOCKS = {
    "mamba": ("linear", "none"),
    "attention": ("full", "none"),
    "moe": ("none", "experts"),
    "mlp": ("none", "dense"),
    "linear_attention": ("linear", "none"),
    "full_attention": ("full", "none"),
    "M": ("linear", "none"),
    "*": ("full", "none"),
    "E": ("none", "experts"),
    "-": ("none", "dense"),
}
# one layer in so many attends to everything, where the family's files do not say
FULL_EVERY = {
    "cohere2": 4,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3_text": 6,
    "gpt_oss": 2,
    "llama4_text": 4,
}
WINDOWS = ("sliding_window", "sliding_window_size", "attention_chunk_size", "window_size")
N_EXPERTS = (
    "num_local_experts",
    "n_routed_experts",
    "num_routed_experts",
    "moe_num_experts",
    "num_experts",
    "n_experts",
)
TOP_K = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "experts_per_token",
    "moe_topk",
    "moe_top_k",
    "moe_k",
    "top_k_experts",
    "num_selected_experts",
    "moe_router_topk",
)
MOE_WIDTH = (
    "moe_intermediate_size",
    "expert_ffn_hidden_size",
    "expert_intermediate_size",
    "moe_ffn_hidden_size",
)
FIRST_DENSE = (
    "first_k_dense_replace",
    "num_dense_layers",
    "first_num_dense_layers",
    "n_dense_layers",
    "moe_first_k_dense",
)


def blocks(c: Config, n_layers: int) -> list[tuple[str, str]]:
    """Of files with one block a layer: (mixer, feed-forward) of each; else empty."""
    pattern = c.get("hybrid_override_pattern")
    if isinstance(pattern, str):
        names: list[Any] = list(pattern.replace("|", ""))
        key = "hybrid_override_pattern"
    elif c.family == "nemotron_h":
        key = "layers_block_type"
        names = c.per_layer(key, n_layers) or c.per_layer("layer_types", n_layers)
    else:
        return []
    if odd := sorted({str(x) for x in names} - set(BLOCKS)):
        raise c.refuse(f"{key} {odd} are not understood")
    if len(names) != n_layers:
        raise c.refuse(f"{key} names {len(names)} layers of {n_layers}")
    return [BLOCKS[name] for name in names]


def _flags(c: Config, n_layers: int) -> list[str]:
    """Mixers from the keys that tell linear from full attention, else empty."""
    if flags := c.per_layer("attn_type_list", n_layers):  # MiniMax: 0 lightning, 1 softmax
        return ["full" if x else "linear" for x in flags]
    if flags := c.per_layer("hybrid_layer_pattern", n_layers):  # MiMo: 1 slides
        return ["sliding" if x else "full" for x in flags]
    for key in ("full_attn_idxs", "attn_layer_indices"):
        if full := c.places(key, n_layers):
            return ["full" if i in full else "linear" for i in range(n_layers)]
    linear = c.get("linear_attn_config")
    if isinstance(linear, dict):  # Kimi: counted from 1
        named = {i - 1 for i in linear.get("full_attn_layers", [])}
        other = {i - 1 for i in linear.get("kda_layers", [])}
        if named & other or named | other != set(range(n_layers)):
            raise c.refuse(f"linear_attn_config does not name each of {n_layers} layers once")
        return ["full" if i in named else "linear" for i in range(n_layers)]
    if step := c.whole("attn_layer_period"):
        first = c.whole("attn_layer_offset")
        return ["full" if i % step == first else "linear" for i in range(n_layers)]
    if step := c.whole("full_attention_interval"):
        return ["linear" if (i + 1) % step else "full" for i in range(n_layers)]
    return []


def mixers(c: Config, n_layers: int, context_tokens: int) -> tuple[list[str], int]:
    """What mixes the tokens of each layer (full, sliding, linear), and the window in tokens.

    A window that is no shorter than the context is no window.
    """
    window = c.whole(*WINDOWS)
    if window and 0 < context_tokens <= window:
        window = 0
    c.get("max_window_layers", "use_sliding_window", "sliding_window_pattern", "no_rope_layers")
    c.get("_sliding_window_pattern", "global_attn_every_n_layers", "layer_type_list")
    c.get("no_rope_layer_interval", "full_attention_interval", "layers_block_type")
    c.get("attention_types", "layer_group_size")
    if c.family in families("compressed") and (ratios := c.per_layer("compress_ratios", n_layers)):
        return [_compressed(c, ratio) for ratio in ratios], window
    kinds = (
        c.per_layer("layer_types", n_layers)
        or c.per_layer("attention_layers", n_layers)
        or (c.per_layer("layers_block_type", n_layers) if c.family != "nemotron_h" else [])
    )
    if kinds:
        if odd := sorted({str(x) for x in kinds} - set(WORDS)):
            raise c.refuse(f"layer_types {odd} are not understood")
        layers = [WORDS[k] for k in kinds]
        _flags(c, n_layers)  # the same in other words
    else:
        layers = _flags(c, n_layers) or _windows(c, n_layers, window)
    if not window:
        if any(k == "sliding" for k in layers) and not context_tokens and not c.whole(*WINDOWS):
            raise c.refuse("layers slide, and no key gives the window")
        layers = ["full" if k == "sliding" else k for k in layers]
    return layers, window


def _compressed(c: Config, ratio: object) -> str:
    """DeepSeek-V4: tokens to an entry of the cache; 0: a window, 4: selected, 128: all read."""
    kinds = {0: "sliding", 4: "full", 128: "coarse"}
    if ratio not in kinds:
        raise c.refuse(f"compress_ratios with {ratio!r} is not understood")
    return kinds[int(str(ratio))]


def reusing(c: Config, mixers: list[str]) -> list[str]:
    """The mixers, with those marked that read the cache of a layer below.

    >>> reusing(Config({"model_type": "gemma4_text", "num_kv_shared_layers": 1}, "c"), ["full"] * 2)
    ['full', 'full-reuse']
    """
    n, reuse = len(mixers), set[int]()
    if c.family.startswith(("gemma3n", "gemma4")):  # the last ones
        reuse = set(range(n - c.whole("num_kv_shared_layers"), n))
    if c.get("use_cla"):  # Hunyuan: all but the first of each group
        factor = c.need("cla_share_factor")
        reuse = {i for i in range(n) if i % factor}
    else:
        c.get("cla_share_factor")
    if not reuse <= set(range(n)):
        raise c.refuse(f"{len(reuse)} layers share a cache, of {n}")
    if odd := sorted({mixers[i] for i in reuse} - {"full", "sliding"}):
        raise c.refuse(f"layers of {odd} that share a cache are not understood")
    return [f"{m}-reuse" if i in reuse else m for i, m in enumerate(mixers)]


def _windows(c: Config, n_layers: int, window: int) -> list[str]:
    """Mixers from the keys that say which layers slide."""
    full = ["full"] * n_layers
    family, used = c.family, c.get("use_sliding_window")
    if not window or used is False:
        return full
    if (no_rope := c.get("no_rope_layers")) and isinstance(no_rope, list):  # 1: rotary, chunked
        return ["sliding" if x else "full" for x in c.per_layer("no_rope_layers", n_layers)]
    pattern = c.get("sliding_window_pattern")
    if isinstance(pattern, str):
        return ["sliding" if pattern[i % len(pattern)] in "Ll" else "full" for i in range(n_layers)]
    step = c.whole("no_rope_layer_interval", "sliding_window_pattern", "_sliding_window_pattern")
    if step := step or FULL_EVERY.get(family, 0):
        return ["full" if (i + 1) % step == 0 else "sliding" for i in range(n_layers)]
    first = c.get("max_window_layers")
    if first is not None:  # Qwen: only the layers past it slide, and only when switched on
        if used is None:
            return full
        return ["full" if i < first else "sliding" for i in range(n_layers)]
    if family in families("slides"):
        return ["sliding"] * n_layers
    raise c.refuse(f"sliding_window = {window}, and no key says which layers slide")


def dense_layers(c: Config, n_layers: int) -> set[int]:
    """Of a mixture: the layers without experts, under every key that says so."""
    every = range(n_layers)
    experts: set[int] = set(every)
    if flags := [str(x) for x in c.per_layer("mlp_layer_types", n_layers)]:
        if odd := sorted(set(flags) - {"dense", "sparse", "moe", "hash_moe"}):
            raise c.refuse(f"mlp_layer_types {odd} are not understood")
        experts &= {i for i in every if flags[i] != "dense"}
    if c.whole("prefix_dense_sliding_window_pattern") > 1:
        raise c.refuse("prefix_dense_sliding_window_pattern above 1 is not understood")
    for key in ("moe_layers_enum", "moe_layers"):
        if named := c.places(key, n_layers):
            experts &= named
    first = c.whole(*FIRST_DENSE)
    experts -= set(range(first)) | c.places("mlp_only_layers", n_layers)
    if isinstance(c.get("moe_layer_freq"), list):
        experts &= {i for i, x in enumerate(c.per_layer("moe_layer_freq", n_layers)) if x}
    elif step := c.whole("moe_layer_freq"):
        experts &= {i for i in every if i % step == 0}
    for key in (
        "decoder_sparse_step",
        "interleave_moe_layer_step",
        "moe_layer_frequency",
        "moe_every_n_layer",
    ):
        if step := c.whole(key):
            experts &= {i for i in every if (i + 1) % step == 0}
    if step := c.whole("expert_layer_period"):  # Jamba
        experts &= {i for i in every if i % step == c.whole("expert_layer_offset")}
    if any(c.get(f"moe_layer_{k}") is not None for k in ("start_index", "end_index", "interval")):
        last = c.get("moe_layer_end_index")  # ERNIE; -1: the last
        last = n_layers - 1 if last in (None, -1) else int(last)
        step = c.whole("moe_layer_interval") or 1
        span = range(c.whole("moe_layer_start_index"), last + 1)
        experts &= {i for i in span if (i + 1) % step == 0}
    return set(every) - experts


def experts(c: Config, n_layers: int, hidden_size: int, ffn_size: int) -> dict[str, int]:
    """Routed and shared experts, and how many layers have none; empty without experts.

    ``extra`` counts weights beside them: gates of shared experts, the router's zero experts.
    """
    n_experts = c.whole(*N_EXPERTS)
    top_k = c.whole(*TOP_K)
    width_key = c.whole(*MOE_WIDTH)
    if n_experts <= 1 or c.get("enable_moe_block") is False:
        c.get(*FIRST_DENSE, "mlp_only_layers", "decoder_sparse_step", "expert_layer_period")
        c.get("expert_layer_offset", "shared_expert_intermediate_size", "moe_layer_freq")
        return {}
    if not top_k:
        raise c.refuse(f"{n_experts} experts, and no key says how many a token uses")
    width = width_key or c.whole("intermediate_size") or ffn_size
    if not width:
        raise c.refuse(f"{n_experts} experts, and no key gives their width")
    dense = dense_layers(c, n_layers)
    n_moe = n_layers - len(dense)
    shared, extra = _shared(c, width, hidden_size, n_moe)
    if c.get("use_residual") or c.get(
        "parallel_attn_mlp_res"
    ):  # Arctic: a branch as wide as the stream
        shared += hidden_size
    if c.get("enable_moe_block"):  # Gemma 4: a dense block beside the experts
        shared += ffn_size
    if zero := c.whole("zero_expert_num"):  # LongCat: some choices of a token cost nothing
        extra += n_moe * hidden_size * zero
        top_k = round(top_k * n_experts / (n_experts + zero))
    return {
        "n_experts": n_experts,
        "experts_per_token": top_k,
        "moe_ffn_size": width,
        "shared_ffn_size": shared,
        "n_dense_layers": len(dense),
        "extra": extra,
    }


def _shared(c: Config, width: int, hidden: int, n_moe: int) -> tuple[int, int]:
    """Width of the experts that every token passes, and the weights of their gate."""
    count = c.whole(
        "n_shared_experts", "num_shared_experts", "moe_num_shared_experts", "num_shared_expert"
    )
    c.get("use_mixed_mlp_moe")
    widths = (
        "shared_expert_intermediate_size",
        "moe_shared_expert_intermediate_size",
        "share_expert_dim",
        "share_expert_dims",
        "shared_experts_intermediate_size",
        "shared_intermediate_size",
    )
    stated = {k: c.whole(k) for k in widths if c.whole(k)}
    if len(set(stated.values())) > 1:
        raise c.refuse(f"{' and '.join(stated)} give two widths of the shared expert")
    total = all_of(stated.values()) or 0
    if total and count > 1 and total != count * width:
        raise c.refuse(f"{count} shared experts of {total} in all or each: the file does not say")
    if c.family.startswith("llama4"):
        return width, 0
    gate = n_moe * hidden if c.family.startswith(("qwen2_moe", "qwen3_next", "qwen3_5")) else 0
    return total or count * width, gate if total else 0
