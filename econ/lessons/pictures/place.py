"""A picture of a place: what a megawatt becomes, and what the grid adds hour by hour."""

from __future__ import annotations

import functools

import pandas as pd

from econ.catalog.units import KILO
from econ.energy.boundaries import boundary_frame
from econ.energy.footprint import tokens_per_s_per_mw
from econ.energy.hours import day_frame
from econ.energy.sites import resolve_site, site_figure
from econ.lessons.l07_energy import served
from econ.lessons.pictures.scene import Picture, Scene

OPERATOR = "google"  # its PUE stands for the building in both places, as in the lesson
PLACES = {"spain": "orange", "poland": "vermilion"}
PARTS = {"accelerators": "blue", "host": "sky", "idle capacity": "grey", "building": "green"}
FLOW_PX, FLOW_LEFT_PX = 290, 20  # the width of a megawatt
DAY_LEFT_PX, HOUR_PX, TALL_PX, FLOOR_PX = 350, 14, 170, 255


@functools.cache
def megawatt_flow_frame() -> pd.DataFrame:
    """What a megawatt at the meter feeds while the service of lesson 07 runs: ``part``, ``kw``,
    and the ``tokens_per_s`` that it writes.
    """  # fmt: skip
    pue = site_figure(resolve_site(next(iter(PLACES)), OPERATOR), "pue")
    rungs = boundary_frame(served(), pue=pue)
    whole_j = float(rungs["typical"].iloc[-1])
    return pd.DataFrame(
        {
            "part": rungs["rung"],
            "kw": KILO * rungs["adds"] / whole_j,
            "tokens_per_s": tokens_per_s_per_mw(whole_j),
        }
    )


@functools.cache
def megawatt_day_frame() -> pd.DataFrame:
    """What a megawatt-hour emits by place and hour of an average day: ``place, hour, carbon_kg``.

    The shape follows from the share of solar power; the mean is the grid's of the year.
    """
    days = []
    for id in PLACES:
        place = resolve_site(id, OPERATOR)
        day = day_frame(place)
        days.append(
            pd.DataFrame(
                {"place": place.name, "hour": day["hour"], "carbon_kg": day["carbon_g_per_kwh"]}
            )  # g/kWh are kg/MWh
        )
    return pd.concat(days, ignore_index=True)


def _flow(scene: Scene, flow: pd.DataFrame) -> None:
    scene.text(FLOW_LEFT_PX, 22, "1,000 kW at the meter", bold=True)
    scene.box(FLOW_LEFT_PX, 32, FLOW_PX, 26, "grey", "1,000 kW at the meter", outline=True)
    x_px, scale = float(FLOW_LEFT_PX), FLOW_PX / KILO
    for place, row in enumerate(flow.itertuples()):
        width_px = scale * row.kw
        scene.line(x_px, 58, x_px, 84, dashed=True)
        scene.box(x_px, 84, width_px, 26, PARTS[row.part], f"{row.part}: {row.kw:.0f} kW")
        y_px = 142 + 25 * place
        scene.box(FLOW_LEFT_PX, y_px - 12, 14, 14, PARTS[row.part])
        scene.text(FLOW_LEFT_PX + 22, y_px, f"{row.part}: {row.kw:.0f} kW")
        x_px += width_px
    scene.line(x_px, 58, x_px, 84, dashed=True)
    rate = f"{flow['tokens_per_s'].iloc[0].round(-3):,.0f}"
    scene.text(FLOW_LEFT_PX, 255, f"writes some {rate} tokens per second", bold=True)


def megawatt_picture() -> Picture:
    """A megawatt is split alike everywhere; what it emits depends on the place and the hour."""
    flow, day = megawatt_flow_frame(), megawatt_day_frame()
    tall = TALL_PX / float(day["carbon_kg"].max())
    rate = f"{flow['tokens_per_s'].iloc[0].round(-3):,.0f}"
    colors = dict(zip(day["place"].unique(), PLACES.values(), strict=True))
    frames, n_hours = [], int(day["hour"].max()) + 1
    for hour in range(n_hours):
        scene = Scene()
        _flow(scene, flow)
        scene.text(DAY_LEFT_PX, 22, "kg of CO₂e in each hour, by place", bold=True)
        for side, (name, color) in enumerate(colors.items()):
            kg = day[(day["place"] == name) & (day["hour"] <= hour)]["carbon_kg"]
            for at, value in enumerate(kg):
                scene.box(DAY_LEFT_PX + HOUR_PX * at + 6 * side, FLOOR_PX - tall * value, 6,
                          tall * value, color, f"{name}, {at}:00: {value:.0f} kg")  # fmt: skip
            x_px = DAY_LEFT_PX + 170 * side
            scene.box(x_px, 34, 14, 14, color)
            scene.text(x_px + 22, 46, f"{name}: {kg.sum():,.0f} kg so far")
        scene.line(DAY_LEFT_PX, FLOOR_PX, DAY_LEFT_PX + n_hours * HOUR_PX, FLOOR_PX)
        for at in (0, 6, 12, 18, 24):
            scene.text(DAY_LEFT_PX + HOUR_PX * at, FLOOR_PX + 17, f"{at}:00", anchor="middle")
        now = day[day["hour"] == hour].set_index("place")["carbon_kg"]
        until = day[day["hour"] <= hour].groupby("place", sort=False)["carbon_kg"].sum()
        hourly, daily = (" and ".join(f"{kg:,.0f} kg in {name}" for name, kg in sums.items())
                         for sums in (now, until))  # fmt: skip
        frames.append((scene.markup, f"A megawatt writes some {rate} tokens per second in both "
                       f"places. Between {hour}:00 and {hour + 1}:00 it emits {hourly}, since "
                       f"midnight {daily}. (The day's shape only illustrates the share of solar "
                       "power.)"))  # fmt: skip
    return Picture("megawatt", "What does a megawatt become, and what does its place add?",
                   tuple(frames), pd.concat([flow, day]), 290, step_name="Hour",
                   interval_ms=300)  # fmt: skip
