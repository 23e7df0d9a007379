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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import Site
from econ.catalog.guard import positive, unknown
from econ.catalog.ranges import Range
from econ.energy.boundaries import boundary_frame
from econ.energy.frame import COLUMNS, OPERATING_POINT, bands, energy_frame
from econ.energy.power import PowerLaw, known_tdp_w
from econ.energy.sites import FIGURES, PER_SERVER, embodied_range, site_figure, site_frame
from econ.latency.calibration import Calibration
from econ.latency.frame_columns import LARGEST
from econ.latency.prediction import predict, scenarios_frame
from econ.scenario import Scenario
from econ.station import Result, distinct, station
from econ.tokens.tasks import NO_TASK, Task, per_frame, tasks_frame

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
    task : Task, optional
        The workload's: its requests are turns, and `row` says what a session and a finished task
        take at the site's meter.
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
    task: Task | None = None

    def row(self) -> dict[str, Any]:
        """The numbers and words, and of sessions the site's joules per turn, session and task."""
        return super().row() | (self.task.figures(site_j=self._site_j()) if self.task else {})

    def per_frame(self) -> pd.DataFrame:
        """The site's joules ``per`` turn, session and finished task; of sessions only."""
        if self.task is None:
            raise ValueError(NO_TASK)
        return per_frame(self.task.figures(site_j=self._site_j()))

    def _site_j(self) -> float:
        return self.site_j_per_output_token * self.output_tokens

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
    case, cases = distinct(scenarios)
    busy = np.array([s.finance.utilisation_frac for s in cases], dtype="float64")[case]
    code, sites = pd.factorize(np.array([s.resolved_site for s in cases], dtype=object))
    code = code[case]
    parts = [site_frame(frame[code == i], site, busy[code == i]) for i, site in enumerate(sites)]
    answers = pd.concat(parts).sort_index().rename(columns=NAMES)
    columns = [NAMES.get(name, name) for name in (*COLUMNS, *OPERATING_POINT)]
    site_j = answers["site_j_per_output_token"] * answers["output_tokens"]
    tasks = tasks_frame([s.workload.task for s in scenarios], answers.index, site_j=site_j)
    return answers[[*columns, *OF_SITE, "regime", "reason"]].join(tasks)


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
    (1.5, 3.8)
    >>> dear = Scenario.default().with_(electricity_usd_per_kwh=0.30)
    >>> energy(dear, concurrency=32).electricity_usd_per_mtok > 2 * one.electricity_usd_per_mtok
    True
    """
    positive("concurrency", concurrency, LARGEST["concurrency"])
    accelerator = s.deployment.resolved_accelerator
    tdp_w = known_tdp_w(accelerator)
    plain = s.with_(task=None) if s.workload.task else s
    row = energy_scenarios([plain], concurrency=concurrency, law=law, calibration=calibration).iloc[
        0
    ]
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
        task=s.workload.task,
    )
