"""Calibrate to me: what your own runs say about your software, and how far the model is off then.

Two numbers are fitted, no more: ``software_maturity`` divides what exceeds the physical floor
(above 1: better than the stacks of the calibration), ``step_overhead_s`` is added to every step.
Both from TPOT, whose measurement is the steadier; TTFT is reported with them, not fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import positive
from econ.latency.frame import predict_frame
from econ.latency.steps import answer_s

MATURITY = (0.2, 5.0)  # beyond these it is not software that differs
LEAST_OVERHEAD_S, LONGEST_OVERHEAD_S = 1e-6, 0.1
FEWEST_FOR_TWO = 4  # runs below which only the first number is fitted
APART = 1.5  # and loads must differ by this factor, or the two numbers say the same
NEEDED = ("input_tokens", "output_tokens", "concurrency", "output_tokens_per_s", "ttft_s", "tpot_s")
RATE = "output_tokens_per_s_per_gpu"
METRICS = ("ttft_s", "tpot_s", RATE)


@dataclass(frozen=True, kw_only=True)
class OwnStack:
    """What was fitted, and the median error of TPOT and TTFT before, after, and held out.

    Held out: each run predicted by the fit to all the others; NaN with a single run.
    """

    software_maturity: float
    step_overhead_s: float
    fitted: tuple[str, ...]
    n_runs: int
    tpot_error_before_frac: float
    tpot_error_after_frac: float
    tpot_error_held_out_frac: float
    ttft_error_before_frac: float
    ttft_error_after_frac: float


def compare_frame(
    runs: pd.DataFrame, stack: OwnStack | None = None, **deployment: object
) -> pd.DataFrame:
    """Runs of your own beside their prediction.

    Parameters
    ----------
    runs : DataFrame
        As `read_bench` gives them: input_tokens, output_tokens, concurrency, output_tokens_per_s,
        ttft_s, tpot_s.
    stack : OwnStack, optional
        What `fit_stack` found, to predict with it.
    **deployment
        Model, accelerator, n_gpu, tp, precision, engine, … as columns of `predict_frame`, where
        ``runs`` has no such columns.

    Returns
    -------
    DataFrame
        Per metric the measured value, ``…_ours`` and ``…_ratio`` (ours / measured), and
        ``tpot_in_band``: whether the measured value lies inside our 90 % band.

    Raises
    ------
    ValueError
        For a missing column, or a run that cannot be predicted.
    """
    rows = _described(runs, deployment)
    if stack is not None:
        rows["software_maturity"] = stack.software_maturity
    predicted = _predicted(rows)
    extra_s = stack.step_overhead_s if stack is not None else 0.0
    ours = {"ttft_s": predicted["ttft_s"] + extra_s, "tpot_s": predicted["tpot_s"] + extra_s}
    whole_s = answer_s(ours["ttft_s"], ours["tpot_s"], rows["output_tokens"])
    ours[RATE] = rows["concurrency"] * rows["output_tokens"] / whole_s / rows["n_gpu"]
    out = rows.assign(**{RATE: runs["output_tokens_per_s"].to_numpy() / rows["n_gpu"]})
    for metric in METRICS:
        out[f"{metric}_ours"] = ours[metric].to_numpy()
        out[f"{metric}_ratio"] = out[f"{metric}_ours"] / out[metric].where(out[metric] > 0)
    low, high = (predicted[f"tpot_{end}_s"].to_numpy() + extra_s for end in ("low", "high"))
    out["tpot_in_band"] = (out["tpot_s"] >= low) & (out["tpot_s"] <= high)
    return out


def _described(runs: pd.DataFrame, deployment: dict[str, Any]) -> pd.DataFrame:
    """The runs with what they ran on in columns."""
    if lacking := [name for name in NEEDED if name not in runs]:
        raise ValueError(f"the runs have no column {', '.join(lacking)}")
    if runs.empty:
        raise ValueError("no runs to compare with: the frame has no rows")
    rows = runs.reset_index(drop=True).assign(**deployment)
    for name in ("model", "accelerator"):
        if name not in rows:
            raise ValueError(f"say which {name} the runs were made on: {name}=...")
    for name in ("tp", "pp", "dp"):
        if name not in rows:
            rows[name] = 1
    if "n_gpu" not in rows:
        rows["n_gpu"] = rows["tp"] * rows["pp"] * rows["dp"]
    return rows


def _predicted(rows: pd.DataFrame) -> pd.DataFrame:
    predicted = predict_frame(rows)
    for row in np.flatnonzero(predicted["reason"] != "")[:1]:
        raise ValueError(f"run {row + 1} cannot be predicted: {predicted['reason'].iloc[row]}")
    return predicted


def fit_stack(runs: pd.DataFrame, **deployment: object) -> OwnStack:
    """Fit your stack's maturity and overhead to the TPOT of your runs.

    Parameters
    ----------
    runs, **deployment
        As in `compare_frame`.

    Returns
    -------
    OwnStack
        The two numbers, and the median errors before and after.

    Notes
    -----
    Least squares on log errors within bounds. With fewer than four runs, or loads that hardly
    differ, only the maturity is fitted and the overhead stays 0 (``fitted`` says which).
    """
    rows = _described(runs, deployment)
    measured_s = rows["tpot_s"].to_numpy("float64")
    for name in ("tpot_s", "ttft_s"):
        for i, value in enumerate(rows[name].to_numpy("float64").tolist()):
            positive(f"{name} of run {i + 1}", value)
    full = _predicted(rows.assign(software_maturity=1.0))
    half = _predicted(rows.assign(software_maturity=2.0))
    # t(m) = floor + over/m, so two predictions give both
    over_s = 2 * (full["tpot_s"] - half["tpot_s"]).to_numpy()
    floor_s = full["tpot_s"].to_numpy() - over_s
    loads = rows["concurrency"].to_numpy("float64")
    both = len(rows) >= FEWEST_FOR_TWO and loads.max() / loads.min() >= APART
    maturity, extra_s = _solve(floor_s, over_s, measured_s, both)
    off = np.full(len(rows), np.nan)  # log errors of each run by the fit to all the others
    for i in range(len(rows) if len(rows) > 1 else 0):
        rest = np.arange(len(rows)) != i
        m, h = _solve(floor_s[rest], over_s[rest], measured_s[rest], both)
        off[i] = abs(np.log((floor_s[i] + over_s[i] / m + h) / measured_s[i]))
    ttft_after_s = _predicted(rows.assign(software_maturity=maturity))["ttft_s"] + extra_s
    return OwnStack(
        software_maturity=maturity,
        step_overhead_s=extra_s,
        fitted=("software_maturity", "step_overhead_s")[: 1 + both],
        n_runs=len(rows),
        tpot_error_before_frac=_error(full["tpot_s"], measured_s),
        tpot_error_after_frac=_error(floor_s + over_s / maturity + extra_s, measured_s),
        tpot_error_held_out_frac=float(np.expm1(np.median(off))),
        ttft_error_before_frac=_error(full["ttft_s"], rows["ttft_s"]),
        ttft_error_after_frac=_error(ttft_after_s, rows["ttft_s"]),
    )


def _solve(
    floor_s: np.ndarray, over_s: np.ndarray, measured_s: np.ndarray, both: bool
) -> tuple[float, float]:
    """Maturity and overhead that bring floor + over/m + h nearest to what was measured."""
    from scipy.optimize import least_squares

    def off(x: np.ndarray) -> Any:
        ours = floor_s + over_s * np.exp(-x[0]) + (x[1] if both else 0.0)
        return np.log(ours / measured_s)

    low, high = np.log(MATURITY)
    bounds = ([low], [high]) if not both else ([low, 0.0], [high, LONGEST_OVERHEAD_S])
    start = [0.0] if not both else [0.0, 1e-4]
    scale = [1.0] if not both else [1.0, float(np.median(measured_s))]
    best = least_squares(off, start, bounds=bounds, x_scale=scale).x
    extra_s = float(best[1]) if both else 0.0
    return float(np.exp(best[0])), extra_s if extra_s > LEAST_OVERHEAD_S else 0.0


def _error(ours: Any, measured: Any) -> float:
    """The median factor by which ours misses, as a share: 0.1 is 10 %."""
    ratio = np.asarray(ours, dtype="float64") / np.asarray(measured, dtype="float64")
    return float(np.expm1(np.median(np.abs(np.log(ratio)))))
