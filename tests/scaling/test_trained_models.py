"""Sizes and training tokens of models against another list, where that list is at hand."""

from pathlib import Path

import pandas as pd
import pytest

from econ.catalog import table

ROOT = Path(__file__).resolve().parents[2]
EPOCH = {  # Epoch AI's names of what two of our tables hold
    "gpt-3": "GPT-3 175B (davinci)", "gopher-280b": "Gopher (280B)",
    "mt-nlg-530b": "Megatron-Turing NLG 530B", "chinchilla-70b": "Chinchilla",
    "bloom-176b": "BLOOM-176B", "pythia-12b": "Pythia-12b", "falcon-180b": "Falcon-180B",
    "llama-2-70b": "Llama 2-70B", "deepseek-67b": "DeepSeek LLM 67B",
    "gemma-2-27b": "Gemma 2 27B", "gemma-2-9b": "Gemma 2 9B",
    "deepseek-v2": "DeepSeek-V2 (MoE-236B)", "gemma-3-27b": "Gemma 3 27B",
    "qwen3-235b-a22b": "Qwen3-235B-A22B", "qwen3-8b": "Qwen3-8B",
    "llama-4-scout": "Llama 4 Scout", "llama-1-65b": "LLaMA-65B",
    "llama-3.1-405b": "Llama 3.1-405B", "deepseek-v3": "DeepSeek-V3",
}  # fmt: skip
SHARED = ROOT.parent / "shared"
SYSTEMS = SHARED / "sources" / "epoch_hardware" / "ml_systems_slim.csv"
# another list of the same: file, its name of the model, column of trillion tokens, of billions
OTHERS = {
    "artificial-analysis": (SHARED / "facts" / "sizes.csv", "model_id", "training_tokens_t",
                            "active_params_b"),
    "obs-scaling": (SHARED / "sources" / "obs_scaling" / "base_llm_benchmark_eval.csv", "Model",
                    "Pretraining Data Size (T)", "Model Size (B)"),
}  # fmt: skip
NAMES = {"llama-3.1-8b": "meta-llama/Meta-Llama-3.1-8B",
         "llama-3.1-70b": "meta-llama/Meta-Llama-3.1-70B"}  # fmt: skip


def test_sizes_and_tokens_called_confirmed_are_and_the_rest_says_it_is_not():
    rows = pd.concat([table("trained_models"), table("training_runs")])
    confirmed = rows[rows["confirming_source"].eq("epoch-systems")]
    assert set(confirmed.index) == set(EPOCH)
    unsure = rows[rows["confirming_source"].isna()]
    assert unsure["note"].fillna("").str.contains("not verified").all()
    if not SYSTEMS.exists():
        pytest.skip("the list that confirms them is not here")
    list_ = pd.read_csv(SYSTEMS).set_index("Model").loc[list(EPOCH.values())]
    ours = confirmed.loc[list(EPOCH)].astype({"params": float, "tokens": float})
    flop = 6 * ours["params"].to_numpy() * ours["tokens"].to_numpy()
    same_flop = abs(flop / list_["Training compute (FLOP)"].to_numpy() - 1) < 0.1
    same_tokens = list_["Training dataset size (datapoints)"].to_numpy() == ours["tokens"]
    assert (same_flop | same_tokens).all()


@pytest.mark.parametrize("source", OTHERS)
def test_the_newer_models_stand_in_other_lists(source):
    path, name, tokens_t, params_b = OTHERS[source]
    rows = pd.concat([table("trained_models"), table("training_runs")])
    rows = rows[rows["confirming_source"].eq(source)]
    assert len(rows) == 2
    if not path.exists():
        pytest.skip("the list that confirms them is not here")
    list_ = pd.read_csv(path).set_index(name).loc[[NAMES.get(id, id) for id in rows.index]]
    assert (rows["tokens"].astype(float) / 1e12).tolist() == list_[tokens_t].tolist()
    assert (rows["params"].astype(float) / 1e9).tolist() == pytest.approx(
        list_[params_b].astype(float).tolist(), rel=0.01
    )
