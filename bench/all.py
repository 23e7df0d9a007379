"""Every bench, one after the other, each one's words kept in ``bench/results``: ``make bench``.

    .venv/bin/python bench/all.py                 # all, about 20 minutes on two free cores
    .venv/bin/python bench/all.py moves serving   # some

A file of results says the day, the machine, its load at the start and how long it took; what docs
quote stands in one. The four that need something from outside are run by hand, as their first
lines say: ``bench_vidur.py``, ``bench_aiconfigurator.py`` and ``bench_gpus_asked.py`` another
package in an environment of its own, ``bench_page.py`` the built site.
"""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from econ.catalog.documents import replace
from econ.catalog.guard import one_of

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
PYTEST = ("-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "--benchmark-only",
          "--benchmark-columns=min,median,max,rounds")  # fmt: skip
# name → command, and about how many minutes it takes on two free cores
BENCHES: dict[str, tuple[tuple[str, ...], float]] = {
    "moves": (("bench/bench_moves.py",), 1),
    "first": (("bench/bench_first.py",), 2),
    "panels": (("bench/bench_panels.py",), 6),
    "serving": (("bench/bench_serving.py", "--million", "--sweep"), 3),
    "sessions": (("bench/bench_sessions.py",), 1),
    "cluster": (("bench/bench_cluster.py",), 1),
    "decide": (("bench/bench_decide.py",), 2),
    "guards": (("bench/bench_guards.py",), 2),
    "speed": ((*PYTEST, "bench/test_speed.py"), 1),
    "roofline": ((*PYTEST, "bench/bench_roofline.py"), 1),
}


def run(name: str) -> bool:
    """Run one bench and keep what it says, if it runs to its end; whether it does."""
    command = BENCHES[name][0]
    load, start = os.getloadavg()[0], time.perf_counter()
    print(f"-- {name}: about {BENCHES[name][1]:g} min", flush=True)
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, text=True, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    print(done.stdout, flush=True)
    if done.returncode:
        print(f"{name} ended with {done.returncode}: its last results stay", flush=True)
        return False
    head = (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores, "
        f"{platform.machine()}, Python {platform.python_version()}, load {load:.1f} at the start, "
        f"{time.perf_counter() - start:.0f} s\npython {' '.join(command)}\n\n"
    )
    RESULTS.mkdir(exist_ok=True)
    replace(RESULTS / f"{name}.txt", (head + done.stdout).encode())
    return True


def main(*names: str) -> int:
    """Run all or some; 1 where one failed."""
    for name in names:
        one_of("bench", name, BENCHES)
    ended = [run(name) for name in names or BENCHES]  # a failure does not keep the others back
    return int(not all(ended))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
