"""One sweep alone and on two local dask workers: seconds, their ratio, equal tables.

    python bench/bench_cluster.py             # 100,000 deployments; 10 million requests
    python bench/bench_cluster.py --large     # 1,000,000 and 100 million

The workers write Parquet and send back names of files. Wall time, so the machine has to be quiet;
processor time of this process is shown beside it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd
from distributed import LocalCluster

from econ.latency import predict
from econ.scenario import Scenario
from econ.serving import simulate
from econ.sweeps import on_cluster, sweep_to

CHIPS = ["h100-sxm", "h200-sxm", "b200-sxm", "mi300x", "mi355x"]


def timed(folder: Path, station, lists: dict, n_points_per_file: int) -> tuple[float, pd.DataFrame]:
    """Seconds of a sweep into a folder, and its table."""
    start = time.perf_counter()
    sweep_to(folder, station, Scenario.default(), n_points_per_file=n_points_per_file, **lists)
    return time.perf_counter() - start, pd.read_parquet(folder)


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="ten times as much")
    times = 10 if parser.parse_args().large else 1
    users = range(1, 1000 * times + 1)
    deployments = {"accelerator": CHIPS, "tp": [1, 2, 4, 8, 16], "precision": ["bf16", "fp8"],
                   "engine": ["vllm", "sglang"], "concurrency": users}  # fmt: skip
    requests = {"rate_per_s": [2.0, 4.0], "seed": range(50 * times), "n": 100_000}
    cases = {
        "deployments": (predict, deployments, 25_000),
        "requests": (simulate, requests, 5),
    }
    with (
        tempfile.TemporaryDirectory() as home,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        with on_cluster(cluster.scheduler_address):  # imports in the workers are not timed
            sweep_to(Path(home) / "first", simulate, Scenario.default(), seed=range(4), n=100,
                     n_points_per_file=1)  # fmt: skip
        for name, (station, lists, size) in cases.items():
            one_s, one = timed(Path(home) / f"{name}-1", station, lists, size)
            with on_cluster(cluster.scheduler_address):
                two_s, two = timed(Path(home) / f"{name}-2", station, lists, size)
            pd.testing.assert_frame_equal(one, two)
            print(
                f"{len(one):,} points of {name}: alone {one_s:.1f} s, two workers {two_s:.1f} s, "
                f"{one_s / two_s:.2f} times; the tables are equal"
            )


if __name__ == "__main__":
    main()
