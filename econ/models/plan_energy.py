"""Energy and carbon of a plan's deployments, from the accelerators up to the site.

The accelerators' joules come from the power law at each operating point (`econ.models.energy`); the
host, the idle hours of a fleet that is sized for its peak, and the building's PUE are added as on
the ladder of `econ.models.footprint`. Electricity is part of a rent: it is shown, not added.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.facts.catalog import accelerator
from econ.facts.tables import table
from econ.facts.units import HOUR_S, HOURS_PER_YEAR, KWH_J, MTOK
from econ.models import footprint
from econ.models.energy import energy_frame
from econ.models.scenario import Scenario

POINT = ["energy_j_per_token", "energy_low_j_per_token", "energy_high_j_per_token"]
SITE = ["site_energy_j_per_token", "electricity_usd_per_mtok", "carbon_g_per_mtok",
        "carbon_low_g_per_mtok", "carbon_high_g_per_mtok"]  # fmt: skip


def point_energy(predicted: pd.DataFrame) -> pd.DataFrame:
    """Joules per output token of the accelerators at each predicted row, with the 90 % band."""
    return energy_frame(predicted)[POINT]


def with_site(frame: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """The plan with `SITE`: energy on all rungs, what it costs, location-based carbon.

    Carbon is the site's and the hardware's own, spread over the tokens of its life. Its band moves
    the accelerators' energy alone. Where the place has no carbon or no price, that column is empty.
    """
    place = footprint.as_site(scenario.site, scenario.operator)
    rows, chips = footprint.inputs()["typical"], frame["accelerator"].astype(str)
    tdp = {name: accelerator(name).tdp_w or np.nan for name in chips.unique()}
    tdp_w = chips.map(tdp).to_numpy("float64")
    rate = (frame["requests_per_s_per_replica"] * frame["output_tokens"] / frame["n_gpu"]).to_numpy(
        "float64"
    )
    busy = np.clip(frame["busy_frac"].to_numpy("float64"), 1e-6, 1.0)
    host_w = tdp_w * rows["host_frac"]
    idle_w = host_w + tdp_w * float(table("power_calibration").loc["idle_frac", "value"])
    beside = host_w / rate + idle_w * (1 - busy) / busy / rate
    pue = footprint.checked_pue(place.pue or 1.0)
    worked_s = rows["life_years"] * HOURS_PER_YEAR * HOUR_S * busy
    per_server = chips.map({n: accelerator(n).n_per_server or 8 for n in tdp}).to_numpy("float64")
    made_g = rows["accelerator_embodied_g"] + rows["server_embodied_g"] / per_server
    embodied = made_g / (worked_s * rate) * MTOK
    carbon = np.nan if place.carbon_g_per_kwh is None else place.carbon_g_per_kwh
    price = np.nan if place.electricity_usd_per_kwh is None else place.electricity_usd_per_kwh

    def site_j(column: str) -> np.ndarray:
        return (frame[column].to_numpy("float64") + beside) * pue

    def grams(column: str) -> np.ndarray:
        return site_j(column) * MTOK / KWH_J * carbon + embodied

    return frame.assign(
        site_energy_j_per_token=site_j(POINT[0]),
        electricity_usd_per_mtok=site_j(POINT[0]) * MTOK / KWH_J * price,
        carbon_g_per_mtok=grams(POINT[0]),
        carbon_low_g_per_mtok=grams(POINT[1]),
        carbon_high_g_per_mtok=grams(POINT[2]),
    )
