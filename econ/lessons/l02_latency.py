"""Lesson 02, where the time goes: memory, the KV cache, the roofline, gaps between tokens.

>>> frame = memory_frame("llama-3.1-70b", "h100-sxm", n_gpu=4, precision="fp8",
...                      context_tokens=5000, batch=50)
>>> int(frame["n_fit"].iloc[0])
143
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import accelerator as chip_of
from econ.catalog import classroom
from econ.catalog import model as model_of
from econ.catalog.guard import positive
from econ.catalog.units import GB, MILLI, TERA
from econ.charts import Drawing, Panel, choice, figure, panel, slider
from econ.latency.bound import reality_frame
from econ.latency.prediction import flop_per_token, kv_bytes_per_token, predict, weight_bytes
from econ.lessons.deployments import MODELS, PRECISIONS
from econ.scenario import Scenario

CASE: dict[str, Any] = {"model": "llama-3.1-70b", "accelerator": "h100-sxm", "tp": 4,
                        "precision": "fp8", "input_tokens": 1000,
                        "output_tokens": 500}  # fmt: skip


def memory_frame(
    model: str, accelerator: str, *, n_gpu: int, precision: str, context_tokens: float, batch: int
) -> pd.DataFrame:
    """What fills the memory: part, size_gb, limit_gb, and n_fit, the sequences that would fit.

    Weights as stored; KV cache in 2 bytes; a tenth of the memory is left to the runtime.
    """
    positive("context_tokens", context_tokens, 1e8)
    chip = chip_of(accelerator)
    limit = 0.9 * n_gpu * (chip.device_memory_bytes or chip.memory_bytes)
    weights = weight_bytes(model, precision)
    one = float(model_of(model).kv_bytes(context_tokens))
    n_fit = max(int((limit - weights) // one), 0) if weights < limit else 0
    rows = [("weights", weights), ("KV cache", batch * one)]
    frame = pd.DataFrame(rows, columns=["part", "size_bytes"])
    return pd.DataFrame(
        {
            "part": frame["part"],
            "size_gb": frame["size_bytes"] / GB,
            "limit_gb": limit / GB,
            "n_fit": n_fit,
            "batch": batch,
        }
    )


def kv_trap_frame(models: list[str]) -> pd.DataFrame:
    """KV bytes per token from the KV heads, and what the hidden size alone would suggest."""
    rows = []
    for id in models:
        net = model_of(id)
        naive = 2.0 * net.n_layers * net.hidden_size * 2
        right = kv_bytes_per_token(id)
        rows.append((id, net.attention_kind, right, naive, naive / right))
    columns = ["model", "attention", "kv_bytes_per_token", "from_hidden_size", "ratio"]
    return pd.DataFrame(rows, columns=columns)


def roof_frame(
    model: str,
    accelerator: str,
    *,
    precision: str,
    context_tokens: float,
    batches: tuple[int, ...] = (1, 4, 16, 64, 256, 1024),
) -> pd.DataFrame:
    """The roofline of a chip and where decode and prefill stand on it.

    Columns: ``intensity`` (FLOP per byte), ``rate_tflops``, ``kind`` (roof, decode, prefill),
    ``label``. Decode reads the weights once and every sequence's cache; prefill of the whole
    context reads the weights once.
    """
    chip = chip_of(accelerator)
    peak, bandwidth = chip.peak_flop_per_s(precision), chip.memory_bandwidth_bytes_per_s
    weights, cache = (
        weight_bytes(model, precision),
        float(model_of(model).kv_bytes(context_tokens)),
    )
    work = flop_per_token(model, context_tokens)
    points = [("decode", f"batch {b}", b * work / (weights + b * cache)) for b in batches]
    points.append(
        ("prefill", "prefill", 2 * model_of(model).active_params * context_tokens / weights)
    )
    ridge = peak / bandwidth
    line = [0.5, ridge, max(20 * ridge, 1.2 * max(p[2] for p in points))]
    rows = [("roof", "", x) for x in line] + points
    frame = pd.DataFrame(rows, columns=["kind", "label", "intensity"])
    frame["rate_tflops"] = np.minimum(peak, frame["intensity"] * bandwidth) / TERA
    return frame.assign(ridge=ridge)


def measured_frame() -> pd.DataFrame:
    """The roof of `reality_frame`'s accelerator with its measured decode steps under it.

    Columns as in `roof_frame`, and ``measured_tflops``: FLOP of a step over its measured time, per
    accelerator. The context is the prompt and half the answer.
    """
    runs = reality_frame()
    first = runs.iloc[0]
    context = first.input_tokens + first.output_tokens / 2
    frame = roof_frame(first.model, first.accelerator, precision=first.precision,
                       context_tokens=context, batches=tuple(runs["batch"]))  # fmt: skip
    work = flop_per_token(first.model, context)
    done = runs["batch"] * work / runs["measured_tpot_s"] / runs["n_gpu"] / TERA
    labels = [f"batch {batch}" for batch in runs["batch"]]
    return frame.assign(measured_tflops=frame["label"].map(dict(zip(labels, done, strict=True))))


def prefill_frame(
    n_prompt_tokens: tuple[int, ...] = (100, 300, 1000, 3000, 10_000),
) -> pd.DataFrame:
    """TTFT and TPOT of one user of the lesson's deployment by the length of the prompt."""
    rows = []
    for n in n_prompt_tokens:
        one = predict(Scenario.of(**(CASE | {"input_tokens": n})), concurrency=1)
        rows.append((n, one.ttft_s, one.tpot_s / MILLI))
    return pd.DataFrame(rows, columns=["input_tokens", "ttft_s", "tpot_ms"])


def stalls_frame(*, concurrency: float, **case: Any) -> pd.DataFrame:
    """The gaps between tokens behind a TPOT: kind, gap_ms, share of the gaps.

    Most gaps are a plain step; when another user's prompt is read in between, the gap is longer
    by that prefill. The mean of all is the TPOT.
    """
    one = predict(Scenario.of(**case), concurrency=concurrency)
    stall_s = one.ttft_parts_s["own prompt"]
    plain_s = one.tpot_s - one.parts_s["others' prompts"]
    often = one.parts_s["others' prompts"] / stall_s
    return pd.DataFrame(
        {
            "kind": ["plain step", "a prompt in between", "mean: the TPOT"],
            "gap_ms": [plain_s / MILLI, (plain_s + stall_s) / MILLI, one.tpot_s / MILLI],
            "share": [1 - often, often, 1.0],
        }
    )


# -- charts and panels -----------------------------------------------------------------------------


def memory_chart(frame: pd.DataFrame) -> Drawing:
    """`memory_frame`: weights and KV cache against the memory."""
    total, row = frame["size_gb"].sum(), frame.iloc[0]
    verdict = "fits" if total <= row.limit_gb else "does not fit"
    return figure(
        frame.assign(memory="memory"),
        "size_gb",
        "memory",
        by="part",
        kind="bar",
        rule_x="limit_gb",
        height=60,
        x_title="Memory (GB)",
        finding="Does it fit?",
        says=f"Weights {frame['size_gb'].iloc[0]:.0f} GB and KV cache "
        f"{frame['size_gb'].iloc[1]:.0f} GB for {row.batch} sequences, against "
        f"{row.limit_gb:.0f} GB usable (the line): {verdict}. At most {row.n_fit:,} sequences "
        "of this length fit.",
    )


def memory_panel() -> Panel:
    """Memory by model, accelerator, count, precision, context and batch."""

    def memory(
        batch: int, context: int, model: str, chip: str, n_gpu: int, precision: str
    ) -> pd.DataFrame:
        return memory_frame(
            model, chip, n_gpu=n_gpu, precision=precision, context_tokens=context, batch=batch
        )

    return panel(
        memory,
        memory_chart,
        batch=slider(1, 5000, value=50, log=True, label="Batch (sequences)"),
        context=slider(500, 1_000_000, value=5000, log=True, label="Context (tokens)"),
        model=choice(MODELS, value="llama-3.1-70b", label="Model"),
        chip=choice(classroom(), value="h100-sxm", label="Accelerator"),
        n_gpu=choice([1, 2, 4, 8, 16], value=4, label="Count"),
        precision=choice(PRECISIONS, value="fp8", label="Precision"),
        presets={
            "70B, 5,000 tokens": {},
            "70B, 50,000 tokens": {"context": 50_000},
            "gpt-oss, 50,000 tokens": {"model": "gpt-oss-120b", "context": 50_000},
        },
    )


def roof_chart(frame: pd.DataFrame) -> Drawing:
    """`roof_frame`: the roof of an accelerator with decode and prefill under it."""
    decode = frame[frame["kind"] == "decode"]
    ridge = frame["ridge"].iloc[0]
    beyond = decode[decode["intensity"] >= ridge]["label"]
    reached = (
        f"decode reaches it from {beyond.iloc[0]} on" if len(beyond) else "decode never reaches it"
    )
    return figure(
        frame.assign(is_work=frame["kind"] != "roof"),
        "intensity",
        "rate_tflops",
        mark="is_work",
        label="label",
        log="xy",
        x_title="Arithmetic intensity (FLOP per byte)",
        y_title="Attainable rate (TFLOP/s)",
        finding="Under which part of the roof does the work stand?",
        says=f"The roof bends at {ridge:.0f} FLOP per byte; {reached}. Decode at batch 1 has "
        f"{decode['intensity'].iloc[0]:.1f} FLOP per byte and at {decode['label'].iloc[-1]} "
        f"{decode['intensity'].iloc[-1]:.0f}; prefill "
        f"{frame[frame['kind'] == 'prefill']['intensity'].iloc[0]:,.0f}.",
    )


def measured_chart(frame: pd.DataFrame) -> Drawing:
    """`measured_frame`: measured steps as points under the roof."""
    steps = frame.dropna(subset="measured_tflops")
    share = steps["measured_tflops"] / steps["rate_tflops"]
    roof = frame[["intensity", "rate_tflops"]].assign(series="roof", label="")
    done = steps[["intensity", "label"]].assign(
        series="measured", rate_tflops=steps["measured_tflops"]
    )
    return figure(
        pd.concat([roof, done]),
        "intensity",
        "rate_tflops",
        by="series",
        label="label",
        points=True,
        legend=True,
        log="xy",
        x_title="Arithmetic intensity (FLOP per byte)",
        y_title="Rate of one accelerator (TFLOP/s)",
        finding=f"Measured steps reach {share.min():.0%} to {share.max():.0%} of the roof",
        subtitle="Llama-3.1-70B in fp8 on four H100, batch 4 to 64; InferenceX runs",
        says=f"Measured decode under the roof: batch 4 to 64 reach "
        f"{steps['measured_tflops'].iloc[0]:.1f} to {steps['measured_tflops'].iloc[-1]:.0f} "
        f"TFLOP/s per accelerator, {share.min():.0%} to {share.max():.0%} of what the memory "
        f"allows. The roof bends at {frame['ridge'].iloc[0]:.0f} FLOP per byte.",
    )


def roof_panel() -> Panel:
    """The roofline by model, accelerator, precision and context."""

    def roof(context: int, model: str, chip: str, precision: str) -> pd.DataFrame:
        return roof_frame(model, chip, precision=precision, context_tokens=context)

    return panel(
        roof,
        roof_chart,
        context=slider(100, 100_000, value=1000, log=True, label="Context (tokens)"),
        model=choice(MODELS, value="llama-3.1-8b", label="Model"),
        chip=choice(classroom(), value="h100-sxm", label="Accelerator"),
        precision=choice(PRECISIONS, label="Precision"),
        presets={
            "short context": {},
            "long context": {"context": 50_000},
            "fewer KV bytes (MLA)": {"model": "deepseek-v3", "context": 50_000},
        },
    )
