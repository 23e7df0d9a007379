"""From joules at the accelerator to what a site uses, pays, emits and drinks.

A figure without its rung of the ladder (`econ.energy.boundaries`) says little: each function here
names the energy it wants. Carbon has two conventions that are never
mixed: *location-based*, the grid that the place draws from, and *market-based*, the contracts that
an operator has bought. Water is used twice: on site to cool (per kWh of IT energy), and by the
power stations (per kWh of site energy).

>>> round(energy_cost_usd_per_mtok(0.36, 0.10), 4)                # J/token · USD/kWh / 3.6
0.01
>>> round(carbon_g_per_mtok(0.36, 244.8, pue=1.09), 1)
26.7
>>> carbon_intensity_g_per_kwh("france", "market")
Traceback (most recent call last):
    ...
ValueError: no market-based carbon is known for France: it depends on contracts, so name an \
operator that reports it (google, meta); the grid's own figure is not put in its place
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from econ.catalog import Site, accelerator, table
from econ.catalog import site as site_of
from econ.catalog.guard import fraction, not_negative, positive, unknown
from econ.catalog.ranges import Range, typical_of
from econ.catalog.units import KWH_J, MEGA, MTOK, YEAR_S, kwh_from_j
from econ.energy.boundaries import (
    N_SAMPLES,
    TAIL,
    boundary_frame,
    checked_pue,
    input_range,
    inputs,
)
from econ.uncertainty.samples import run_model, sample_frame

if TYPE_CHECKING:
    from econ.energy.consumption import Energy

__all__ = [
    "as_site",
    "carbon_g_per_mtok",
    "carbon_intensity_g_per_kwh",
    "checked_pue",
    "electricity_usd_per_mw_year",
    "embodied_g_per_mtok",
    "embodied_range",
    "energy_cost_usd_per_mtok",
    "energy_kwh_per_mtok",
    "footprint_frame",
    "inputs",
    "needed",
    "site_bill",
    "tokens_per_s_per_mw",
    "water_l_per_mtok",
]

METHODS = ("location", "market", "lifecycle")


def energy_kwh_per_mtok(energy_j_per_token: float, pue: float = 1.0) -> float:
    """Kilowatt-hours per million tokens, at the site if a PUE is given."""
    not_negative("energy_j_per_token", energy_j_per_token)
    return kwh_from_j(energy_j_per_token * MTOK) * checked_pue(pue)


def energy_cost_usd_per_mtok(
    energy_j_per_token: float, electricity_usd_per_kwh: float, pue: float = 1.0
) -> float:
    """Electricity of a million tokens: (J/token) · PUE · (USD/kWh) / 3.6."""
    not_negative("electricity_usd_per_kwh", electricity_usd_per_kwh)
    return energy_kwh_per_mtok(energy_j_per_token, pue) * electricity_usd_per_kwh


def carbon_g_per_mtok(
    energy_j_per_token: float,
    carbon_g_per_kwh: float,
    pue: float = 1.0,
    embodied_g_per_mtok: float = 0.0,
) -> float:
    """Grams of CO2e of a million tokens by the intensity given, and the hardware's share.

    `carbon_intensity_g_per_kwh` gives the intensity of a site by either convention.
    """
    not_negative("carbon_g_per_kwh", carbon_g_per_kwh)
    not_negative("embodied_g_per_mtok", embodied_g_per_mtok)
    return energy_kwh_per_mtok(energy_j_per_token, pue) * carbon_g_per_kwh + embodied_g_per_mtok


def water_l_per_mtok(
    energy_j_per_token: float,
    wue_l_per_kwh: float,
    grid_water_l_per_kwh: float = 0.0,
    pue: float = 1.0,
) -> float:
    """Litres of a million tokens: WUE · IT energy on site, and grid water · site energy.

    ``energy_j_per_token`` is IT energy (accelerators, host, idle capacity), before the PUE.

    >>> round(water_l_per_mtok(0.22 * 3600 / 1e3, 1.15) / 1e3, 6)   # Gemini: 0.22 Wh, 1,000 tokens
    0.000253
    """
    not_negative("wue_l_per_kwh", wue_l_per_kwh)
    not_negative("grid_water_l_per_kwh", grid_water_l_per_kwh)
    it_kwh = energy_kwh_per_mtok(energy_j_per_token)
    return it_kwh * (wue_l_per_kwh + checked_pue(pue) * grid_water_l_per_kwh)


def as_site(site: Site | str, operator: str | None = None) -> Site:
    """The site itself, or the catalogue's by identifier, with its operator's figures."""
    return site if isinstance(site, Site) else site_of(site, operator)


def carbon_intensity_g_per_kwh(
    site: Site | str, method: str = "location", operator: str | None = None
) -> float:
    """Grams of CO2e per kWh by ``location``, ``market`` or ``lifecycle`` (location and plants).

    Raises ``ValueError`` where the convention has no figure for the place: none is borrowed.
    """
    if method not in METHODS:
        raise unknown("convention of carbon", method, METHODS)
    place = as_site(site, operator)
    value = {
        "location": place.carbon_g_per_kwh,
        "market": place.market_carbon_g_per_kwh,
        "lifecycle": place.carbon_lifecycle_g_per_kwh,
    }[method]
    if value is None and method == "market":
        rows = table("operators")["market_carbon_g_per_kwh"].dropna()
        who = f"{operator} in {place.name}" if operator else place.name
        raise ValueError(
            f"no market-based carbon is known for {who}: it depends on contracts, so name an "
            f"operator that reports it ({', '.join(rows.index)}); the grid's own figure is not "
            "put in its place"
        )
    if value is None:
        raise ValueError(f"no {method} carbon is known for {place.name}")
    return value


def site_bill(energy_j_per_token: float, place: Site) -> dict[str, float]:
    """A million tokens at a site: electricity_usd, carbon_g (location), market_g, site_water_l,
    grid_water_l; NaN where a figure is not known. ``energy_j_per_token`` is IT energy.

    >>> bill = site_bill(0.36, site_of("france", "google"))
    >>> {name: round(value, 1) for name, value in bill.items()}    # 0.1 kWh of IT energy
    {'electricity_usd': 0.0, 'carbon_g': 6.1, 'market_g': 13.6, 'site_water_l': 0.1, \
'grid_water_l': 0.4}
    """
    pue = needed(place, "pue")
    it_kwh = energy_kwh_per_mtok(energy_j_per_token)

    def times(rate: float | None, kwh: float) -> float:
        return math.nan if rate is None else rate * kwh

    return {
        "electricity_usd": times(place.electricity_usd_per_kwh, it_kwh * pue),
        "carbon_g": times(place.carbon_g_per_kwh, it_kwh * pue),
        "market_g": times(place.market_carbon_g_per_kwh, it_kwh * pue),
        "site_water_l": times(place.wue_l_per_kwh, it_kwh),
        "grid_water_l": times(place.grid_water_l_per_kwh, it_kwh * pue),
    }


def needed(place: Site, name: str) -> float:
    """A figure of a site, or an error that says which is missing."""
    value = getattr(place, name)
    if value is None:
        owner = "its operator" if name in ("pue", "wue_l_per_kwh") else "the place"
        raise ValueError(f"{place.name}: no {name} is known of {owner}")
    return value


def footprint_frame(
    spent: Energy, accelerator_id: str, site: Site | str, operator: str | None = None
) -> pd.DataFrame:
    """A million output tokens at a site, all told: figure, low, typical, high, unit.

    The spread is that of the energy (`boundary_frame`) and of the hardware's making; prices and
    intensities are the year's means of the place, without a spread of their own. A figure that
    nobody has published is left out.
    """
    place, chip = as_site(site, operator), accelerator(accelerator_id)
    ends = ("low", "typical", "high")
    it = boundary_frame(spent, accelerator_id).set_index("rung").loc["idle capacity"]
    bills = [site_bill(float(it[end]), place) for end in ends]
    pue = needed(place, "pue")
    figures = [
        ("site energy", [energy_kwh_per_mtok(float(it[e]), pue) for e in ends], "kWh"),
        ("electricity", [b["electricity_usd"] for b in bills], "USD"),
        ("carbon in use, by location", [b["carbon_g"] for b in bills], "g CO2e"),
        ("carbon in use, by market", [b["market_g"] for b in bills], "g CO2e"),
        ("carbon of the hardware", embodied_range(spent, chip.n_per_server or 8), "g CO2e"),
        ("water on site", [b["site_water_l"] for b in bills], "L"),
        ("water at power stations", [b["grid_water_l"] for b in bills], "L"),
    ]
    frame = pd.DataFrame(
        [(name, *values, unit) for name, values, unit in figures],
        columns=["figure", *ends, "unit"],
    )
    return frame.dropna(subset=["typical"]).reset_index(drop=True)


def embodied_range(spent: Energy, n_per_server: int = 8) -> tuple[float, float, float]:
    """Grams of the hardware's making per million output tokens: low, typical, high.

    Joint samples of life, time at work, the two masses of carbon and the band of the throughput.
    """
    ranges = {
        "years": input_range("life_years"),
        "busy_frac": input_range("busy_frac"),
        "accelerator_embodied_g": input_range("accelerator_embodied_g"),
        "server_embodied_g": input_range("server_embodied_g"),
        "slower": Range.within_factor(1.0, spent.bands[1]),
    }

    def grams(slower, **inputs):
        rate = spent.output_tokens_per_s_per_gpu / slower
        return _embodied(rate, n_per_server=n_per_server, **inputs)

    drawn = run_model(grams, sample_frame(ranges, N_SAMPLES))["value"]
    typical = float(grams(**typical_of(ranges)))
    low, high = drawn.quantile([TAIL, 1 - TAIL])
    return min(float(low), typical), typical, max(float(high), typical)


def _embodied(rate, *, n_per_server, years, busy_frac, accelerator_embodied_g, server_embodied_g):
    made_g = accelerator_embodied_g + server_embodied_g / n_per_server
    return made_g / (years * YEAR_S * busy_frac * rate) * MTOK


def embodied_g_per_mtok(
    output_tokens_per_s_per_gpu: float,
    *,
    n_per_server: int = 8,
    years: float,
    busy_frac: float,
    accelerator_embodied_g: float,
    server_embodied_g: float,
) -> float:
    """The making of the hardware on a token's account, spread evenly over the work of its life.

    (accelerator + server / accelerators in it) / (years · busy share · throughput).
    """
    positive("output_tokens_per_s_per_gpu", output_tokens_per_s_per_gpu)
    positive("years", years, 50)
    positive("n_per_server", n_per_server)
    positive("busy_frac", busy_frac)
    fraction("busy_frac", busy_frac)
    not_negative("accelerator_embodied_g", accelerator_embodied_g)
    not_negative("server_embodied_g", server_embodied_g)
    return _embodied(
        output_tokens_per_s_per_gpu,
        n_per_server=n_per_server,
        years=years,
        busy_frac=busy_frac,
        accelerator_embodied_g=accelerator_embodied_g,
        server_embodied_g=server_embodied_g,
    )


def tokens_per_s_per_mw(site_j_per_token: float) -> float:
    """Output tokens per second that a megawatt at the site sustains: 1e6 / (J/token)."""
    return MEGA / positive("site_j_per_token", site_j_per_token)


def electricity_usd_per_mw_year(electricity_usd_per_kwh: float) -> float:
    """What a megawatt drawn for a year costs.

    >>> electricity_usd_per_mw_year(0.10)
    876000.0
    """
    not_negative("electricity_usd_per_kwh", electricity_usd_per_kwh)
    return MEGA * YEAR_S / KWH_J * electricity_usd_per_kwh
