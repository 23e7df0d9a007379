"""Joules per token of a scenario: of its accelerators, by phase, and all told at its site.

The latency model says how fast a deployment is and how loaded (`econ.latency.prediction`); the
power law says what that draws (`econ.energy.power`). Power over throughput is energy per token.
That is the accelerators alone; host, idle capacity and building come on top
(`econ.energy.boundaries`), and the site says what they cost and emit (`econ.energy.sites`).

Two figures that are often confused: ``j_per_output_token`` puts a request's whole energy on its
*output* tokens, ``j_per_total_token`` on input and output alike.

>>> from econ.scenario import Scenario
>>> s = Scenario.of("llama-3.1-8b", "h100-sxm", input_tokens=100, output_tokens=400)
>>> few, many = energy(s, concurrency=8), energy(s, concurrency=512)
>>> bool(few.j_per_output_token > 5 * many.j_per_output_token)           # batch is everything
True
>>> low, high = few.band()
>>> bool(low < 0.4548 < high)                                            # measured: 0.455 J
True
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import Site, table
from econ.catalog.guard import positive, unknown
from econ.catalog.ranges import Range
from econ.energy.boundaries import boundary_frame
from econ.energy.power import PowerLaw, known_tdp_w, phases
from econ.energy.sites import (
    FIGURES,
    PER_SERVER,
    embodied_range,
    site_figure,
    site_frame,
)
from econ.latency import steps
from econ.latency.calibration import REGIMES, Calibration
from econ.latency.frame import LARGEST, look_up, predict_frame
from econ.latency.prediction import predict, scenarios_frame
from econ.scenario import Scenario
from econ.station import Result, station

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
# a station's names for the columns of `energy_frame`, which keeps those of version 1.0
NAMES = {
    "energy_j_per_token": "j_per_output_token",
    "energy_j_per_total_token": "j_per_total_token",
    "prefill_energy_j_per_token": "prefill_j_per_input_token",
    "decode_energy_j_per_token": "decode_j_per_output_token",
    "it_energy_j_per_token": "it_j_per_output_token",
    "site_energy_j_per_token": "site_j_per_output_token",
}
OF_ACCELERATORS = (
    "j_per_output_token",
    "j_per_total_token",
    "prefill_j_per_input_token",
    "decode_j_per_output_token",
    "j_per_request",
)
OF_SITE = (
    "it_j_per_output_token",
    "site_j_per_output_token",
    *FIGURES.values(),
    "embodied_carbon_g_per_mtok",
)


@dataclass(frozen=True, kw_only=True)
class Energy(Result):
    """What the accelerators of a deployment draw and spend, and what its site makes of it.

    Attributes
    ----------
    j_per_output_token : float
        Joules of the accelerators over the output tokens, prefill included.
    j_per_total_token : float
        The same joules over input and output tokens.
    prefill_j_per_input_token, decode_j_per_output_token : float
        Of reading a token of the prompt, of writing a token.
    power_w, prefill_power_w, decode_power_w, idle_power_w : float
        Of one accelerator: at work, in each phase, without work.
    it_j_per_output_token, site_j_per_output_token : float
        With host and idle capacity; with the building's PUE as well.
    electricity_usd_per_mtok : float
        Of a million output tokens at the site; NaN, as below, where a figure is not known.
    location_carbon_g_per_mtok, market_carbon_g_per_mtok, embodied_carbon_g_per_mtok : float
        In use by the grid, in use by the operator's contracts, of making the hardware.
    site_water_l_per_mtok, grid_water_l_per_mtok : float
        To cool on site; at the power stations.
    busy_frac : float
        Share of the time at work: the scenario's ``utilisation_frac``.
    regime : str
        How far the case lies from what was measured.
    bands : dict of str to (float, float)
        Factors within which half and 90 % of held-out runs lie.
    """

    j_per_output_token: float
    j_per_total_token: float
    prefill_j_per_input_token: float
    decode_j_per_output_token: float
    power_w: float
    prefill_power_w: float
    decode_power_w: float
    idle_power_w: float
    it_j_per_output_token: float
    site_j_per_output_token: float
    electricity_usd_per_mtok: float
    location_carbon_g_per_mtok: float
    market_carbon_g_per_mtok: float
    embodied_carbon_g_per_mtok: float
    site_water_l_per_mtok: float
    grid_water_l_per_mtok: float
    output_tokens_per_s_per_gpu: float
    input_tokens: float
    output_tokens: float
    busy_frac: float
    tdp_w: float
    n_per_server: int
    regime: str
    site: Site
    bands: Mapping[str, tuple[float, float]] = field(repr=False)

    @property
    def j_per_request(self) -> float:
        """Joules of one request at the accelerators, prefill and decode."""
        return self.j_per_output_token * self.output_tokens

    @property
    def prefill_share_frac(self) -> float:
        """The share of a request's energy that reading its prompt takes."""
        return self.prefill_j_per_input_token * self.input_tokens / self.j_per_request

    @property
    def tokens_per_joule(self) -> float:
        """Output tokens per joule; what the trade press calls tokens per watt."""
        return 1 / self.j_per_output_token

    def band(
        self, metric: str = "j_per_output_token", coverage_frac: float = 0.9
    ) -> tuple[float, float]:
        """Low and high of an energy, or of what the site makes of it.

        Of the accelerators' joules, 90 % of held-out runs lie inside (or half with 0.5); of the
        site's figures, that share of joint samples of the ladder's inputs (`ladder`).
        """
        if metric not in OF_SITE:
            if metric not in OF_ACCELERATORS:
                raise unknown("metric with a band", metric, (*OF_ACCELERATORS, *OF_SITE))
            return super().band(metric, coverage_frac)
        if coverage_frac not in (0.5, 0.9):
            raise ValueError(f"coverage_frac = {coverage_frac} is outside its range: 0.5 or 0.9")
        if metric == "embodied_carbon_g_per_mtok":
            low, _, high = embodied_range(
                self, busy_frac=self.busy_frac, coverage_frac=coverage_frac
            )
            return low, high
        rungs = boundary_frame(self, busy_frac=self.busy_frac, coverage_frac=coverage_frac)
        it_j = rungs.set_index("rung").loc["idle capacity"]
        value = getattr(self, metric)  # PUE, price and intensities are certain: all scale with it
        return value * it_j["low"] / it_j["typical"], value * it_j["high"] / it_j["typical"]

    def range(self, metric: str = "j_per_output_token") -> Range:
        """An energy of the accelerators as an uncertain input: its 90 % band as a lognormal."""
        low, high = super().band(metric)
        return Range(low, getattr(self, metric), high, "J", "lognormal")

    def ladder(self, coverage_frac: float = 0.9) -> pd.DataFrame:
        """Joules per output token up to each rung: accelerators, host, idle capacity, building.

        Columns: ``rung``, ``low``, ``typical``, ``high``, ``adds``. Raises ``ValueError`` where the
        site's PUE is not known.
        """
        pue = site_figure(self.site, "pue")
        return boundary_frame(self, pue=pue, busy_frac=self.busy_frac, coverage_frac=coverage_frac)

    def frame(self) -> pd.DataFrame:
        """The answer as a table: quantity, value, low and high; what is not known is left out."""
        rows: list[dict[str, Any]] = []
        for name, value in {**self.row(), "j_per_request": self.j_per_request}.items():
            banded = name in OF_ACCELERATORS or name in OF_SITE
            low, high = self.band(name) if banded else (None, None)
            rows.append({"quantity": name, "value": value, "low": low, "high": high})
        frame = pd.DataFrame(rows, columns=["quantity", "value", "low", "high"])
        return frame.dropna(subset=["value"]).reset_index(drop=True)


@functools.cache
def bands() -> dict[str, tuple[float, float]]:
    """By regime, the factors within which half and 90 % of held-out J/token lie."""
    rows = table("energy_bands").set_index("regime")
    return {name: (float(rows.median_x[name]), float(rows.p90_x[name])) for name in rows.index}


def energy_scenarios(
    scenarios: Sequence[Scenario],
    *,
    concurrency: float | Iterable[float],
    law: Any = None,
    calibration: Any = None,
) -> pd.DataFrame:
    """`energy` for many scenarios at once: a row each, with a ``reason`` where none is possible.

    ``concurrency`` is one number or one a scenario; law and calibration are the same for all.
    """
    frame = scenarios_frame(scenarios, concurrency)
    frame = energy_frame(frame, _the_one("law", law), _the_one("calibration", calibration))
    busy = np.array([s.finance.utilisation_frac for s in scenarios], dtype="float64")
    code, sites = pd.factorize(np.array([s.resolved_site for s in scenarios], dtype=object))
    parts = [site_frame(frame[code == i], site, busy[code == i]) for i, site in enumerate(sites)]
    answers = pd.concat(parts).sort_index().rename(columns=NAMES)
    columns = [NAMES.get(name, name) for name in (*COLUMNS, *OPERATING_POINT)]
    return answers[[*columns, *OF_SITE, "regime", "reason"]]


def _the_one(name: str, values: Any) -> Any:
    """The one object that a sweep gives for every row."""
    if not isinstance(values, list):
        return values
    if any(value is not values[0] for value in values):
        raise ValueError(f"{name}: give the same for all scenarios, or ask one at a time")
    return values[0]


@station(headline="j_per_output_token", vector=energy_scenarios)
def energy(
    s: Scenario,
    *,
    concurrency: float,
    law: PowerLaw | None = None,
    calibration: Calibration | None = None,
) -> Energy:
    """Energy of users in a closed loop on one deployment, and what the site makes of it.

    Parameters
    ----------
    s : Scenario
        Model, deployment, the workload's mean lengths, the site, and ``utilisation_frac``: the
        share of the time in which the accelerators serve.
    concurrency : float
        Users over all replicas, e.g. 32.
    law : PowerLaw, optional
        What an accelerator draws under load; fitted values by default.
    calibration : Calibration, optional
        As in `econ.latency.predict`.

    Returns
    -------
    Energy
        Joules per token with a band, watts, the ladder up to the site, USD, carbon and water.

    Raises
    ------
    DoesNotFit
        Where weights and one sequence exceed the memory.
    ValueError
        Where nobody has published the accelerator's TDP, or a number is outside its range.

    Notes
    -----
    J per output token = power / throughput, per accelerator (`energy_frame`). A request costs its
    prefill at the prefill's power, and its share of decode at decode's.

    Examples
    --------
    >>> one = energy(Scenario.default(), concurrency=32)
    >>> round(one.j_per_output_token, 1), round(one.site_j_per_output_token, 1)
    (1.5, 3.7)
    >>> dear = Scenario.default().with_(electricity_usd_per_kwh=0.30)
    >>> energy(dear, concurrency=32).electricity_usd_per_mtok > 2 * one.electricity_usd_per_mtok
    True
    """
    positive("concurrency", concurrency, LARGEST["concurrency"])
    accelerator = s.deployment.resolved_accelerator
    tdp_w = known_tdp_w(accelerator)
    row = energy_scenarios([s], concurrency=concurrency, law=law, calibration=calibration).iloc[0]
    if row["reason"]:
        predict(s, concurrency=concurrency, calibration=calibration)  # DoesNotFit, with the bytes
        raise ValueError(row["reason"])
    regime = str(row["regime"])
    numbers = row.drop(["batch", "regime", "reason"]).astype(float).to_dict()
    return Energy(
        **numbers,
        idle_power_w=float((law or PowerLaw.fitted()).idle_power_w(tdp_w)),
        input_tokens=float(s.workload.mean_input_tokens),
        output_tokens=float(s.workload.mean_output_tokens),
        busy_frac=float(s.finance.utilisation_frac),
        tdp_w=tdp_w,
        n_per_server=accelerator.n_per_server or PER_SERVER,
        regime=regime,
        site=s.resolved_site,
        bands=dict.fromkeys(OF_ACCELERATORS, bands()[regime]),
    )


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
    if not set(OPERATING_POINT) <= set(frame):
        frame = predict_frame(frame, cal)
    size = len(frame)
    table = look_up(frame, cal)
    lookup = table.accelerator
    tdp_w = np.array([a.tdp_w if a is not None and a.tdp_w else np.nan for a in lookup.items])
    tdp_w = tdp_w[lookup.code]
    rate, batch = (frame[n].to_numpy("float64") for n in OPERATING_POINT)
    out: dict[str, Any] = {name: np.full(size, np.nan) for name in COLUMNS}
    regime = np.zeros(size, dtype="int8")
    with np.errstate(all="ignore"):
        for part, case in table.blocks():
            p = steps.prepare(case, cal)
            values = phase_energy(p, cal, law, rate[part], batch[part], tdp_w[part])
            for name in COLUMNS:
                out[name][part] = values[name]
            regime[part] = table.regime(part, case)
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
    return frame.assign(**out, reason=reason)


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
