"""Many simulations at once: every configuration × rate × seed, on all cores or a cluster.

>>> from econ.terms import Slo
>>> from econ.serving.simulation import Replica, StepCost
>>> from econ.tokens.workloads import workload
>>> small = Replica(cost=StepCost.affine(6e-3, 45e-6), kv_tokens=400_000)
>>> swept = sweep_frame(workload("chat"), {"small": small}, [1.0, 2.0], Slo(), seeds=[1, 2],
...                     n=200, progress=False)
>>> swept[["configuration", "rate_per_s", "seed"]].to_numpy().tolist()
[['small', 1.0, 1], ['small', 1.0, 2], ['small', 2.0, 1], ['small', 2.0, 2]]

The work is handed out by joblib, so the same call runs on a dask cluster:
``with joblib.parallel_config(backend="dask"): sweep_frame(...)``. Requests are drawn in the worker
and the same seed gives the same requests to every configuration and rate: differences between
configurations vary less than each of them does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import pandas as pd

from econ.catalog.guard import count
from econ.serving import jit as serving_jit
from econ.serving.goodput import at_rate, serve, summary
from econ.serving.simulation import NUMBA_PAYS_FROM, Disaggregated, Replica
from econ.terms import Slo
from econ.tokens.workloads import Workload

POINTS_PER_TASK = 10  # enough that handing a task out is cheap beside it


def sweep_frame(
    load: Workload | pd.DataFrame,
    replicas: Mapping[str, Replica | Disaggregated],
    rates_per_s: Iterable[float],
    slo: Slo,
    *,
    seeds: Iterable[int] = (0,),
    n: int = 10_000,
    n_jobs: int | None = None,
    engine: str = "auto",
    progress: bool = True,
) -> pd.DataFrame:
    """One row per configuration, rate and seed: `econ.serving.goodput.summary` of each.

    ``n_jobs`` as in joblib (None: one, or what a surrounding `joblib.parallel_config` says).
    """
    from joblib import Parallel, delayed
    from tqdm.auto import tqdm

    count("n", n, 1)
    points = list(itertools.product(replicas.items(), list(rates_per_s), list(seeds)))
    if engine == "auto" and serving_jit.available() and len(points) * n >= NUMBA_PAYS_FROM:
        engine = "numba"
    tasks = [points[i : i + POINTS_PER_TASK] for i in range(0, len(points), POINTS_PER_TASK)]
    pool = Parallel(n_jobs=n_jobs, return_as="generator")
    done = pool(delayed(_run)(task, load, slo, n, engine) for task in tasks)
    rows = []
    with tqdm(total=len(points), unit="simulation", disable=not progress) as bar:
        for part in done:
            rows += part
            bar.update(len(part))
    return pd.DataFrame(rows)


def _run(points: list, load, slo: Slo, n: int, engine: str) -> list[dict]:
    rows = []
    for (name, replica), rate_per_s, seed in points:
        result = serve(at_rate(load, rate_per_s, n, seed), replica, engine, seed)
        key = {"configuration": name, "rate_per_s": float(rate_per_s), "seed": seed}
        rows.append(key | summary(result, slo))
    return rows
