"""From joules at the accelerator to what a site uses, pays, emits and drinks.

The ladder: accelerators → + host → + idle capacity → × PUE → site. A figure without its rung says
little; each function here names the energy it wants. Carbon has two conventions that are never
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

from econ.facts import Site, accelerator, table
from econ.facts import site as site_of
from econ.facts.guard import fraction, in_range, not_negative, positive, unknown
from econ.facts.units import HOUR_S, HOURS_PER_YEAR, KWH_J, MEGA, MTOK, kwh_from_j

if TYPE_CHECKING:
    from econ.models.energy import Energy

METHODS = ("location", "market", "lifecycle")
MOST_PUE = 10.0
RUNGS = ("accelerators", "host", "idle capacity", "building")


def checked_pue(pue: float) -> float:
    """``pue`` if it can be one: site energy over IT energy, so not below 1."""
    return in_range("pue", pue, 1, MOST_PUE, says="1 to 10 (site energy over IT energy)")


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
    >>> {name: round(value, 2) for name, value in bill.items()}    # 0.1 kWh of IT energy
    {'electricity_usd': 0.01, 'carbon_g': 6.1, 'market_g': 13.62, 'site_water_l': 0.12, \
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


# -- the ladder ---------------------------------------------------------------------------------
def inputs() -> pd.DataFrame:
    """``data/energy_inputs.csv``: low, typical and high of what the ladder needs."""
    return table("energy_inputs")


def host_w_per_gpu(tdp_w: float, host_frac: float) -> float:
    """The host's share of one accelerator: processors, memory, network, fans, conversion losses."""
    not_negative("host_frac", host_frac, 5)
    return positive("tdp_w", tdp_w) * host_frac


def idle_j_per_token(
    idle_w_per_gpu: float, output_tokens_per_s_per_gpu: float, busy_frac: float
) -> float:
    """Idle capacity on a token's account: idle power · (1 − busy)/busy / throughput.

    A fleet that works a share of the time draws idle power the rest, and the tokens pay for it.
    """
    not_negative("idle_w_per_gpu", idle_w_per_gpu)
    positive("output_tokens_per_s_per_gpu", output_tokens_per_s_per_gpu)
    positive("busy_frac", busy_frac)
    fraction("busy_frac", busy_frac)
    return idle_w_per_gpu * (1 - busy_frac) / busy_frac / output_tokens_per_s_per_gpu


def ladder_frame(
    spent: Energy,
    accelerator_id: str,
    *,
    pue: float | tuple[float, float, float] = 1.0,
    busy_frac: float | None = None,
    host_frac: float | None = None,
) -> pd.DataFrame:
    """J per output token at each rung: rung, low, typical, high (cumulative), adds (typical).

    Low and high move every input to its better and worse end at once, so they are wide: the band
    of the accelerators, host share, share of time at work, idle power, PUE where three are given.
    """
    chip, rows = accelerator(accelerator_id), inputs()
    tdp_w = positive("tdp_w", chip.tdp_w or 0.0)
    low, high = spent.band()
    chips = (low, spent.energy_j_per_token, high)
    idle = table("power_calibration").loc["idle_frac", ["low", "value", "high"]]
    three = {
        "host": rows.loc["host_frac", ["low", "typical", "high"]].tolist(),
        "busy": rows.loc[
            "busy_frac", ["high", "typical", "low"]
        ].tolist(),  # much work: little idle
        "idle": idle.tolist(),
        "pue": list(pue) if isinstance(pue, tuple) else [pue] * 3,
    }
    if host_frac is not None:
        three["host"] = [host_frac] * 3
    if busy_frac is not None:
        three["busy"] = [busy_frac] * 3
    made = []
    for i in range(3):
        # a slower deployment spends more on everything: power stays, throughput moves
        rate = spent.output_tokens_per_s_per_gpu * spent.energy_j_per_token / chips[i]
        host_w = host_w_per_gpu(tdp_w, three["host"][i])
        idle_w = host_w + three["idle"][i] * tdp_w
        served = chips[i] + host_w / rate
        ready = served + idle_j_per_token(idle_w, rate, three["busy"][i])
        made.append([chips[i], served, ready, ready * checked_pue(three["pue"][i])])
    frame = pd.DataFrame(
        dict(zip(("low", "typical", "high"), made, strict=True)), index=pd.Index(RUNGS, name="rung")
    )
    adds = frame["typical"].diff().fillna(frame["typical"])
    return frame.assign(adds=adds).reset_index()


def footprint_frame(
    spent: Energy, accelerator_id: str, site: Site | str, operator: str | None = None
) -> pd.DataFrame:
    """A million output tokens at a site, all told: figure, low, typical, high, unit.

    The spread is that of the energy (`ladder_frame`) and of the hardware's making; prices and
    intensities are the year's means of the place, without a spread of their own. A figure that
    nobody has published is left out.
    """
    place, chip, rows = as_site(site, operator), accelerator(accelerator_id), inputs()
    ends = ("low", "typical", "high")
    it = ladder_frame(spent, accelerator_id).set_index("rung").loc["idle capacity"]
    bills = [site_bill(float(it[end]), place) for end in ends]
    low, high = spent.band()
    slower = [low / spent.energy_j_per_token, 1.0, high / spent.energy_j_per_token]
    made = []
    for i, (end, other) in enumerate(zip(ends, reversed(ends), strict=True)):
        made.append(
            embodied_g_per_mtok(
                spent.output_tokens_per_s_per_gpu / slower[i],
                n_per_server=chip.n_per_server or 8,
                years=rows.loc["life_years", other],
                busy_frac=rows.loc["busy_frac", other],
                accelerator_embodied_g=rows.loc["accelerator_embodied_g", end],
                server_embodied_g=rows.loc["server_embodied_g", end],
            )
        )
    pue = needed(place, "pue")
    figures = [
        ("site energy", [energy_kwh_per_mtok(float(it[e]), pue) for e in ends], "kWh"),
        ("electricity", [b["electricity_usd"] for b in bills], "USD"),
        ("carbon in use, by location", [b["carbon_g"] for b in bills], "g CO2e"),
        ("carbon in use, by market", [b["market_g"] for b in bills], "g CO2e"),
        ("carbon of the hardware", made, "g CO2e"),
        ("water on site", [b["site_water_l"] for b in bills], "L"),
        ("water at power stations", [b["grid_water_l"] for b in bills], "L"),
    ]
    frame = pd.DataFrame(
        [(name, *values, unit) for name, values, unit in figures],
        columns=["figure", *ends, "unit"],
    )
    return frame.dropna(subset=["typical"]).reset_index(drop=True)


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
    made_g = accelerator_embodied_g + server_embodied_g / n_per_server
    worked_s = years * HOURS_PER_YEAR * HOUR_S * busy_frac
    return made_g / (worked_s * output_tokens_per_s_per_gpu) * MTOK


def tokens_per_s_per_mw(site_j_per_token: float) -> float:
    """Output tokens per second that a megawatt at the site sustains: 1e6 / (J/token)."""
    return MEGA / positive("site_j_per_token", site_j_per_token)


def electricity_usd_per_mw_year(electricity_usd_per_kwh: float) -> float:
    """What a megawatt drawn for a year costs.

    >>> electricity_usd_per_mw_year(0.10)
    876000.0
    """
    not_negative("electricity_usd_per_kwh", electricity_usd_per_kwh)
    return MEGA * HOURS_PER_YEAR * HOUR_S / KWH_J * electricity_usd_per_kwh
