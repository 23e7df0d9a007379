"""From joules to kilowatt-hours, USD, grams of carbon and litres of water: functions of numbers.

A figure without its rung of the ladder (`econ.energy.boundaries`) says little: each function here
names the energy it wants. Water is used twice: on site to cool (per kWh of IT energy), and by the
power stations (per kWh of site energy). `econ.energy.sites` puts a place's own figures in.

>>> round(energy_cost_usd_per_mtok(0.36, 0.10), 4)                # J/token · USD/kWh / 3.6
0.01
>>> round(carbon_g_per_mtok(0.36, 244.8, pue=1.09), 1)
26.7
"""

from __future__ import annotations

from typing import Any

from econ.catalog.guard import each, not_negative, positive
from econ.catalog.units import MEGA, MTOK, YEAR_S, kwh_from_j
from econ.energy.boundaries import checked_busy, checked_pue

MOST_YEARS = 50.0


def carbon_g(energy_j: Any, carbon_g_per_kwh: float, pue: float = 1.0) -> Any:
    """Grams of CO2e of an amount of energy.

    Parameters
    ----------
    energy_j : float or array
        IT energy with a PUE, else site energy; e.g. 792 J for a prompt of 0.22 Wh.
    carbon_g_per_kwh : float
        Of the grid or of contracts, e.g. 244.8 (`econ.energy.carbon_intensity_g_per_kwh`).
    pue : float
        Site energy over IT energy, e.g. 1.09.

    Examples
    --------
    >>> round(carbon_g(3.6e6, 244.8), 1)                    # one kilowatt-hour
    244.8
    """
    each(not_negative, "energy_j", energy_j)
    not_negative("carbon_g_per_kwh", carbon_g_per_kwh)
    return kwh_from_j(energy_j) * checked_pue(pue) * carbon_g_per_kwh


def water_l(
    energy_j: Any, wue_l_per_kwh: float, grid_water_l_per_kwh: float = 0.0, pue: float = 1.0
) -> Any:
    """Litres of water of an amount of IT energy: on site, and at the power stations.

    Parameters
    ----------
    energy_j : float or array
        IT energy (accelerators, host, idle capacity), before the PUE.
    wue_l_per_kwh : float
        Water usage effectiveness: litres on site per kWh of IT energy, e.g. 1.15.
    grid_water_l_per_kwh : float
        Litres at power stations per kWh of site energy, e.g. 3.7.
    pue : float
        Site energy over IT energy, e.g. 1.09.

    Examples
    --------
    >>> round(water_l(0.22 * 3600, 1.15), 6)                # a Gemini prompt of 0.22 Wh
    0.000253
    """
    each(not_negative, "energy_j", energy_j)
    not_negative("wue_l_per_kwh", wue_l_per_kwh)
    not_negative("grid_water_l_per_kwh", grid_water_l_per_kwh)
    return kwh_from_j(energy_j) * (wue_l_per_kwh + checked_pue(pue) * grid_water_l_per_kwh)


def energy_kwh_per_mtok(energy_j_per_token: Any, pue: float = 1.0) -> Any:
    """Kilowatt-hours per million tokens, at the site if a PUE is given.

    >>> energy_kwh_per_mtok(3.6)
    1.0
    """
    each(not_negative, "energy_j_per_token", energy_j_per_token)
    return kwh_from_j(energy_j_per_token * MTOK) * checked_pue(pue)


def energy_cost_usd_per_mtok(
    energy_j_per_token: Any, electricity_usd_per_kwh: float, pue: float = 1.0
) -> Any:
    """Electricity of a million tokens: (J/token) · PUE · (USD/kWh) / 3.6.

    >>> round(energy_cost_usd_per_mtok(3.6, 0.10, pue=1.2), 2)
    0.12
    """
    not_negative("electricity_usd_per_kwh", electricity_usd_per_kwh)
    return energy_kwh_per_mtok(energy_j_per_token, pue) * electricity_usd_per_kwh


def carbon_g_per_mtok(
    energy_j_per_token: Any,
    carbon_g_per_kwh: float,
    pue: float = 1.0,
    embodied_g_per_mtok: float = 0.0,
) -> Any:
    """Grams of CO2e of a million tokens by the intensity given, and the hardware's share."""
    not_negative("carbon_g_per_kwh", carbon_g_per_kwh)
    each(not_negative, "embodied_g_per_mtok", embodied_g_per_mtok)
    return energy_kwh_per_mtok(energy_j_per_token, pue) * carbon_g_per_kwh + embodied_g_per_mtok


def water_l_per_mtok(
    energy_j_per_token: Any,
    wue_l_per_kwh: float,
    grid_water_l_per_kwh: float = 0.0,
    pue: float = 1.0,
) -> Any:
    """Litres of a million tokens of IT energy: `water_l`."""
    each(not_negative, "energy_j_per_token", energy_j_per_token)
    return water_l(energy_j_per_token * MTOK, wue_l_per_kwh, grid_water_l_per_kwh, pue)


def embodied_g_per_mtok(
    output_tokens_per_s_per_gpu: Any,
    *,
    n_per_server: Any = 8,
    years: Any,
    busy_frac: Any,
    accelerator_embodied_g: Any,
    server_embodied_g: Any,
) -> Any:
    """The making of the hardware on a token's account, spread evenly over the work of its life.

    Parameters
    ----------
    output_tokens_per_s_per_gpu : float or array
        Throughput while at work, e.g. 460.
    n_per_server : int or array
        Accelerators that share a server, e.g. 8.
    years : float or array
        In service, e.g. 5.
    busy_frac : float or array
        Share of that time at work, e.g. 0.8.
    accelerator_embodied_g, server_embodied_g : float or array
        Carbon of making an accelerator, and a server without its accelerators, e.g. 2.2e5, 5.7e6.

    Returns
    -------
    float or array
        Grams of CO2e per million output tokens.

    Notes
    -----
    (accelerator + server / accelerators in it) / (years · busy share · throughput).
    """
    each(positive, "output_tokens_per_s_per_gpu", output_tokens_per_s_per_gpu)
    each(positive, "years", years, MOST_YEARS)
    each(positive, "n_per_server", n_per_server)
    each(lambda _, value: checked_busy(value), "busy_frac", busy_frac)
    each(not_negative, "accelerator_embodied_g", accelerator_embodied_g)
    each(not_negative, "server_embodied_g", server_embodied_g)
    hardware_g = accelerator_embodied_g + server_embodied_g / n_per_server
    return hardware_g / (years * YEAR_S * busy_frac * output_tokens_per_s_per_gpu) * MTOK


def tokens_per_s_per_mw(site_j_per_token: float) -> float:
    """Output tokens per second that a megawatt at the site sustains: 1e6 / (J/token)."""
    return MEGA / positive("site_j_per_token", site_j_per_token)
