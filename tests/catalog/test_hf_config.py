"""Models from their config.json: counts against a table of facts, what is refused, bad input."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from pathlib import Path

import pandas as pd
import pytest

import econ
from econ import catalog
from econ.catalog import Model
from econ.catalog.config_file import HARMLESS, families

FIXTURES = Path(__file__).parents[1] / "fixtures"
COUNTS = pd.read_csv(FIXTURES / "model_counts.csv").set_index("id")
SHAPES = json.loads((FIXTURES / "model_shapes.json").read_text())
LLAMA = {
    "model_type": "llama",
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
}


def read(name: str, **changes: object) -> Model:
    return Model.from_hf_config(copy.deepcopy(SHAPES[name]) | changes)


# -- against counts made elsewhere ------------------------------------------------------------
@pytest.mark.parametrize("name", COUNTS.index)
def test_parameters_and_cache_are_those_of_the_table(name):
    row, model = COUNTS.loc[name], read(name)
    assert model.n_params == pytest.approx(row["parameters"], rel=0.006)  # published: rounded
    if row["library"] == row["library"]:  # exact, of which norms and biases are left out
        assert row["parameters"] * 0.9945 < model.n_params <= row["parameters"] * 1.0006
    if row["kv_elements_per_token"] == row["kv_elements_per_token"]:
        keys_and_values = model.kv_bytes_per_token(2) - model.kv_index_bytes_per_token
        assert keys_and_values == 2 * row["kv_elements_per_token"]


def test_the_table_has_families_enough():
    assert set(COUNTS.index) == set(SHAPES)
    assert len(COUNTS) >= 90
    assert COUNTS["architecture"].nunique() >= 60


@pytest.mark.parametrize("name", COUNTS.index[COUNTS["active_parameters"].notna()])
def test_active_parameters_are_near_those_published(name):
    """Published: rounded, and with or without the input table, as each publisher likes."""
    assert read(name).active_params == pytest.approx(COUNTS["active_parameters"][name], rel=0.13)


def test_zero_experts_lower_the_mean():
    assert read("longcat-flash").active_params / 1e9 == pytest.approx(27, rel=0.01)
    assert read("step3-text").active_params / 1e9 == pytest.approx(38, rel=0.01)


# -- nothing silent ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    "key",
    [
        "num_secret_experts",
        "expert_groups_per_layer",
        "residual_branch_dim",
        "cross_attention_every",
        "local_window",
        "extra_layers",
        "second_ffn_dim",
        "second_intermediate_size",
        "compact_residual_dim",
        "layer_division",
        "n_latent_tokens",
        "state_dim",
        "compress_rate",
        "num_key_heads",
        "num_kv_shared_layers",
        "hidden_size_per_layer_input",
        "loop_count_layers",
    ],
)
def test_a_key_that_bears_on_the_count_and_is_not_read_is_named(key):
    with pytest.raises(ValueError, match=f"{key}: not understood"):
        Model.from_hf_config({**LLAMA, key: 4})
    off = [Model.from_hf_config({**LLAMA, key: value}) for value in (None, 0, False)]
    assert {m.n_params for m in off} == {Model.from_hf_config(LLAMA).n_params}


def test_harmless_keys_have_a_reason():
    assert all(reason and pattern for reason, pattern in HARMLESS.items())
    harmless = {"rms_norm_eps": 1e-5, "rope_theta": 1e6, "attention_dropout": 0.1, "mlp_bias": True}
    assert Model.from_hf_config(LLAMA | harmless).n_params == Model.from_hf_config(LLAMA).n_params


def test_what_is_left_out_is_said():
    towers = {"text_config": LLAMA, "vision_config": {"hidden_size": 9}, "model_type": "seer"}
    model = Model.from_hf_config(towers | {"num_nextn_predict_layers": 1})
    assert model.source == "config; left out: vision_config, multi-token prediction"
    assert model.n_params == Model.from_hf_config(LLAMA).n_params


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"model_type": "bert"}, "bert is an encoder: it writes no text"),
        ({"model_type": "t5"}, "t5 is an encoder and a decoder"),
        ({"model_type": "new", "is_encoder_decoder": True}, "new is an encoder and a decoder"),
        ({**LLAMA, "architectures": ["NewForMaskedLM"]}, "is an encoder"),
        ({**LLAMA, "add_cross_attention": True}, "a decoder beside an encoder"),
        ({**LLAMA, "model_type": "rwkv"}, "recurrent layers"),
        ({**LLAMA, "compress_ratios": [0, 4, 128]}, "compressed attention"),
    ],
)
def test_what_is_no_decoder_is_refused_as_what_it_is(config, says):
    with pytest.raises(ValueError, match=says):
        Model.from_hf_config(config)


def test_two_matrices_or_three_is_never_guessed():
    with pytest.raises(ValueError, match="two matrices or three"):
        Model.from_hf_config({**LLAMA, "model_type": "novel", "hidden_act": "gelu"})
    assert Model.from_hf_config({**LLAMA, "model_type": "novel", "hidden_act": "silu"})
    stated = {**LLAMA, "model_type": "novel", "hidden_act": "gelu", "gated_mlp": False}
    assert Model.from_hf_config(stated).n_ffn_matrices == 2
    assert not families("tied").keys() & families("untied").keys()
    assert not families("encoder").keys() & families("encoder-decoder").keys()


def test_a_tied_head_is_never_guessed():
    novel = {**LLAMA, "model_type": "novel", "hidden_act": "silu"}
    del novel["tie_word_embeddings"]
    with pytest.raises(ValueError, match="no key 'tie_word_embeddings'"):
        Model.from_hf_config(novel)


# -- windows ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("keys", "sliding"),
    [
        ({"sliding_window": 131072, "model_type": "mistral"}, 0),  # no shorter than the context
        ({"sliding_window": 4096, "model_type": "mistral"}, 32),
        ({"sliding_window": 4096, "use_sliding_window": False}, 0),
        ({"sliding_window": 4096, "layer_types": ["full_attention"] * 32}, 0),
        ({"sliding_window": 4096, "layer_types": ["full_attention", "sliding_attention"] * 16}, 16),
        ({"sliding_window": 4096, "sliding_window_pattern": 4}, 24),
        ({"sliding_window": 4096, "sliding_window_pattern": "LLLG"}, 24),
        ({"sliding_window": 131072, "sliding_window_pattern": 4}, 0),
        ({"sliding_window": 4096, "max_window_layers": 28, "use_sliding_window": True}, 4),
        ({"sliding_window": 4096, "max_window_layers": 28}, 0),
        ({"attention_chunk_size": 8192, "no_rope_layers": [1, 1, 1, 0] * 8}, 24),
    ],
)
def test_windows(keys, sliding):
    model = Model.from_hf_config(LLAMA | keys)
    assert model.n_sliding_layers == sliding
    assert model.n_attention_layers == 32


def test_a_window_of_unknown_layers_is_refused():
    with pytest.raises(ValueError, match="no key says which layers slide"):
        Model.from_hf_config({**LLAMA, "sliding_window": 4096})


def test_cross_attention_does_not_grow():
    crossed = Model.from_hf_config({**LLAMA, "cross_attention_layers": [3, 8, 13, 18]})
    plain = Model.from_hf_config(LLAMA)
    assert crossed.n_params == plain.n_params
    assert crossed.kv_bytes_per_token() == plain.kv_bytes_per_token() * 28 / 32


# -- heads and experts ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("keys", "kv_heads"),
    [
        ({"num_key_value_heads": 4}, 4),
        ({"num_kv_heads": 4}, 4),
        ({"num_attention_groups": 1}, 1),
        ({"multi_query_group_num": 2}, 2),
        ({"multi_query": True}, 1),
        ({}, 32),
    ],
)
def test_spellings_of_key_value_heads(keys, kv_heads):
    bare = {k: v for k, v in LLAMA.items() if k != "num_key_value_heads"}
    assert Model.from_hf_config(bare | keys).n_kv_heads == kv_heads


def expected(n_moe: int, shared: int = 0) -> float:
    plain = Model.from_hf_config(LLAMA).n_params
    block = 3 * 4096
    return plain + n_moe * (block * (8 * 1024 + shared - 14336) + 8 * 4096)


@pytest.mark.parametrize("count", ["num_local_experts", "n_routed_experts", "moe_num_experts"])
@pytest.mark.parametrize("top_k", ["num_experts_per_tok", "moe_topk", "moe_k", "moe_top_k"])
def test_spellings_of_experts(count, top_k):
    model = Model.from_hf_config({**LLAMA, count: 8, top_k: 2, "moe_intermediate_size": 1024})
    assert model.n_params == expected(32)
    assert model.experts_per_token == 2


@pytest.mark.parametrize(
    ("keys", "n_moe", "shared"),
    [
        ({"first_k_dense_replace": 3}, 29, 0),
        ({"num_dense_layers": 2}, 30, 0),
        ({"mlp_only_layers": [0, 7]}, 30, 0),
        ({"decoder_sparse_step": 2}, 16, 0),
        ({"moe_layer_freq": [0, *[1] * 31]}, 31, 0),
        ({"mlp_layer_types": ["dense"] * 4 + ["sparse"] * 28}, 28, 0),
        ({"moe_layers_enum": "4,5,6"}, 3, 0),
        ({"moe_layer_start_index": 1, "moe_layer_end_index": 30, "moe_layer_interval": 1}, 30, 0),
        ({"expert_layer_period": 2, "expert_layer_offset": 1}, 16, 0),
        ({"n_shared_experts": 2}, 32, 2048),
        ({"moe_num_shared_experts": 1}, 32, 1024),
        ({"share_expert_dim": 512}, 32, 512),
        ({"use_residual": True}, 32, 4096),
        ({"enable_moe_block": True}, 32, 14336),
    ],
)
def test_which_layers_have_experts_and_what_stands_beside_them(keys, n_moe, shared):
    mixture = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 1024}
    model = Model.from_hf_config({**LLAMA, **mixture, **keys})
    assert (model.n_moe_layers, model.shared_ffn_size) == (n_moe, shared)
    assert model.n_params == expected(n_moe, shared)


def test_experts_without_a_choice_are_refused():
    with pytest.raises(ValueError, match="no key says how many a token uses"):
        Model.from_hf_config({**LLAMA, "num_experts": 8})


# -- formats ----------------------------------------------------------------------------------
GROUP = {"weights": {"num_bits": 4, "type": "int"}, "targets": ["Linear"]}
FLOAT = {"weights": {"num_bits": 4, "type": "float"}, "targets": ["Linear"]}
LAYERS = {"l.experts.0": {"quant_algo": "NVFP4"}, "l.attn": {"quant_algo": "FP8"}}


@pytest.mark.parametrize(
    ("quantised", "precision"),
    [
        ({"quant_method": "awq", "bits": 4}, "int4"),
        ({"quant_method": "gptq", "bits": 8}, "int8"),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8"),
        ({"quant_method": "mxfp4"}, "fp4"),
        ({"quant_method": "compressed-tensors", "config_groups": {"group_0": GROUP}}, "int4"),
        ({"quant_method": "compressed-tensors", "config_groups": {"group_0": FLOAT}}, "fp4"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "fp4"),
        ({"quant_algo": "FP8"}, "fp8"),
        ({"quant_algo": "MIXED_PRECISION", "quantized_layers": LAYERS}, "fp4"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "int4"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "int8"),
    ],
)
def test_formats_in_the_file(quantised, precision):
    model = Model.from_hf_config({**LLAMA, "quantization_config": quantised})
    assert model.native_precision == precision


@pytest.mark.parametrize(
    "quantised",
    [
        {"quant_method": "sparkle"},
        {"quant_method": "gptq", "bits": 3},
        {"quant_algo": "NVFP2"},
        {"config_groups": {"g": {"weights": {"num_bits": 5, "type": "int"}}}},
    ],
)
def test_an_unknown_format_is_refused(quantised):
    with pytest.raises(ValueError, match="not understood"):
        Model.from_hf_config({**LLAMA, "quantization_config": quantised})


def test_a_format_beside_the_file(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    assert Model.from_hf_config(tmp_path / "config.json").native_precision == "bf16"
    beside = {"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "NVFP4"}}
    (tmp_path / "hf_quant_config.json").write_text(json.dumps(beside))
    assert Model.from_hf_config(tmp_path / "config.json").native_precision == "fp4"
    assert Model.from_hf_config(tmp_path).native_precision == "fp4"  # the folder


# -- everywhere a name goes -------------------------------------------------------------------
def test_a_config_goes_where_a_name_goes(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA))
    by_name = econ.Scenario.of("llama-3.1-8b", "h100-sxm")
    for config in (LLAMA, path, str(path)):
        assert catalog.model(config).n_params == catalog.model("llama-3.1-8b").n_params
        scenario = econ.Scenario.of(config, "h100-sxm")
        tpot_s = econ.latency.predict(scenario, concurrency=8).tpot_s
        assert tpot_s == econ.latency.predict(by_name, concurrency=8).tpot_s
        assert econ.Scenario.from_json(scenario.to_json()) == scenario


# -- bad input --------------------------------------------------------------------------------
def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (json.dumps({**LLAMA, "num_hidden_layers": 10**8}).encode(), "outside its range: 0 to 409"),
        (json.dumps({**LLAMA, "vocab_size": 10**30}).encode(), "vocab_size"),
        (nested(100_000).encode(), "nested too deeply"),
        (b'{"hidden_size": NaN}', "NaN is no JSON"),
        (b'{"hidden_size": 1, "hidden_size": 2}', "the key 'hidden_size' is there twice"),
        (json.dumps(LLAMA).encode("utf-16"), "this is UTF-16"),
        (json.dumps(LLAMA).encode()[:-20], "not JSON"),
        (b"", "not JSON"),
        (b"[]", "holds a list"),
        (b"\x00" * 100, "holds a zero byte"),
        (b" " * 4_100_000, "larger than"),
        (json.dumps({**LLAMA, "layer_types": ["full_attention"] * 10**5}).encode(), "100000 lay"),
        (json.dumps({**LLAMA, "layer_types": [{}] * 32}).encode(), "not understood"),
        (json.dumps({**LLAMA, "quantization_config": 7}).encode(), "is not an object"),
        (json.dumps({**LLAMA, "block_configs": [7] * 32}).encode(), "malformed"),
        (json.dumps({**LLAMA, "cross_attention_layers": [40]}).encode(), "names layer 40 of 32"),
    ],
)
def test_bad_input_is_one_clear_error(tmp_path, content, says):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says) as error:
        Model.from_hf_config(path)
    assert "config.json" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_mark_at_the_start_is_read(tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(json.dumps(LLAMA).encode("utf-8-sig"))
    assert Model.from_hf_config(path).n_layers == 32


# -- the model as a list of layers ------------------------------------------------------------
@pytest.mark.parametrize("name", COUNTS.index)
def test_the_layers_add_up_to_the_model(name):
    model = read(name)
    layers = model.layers
    assert len(layers) == model.n_layers
    blocks = model.dense_ffn_params + model.routed_expert_params + model.shared_expert_params
    assert sum(x.feed_forward_params for x in layers) == pytest.approx(blocks + model.router_params)
    growing = sum(x.kv_elements + x.index_elements for x in layers if not x.window_tokens)
    assert growing == pytest.approx(model.kv_bytes_per_token() / 2)
    at_most = sum(x.kv_elements * x.window_tokens for x in layers)
    beside = model.full_layers_have_window * model.n_full_attention_layers
    at_most += beside * model.kv_elements_per_token_per_layer * model.sliding_window_tokens
    windows = model.kv_bytes(10**7) - model.kv_bytes_per_token() * 10**7
    assert 2 * at_most == pytest.approx(windows - model.fixed_state_bytes_per_sequence)
    states = sum(x.state_bytes for x in layers)
    if any("linear" in x.mixer for x in layers):
        assert states == pytest.approx(model.fixed_state_bytes_per_sequence)


def test_compressed_attention_stores_what_a_built_model_stores():
    """Cache of a small DeepSeek-V4, run on a CPU: entries of both kinds, indexes, windows."""
    small = read("deepseek-ai/DeepSeek-V4-Flash", hidden_size=64, num_hidden_layers=5, head_dim=32,
                 num_attention_heads=4, compress_ratios=[0, 4, 128, 4, 128], index_head_dim=16,
                 index_n_heads=4, q_lora_rank=16, o_lora_rank=16, o_groups=2, vocab_size=500,
                 moe_intermediate_size=32, n_routed_experts=4, num_experts_per_tok=2)  # fmt: skip
    assert small.n_params == pytest.approx(373_111, rel=0.01)  # 0.5 % are norms and sinks
    entries = 2 * (768 * (32 + 16) + 24 * 32)  # of 3,072 tokens
    assert small.kv_bytes_per_token(1) * 3072 == entries
    kinds = [(x.mixer, x.kv_elements) for x in small.layers]
    assert kinds == [("sliding", 32), ("full", 8), ("coarse", 0.25), ("full", 8), ("coarse", 0.25)]
    flash = read("deepseek-ai/DeepSeek-V4-Flash")
    assert flash.kv_bytes_per_token() / read("deepseek-ai/DeepSeek-V3.2").kv_bytes_per_token() < 0.1
    assert catalog.Model.from_hf_config(
        SHAPES["deepseek-ai/DeepSeek-V4-Flash"] | {"model_type": "deepseek_ref"}
    ).n_params == flash.n_params  # fmt: skip
    with pytest.raises(ValueError, match="compress_ratios with 16 is not understood"):
        read("deepseek-ai/DeepSeek-V4-Flash", compress_ratios=[16] * 43)


def test_layers_that_reuse_a_cache_store_none():
    small = read("google/gemma-4-E2B")
    kinds = [x.mixer for x in small.layers]
    assert kinds[:5] == ["sliding"] * 4 + ["full"]
    assert kinds[15:] == (["sliding-reuse"] * 4 + ["full-reuse"]) * 4
    assert small.kv_bytes_per_token() == 2 * 3 * 2 * 512  # three full layers of one head of 512
    whole = read("google/gemma-4-E2B", num_kv_shared_layers=0, use_double_wide_mlp=False)
    assert whole.kv_bytes_per_token() == 2 * 7 * 2 * 512
    pairs = Model.from_hf_config(
        LLAMA | {"model_type": "hunyuan_v1_moe", "use_cla": True, "cla_share_factor": 2}
    )
    plain = Model.from_hf_config(LLAMA | {"model_type": "hunyuan_v1_moe", "use_cla": False})
    assert pairs.kv_bytes_per_token() * 2 == plain.kv_bytes_per_token()
    assert plain.n_params - pairs.n_params == 16 * 2 * 4096 * 8 * 128


def test_another_number_of_layers_is_filled_in_anew_or_refused():
    llama = Model.from_hf_config(LLAMA)
    half = dataclasses.replace(llama, n_layers=16)
    assert (half.n_dense_layers, half.n_attention_layers, len(half.layers)) == (16, 16, 16)
    assert half.kv_bytes_per_token() * 2 == llama.kv_bytes_per_token()
    assert dataclasses.replace(half, n_layers=32) == llama
    assert pickle.loads(pickle.dumps(llama)) == copy.deepcopy(llama) == llama
    deepseek = catalog.model("deepseek-v3")
    with pytest.raises(ValueError, match="n_dense_layers = 3 was given for n_layers = 61"):
        dataclasses.replace(deepseek, n_layers=40)
    assert dataclasses.replace(deepseek, n_layers=40, n_dense_layers=3).n_moe_layers == 37
    with pytest.raises(ValueError, match="layer_kinds names 35 layers of n_layers = 30"):
        dataclasses.replace(read("google/gemma-4-E2B"), n_layers=30)
    with pytest.raises(ValueError, match="unknown mixer 'ful'; nearest: full"):
        dataclasses.replace(llama, n_layers=2, layer_kinds=("ful dense", "full dense"))
    with pytest.raises(ValueError, match="n_sliding_layers = 1 is not that of layer_kinds: 0"):
        dataclasses.replace(llama, n_layers=2, layer_kinds=("full dense",) * 2, n_sliding_layers=1)


# -- spellings of 2026 ------------------------------------------------------------------------
def test_heads_given_layer_by_layer_are_those_of_a_kind():
    gemma = SHAPES["google/gemma-4-26B-A4B"]
    plain = Model.from_hf_config(gemma)
    kinds = gemma["layer_types"]
    own = {"head_dim": gemma["global_head_dim"]}
    if gemma.get("num_global_key_value_heads"):
        own["num_key_value_heads"] = gemma["num_global_key_value_heads"]
    listed = {f"{i:02d}": own for i, kind in enumerate(kinds) if kind == "full_attention"}
    other = {k: v for k, v in gemma.items() if "global" not in k} | {"per_layer_config": listed}
    assert Model.from_hf_config(other) == plain
    for odd, says in (
        ({"05": {"q_rank": 4}}, "per_layer_config with q_rank is not understood"),
        ({"00": {"head_dim": 64}}, "heads that differ among sliding layers"),
        ({"99": own}, "names layer '99'"),
    ):
        with pytest.raises(ValueError, match=says):
            Model.from_hf_config(other | {"per_layer_config": odd})


def test_what_joins_the_towers_is_no_part_of_the_text():
    joint = {"text_config": LLAMA, "vision_config": {"hidden_size": 9}, "model_type": "seer"}
    for key in ("projection_hidden_size", "downsample_ratio", "num_query_tokens", "adapter_config"):
        model = Model.from_hf_config(joint | {key: 4})
        assert model.n_params == Model.from_hf_config(LLAMA).n_params
    for key in ("num_secret_experts", "compress_rate", "sliding_stride", "extra_layers"):
        with pytest.raises(ValueError, match=f"{key}: not understood"):
            Model.from_hf_config(joint | {key: 4})
    with pytest.raises(ValueError, match="tie_word_embeddings is one thing in text_config"):
        Model.from_hf_config(joint | {"tie_word_embeddings": True})


def test_a_variant_with_eyes_is_its_family_and_a_new_family_is_said():
    gated = {**LLAMA, "model_type": "hy_v4"}
    assert Model.from_hf_config({**gated, "model_type": "hy_v4_vl_text"}).other_params > 0
    new = Model.from_hf_config({**LLAMA, "model_type": "zebra", "hidden_act": "silu"})
    assert new.source == (
        "config; model_type 'zebra' is new here: what no key names is not counted"
    )


def test_words_of_the_library_for_deepseek_v4_are_those_of_the_file():
    shape = SHAPES["deepseek-ai/DeepSeek-V4-Flash"]
    words = {0: "sliding_attention", 4: "compressed_sparse_attention",
             128: "heavily_compressed_attention"}  # fmt: skip
    n = shape["num_hidden_layers"]
    new = {k: v for k, v in shape.items() if k not in ("compress_ratios", "num_hash_layers")} | {
        "layer_types": [words[r] for r in shape["compress_ratios"][:n]],
        "mlp_layer_types": ["hash_moe"] * 3 + ["moe"] * (n - 3),
        "compress_rates": {words[4]: 4, words[128]: 128},
    }
    assert Model.from_hf_config(new) == Model.from_hf_config(shape)
