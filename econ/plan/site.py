"""Energy and carbon of a plan's deployments, from the accelerators up to the site.

The accelerators' joules come from the power law at each operating point
(`econ.energy.consumption`); the host, the idle hours of a fleet that is sized for its peak,
and the building's PUE are added as on the ladder of `econ.energy.footprint`. Electricity is part
of a rent: it is shown, not added.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from econ.catalog.catalog import accelerator
from econ.catalog.tables import table
from econ.catalog.units import KWH_J, MTOK, YEAR_S
from econ.energy import footprint
from econ.energy.boundaries import checked_pue, climb, input_range
from econ.energy.consumption import energy_frame
from econ.scenario import Scenario

POINT = ["energy_j_per_token", "energy_low_j_per_token", "energy_high_j_per_token"]
INPUTS = ("host_frac", "life_years", "accelerator_embodied_g", "server_embodied_g")
LEAST_BUSY_FRAC = 1e-6
SITE = ["site_energy_j_per_token", "electricity_usd_per_mtok", "carbon_g_per_mtok",
        "carbon_low_g_per_mtok", "carbon_high_g_per_mtok"]  # fmt: skip


def point_energy(predicted: pd.DataFrame) -> pd.DataFrame:
    """Joules per output token of the accelerators at each predicted row, with the 90 % band."""
    return energy_frame(predicted)[POINT]


def with_site(frame: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """The plan with `SITE`: energy on all rungs, what it costs, location-based carbon.

    Carbon is the site's and the hardware's own, spread over the tokens of its life. Its band moves
    the accelerators' energy, and with it how long host and idle power are drawn. Where the place
    has no carbon or no price, that column is empty.
    """
    place = footprint.as_site(scenario.site, scenario.operator)
    chips = frame["accelerator"].astype(str)
    known = {name: accelerator(name) for name in chips.unique()}
    tdp_w = chips.map({n: a.tdp_w or np.nan for n, a in known.items()}).to_numpy("float64")
    rate = frame["requests_per_s_per_replica"] * frame["output_tokens"] / frame["n_gpu"]
    rate = rate.to_numpy("float64")
    busy = np.clip(frame["busy_frac"].to_numpy("float64"), LEAST_BUSY_FRAC, 1.0)
    typical = {name: input_range(name).typical for name in INPUTS}
    point = SimpleNamespace(
        output_tokens_per_s_per_gpu=rate,
        energy_j_per_token=frame["energy_j_per_token"].to_numpy("float64"),
    )
    ladder = climb(point, tdp_w)
    given = {
        "host_frac": typical["host_frac"],
        "busy_frac": busy,
        "idle_frac": float(table("power_calibration").loc["idle_frac", "value"]),
        "pue": checked_pue(place.pue or 1.0),
    }
    per_server = chips.map({n: a.n_per_server or 8 for n, a in known.items()}).to_numpy("float64")
    made_g = typical["accelerator_embodied_g"] + typical["server_embodied_g"] / per_server
    embodied = made_g / (typical["life_years"] * YEAR_S * busy * rate) * MTOK
    carbon = np.nan if place.carbon_g_per_kwh is None else place.carbon_g_per_kwh
    price = np.nan if place.electricity_usd_per_kwh is None else place.electricity_usd_per_kwh
    low_j, site_j, high_j = (
        ladder(accelerators_j=frame[name].to_numpy("float64"), **given)["building"]
        for name in (POINT[1], POINT[0], POINT[2])
    )
    kwh_per_mtok = MTOK / KWH_J
    return frame.assign(
        site_energy_j_per_token=site_j,
        electricity_usd_per_mtok=site_j * kwh_per_mtok * price,
        carbon_g_per_mtok=site_j * kwh_per_mtok * carbon + embodied,
        carbon_low_g_per_mtok=low_j * kwh_per_mtok * carbon + embodied,
        carbon_high_g_per_mtok=high_j * kwh_per_mtok * carbon + embodied,
    )
