"""Parameters, KV cache and attention work from the shape, against published counts and by hand."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog import Model, model, table

CONFIGS = Path(__file__).parents[1] / "fixtures" / "hf_configs"

# published parameter counts in billions (model card or paper) and bf16 KV bytes per token
PUBLISHED = {
    "bloom-7b1": (7.069, 491_520),
    "deepseek-v2-lite": (15.7, 31_104),
    "deepseek-v3": (671.0, 70_272),
    "falcon-7b": (6.92, 8_192),
    "gemma-2-9b": (9.24, 172_032),
    "gemma-3-27b": (27.01, 81_920),
    "gpt-oss-120b": (116.83, 36_864),
    "gpt-oss-20b": (20.91, 24_576),
    "llama-2-7b": (6.738, 524_288),
    "llama-3.1-70b": (70.55, 327_680),
    "llama-3.1-8b": (8.03, 131_072),
    "llama-4-maverick": (400.7, 49_152),
    "llama-4-scout": (107.8, 49_152),
    "minimax-m2": (229.0, 253_952),
    "mistral-7b-v0.1": (7.242, 0),
    "mixtral-8x7b": (46.70, 131_072),
    "phi-2": (2.78, 327_680),
    "qwen1.5-moe-a2.7b": (14.3, 196_608),
    "qwen2.5-7b": (7.616, 57_344),
    "qwen3-30b-a3b": (30.53, 98_304),
}


def read(name: str) -> dict:
    return json.loads((CONFIGS / f"{name}.json").read_text())


# -- Hugging Face configurations ------------------------------------------------------------
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_config_gives_the_published_count_and_cache(name):
    billions, kv_bytes = PUBLISHED[name]
    read_in = Model.from_hf_config(CONFIGS / f"{name}.json")
    assert read_in.n_params / 1e9 == pytest.approx(billions, rel=0.003)
    assert read_in.kv_bytes_per_token() == kv_bytes


def test_every_config_file_is_tested():
    assert {p.stem for p in CONFIGS.glob("*.json")} == set(PUBLISHED)


@pytest.mark.parametrize("name", sorted(set(PUBLISHED) & set(table("models")["id"])))
def test_a_config_and_the_table_agree(name):
    ours, theirs = model(name), Model.from_hf_config(CONFIGS / f"{name}.json")
    unlike = {"id", "name", "vendor", "release", "licence", "source", "max_context_tokens"}
    unlike.add("layer_kinds")  # the order, which the table leaves open
    if ours.n_dense_layers == 0:
        unlike.add("ffn_size")  # of no layer
    for field in dataclasses.fields(Model):
        if field.name not in unlike:
            assert getattr(ours, field.name) == getattr(theirs, field.name), field.name


@pytest.mark.parametrize(
    ("name", "kind", "moe"),
    [
        ("llama-2-7b", "MHA", False),
        ("llama-3.1-8b", "GQA", False),
        ("falcon-7b", "MQA", False),
        ("deepseek-v3", "MLA", True),
        ("mixtral-8x7b", "GQA", True),
    ],
)
def test_kinds(name, kind, moe):
    read_in = Model.from_hf_config(read(name))
    assert (read_in.attention_kind, read_in.is_moe, read_in.is_mla) == (kind, moe, kind == "MLA")


def test_a_missing_key_names_the_file_and_the_key(tmp_path):
    config = read("llama-3.1-8b")
    del config["vocab_size"]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json: no key 'vocab_size'"):
        Model.from_hf_config(path)


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"mamba_num_heads": 64}, "mamba_num_heads: not understood"),
        ({"linear_num_key_heads": 16}, "linear_num_key_heads: not understood"),
        ({"layer_types": ["linear_attention"] * 32}, "of a kind that is not understood"),
        ({"layer_types": ["telepathy"] * 32}, "telepathy.* are not understood"),
        ({"layer_types": ["full_attention"] * 3}, "names 3 layers of 32"),
        ({"index_topk": 2048}, "no key 'index_n_heads'"),
        ({"global_head_dim": 512}, "global_head_dim without layers that slide"),
        ({"num_hidden_layers": "many"}, "num_hidden_layers = 'many' is not a whole number"),
        ({"num_attention_heads": -4}, "not a whole number, 0 or above"),
        ({"num_key_value_heads": 5}, "a divisor of n_heads = 32"),
    ],
)
def test_what_the_closed_form_does_not_know_is_refused(extra, says):
    with pytest.raises(ValueError, match=says):
        Model.from_hf_config({**read("llama-3.1-8b"), **extra})


def test_a_file_that_is_no_object_is_refused(tmp_path):
    path = tmp_path / "config.json"
    path.write_text("[1, 2")
    with pytest.raises(ValueError, match=r"config\.json line 1: not JSON"):
        Model.from_hf_config(path)
    path.write_text("[1, 2]")
    with pytest.raises(ValueError, match="holds a list, not an object"):
        Model.from_hf_config(path)


def test_dense_layers_between_experts():
    config = read("qwen3-30b-a3b")
    every_other = Model.from_hf_config({**config, "decoder_sparse_step": 2})
    assert (every_other.n_dense_layers, every_other.n_moe_layers) == (24, 24)
    listed = Model.from_hf_config({**config, "mlp_only_layers": [0, 7]})
    assert (listed.n_dense_layers, listed.n_moe_layers) == (2, 46)


def test_windows_of_qwen_slide_only_when_switched_on():
    config = read("qwen2.5-7b") | {"max_window_layers": 20, "sliding_window": 4096}
    assert Model.from_hf_config(config).n_sliding_layers == 0
    assert Model.from_hf_config(config | {"use_sliding_window": True}).n_sliding_layers == 8
    no_shorter = {"use_sliding_window": True, "sliding_window": 131072}
    assert Model.from_hf_config(config | no_shorter).n_sliding_layers == 0


# -- the table's models ---------------------------------------------------------------------
def test_every_model_meets_its_published_count_or_says_why():
    rows = table("models")
    gaps = {i: model(i).n_params / r.published_params - 1 for i, r in rows.iterrows()}
    far = {i for i, gap in gaps.items() if abs(gap) > 0.01}
    assert far == {
        *("llama-4-scout", "mistral-small-3-24b", "kimi-k2", "kimi-k2.5", "deepseek-v4-pro")
    }
    assert all("ublished" in rows.loc[i, "note"] for i in far)


def gated_delta_net(d, layers, v_heads, k_heads=16, dim=128, conv=4):
    """A layer's mixer: q, k, v, gate, two per-head scalars, a short convolution, output."""
    keys, values = k_heads * dim, v_heads * dim
    mixer = d * (2 * keys + 2 * values) + d * 2 * v_heads
    mixer += conv * (2 * keys + values) + values * d
    state = v_heads * dim * dim * 4 + (2 * keys + values) * (conv - 1) * 2  # fp32 and bf16
    return layers * mixer, layers * state


def compressed(d, layers, fine, coarse, q_rank, dim=512, index=128, heads=64, streams=4):
    """DeepSeek-V4: compressors of two widths, indexers, maps between the residual streams."""
    compressor = 2 * d * 2 * dim + 4 * 2 * dim
    indexer = 2 * d * 2 * index + 4 * 2 * index + q_rank * heads * index + d * heads
    coarser = 2 * d * dim + 128 * dim
    maps = layers * 2 * (24 * streams * d) + streams * streams * d
    pending = coarse * 128 * 2 * dim * 2 + fine * 2 * 4 * 2 * (dim + index) * 2
    return fine * (compressor + indexer) + coarse * coarser + maps, pending


def mamba2(d, layers, heads, state, head_dim=64, groups=8, conv=4):
    inner, mixed = heads * head_dim, heads * head_dim + 2 * groups * state
    mixer = d * (inner + mixed + heads) + (conv + 1) * mixed + inner * d
    return layers * mixer, layers * (inner * state * 4 + mixed * (conv - 1) * 2)


def indexer(d, layers, heads, q_width, dim=128, weighted=True):
    """Queries from ``q_width``, one key, and a weight per head."""
    return layers * (q_width * heads * dim + d * dim + weighted * d * heads)


def kimi_delta(d, layers, heads, dim=128, conv=4):
    inner = heads * dim
    mixer = 5 * d * inner  # q, k, v, gate, output
    mixer += d * dim + dim * inner + d * heads + 3 * conv * inner  # decay, write strength, conv
    return layers * mixer, layers * (heads * dim * dim * 4 + 3 * inner * (conv - 1) * 2)


def test_other_params_and_states_by_hand():
    """Hybrid and sparse models: the mixers written out, a second route to the table's figures."""
    expected = {}
    for name, d, lin, v, full, heads, layers in (
        ("qwen3-next-80b-a3b", 2048, 36, 32, 12, 16, 48),
        ("qwen3.5-397b-a17b", 4096, 45, 64, 15, 32, 60),
        ("qwen3.5-122b-a10b", 3072, 36, 64, 12, 32, 48),
        ("qwen3.5-35b-a3b", 2048, 30, 32, 10, 16, 40),
        ("qwen3.5-27b", 5120, 48, 48, 16, 24, 0),
    ):
        mixers, state = gated_delta_net(d, lin, v)
        gates = full * d * heads * 256 + layers * d  # of full attention, of the shared expert
        expected[name] = mixers + gates, state
    for name, d, lin, heads, size, latent in (
        ("nemotron-3-nano-30b-a3b", 2688, 23, 64, 128, 0),
        ("nemotron-3-super-120b-a12b", 4096, 40, 128, 128, 40 * 2 * 4096 * 1024),
        ("nemotron-3-ultra-550b-a55b", 8192, 48, 256, 128, 48 * 2 * 8192 * 2048),
        ("nemotron-h-56b", 8192, 54, 256, 256, 0),
    ):
        mixers, state = mamba2(d, lin, heads, size)
        expected[name] = mixers + latent, state
    mixers, state = kimi_delta(7168, 69, 96)
    latent = 92 * 2 * 7168 * 3584
    expected["kimi-k3"] = mixers + 24 * 7168 * 96 * 128 + latent, state
    expected["deepseek-v3.2"] = indexer(7168, 61, 64, 1536), 0
    expected["glm-5"] = indexer(6144, 78, 32, 2048), 0
    expected["glm-5.3"] = indexer(6144, 21, 32, 2048), 0
    expected["minimax-m3"] = indexer(6144, 57, 4, 6144, weighted=False), 0

    expected["deepseek-v4-flash"] = compressed(4096, 43, 21, 20, q_rank=1024)
    expected["deepseek-v4-pro"] = compressed(7168, 61, 30, 31, q_rank=1536)
    expected["gemma-4-e2b"] = 35 * 3 * 1536 * 256, 0  # the inputs of every layer
    expected["gemma-4-e4b"] = 42 * 3 * 2560 * 256, 0

    rows = table("models")
    assert set(expected) == set(rows.index[rows["other_params"] > 0])
    for name, (params, state) in expected.items():
        m = model(name)
        # the table's figure also holds norms and biases: under 0.05 % of the model
        assert abs(m.other_params - params) < 0.0005 * m.n_params, name
        assert m.fixed_state_bytes_per_sequence == state, name


@pytest.mark.parametrize(
    ("name", "kv_bytes", "flop"),
    [
        ("llama-3.1-70b", 327_680, 4 * 64 * 128 * 80),
        ("gpt-oss-120b", 36_864, 4 * 64 * 64 * 18),
        ("deepseek-v3", 70_272, 2 * 128 * (576 + 512) * 61),  # absorbed: the latent is read
        ("deepseek-v3.2", 70_272 + 61 * 128 * 2, 2 * 128 * (576 + 512) * 61),
        ("qwen3.5-397b-a17b", 30_720, 4 * 32 * 256 * 15),
    ],
)
def test_known_cache_growth_and_attention_work(name, kv_bytes, flop):
    m = model(name)
    assert m.kv_bytes_per_token() == kv_bytes
    assert m.attention_flop_per_context_token == flop


def test_latent_attention_costs_less_when_a_prompt_is_read():
    m = model("deepseek-v3")
    assert m.prefill_attention_flop_per_context_token == 2 * 128 * (192 + 128) * 61
    dense = model("llama-3.1-8b")
    expected = dense.attention_flop_per_context_token
    assert dense.prefill_attention_flop_per_context_token == expected


def test_a_window_caps_the_cache():
    m = model("gpt-oss-120b")
    per_layer = 2 * 8 * 64 * 2
    assert m.kv_bytes(100) == 36 * per_layer * 100
    assert m.kv_bytes(10_000) == per_layer * 18 * (10_000 + 128)
    sizes = m.kv_bytes(np.array([100, 10_000]))
    assert sizes.tolist() == [m.kv_bytes(100), m.kv_bytes(10_000)]


def test_a_tied_head_is_read_but_stored_once():
    free = dataclasses.replace(model("llama-3.2-1b"), tied_embeddings=False)
    tied = model("llama-3.2-1b")
    assert free.n_params - tied.n_params == tied.head_params
    assert free.active_params == tied.active_params


# -- invariants -----------------------------------------------------------------------------
shapes = st.builds(
    dict,
    n_layers=st.integers(1, 60),
    kv=st.integers(1, 8),
    group=st.integers(1, 8),
    head_dim=st.sampled_from([64, 128, 256]),
    n_experts=st.integers(0, 64),
    share=st.floats(0, 1),
    window=st.sampled_from([0, 128, 4096]),
)


def built(s: dict) -> Model:
    experts = s["n_experts"]
    return Model(
        id="any",
        n_layers=s["n_layers"],
        hidden_size=512,
        n_heads=s["kv"] * s["group"],
        n_kv_heads=s["kv"],
        head_dim=s["head_dim"],
        ffn_size=1024,
        vocab_size=1000,
        n_experts=experts,
        experts_per_token=max(1, round(s["share"] * experts)) if experts else 0,
        moe_ffn_size=256 if experts else 0,
        n_sliding_layers=s["n_layers"] // 2 if s["window"] else 0,
        sliding_window_tokens=s["window"],
    )


@given(shapes)
def test_no_token_uses_more_than_is_stored(s):
    m = built(s)
    assert 0 < m.active_params <= m.n_params
    if not m.is_moe:
        assert m.active_params == m.n_params - m.embedding_params


@given(shapes, st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from([0.5, 1, 2]))
def test_the_cache_grows_with_context_and_with_width(s, a, b, width):
    m = built(s)
    low, high = sorted((a, b))
    assert m.kv_bytes(low, width) <= m.kv_bytes(high, width)
    assert m.kv_bytes(high, width) == pytest.approx(m.kv_bytes(high, 2) * width / 2)
    beyond = m.sliding_window_tokens + 1
    step = m.kv_bytes(beyond + 1, width) - m.kv_bytes(beyond, width)
    assert step == pytest.approx(m.kv_bytes_per_token(width))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n_layers": 0}, "n_layers = 0 is outside its range: a whole number from 1"),
        ({"n_layers": 31.5}, "n_layers = 31.5 is outside its range"),
        ({"hidden_size": float("nan")}, "hidden_size = nan is outside its range"),
        ({"other_params": -1.0}, "other_params = -1.0 is outside its range"),
        ({"n_kv_heads": 64}, "n_kv_heads = 64 is outside its range: 0 to n_heads = 32"),
        ({"n_sliding_layers": 4}, "sliding_window_tokens = 0 is outside its range"),
        ({"n_linear_layers": 40}, "n_attention_layers = 32 is outside its range"),
        ({"n_experts": 8}, "n_moe_layers = 0 is outside its range"),
        ({"mla_kv_lora_rank": 512}, "mla_nope_dim = 0 is outside its range"),
        ({"ffn_size": 0}, "ffn_size = 0 is outside its range"),
    ],
)
def test_impossible_shapes_are_refused(change, says):
    with pytest.raises(ValueError, match=says):
        dataclasses.replace(model("llama-3.1-8b"), **change)


@pytest.mark.parametrize("context", [-1, float("nan"), float("inf"), [10, -1]])
def test_an_impossible_context_is_refused(context):
    with pytest.raises(ValueError, match="context_tokens"):
        model("llama-3.1-8b").kv_bytes(np.asarray(context))


def test_an_impossible_width_is_refused():
    with pytest.raises(ValueError, match="bytes_per_element = 0 is outside its range"):
        model("llama-3.1-8b").kv_bytes_per_token(0)
