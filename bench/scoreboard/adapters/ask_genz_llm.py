"""GenZ: rooflines of each operator (``decode_moddeling``, ``prefill_moddeling``)."""

from __future__ import annotations

import json
from functools import lru_cache

from asking import by_little, replica_users, serve
from GenZ import decode_moddeling, prefill_moddeling
from GenZ.Models import ModelConfig
from Systems.system_configs import system_configs

SETTINGS = {
    "one prompt": "system_eff 1 (the default); prefill of one prompt",
    "batch prefill": "system_eff 1 (the default); prefill of the row's batch at once",
}
SYSTEMS = {"h100-sxm": "H100_GPU", "mi300x": "MI300X", "mi325x": "MI325X"}


def config(row: dict, model: dict) -> ModelConfig:
    """The model in its own words; what these have no word for is refused."""
    if model["mla_kv_lora_rank"]:
        raise ValueError("no latent attention")
    if model["n_linear_layers"]:
        raise ValueError("no linear attention of this kind")
    if 0 < model["n_dense_layers"] < model["n_layers"]:
        raise ValueError("no mixture with dense layers")
    return ModelConfig(
        model=row["model"],
        hidden_size=model["hidden_size"],
        num_attention_heads=model["n_heads"],
        num_key_value_heads=model["n_kv_heads"],
        head_dim=model["head_dim"],
        num_ffi=model["n_ffn_matrices"] - 1,
        intermediate_size=model["moe_ffn_size"] if model["n_experts"] else model["ffn_size"],
        num_decoder_layers=model["n_layers"],
        num_experts=max(model["n_experts"], 1),
        expert_top_k=max(model["experts_per_token"], 1),
        vocab_size=model["vocab_size"],
    )


def system(row: dict, chip: dict):
    """Its own entry of the accelerator, or the datasheet's figures in its own form."""
    if row["accelerator"] in SYSTEMS:
        return system_configs[SYSTEMS[row["accelerator"]]]
    return {
        "Flops": chip["peak_bf16_flop_per_s"] / 1e12,
        "Memory_size": chip["memory_bytes"] / 1e9,
        "Memory_BW": chip["memory_bandwidth_bytes_per_s"] / 1e9,
        "ICN": chip["scaleup_bandwidth_bytes_per_s"] / 1e9,
        "real_values": True,
    }


@lru_cache(maxsize=64)
def latency_s(kind: str, asked: str, batch: int) -> float:
    """A decode step half-way through the answers, or a prefill; settings share what they can."""
    row, model, chip = json.loads(asked)
    ep = row["ep"] if model["n_experts"] else 1
    tp = max(row["tp"] // ep, 1)
    common = {
        "model": config(row, model),
        "input_tokens": round(row["input_tokens"]),
        "system_name": system(row, chip),
        "bits": row["precision"],
        "tensor_parallel": tp,
        "pipeline_parallel": row["pp"],
        "expert_parallel": ep,
        "parallelism_heirarchy": f"TP{{{tp}}}_EP{{{ep}}}_PP{{{row['pp']}}}",
        "batch_size": batch,
    }
    if kind == "prefill":
        return prefill_moddeling(**common)["Latency"] / 1e3
    half = round(row["output_tokens"] / 2)
    return decode_moddeling(Bb=1, output_tokens=half, **common)["Latency"] / 1e3


def answer(row: dict, model: dict, chip: dict, setting: str) -> dict[str, float]:
    """A decode step of the batch, half of the answer written, and the prefill."""
    if row["dp"] > 1 and model["n_experts"]:
        raise ValueError("no data-parallel attention")
    users = max(round(replica_users(row)), 1)
    asked = json.dumps([row, model, chip])
    prompts = users if setting == "batch prefill" else 1
    return by_little(row, latency_s("prefill", asked, prompts), latency_s("decode", asked, users))


serve(SETTINGS, answer)
