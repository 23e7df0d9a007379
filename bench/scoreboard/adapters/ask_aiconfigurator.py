"""aiconfigurator: interpolated tables of measured kernels (``cli_estimate``, mode ``agg``)."""

from __future__ import annotations

from functools import cache

from aiconfigurator.cli.api import cli_estimate
from aiconfigurator.sdk.perf_database import get_latest_database_version
from asking import replica_users, serve

SETTINGS = {
    "measured tables": "database_mode SILICON, newest tables of the row's engine, ctx_tokens = isl "
    "(the defaults)",
    "tables, 8k of prompt": "the same with ctx_tokens = 8192, the engines' own budget of prompt "
    "tokens a step",
    "tables and formulas": "database_mode HYBRID (formulas where no table was measured), the rest "
    "as by default",
    "tables and formulas, 8k of prompt": "database_mode HYBRID, ctx_tokens = 8192",
}
CHECKPOINTS = {
    "llama-3.1-8b": "meta-llama/Meta-Llama-3.1-8B",
    "llama-3.1-70b": "meta-llama/Meta-Llama-3.1-70B",
    "llama-3.1-405b": "meta-llama/Meta-Llama-3.1-405B",
    "llama-4-scout": "meta-llama/Llama-4-Scout-17B-16E-Instruct",
    "llama-4-maverick": "meta-llama/Llama-4-Maverick-17B-128E-Instruct",
    "qwen3-8b": "Qwen/Qwen3-8B",
    "qwen3-32b": "Qwen/Qwen3-32B",
    "qwen3-30b-a3b": "Qwen/Qwen3-30B-A3B",
    "qwen3-235b-a22b": "Qwen/Qwen3-235B-A22B",
    "qwen3.5-397b-a17b": "Qwen/Qwen3.5-397B-A17B",
    "gpt-oss-20b": "openai/gpt-oss-20b",
    "gpt-oss-120b": "openai/gpt-oss-120b",
    "minimax-m2.5": "MiniMaxAI/MiniMax-M2.5",
    "kimi-k2.5": "moonshotai/Kimi-K2.5",
    "glm-5": "zai-org/GLM-5",
    "deepseek-v3": "deepseek-ai/DeepSeek-V3",
}
QUANTISED = {  # a checkpoint of that precision, where the package ships one
    ("qwen3-32b", "fp8"): "Qwen/Qwen3-32B-FP8",
    ("qwen3-30b-a3b", "fp8"): "Qwen/Qwen3-30B-A3B-FP8",
    ("qwen3-235b-a22b", "fp8"): "Qwen/Qwen3-235B-A22B-FP8",
    ("qwen3-235b-a22b", "fp4"): "nvidia/Qwen3-235B-A22B-NVFP4",
    ("qwen3.5-397b-a17b", "fp4"): "nvidia/Qwen3.5-397B-A17B-NVFP4",
    ("llama-3.1-70b", "fp8"): "nvidia/Llama-3.1-70B-Instruct-FP8",
    ("minimax-m2.5", "fp4"): "nvidia/MiniMax-M2.5-NVFP4",
    ("kimi-k2.5", "fp4"): "nvidia/Kimi-K2.5-NVFP4",
    ("glm-5", "fp8"): "zai-org/GLM-5-FP8",
    ("glm-5", "fp4"): "nvidia/GLM-5-NVFP4",
    ("deepseek-v3", "fp4"): "nvidia/DeepSeek-V3.1-NVFP4",
}
NATIVE = {  # the precision that a checkpoint's own configuration says
    ("minimax-m2.5", "fp8"),
    ("deepseek-v3", "fp8"),
    ("kimi-k2.5", "int4"),
    ("gpt-oss-120b", "fp4"),
    ("gpt-oss-20b", "fp4"),
}
MODES = {"bf16": "bfloat16", "fp8": "fp8", "fp4": "nvfp4", "int4": "int4_wo", "int8": "int8_wo"}
SYSTEMS = {"h100-sxm": "h100_sxm", "h200-sxm": "h200_sxm", "b200-sxm": "b200_sxm",
           "b300-sxm": "b300_sxm", "a100-sxm-80gb": "a100_sxm"}  # fmt: skip


@cache
def newest(system: str, engine: str) -> str:
    """The newest tables: what the package looks up itself at each call, in seconds each time."""
    found = get_latest_database_version(system=system, backend=engine)
    if found is None:
        raise ValueError(f"no tables of {engine} on {system}")
    return found


def answer(row: dict, model: dict, chip: dict, setting: str) -> dict[str, float]:
    """One estimate of a steady, aggregated deployment."""
    key = (row["model"], row["precision"])
    if row["model"] not in CHECKPOINTS:
        raise ValueError(f"no configuration of {row['model']}")
    if row["accelerator"] not in SYSTEMS:
        raise ValueError(f"no system {row['accelerator']}")
    more = {}
    if key not in QUANTISED and key not in NATIVE:
        more = {"gemm_quant_mode": MODES[row["precision"]]}
        if model["n_experts"]:
            more["moe_quant_mode"] = MODES[row["precision"]]
    if model["n_experts"]:
        more |= {"moe_ep_size": row["ep"], "moe_tp_size": row["tp"] * row["dp"] // row["ep"]}
    if row["kv_precision"]:
        more["kvcache_quant_mode"] = MODES[row["kv_precision"]]
    system = SYSTEMS[row["accelerator"]]
    found = cli_estimate(
        QUANTISED.get(key, CHECKPOINTS[row["model"]]),
        system,
        mode="agg",
        backend_name=row["engine"],
        backend_version=newest(system, row["engine"]),
        database_mode="HYBRID" if "formulas" in setting else "SILICON",
        isl=round(row["input_tokens"]),
        osl=round(row["output_tokens"]),
        ctx_tokens=8192 if "8k" in setting else None,
        batch_size=max(round(replica_users(row)), 1),
        tp_size=row["tp"],
        pp_size=row["pp"],
        attention_dp_size=row["dp"],
        **more,
    ).get()
    return {
        "ttft_s": found["ttft"] / 1e3,
        "tpot_s": found["tpot"] / 1e3,
        "output_tokens_per_s_per_gpu": found["tokens/s/gpu"],
    }


serve(SETTINGS, answer)
