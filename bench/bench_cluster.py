"""One sweep alone and on two local dask workers: seconds, their ratio, equal tables.

    python bench/bench_cluster.py             # a million deployments; 10 million requests
    python bench/bench_cluster.py --large     # 10 and 100 million
    python bench/bench_cluster.py --large deployments  # one of the two

The workers write Parquet and send back names of files. The ratio of wall times needs a machine that
does nothing else; beside it stands what two processes without dask reach, each with the whole of
the work: two cores that share memory or a chip slow each other. The other ratio does not need one:
processor time alone over that of the busier worker, which is what two free cores give. Client,
scheduler and workers each spend 4 % of the wall on waiting, so that a busy machine, where the wall
is long, makes them look dearer.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import dask
import pandas as pd
from distributed import Client, LocalCluster

from econ.latency import predict
from econ.scenario import Scenario
from econ.serving import simulate
from econ.sweeps import on_cluster, sweep_to

# as dask comes, a profiler takes a tenth of the time
SETTINGS = {"distributed.worker.profile.enabled": False}
CHIPS = ["h100-sxm", "h200-sxm", "b200-sxm", "mi300x", "mi355x"]


def spent_s() -> float:
    """Processor seconds of a process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(
    folder: Path, station, lists: dict, n_points_per_file: int
) -> tuple[float, float, pd.DataFrame]:
    """Seconds on the wall and of this process's processor of a sweep into a folder; its table."""
    start, used = time.perf_counter(), spent_s()
    sweep_to(folder, station, Scenario.default(), n_points_per_file=n_points_per_file, **lists)
    return time.perf_counter() - start, spent_s() - used, pd.read_parquet(folder)


def side_by_side_s(home: Path, name: str, station, lists: dict, short: dict, size: int) -> float:
    """Seconds on the wall of two processes that each do the whole at the same time."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:

        def both(work: dict, kind: str) -> float:
            parts = [
                pool.submit(timed, home / f"{name}-{kind}-{k}", station, work, size)
                for k in range(2)
            ]
            return max(part.result()[0] for part in parts)

        both(short, "warm")
        return both(lists, "beside")


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="ten times as much")
    parser.add_argument("cases", nargs="*", help="deployments, requests; both by default")
    options = parser.parse_args()
    times = 10 if options.large else 1
    users = range(1, 10_000 * times + 1)
    deployments = {"accelerator": CHIPS, "tp": [1, 2, 4, 8, 16], "precision": ["bf16", "fp8"],
                   "engine": ["vllm", "sglang"], "concurrency": users}  # fmt: skip
    requests = {"rate_per_s": [2.0, 4.0], "seed": range(50 * times), "n": 100_000}
    cases = {
        "deployments": (predict, deployments, 50_000),
        "requests": (simulate, requests, 5),
    }
    dask.config.set(SETTINGS)
    with (
        tempfile.TemporaryDirectory() as home,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        for name in options.cases or cases:
            station, lists, size = cases[name]
            short = {key: values[:1] if key in ("concurrency", "seed") else values
                     for key, values in lists.items()}  # fmt: skip
            timed(Path(home) / f"{name}-0", station, short, size)  # imports are not timed
            with on_cluster(cluster.scheduler_address):
                timed(Path(home) / f"{name}-first", station, short, 1)
            one_s, alone_s, one = timed(Path(home) / f"{name}-1", station, lists, size)
            both_s = side_by_side_s(Path(home), name, station, lists, short, size)
            before = client.run(spent_s)
            with on_cluster(cluster.scheduler_address):
                two_s, client_s, two = timed(Path(home) / f"{name}-2", station, lists, size)
            busier_s = max(after - before[worker] for worker, after in client.run(spent_s).items())
            pd.testing.assert_frame_equal(one, two)
            print(
                f"{len(one):,} points of {name}: alone {one_s:.1f} s, two workers {two_s:.1f} s, "
                f"{one_s / two_s:.2f} times on the wall at load {os.getloadavg()[0]:.1f} "
                f"({2 * one_s / both_s:.2f} without dask); "
                f"processor time {alone_s:.2f} s, busier worker {busier_s:.2f} s, "
                f"{alone_s / busier_s:.2f} times; client and scheduler {client_s:.2f} s, "
                f"{client_s / (2 * busier_s):.0%} of the workers'; the tables are equal"
            )


if __name__ == "__main__":
    main()
