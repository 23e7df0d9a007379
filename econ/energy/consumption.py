"""Joules per token at an operating point of the latency model, split into prefill and decode.

The latency model says how fast a deployment is and how loaded (`econ.latency.prediction`); the
power law says what that draws (`econ.energy.power`). Power over throughput is energy per token.
All of this is the accelerators alone: host, idle capacity and building come in
`econ.energy.footprint`, whose conversions to USD, carbon and water are offered here too.

Two figures that are often confused: ``energy_j_per_token`` puts a request's whole energy on its
*output* tokens, ``energy_j_per_total_token`` on input and output alike.

>>> one = energy("llama-3.1-8b", "h100-sxm", input_tokens=100, output_tokens=400, concurrency=8)
>>> many = energy("llama-3.1-8b", "h100-sxm", input_tokens=100, output_tokens=400, concurrency=512)
>>> bool(one.energy_j_per_token > 5 * many.energy_j_per_token)           # batch is everything
True
>>> low, high = one.band()
>>> bool(low < 0.4548 < high)                                            # measured: 0.455 J
True
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from econ.catalog import table
from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import positive, unknown
from econ.catalog.ranges import Range
from econ.energy.boundaries import boundary_frame
from econ.energy.footprint import (
    carbon_g_per_mtok,
    carbon_intensity_g_per_kwh,
    embodied_g_per_mtok,
    energy_cost_usd_per_mtok,
    footprint_frame,
    water_l_per_mtok,
)
from econ.energy.power import PowerLaw, phases
from econ.latency import deployments as dep
from econ.latency import steps
from econ.latency.calibration import Calibration
from econ.latency.frame import blocks, encode, mark, numbers_at_fault, predict_frame
from econ.latency.regimes import REGIMES, place
from econ.latency.steps import DoesNotFit

__all__ = [
    "Energy",
    "boundary_frame",
    "carbon_g_per_mtok",
    "carbon_intensity_g_per_kwh",
    "embodied_g_per_mtok",
    "energy",
    "energy_cost_usd_per_mtok",
    "energy_frame",
    "energy_j_per_token",
    "energy_j_per_total_token",
    "footprint_frame",
    "water_l_per_mtok",
]

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


@dataclass(frozen=True, kw_only=True)
class Energy:
    """What the accelerators of a deployment draw and spend; per accelerator where it is power.

    ``energy_j_per_token``: everything over the output tokens. ``energy_j_per_total_token``: over
    input and output. ``prefill_energy_j_per_token`` is per *input* token read,
    ``decode_energy_j_per_token`` per *output* token written. ``bands``: factors within which half
    and 90 % of held-out runs lie.
    """

    energy_j_per_token: float
    energy_j_per_total_token: float
    prefill_energy_j_per_token: float
    decode_energy_j_per_token: float
    power_w: float
    prefill_power_w: float
    decode_power_w: float
    idle_power_w: float
    output_tokens_per_s_per_gpu: float
    input_tokens: float
    output_tokens: float
    regime: str = "calibrated"
    bands: tuple[float, float] = field(default=(1.0, 1.0))

    @property
    def energy_j_per_request(self) -> float:
        """Joules of one request, prefill and decode."""
        return self.energy_j_per_token * self.output_tokens

    @property
    def prefill_share_frac(self) -> float:
        """The share of a request's energy that reading its prompt takes."""
        return self.prefill_energy_j_per_token * self.input_tokens / self.energy_j_per_request

    @property
    def tokens_per_joule(self) -> float:
        """Output tokens per joule; what the trade press calls tokens per watt."""
        return 1 / self.energy_j_per_token

    def band(self, metric: str = "energy_j_per_token", coverage_frac: float = 0.9):
        """Low and high of an energy: 90 % of held-out runs lie inside, or half with 0.5."""
        if not metric.startswith(("energy_j", "prefill_energy", "decode_energy")):
            raise unknown("metric with a band", metric, [c for c in COLUMNS if "energy" in c])
        if coverage_frac not in (0.5, 0.9):
            raise ValueError(f"coverage_frac = {coverage_frac} is outside its range: 0.5 or 0.9")
        factor = self.bands[coverage_frac == 0.9]
        value = getattr(self, metric)
        return value / factor, value * factor

    def range(self, metric: str = "energy_j_per_token") -> Range:
        """An energy as an uncertain input: its 90 % band as a lognormal `Range`."""
        low, high = self.band(metric)
        return Range(low, getattr(self, metric), high, "J", "lognormal")

    def frame(self) -> pd.DataFrame:
        """Every energy as low, typical, high: figure, low, typical, high, unit."""
        rows = [
            ("per output token", "energy_j_per_token", "J"),
            ("per token, in and out", "energy_j_per_total_token", "J"),
            ("reading an input token", "prefill_energy_j_per_token", "J"),
            ("writing an output token", "decode_energy_j_per_token", "J"),
            ("a request", "energy_j_per_request", "J"),
        ]
        made = [(n, *self._three(metric), unit) for n, metric, unit in rows]
        return pd.DataFrame(made, columns=["figure", "low", "typical", "high", "unit"])

    def _three(self, metric: str) -> tuple[float, float, float]:
        low, high = self.band(metric)
        return low, getattr(self, metric), high


@functools.cache
def bands() -> dict[str, tuple[float, float]]:
    """By regime, the factors within which half and 90 % of held-out J/token lie."""
    rows = table("energy_bands").set_index("regime")
    return {name: (float(rows.median_x[name]), float(rows.p90_x[name])) for name in rows.index}


def energy(
    model: Model | str,
    accelerator: Accelerator | str,
    *,
    n_gpu: int | None = None,
    tp: int | None = None,
    pp: int = 1,
    ep: int = 1,
    dp: int = 1,
    precision: str = "bf16",
    input_tokens: float,
    output_tokens: float,
    concurrency: float,
    software_maturity: float = 1.0,
    engine: str = "",
    law: PowerLaw | None = None,
    calibration: Calibration | None = None,
) -> Energy:
    """Energy of ``concurrency`` users in a closed loop on one deployment; arguments as in
    `roofline.predict`.

    Raises `DoesNotFit` where weights and one sequence exceed the memory, ``ValueError`` where a
    number is outside its range or nobody has published the accelerator's TDP.
    """
    for name, value in (("input_tokens", input_tokens), ("output_tokens", output_tokens),
                        ("concurrency", concurrency),
                        ("software_maturity", software_maturity)):  # fmt: skip
        positive(name, value)
    case = {
        "model": dep.as_model(model),
        "accelerator": dep.as_accelerator(accelerator),
        "n_gpu": n_gpu,
        "tp": tp,
        "pp": pp,
        "ep": ep,
        "dp": dp,
        "precision": precision,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "concurrency": concurrency,
        "software_maturity": software_maturity,
        "engine": engine,
    }
    given = {name: [value] for name, value in case.items() if value is not None}
    row = energy_frame(pd.DataFrame(given), law, calibration).iloc[0]
    if row["reason"]:
        if "does not fit" in row["reason"]:
            raise DoesNotFit(row["reason"], np.nan)
        raise ValueError(row["reason"])
    law = law or PowerLaw.fitted()
    return Energy(
        **{name: float(row[name]) for name in COLUMNS},
        idle_power_w=float(law.idle_power_w(case["accelerator"].tdp_w)),
        output_tokens_per_s_per_gpu=float(row["output_tokens_per_s_per_gpu"]),
        input_tokens=float(input_tokens),
        output_tokens=float(output_tokens),
        regime=str(row["regime"]),
        bands=bands()[str(row["regime"])],
    )


def energy_j_per_token(model: Model | str, accelerator: Accelerator | str, **case: object) -> float:
    """Joules of the accelerators per *output* token, prefill included; arguments of `energy`.

    >>> round(energy_j_per_token("llama-3.1-70b", "h100-sxm", tp=4, precision="fp8",
    ...                          input_tokens=1000, output_tokens=500, concurrency=32), 1)
    1.1
    """
    return energy(model, accelerator, **case).energy_j_per_token


def energy_j_per_total_token(
    model: Model | str, accelerator: Accelerator | str, **case: object
) -> float:
    """Joules of the accelerators per token, input and output alike; arguments of `energy`."""
    return energy(model, accelerator, **case).energy_j_per_total_token


def energy_frame(
    frame: pd.DataFrame, law: PowerLaw | None = None, calibration: Calibration | None = None
) -> pd.DataFrame:
    """The frame with power and energy added; a row that cannot be has a ``reason`` and NaN.

    Takes the columns of `roofline.predict_frame`. Where the frame already holds an operating point
    (``output_tokens_per_s_per_gpu`` and ``batch``, predicted or measured), that one counts.
    Columns out: `COLUMNS`, the 90 % band (``energy_low_j_per_token``, ``energy_high_j_per_token``),
    regime, reason.

    >>> runs = pd.DataFrame({"model": "llama-3.1-8b", "accelerator": ["h100-sxm", "tpu-v5e"],
    ...     "input_tokens": 1000, "output_tokens": 500, "concurrency": 16})
    >>> out = energy_frame(runs)
    >>> bool(0.1 < out.energy_j_per_token[0] < 0.5), out.reason[1][:40]
    (True, 'tpu-v5e has no published TDP, so no powe')
    """
    k, law = calibration or Calibration.fitted(), law or PowerLaw.fitted()
    if not set(OPERATING_POINT) <= set(frame):
        frame = predict_frame(frame, k)
    size = len(frame)
    codes, reason, numbers = encode(frame)
    reason = numbers_at_fault(numbers, reason)
    if "reason" in frame:
        reason = np.where(reason == "", frame["reason"].to_numpy(dtype=object), reason)
    chip = codes["names"][1]
    tdp_w = np.array([a.tdp_w if a is not None and a.tdp_w else np.nan for a in chip.items])
    tdp_w = tdp_w[chip.code]
    rate, batch = (frame[n].to_numpy("float64") for n in OPERATING_POINT)
    out = {name: np.full(size, np.nan) for name in COLUMNS}
    regime = np.zeros(size, dtype="int8")
    with np.errstate(all="ignore"):
        for part, c, split in blocks(codes, numbers, size):
            mark(c, split, reason[part])
            c.rate, c.batch, c.tdp_w = rate[part], batch[part], tdp_w[part]
            made = spent(steps.prepare(c, k), k, law)
            for name in COLUMNS:
                out[name][part] = made[name]
            regime[part] = place(c, c.novelty)
    for row in np.flatnonzero((reason == "") & np.isnan(tdp_w)):
        id = chip.items[chip.code[row]].id
        reason[row] = f"{id} has no published TDP, so no power can be said"
    unknown_point = (reason == "") & ~((rate > 0) & (batch > 0))
    reason = np.where(unknown_point, "throughput and batch must be above 0", reason)
    for values in out.values():
        values[reason != ""] = np.nan
    factor = np.array([bands()[name][1] for name in REGIMES])[regime]
    out["energy_low_j_per_token"] = out["energy_j_per_token"] / factor
    out["energy_high_j_per_token"] = out["energy_j_per_token"] * factor
    out["regime"] = pd.Categorical.from_codes(regime, REGIMES)
    return frame.assign(**out, reason=reason)


def spent(c: steps.Case, k: Calibration, law: PowerLaw) -> dict[str, np.ndarray]:
    """`COLUMNS` of a prepared case with ``rate`` (output tokens per second and accelerator),
    ``batch`` and ``tdp_w``.

    A request costs its prefill at the prefill's power, and the rest of the machine's time, shared
    by the batch, at decode's: the two sum to power over throughput.
    """
    n = c.n_gpu / c.n_replicas
    requests = c.rate * n / c.output_tokens  # per second and replica
    phases(c, k, requests, c.batch)
    prefill_w = law.load_power_w(c.tdp_w, 0.0, c.prefill_compute_frac)
    decode_w = law.load_power_w(c.tdp_w, c.decode_memory_frac, c.decode_compute_frac)
    share = c.prefill_share_frac
    power_w = share * prefill_w + (1 - share) * decode_w
    request_j = power_w * n / requests
    prefill_j = share * prefill_w * n / requests
    return {
        "power_w": power_w,
        "prefill_power_w": prefill_w,
        "decode_power_w": decode_w,
        "energy_j_per_token": request_j / c.output_tokens,
        "energy_j_per_total_token": request_j / (c.input_tokens + c.output_tokens),
        "prefill_energy_j_per_token": prefill_j / c.input_tokens,
        "decode_energy_j_per_token": (request_j - prefill_j) / c.output_tokens,
    }
