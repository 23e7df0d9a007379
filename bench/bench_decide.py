"""How long a decision takes: from a cold shell, warm, and over 100,000 deployments.

    .venv/bin/python bench/bench_decide.py

Prints processor seconds, and each as a multiple of the plan alone in the same run: on a busy
machine the ratios hold, the seconds do not.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import econ

ASK = ["-m", "econ", "decide", "--model", "Qwen/Qwen3-32B", "--tokens-per-day", "40M"]
REPEATS = 3


def _least_s(work: Callable[[], object]) -> float:
    """The least processor time of a few repeats, after one that fills the caches."""
    work()
    spent = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


def _cold_s(arguments: list[str]) -> tuple[float, float]:
    """Processor and wall seconds of a new process: the least of a few, with bytecode."""
    environment = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    return min(_process_s(arguments, environment) for _ in range(REPEATS))


def _process_s(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - start


def main() -> None:
    """One table."""
    usual = econ.Scenario.of("qwen3-32b", "h100-sxm", rate_per_s=0.343)
    wide = econ.Scenario.of("gpt-oss-120b", "h100-sxm", rate_per_s=20)
    formats = ["bf16", "fp8", "fp4", "int8", "int4"]
    rows = econ.decide(wide, precisions=formats).plan
    hourly = econ.decide(wide, precisions=formats, terms=["on-demand"]).plan
    one = _least_s(lambda: econ.plan.plan(usual))
    lines = [
        ("plan of the usual question, warm", one),
        ("decide, the same, warm", _least_s(lambda: econ.decide(usual))),
        (f"decide, {len(rows.rows):,} deployments screened, {rows.n_simulated} fleets simulated",
         _least_s(lambda: econ.decide(wide, precisions=formats))),
        (f"decide, by the hour alone: {len(hourly.rows):,} and {hourly.n_simulated}",
         _least_s(lambda: econ.decide(wide, precisions=formats, terms=["on-demand"]))),
        ("decide, 2,000 requests a second, warm",
         _least_s(lambda: econ.decide(usual.with_(rate_per_s=2000.0)))),
        ("import of the command line, cold", _cold_s(["-c", "import econ.cli"])[0]),
    ]  # fmt: skip
    used, wall = _cold_s(ASK)
    lines.append((f"econ decide, cold ({wall:.1f} s on the wall)", used))
    for what, seconds in lines:
        print(f"{seconds:6.2f} s  {seconds / one:5.1f} ×  {what}")


if __name__ == "__main__":
    main()
