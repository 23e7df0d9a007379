"""How many accelerators a load takes: ours beside the package ``aiconfigurator``, 36 questions.

    python -m venv /some/folder && /some/folder/bin/pip install aiconfigurator==0.12.0
    AICONFIGURATOR_PYTHON=/some/folder/bin/python python bench/bench_gpus_asked.py out.csv

Two models on three accelerators at six loads; bf16, TensorRT-LLM, prompts of 1,000 and answers of
300 tokens, TTFT below 1 s and TPOT below 50 ms. Theirs: for each deployment of its sweeps (with and
without separate pools) that meets both limits, the replicas that carry the load, and the fewest
accelerators of all: what its ``cli_recommend`` answers. It rests on means of a closed loop. Ours,
twice: by means (`Plan` with ``n_refined=0``), and so that 95 % of the requests are within both
limits on each of four draws of Poisson arrivals, proven to be the fewest.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time

import pandas as pd

from econ.plan import plan
from econ.scenario import Scenario

MODELS = {"llama-3.1-8b": "meta-llama/Meta-Llama-3.1-8B", "qwen3-32b": "Qwen/Qwen3-32B"}
SYSTEMS = {"h100-sxm": "h100_sxm", "h200-sxm": "h200_sxm", "b200-sxm": "b200_sxm"}
RATES_PER_S = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
LENGTHS = {"input_tokens": 1000, "output_tokens": 300}
SLO = {"ttft_s": 1.0, "tpot_s": 0.05}

THEIRS = r"""
import json, logging, sys
logging.disable(logging.WARNING)
from aiconfigurator.cli.api import cli_recommend
out = []
for case in json.load(sys.stdin):
    answer = cli_recommend(**case, backend="trtllm", database_mode="SILICON", strict_sla=True)
    fronts = [*answer.pareto_fronts.values(), *answer.best_configs.values()]
    kept = [f[(f["ttft"] <= case["ttft"]) & (f["tpot"] <= case["tpot"])] for f in fronts if len(f)]
    rows = [
        (float(r["seq/s"]), float(r["num_total_gpus"])) for f in kept for _, r in f.iterrows()
    ]
    best = [float(f["total_gpus_needed"].min()) for f in answer.best_configs.values() if len(f)]
    out.append({"rows": rows, "at_target": min(best, default=None)})
print("\x1e" + json.dumps(out))
"""


def theirs(python: str) -> dict[tuple[str, str], dict]:
    """By model and accelerator: rate and accelerators of each deployment that meets the limits."""
    pairs = [(model, chip) for model in MODELS for chip in SYSTEMS]
    asked = [
        {"model_path": MODELS[model], "system": SYSTEMS[chip], "target_request_rate": 10.0,
         "isl": LENGTHS["input_tokens"], "osl": LENGTHS["output_tokens"],
         "ttft": SLO["ttft_s"] * 1e3, "tpot": SLO["tpot_s"] * 1e3}
        for model, chip in pairs
    ]  # fmt: skip
    done = subprocess.run(
        [python, "-c", THEIRS], input=json.dumps(asked), capture_output=True, text=True,
        timeout=3000,
    )  # fmt: skip
    if done.returncode or "\x1e" not in done.stdout:
        sys.exit(f"aiconfigurator gave no answer:\n{done.stderr[-2000:]}")
    answers = json.loads(done.stdout.rpartition("\x1e")[2])
    return dict(zip(pairs, answers, strict=True))


def fewest(deployments: list[tuple[float, float]], rate_per_s: float) -> float:
    """The fewest accelerators on which whole replicas of one deployment carry a load."""
    return min(n_gpu * math.ceil(rate_per_s / rate) for rate, n_gpu in deployments)


def ours(model: str, chip: str, rate_per_s: float) -> dict[str, float]:
    """By means, and by the share of requests within the SLO."""
    s = Scenario.of(model, chip, engine="trtllm", precision="bf16", rate_per_s=rate_per_s,
                    arrival_cv=1.0, **LENGTHS, **SLO)  # fmt: skip
    search = {"accelerators": [chip], "precisions": ["bf16"]}
    start = time.process_time()
    means, share = (plan(s, **search, n_refined=n).best for n in (0, 1))
    return {
        "ours_by_means": means["fleet_gpus"],
        "ours_by_share": share["fleet_gpus"],
        "good_frac": share["good_frac"],
        "cpu_s": time.process_time() - start,
    }


def main() -> None:
    """Print the table and write it."""
    python = os.environ.get("AICONFIGURATOR_PYTHON")
    if not python or len(sys.argv) != 2:
        sys.exit(__doc__)
    rows = []
    for (model, chip), answer in theirs(python).items():
        print(f"{model} on {chip} at 10 requests/s: cli_recommend {answer['at_target']:.0f}, "
              f"from its sweep {fewest(answer['rows'], 10.0):.0f}")  # fmt: skip
        for rate in RATES_PER_S:
            row = {"model": model, "accelerator": chip, "rate_per_s": rate}
            rows.append(row | {"theirs": fewest(answer["rows"], rate)} | ours(model, chip, rate))
    frame = pd.DataFrame(rows)
    frame.to_csv(sys.argv[1], index=False)
    print(frame.to_string(index=False, float_format="{:.3g}".format))
    for name in ("ours_by_means", "ours_by_share"):
        ratio = frame[name] / frame["theirs"]
        print(f"{name}: the same in {(ratio == 1).sum()} of {len(frame)}, more in "
              f"{(ratio > 1).sum()}, fewer in {(ratio < 1).sum()}; median {ratio.median():.2f}, "
              f"{ratio.min():.2f} to {ratio.max():.2f} times theirs")  # fmt: skip


if __name__ == "__main__":
    main()
