"""ChimeraForge: the roofline of its planner, fitted to runs on consumer cards."""

from __future__ import annotations

from functools import cache

from asking import by_little, replica_users, serve
from chimeraforge.planner.hardware import get_gpu, spec_from_overrides
from chimeraforge.planner.models import LatencyModel, VRAMModel, load_bundled_models

SETTINGS = {
    "planner": "the calls of its planner: bandwidth roofline of active weights with its fitted "
    "share, batched and split over tp; prefill of one prompt on one card",
    "prefill split over tp": "the same with the prefill split over the accelerators too",
}
CHIPS = {"h100-sxm": "H100 80GB", "h200-sxm": "H200 141GB", "b200-sxm": "B200 180GB",
         "mi300x": "MI300X 192GB"}  # fmt: skip
PRECISIONS = {"bf16": "BF16", "fp8": "FP8", "fp4": "AWQ", "int4": "AWQ", "int8": "Q8_0"}
ENGINES = ("vllm", "sglang")
bundled = cache(load_bundled_models)


def card(row: dict, chip: dict):
    """Its own entry of the accelerator, or one of the datasheet's figures."""
    found = get_gpu(CHIPS.get(row["accelerator"], row["accelerator"]))
    if found is not None:
        return found
    return spec_from_overrides(row["accelerator"], {
        "vram_gb": chip["memory_bytes"] / 1e9,
        "bandwidth_gbps": chip["memory_bandwidth_bytes_per_s"] / 1e9,
        "fp16_tflops": chip["peak_bf16_flop_per_s"] / 1e12,
        "interconnect_gbps": 2 * chip["scaleup_bandwidth_bytes_per_s"] / 1e9,
    })  # fmt: skip


def answer(row: dict, model: dict, chip: dict, setting: str) -> dict[str, float]:
    """Decode rate of a batch and prefill of one prompt."""
    if row["engine"] not in ENGINES:
        raise ValueError(f"no backend {row['engine']}")
    gpu, quant = card(row, chip), PRECISIONS[row["precision"]]
    active_b, tp = model["active_params"] / 1e9, row["tp"] * row["pp"]
    arch = {"n_layers": model["n_layers"], "n_kv_heads": model["n_kv_heads"],
            "d_head": model["head_dim"], "hidden_size": model["hidden_size"]}  # fmt: skip
    if model["mla_kv_lora_rank"]:
        arch["kv_elems_per_token_per_layer"] = model["mla_kv_lora_rank"] + model["mla_rope_dim"]
    if model["n_attention_layers"] < model["n_layers"]:
        arch["n_attention_layers"] = model["n_attention_layers"]
    users = max(round(replica_users(row)), 1)
    context = round(row["input_tokens"] + row["output_tokens"] / 2)
    speed, batch_kv_gb = bundled().throughput, VRAMModel.kv_cache_gb(arch, context, 1)
    alone = speed.roofline_tps(active_b, quant, gpu)
    together = speed.tp_decode_tps(alone, batch_kv_gb, users, tp, model["hidden_size"],
                                   model["n_layers"], gpu.interconnect_gbps, gpu,
                                   active_b)  # fmt: skip
    ttft_ms = LatencyModel.predict_ttft_ms(
        active_b, round(row["input_tokens"]), gpu, quant=quant, arch=arch
    )
    if setting == "prefill split over tp":
        ttft_ms /= tp
    return by_little(row, ttft_ms / 1e3, users / together)


serve(SETTINGS, answer)
