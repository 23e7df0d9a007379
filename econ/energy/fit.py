"""Runs whose power was measured, the power law fitted to them, and how far it is off on others.

What ships is what its licence allows: the ML.ENERGY runs of 2024 as rows
(``data/energy/measured_energy.csv``), the later ones as fitted values and errors, MLPerf's wall
meters as ratios (``data/energy/wall_power.csv``). `read_power_runs` reads the later runs where
someone has them.

Three routes to J/token are judged apart. *Given throughput*: the measured throughput and batch go
in, the error is that of the power law. *End to end*: nothing measured goes in, the errors of the
latency model and of the power law meet. *Host time known*: the latency model assumes today's
fastest engines; how long the host program of a source's software needs per running sequence is one
number, fitted to throughput on other runs of that source.

>>> runs = power_runs()
>>> sorted(set(runs["accelerator"]))
['a100-sxm-40gb', 'h100-sxm']
>>> law = fit(runs)
>>> law.idle_frac <= law.awake_frac < 0.4
True
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from econ.catalog import given, table
from econ.catalog.reading import read_columns
from econ.catalog.units import MICRO, MILLI
from econ.energy.boundaries import idle_range
from econ.energy.frame import energy_frame, phase_energy
from econ.energy.power import PowerLaw
from econ.latency.calibration import Calibration
from econ.latency.fit import SOFT, errors, groups, interval, leave_out, refits, runs_table
from econ.latency.frame_columns import LARGEST
from econ.latency.prediction import max_throughput_frame, predict_frame
from econ.latency.runs import in_our_names
from econ.latency.steps import prepare

RUN = [
    *("model", "accelerator", "n_gpu", "tp", "pp", "ep", "dp", "precision", "engine", "scheduling"),
    *("input_tokens", "output_tokens", "concurrency", "output_tokens_per_s_per_gpu"),
    *("energy_j_per_token", "source"),
]
RAW = [
    *("source", "model", "w_prec", "gpu", "n_gpu", "tp", "pp", "ep", "dp", "engine", "isl", "osl"),
    *("len_scale", "conc", "output_tok_s_per_gpu", "power_w"),
]
FITTED = ("awake_frac", "memory_frac", "compute_frac")
START = (0.25, 0.6, 2.0)
SCHEDULING = (
    "sync"  # of the vLLM that these runs used, by default: the accelerator waits for the host
)
ROUTES = ("given throughput", "end to end", "end to end, host time known")
MEASURED = ["output_tokens_per_s_per_gpu", "energy_j_per_token"]


# -- measured runs -------------------------------------------------------------------------------
def power_runs() -> pd.DataFrame:
    """The runs that ship with the kit; ``concurrency`` is the mean batch that was running."""
    rows = table("measured_energy").reset_index(drop=True)
    return rows.assign(ep=1, dp=1, engine="vllm", scheduling=SCHEDULING)[RUN]


def read_power_runs(path: str | Path) -> pd.DataFrame:
    """The rows with a power reading of a file of measured serving runs.

    Their prompt lengths are assumed by the file's compiler, so they serve energy, not latency.
    """
    raw = read_columns(path, RAW)
    raw = raw[raw["power_w"].notna() & raw["output_tok_s_per_gpu"].gt(0)]
    runs = in_our_names(raw, Path(path).name)
    runs["output_tokens_per_s_per_gpu"] = raw["output_tok_s_per_gpu"]
    runs["energy_j_per_token"] = raw["power_w"] / raw["output_tok_s_per_gpu"]
    return runs.assign(scheduling=SCHEDULING)[RUN].reset_index(drop=True)


def wall_runs() -> pd.DataFrame:
    """Whole servers at the wall: MLPerf runs, power and energy per output token, host included."""
    return table("wall_power").reset_index(drop=True)


# -- the fit -------------------------------------------------------------------------------------
def fit(runs: pd.DataFrame, weights: np.ndarray | None = None) -> PowerLaw:
    """The law that minimises the log errors of J/token at the measured throughput.

    Parameters
    ----------
    runs : DataFrame
        As `power_runs`.
    weights : array, optional
        One a run; equal by default.

    Notes
    -----
    A soft L1 loss, so that single runs gone wrong do not steer the fit. The idle share of TDP,
    which no run at work can identify, is that of ``data/energy/power_calibration.csv``.
    """
    from scipy.optimize import least_squares

    cal, idle = Calibration.fitted(), idle_range().typical
    p = prepare(runs_table(runs).case(slice(None)), cal)
    rate = runs["output_tokens_per_s_per_gpu"].to_numpy("float64")
    batch = p.load.concurrency  # the mean batch that was running, of a replica
    tdp_w = runs["accelerator"].map(table("accelerators")["tdp_w"]).to_numpy("float64")
    truth = np.log(runs["energy_j_per_token"].to_numpy("float64"))
    root = np.sqrt(np.ones(len(runs)) if weights is None else weights)

    def law(x: np.ndarray) -> PowerLaw:
        awake, memory, compute = map(float, x)
        return PowerLaw(idle_frac=idle, awake_frac=awake, memory_frac=memory, compute_frac=compute)

    def residuals(x: np.ndarray) -> np.ndarray:
        ours = phase_energy(p, cal, law(x), rate, batch, tdp_w)["energy_j_per_token"]
        errors: np.ndarray = root * (np.log(ours) - truth)
        return errors

    minimum = least_squares(
        residuals, START, bounds=([idle, 0, 0], [1, 9, 9]), loss="soft_l1", f_scale=SOFT
    )
    return law(minimum.x)


def with_intervals(runs: pd.DataFrame, n_draws: int = 40) -> PowerLaw:
    """The fit with 5–95 % intervals: refits with whole configurations drawn anew."""
    law, drawn = fit(runs), refits(runs, lambda weights: fit(runs, weights), n_draws)
    ends = {n: interval((getattr(d, n) for d in drawn), getattr(law, n)) for n in FITTED}
    return dataclasses.replace(law, intervals=ends)


def host_time_s(runs: pd.DataFrame) -> float:
    """Host time per running sequence and step at which the latency model's throughput comes
    closest to the measured one (mean absolute log error), between 10 µs and 10 ms."""
    from scipy.optimize import minimize_scalar

    cal, bare = Calibration.fitted(), runs.drop(columns=MEASURED)

    def error(log_s: float) -> float:
        served = predict_frame(bare, cal.replace(host_s_per_sequence=float(np.exp(log_s))))
        ratio = served["output_tokens_per_s_per_gpu"] / runs["output_tokens_per_s_per_gpu"]
        return float(np.log(ratio).abs().mean())

    ends = np.log([10 * MICRO, 10 * MILLI])
    return float(np.exp(minimize_scalar(error, bounds=ends, options={"xatol": 0.01}).x))


def held_out(runs: pd.DataFrame, split: str = "model") -> pd.DataFrame:
    """J/token of every run by a law that has not seen its group: one column a route.

    The host time of the third route is fitted on the other groups of the same source; NaN where the
    whole source is left out.
    """
    cal = Calibration.fitted()

    def answer(seen: pd.DataFrame, unseen: pd.DataFrame) -> pd.DataFrame:
        law, parts = fit(seen), []
        for source, part in unseen.groupby("source"):
            bare = part.drop(columns=MEASURED)
            frames = [
                energy_frame(part.assign(batch=part["concurrency"]), law, cal),
                energy_frame(bare, law, cal),
            ]
            others = seen[seen["source"] == source]
            if len(others):
                used = cal.replace(host_s_per_sequence=host_time_s(others))
                frames.append(energy_frame(bare, law, used))
            columns = {r: f["energy_j_per_token"] for r, f in zip(ROUTES, frames, strict=False)}
            parts.append(pd.DataFrame(columns, index=part.index))
        return pd.concat(parts)

    return leave_out(runs, groups(runs, split), answer).reindex(columns=ROUTES)


def accuracy_frame(runs: pd.DataFrame | None = None, split: str = "model") -> pd.DataFrame:
    """Held-out errors of J/token: judged (source, accelerator), route, `errors`."""
    runs = power_runs() if runs is None else runs
    predicted, rows = held_out(runs, split), []
    for (source, accelerator), part in runs.groupby(["source", "accelerator"]):
        for route in ROUTES:
            off = errors(predicted.loc[part.index, route], part["energy_j_per_token"])
            key = {
                "left_out": split,
                "measured_by": source,
                "accelerator": accelerator,
                "route": route,
            }
            rows.append(key | off)
    frame = pd.DataFrame(rows)
    return frame[frame["n_runs"] > 0].reset_index(drop=True)


def parity_frame() -> pd.DataFrame:
    """The shipped runs at their throughput, each model by a law fitted to the others.

    Columns: those of a run, measured_j, ours_j, factor (ours over measured).
    """
    runs = power_runs()
    ours, truth = held_out(runs, "model")[ROUTES[0]], runs["energy_j_per_token"]
    return runs.assign(measured_j=truth, ours_j=ours, factor=ours / truth)


def wall_frame() -> pd.DataFrame:
    """Servers at the wall against the accelerators' share by the law: what is left is the host.

    Columns: system, model, scenario, wall_power_w, ours_power_w (accelerators, at the measured
    throughput), host_power_w (the rest), host_frac (the rest over the accelerators' TDP),
    energy_j_per_token (measured, wall), ours_j_per_token (end to end: predicted throughput,
    accelerators and the typical host).
    """
    runs = wall_runs()
    tdp_w = runs["accelerator"].map(table("accelerators")["tdp_w"]) * runs["n_gpu"]
    rate = runs["wall_power_w"] / runs["energy_j_per_token"] / runs["n_gpu"]
    full = runs.drop(columns="energy_j_per_token").assign(concurrency=LARGEST["concurrency"])
    served = max_throughput_frame(full.assign(engine="trtllm"))
    ours = energy_frame(served)
    frame = energy_frame(served.assign(output_tokens_per_s_per_gpu=rate))
    power_w = frame["power_w"] * runs["n_gpu"]
    host = given("energy_inputs", "host_frac").typical * tdp_w
    predicted_w = ours["power_w"] * runs["n_gpu"] + host
    predicted_rate = ours["output_tokens_per_s_per_gpu"] * runs["n_gpu"]
    return runs.assign(
        ours_power_w=power_w,
        host_power_w=runs["wall_power_w"] - power_w,
        host_frac=(runs["wall_power_w"] - power_w) / tdp_w,
        ours_j_per_token=predicted_w / predicted_rate,
    )
