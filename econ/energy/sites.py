"""What a place makes of a token's energy: electricity, carbon and water.

Carbon has two conventions that are never mixed: *location-based*, the grid that the place draws
from, and *market-based*, the contracts that an operator has bought.

>>> from econ.catalog import site
>>> bill = site_bill(0.36, site("france", "google"))               # 0.1 kWh of IT energy
>>> [round(bill[name], 1) for name in ("carbon_g", "market_g", "grid_water_l")]
[6.1, 13.6, 0.4]
>>> carbon_intensity_g_per_kwh("france", "market")
Traceback (most recent call last):
    ...
ValueError: no market-based carbon is known for France: it depends on contracts, so name an \
operator that reports it (google, meta); the grid's own figure is not put in its place
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import Site, accelerator, given, table
from econ.catalog import site as site_of
from econ.catalog.guard import one_of
from econ.catalog.ranges import Range, typical_of
from econ.energy.boundaries import (
    N_SAMPLES,
    OperatingPoint,
    boundary_frame,
    checked_busy,
    checked_pue,
    idle_range,
    ladder_j,
)
from econ.energy.footprint import embodied_g_per_mtok, energy_kwh_per_mtok
from econ.uncertainty import interval, propagate

METHODS = {
    "location": "carbon_g_per_kwh",
    "market": "market_carbon_g_per_kwh",
    "lifecycle": "carbon_lifecycle_g_per_kwh",
}
# inputs of `embodied_g_per_mtok` in ``data/energy/energy_inputs.csv``
HARDWARE = {
    "years": "life_years",
    "busy_frac": "busy_frac",
    "accelerator_embodied_g": "accelerator_embodied_g",
    "server_embodied_g": "server_embodied_g",
}
OF_OPERATORS = ("pue", "wue_l_per_kwh")
ENDS = ("low", "typical", "high", "low_se", "high_se")
PER_SERVER = 8  # accelerators, where nobody has published it
# an energy's own names for what a million output tokens take at its site
FIGURES = {
    "electricity_usd": "electricity_usd_per_mtok",
    "carbon_g": "location_carbon_g_per_mtok",
    "market_g": "market_carbon_g_per_mtok",
    "site_water_l": "site_water_l_per_mtok",
    "grid_water_l": "grid_water_l_per_mtok",
}
TITLES = {
    "site energy": "kWh",
    "electricity": "USD",
    "carbon in use, by location": "g CO2e",
    "carbon in use, by market": "g CO2e",
    "carbon of the hardware": "g CO2e",
    "water on site": "L",
    "water at power stations": "L",
}


def resolve_site(site: Site | str, operator: str | None = None) -> Site:
    """The site itself, or the catalogue's by name, with its operator's figures."""
    return site if isinstance(site, Site) else site_of(site, operator)


def known_figure(site: Site, name: str) -> float | None:
    """A certain figure of a site, None where nobody has published it."""
    value = getattr(site, name)
    if isinstance(value, Range):
        raise ValueError(f"{name} of {site.name or site.id} is a Range: use econ.uncertain")
    return None if value is None else float(value)


def site_figure(site: Site, name: str) -> float:
    """A figure of a site, e.g. ``pue``; a ``ValueError`` says which is missing."""
    value = known_figure(site, name)
    if value is None:
        owner = "its operator" if name in OF_OPERATORS else "the place"
        raise ValueError(f"{site.name}: no {name} is known of {owner}")
    return value


def carbon_intensity_g_per_kwh(
    site: Site | str, method: str = "location", operator: str | None = None
) -> float:
    """Grams of CO2e per kWh at a site.

    Parameters
    ----------
    site : Site or str
        An object of your own or a name of the catalogue.
    method : str
        ``location`` (the grid), ``market`` (an operator's contracts) or ``lifecycle`` (the grid
        with the making of its plants).
    operator : str, optional
        Who runs the site, where it is given by name.

    Raises
    ------
    ValueError
        Where the convention has no figure for the place: none is borrowed.
    """
    one_of("convention of carbon", method, METHODS)
    place = resolve_site(site, operator)
    value = known_figure(place, METHODS[method])
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


def site_bill(energy_j_per_token: Any, site: Site) -> dict[str, Any]:
    """What a million tokens take at a site.

    Parameters
    ----------
    energy_j_per_token : float or array
        IT energy (accelerators, host, idle capacity), e.g. 1.8.
    site : Site
        With a PUE: the operator's, or your own.

    Returns
    -------
    dict of str to float or array
        ``electricity_usd``, ``carbon_g`` (by location), ``market_g``, ``site_water_l``,
        ``grid_water_l``; NaN where a figure is not known.

    Raises
    ------
    ValueError
        Where the PUE is not known.
    """
    it_kwh = energy_kwh_per_mtok(energy_j_per_token)
    site_kwh = it_kwh * checked_pue(site_figure(site, "pue"))

    def amount(name: str, kwh: Any) -> Any:
        rate = known_figure(site, name)
        return kwh * (math.nan if rate is None else rate)

    return {
        "electricity_usd": amount("electricity_usd_per_kwh", site_kwh),
        "carbon_g": amount("carbon_g_per_kwh", site_kwh),
        "market_g": amount("market_carbon_g_per_kwh", site_kwh),
        "site_water_l": amount("wue_l_per_kwh", it_kwh),
        "grid_water_l": amount("grid_water_l_per_kwh", site_kwh),
    }


def site_frame(frame: pd.DataFrame, site: Site, busy_frac: Any) -> pd.DataFrame:
    """A table of operating points with their site added: the ladder and what a site makes of it.

    Parameters
    ----------
    frame : DataFrame
        As `econ.energy.energy_frame` gives it: ``accelerator`` (names or objects),
        ``output_tokens_per_s_per_gpu`` while at work, ``energy_j_per_token`` and its band.
    site : Site
        Prices and intensities; a figure that is not known leaves NaN.
    busy_frac : float or array
        Share of time at work, greater than 0 and up to 1.

    Returns
    -------
    DataFrame
        With ``it_energy_j_per_token``, ``site_energy_j_per_token`` (and ``…_low_…``,
        ``…_high_…``: the accelerators' band alone moves, and with it how long host and idle power
        are drawn), ``electricity_usd_per_mtok``, ``location_carbon_g_per_mtok``,
        ``market_carbon_g_per_mtok``, ``site_water_l_per_mtok``, ``grid_water_l_per_mtok`` and
        ``embodied_carbon_g_per_mtok``.

    Notes
    -----
    Host, idle power, life and the hardware's carbon are the typical values of
    ``data/energy/energy_inputs.csv``.
    """
    code, names = pd.factorize(frame["accelerator"], use_na_sentinel=False)
    devices = [accelerator(name) for name in names]
    tdp_w = np.array([device.tdp_w or np.nan for device in devices])[code]
    per_server = np.array([device.n_per_server or PER_SERVER for device in devices])[code]
    joules, rate = (
        frame[name].to_numpy("float64")
        for name in ("energy_j_per_token", "output_tokens_per_s_per_gpu")
    )
    busy = np.broadcast_to(np.asarray(busy_frac, dtype="float64"), len(frame))
    hardware: dict[str, Any] = {
        name: given("energy_inputs", id).typical for name, id in HARDWARE.items()
    }
    pue = known_figure(site, "pue")
    shares = {
        "host_frac": given("energy_inputs", "host_frac").typical,
        "busy_frac": busy,
        "idle_frac": idle_range().typical,
        "pue": math.nan if pue is None else checked_pue(pue),
    }
    ladders = {}
    for end in ("", "low_", "high_"):
        column = frame[f"energy_{end}j_per_token"].to_numpy("float64")
        ladders[end] = ladder_j(column, rate * joules / column, tdp_w, **shares)
    it_j = ladders[""]["idle capacity"]
    out = {f"site_energy_{end}j_per_token": rungs["building"] for end, rungs in ladders.items()}
    if pue is None:
        out |= dict.fromkeys(FIGURES.values(), np.full(len(frame), np.nan))
    else:
        bill = site_bill(it_j, site)
        out |= {FIGURES[name]: values for name, values in bill.items()}
    return frame.assign(
        it_energy_j_per_token=it_j,
        **out,
        embodied_carbon_g_per_mtok=embodied_g_per_mtok(
            rate, n_per_server=per_server, **(hardware | {"busy_frac": busy})
        ),
    )


def embodied_range(
    point: OperatingPoint,
    *,
    busy_frac: float | None = None,
    coverage_frac: float = 0.9,
) -> tuple[float, float, float]:
    """Grams of the hardware's making per million output tokens: low, typical, high.

    Joint samples of life, time at work, the two masses of carbon and the band of the throughput.
    """
    low, typical, high, *_ = _embodied(point, busy_frac, coverage_frac)
    return low, typical, high


def _embodied(
    point: OperatingPoint, busy_frac: float | None, coverage_frac: float
) -> tuple[float, float, float, float, float]:
    """`embodied_range` with the standard errors of both ends."""
    joules = point.range()
    ranges = {name: given("energy_inputs", id) for name, id in HARDWARE.items()}
    if busy_frac is not None:
        busy = checked_busy(busy_frac)
        ranges["busy_frac"] = Range(busy, busy, busy)
    ranges["slower"] = Range.within_factor(1.0, joules.high / joules.typical)

    def grams(slower: Any, **inputs: Any) -> Any:
        rate = point.output_tokens_per_s_per_gpu / slower
        return embodied_g_per_mtok(rate, n_per_server=point.n_per_server, **inputs)

    span = interval(propagate(grams, ranges, N_SAMPLES)["value"], coverage_frac)
    typical = float(grams(**typical_of(ranges)))
    low, high = min(span.low, typical), max(span.high, typical)
    return low, typical, high, span.low_se, span.high_se


def site_ranges(
    point: OperatingPoint,
    site: Site,
    *,
    busy_frac: float | None = None,
    coverage_frac: float = 0.9,
) -> dict[str, tuple[float, ...]]:
    """What a million output tokens take at a site, by the titles of `TITLES`.

    Low, typical and high, and the standard errors of low and high: what other samples would change.

    The spread is that of the energy (`boundary_frame`) and of the hardware's making; prices and
    intensities are the year's means of the place, without a spread of their own. A figure that
    nobody has published is NaN.
    """
    ladder = boundary_frame(point, busy_frac=busy_frac, coverage_frac=coverage_frac)
    it_j = ladder.set_index("rung").loc["idle capacity", list(ENDS)].to_numpy("float64")
    site_kwh = energy_kwh_per_mtok(it_j, site_figure(site, "pue"))
    bill = site_bill(it_j, site)
    embodied = _embodied(point, busy_frac, coverage_frac)
    by_title = (
        site_kwh,
        bill["electricity_usd"],
        bill["carbon_g"],
        bill["market_g"],
        embodied,
        bill["site_water_l"],
        bill["grid_water_l"],
    )
    return {
        title: tuple(map(float, values)) for title, values in zip(TITLES, by_title, strict=True)
    }


def footprint_frame(
    point: OperatingPoint,
    site: Site | str,
    operator: str | None = None,
    *,
    busy_frac: float | None = None,
) -> pd.DataFrame:
    """A million output tokens at a site: `site_ranges` as figure, low, typical, high, unit.

    ``low_se`` and ``high_se`` are what other samples would change of both ends;
    `econ.uncertainty.sure_digits` prints the digits that they allow.

    The share of time at work is the range of ``data/energy/energy_inputs.csv`` unless it is given.
    A figure that nobody has published is left out.
    """
    place = resolve_site(site, operator)
    rows = [
        (title, *values[:3], TITLES[title], *values[3:])
        for title, values in site_ranges(point, place, busy_frac=busy_frac).items()
    ]
    frame = pd.DataFrame(rows, columns=["figure", *ENDS[:3], "unit", *ENDS[3:]])
    return frame.dropna(subset=["typical"]).reset_index(drop=True)
