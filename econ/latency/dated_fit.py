"""The maturity of software by date, from what a calibration leaves unexplained.

A run's maturity is the factor on what exceeds the physical floor that would make its predicted TPOT
the measured one. Only what was measured again counts, the same deployment under the same load in
another quarter, so that a quarter in which other models were run is not taken for other software.
Within an engine on a generation of accelerators the logarithm is a part of what was run and a part
of the quarter (medians, in turn, as in Tukey's median polish); the parts of the quarters sum to 0
and are drawn there the more, the fewer pairs say so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.catalog import accelerator
from econ.latency.calibration import Calibration
from econ.latency.runs import WORKLOAD, configuration
from econ.latency.shapes import generation
from econ.latency.software import Dated, Software, year_of

MOST_LOG = np.log(3.0)  # of a run; beyond that it is not its software that differs
N_POLISH = 10
HALF = 4.0  # so many things measured again draw a value half of the way


def log_maturity(measured_s: Any, now_s: Any, least_s: Any) -> Any:
    """Logarithm of the factor that turns a predicted time into the measured one."""
    over_s = np.maximum(measured_s - least_s, 0.05 * measured_s)
    return np.clip(np.log(np.maximum(now_s - least_s, 1e-9) / over_s), -MOST_LOG, MOST_LOG)


def cells(runs: pd.DataFrame, logs: Any) -> pd.DataFrame:
    """One row an engine, generation and quarter: its date, the logarithm, and how many runs.

    Columns: engine, generation, quarter, year, log, n_runs.
    """
    kinds = {id: generation(accelerator(id)) for id in runs["accelerator"].unique()}
    what = runs[[*WORKLOAD, "concurrency"]].astype(str).agg(" ".join, axis=1)
    frame = pd.DataFrame(
        {
            "engine": runs["engine"].to_numpy(),
            "generation": runs["accelerator"].map(kinds).to_numpy(),
            "what": (configuration(runs) + " " + what).to_numpy(),
            "year": [year_of(date) for date in runs["as_of"]],
            "log": np.asarray(logs, dtype="float64"),
        }
    )
    frame["quarter"] = np.floor(frame["year"] * 4 + 1e-6) / 4
    frame = frame[frame.groupby("what")["quarter"].transform("nunique") > 1]
    rows: list[dict[str, Any]] = []
    for (engine, kind), cell in frame.groupby(["engine", "generation"]):
        by_what, by_quarter = pd.Series(0.0, cell["what"].unique()), pd.Series(dtype="float64")
        for _ in range(N_POLISH):
            by_quarter = (cell["log"] - cell["what"].map(by_what)).groupby(cell["quarter"]).median()
            rest = cell["log"] - cell["quarter"].map(by_quarter)
            by_what = rest.groupby(cell["what"]).median()
        for quarter, part in cell.groupby("quarter"):
            n = part["what"].nunique()
            rows.append(
                {
                    "engine": engine,
                    "generation": kind,
                    "quarter": quarter,
                    "year": round(float(part["year"].mean()), 2),
                    "log": (by_quarter[quarter] - by_quarter.mean()) * n / (n + HALF),
                    "n_runs": len(part),
                }
            )
    columns = ["engine", "generation", "quarter", "year", "log", "n_runs"]
    return pd.DataFrame(rows, columns=columns)


def software_of(rows: pd.DataFrame, calibration: Calibration) -> Software:
    """The layer that a table of `cells` says."""
    dated = tuple(
        Dated(row.engine, row.generation, row.year, float(np.exp(row.log)))
        for row in rows.itertuples()
    )
    return Software(dated, calibration.software.today)
