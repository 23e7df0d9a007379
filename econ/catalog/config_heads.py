"""The heads of attention that a ``config.json`` describes, of one kind or of several.

>>> kv_heads(Config({"multi_query_group_num": 2}, "config"), 32)
2
"""

from __future__ import annotations

from typing import Any

from econ.catalog.config_file import Config, families


def kv_heads(c: Config, n_heads: int) -> int:
    """Key-value heads under every name."""
    groups = c.whole("multi_query_group_num")
    multi = c.get("multi_query", "multi_query_attention")
    wide = c.get("new_decoder_architecture")
    kv = c.whole(
        "num_key_value_heads",
        "num_kv_heads",
        "n_kv_heads",
        "kv_n_heads",
        "n_head_kv",
        "num_attention_groups",
        "num_query_groups",
    )
    if groups and multi is not False:
        return groups
    if multi is None and c.family in ("falcon", "gpt_bigcode"):
        multi = not wide
    if multi and not wide:
        return 1
    if not kv and c.family in ("dbrx", "falcon"):
        raise c.refuse("no key says how many key-value heads there are")
    return kv or n_heads


def attention(c: Config, shape: dict[str, Any]) -> None:
    """Latent attention, heads of two kinds, gates of the output."""
    n = shape.get("n_attention_layers", shape["n_layers"] - shape.get("n_linear_layers", 0))
    per_gate = n * shape["hidden_size"] * shape["n_heads"]
    if c.whole("kv_lora_rank"):
        shape |= {
            "n_kv_heads": shape["n_heads"],
            "head_dim": c.need("v_head_dim"),
            "mla_kv_lora_rank": c.need("kv_lora_rank"),
            "mla_q_lora_rank": c.whole("q_lora_rank"),
            "mla_rope_dim": c.need("qk_rope_head_dim"),
            "mla_nope_dim": c.need("qk_nope_head_dim"),
            "mla_v_dim": c.need("v_head_dim"),
        }
        if c.get("mla_use_output_gate") or c.family in families("gated-attention"):
            shape["other_params"] += per_gate * shape["mla_v_dim"]
        return
    shape["keys_are_values"] = bool(c.get("attention_k_eq_v"))
    _two_kinds(c, shape)
    _gates(c, shape, per_gate)


def _two_kinds(c: Config, shape: dict[str, Any]) -> None:
    """Heads of full layers, and those of sliding ones where they differ."""
    shape["mla_q_lora_rank"] = c.whole("share_q_dim", "q_lora_rank")  # Step-3
    other = Config(c.get("attention_other_setting") or {}, c.where)
    global_dim, global_kv = c.whole("global_head_dim"), c.whole("num_global_key_value_heads")
    shape["value_dim"] = c.whole("v_head_dim")
    if (value := c.whole("swa_v_head_dim")) and value != shape["value_dim"]:
        raise c.refuse(f"swa_v_head_dim = {value} and v_head_dim = {shape['value_dim']} differ")
    sliding = {
        "sliding_heads": c.whole("swa_num_attention_heads", "num_sliding_attention_heads")
        or other.whole("num_attention_heads"),
        "sliding_kv_heads": c.whole("swa_num_key_value_heads")
        or other.whole("num_attention_groups"),
        "sliding_head_dim": c.whole("swa_head_dim") or other.whole("head_dim"),
    }
    if global_dim or global_kv:  # Gemma 4: the file's plain keys are those of the sliding layers
        sliding["sliding_head_dim"] = shape["head_dim"]
        sliding["sliding_kv_heads"] = shape["n_kv_heads"]
        shape["head_dim"] = global_dim or shape["head_dim"]
        shape["n_kv_heads"] = global_kv or shape["n_kv_heads"]
    if (of_kind := _by_kind(c, shape)) and not (global_dim or global_kv):
        names = {"num_attention_heads": "heads", "num_key_value_heads": "kv_heads"}
        for name, ours in {**names, "head_dim": "head_dim"}.items():
            plain = ours if ours == "head_dim" else f"n_{ours}"
            full, slides = (of_kind[k].get(name, shape[plain]) for k in ("full", "sliding"))
            shape[plain] = full
            if slides != full:
                sliding[f"sliding_{ours}"] = slides
    if shape.get("n_sliding_layers"):
        shape |= sliding
    elif any(sliding.values()) and (global_dim or global_kv):
        raise c.refuse("global_head_dim without layers that slide is not understood")


def _gates(c: Config, shape: dict[str, Any], per_gate: int) -> None:
    """The weights of gates on the output: one a head, or one an element."""
    gate = c.get("attn_output_gate", "attention_output_gate")
    c.get("output_gate_type")
    if gate is None and c.family in families("gated-attention"):
        gate = True
    if gate:
        shape["other_params"] += per_gate * shape["head_dim"]
    if gating := c.get("gating"):  # Laguna
        if gating not in (True, "per-head", "per-element"):
            raise c.refuse(f"gating = {gating!r} is not understood")
        shape["other_params"] += sum(
            shape["hidden_size"] * heads * (dim if gating == "per-element" else 1)
            for heads, dim in _heads_of_layers(shape)
        )
    if c.get("use_head_wise_attn_gate", "use_attention_gate"):
        shape["other_params"] += per_gate


def _heads_of_layers(shape: dict[str, Any]) -> list[tuple[int, int]]:
    """Query heads and their width in each attention layer."""
    n, n_sliding = shape["n_attention_layers"], shape["n_sliding_layers"]
    full = (shape["n_heads"], shape["head_dim"])
    other = (shape.get("sliding_heads") or full[0], shape.get("sliding_head_dim") or full[1])
    return [full] * (n - n_sliding) + [other] * n_sliding


def _by_kind(c: Config, shape: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Heads that a file gives layer by layer, where all layers of a kind have the same."""
    n = shape["n_layers"]
    listed = c.get("per_layer_config")
    changes: list[dict[str, int]] = [{} for _ in range(n)]
    if listed is not None and not isinstance(listed, dict):
        raise c.refuse("per_layer_config is not an object with a key for each layer")
    for key, values in (listed or {}).items():
        if not str(key).isdigit() or int(key) >= n or not isinstance(values, dict):
            raise c.refuse(f"per_layer_config names layer {key!r} of {n}")
        changes[int(key)].update(values)
    for change, heads in zip(
        changes, c.per_layer("num_attention_heads_per_layer", n), strict=False
    ):
        change["num_attention_heads"] = heads
    if not any(changes):
        return {}
    known = {"head_dim", "num_attention_heads", "num_key_value_heads"}
    if odd := sorted({str(k) for change in changes for k in change} - known):
        raise c.refuse(f"per_layer_config with {', '.join(odd)} is not understood")
    kinds = shape.get("layer_kinds") or ("full dense",) * n
    of_kind: dict[str, dict[str, int]] = {"full": {}, "sliding": {}}
    for kind in of_kind:
        here = [x for x, k in zip(changes, kinds, strict=True) if k.startswith(kind)]
        if any(x != here[0] for x in here):
            raise c.refuse(f"heads that differ among {kind} layers are not understood")
        of_kind[kind] = here[0] if here else {}
    return of_kind


def nas_blocks(c: Config, n_layers: int, n_heads: int, hidden_size: int) -> dict[str, Any]:
    """Nemotron-NAS: heads and width differ from layer to layer, some layers have neither."""
    widths, groups, kinds = [], set(), []
    for block in c.per_layer("block_configs", n_layers):
        attention, ffn = block.get("attention", {}), block.get("ffn", {})
        if any(attention.get(k) or ffn.get(k) for k in ("replace_with_linear", "sparsify")):
            raise c.refuse("block_configs replaces blocks by linear layers: not understood")
        if not ffn.get("no_op"):
            wide = int(2 * ffn["ffn_mult"] * hidden_size / 3)
            widths.append(-(-wide // 256) * 256)
        if not attention.get("no_op"):
            groups.add(attention["n_heads_in_group"])
        mixer = "none" if attention.get("no_op") else "full"
        kinds.append(f"{mixer} {'none' if ffn.get('no_op') else 'dense'}")
    if len(groups) != 1:
        raise c.refuse(f"block_configs has groups of {sorted(groups)} heads: not understood")
    return {
        "n_kv_heads": n_heads // groups.pop(),
        "ffn_size": round(sum(widths) / len(widths)),
        "ffn_sizes": tuple(widths),
        "layer_kinds": tuple(kinds),
    }
