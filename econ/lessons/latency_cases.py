"""The cases that notebook 02 looks at: anatomy of a step, memory, roofline, choices, measured runs.

>>> frame = anatomy_frame("llama-3.1-70b", "h100-sxm", tp=4, precision="fp8", input_tokens=1000)
>>> bool(frame["batch"].max() >= 64)
True
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog import accelerator as chip_of
from econ.catalog import model as model_of
from econ.catalog.guard import positive
from econ.catalog.units import GB, MILLI, TERA
from econ.latency.accuracy import measured
from econ.latency.evidence import sample_runs
from econ.latency.prediction import (
    DoesNotFit,
    Prediction,
    flop_per_token,
    kv_bytes_per_token,
    predict,
    predict_frame,
    weight_bytes,
)
from econ.scenario import Scenario

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
# kernels of one kind in the order in which they are stacked
ORDER = ["weights", "compute", "kv cache", "kernels", "links", "host", "others' prompts"]


def anatomy_frame(
    model: str,
    accelerator: str,
    *,
    tp: int,
    precision: str,
    input_tokens: float,
    output_tokens: float = 500,
    batches: tuple[int, ...] = BATCHES,
) -> pd.DataFrame:
    """What a token's time is made of, batch by batch: batch, part, time_ms, total_ms.

    Ends at the last batch that memory holds; raises where not even one request fits.
    """
    case = Scenario.of(
        model, accelerator, tp=tp, precision=precision,
        input_tokens=input_tokens, output_tokens=output_tokens,
    )  # fmt: skip
    rows = []
    for batch in batches:
        try:
            one = predict(case, concurrency=batch)
        except DoesNotFit:
            if rows:
                break
            raise
        if one.batch < 0.8 * batch:
            break
        rows += [
            {
                "batch": batch,
                "part": part,
                "time_ms": one.parts_s.get(part, 0.0) / MILLI,
                "total_ms": one.tpot_s / MILLI,
            }
            for part in ORDER
        ]
    return pd.DataFrame(rows)


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


def choices_frame(cases: list[dict]) -> pd.DataFrame:
    """Deployments side by side: the given columns, with TTFT, TPOT, throughput and its limit."""
    frame = predict_frame(pd.DataFrame(cases))
    return frame.assign(tpot_ms=frame["tpot_s"] / MILLI)


def touched_frame(models: list[str], batches: tuple[int, ...] = BATCHES) -> pd.DataFrame:
    """The share of a mixture's experts that a batch reaches: 1 − (1 − k/E)^batch."""
    rows = []
    for id in models:
        net = model_of(id)
        share = net.experts_per_token / net.n_experts
        rows += [(id, b, 100 * (1 - (1 - share) ** b)) for b in batches]
    return pd.DataFrame(rows, columns=["model", "batch", "touched_percent"])


def stalls_frame(*, concurrency: float, **case: object) -> pd.DataFrame:
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


def parity_frame() -> pd.DataFrame:
    """Measured runs of the shipped sample beside the prediction, with the factor between them."""
    runs = sample_runs()
    ours = predict_frame(runs.drop(columns=["ttft_s", "tpot_s"]))
    truth = measured(runs)
    return runs.assign(
        measured_ms=truth["tpot_s"] / MILLI,
        predicted_ms=ours["tpot_s"].to_numpy() / MILLI,
        factor=ours["tpot_s"].to_numpy() / truth["tpot_s"].to_numpy(),
        ttft_factor=ours["ttft_s"].to_numpy() / truth["ttft_s"].to_numpy(),
    )


def bands_frame(predictions: dict[str, Prediction]) -> pd.DataFrame:
    """Predictions with the band that holds 90 % of unseen runs: case, regime, low, TPOT, high."""
    rows = []
    for name, one in predictions.items():
        low, high = one.band("tpot_s")
        rows.append((name, one.regime, low / MILLI, one.tpot_s / MILLI, high / MILLI))
    return pd.DataFrame(rows, columns=["case", "regime", "low_ms", "tpot_ms", "high_ms"])


def prefix_frame(
    cached_frac: tuple[float, ...] = (0.0, 0.5, 0.9), *, concurrency: float, **case: object
) -> pd.DataFrame:
    """What a prefix cache saves: cached_frac, ttft_s, tpot_ms, output_tokens_per_s_per_gpu.

    A cached share of the prompt is not computed, by its own user nor by those who wait for it; new
    tokens still attend to it, and the KV cache is read and held whole.
    """
    scenarios = [Scenario.of(**case).with_(cached_frac=share) for share in cached_frac]
    frame = predict.vector(scenarios, concurrency=concurrency)
    return pd.DataFrame(
        {
            "cached_frac": cached_frac,
            "ttft_s": frame["ttft_s"],
            "tpot_ms": frame["tpot_s"] / MILLI,
            "output_tokens_per_s_per_gpu": frame["output_tokens_per_s_per_gpu"],
        }
    )
