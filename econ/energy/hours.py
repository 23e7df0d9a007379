"""How carbon moves through a day: what the sun alone does to a grid's annual mean.

No hourly record ships with the kit. What is known of a country is its annual mean and the share of
solar in it; `day_frame` spreads that share over a day of twelve hours of light and lets the rest,
with its own mean, fill up to a flat demand. Wind, trade, storage and seasons are left out, so it is
the shape of an average day and no forecast. Its mean over the day is the annual mean again.

>>> day = day_frame("australia")
>>> [round(float(x)) for x in (day["carbon_g_per_kwh"].min(), day["carbon_g_per_kwh"].max())]
[310, 662]
>>> round(float(day["carbon_g_per_kwh"].mean()), 1)
548.7
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog import Site
from econ.catalog.guard import fraction, not_negative
from econ.catalog.units import HOURS_PER_DAY
from econ.energy.sites import carbon_intensity_g_per_kwh, known_figure, resolve_site

DAWN, DUSK = 6, 18  # of an average day over a year, at any latitude


def solar_shape() -> np.ndarray:
    """Each hour's share of a day's solar energy: half a sine wave from dawn to dusk."""
    middle = np.arange(int(HOURS_PER_DAY)) + 0.5
    height = np.sin(np.pi * (middle - DAWN) / (DUSK - DAWN))
    height = np.where((middle > DAWN) & (middle < DUSK), height, 0.0)
    shares: np.ndarray = height / height.sum()
    return shares


def hourly_carbon_g_per_kwh(carbon_g_per_kwh: float, solar_frac: float) -> np.ndarray:
    """Carbon of each hour of an average day.

    Parameters
    ----------
    carbon_g_per_kwh : float
        The annual mean, e.g. 548.7.
    solar_frac : float
        Share of solar in the year's electricity, e.g. 0.18.

    Raises
    ------
    ValueError
        Where solar at noon would exceed all demand: then storage or export set the shape, and this
        model has none.

    Notes
    -----
    mean / (1 − s) · (1 − solar's share of that hour), with s the share of solar in the year.
    """
    not_negative("carbon_g_per_kwh", carbon_g_per_kwh)
    fraction("solar_frac", solar_frac)
    of_hour = solar_frac * HOURS_PER_DAY * solar_shape()
    if of_hour.max() > 1:
        raise ValueError(
            f"solar_frac = {solar_frac} is outside its range: 0 to "
            f"{solar_frac / of_hour.max():.2f}; above it noon has more sun than demand"
        )
    return np.asarray(carbon_g_per_kwh / (1 - solar_frac) * (1 - of_hour))


def day_frame(site: Site | str) -> pd.DataFrame:
    """A site's average day: hour, carbon_g_per_kwh, mean_g_per_kwh, known (whether the share of
    solar is); a site without it has the mean in every hour."""
    place = resolve_site(site)
    mean = carbon_intensity_g_per_kwh(place)
    solar_frac = known_figure(place, "solar_frac")
    carbon = hourly_carbon_g_per_kwh(mean, solar_frac or 0.0)
    return pd.DataFrame(
        {
            "hour": np.arange(int(HOURS_PER_DAY)),
            "carbon_g_per_kwh": carbon,
            "mean_g_per_kwh": mean,
            "known": solar_frac is not None,
        }
    )
