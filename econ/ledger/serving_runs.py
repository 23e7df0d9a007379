"""Measured serving runs, simulated: what was published beside ours, run by run.

>>> from econ.latency.runs import sample_runs
>>> runs = simulated_runs_frame(sample_runs().iloc[:2], n_most=50)
>>> runs["tpot_ratio"].between(0.5, 2).all()
np.True_
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from econ.catalog.engines import engine
from econ.latency.runs import sample_runs, with_launches
from econ.scenario import Scenario
from econ.serving import Replica, replica, simulate_closed

REQUESTS_PER_USER = 10  # what the measured runs send
RUN_KEY = [
    *("model", "accelerator", "n_gpu", "tp", "precision", "engine"),
    *("input_tokens", "output_tokens", "concurrency"),
]


def simulated_runs_frame(runs: pd.DataFrame | None = None, *, n_most: int = 4000) -> pd.DataFrame:
    """TTFT and TPOT of measured runs, measured and simulated, and ours / measured.

    Parameters
    ----------
    runs : DataFrame, optional
        Measured runs as `econ.latency.runs.sample_runs` gives them, the default.
    n_most : int
        Requests of one simulation at most, e.g. 4000.

    Returns
    -------
    DataFrame
        One row a run: what identifies it, ttft_s and tpot_s, measured_ttft_s and measured_tpot_s,
        ttft_ratio and tpot_ratio.

    Notes
    -----
    Each run is repeated as it was measured: ``concurrency`` users who all start at once, ten
    requests each, lengths uniform within a ninth of the mean. Means are over requests, the opening
    burst and, where the server had answered nothing before, its cold first round included
    (``data/latency/benchmark_launches.csv``). The replica's lag lengthens TTFT; that it also keeps
    a closed loop's users out of the batch for so long is left out. Runs with pp > 1 are left out.
    """
    runs = with_launches(sample_runs() if runs is None else runs)
    rows = []
    for run in runs[runs["pp"] == 1].itertuples():
        software = engine(run.engine)
        case = Scenario.of(
            run.model,
            run.accelerator,
            n_gpu=int(run.n_gpu),
            tp=int(run.tp),
            dp=int(run.dp),
            ep=int(run.ep),
            precision=run.precision,
            engine=run.engine,
            policy=software.policy,
            token_budget=software.token_budget,
            recv_interval=int(run.recv_interval or software.recv_interval),
            batch_wait_steps=int(run.batch_wait_steps or software.batch_wait_steps),
            input_tokens=run.input_tokens,
            output_tokens=run.output_tokens,
            cached_frac=0.0,
        )
        users = max(1, round(run.concurrency / case.n_replicas))
        serving = replica(case.with_(max_batch=max(users, 2)))
        assert isinstance(serving, Replica)  # neither policy of these engines separates pools
        serving = serving.replace(n_replicas=1)
        rng = np.random.default_rng(0)
        n = min(REQUESTS_PER_USER * users, max(n_most, 2 * users))
        spread = rng.uniform(8 / 9, 10 / 9, (2, n))
        prompt = np.maximum(1, np.rint(run.input_tokens * spread[0]))
        out = np.maximum(1, np.rint(run.output_tokens * spread[1]))
        times = simulate_closed(prompt, out, serving, users)
        row = {name: getattr(run, name) for name in RUN_KEY}
        cold_s = software.opening_s if run.is_cold == "" else 0.0
        simulated = {
            "ttft_s": float(times.ttft_s.mean()) + cold_s * users / n,
            "tpot_s": times.request_mean_tpot_s,
        }
        for name, value in simulated.items():
            measured = float(getattr(run, name))
            row |= {
                name: value,
                f"measured_{name}": measured,
                f"{name[:4]}_ratio": value / measured,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def gap_frame(compared: pd.DataFrame, by: Iterable[str] = ("model", "accelerator")) -> pd.DataFrame:
    """The median factor by which ours misses the measured value, and which way, per group."""
    off = compared.assign(
        ttft_gap_x=np.exp(np.abs(np.log(compared["ttft_ratio"]))),
        tpot_gap_x=np.exp(np.abs(np.log(compared["tpot_ratio"]))),
    )
    columns = ["ttft_gap_x", "tpot_gap_x", "ttft_ratio", "tpot_ratio"]
    groups = off.groupby(list(by))
    return groups[columns].median().assign(n_runs=groups.size()).reset_index()
