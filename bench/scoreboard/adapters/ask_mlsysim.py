"""MLSys·im: a first-order roofline (``ServingModel``)."""

from __future__ import annotations

from asking import by_little, replica_users, serve
from mlsysim import Hardware, Models
from mlsysim.core.units import Q_, ureg
from mlsysim.engine.solvers.serving import ServingModel
from mlsysim.models.types import SparseTransformerWorkload, TransformerWorkload

SETTINGS = {
    f"efficiency {share}, {words}": f"efficiency {share} ({why}); {how}"
    for share, why in ((0.5, "the default"), (0.3, "the guide's lower end for prefill"))
    for words, how in (
        ("batch prefill", "one call with the row's batch: all its prompts are read together"),
        ("one prompt", "time to first token of one prompt, time between tokens of the batch"),
    )
}
OWN = {"llama-3.1-8b": Models.Language.Llama3_8B, "llama-3.1-70b": Models.Language.Llama3_70B,
       "llama-3.1-405b": Models.Language.Llama3_405B,
       "deepseek-v3": Models.Language.DeepSeek_V3}  # fmt: skip
CHIPS = {"h100-sxm": Hardware.Cloud.H100, "h200-sxm": Hardware.Cloud.H200,
         "b200-sxm": Hardware.Cloud.B200, "mi300x": Hardware.Cloud.MI300X,
         "mi325x": Hardware.Cloud.MI325X}  # fmt: skip
PRECISIONS = {"bf16": "fp16", "fp8": "fp8", "fp4": "int4", "int4": "int4", "int8": "int8"}


def workload(row: dict, model: dict) -> TransformerWorkload:
    """Its own entry of the model, or a new one with the model's dimensions."""
    if row["model"] in OWN:
        return OWN[row["model"]]
    common = {
        "name": row["model"], "architecture": "Transformer", "layers": model["n_layers"],
        "parameters": Q_(model["params"], ureg.count), "hidden_dim": model["hidden_size"],
        "heads": model["n_heads"], "kv_heads": model["n_kv_heads"], "head_dim": model["head_dim"],
    }  # fmt: skip
    if model["mla_kv_lora_rank"]:
        common |= {"kv_lora_rank": model["mla_kv_lora_rank"],
                   "qk_rope_head_dim": model["mla_rope_dim"]}  # fmt: skip
    if not model["n_experts"]:
        return TransformerWorkload(**common)
    return SparseTransformerWorkload(
        **common,
        active_parameters=Q_(model["active_params"], ureg.count),
        experts=model["n_experts"],
        active_experts_per_token=model["experts_per_token"],
    )


def node(row: dict, chip: dict):
    """One replica's accelerators added up (it has no tensor parallelism in serving: communication
    is left out, in its favour): its own entry, or its B200 with the datasheet's figures."""
    n, found = row["tp"] * row["pp"], CHIPS.get(row["accelerator"])
    if found is None:
        found = CHIPS["b200-sxm"]
        rates = {"fp8": chip["peak_fp8_flop_per_s"], "int8": chip["peak_fp8_flop_per_s"],
                 "int4": chip["peak_fp4_flop_per_s"] or chip["peak_fp8_flop_per_s"],
                 "fp16": chip["peak_bf16_flop_per_s"]}  # fmt: skip
        rates = {name: Q_(rate, "flop/s") for name, rate in rates.items()}
        peak = rates["fp16"]
        memory = {"bandwidth": Q_(chip["memory_bandwidth_bytes_per_s"], "byte/s"),
                  "capacity": Q_(chip["memory_bytes"], "byte")}  # fmt: skip
    else:
        rates, peak = found.compute.precision_flops, found.compute.peak_flops
        memory = {"bandwidth": found.memory.bandwidth, "capacity": found.memory.capacity}
    compute = {"peak_flops": peak * n,
               "precision_flops": {name: rate * n for name, rate in rates.items()}}  # fmt: skip
    return found.model_copy(update={
        "compute": found.compute.model_copy(update=compute),
        "memory": found.memory.model_copy(update={k: v * n for k, v in memory.items()}),
    })  # fmt: skip


def answer(row: dict, model: dict, chip: dict, setting: str) -> dict[str, float]:
    """Prefill and decode of one replica."""
    users = max(round(replica_users(row)), 1)

    def solve(tokens: float, batch: int):
        found = ServingModel().solve(
            workload(row, model), node(row, chip), seq_len=round(tokens), batch_size=batch,
            precision=PRECISIONS[row["precision"]], efficiency=float(setting.split()[1][:-1]),
        )  # fmt: skip
        if not found.feasible:
            raise ValueError("does not fit in memory")
        return found

    step = solve(row["input_tokens"] + row["output_tokens"] / 2, users)
    prompts = 1 if setting.endswith("one prompt") else users
    prefill = solve(row["input_tokens"], prompts)
    return by_little(row, prefill.ttft.m_as("s"), step.itl.m_as("s"))


serve(SETTINGS, answer)
