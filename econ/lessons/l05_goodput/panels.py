"""The panels of lesson 05, simulated again at each move."""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog.rents import rent
from econ.charts import Drawing, Panel, choice, figure, panel, slider, three
from econ.lessons.l05_goodput.load import (
    LIVE_REQUESTS,
    POLICIES,
    SLOS,
    live_cost_frame,
    live_load_frame,
)

LARGE_USD = 100.0  # from here on cents are noise
BINDING = {"none": "no request misses a limit", "both": "both limits are missed equally often"}


def load_chart(frame: pd.DataFrame) -> Drawing:
    """`live_load_frame`: every percentile of TTFT and TPOT against its limit."""
    row = frame.iloc[0]
    worst = frame[frame["percentile"] == 99].set_index("what")["of_limit"]
    verdict = BINDING.get(row.binding, f"{row.binding.upper()} is the limit that binds")
    over = ", and the queue grows" if row.overloaded else ""
    small = ""
    if row.n_requests < LIVE_REQUESTS:
        small = " (Without numba fewer requests are simulated; the tail is rougher.)"
    return figure(
        frame[["what", "percentile", "of_limit"]],
        "percentile",
        "of_limit",
        by="what",
        legend=True,
        log="y",
        rule_y=1.0,
        x_title="Percentile of the requests",
        y_title="Time as a multiple of its limit",
        finding=f"{row.good_frac:.0%} good: {row.goodput_requests_per_s:.1f} of {row.rate_per_s:g} "
        f"requests/s{over}",
        subtitle=f"{row.n_requests:,.0f} simulated requests; dashed: the limit",
        says=f"{row.n_requests:,.0f} requests at {row.rate_per_s:g} per second: "
        f"{row.good_frac:.1%} are good, {row.goodput_requests_per_s:.2f} per second; "
        f"{verdict}{over}. P99 of TTFT is {three(worst['TTFT'])} times its limit, of TPOT "
        f"{three(worst['TPOT'])} times.{small}",
    )


def load_panel() -> Panel:
    """The default scenario under load, every request simulated again at each move."""

    def load(rate: float, burst: float, policy: str, slo: str) -> pd.DataFrame:
        return live_load_frame(rate, burst, POLICIES[policy], slo)

    return panel(
        load,
        load_chart,
        rate=slider(0.5, 14, value=8, step=0.5, label="Arrivals (requests/s)"),
        burst=slider(0.5, 4, value=1, step=0.5, label="Gap variation"),
        policy=choice(POLICIES, label="Prefill"),
        slo=choice(SLOS, label="SLO"),
        presets={
            "6 requests/s": {"rate": 6},
            "10 requests/s": {"rate": 10},
            "6 requests/s in bursts": {"rate": 6, "burst": 3},
        },
        heading="Which percentiles keep within their limits?",
    )


def cost_chart(frame: pd.DataFrame) -> Drawing:
    """`live_cost_frame`: USD per million good tokens over both limits."""
    cells = frame.assign(
        cost=frame["cost_usd_per_good_mtok"].replace(np.inf, np.nan),
        tpot=[f"{v:g}" for v in frame["tpot_limit_ms"]],
        ttft=[f"{v:g}" for v in frame["ttft_limit_s"]],
    )
    loose, tight, row = cells.iloc[-1], cells.iloc[0], frame.iloc[0]
    finding = "Not one good token at this load"
    words = "no token is good under any pair of limits"
    if cells["cost"].notna().any():
        finding = (
            f"At {row.rate_per_s:g} requests/s a million good tokens cost "
            f"${cells['cost'].min():.2f} or more"
        )
        worst = "no token is good" if pd.isna(tight.cost) else f"${tight.cost:,.2f}"
        words = (
            f"${loose.cost:,.2f} with TTFT up to {loose.ttft} s and TPOT up to {loose.tpot} ms; "
            f"with {tight.ttft} s and {tight.tpot} ms: {worst}"
        )
    return figure(
        cells,
        "tpot",
        "ttft",
        by="cost",
        kind="heat",
        log="by",
        form=lambda v: f"{v:,.2f}" if v < LARGE_USD else f"{v:,.0f}",
        x_title="Limit on TPOT (ms)",
        y_title="Limit on TTFT (s)",
        by_title="USD/Mtok (log)",
        finding=finding,
        subtitle=f"{row.n_requests:,.0f} simulated requests",
        says=f"A table of cost over the two limits at {row.rate_per_s:g} requests/s: {words}.",
    )


def cost_panel() -> Panel:
    """The price of a good token over both limits, simulated again at each move."""
    list_rent = round(rent("h100-sxm"), 2)
    return panel(
        live_cost_frame,
        cost_chart,
        rate_per_s=slider(0.5, 14, value=8, step=0.5, label="Arrivals (requests/s)"),
        arrival_cv=slider(0.5, 4, value=1, step=0.5, label="Gap variation"),
        cost_usd_per_gpu_hour=slider(0.5, 8, value=list_rent, step=0.01, label="USD per GPU-hour"),
        presets={f"{n} requests/s": {"rate_per_s": n} for n in (2, 8, 11)},
        heading="What does a million good tokens cost?",
    )
