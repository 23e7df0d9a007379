"""Which runs say what a fitted parameter is, and what the error becomes without it.

>>> felt = felt_frame().loc["softmax_flop_per_s"]
>>> felt["n_felt"] > 100
True
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.latency.calibration import Calibration
from econ.latency.fit import METRICS, START, alike, held_out, is_mean, runs_table, solve, summary
from econ.latency.runs import measured_runs

NUDGE, FELT = 0.9, 0.1  # a tenth less of the parameter; a hundredth of a time is a tenth of that
KINDS = ["accelerator", "engine", "model"]
WITHOUT = tuple(name.removesuffix("_s") + "_error_frac" for name in METRICS)


def felt_frame(
    runs: pd.DataFrame | None = None, calibration: Calibration | None = None
) -> pd.DataFrame:
    """For each fitted parameter, the runs whose TPOT or TTFT depends on it.

    Parameters
    ----------
    runs : DataFrame, optional
        Measured runs; the shipped ones by default.
    calibration : Calibration, optional
        Where the parameters stand; fitted values by default.

    Returns
    -------
    DataFrame
        By name: n_felt (runs in which a change moves TPOT or TTFT by a tenth of it or more),
        felt_by (accelerator, engine and model of the runs that it moves most, with how much of the
        change arrives there).
    """
    runs = measured_runs() if runs is None else runs.reset_index(drop=True)
    k = calibration or Calibration.fitted()
    looked_up, mean = runs_table(runs), is_mean(runs)
    before = alike(solve(looked_up, k), mean)
    label, rows = runs[KINDS].agg(", ".join, axis=1), {}
    for name in START:
        after = alike(solve(looked_up, k.replace(**{name: k.value(name) * NUDGE})), mean)
        logs = [np.abs(np.log(b / a)) for a, b in zip(before, after, strict=True)]
        moved = pd.Series(np.maximum(*logs) / -np.log(NUDGE))
        by_kind = moved.groupby(label).mean()
        most = by_kind.idxmax()
        rows[name] = (int((moved >= FELT).sum()), f"{most} ({by_kind[most]:.2f})")
    return pd.DataFrame(rows, index=["n_felt", "felt_by"]).T.rename_axis("name")


def without_frame(runs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Held-out median errors with every parameter (row ``all``), and without each in turn.

    Without it means at the datasheet's bound (a share of 1, a time of 0), with all others fitted
    anew; configurations are left out in fifths. What stays as it was is not identified.

    Returns
    -------
    DataFrame
        By name: value_without, and a median error for each metric.
    """
    runs = measured_runs() if runs is None else runs.reset_index(drop=True)
    k, bound = Calibration.fitted(), Calibration.datasheet()
    rows = {}
    for name in ("all", *START):
        without = {} if name == "all" else {name: bound.value(name)}
        names = [other for other in START if other != name]
        table = summary(runs, held_out(runs, names=names, start=k.replace(**without)))
        errors = table["median_frac"].reindex(METRICS).tolist()
        rows[name] = [without.get(name, np.nan), *errors]
    frame = pd.DataFrame(rows, index=["value_without", *WITHOUT]).T
    return frame.rename_axis("name")


def identified_rows(runs: pd.DataFrame, today: str) -> pd.DataFrame:
    """Both as rows of ``data/latency/calibration_without.csv``."""
    frame = without_frame(runs).join(felt_frame(runs))
    frame["n_felt"] = frame["n_felt"].fillna(len(runs)).astype(int)
    rows = frame.round(4).reset_index()
    return rows.assign(source="inferencex-runs", as_of=today, kind="derived")
