"""Side by side with the package ``aiconfigurator``: time per estimate, per sweep, the ranking.

    python -m venv /some/folder && /some/folder/bin/pip install aiconfigurator
    AICONFIGURATOR_PYTHON=/some/folder/bin/python python bench/bench_aiconfigurator.py

The package lives in an environment of its own (its pins are not ours) and is asked through a pipe;
both run on the same machine in the same minutes, one after the other, on the same cases: bf16,
closed loop, TensorRT-LLM. It interpolates tables of measured kernels; ours is a physical model with
fitted efficiencies. Neither is the truth, so the ranking is compared, not an error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from econ.catalog import accelerators_frame
from econ.latency.prediction import predict
from econ.plan import Demand, candidates_frame, concurrency_grid, search_frame
from econ.scenario import Scenario

MODELS = {
    "llama-3.1-8b": "meta-llama/Meta-Llama-3.1-8B",
    "llama-3.1-70b": "meta-llama/Meta-Llama-3.1-70B",
    "qwen3-32b": "Qwen/Qwen3-32B",
}
SYSTEMS = {"h100-sxm": "h100_sxm", "h200-sxm": "h200_sxm", "b200-sxm": "b200_sxm"}
LENGTHS = {"input_tokens": 1000, "output_tokens": 300}
BATCHES = (4, 16, 64)
SLO = {"ttft_s": 1.0, "tpot_s": 0.05}

THEIRS = r"""
import json, logging, sys, time
logging.disable(logging.WARNING)
from aiconfigurator.cli.api import cli_default, cli_estimate
asked, out = json.load(sys.stdin), {"rows": []}
for case in asked["cases"]:
    began = time.perf_counter()
    try:
        found = cli_estimate(**case, backend_name="trtllm").get()
        row = {k: float(found[k]) for k in ("ttft", "tpot", "tokens/s/gpu")}
    except Exception as error:
        row = {"error": f"{type(error).__name__}: {error}"[:200]}
    out["rows"].append(row | {"seconds": time.perf_counter() - began})
for name, sweep in asked["sweeps"].items():
    began = time.perf_counter()
    found = cli_default(**sweep)
    seconds = time.perf_counter() - began
    kept = sum(len(front) for front in found.pareto_fronts.values())
    out.setdefault("sweeps", {})[name] = {"seconds": seconds, "on_front": kept}
print("\x1e" + json.dumps(out))
"""


def cases() -> pd.DataFrame:
    """The deployments that both can estimate."""
    rows = [
        {"model": model, "accelerator": chip, "tp": tp, "concurrency": batch}
        for model in MODELS
        for chip in SYSTEMS
        for tp in ((1, 2) if model == "llama-3.1-8b" else (4, 8))
        for batch in BATCHES
    ]
    return pd.DataFrame(rows)


def ask(frame: pd.DataFrame, python: str) -> dict:
    """Their estimates of the cases, one call each, and one sweep a model, by their own clock."""
    asked = [
        {"model_path": MODELS[r.model], "system_name": SYSTEMS[r.accelerator], "mode": "agg",
         "isl": LENGTHS["input_tokens"], "osl": LENGTHS["output_tokens"],
         "batch_size": r.concurrency, "tp_size": r.tp}
        for r in frame.itertuples()
    ]  # fmt: skip
    sweeps = {
        name: {"model_path": path, "total_gpus": 8, "system": "h200_sxm",
               "isl": LENGTHS["input_tokens"], "osl": LENGTHS["output_tokens"],
               "ttft": 1000.0, "tpot": 50.0}
        for name, path in MODELS.items()
    }  # fmt: skip
    text = json.dumps({"cases": asked, "sweeps": sweeps})
    done = subprocess.run(
        [python, "-c", THEIRS], input=text, capture_output=True, text=True, timeout=900
    )
    if done.returncode or "\x1e" not in done.stdout:
        sys.exit(f"aiconfigurator gave no answer:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.rpartition("\x1e")[2])


def kendall(a: np.ndarray, b: np.ndarray) -> float:
    """Kendall's τ-b."""
    from scipy.stats import kendalltau

    return float(kendalltau(a, b).statistic)


def main() -> None:
    """Run both and print one table."""
    python = os.environ.get("AICONFIGURATOR_PYTHON")
    if not python:
        sys.exit(__doc__)
    frame = cases()
    answer = ask(frame, python)
    theirs = pd.DataFrame(answer["rows"])
    if "error" in theirs:
        for text in theirs["error"].dropna().unique():
            print("not estimated by aiconfigurator:", text)

    rows, seconds = [], []
    for r in frame.itertuples():
        began = time.perf_counter()
        case = Scenario.of(r.model, r.accelerator, tp=r.tp, engine="trtllm", **LENGTHS)
        one = predict(case, concurrency=r.concurrency)
        seconds.append(time.perf_counter() - began)
        rows.append((one.ttft_s, one.tpot_s, one.output_tokens_per_s_per_gpu))
    ours = pd.DataFrame(rows, columns=["ttft_s", "tpot_s", "rate"])

    both = theirs["tpot"].notna() & ours["tpot_s"].notna()
    n = int(both.sum())
    print(
        f"{n} of {len(frame)} cases estimated by both: {', '.join(MODELS)} on {', '.join(SYSTEMS)}"
    )
    print(f"time per estimate: aiconfigurator {theirs['seconds'].median() * 1e3:,.0f} ms, "
          f"ours {np.median(seconds) * 1e3:.2f} ms (medians)")  # fmt: skip
    pairs = {
        "TPOT": (theirs["tpot"] / 1e3, ours["tpot_s"]),
        "TTFT": (theirs["ttft"] / 1e3, ours["ttft_s"]),
        "tokens/s/GPU": (theirs["tokens/s/gpu"], ours["rate"]),
    }
    for name, (a, b) in pairs.items():
        a, b = a[both].to_numpy(), b[both].to_numpy()
        within = [kendall(a[m], b[m]) for m in _groups(frame[both].reset_index(drop=True))]
        off = np.median(np.abs(np.log(b / a)))
        print(f"{name}: Kendall's tau {kendall(a, b):.2f} over all, {np.median(within):.2f} within "
              f"a model (median); ours / theirs {np.exp(np.median(np.log(b / a))):.2f}, "
              f"median gap {np.expm1(off):.0%}")  # fmt: skip

    for name, found in answer["sweeps"].items():
        print(f"sweep of {name}, 8 × h200: aiconfigurator {found['seconds']:.1f} s, "
              f"{found['on_front']} rows on its fronts")  # fmt: skip
    names = accelerators_frame()["id"].tolist()
    for name in MODELS:
        began = time.perf_counter()
        scenario = Scenario.of(name, "h200-sxm", rate_per_s=5.0, **LENGTHS, **SLO)
        rows = candidates_frame(scenario, names, ["bf16", "fp8", "fp4", "int8"],
                                prices_usd_per_gpu_hour=dict.fromkeys(names, 2.0))  # fmt: skip
        searched = search_frame(rows, concurrency_grid(1024, 8), Demand(scenario))
        spent, kept = time.perf_counter() - began, (searched["constraint"] == "").sum()
        print(f"sweep of {name}, {len(names)} accelerators: ours {spent:.2f} s, "
              f"{len(searched):,} deployments, {kept:,} meet the SLO")  # fmt: skip


def _groups(frame: pd.DataFrame) -> list[np.ndarray]:
    return [rows.index.to_numpy() for _, rows in frame.groupby("model")]


if __name__ == "__main__":
    main()
