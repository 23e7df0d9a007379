"""How carbon moves through a day: what the sun alone does to a grid's annual mean.

No hourly record ships with the kit. What is known of a country is its annual mean and the share of
solar in it; this spreads that share over a day of twelve hours of light and lets the rest, with its
own mean, fill up to a flat demand. Wind, trade, storage and seasons are left out, so it is the
shape of an average day and no forecast. Its mean over the day is the annual mean again.

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
from econ.catalog.guard import count, fraction, not_negative
from econ.catalog.units import HOURS_PER_DAY
from econ.energy.footprint import as_site, carbon_intensity_g_per_kwh

DAWN, DUSK = 6, 18  # of an average day over a year, at any latitude


def solar_shape() -> np.ndarray:
    """Each hour's share of a day's solar energy: half a sine wave from dawn to dusk."""
    middle = np.arange(int(HOURS_PER_DAY)) + 0.5
    height = np.sin(np.pi * (middle - DAWN) / (DUSK - DAWN))
    height = np.where((middle > DAWN) & (middle < DUSK), height, 0.0)
    return height / height.sum()


def hourly_carbon_g_per_kwh(carbon_g_per_kwh: float, solar_frac: float) -> np.ndarray:
    """Carbon of each hour of an average day: mean / (1 − s) · (1 − solar's share of that hour).

    Raises ``ValueError`` where solar at noon would exceed all demand: then storage or export set
    the shape, and this model has none.
    """
    not_negative("carbon_g_per_kwh", carbon_g_per_kwh)
    fraction("solar_frac", solar_frac)
    of_hour = solar_frac * HOURS_PER_DAY * solar_shape()
    if of_hour.max() > 1:
        raise ValueError(
            f"solar_frac = {solar_frac} is outside its range: 0 to "
            f"{solar_frac / of_hour.max():.2f}; above it noon has more sun than demand"
        )
    return carbon_g_per_kwh / (1 - solar_frac) * (1 - of_hour)


def day_frame(site: Site | str) -> pd.DataFrame:
    """A site's average day: hour, carbon_g_per_kwh, mean_g_per_kwh, known (whether the share of
    solar is); a site without it has the mean in every hour."""
    place = as_site(site)
    mean = carbon_intensity_g_per_kwh(place)
    known = place.solar_frac is not None
    hours = np.arange(int(HOURS_PER_DAY))
    carbon = hourly_carbon_g_per_kwh(mean, place.solar_frac if known else 0.0)
    return pd.DataFrame(
        {"hour": hours, "carbon_g_per_kwh": carbon, "mean_g_per_kwh": mean, "known": known}
    )


def carbon_at_g_per_kwh(site: Site | str, hour: int) -> float:
    """Carbon of a site in one hour, 0 to 23, of its average day."""
    count("hour", hour, 0, int(HOURS_PER_DAY) - 1)
    return float(day_frame(site)["carbon_g_per_kwh"].iloc[hour])
