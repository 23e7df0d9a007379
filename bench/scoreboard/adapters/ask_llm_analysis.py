"""llm-analysis: rooflines of a Transformer's layers (``LLMAnalysis.inference``)."""

from __future__ import annotations

from asking import by_little, replica_users, serve
from llm_analysis.analysis import LLMAnalysis
from llm_analysis.config import GPUConfig, ModelConfig, ParallelismConfig
from llm_analysis.config import get_dtype_config_by_name as dtype

SETTINGS = {
    f"efficiency {compute} and {memory}, {words}": f"flops_efficiency {compute}, "
    f"hbm_memory_efficiency {memory} ({why}); {how}"
    for compute, memory, why in (
        (0.7, 0.9, "its guide's figures for inference"),
        (0.5, 0.65, "its guide's for training, and the middle of its own warning"),
    )
    for words, how in (
        ("one prompt", "prefill of one prompt"),
        ("batch prefill", "prefill of the row's batch at once"),
    )
}
PRECISIONS = {"bf16": "w16a16e16", "fp8": "w8a8e16", "int8": "w8a8e16", "fp4": "w4a4e16",
              "int4": "w4a16e16"}  # fmt: skip
LATENCY_S = 8e-6  # of a message within a server, as in its own entries


def config(row: dict, model: dict) -> ModelConfig:
    """The model in its own words; a third feed-forward matrix counts as half as much width."""
    if model["mla_kv_lora_rank"]:
        raise ValueError("no latent attention")
    if model["n_linear_layers"]:
        raise ValueError("no linear attention")
    if 0 < model["n_dense_layers"] < model["n_layers"]:
        raise ValueError("no mixture with dense layers")
    width = model["moe_ffn_size"] if model["n_experts"] else model["ffn_size"]
    return ModelConfig(
        name=row["model"],
        num_layers=model["n_layers"],
        n_head=model["n_heads"],
        hidden_dim=model["hidden_size"],
        vocab_size=model["vocab_size"],
        num_key_value_heads=model["n_kv_heads"],
        ffn_embed_dim=round(width * model["n_ffn_matrices"] / 2),
        expansion_ratio=1,
        moe_num_experts=max(model["n_experts"], 1),
        moe_top_k=max(model["experts_per_token"], 1),
    )


def answer(row: dict, model: dict, chip: dict, setting: str) -> dict[str, float]:
    """Prefill and decode of one replica."""
    words = setting.replace(",", "").split()
    if row["dp"] > 1 and model["n_experts"]:
        raise ValueError("no data-parallel attention")
    gpu = GPUConfig(
        name=row["accelerator"],
        mem_per_GPU_in_GB=chip["memory_bytes"] / 2**30,
        hbm_bandwidth_in_GB_per_sec=chip["memory_bandwidth_bytes_per_s"] / 1e9,
        intra_node_bandwidth_in_GB_per_sec=chip["scaleup_bandwidth_bytes_per_s"] / 1e9,
        intra_node_min_message_latency=LATENCY_S,
        peak_fp16_TFLOPS=chip["peak_bf16_flop_per_s"] / 1e12,
        peak_i8_TFLOPS=chip["peak_fp8_flop_per_s"] / 1e12,
        peak_i4_TFLOPS=(chip["peak_fp4_flop_per_s"] or chip["peak_fp8_flop_per_s"]) / 1e12,
    )
    ep = row["ep"] if model["n_experts"] else 1
    analysis = LLMAnalysis(
        config(row, model),
        gpu,
        dtype(PRECISIONS[row["precision"]]),
        ParallelismConfig(tp_size=max(row["tp"] // ep, 1), pp_size=row["pp"], ep_size=ep,
                          sp_size=1),
        flops_efficiency=float(words[1]),
        hbm_memory_efficiency=float(words[3]),
    )  # fmt: skip

    def infer(batch: int) -> dict:
        return analysis.inference(
            batch_size_per_gpu=batch,
            seq_len=round(row["input_tokens"]),
            num_tokens_to_generate=round(row["output_tokens"]),
            kv_cache_dtype_bytes=1 if row["kv_precision"] == "fp8" else 2,
        )

    found = infer(max(round(replica_users(row)), 1))
    first = found if setting.endswith("batch prefill") else infer(1)
    return by_little(row, first["prefill_latency"], found["decode_latency"])


serve(SETTINGS, answer)
