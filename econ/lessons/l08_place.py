"""Lesson 08, place and power: grams and litres by place and hour, and the megawatt as the limit.

>>> places = places_frame(1.0, ["sweden", "poland"])
>>> bool(places["carbon_g"].iloc[1] > 10 * places["carbon_g"].iloc[0])
True
"""

from __future__ import annotations

import functools

import pandas as pd

from econ.catalog import given, table
from econ.catalog.guard import count
from econ.catalog.units import HOURS_PER_MONTH, KILO
from econ.charts import Drawing, Panel, choice, figure, panel, slider, three
from econ.energy.boundaries import boundary_frame
from econ.energy.consumption import Energy, energy
from econ.energy.footprint import (
    carbon_g_per_mtok,
    energy_cost_usd_per_mtok,
    tokens_per_s_per_mw,
)
from econ.energy.hours import day_frame
from econ.energy.sites import (
    carbon_intensity_g_per_kwh,
    embodied_range,
    resolve_site,
    site_bill,
    site_figure,
)
from econ.lessons.l07_energy import served
from econ.scenario import Scenario
from econ.value import power_bill_usd_per_month

PLACES = ("australia", "france", "germany", "iceland", "india", "ireland", "japan", "poland",
          "spain", "sweden", "united-kingdom", "united-states", "us-virginia")  # fmt: skip


def it_j_per_token(one: Energy) -> float:
    """Typical IT energy per output token: accelerators, host and idle capacity, no building."""
    rungs = boundary_frame(one).set_index("rung")
    return float(rungs.loc["idle capacity", "typical"])


def places_frame(
    energy_j_per_token: float, sites: list[str], operator: str = "industry"
) -> pd.DataFrame:
    """The same million tokens in many places: site and `sites.site_bill`.

    ``energy_j_per_token`` is IT energy; an empty cell is a figure nobody has published.
    """
    places = [resolve_site(id, operator) for id in sites]
    return pd.DataFrame([{"site": p.name} | site_bill(energy_j_per_token, p) for p in places])


def place_hour_frame(
    energy_j_per_token: float, site: str, operator: str, hour: int
) -> pd.DataFrame:
    """A place's average day: hour, carbon_g per Mtok, mean_g; in every row the chosen hour, what
    is known, and `sites.site_bill` without its carbon."""
    place = resolve_site(site, operator)
    day, bill = day_frame(place), site_bill(energy_j_per_token, place)
    mean_g = bill.pop("carbon_g")
    return pd.DataFrame(
        {
            "hour": day["hour"],
            "carbon_g": mean_g * day["carbon_g_per_kwh"] / day["mean_g_per_kwh"],
            "mean_g": mean_g,
            "chosen": count("hour", hour, 0, len(day) - 1),
            "site": place.name,
            "operator": table("operators").loc[operator, "name"],
            "known": day["known"],
            **bill,
        }
    )


def embodied_frame(one: Energy, sites: list[str], operator: str = "industry") -> pd.DataFrame:
    """Use (IT energy and building) against making, grams per Mtok: site, use_g, embodied low,
    typical, high, share of making."""
    low, typical, high = embodied_range(one)
    it_j, rows = it_j_per_token(one), []
    for id in sites:
        place = resolve_site(id, operator)
        use = carbon_g_per_mtok(it_j, carbon_intensity_g_per_kwh(place), site_figure(place, "pue"))
        rows.append((place.name, use, low, typical, high, typical / (use + typical)))
    columns = ["site", "use_g", "embodied_low_g", "embodied_g", "embodied_high_g", "share"]
    return pd.DataFrame(rows, columns=columns)


def price_share_frame(sites: list[str], operator: str = "industry") -> pd.DataFrame:
    """Electricity in an owned H200 hour: site, server_w per accelerator, usd_per_gpu_hour of
    electricity, share of the owner's cost (typical; low and high over that cost's range)."""
    board = table("accelerators").loc["h200-sxm"]
    owner = given("energy_inputs", "owner_usd_per_gpu_hour")
    server_w = float(board["server_power_w"] / board["n_per_server"])
    rows = []
    for id in sites:
        place = resolve_site(id, operator)
        price = site_figure(place, "electricity_usd_per_kwh")
        usd = server_w / KILO * site_figure(place, "pue") * price
        shares = [usd / cost for cost in (owner.high, owner.typical, owner.low)]
        rows.append((place.name, server_w, usd, *shares))
    columns = ["site", "server_w", "usd_per_gpu_hour", "low", "share", "high"]
    return pd.DataFrame(rows, columns=columns)


def megawatt_frame(
    s: Scenario, users: tuple[float, ...], *, pue: float, usd_per_kwh: float
) -> pd.DataFrame:
    """What a megawatt at the site sustains by users of each deployment: users, site J per token,
    tokens per second and MW, gpus per MW, and the year's electricity in USD per million tokens."""
    rows = []
    for n in users:
        one = energy(s, concurrency=n)
        site_j = float(boundary_frame(one, pue=pue)["typical"].iloc[-1])
        rate = tokens_per_s_per_mw(site_j)
        rows.append((n, site_j, rate, rate / one.output_tokens_per_s_per_gpu,
                     energy_cost_usd_per_mtok(site_j, usd_per_kwh)))  # fmt: skip
    columns = ["users", "site_j_per_token", "tokens_per_s_per_mw", "gpus_per_mw", "usd_per_mtok"]
    return pd.DataFrame(rows, columns=columns)


def place_chart(frame: pd.DataFrame) -> Drawing:
    """`place_hour_frame`: grams of carbon of a million tokens over an average day at a place."""
    row = frame.iloc[int(frame["chosen"].iloc[0])]
    market = (
        f"{three(row.market_g)} g by {row.operator}'s contracts"
        if pd.notna(row.market_g)
        else f"no market-based figure is known for {row.operator}"
    )
    sun = "" if row.known else " The share of solar here is not known, so the mean stands all day."
    price = "" if pd.isna(row.electricity_usd) else f"electricity ${row.electricity_usd:.3f}, "
    wet = [
        f"{three(row[key])} L {what}"
        for key, what in (("site_water_l", "on site"), ("grid_water_l", "at power stations"))
        if pd.notna(row[key])
    ]
    return figure(
        frame.assign(is_chosen=frame["hour"] == frame["chosen"]),
        "hour",
        "carbon_g",
        mark="is_chosen",
        rule_y="market_g",
        step="monotone",
        height=260,
        x_title="Hour of an average day",
        y_title="Carbon per million output tokens (g CO₂e)",
        finding="When and by whose contracts: grams of carbon through the day",
        subtitle="Line: the grid, by location. Dashed: by the operator's contracts",
        says=f"A million tokens in {row.site} at {row.hour:.0f} h: {three(row.carbon_g)} g "
        f"by location (mean {three(row.mean_g)} g), {market}; {price}water "
        f"{', '.join(wet) or 'not known'}.{sun}",
    )


def place_panel() -> Panel:
    """A million tokens by place, operator and hour."""
    it_j = it_j_per_token(served())

    def day(hour: int, place: str, operator: str) -> pd.DataFrame:
        return place_hour_frame(it_j, place, operator, hour)

    return panel(
        day,
        place_chart,
        hour=slider(0, 23, value=12, label="Hour"),
        place=choice(PLACES, value="spain", label="Place"),
        operator=choice(table("operators").index, value="google", label="Operator"),
        presets={
            "Spain at noon": {},
            "Poland at night": {"hour": 22, "place": "poland"},
            "Virginia, industry": {"place": "us-virginia", "operator": "industry"},
        },
    )


def carbon_chart(frame: pd.DataFrame) -> Drawing:
    """`places_frame`: grams of the same million tokens in each place, by its grid."""
    rows = frame.sort_values("carbon_g")
    least, most = rows.iloc[0], rows.iloc[-1]
    return figure(
        rows, "carbon_g", "site", kind="bar", sort=None, form="{:.0f} g",
        x_title="Carbon per million output tokens, by location (g CO₂e)",
        finding=f"The same tokens emit {most.carbon_g / least.carbon_g:.0f} times as much in "
        f"{most.site} as in {least.site}",
        subtitle="Electricity in use; the same machines, load and building everywhere",
    )  # fmt: skip


def capped_chart(frame: pd.DataFrame) -> Drawing:
    """`econ.value.caps_frame`: speed under a cap, by phase."""
    at = frame.loc[(frame["cap_frac"] - 0.7).abs().groupby(frame["phase"]).idxmin()]
    speed = at.set_index("phase")["speed_frac"]
    rows = frame.assign(
        cap_percent=frame["cap_frac"] * 100, speed_percent=frame["speed_frac"] * 100
    )
    return figure(
        rows, "cap_percent", "speed_percent", by="phase", points=True,
        x_title="Power cap (% of the board's limit)", y_title="Speed (% of no cap)",
        finding=f"A cap near 70 % takes {1 - speed['prefill']:.0%} of prefill's speed and "
        f"{1 - speed['decode']:.0%} of decode's",
        subtitle="Measured on one rig of six consumer cards: the shape, not the size, is general",
    )  # fmt: skip


@functools.cache
def bill_frame(peak_mw: float = 1.0, busy_frac: float = 0.7) -> pd.DataFrame:
    """A month's electricity of a site at three prices of demand: energy, demand, and the sum.

    Energy at 7 cents; demand at the PJM capacity prices of 2024 and 2027. The site draws
    ``busy_frac`` of its contract on average and at its peak all of it.
    """
    terms = table("power_terms")
    rows = []
    for name, id in (("no demand charge", ""), ("PJM 2024/25", "pjm-2024"),
                     ("PJM 2027/28", "pjm-2027")):  # fmt: skip
        usd = float(terms.loc[id, "value"]) if id else 0.0
        kwh = peak_mw * KILO * busy_frac * HOURS_PER_MONTH
        total_usd = power_bill_usd_per_month(
            kwh, peak_mw * KILO, usd_per_kwh=0.07, demand_usd_per_kw_month=usd
        )
        energy_usd = power_bill_usd_per_month(kwh, peak_mw * KILO, usd_per_kwh=0.07)
        rows.append((name, energy_usd, total_usd - energy_usd, total_usd, total_usd / kwh))
    columns = ["tariff", "energy_usd", "demand_usd", "usd_per_month", "usd_per_kwh"]
    return pd.DataFrame(rows, columns=columns)
