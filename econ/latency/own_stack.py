"""Calibrate to me: what your own runs say about your software, and how far the model is off then.

Two numbers are fitted, no more: ``software_maturity`` divides what exceeds the physical floor
(above 1: better than the stacks of the calibration), ``step_overhead_s`` is added to every step.
Both from TPOT, whose measurement is the steadier; TTFT is reported with them, not fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

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
METRICS = ("ttft_s", "tpot_s", "output_tokens_per_s_per_gpu")


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
    """Runs beside their prediction: ``…_ours``, ``…_ratio`` (ours/measured) of each metric.

    ``deployment``: model, accelerator, n_gpu, tp, precision, engine, … as in `roofline.predict`, or
    columns of the same names in ``runs``. Also whether the measured value is inside our 90 % band.
    """
    asked = _asked(runs, deployment)
    if stack is not None:
        asked["software_maturity"] = stack.software_maturity
    made = predict_frame(asked)
    bad = made["reason"] != ""
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"run {row + 1} cannot be predicted: {made['reason'].iloc[row]}")
    extra_s = stack.step_overhead_s if stack is not None else 0.0
    ours = {"ttft_s": made["ttft_s"] + extra_s, "tpot_s": made["tpot_s"] + extra_s}
    whole_s = answer_s(ours["ttft_s"], ours["tpot_s"], asked["output_tokens"])
    rate = asked["concurrency"] * asked["output_tokens"] / whole_s
    ours["output_tokens_per_s_per_gpu"] = rate / asked["n_gpu"]
    out = asked.assign(
        output_tokens_per_s_per_gpu=runs["output_tokens_per_s"].to_numpy() / asked["n_gpu"]
    )
    for metric in METRICS:
        out[f"{metric}_ours"] = ours[metric].to_numpy()
        out[f"{metric}_ratio"] = out[f"{metric}_ours"] / out[metric].where(out[metric] > 0)
    low, high = made["tpot_low_s"] + extra_s, made["tpot_high_s"] + extra_s
    out["tpot_in_band"] = (out["tpot_s"] >= low.to_numpy()) & (out["tpot_s"] <= high.to_numpy())
    return out


def _asked(runs: pd.DataFrame, deployment: dict) -> pd.DataFrame:
    if lacking := [name for name in NEEDED if name not in runs]:
        raise ValueError(f"the runs have no column {', '.join(lacking)}")
    if runs.empty:
        raise ValueError("no runs to compare with: the frame has no rows")
    asked = runs.reset_index(drop=True).assign(**deployment)
    for name in ("model", "accelerator"):
        if name not in asked:
            raise ValueError(f"say which {name} the runs were made on: {name}=...")
    for name in ("tp", "pp", "dp"):
        if name not in asked:
            asked[name] = 1
    if "n_gpu" not in asked:
        asked["n_gpu"] = asked["tp"] * asked["pp"] * asked["dp"]
    return asked


def fit_stack(runs: pd.DataFrame, **deployment: object) -> OwnStack:
    """Fit the two numbers to the TPOT of your runs; ``deployment`` as in `compare_frame`.

    Least squares on log errors within bounds. With fewer than four runs, or loads that hardly
    differ, only the maturity is fitted and the overhead stays 0 (``fitted`` says which).
    """
    asked = _asked(runs, deployment)
    measured = asked["tpot_s"].to_numpy("float64")
    for name in ("tpot_s", "ttft_s"):
        for i, value in enumerate(asked[name].to_numpy("float64").tolist()):
            positive(f"{name} of run {i + 1}", value)
    full = predict_frame(asked.assign(software_maturity=1.0))
    bad = (full["reason"] != "").to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"run {row + 1} cannot be predicted: {full['reason'].iloc[row]}")
    half = predict_frame(asked.assign(software_maturity=2.0))
    # t(m) = floor + over/m, so two predictions give both
    over = 2 * (full["tpot_s"] - half["tpot_s"]).to_numpy()
    floor = full["tpot_s"].to_numpy() - over
    loads = asked["concurrency"].to_numpy("float64")
    both = len(asked) >= FEWEST_FOR_TWO and loads.max() / loads.min() >= APART
    maturity, extra_s = _solve(floor, over, measured, both)
    held = np.full(len(asked), np.nan)
    for i in range(len(asked) if len(asked) > 1 else 0):
        rest = np.arange(len(asked)) != i
        m, h = _solve(floor[rest], over[rest], measured[rest], both)
        held[i] = abs(np.log((floor[i] + over[i] / m + h) / measured[i]))
    stack = OwnStack(
        software_maturity=maturity, step_overhead_s=extra_s,
        fitted=("software_maturity", "step_overhead_s")[: 1 + both], n_runs=len(asked),
        tpot_error_before_frac=_error(full["tpot_s"], measured),
        tpot_error_after_frac=_error(floor + over / maturity + extra_s, measured),
        tpot_error_held_out_frac=float(np.expm1(np.median(held))),
        ttft_error_before_frac=_error(full["ttft_s"], asked["ttft_s"]),
        ttft_error_after_frac=0.0,
    )  # fmt: skip
    after = compare_frame(runs, stack, **deployment)
    object.__setattr__(
        stack, "ttft_error_after_frac", _error(after["ttft_s_ours"], after["ttft_s"])
    )
    return stack


def _solve(floor, over, measured, both: bool) -> tuple[float, float]:
    """Maturity and overhead that bring floor + over/m + h nearest to what was measured."""
    from scipy.optimize import least_squares

    def off(x: np.ndarray) -> np.ndarray:
        ours = floor + over * np.exp(-x[0]) + (x[1] if both else 0.0)
        return np.log(ours / measured)

    low, high = np.log(MATURITY)
    bounds = ([low], [high]) if not both else ([low, 0.0], [high, LONGEST_OVERHEAD_S])
    start = [0.0] if not both else [0.0, 1e-4]
    scale = [1.0] if not both else [1.0, float(np.median(measured))]
    found = least_squares(off, start, bounds=bounds, x_scale=scale).x
    extra_s = float(found[1]) if both else 0.0
    return float(np.exp(found[0])), extra_s if extra_s > LEAST_OVERHEAD_S else 0.0


def _error(ours, measured) -> float:
    """The median factor by which ours misses, as a share: 0.1 is 10 %."""
    ratio = np.asarray(ours, dtype="float64") / np.asarray(measured, dtype="float64")
    return float(np.expm1(np.median(np.abs(np.log(ratio)))))
