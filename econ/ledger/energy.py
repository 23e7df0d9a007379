"""Topic ``energy``: joules per token, prompts, water, carbon, racks, efficiency."""

from __future__ import annotations

from econ.catalog import site
from econ.catalog.units import KILO, KWH_J, MEGA, WH_J, j_from_kwh
from econ.energy.consumption import energy, energy_j_per_token
from econ.energy.footprint import carbon_g_per_mtok, carbon_intensity_g_per_kwh, water_l_per_mtok
from econ.ledger.recompute import recompute
from econ.trends.hardware import efficiency_growth_per_year


@recompute("energy_j_per_token")
def predicted_energy_j_per_token(id: str, chip: str, **case: float | str) -> float:
    """Joules per output token of the accelerators, nothing measured going in."""
    return energy_j_per_token(id, chip, **case)


@recompute("energy")
def reasoning_energy_factor(
    id: str, chip: str, tp: int, precision: str, chat: dict, reasoning: dict, measured: dict
) -> float:
    """Energy of a reasoning answer over that of a chat answer, each at its own batch.

    ``measured`` holds the source's tokens and joules, for the reader; it does not enter.
    """
    spent = [
        energy(id, chip, tp=tp, precision=precision, **case).energy_j_per_request
        for case in (reasoning, chat)
    ]
    return spent[0] / spent[1]


@recompute("water_l_per_mtok")
def site_water_ml(energy_wh: float, wue_l_per_kwh: float) -> float:
    """Millilitres of cooling water for an amount of IT energy."""
    one = energy_wh * WH_J / MEGA  # a prompt as a million tokens
    return water_l_per_mtok(one, wue_l_per_kwh) * KILO


@recompute("carbon_g_per_mtok", "carbon_intensity_g_per_kwh")
def training_carbon_t(n_gpu_hours: float, power_w: float, place: str, pue: float) -> float:
    """Tonnes of CO2e, by location, of accelerators at a power for some hours."""
    spent_j = n_gpu_hours * power_w / KILO * KWH_J
    intensity = carbon_intensity_g_per_kwh(site(place))
    return carbon_g_per_mtok(spent_j / MEGA, intensity, pue) / MEGA


@recompute("efficiency_growth_per_year")
def hardware_growth_per_year(measure: str) -> float:
    """Growth of a measure of efficiency a year, as a share."""
    return efficiency_growth_per_year(measure)["growth"]


# -- sums on published numbers ------------------------------------------------------------------
@recompute()
def total(over: list[float]) -> float:
    """The sum of some numbers."""
    return sum(over)


@recompute()
def j_per_token_from_power(power_w: float, tokens_per_s: float) -> float:
    """Power over throughput."""
    return power_w / tokens_per_s


@recompute()
def flop_query_wh(
    active_params: float,
    output_tokens: float,
    peak_flop_per_s: float,
    utilisation_frac: float,
    power_w: float,
    power_factor: float,
) -> float:
    """2 FLOP per parameter and token, over what a chip reaches, times what it draws."""
    busy_s = 2 * active_params * output_tokens / (peak_flop_per_s * utilisation_frac)
    return busy_s * power_w * power_factor / WH_J


@recompute()
def kwh_to_kj(energy_kwh: float) -> float:
    """Kilowatt-hours in kilojoules."""
    return j_from_kwh(energy_kwh) / KILO
