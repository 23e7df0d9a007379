"""What the check of arguments costs: microseconds a call, and its share of a plan and a decision.

``python bench/bench_guards.py`` runs each case in processes with and without `econ.guards`, in
turns, and compares their processor time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WITHOUT = """
import sys, types
package = types.ModuleType("econ")  # until the guards are set aside
package.__path__ = ["econ"]
sys.modules["econ"] = package
import econ.guards
econ.guards.guarded = lambda function, *settings, **more: function
del sys.modules["econ"]
"""
CASES = """
import json, time
import econ
from econ.tco import cost_usd_per_good_mtok
s = econ.Scenario.default()

def seconds(work, n_times=1, n_tries=3):
    work()  # tables are read once
    tries = []
    for _ in range(n_tries):
        began = time.process_time()
        for _ in range(n_times):
            work()
        tries.append((time.process_time() - began) / n_times)
    return min(tries)

print(json.dumps({
    "four_numbers_s": seconds(lambda: cost_usd_per_good_mtok(3.6, 1000.0, 0.8, 0.5), 2000),
    "predict_s": seconds(lambda: econ.latency.predict(s, concurrency=8), 50),
    "with_s": seconds(lambda: s.with_(tpot_s=0.03), 300),
    "plan_s": seconds(lambda: econ.plan.plan(s)),
    "decide_s": seconds(lambda: econ.decide(s)),
}))
"""


def figures(before: str) -> dict[str, float]:
    """CPU seconds of each case, after what is done before `econ` is loaded."""
    command = [sys.executable, "-c", before + CASES]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    return dict(json.loads(said))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2)
    n_rounds = parser.parse_args().rounds
    both = [(figures(""), figures(WITHOUT)) for _ in range(n_rounds)]
    for name in both[0][0]:
        with_s, without_s = (min(pair[k][name] for pair in both) for k in (0, 1))
        print(
            f"{name.removesuffix('_s')}: {with_s * 1e6:,.0f} µs with the check, "
            f"{without_s * 1e6:,.0f} without: {(with_s - without_s) * 1e6:,.0f} µs, "
            f"{1 - without_s / with_s:.1%}"
        )


if __name__ == "__main__":
    main()
