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
SYSTEMS = ROOT.parent / "shared" / "sources" / "epoch_hardware" / "ml_systems_slim.csv"


def test_sizes_and_tokens_called_confirmed_are_and_the_rest_says_it_is_not():
    rows = pd.concat([table("trained_models"), table("training_runs")])
    confirmed = rows[rows["confirming_source"].eq("epoch-systems")]
    assert set(confirmed.index) == set(EPOCH)
    unsure = table("trained_models").query("confirming_source != 'epoch-systems'")
    assert unsure["note"].str.contains("not verified").all()
    if not SYSTEMS.exists():
        pytest.skip("the list that confirms them is not here")
    list_ = pd.read_csv(SYSTEMS).set_index("Model").loc[list(EPOCH.values())]
    ours = confirmed.loc[list(EPOCH)].astype({"params": float, "tokens": float})
    flop = 6 * ours["params"].to_numpy() * ours["tokens"].to_numpy()
    same_flop = abs(flop / list_["Training compute (FLOP)"].to_numpy() - 1) < 0.1
    same_tokens = list_["Training dataset size (datapoints)"].to_numpy() == ours["tokens"]
    assert (same_flop | same_tokens).all()
