"""The panels of lesson 11."""

from __future__ import annotations

import pandas as pd

from econ.charts import Drawing, Panel, choice, figure, panel, slider
from econ.charts.words import describe
from econ.lessons.l11_tco.bill import ACCELERATORS, bill_frame
from econ.scenario import Scenario

USE = ("downtime", "whole servers", "the day's curve", "late answers")


def bill_chart(frame: pd.DataFrame) -> Drawing:
    """`bill_frame`: a million good output tokens, layer on layer."""
    total = frame["usd"].sum()
    use = frame.loc[frame["layer"].isin(USE), "usd"].sum()
    part = frame["layer"].isin(USE).map({True: "how it is used", False: "the owned hour"})
    return figure(
        frame.assign(part=part),
        "usd",
        "layer",
        by="part",
        kind="waterfall",
        form="{:.2f}",
        total="a good Mtok",
        x_title="USD per million good output tokens",
        finding=f"${total:.2f} per million good tokens: ${total - use:.2f} for the owned hour and "
        f"${use:.2f} for its use",
        says=f"Steps to ${total:.2f} per million good output tokens: "
        f"{describe(frame, 'usd', 'layer')}.",
    )


def bill_panel(scenario: Scenario) -> Panel:
    """The layered bill by accelerator, size of the service, shape of the day, finance, power."""

    def bill(
        peak: float, mean_per_s: float, years: float, rate: float, kwh: float, accelerator: str
    ) -> pd.DataFrame:
        return bill_frame(
            scenario.with_(accelerator=accelerator),
            mean_per_s=mean_per_s,
            peak_to_mean_factor=peak,
            life_years=years,
            cost_of_capital_frac=rate / 100,
            electricity_usd_per_kwh=kwh,
        )

    return panel(
        bill,
        bill_chart,
        peak=slider(1, 2, value=1.5, step=0.1, label="Peak over mean"),
        mean_per_s=slider(1, 1000, value=100, log=True, label="Requests/s, mean"),
        years=slider(2, 8, value=5, label="Life (years)"),
        rate=slider(0, 20, value=10, label="Cost of capital (%)"),
        kwh=slider(0.03, 0.3, value=0.09, step=0.01, label="Electricity (USD/kWh)"),
        accelerator=choice(ACCELERATORS, label="Accelerator"),
        presets={
            "100 requests/s": {},
            "5 requests/s": {"mean_per_s": 5},
            "100 requests/s, flat day": {"peak": 1.0},
        },
    )


def surface_chart(frame: pd.DataFrame) -> Drawing:
    """`surface_frame`: a good token's cost over both latency limits."""
    known = frame.dropna(subset=["usd_per_good_mtok"])
    rate = frame["rate_per_s"].iloc[0]
    words = finding = "no token is good at any of these limits"
    if len(known):
        loose = known.iloc[-1]
        tight = known.loc[known["usd_per_good_mtok"].idxmax()]
        words = (
            f"${loose.usd_per_good_mtok:.2f} at TTFT {loose.ttft_ms:.0f} ms and TPOT "
            f"{loose.tpot_ms:.0f} ms; most, ${tight.usd_per_good_mtok:.2f}, at "
            f"{tight.ttft_ms:.0f} and {tight.tpot_ms:.0f} ms"
        )
        if missed := len(frame) - len(known):
            words += f"; {missed} of {len(frame)} SLOs cannot be met at any price"
        finding = (
            f"From ${loose.usd_per_good_mtok:.2f} to ${tight.usd_per_good_mtok:,.0f} per million "
            "good tokens: the SLO decides"
        )
    return figure(
        frame.assign(
            ttft=[f"{v:.0f}" for v in frame["ttft_ms"]], tpot=[f"{v:.0f}" for v in frame["tpot_ms"]]
        ),
        "ttft",
        "tpot",
        by="usd_per_good_mtok",
        kind="heat",
        log="by",
        form=lambda v: f"{v:.2f}" if v < 100 else f"{v:.0f}",
        x_title="Limit on TTFT (ms)",
        y_title="Limit on TPOT (ms)",
        by_title="USD per good Mtok",
        finding=finding,
        says=f"A map of the cost of a million good output tokens at {rate:g} requests/s: {words}.",
    )
