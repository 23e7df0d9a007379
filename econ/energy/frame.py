"""Power and energy of a table of deployments: a row each, with a reason where none is possible.

>>> runs = pd.DataFrame({"model": "llama-3.1-8b", "accelerator": "h100-sxm", "input_tokens": 1000,
...                      "output_tokens": 500, "concurrency": [1, 16]})
>>> bool(energy_frame(runs)["energy_j_per_token"].is_monotonic_decreasing)
True
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import table
from econ.energy.power import PowerLaw, phases
from econ.latency import steps
from econ.latency.calibration import REGIMES, Calibration, regime_code
from econ.latency.deployments import look_up
from econ.latency.frame import as_many_as_fit, predict_table
from econ.latency.frame_columns import with_columns

OPERATING_POINT = ("output_tokens_per_s_per_gpu", "batch")
COLUMNS = (
    "power_w",
    "prefill_power_w",
    "decode_power_w",
    "energy_j_per_token",
    "energy_j_per_total_token",
    "prefill_energy_j_per_token",
    "decode_energy_j_per_token",
)


@functools.cache
def bands() -> dict[str, tuple[float, float]]:
    """By regime, the factors within which half and 90 % of held-out J/token lie."""
    rows = table("energy_bands").set_index("regime")
    return {name: (float(rows.median_x[name]), float(rows.p90_x[name])) for name in rows.index}


def energy_frame(
    frame: pd.DataFrame, law: PowerLaw | None = None, calibration: Calibration | None = None
) -> pd.DataFrame:
    """Power and energy of a table of deployments.

    Parameters
    ----------
    frame : DataFrame
        The columns of `econ.latency.predict_frame`. Where it already holds an operating point
        (``output_tokens_per_s_per_gpu`` and ``batch``, predicted or measured), that one counts.
    law : PowerLaw, optional
        The fitted one by default.
    calibration : Calibration, optional
        As in `econ.latency.predict_frame`.

    Returns
    -------
    DataFrame
        The frame with ``power_w``, ``prefill_power_w``, ``decode_power_w``,
        ``energy_j_per_token`` (per output token) and its 90 % band ``energy_low_j_per_token``,
        ``energy_high_j_per_token``, ``energy_j_per_total_token``,
        ``prefill_energy_j_per_token`` (per input token), ``decode_energy_j_per_token``,
        ``regime`` and ``reason``; a row that is not possible has NaN and its reason.

    Examples
    --------
    >>> runs = pd.DataFrame({"model": "llama-3.1-8b", "accelerator": ["h100-sxm", "tpu-v5e"],
    ...     "input_tokens": 1000, "output_tokens": 500, "concurrency": 16})
    >>> out = energy_frame(runs)
    >>> bool(0.1 < out.energy_j_per_token[0] < 0.5), out.reason[1][:40]
    (True, 'tpu-v5e has no published TDP, so its pow')
    """
    cal, law = calibration or Calibration.fitted(), law or PowerLaw.fitted()
    size, table = len(frame), look_up(frame, cal)
    if not set(OPERATING_POINT) <= set(frame):
        frame = predict_table(frame, table, cal)
    lookup = table.accelerator
    tdp_w = np.array([a.tdp_w if a is not None and a.tdp_w else np.nan for a in lookup.items])
    tdp_w = tdp_w[lookup.code]
    rate, batch = (frame[n].to_numpy("float64") for n in OPERATING_POINT)
    out: dict[str, Any] = {name: np.full(size, np.nan) for name in COLUMNS}
    regime = np.zeros(size, dtype="int8")
    new = table.novelty()
    with np.errstate(all="ignore"):
        for rows, case, kind in table.blocks():
            p = as_many_as_fit(steps.prepare(case, cal), cal)
            values = phase_energy(p, cal, law, rate[rows], batch[rows], tdp_w[rows])
            for name in COLUMNS:
                out[name][rows] = values[name]
            regime[rows] = regime_code(new[kind], concurrency=p.load.concurrency, pp=p.split.pp)
    reason = table.reason
    if "reason" in frame:
        reason = np.where(reason == "", frame["reason"].to_numpy(dtype=object), reason)
    for row in np.flatnonzero((reason == "") & np.isnan(tdp_w)):
        id = lookup.items[lookup.code[row]].id
        reason[row] = f"{id} has no published TDP, so its power is not known"
    unknown_point = (reason == "") & ~((rate > 0) & (batch > 0))
    reason = np.where(unknown_point, "throughput and batch must be above 0", reason)
    for values in out.values():
        values[reason != ""] = np.nan
    factor = np.array([bands()[name][1] for name in REGIMES])[regime]
    out["energy_low_j_per_token"] = out["energy_j_per_token"] / factor
    out["energy_high_j_per_token"] = out["energy_j_per_token"] * factor
    out["regime"] = pd.Categorical.from_codes(regime, REGIMES)
    return with_columns(frame, out | {"reason": reason})


def phase_energy(
    p: steps.Prepared,
    calibration: Calibration,
    law: PowerLaw,
    rate_per_s_per_gpu: Any,
    batch: Any,
    tdp_w: Any,
) -> dict[str, Any]:
    """`COLUMNS` of a prepared case at a rate of output tokens, a batch and a TDP.

    A request costs its prefill at the prefill's power, and the rest of the accelerators' time,
    shared by the batch, at decode's: the two sum to power over throughput.
    """
    n_in, n_out = p.load.input_tokens, p.load.output_tokens
    n = p.split.n_gpu / p.split.n_replicas
    requests_per_s = rate_per_s_per_gpu * n / n_out  # of a replica
    loads = phases(p, calibration, requests_per_s, batch)
    prefill_w = law.load_power_w(tdp_w, 0.0, loads.prefill_compute_load_frac)
    decode_w = law.load_power_w(
        tdp_w, loads.decode_memory_load_frac, loads.decode_compute_load_frac
    )
    share = loads.prefill_share_frac
    power_w = share * prefill_w + (1 - share) * decode_w
    request_j = power_w * n / requests_per_s
    prefill_j = share * prefill_w * n / requests_per_s
    return {
        "power_w": power_w,
        "prefill_power_w": prefill_w,
        "decode_power_w": decode_w,
        "energy_j_per_token": request_j / n_out,
        "energy_j_per_total_token": request_j / (n_in + n_out),
        "prefill_energy_j_per_token": prefill_j / n_in,
        "decode_energy_j_per_token": (request_j - prefill_j) / n_out,
    }
