"""Charts and panels of notebook 09: claims against recomputation, and the limits behind them."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.charts.grammar import axis, bars, finish
from econ.charts.panels import Panel, choice, slider
from econ.charts.shapes import heat
from econ.charts.tables import three
from econ.charts.theme import INK, PALETTE
from econ.ledger import claims as frames

TERMS = {"recomputed": "on its own terms", "asked": "what a buyer asks"}


def claims_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`claims_frame`: ours over the claimed figure, on the claim's terms and on the buyer's."""
    comparable = frame.assign(asked=frame["asked"].where(frame["asked_unit"] == frame["unit"]))
    comparable = comparable.assign(recomputed=comparable["recomputed"].where(
        frame["verdict"].ne("right") | (frame["recomputed"] < 2 * frame["claimed"])
    ))  # fmt: skip
    long = comparable.melt(["title", "claimed", "verdict"], list(TERMS), "kind", "ours")
    long = long.assign(kind=long["kind"].map(TERMS), ratio=long["ours"] / long["claimed"])
    long = long.dropna(subset=["ratio"])
    base = alt.Chart(long).encode(y=alt.Y("title:N", title=None, sort=frame["title"].tolist()))
    x = alt.X("ratio:Q", **axis("Ours over the claimed figure (log)", True))
    kinds = list(TERMS.values())
    paint = {"scale": alt.Scale(domain=kinds), "legend": alt.Legend(title=None, orient="top")}
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=x, color=alt.Color("kind:N", **paint), shape=alt.Shape("kind:N", **paint)
    )
    stems = base.mark_rule(color=PALETTE["grey"]).encode(x=x, x2=alt.datum(1))
    one = alt.Chart(long).mark_rule(color=INK, strokeWidth=2).encode(x=alt.datum(1))
    counts = frame["verdict"].value_counts()
    off = frame[frame["verdict"] == "wrong"]
    return finish(
        alt.layer(stems, one, dots).properties(height=26 * long["title"].nunique()),
        title=f"{counts.get('wrong', 0)} of {len(frame)} claims fail on their own terms, "
        f"{counts.get('other', 0)} answer another question",
        description=f"Points for {long['title'].nunique()} claims around a line at one. Wrong on "
        "their own terms, with ours over theirs: "
        + "; ".join(f"{r.title} {three(r.recomputed / r.claimed)}" for r in off.itertuples())
        + ".",
    )


def verdicts_chart(frame: pd.DataFrame, guess: float | None = None) -> alt.LayerChart:
    """`claims_frame`: how many claims get which verdict, and by which test."""
    counts = frame.groupby(["verdict", "asks"], sort=False).size().rename("claims").reset_index()
    tests = {
        asks: int(n)
        for asks, n in frame[frame["verdict"] == "wrong"]["asks"].value_counts().items()
    }
    return bars(
        counts,
        "claims",
        "verdict",
        x_title="Claims",
        color="asks",
        sort=["wrong", "other", "right"],
        height=120,
        guess=guess,
        title=f"Most claims that fail, fail a test of {next(iter(tests))}",
        description=f"Bars for {len(frame)} claims: "
        + "; ".join(f"{v} {n}" for v, n in frame["verdict"].value_counts().items())
        + ". The wrong ones fail by "
        + ", ".join(f"{asks} ({n})" for asks, n in tests.items())
        + ".",
    )


def ceiling_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`ceiling_frame` with ``claimed``: the fastest one user can be served, by number of chips."""
    claimed = frame["claimed"].iloc[0]
    shown = frame.assign(
        chips=[f"{n} chip{'s' if n > 1 else ''}" for n in frame["n_gpu"]],
        label=[f"{v:,.0f}" for v in frame["tokens_per_s"]],
    )
    enough = shown[(shown["tokens_per_s"] >= claimed) & (shown["memory"] == "fits")]["chips"]
    kinds = ["fits", "does not fit"]
    base = alt.Chart(shown).encode(
        y=alt.Y("chips:N", title=None, sort=None),
        x=alt.X("tokens_per_s:Q", title="Bandwidth ceiling for one user (tokens/s)"),
    )
    color = alt.Color("memory:N", title="Weights in memory:",
                      scale=alt.Scale(domain=kinds, range=[PALETTE["blue"], PALETTE["grey"]]),
                      legend=alt.Legend(orient="top"))  # fmt: skip
    mark = base.mark_bar().encode(color=color)
    names = base.mark_text(align="left", dx=4).encode(text="label:N")
    rule = base.mark_rule(color=PALETTE["vermilion"], strokeDash=[5, 4], strokeWidth=2).encode(
        x=alt.X("max(claimed):Q"), y=alt.Y()
    )
    told = f"it takes {enough.iloc[0]}" if len(enough) else "no count shown is enough"
    return finish(
        alt.layer(mark, names, rule).properties(height=170),
        title="How many chips does the claim take?",
        subtitle="Dashed: the claim",
        description=f"Bandwidth allows one user {frame['tokens_per_s'].iloc[0]:.1f} tokens/s on "
        f"one chip and {frame['tokens_per_s'].iloc[-1]:.0f} on {frame['n_gpu'].iloc[-1]}; for the "
        f"claimed {claimed:.0f} {told}.",
    )


def ceiling_panel() -> Panel:
    """The speed limit of one user by model, chip and precision."""

    def frame(claimed: float, model: str, chip: str, precision: str) -> pd.DataFrame:
        return frames.ceiling_frame(model, chip, precision).assign(claimed=claimed)

    case = {"claimed": 110, "model": "llama-2-70b", "chip": "h100-sxm", "precision": "bf16"}
    return Panel(
        frame,
        ceiling_chart,
        [
            slider("claimed", "Claimed (tokens/s)", 10, 1000, value=110, step=10),
            choice("model", "Model", ["llama-3.1-8b", "llama-2-70b", "llama-3.1-405b"],
                   value="llama-2-70b"),
            choice("chip", "Accelerator", ["a100-sxm-80gb", "h100-sxm", "h200-sxm", "b200-sxm"],
                   value="h100-sxm"),
            choice("precision", "Precision", ["bf16", "fp8", "int4"], value="bf16"),
        ],
        presets={
            "70B, bf16, H100": case,
            "70B, int4, H100": {**case, "precision": "int4"},
            "8B, bf16, H100": {**case, "model": "llama-3.1-8b"},
        },
    )  # fmt: skip


def power_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`power_frame`: purchase against electricity."""
    share = frame["share_frac"].iloc[1]
    return bars(
        frame.assign(label=[f"{v:,.0f} ({s:.0%})" for v, s in zip(frame["usd"],
                     frame["share_frac"], strict=True)]),
        "usd",
        "part",
        x_title="USD over the whole life",
        sort=None,
        text="label",
        height=90,
        title="What share of the cost is power?",
        description=f"Purchase ${frame['usd'].iloc[0]:,.0f}, electricity "
        f"${frame['usd'].iloc[1]:,.0f}: power is {share:.0%} of the two.",
    )  # fmt: skip


def power_panel() -> Panel:
    """Electricity's share by price of the card, power, tariff and years."""
    case = {
        "capital_usd": 30_000,
        "power_w": 500,
        "electricity_usd_per_kwh": 0.1,
        "years": 10,
        "pue": 1.0,
    }
    return Panel(
        frames.power_frame,
        power_chart,
        [
            slider("capital_usd", "Price (USD)", 1_000, 50_000, value=30_000, step=1_000),
            slider("power_w", "Power (W)", 100, 2_000, value=500, step=100),
            slider("electricity_usd_per_kwh", "Tariff (USD/kWh)", 0.02, 0.5, value=0.1, step=0.01),
            slider("years", "Years", 1, 10, value=10),
            slider("pue", "PUE", 1.0, 2.0, value=1.0, step=0.05),
        ],
        presets={
            "as claimed": case,
            "whole server, PUE 1.2": {**case, "power_w": 1_000, "pue": 1.2},
            "and a tariff of 0.30": {**case, "power_w": 1_000, "pue": 1.2,
                                     "electricity_usd_per_kwh": 0.3},
        },
    )  # fmt: skip


def token_cost_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`token_cost_frame`: what a million output tokens pay for."""
    whole, writing = frame["cost_usd_per_mtok"].sum(), frame["cost_usd_per_mtok"].iloc[0]
    return bars(
        frame.assign(label=[f"${v:.2f}" for v in frame["cost_usd_per_mtok"]]),
        "cost_usd_per_mtok",
        "part",
        x_title="USD per million output tokens",
        sort=None,
        text="label",
        height=120,
        title="What does a million output tokens pay for?",
        description=f"A million output tokens cost ${whole:.2f}: "
        + ", ".join(f"{r.part} ${r.cost_usd_per_mtok:.2f}" for r in frame.itertuples())
        + f"; writing alone is {writing / whole:.0%}.",
    )


def token_cost_panel(decode_tokens_per_s_per_gpu: float,
                     prefill_tokens_per_s_per_gpu: float) -> Panel:  # fmt: skip
    """A published throughput, priced by rent, prompt length and use."""

    def frame(rent: float, input_output_ratio: float, used_percent: float) -> pd.DataFrame:
        return frames.token_cost_frame(
            decode_tokens_per_s_per_gpu, prefill_tokens_per_s_per_gpu, rent, input_output_ratio,
            used_percent / 100,
        )  # fmt: skip

    case = {"rent": 2.0, "input_output_ratio": 2.0, "used_percent": 50}
    return Panel(
        frame,
        token_cost_chart,
        [
            slider("input_output_ratio", "Input per output token", 0.0, 20.0, value=2.0, step=0.5),
            slider("used_percent", "Time in use (%)", 5, 100, value=50, step=5),
            slider("rent", "Rent (USD/GPU-hour)", 1.0, 6.0, value=2.0, step=0.1),
        ],
        presets={
            "as claimed": {**case, "input_output_ratio": 0.0, "used_percent": 100},
            "with prompts": {**case, "used_percent": 100},
            "and half used": case,
        },
    )


def power_grid_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`power_grid_frame`: electricity's share over price and tariff."""
    over = (frame["share_frac"] > 0.5).sum()
    return heat(
        frame.assign(
            price=[f"${v:,.0f}" for v in frame["price_usd"]],
            tariff=[f"${v:.2f}" for v in frame["tariff_usd_per_kwh"]],
        ),
        "price",
        "tariff",
        "share_frac",
        x_title="Price of the accelerator (USD)",
        y_title="Tariff (USD per kWh)",
        value_title="Power's share",
        form="{:.0%}".format,
        title=f"Power is the larger part in {over} of {len(frame)} cases",
        description="Power's share of purchase and electricity from "
        f"{frame['share_frac'].min():.0%} (dear card, cheap power) to "
        f"{frame['share_frac'].max():.0%} (cheap card, dear power).",
    )
