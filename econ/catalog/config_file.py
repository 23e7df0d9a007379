"""A ``config.json`` read by consumption: every key that bears on the count is used, or an error.

`Config` remembers which keys were asked for. `Config.leftover` names those that speak of layers,
attention, experts or formats, are switched on, and were never asked for.

>>> c = Config({"num_hidden_layers": 2, "num_secret_experts": 8}, "config")
>>> c.need("num_hidden_layers")
2
>>> c.leftover()
['num_secret_experts']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from econ.catalog.documents import strict_json, text_of
from econ.catalog.tables import remember, table

MOST_BYTES = 4_000_000  # the longest file read; real ones stay below 1 MB
MOST = {"layers": 4096, "else": 1_000_000_000}
TIE = "tie_word_embeddings"
TOWERS = ("text_config", "llm_config", "language_config", "thinker_config")

# words of a key that bear on parameters, cache or work
SPEAKS = re.compile(
    r"expert|moe|group|residual|cross|window|sliding|swa|layer|ffn|ff_|feed|intermediate|mlp|glu"
    r"|head|kv|latent|lora|state|ssm|mamba|quant|compress|attn|attention|block|conv|index|sparse"
    r"|chunk|recurr|linear|mtp|nextn|depth|encoder|tower|dim|rank|width|hidden|expand|top_?k"
    r"|branch|parallel|pattern|stride|memory|retention|rwkv|hc_|zero|repeat|loop|time_mix|ngram"
    r"|share|reuse|_cla$|^cla_|gat(e|ing)|ratio|bottleneck|mixture|^num_|^n_|engram|adapter|classifier|nope|n_embd|d_model|multi_query|idxs"
)
# the same beside the text tower, where widths and numbers are those of what joins the towers
SPEAKS_BESIDE = re.compile(r"expert|moe|quant|compress|window|sliding|kv|ssm|mamba|layers|tied?_")
# keys that speak so and change no count, by reason
HARMLESS = {
    "rotary position": r"rope|rotary|alibi|position|_theta$|mscale|use_mrope|mla_use_nope"
    r"|kv_channels_scale|attn_temperature|attn_scale|floor_scale|no_rope_layer",
    "norms, below 0.05 %": r"norm|_eps$|epsilon|layer_?scale|hc_",
    "biases, below 0.05 %": r"bias$|bias_|_bias|_sink|sink_",
    "dropout and initialisation": r"dropout|pdrop|_drop$|drop_|(^|_)init|time_step|_std$"
    r"|rescale_prenorm"
    r"|gate_lower_bound",
    "training losses": r"loss|aux|jitter|router_z|alpha$|z_coef|gradient|checkpoint|capacity"
    r"|min_tokens|token_drop",
    "routing that chooses experts, not their number": r"^n_group$|topk_group|topk_method"
    r"|scoring_func|routed_scaling|norm_topk|num_expert_group|use_grouped_topk|router_(dtype|scaling)"
    r"|moe_renormalize|output_router|moe_router_(activation|dtype|scaling|score|enable|use)"
    r"|group_limited|moe_gate|use_routing|routing_|router_scale|scale_(depth|emb)|normalize_.*expert"
    r"|expert_selection_fn|^use_moe$|shared_moe_mode|fp32_gate|logn_attn|shared_expert_combination|kda_safe_gate|input_jitter|zero_expert_type|num_hash_layers|route_scale|route_norm|score_func"
    r"|router_(force|logit|bias)|moe_use_(aux|hard)|moe_dense_act|shared_expert_overlap",
    "scaling without weights": r"cap(ping)?$|multiplier|_scale$|scalar|clip_qkv|clip|swiglu_limit"
    r"|swiglu_alpha|value_scale|activation_situ|query_pre_attn|embedding_scale|logits_scaling"
    r"|(alpha|beta)_factor|linear_(a_log|dt)_|fp32_combine|dim_model_base|attn_res_block|residual_(in_fp32|scale|mult)|fp32_residual|dtype",
    "how it is computed": r"_impl|implementation|kernel_options|use_flash|flash_attn|(^|_)fused"
    r"|use_cache|chunk_size_feed|logits_to_keep|pretraining_tp|tensor_parallel|ep_size|tp_size|attn_logit"
    r"|use_mamba_kernels|^chunk_size$|mamba_chunk_size|chunkwise|_kernel$|softmax_in_fp32"
    r"|scale_attn"
    r"|reorder_and_upcast|parallel_attn$|parallel_attn_output|use_parallel_residual|apply_residual"
    r"|apply_query_key|masked_softmax|fp8_|output_(attentions|hidden)|scale_attention|use_sdpa"
    r"|_act$|activation|parallel_block|causal|sdpa|flex|attn_mode|inference_mode"
    r"|allow_neg_eigval|use_mem_eff|mamba_.*dtype|ssm_.*dtype|bidirectional"
    r"|indexer_rope|index_share_for_mtp|index_skip|index_topk_freq|index_topk_pattern|prefill"
    r"|moe_implementation|is_causal|attention_softmax|head_dtype|lm_head_fp32|fp32_lm_head",
    "multi-token prediction: left out of the counts, as said in the source": (
        r"mtp|nextn|medusa|eagle"
    ),
    "another tower: left out of the counts, as said in the source": r"(^|_)vision|visual|image|img"
    r"|video|audio|speech|projector|mm_|deepstack|boi_|eoi_|spatial_merge|pixel|talker|token2wav",
    "generation": r"token_id|token_index|num_return|num_channels|num_media"
    r"|media_placeholder|ngram_size|beam|diversity|^top_k$|pruned_heads"
    r"|problem_type|classifier_dropout|tie_encoder|cross_attention_hidden_size|is_decoder"
    r"|summary_|num_labels"
    r"|num_reward_heads|label|index_to|id2|ignore_index|encoder_no_repeat|decoder_start|tokenizer",
    "the same as another key": r"^qk_head_dim$|^padded_vocab|^head_dim_list|max_sequence|^seq_len",
}
_HARMLESS = [re.compile(pattern) for pattern in HARMLESS.values()]


@remember
def families(what: str) -> dict[str, str]:
    """Families of ``data/catalog/model_families.csv`` that are so -> what to know of each.

    >>> "gemma2" in families("tied"), families("refused")["jetmoe"]
    (True, 'attention heads chosen as experts')
    """
    rows = table("model_families").query("what == @what")
    return dict(zip(rows["model"], rows["note"], strict=True))


@remember
def known_families() -> frozenset[str]:
    """The families that the table says anything of, but for the refused."""
    return frozenset(table("model_families").query("what != 'refused'")["model"])


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file of UTF-8 JSON, or one error that names the file."""
    if path.is_dir():
        path = path / "config.json"
    values = strict_json(text_of(path, MOST_BYTES, "a config.json"), path.name)
    if not isinstance(values, dict):
        raise ValueError(f"{path.name}: holds a {type(values).__name__}, not an object")
    return values


class Config:
    """The keys of one model, with a memory of those that were asked for."""

    def __init__(self, values: Mapping[str, Any], where: str):
        self.values, self.where = dict(values), where
        self.used: set[str] = set()
        self.towers: list[str] = []
        self.beside: set[str] = set()  # keys that stand beside the text tower, not in it
        for _ in range(3):  # a model with eyes or ears: its text tower, perhaps in a thinker
            nested = next((k for k in TOWERS if isinstance(self.values.get(k), Mapping)), None)
            if nested is None:
                break
            outer = dict(self.values)
            inner = outer.pop(nested)
            self.towers += [k for k, v in outer.items() if isinstance(v, Mapping) and "conf" in k]
            self.beside = set(outer) - set(inner)
            ties = {bool(x[TIE]) for x in (outer, inner) if isinstance(x.get(TIE), bool)}
            if len(ties) > 1:
                raise self.refuse(f"{TIE} is one thing in {nested} and another beside it")
            self.values = {**outer, **inner}
        for nested in ("attn_config", "ffn_config"):  # of MPT and DBRX: the same keys, one deeper
            if isinstance(inside := self.values.get(nested), Mapping):
                self.used.add(nested)
                self.values = {**inside, **self.values}

    @property
    def family(self) -> str:
        """The ``model_type`` of the text tower; a variant with eyes is its family's."""
        name = str(self.get("model_type") or "")
        plain = (name.removesuffix(end) for end in ("_vl_text", "_text", "_vl"))
        known = known_families()
        return name if name in known else next((x for x in plain if x in known), name)

    def refuse(self, text: str) -> ValueError:
        """An error that names the file."""
        return ValueError(f"{self.where}: {text}")

    def get(self, *keys: str) -> Any:
        """The first of ``keys`` that is set, else None; all of them count as used."""
        self.used.update(keys)
        return next((self.values[k] for k in keys if self.values.get(k) is not None), None)

    def whole(self, *keys: str, n_else: int = 0) -> int:
        """The first of ``keys`` that is set, as a whole number; else ``n_else``.

        Two spellings of one key must agree.
        """
        self.used.update(keys)
        settings = {k: self.values[k] for k in keys if self.values.get(k) is not None}
        for key, value in settings.items():
            if isinstance(value, list) and value and all(x == value[0] for x in value):
                settings[key] = value = value[0]  # one entry a layer, all alike
            if isinstance(value, float) and value.is_integer():
                settings[key] = value = int(value)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise self.refuse(f"{key} = {_short(value)} is not a whole number, 0 or above")
            if value > (most := MOST["layers" if key.endswith(("layers", "layer")) else "else"]):
                raise self.refuse(f"{key} = {value} is outside its range: 0 to {most}")
        return int(next(iter(settings.values()), n_else))

    def need(self, *keys: str) -> int:
        """The same, where nothing or 0 is an error."""
        value = self.whole(*keys)
        if not value:
            raise self.refuse(f"no key {' or '.join(map(repr, keys))}")
        return value

    def places(self, key: str, n_layers: int) -> set[int]:
        """The layers that a list or a text like ``"4,5,6"`` names, from 0."""
        value = self.get(key)
        try:
            parts = value.split(",") if isinstance(value, str) else (value or [])
            layers = {int(x) for x in parts}
        except (TypeError, ValueError):
            raise self.refuse(f"{key} = {_short(value)} is not a list of layers") from None
        if layers and not 0 <= min(layers) <= max(layers) < n_layers:
            raise self.refuse(f"{key} names layer {max(layers)} of {n_layers}")
        return layers

    def per_layer(self, key: str, n_layers: int) -> list[Any]:
        """A list with one entry a layer, or an empty one."""
        value = self.get(key)
        if value is None or value == []:
            return []
        if not isinstance(value, list):
            raise self.refuse(f"{key} = {_short(value)} is not a list with one entry a layer")
        if len(value) < n_layers or len(value) > n_layers + 8:  # a few more: prediction layers
            raise self.refuse(f"{key} names {len(value)} layers of {n_layers}")
        return value[:n_layers]

    def leftover(self) -> list[str]:
        """Keys that bear on the count, are switched on and were never asked for."""
        return sorted(
            key
            for key, value in self.values.items()
            if key not in self.used
            and value not in (None, False, 0, "", [], {})
            and (SPEAKS_BESIDE if key in self.beside else SPEAKS).search(key.lower())
            and not any(pattern.search(key.lower()) for pattern in _HARMLESS)
        )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def left_out(c: Config) -> str:
    """What a file holds beside the decoder and the counts leave out, in words."""
    parts = sorted(set(c.towers))
    mtp = ("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules", "mtp_num_layers")
    if any(c.get(k) for k in mtp):
        parts.append("multi-token prediction")
    remark = f"; left out: {', '.join(parts)}" if parts else ""
    if c.family and c.family not in known_families():
        remark += f"; model_type {c.family!r} is new here: what no key names is not counted"
    return remark


def all_of(values: Iterable[Any]) -> Any:
    """The one value that all have, else None."""
    different = set(values)
    return different.pop() if len(different) == 1 else None
