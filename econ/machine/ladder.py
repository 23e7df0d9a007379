"""The ladder of physics on one's own computer: a bound, two runs fitted, the rest predicted.

The step equations are those of `econ.latency.steps`, with what this computer reached in place of a
datasheet. Three rungs:

1. the **bound**: weights and caches at the measured bandwidth, products at the measured peak;
2. **two efficiencies**, of reading and of computing, from the smallest and the largest batch;
3. the **packing** of small products, a time that every step of two sequences or more takes: the
   library rearranges all weights before it multiplies a narrow block, and a single vector it does
   not. From a third run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.guard import each, positive, unknown
from econ.latency import steps
from econ.latency.calibration import Calibration, bands
from econ.latency.prediction import case_of, fitting
from econ.machine.probe import Machine
from econ.scenario import Scenario
from econ.station import Result

REGIME = "new both"  # of the kit's bands: neither this model nor this accelerator was measured
RUNGS = ("bound", "two efficiencies", "and the packing")
NEEDED = ("batch", "prompt_tokens", "output_tokens", "p50_itl_s")
MOST_BATCH = 1e6
FEWEST_RUNS = 4  # the smallest and the largest batch, a third, and one to predict


@dataclass(frozen=True, kw_only=True)
class OwnFit(Result):
    """What was fitted: shares of the measured bandwidth and peak, and the time of packing."""

    weight_bandwidth_frac: float = 1.0
    decode_compute_frac: float = 1.0
    packing_s: float = 0.0

    @property
    def calibration(self) -> Calibration:
        """The two efficiencies as the step equations take them."""
        return Calibration.datasheet().replace(
            weight_bandwidth_frac=self.weight_bandwidth_frac,
            decode_compute_frac=self.decode_compute_frac,
        )


def own_scenario(
    machine: Machine,
    shape: Model,
    *,
    precision: str = "fp32",
    prompt_tokens: float = 32,
    output_tokens: float = 16,
    **settings: Any,
) -> Scenario:
    """A scenario on this computer, for any station.

    Parameters
    ----------
    machine : Machine
        From `measure` or the recorded one.
    shape : Model
        The shape of a `tiny_model`, or any other model.
    precision : str
        Of the weights, e.g. ``"fp32"``.
    prompt_tokens, output_tokens : float
        Of every request, e.g. 32 and 16.
    **settings
        As in `econ.Scenario.with_`.

    Returns
    -------
    Scenario
        With the computer as its only accelerator; it has no list rent, so the stations of money
        want ``cost_usd_per_gpu_hour``.
    """
    return Scenario.of(
        shape,
        machine.accelerator,
        precision=precision,
        name=f"{shape.id} on {machine.name}",
        input_tokens=prompt_tokens,
        output_tokens=output_tokens,
        **settings,
    )


def step_times_s(
    scenario: Scenario, batches: Any, fit: OwnFit | None = None
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The time of a decode step at each batch; the bound without a ``fit``.

    Parameters
    ----------
    scenario : Scenario
        From `own_scenario`.
    batches : array of int
        Sequences that decode, e.g. [1, 2, 4].
    fit : OwnFit, optional
        From `fit_runs`.
    """
    own = fit or OwnFit()
    batch = np.atleast_1d(np.asarray(each(positive, "batches", batches, MOST_BATCH), "float64"))
    step = _step(scenario, batch, own.calibration)
    return np.asarray(step.step_s + np.where(batch > 1, own.packing_s, 0.0))


def fit_runs(scenario: Scenario, runs: pd.DataFrame, *, packing: bool = True) -> OwnFit:
    """Two efficiencies from the smallest and the largest batch, and the packing from a third.

    Parameters
    ----------
    scenario : Scenario
        From `own_scenario`, with the runs' lengths.
    runs : DataFrame
        batch and p50_itl_s, as `runs_frame` gives them; the median of the gaps is the steadier.
    packing : bool
        Whether the second smallest batch says how long packing takes.

    Returns
    -------
    OwnFit
        Shares between 0 and 1: a run that beats the measured rate counts as 1.

    Notes
    -----
    With w, c and k the times of weights, products and caches at the bound, and t measured:
    share of bandwidth = w / (t₁ − k₁); packing = t₂ − k₂ − w / share, not below 0;
    share of the peak = c / ((t − k − packing)⁴ − (w / share)⁴)^¼ at the largest batch.
    """
    rows = _checked(runs)
    batch, measured_s = rows["batch"].to_numpy("float64"), rows["p50_itl_s"].to_numpy("float64")
    bound = _step(scenario, batch, Calibration.datasheet())
    rest_s = measured_s - bound.kv_s
    least_s = float(np.ravel(bound.weights_s)[0])
    weights_s = max(float(rest_s[0]), least_s)
    packing_s = max(float(rest_s[1]) - weights_s, 0.0) if packing else 0.0
    core_s = max(float(rest_s[-1]) - packing_s, weights_s)
    compute_s = (core_s**4 - weights_s**4) ** 0.25
    return OwnFit(
        weight_bandwidth_frac=least_s / weights_s,
        decode_compute_frac=float(bound.compute_s[-1] / max(compute_s, bound.compute_s[-1])),
        packing_s=packing_s,
    )


def ladder_frame(scenario: Scenario, runs: pd.DataFrame) -> pd.DataFrame:
    """The three rungs and their error on the runs that none of them saw.

    Parameters
    ----------
    scenario, runs
        As in `fit_runs`; four batch sizes or more.

    Returns
    -------
    DataFrame
        rung, n_fitted, median_frac (the median factor by which predictions miss, as a share),
        worst_frac.
    """
    rows = _checked(runs)
    fits = _fits(scenario, rows)
    unseen = rows.iloc[2:-1]
    out = []
    for n_fitted, (rung, fit) in zip((0, 2, 3), fits.items(), strict=True):
        times_s = step_times_s(scenario, unseen["batch"], fit)
        off = np.abs(np.log(times_s / unseen["p50_itl_s"].to_numpy("float64")))
        out.append(
            {
                "rung": rung,
                "n_fitted": n_fitted,
                "median_frac": float(np.expm1(np.median(off))),
                "worst_frac": float(np.expm1(off.max())),
            }
        )
    return pd.DataFrame(out)


def prediction_frame(scenario: Scenario, runs: pd.DataFrame, rung: str = RUNGS[-1]) -> pd.DataFrame:
    """Every run beside the bound and the prediction of one rung, with its band.

    Parameters
    ----------
    scenario, runs
        As in `ladder_frame`.
    rung : str
        One of `RUNGS`.

    Returns
    -------
    DataFrame
        batch, measured_s, bound_s, predicted_s, low_s, high_s, is_fitted, is_inside: the band is
        the kit's own for a model and an accelerator that nobody measured before.
    """
    rows = _checked(runs)
    fits = _fits(scenario, rows)
    if rung not in fits:
        raise unknown("rung of the ladder", rung, RUNGS)
    predicted_s = step_times_s(scenario, rows["batch"], fits[rung])
    factor = bands()[REGIME, "tpot_s"].p90_factor
    measured_s = rows["p50_itl_s"].to_numpy("float64")
    seen = np.isin(np.arange(len(rows)), (0, 1, len(rows) - 1))
    return pd.DataFrame(
        {
            "batch": rows["batch"],
            "measured_s": measured_s,
            "bound_s": step_times_s(scenario, rows["batch"]),
            "predicted_s": predicted_s,
            "low_s": predicted_s / factor,
            "high_s": predicted_s * factor,
            "is_fitted": seen,
            "is_inside": (measured_s >= predicted_s / factor)
            & (measured_s <= predicted_s * factor),
        }
    )


def _fits(scenario: Scenario, rows: pd.DataFrame) -> dict[str, OwnFit]:
    return {
        RUNGS[0]: OwnFit(),
        RUNGS[1]: fit_runs(scenario, rows, packing=False),
        RUNGS[2]: fit_runs(scenario, rows),
    }


def _checked(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs by batch size, or an error that says what is lacking."""
    if lacking := [name for name in NEEDED if name not in runs]:
        raise ValueError(f"the runs have no column {', '.join(lacking)}")
    rows = runs.drop_duplicates("batch").sort_values("batch").reset_index(drop=True)
    if len(rows) < FEWEST_RUNS:
        raise ValueError(
            f"{len(rows)} batch sizes are too few: {FEWEST_RUNS} or more, so that some are "
            "predicted that no fit has seen"
        )
    if not (rows["p50_itl_s"] > 0).all():
        raise ValueError("p50_itl_s holds a time that is not above 0")
    return rows


def _step(scenario: Scenario, batch: Any, calibration: Calibration) -> steps.Step:
    prepared = fitting(case_of(scenario, 1.0, calibration), calibration)
    return steps.step(prepared, calibration, batch)
