"""Charts of notebook 03 about serving: batches, pools, the price of a promise, measured runs."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from econ.catalog.rents import rent
from econ.charts.grammar import axis, bars, finish, lines
from econ.charts.panels import Panel, choice, slider
from econ.charts.shapes import describe, heat
from econ.lessons import serving_cases as cases

LARGE_USD = 100.0  # from here on cents are noise
RATIOS = [round(0.1 * k, 1) for k in range(2, 31)]  # marks on an axis of ratios
TIGHT = alt.Scale(type="log", nice=False, padding=14)  # the data's own range, with some air


def frontier_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`frontier_frame`: tokens of a GPU against tokens of a user, as users are added."""
    first, last = frame.iloc[0], frame.iloc[-1]
    shown = frame.assign(users=[f"{n:,}" for n in frame["concurrency"]])
    base = alt.Chart(shown).encode(
        x=alt.X("interactivity_tokens_per_s:Q", **axis("One user's speed (tokens/s)")),
        y=alt.Y("throughput_tokens_per_s_per_gpu:Q", **axis("Output per GPU (tokens/s)")),
        order="concurrency:Q",
    )
    names = base.mark_text(align="left", dx=7, dy=-7).encode(text="users:N")
    gain = last.throughput_tokens_per_s_per_gpu / first.throughput_tokens_per_s_per_gpu
    loss = first.interactivity_tokens_per_s / last.interactivity_tokens_per_s
    return finish(
        alt.layer(base.mark_line(point=True), names).properties(height=300),
        title=f"{last.concurrency:.0f} users: {gain:.0f} × the output, 1/{loss:.0f} of the speed",
        subtitle="Beside each point: users served at once",
        description=f"A falling curve. One user gets {first.interactivity_tokens_per_s:.0f} "
        f"tokens/s and the GPU gives {first.throughput_tokens_per_s_per_gpu:.0f}; with "
        f"{last.concurrency:.0f} users each gets {last.interactivity_tokens_per_s:.0f} and the GPU "
        f"gives {last.throughput_tokens_per_s_per_gpu:.0f}.",
    )


def pools_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`pools_frame`: what sixteen GPUs can promise, in five arrangements, over the TPOT limit."""
    table = frame.pivot_table(
        index="tpot_limit_ms", columns="arrangement", values="max_rate_per_s", sort=False
    )
    ends, gain = table.iloc[[0, -1]], cases.split_gain(frame)
    best = [
        f"at {limit:g} ms {row.idxmax()} ({row.max():.0f} requests/s, chunked {row['chunked']:.0f})"
        for limit, row in ends.iterrows()
    ]
    return lines(
        frame,
        "tpot_limit_ms",
        "max_rate_per_s",
        color="arrangement",
        legend=True,
        log_x=True,
        points=True,
        x_title="Limit on TPOT (ms, log)",
        y_title="Highest rate that keeps the promise (requests/s)",
        title=f"The best pools serve {gain.iloc[0]:.1f} × what chunked prefill does at "
        f"{gain.index[0]:g} ms, {gain.iloc[-1]:.2f} × at {gain.index[-1]:g} ms",
        subtitle="Four replicas; pools p + d: p prefill, d decode",
        description=f"Five lines over the limit on TPOT. Best {best[0]}; {best[1]}.",
    )


def policies_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`live_policies_frame`: goodput of five arrangements at one rate."""
    top = frame.loc[frame["goodput_requests_per_s"].idxmax()]
    row = frame.iloc[0]

    def verdict(r) -> str:
        held = {"none": "no limit is missed", "both": "both limits bind"}
        return held.get(r.binding, f"{r.binding.upper()} binds")

    said = [f"{r.good_frac:.0%} good, {verdict(r)}" for r in frame.itertuples()]
    shown = frame.assign(label=said)
    words = "; ".join(
        f"{r.arrangement} {r.goodput_requests_per_s:.1f} requests/s ({r.label})"
        for r in shown.itertuples()
    )
    return bars(
        shown,
        "goodput_requests_per_s",
        "arrangement",
        sort=None,
        text="label",
        height=190,
        x_title="Good requests/s",
        title=f"Best here: {top.arrangement}, {top.goodput_requests_per_s:.1f} of "
        f"{row.rate_per_s:g} requests/s good",
        subtitle=f"Four replicas; {row.n_requests:,.0f} simulated requests each",
        description=f"Bars of goodput at {row.rate_per_s:g} requests/s: {words}.",
    )


def policies_panel() -> Panel:
    """Five arrangements of sixteen GPUs, simulated again at each move."""

    def frame(rate: float, prompt: float, limit: float, budget: int) -> pd.DataFrame:
        return cases.live_policies_frame(rate, prompt, limit, budget)

    case = {"prompt": 1, "budget": 2048}
    return Panel(
        frame,
        policies_chart,
        [
            slider("rate", "Arrivals (requests/s)", 2, 50, value=20),
            slider("limit", "Limit on TPOT (ms)", 10, 100, value=20, log=True),
            slider("prompt", "Prompts longer by (×)", 0.5, 5, value=1, log=True),
            choice("budget", "Tokens in a step", [512, 1024, 2048, 8192], value=2048),
        ],
        presets={
            "limit 20 ms": {**case, "rate": 30, "limit": 20},
            "limit 50 ms": {**case, "rate": 38, "limit": 50},
            "prompts five times as long": {**case, "rate": 6, "limit": 20, "prompt": 5},
        },
        heading="Which arrangement serves best?",
    )


def cost_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`live_cost_frame`: USD per million good tokens over both limits."""
    shown = frame.assign(
        cost=frame["cost_usd_per_good_mtok"].where(np.isfinite(frame["cost_usd_per_good_mtok"])),
        tpot=[f"{v:g}" for v in frame["tpot_limit_ms"]],
        ttft=[f"{v:g}" for v in frame["ttft_limit_s"]],
    )
    known = shown.dropna(subset=["cost"])
    loose, tight = shown.iloc[-1], shown.iloc[0]
    row = frame.iloc[0]
    if known.empty:
        finding = "Not one good token at this load"
        words = "no token is good under any pair of limits"
    else:
        finding = (
            f"At {row.rate_per_s:g} requests/s a million good tokens cost "
            f"${known['cost'].min():.2f} or more"
        )
        worst = "no token is good" if pd.isna(tight.cost) else f"${tight.cost:,.2f}"
        words = (
            f"${loose.cost:,.2f} with TTFT up to {loose.ttft} s and TPOT up to {loose.tpot} ms; "
            f"with {tight.ttft} s and {tight.tpot} ms: {worst}"
        )
    return heat(
        shown,
        "tpot",
        "ttft",
        "cost",
        x_title="Limit on TPOT (ms)",
        y_title="Limit on TTFT (s)",
        value_title="USD/Mtok (log)",
        log=True,
        form=lambda v: f"{v:,.2f}" if v < LARGE_USD else f"{v:,.0f}",
        title=finding,
        subtitle=f"{row.n_requests:,.0f} simulated requests",
        description=f"A table of cost over the two limits at {row.rate_per_s:g} requests/s: "
        f"{words}.",
    )


def cost_panel() -> Panel:
    """The price of a good token over both limits, simulated again at each move."""

    def frame(rate: float, burst: float, rent: float) -> pd.DataFrame:
        return cases.live_cost_frame(rate, burst, rent)

    rent_usd = round(rent("h100-sxm"), 2)
    case = {"burst": 1, "rent": rent_usd}
    return Panel(
        frame,
        cost_chart,
        [
            slider("rate", "Arrivals (requests/s)", 0.5, 14, value=8, step=0.5),
            slider("burst", "Gap variation", 0.5, 4, value=1, step=0.5),
            slider("rent", "USD per GPU-hour", 0.5, 8, value=rent_usd, step=0.01),
        ],
        presets={
            "2 requests/s": {**case, "rate": 2},
            "8 requests/s": {**case, "rate": 8},
            "11 requests/s": {**case, "rate": 11},
        },
        heading="What does a million good tokens cost?",
    )


def curves_chart(frame: pd.DataFrame) -> alt.HConcatChart:
    """`curves_frame`: measured points and simulated lines over the number of users."""
    pairs = list(dict.fromkeys(frame["pair"]))
    halves = []
    for metric in ("TPOT", "TTFT"):
        rows = frame[frame["metric"] == metric]
        base = alt.Chart(rows).encode(
            x=alt.X("concurrency:Q", **{**axis("Users at once (log)", True), "scale": TIGHT}),
            color=alt.Color(
                "pair:N", scale=alt.Scale(domain=pairs),
                legend=alt.Legend(title=None, orient="bottom", columns=2, labelLimit=320),
            ),
        )  # fmt: skip
        title = f"{metric} (ms, log)"
        y = {**axis(title, True), "scale": TIGHT}
        line = base.mark_line().encode(y=alt.Y("simulated_ms:Q", **y))
        dots = base.mark_point(filled=True, size=60).encode(
            y=alt.Y("measured_ms:Q", **y),
            shape=alt.Shape("pair:N", scale=alt.Scale(domain=pairs), legend=None),
        )
        halves.append(alt.layer(line, dots).properties(width=270, height=270))
    off = np.exp(np.abs(np.log(frame["simulated_ms"] / frame["measured_ms"])))
    by = off.groupby(frame["metric"]).median()
    worst = frame.loc[off.idxmax()]
    return finish(
        alt.hconcat(*halves, spacing=36),
        title=f"Users added: simulated within {by['TPOT'] - 1:.0%} on TPOT, {by['TTFT'] - 1:.0%} "
        "on TTFT",
        subtitle="Points: measured. Lines: simulated. Medians over these deployments",
        description=f"{len(pairs)} deployments ({'; '.join(pairs)}), each at several numbers of "
        f"users. Median factor off: TPOT {by['TPOT']:.2f}, TTFT {by['TTFT']:.2f}. Farthest off: "
        f"{worst.pair} at {worst.concurrency:.0f} users, {worst.metric} measured "
        f"{worst.measured_ms:,.0f} ms, simulated {worst.simulated_ms:,.0f} ms.",
    )


def pairs_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`gap_frame`: how far simulated TTFT and TPOT are off, pair by pair."""
    pair = frame["model"] + ", " + frame["accelerator"]
    long = pd.DataFrame(
        {
            "pair": pd.concat([pair, pair], ignore_index=True),
            "metric": ["TTFT"] * len(frame) + ["TPOT"] * len(frame),
            "ratio": pd.concat([frame["ttft_ratio"], frame["tpot_ratio"]], ignore_index=True),
        }
    )
    base = alt.Chart(long).encode(y=alt.Y("pair:N", title=None))
    one = alt.Chart(long).transform_aggregate(rows="count()").mark_rule(strokeDash=[5, 4])
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=alt.X(
            "ratio:Q",
            title="Simulated / measured (median, log)",
            scale=TIGHT,
            axis=alt.Axis(values=RATIOS, format=".1f"),
        ),
        color=alt.Color("metric:N", legend=alt.Legend(title=None, orient="top")),
        shape=alt.Shape("metric:N", legend=alt.Legend(title=None, orient="top")),
    )
    low = int((frame["ttft_ratio"] < 1).sum())
    return finish(
        alt.layer(one.encode(x=alt.XDatum(1)), dots, data=long).properties(height=18 * len(frame)),
        title=f"First tokens come later than simulated in {low} of {len(frame)} pairs",
        description=f"{len(frame)} pairs of model and chip. Simulated over measured, medians: "
        f"TPOT {describe(frame, 'tpot_ratio', 'model')}; TTFT "
        f"{describe(frame, 'ttft_ratio', 'model')}.",
    )
