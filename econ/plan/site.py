"""Energy and carbon of a plan's deployments, from the accelerators up to the site.

The accelerators' joules come from the power law at each operating point
(`econ.energy.consumption`); the host, the idle hours of a fleet that is sized for its peak,
and the building's PUE are added by `econ.energy.site_frame`. Electricity is part of a rent: it is
shown, not added.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.energy.frame import energy_frame
from econ.energy.sites import site_frame
from econ.scenario import Scenario

POINT = ["energy_j_per_token", "energy_low_j_per_token", "energy_high_j_per_token"]
LEAST_BUSY_FRAC = 1e-6
SITE = ["site_energy_j_per_token", "electricity_usd_per_mtok", "carbon_g_per_mtok",
        "carbon_low_g_per_mtok", "carbon_high_g_per_mtok"]  # fmt: skip


def point_energy(predicted: pd.DataFrame) -> pd.DataFrame:
    """Joules per output token of the accelerators at each predicted row, with the 90 % band."""
    return energy_frame(predicted)[POINT]


def with_site(frame: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """The plan with `SITE`: energy on all rungs, what it costs, location-based carbon.

    Carbon is the site's and the hardware's own, spread over the tokens of its life; its band is
    that of the accelerators' energy. Where the place has no carbon or no price, that column is
    empty.
    """
    rate = frame["requests_per_s_per_replica"] * frame["output_tokens"] / frame["n_gpu"]
    at_work = frame["busy_frac"].to_numpy("float64") * scenario.finance.utilisation_frac
    busy = np.clip(at_work, LEAST_BUSY_FRAC, 1.0)
    points = frame[[*POINT, "accelerator"]].assign(output_tokens_per_s_per_gpu=rate)
    at_site = site_frame(points, scenario.resolved_site, busy)
    joules, in_use_g, hardware_g = (
        at_site[name]
        for name in ("site_energy_j_per_token", "location_carbon_g_per_mtok",
                     "embodied_carbon_g_per_mtok")
    )  # fmt: skip
    low, high = (at_site[f"site_energy_{end}_j_per_token"] / joules for end in ("low", "high"))
    return frame.assign(
        site_energy_j_per_token=joules,
        electricity_usd_per_mtok=at_site["electricity_usd_per_mtok"],
        carbon_g_per_mtok=in_use_g + hardware_g,
        carbon_low_g_per_mtok=low * in_use_g + hardware_g,
        carbon_high_g_per_mtok=high * in_use_g + hardware_g,
    )
