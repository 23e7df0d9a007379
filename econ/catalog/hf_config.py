"""Read the shape of a model from its Hugging Face ``config.json``: nothing guessed, nothing silent.

Understood: multi-head, grouped-query, multi-query and latent attention; sliding and chunked
windows; linear attention, state-space layers and short convolutions beside attention; indexers of
sparse attention; mixtures of experts with shared, zero and residual experts and dense layers
anywhere; two- and three-matrix feed-forwards; formats of quantised weights. Reading is by
consumption (`econ.catalog.config_file`): a key that bears on the count and was not used is an
error that names it. Encoders and encoder-decoders are refused as what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from econ.catalog.config_file import Config, families, left_out, read_json
from econ.catalog.config_format import native_precision
from econ.catalog.config_heads import attention, kv_heads, nas_blocks
from econ.catalog.config_layers import WINDOWS, blocks, dense_layers, experts, mixers, reusing
from econ.catalog.config_mixers import compressed, indexer, linear_mixer, side_inputs
from econ.catalog.layers import counts_of

WIDTHS = ("intermediate_size", "ffn_dim", "ffn_hidden_size", "n_inner", "inner_hidden_size")


def _check_kind(c: Config) -> None:
    """Refuse what is no decoder, and what the closed form cannot count, as what it is."""
    family, made_for = c.family, str(c.get("architectures") or "")
    encoder_decoder = c.get("is_encoder_decoder") or family in families("encoder-decoder")
    if encoder_decoder:
        raise c.refuse(f"{family or 'the model'} is an encoder and a decoder, not a decoder alone")
    if family in families("encoder") or "ForMaskedLM" in made_for or "EncoderModel" in made_for:
        raise c.refuse(f"{family or made_for} is an encoder: it writes no text")
    if c.get("add_cross_attention"):
        raise c.refuse("add_cross_attention means a decoder beside an encoder")
    if family not in families("compressed") and c.get("compress_ratios"):
        raise c.refuse("compress_ratios means compressed attention, which is not understood")
    if means := families("refused").get(family):
        raise c.refuse(f"{family} means {means}, which the closed form cannot count")


def _n_matrices(c: Config) -> int:
    """Three matrices of a gated feed-forward, or two of a plain one."""
    family = c.family
    gated = c.get("gated_mlp", "use_gated_mlp", "mlp_gated", "use_glu", "glu_mlp")
    act = c.get("hidden_act", "hidden_activation", "activation_function", "mlp_hidden_act", "afn")
    c.get("ffn_act_fn", "activation", "act_fn")
    if gated is not None:
        return 3 if gated else 2
    if family in families("plain"):
        return 2
    if family in families("tied") or family in families("untied"):
        return 3  # all other families that are known
    if str(act) in ("silu", "swish", "swiglu", "geglu", "swigluoai", "situ"):
        return 3  # these words stand for gated blocks in every family of decoders
    raise c.refuse(
        f"a feed-forward of two matrices or three? model_type {family!r} is not known, "
        f"and the activation {act!r} does not tell"
    )


def _tied(c: Config) -> bool:
    tied = c.get("tie_word_embeddings", "tie_embeddings")
    if isinstance(tied, bool):
        return tied
    if (tied := c.family in families("tied")) or c.family in families("untied"):
        return tied
    raise c.refuse(f"no key 'tie_word_embeddings', and model_type {c.family!r} is not known")


def _dense_width(c: Config, hidden: int, plain: bool) -> int:
    """Inner width of a dense feed-forward, or the mean of several; 0 where the file gives none."""
    if widths := _widths(c):
        return round(sum(widths) / len(widths))
    if c.family in ("lfm2", "lfm2_moe") or c.get("block_ff_dim"):
        return _lfm2_width(c)
    wide = c.whole("intermediate_size_mlp", "dense_intermediate_size")
    width = c.whole(*WIDTHS)
    if c.family == "qwen":  # the first Qwen counts both gated matrices in the width
        return width // 2
    if not width and not wide and plain:
        return hidden * (c.whole("expansion_ratio") or 4)
    return wide or width


def _widths(c: Config) -> tuple[int, ...]:
    """Widths of the dense blocks where they differ from layer to layer, else none."""
    listed = c.values.get("intermediate_size")
    if not isinstance(listed, list) or len(set(map(str, listed))) < 2:
        return ()
    widths = c.per_layer("intermediate_size", c.need("num_hidden_layers"))
    return tuple(
        Config({"intermediate_size": w}, c.where).need("intermediate_size") for w in widths
    )


def _lfm2_width(c: Config) -> int:
    """LFM2: two thirds of the stated width, in steps, unless the file says not."""
    width, plain = c.whole("block_ff_dim"), c.whole("intermediate_size")
    adjusts = c.get("block_auto_adjust_ff_dim")
    step = c.whole("block_multiple_of", n_else=256)
    c.get("block_ffn_dim_multiplier", "block_use_swiglu", "conv_L_cache", "block_mlp_init_scale")
    if adjusts is False or c.family == "lfm2_moe":
        return width or plain
    if adjusts is None and not width:
        raise c.refuse("no key 'block_auto_adjust_ff_dim': is the width two thirds of it?")
    return -(-(2 * (width or plain) // 3) // step) * step


def shape_of(config: str | Path | Mapping[str, Any], id: str = "") -> dict[str, Any]:
    """The keyword arguments of `Model` that a ``config.json`` states.

    Raises ``ValueError`` that names the file and the key for anything missing, malformed or not
    understood.

    >>> shape = shape_of({"model_type": "llama", "num_hidden_layers": 80, "hidden_size": 8192,
    ...     "num_attention_heads": 64, "num_key_value_heads": 8, "intermediate_size": 28672,
    ...     "vocab_size": 128256})
    >>> shape["n_kv_heads"], shape["head_dim"]
    (8, 128)
    >>> shape_of({"model_type": "mamba2", "state_size": 128})
    Traceback (most recent call last):
        ...
    ValueError: config: mamba2 means state-space layers without any attention, which the closed \
form cannot count
    """
    beside, stem = None, ""
    if isinstance(config, Mapping):
        c = Config(config, "config")
    else:
        path = Path(config)
        c = Config(read_json(path), str(config))
        if path.is_dir():
            path = path / "config.json"
        stem = path.parent.name if path.stem == "config" else path.stem.removesuffix("_config")
        beside_path = path.with_name(path.name.replace("config.json", "hf_quant_config.json"))
        if beside_path != path and beside_path.exists():
            beside = read_json(beside_path)
    try:
        shape = _shape(c, id or stem, beside)
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        raise c.refuse(f"malformed: {type(error).__name__}: {error}") from None
    if unread := c.leftover():
        raise c.refuse(f"{', '.join(unread)}: not understood, and may bear on the count")
    return shape


def _shape(c: Config, id: str, beside: Mapping[str, Any] | None) -> dict[str, Any]:
    """The keyword arguments, before the keys that were not read are looked at."""
    _check_kind(c)
    family = c.family
    hidden = c.need("hidden_size", "n_embd", "n_embed", "d_model")
    heads = c.need("num_attention_heads", "n_head", "n_heads", "num_heads")
    listed = c.get("layers_block_type")
    n_layers = c.whole("num_hidden_layers", "n_layer", "num_layers", "n_layers")
    n_layers = n_layers or (len(listed) if isinstance(listed, list) else 0)
    if not n_layers:
        c.need("num_hidden_layers")
    doubled = family == "longcat_flash"  # two attentions and two dense blocks a layer
    context = c.whole(
        "max_position_embeddings", "n_positions", "seq_length", "max_seq_len", "n_ctx",
        "model_max_length",
    )  # fmt: skip
    matrices = _n_matrices(c)
    ffn = _dense_width(c, hidden, matrices == 2)
    head_dim = c.whole("head_dim", "kv_channels", "attention_head_dim", "d_kv") or hidden // heads
    name = str(c.get("_name_or_path") or "").rstrip("/").split("/")[-1]
    shape: dict[str, Any] = {
        "id": id or name or family or "from-config",
        "name": name,
        "n_layers": n_layers,
        "hidden_size": hidden,
        "n_heads": heads,
        "n_kv_heads": kv_heads(c, heads),
        "head_dim": head_dim,
        "ffn_size": ffn,
        "ffn_sizes": _widths(c),
        "vocab_size": c.whole("padded_vocab_size") or c.need("vocab_size"),
        "tied_embeddings": _tied(c),
        "n_ffn_matrices": matrices,
        "max_context_tokens": context,
        "native_precision": native_precision(c, beside),
        "source": "",
        "other_params": hidden * context
        if family in families("positions")
        else 0,  # a table of positions
        "fixed_state_bytes_per_sequence": 0,
    }
    if c.get("block_configs"):
        shape |= nas_blocks(c, n_layers, heads, hidden)
        shape |= counts_of(shape["layer_kinds"])
    elif one_block := blocks(c, n_layers):
        _fold_blocks(c, shape, one_block)
    else:
        _fold_layers(c, shape, context)
    if c.whole("word_embed_proj_dim", n_else=hidden) != hidden:
        raise c.refuse("word_embed_proj_dim differs from hidden_size: not understood")
    if c.get("attn_type") not in (None, "multihead_attention"):
        raise c.refuse(f"attn_type = {c.get('attn_type')!r} is not understood")
    attention(c, shape)
    if family in families("compressed"):
        compressed(c, shape)
    elif index := indexer(c, n_layers, hidden):
        shape["other_params"] += index["weights"]
        shape["kv_index_bytes_per_token"] = 2 * index["elements"]
        shape["sparse_top_k_tokens"] = index["top_k"]
    if doubled:  # as twice the layers, of which every other has the experts beside the dense block
        if shape["n_dense_layers"]:
            raise c.refuse("longcat_flash with layers without experts is not understood")
        shape["shared_ffn_size"] += ffn
        shape |= {
            "n_layers": 2 * n_layers,
            "layer_kinds": ("full experts", "full dense") * n_layers,
        }
        shape |= counts_of(shape["layer_kinds"])
    shape["source"] = c.where + left_out(c)
    return shape


def _fold_blocks(c: Config, shape: dict[str, Any], one_block: list[tuple[str, str]]) -> None:
    """A model with one block a layer: attention, a state, experts or a dense block."""
    n, hidden = len(one_block), shape["hidden_size"]
    kinds = tuple(f"{mixer} {feed}" for mixer, feed in one_block)
    shape |= {"layer_kinds": kinds, **counts_of(kinds)}
    n_moe = shape["n_moe_layers"]
    if n_moe and (expert_shape := experts(c, n, hidden, shape["ffn_size"])):
        shape["other_params"] += expert_shape.pop("extra")
        latent = c.whole("moe_latent_size")
        shape["other_params"] += 2 * hidden * latent * n_moe
        shape |= expert_shape | {"moe_hidden_size": latent, **counts_of(kinds)}
    c.get("mtp_hybrid_override_pattern", "num_logits_to_keep")
    _add_states(c, shape, shape["n_linear_layers"])


def _add_states(c: Config, shape: dict[str, Any], n_linear: int) -> None:
    if not n_linear:
        return
    weights, state = linear_mixer(c, shape["hidden_size"], shape["n_heads"], shape["head_dim"])
    shape["other_params"] += n_linear * weights
    shape["fixed_state_bytes_per_sequence"] += n_linear * state


def _fold_layers(c: Config, shape: dict[str, Any], context: int) -> None:
    """A model whose every layer mixes tokens and feeds forward."""
    n, hidden = shape["n_layers"], shape["hidden_size"]
    if c.family in families("windowed") and not any(k in c.values for k in WINDOWS):
        raise c.refuse("no key 'sliding_window' (null: none)")
    listed, window = mixers(c, n, context)
    mix = reusing(c, listed)
    for i in c.places("cross_attention_layers", n):  # keys and values of the picture: fixed
        mix[i] = "cross"
    if c.family == "falcon_h1":  # a state beside the attention of every layer
        mix = ["full+linear"] * n
    width = shape["head_dim"] * (shape["n_heads"] + shape["n_kv_heads"])
    shape["other_params"] += mix.count("cross") * 2 * hidden * width
    _add_states(c, shape, sum("linear" in mixer for mixer in mix))
    expert_shape = experts(c, n, hidden, shape["ffn_size"])
    dense = dense_layers(c, n) if expert_shape else set(range(n))
    kinds = tuple(f"{m} {'dense' if i in dense else 'experts'}" for i, m in enumerate(mix))
    if expert_shape:
        shape["other_params"] += expert_shape.pop("extra")
        latent = c.whole("routed_expert_hidden_size", "moe_latent_size", "moe_hidden_size")
        shape["other_params"] += (n - len(dense)) * 2 * hidden * latent
        shape |= expert_shape | {"moe_hidden_size": latent}
    else:
        if wide := c.whole("shared_intermediate_size"):  # Granite 4 without experts
            shape["ffn_size"] = wide
        if not shape["ffn_size"]:
            c.need(*WIDTHS)
    shape |= counts_of(kinds)
    if len(set(kinds)) > 1:
        shape["layer_kinds"] = kinds
    if "sliding" in listed:
        shape["sliding_window_tokens"] = window
    if c.family.startswith(("gemma3n", "gemma4")):
        side_inputs(c, shape, mix)
