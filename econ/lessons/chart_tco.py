"""Charts and panels of notebook 07: the layered bill, use, a promise's price, break-even."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.charts.grammar import lines
from econ.charts.panels import Panel, choice, slider
from econ.charts.shapes import describe, gaps, heat, waterfall
from econ.charts.tables import three
from econ.lessons import tco_cases, tco_choice
from econ.scenario import Scenario

USE = ("downtime", "whole servers", "the day's curve", "late answers")


def bill_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`bill_frame`: a million good output tokens, layer on layer."""
    total = frame["usd"].sum()
    use = frame.loc[frame["layer"].isin(USE), "usd"].sum()
    sort = frame["layer"].isin(USE).map({True: "how it is used", False: "the owned hour"})
    return waterfall(
        frame.assign(sort=sort),
        "usd",
        "layer",
        group="sort",
        form="{:.2f}".format,
        total="a good Mtok",
        x_title="USD per million good output tokens",
        title=f"${total:.2f}, of which ${total - use:.2f} is the owned hour and ${use:.2f} its use",
        description=f"Steps to ${total:.2f} per million good output tokens: "
        f"{describe(frame, 'usd', 'layer', 'USD')}.",
    )


def bill_panel(scenario: Scenario) -> Panel:
    """The layered bill by accelerator, size of the service, shape of the day, finance, power."""

    def frame(
        accelerator: str, mean_per_s: float, peak: float, years: float, rate: float, kwh: float
    ) -> pd.DataFrame:
        return tco_cases.bill_frame(
            scenario.with_(accelerator=accelerator),
            mean_per_s=mean_per_s,
            peak_to_mean_factor=peak,
            life_years=years,
            cost_of_capital_frac=rate / 100,
            electricity_usd_per_kwh=kwh,
        )

    case = {"accelerator": "h100-sxm", "mean_per_s": 100, "peak": 1.5, "years": 5, "rate": 10,
            "kwh": 0.09}  # fmt: skip
    return Panel(
        frame,
        bill_chart,
        [
            slider("peak", "Peak over mean", 1, 2, value=1.5, step=0.1),
            slider("mean_per_s", "Requests/s, mean", 1, 1000, value=100, log=True),
            slider("years", "Life (years)", 2, 8, value=5, step=1),
            slider("rate", "Cost of capital (%)", 0, 20, value=10, step=1),
            slider("kwh", "Electricity (USD/kWh)", 0.03, 0.3, value=0.09, step=0.01),
            choice("accelerator", "Accelerator", list(tco_cases.CHIPS), value="h100-sxm"),
        ],
        presets={
            "100 requests/s": case,
            "5 requests/s": {**case, "mean_per_s": 5},
            "100 requests/s, flat day": {**case, "peak": 1.0},
        },
    )


def owners_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`published_frame`: the owner's hour of each accelerator, ours against published."""
    worst = frame.loc[frame["gap"].abs().idxmax()]
    return gaps(
        frame,
        "accelerator",
        "ours_usd",
        "published_usd",
        title=f"Eight owners' hours, all within {abs(worst.gap):.0%} of the published ones",
        subtitle="Beside each point: ours · published, USD per GPU-hour",
        description=f"Gaps of ours to the published owner's hour: "
        f"{describe(frame.assign(percent=100 * frame['gap']), 'percent', 'accelerator', '%')}.",
    )


def life_chart(frame: pd.DataFrame, lives: dict) -> alt.LayerChart:
    """`life_frame`, `lives`: capital per GPU-hour over the life, by annuity and straight line."""
    at = frame.set_index(["method", "years"])["usd_per_gpu_hour"]
    return lines(
        frame,
        "years",
        "usd_per_gpu_hour",
        color="method",
        legend=True,
        x_title="Life (years)",
        y_title="Capital (USD per GPU-hour)",
        title=f"Three years instead of six: capital × {lives['annuity']:.2f}, the whole hour × "
        f"{lives['whole hour']:.2f}",
        subtitle=f"The usual factor of {lives['straight line']:.0f} is the straight line's",
        description=f"Lines over a life of {frame['years'].min():.0f} to "
        f"{frame['years'].max():.0f} years: annuity ${at['annuity', 3.0]:.2f} at three years, "
        f"${at['annuity', 6.0]:.2f} at six; straight line ${at['straight line', 3.0]:.2f} and "
        f"${at['straight line', 6.0]:.2f}.",
    )


def use_chart(frame: pd.DataFrame, guess: float | None = None) -> alt.LayerChart:
    """`use_frame`: the cost of a useful hour over utilisation."""
    at = frame.assign(percent=frame["utilisation_percent"].round()).set_index("percent")
    hour = at["usd_per_useful_hour"]
    return lines(
        frame,
        "utilisation_percent",
        "usd_per_useful_hour",
        points=True,
        guess=guess,
        x_title="Useful share of the owned hours (%)",
        y_title="USD per useful GPU-hour",
        title=f"${hour[100]:.2f} at full use is ${hour[30]:.2f} at 30 %",
        description=f"A falling curve: ${hour[5]:.2f} per useful hour at 5 %, ${hour[30]:.2f} at "
        f"30 %, ${hour[75]:.2f} at 75 %, ${hour[100]:.2f} at 100 %.",
    )


def phases_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`phases_frame`: what one more token of input or output costs, over the users."""
    wide = frame.pivot_table(index="users", columns="kind", values="usd_per_mtok")
    ratio = wide["output"] / wide["fresh input"]
    return lines(
        frame,
        "users",
        "usd_per_mtok",
        color="kind",
        legend=True,
        log_x=True,
        log_y=True,
        points=True,
        x_title="Users of a replica (log)",
        y_title="USD per million tokens (log)",
        title=f"Output costs {ratio.iloc[0]:.0f} to {ratio.iloc[-1]:.0f} times input: no one ratio",
        subtitle="Machine time that one more token takes; owner's hour, all hours used",
        description=f"Lines over {wide.index[0]} to {wide.index[-1]} users: output "
        f"${wide['output'].iloc[0]:.2f} to ${wide['output'].iloc[-1]:.2f} per million, fresh input "
        f"${wide['fresh input'].iloc[0]:.2f} to ${wide['fresh input'].iloc[-1]:.2f}; ratio "
        f"{ratio.iloc[0]:.1f} to {ratio.iloc[-1]:.1f}.",
    )


def surface_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`surface_frame`: a good token's cost over both latency limits."""
    known = frame.dropna(subset=["usd_per_good_mtok"])
    rate = frame["rate_per_s"].iloc[0]
    said = "no token is good at any of these limits"
    if len(known):
        loose = known.iloc[-1]
        tight = known.loc[known["usd_per_good_mtok"].idxmax()]
        said = (
            f"${loose.usd_per_good_mtok:.2f} at TTFT {loose.ttft_ms:.0f} ms and TPOT "
            f"{loose.tpot_ms:.0f} ms; most, ${tight.usd_per_good_mtok:.2f}, at "
            f"{tight.ttft_ms:.0f} and {tight.tpot_ms:.0f} ms"
        )
        if missed := len(frame) - len(known):
            said += f"; {missed} of {len(frame)} promises cannot be kept at any price"
    return heat(
        frame.assign(
            ttft=[f"{v:.0f}" for v in frame["ttft_ms"]], tpot=[f"{v:.0f}" for v in frame["tpot_ms"]]
        ),
        "ttft",
        "tpot",
        "usd_per_good_mtok",
        log=True,
        form=lambda v: f"{v:.2f}" if v < 100 else f"{v:.0f}",
        x_title="Limit on TTFT (ms)",
        y_title="Limit on TPOT (ms)",
        value_title="USD per good Mtok",
        title="What does a promise cost?",
        description=f"A map of the cost of a million good output tokens at {rate:g} requests/s: "
        f"{said}.",
    )


def surface_panel(scenario: Scenario, cost_usd_per_gpu_hour: float) -> Panel:
    """The price of a promise by load and by the hour's cost; each load is simulated once."""

    def frame(rate: float, hour: float) -> pd.DataFrame:
        return tco_choice.surface_frame(scenario, rate_per_s=rate, cost_usd_per_gpu_hour=hour)

    hour = round(cost_usd_per_gpu_hour, 1)
    return Panel(
        frame,
        surface_chart,
        [
            slider("rate", "Requests/s of a replica", 1, 12, value=8, step=1),
            slider("hour", "USD per GPU-hour", 1, 8, value=hour, step=0.1),
        ],
        presets={
            "2 requests/s": {"rate": 2, "hour": hour},
            "8 requests/s": {"rate": 8, "hour": hour},
            "11 requests/s": {"rate": 11, "hour": hour},
        },
    )


def explorer_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`explorer_frame`: three ways to serve, over the size of the service."""
    row = frame.iloc[0]
    ends = frame.groupby("option", sort=False)["usd_per_mtok"].agg(["first", "last"])
    words = "; ".join(f"{r.Index} ${r.first:.2f} to ${r.last:.2f}" for r in ends.itertuples())
    return lines(
        frame,
        "requests_per_day",
        "usd_per_mtok",
        color="option",
        legend=True,
        log_x=True,
        log_y=True,
        x_title="Requests per day (log)",
        y_title="USD per million tokens, in and out (log)",
        title="When does owning pay?",
        description=f"Lines over {three(frame['requests_per_day'].min())} to "
        f"{three(frame['requests_per_day'].max())} requests a day: {words}. Owning pays for good "
        f"against rent by the hour: {row.own_against_rent}; against the API: "
        f"{row.own_against_api}. The cheaper of a pair changes {row.n_crossings} times.",
    )


def explorer_panel(scenario: Scenario, cost_usd_per_gpu_hour: float) -> Panel:
    """Break-even by the owner's hour, the rent, the API's price and the shape of the day."""

    def frame(owner_usd: float, rent_usd: float, api_usd: float, peak: float) -> pd.DataFrame:
        return tco_choice.explorer_frame(
            scenario,
            owner_usd=owner_usd,
            rent_usd=rent_usd,
            api_usd_per_mtok=api_usd,
            peak_to_mean_factor=peak,
        )

    own = round(cost_usd_per_gpu_hour, 1)
    case = {"owner_usd": own, "rent_usd": 3.9, "api_usd": 0.4, "peak": 1.5}
    return Panel(
        frame,
        explorer_chart,
        [
            slider("owner_usd", "Own (USD/GPU-hour)", 0.5, 6, value=own, step=0.1),
            slider("rent_usd", "Rent (USD/GPU-hour)", 0.5, 11, value=3.9, step=0.1),
            slider("api_usd", "API (USD/Mtok)", 0.05, 2, value=0.4, step=0.05),
            slider("peak", "Peak over mean", 1, 2, value=1.5, step=0.1),
        ],
        presets={
            "as listed": case,
            "API at a quarter": {**case, "api_usd": 0.1},
            "rent at 1.80": {**case, "rent_usd": 1.8},
        },
    )
