"""A race against Vidur's own source: the same requests, the same cost of a step, equal times.

    .venv/bin/python bench/bench_vidur.py PYTHON_OF_VIDUR           # about two minutes
    .venv/bin/python bench/bench_vidur.py PYTHON_OF_VIDUR --golden  # write the tests' file anew

``PYTHON_OF_VIDUR`` is an interpreter that can import Vidur: ``pip install vidur`` in an environment
of its own, or a clone of github.com/microsoft/vidur on its PYTHONPATH. Its step times are learned
from profiles that it fetches; `vidur_side` puts an affine cost in their place, so that both sides
schedule the same work. Every run must agree to `EQUAL_S`, or there is no figure.

The two take turns. A figure is a ratio of processor seconds of one run each, Vidur's without its
start, its files and plots, ours with checks and results; the spread is over the turns. The result
is written to ``bench/results/vidur.json`` with the day, the machine and its load; README and
documentation quote that file.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from econ.catalog.units import MEGA
from econ.serving import Replica, RequestTimes, StepCost, compiled, simulate

HERE = Path(__file__).parent
RESULT = HERE / "results" / "vidur.json"
GOLDEN = HERE.parent / "tests" / "serving" / "vidur_golden.json"
SIDE = HERE / "vidur_side.py"
EQUAL_S = 1e-11
TURNS = 3
N_REQUESTS = {"chunked_prefill": 3000, "prefill_first": 3000}
N_GOLDEN = 60
COST_PS = {
    "base": 6_000_000_000, "per_token": 45_000_000, "per_ctx_token": 45_000,
    "prefill_base": 1_000_000_000, "prefill_per_pair": 200,
}  # fmt: skip


def case(policy: str, n: int, seed: int = 1) -> dict[str, object]:
    """Requests of about 1,000 tokens in and 200 out at 80 % load, arriving at whole µs."""
    rng = np.random.default_rng(seed)
    arrival_s = np.round(np.cumsum(rng.exponential(1 / 12, n)), 6)
    # a longer prompt than the budget waits forever in Vidur's scheduler of whole prompts
    lengths = [np.clip(rng.gamma(4, mean / 4, n), 2, 4096).astype(int) for mean in (1000, 200)]
    rows = [[t.item() for t in row] for row in zip(arrival_s, *lengths, strict=True)]
    return {
        "policy": policy, "token_budget": 4096 if policy == "prefill_first" else 512,
        "max_batch": 128, "cost_ps": COST_PS, "requests": rows,
    }  # fmt: skip


def prepared(given: dict) -> tuple[list[np.ndarray], Replica]:
    """A case as arrays, and one replica with memory for all."""
    cost = {f"{name}_s": ps / MEGA**2 for name, ps in given["cost_ps"].items()}
    replica = Replica(
        cost=StepCost.affine(**cost), kv_tokens=10**9, max_batch=given["max_batch"],
        policy=given["policy"], token_budget=given["token_budget"],
    )  # fmt: skip
    return [np.array(column) for column in zip(*given["requests"], strict=True)], replica


def theirs(python: str, given: dict) -> dict:
    """The same case through Vidur."""
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder) / "case.json", Path(folder) / "answer.json"
        question.write_text(json.dumps(given), encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        command = [python, str(SIDE), str(question), str(answer)]
        subprocess.run(command, check=True, cwd=folder, env=environment, capture_output=True)
        return json.loads(answer.read_text(encoding="utf-8"))


def gap_s(times: RequestTimes, answer: dict) -> float:
    """The largest difference of a first token's or an answer's end."""
    pairs = ((times.first_token_s, "first_token_s"), (times.done_s, "done_s"))
    return max(float(np.abs(mine - np.array(answer[name])).max()) for mine, name in pairs)


def race(python: str, policy: str) -> dict[str, object]:
    """Vidur and each of our engines in turn."""
    given = case(policy, N_REQUESTS[policy])
    arrays, replica = prepared(given)
    engines = ["python"] if compiled.native() is None else ["c", "python"]
    ratios: dict[str, list[float]] = {engine: [] for engine in engines}
    vidur_s, gap = [], 0.0
    for _ in range(TURNS):
        answer = theirs(python, given)
        vidur_s.append(answer["cpu_s"])
        for engine in engines:
            repeats = 20 if engine == "c" else 1
            start = time.process_time()
            for _ in range(repeats):
                times = simulate(*arrays, replica, engine=engine)
            ratios[engine].append(answer["cpu_s"] / ((time.process_time() - start) / repeats))
            gap = max(gap, gap_s(times, answer))
    if gap > EQUAL_S:
        raise SystemExit(f"{policy}: times differ by {gap:.1e} s, more than {EQUAL_S:.0e}")
    return {
        "policy": policy, "n_requests": N_REQUESTS[policy], "largest_gap_s": gap,
        "vidur_requests_per_cpu_s": [round(N_REQUESTS[policy] / s, 1) for s in vidur_s],
        "times_faster": {
            engine: {"median": round(statistics.median(r)), "least": round(min(r)),
                     "most": round(max(r))}
            for engine, r in ratios.items()
        },
    }  # fmt: skip


def golden(python: str) -> None:
    """What the tests hold both policies to."""
    cases = []
    for policy in N_REQUESTS:
        given = case(policy, N_GOLDEN, seed=2)
        answer = theirs(python, given)
        cases.append(given | {name: answer[name] for name in ("first_token_s", "done_s")})
    GOLDEN.write_text(json.dumps(cases) + "\n", encoding="utf-8")


def main() -> None:
    """Race, or write the golden file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", help="an interpreter that can import Vidur")
    parser.add_argument("--golden", action="store_true", help="write the tests' file anew")
    options = parser.parse_args()
    if options.golden:
        golden(options.python)
        return
    asked = "import importlib.metadata as m; print(m.version('vidur'))"
    version = subprocess.run([options.python, "-c", asked], capture_output=True, text=True)
    result = {
        "day": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
        "vidur": version.stdout.strip() or "source",
        "turns": TURNS,
        "races": [race(options.python, policy) for policy in N_REQUESTS],
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
