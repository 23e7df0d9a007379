"""Energy: joules, watts, carbon and water for a token, with the boundary in view.

`energy` takes a scenario and says what its accelerators draw per token, and what its site makes of
that: host, idle capacity and building on top, electricity in USD, carbon by location and by
contracts, water. `energy_frame` does the accelerators' part for a table of deployments,
`site_frame` the site's. Below them stand functions of numbers, for a chain of your own.
"""

from econ.energy.boundaries import (
    DisclosedPrompt,
    boundary_frame,
    boundary_tornado_frame,
    disclosed_prompt,
    idle_j_per_token,
    ladder_j,
)
from econ.energy.consumption import Energy, energy
from econ.energy.footprint import (
    carbon_g,
    carbon_g_per_mtok,
    embodied_g_per_mtok,
    energy_cost_usd_per_mtok,
    energy_kwh_per_mtok,
    tokens_per_s_per_mw,
    water_l,
    water_l_per_mtok,
)
from econ.energy.frame import energy_frame
from econ.energy.hours import day_frame
from econ.energy.power import PowerLaw, unit_energy
from econ.energy.sites import (
    carbon_intensity_g_per_kwh,
    embodied_range,
    footprint_frame,
    site_bill,
    site_frame,
)

__all__ = [
    "DisclosedPrompt",
    "Energy",
    "PowerLaw",
    "boundary_frame",
    "boundary_tornado_frame",
    "carbon_g",
    "carbon_g_per_mtok",
    "carbon_intensity_g_per_kwh",
    "day_frame",
    "disclosed_prompt",
    "embodied_g_per_mtok",
    "embodied_range",
    "energy",
    "energy_cost_usd_per_mtok",
    "energy_frame",
    "energy_kwh_per_mtok",
    "footprint_frame",
    "idle_j_per_token",
    "ladder_j",
    "site_bill",
    "site_frame",
    "tokens_per_s_per_mw",
    "unit_energy",
    "water_l",
    "water_l_per_mtok",
]
