"""Charts and the panel of notebook 00: the bound and the measurement, speed against cost."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.catalog.units import MILLI
from econ.charts.grammar import axis, bars, finish, lines
from econ.charts.panels import Panel, choice, slider
from econ.latency.bound import parts_frame
from econ.scenario import Scenario
from econ.terms import Finance


def reality_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`reality_frame`: time per output token, measured and at the bound, over the batch."""
    kinds = {"measured_tpot_s": "measured", "bound_tpot_s": "memory bound"}
    long = frame.melt("batch", list(kinds), "kind", "tpot_s")
    long = long.assign(kind=long["kind"].map(kinds), tpot_ms=long["tpot_s"] / MILLI)
    low, high = frame["slowdown"].min(), frame["slowdown"].max()
    return lines(
        long,
        "batch",
        "tpot_ms",
        color="kind",
        log_x=True,
        points=True,
        x_title="Batch (concurrent requests)",
        y_title="Time per output token (ms)",
        title=f"Real servers take {low:.1f} to {high:.1f} times the memory bound",
        subtitle="Llama-3.1-70B in fp8 on four H100, vLLM, about 920 tokens in and out",
        description=f"Lines over batch {frame['batch'].min()} to {frame['batch'].max()}: measured "
        f"time per output token {long['tpot_ms'][: len(frame)].min():.1f} to "
        f"{long['tpot_ms'][: len(frame)].max():.1f} ms, memory bound "
        f"{frame['bound_tpot_s'].min() / MILLI:.1f} to "
        f"{frame['bound_tpot_s'].max() / MILLI:.1f} ms; "
        f"ratio {low:.2f} to {high:.2f}.",
    )


def tradeoff_chart(frame: pd.DataFrame, guess: float | None = None) -> alt.LayerChart:
    """`batches_frame`: what a token costs against the speed one user sees, batch by batch."""
    first, last = frame.iloc[0], frame.iloc[-1]
    cut = first.cost_usd_per_mtok / last.cost_usd_per_mtok
    chart = lines(
        frame,
        "tokens_per_s_per_user",
        "cost_usd_per_mtok",
        log_y=True,
        points=True,
        x_title="Speed for one user (output tokens/s)",
        y_title="Cost (USD per million output tokens, log)",
        title=f"Sharing the machine cuts the cost {cut:.0f}-fold",
        subtitle="Each point is a batch size; moving left, a user waits longer for each token",
        guess=guess,
        description=f"A line of {len(frame)} batch sizes: from batch {first.batch:.0f} with "
        f"{first.tokens_per_s_per_user:.0f} tokens/s and "
        f"${first.cost_usd_per_mtok:.2f} per million output tokens to batch {last.batch:.0f} with "
        f"{last.tokens_per_s_per_user:.0f} tokens/s and ${last.cost_usd_per_mtok:.2f}.",
    )
    names = (
        alt.Chart(frame)
        .mark_text(align="left", dx=3, dy=-11)
        .encode(
            x="tokens_per_s_per_user:Q",
            y="cost_usd_per_mtok:Q",
            text=alt.Text("batch:Q", format="d"),
        )
    )
    return finish(
        chart + names,
        title=chart.title.text,
        subtitle=chart.title.subtitle,
        description=chart.description,
    )


def parts_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`parts_frame`: what a thousand answers pay for."""
    total, first = frame["usd_per_1000"].sum(), frame.iloc[0]
    biggest = frame.loc[frame["usd_per_1000"].idxmax()]
    frame = frame.assign(label=[f"${v:.2f}" for v in frame["usd_per_1000"]])
    return bars(
        frame,
        "usd_per_1000",
        "part",
        x_title="USD per thousand answers",
        sort=None,
        text="label",
        height=150,
        title="What do a thousand answers pay for?",
        description=f"A thousand answers cost ${total:.2f}, most of it for {biggest.part} "
        f"(${biggest.usd_per_1000:.2f}). One user sees {first.tokens_per_s_per_user:.0f} tokens "
        f"per second; an answer takes {first.answer_s:.1f} s; a million output tokens cost "
        f"${first.cost_usd_per_mtok:.2f}.",
    )


def bill_panel(scenario: Scenario, slowdown: float) -> Panel:
    """The bill of the scenario's answers by batch, length, rent and model."""

    def frame(batch: int, output_tokens: int, rent: float, model: str) -> pd.DataFrame:
        case = scenario.with_(model=model, finance=Finance(cost_usd_per_gpu_hour=rent))
        return parts_frame(case, batch, output_tokens=output_tokens, slowdown=slowdown)

    rent = round(scenario.cost_usd_per_gpu_hour * 20) / 20
    return Panel(
        frame,
        parts_chart,
        [
            slider("batch", "Batch (requests)", 1, 5000, value=50, log=True),
            slider("output_tokens", "Output (tokens)", 10, 20_000, value=200, log=True),
            slider("rent", "Rent (USD/GPU-hour)", 1, 8, value=rent, step=0.05),
            choice(
                "model",
                "Model",
                ["llama-3.1-8b", "qwen3-32b", "llama-3.1-70b", "gpt-oss-120b"],
                value=scenario.model,
            ),
        ],
        presets={
            "alone (batch 1)": {
                "batch": 1, "output_tokens": 200, "rent": rent, "model": scenario.model
            },
            "shared (batch 50)": {
                "batch": 50, "output_tokens": 200, "rent": rent, "model": scenario.model
            },
            "shared, ten times the output": {
                "batch": 50, "output_tokens": 2000, "rent": rent, "model": scenario.model
            },
        },
    )  # fmt: skip


def ranges_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`ranges_frame`: how far each input alone moves the cost of a million output tokens."""
    frame = frame.assign(
        ends=[f"{r.low:.3g} to {r.high:.3g}" for r in frame.itertuples()],
        width=frame["high_usd"] - frame["low_usd"],
        right_usd=frame[["low_usd", "high_usd"]].max(axis=1),
    )
    order = frame.sort_values("width", ascending=False)["input"].tolist()
    worst = frame.loc[frame["width"].idxmax()]
    base = alt.Chart(frame).encode(y=alt.Y("input:N", sort=order, title=None))
    x = axis("USD per million output tokens (log)", log=True)
    span = base.mark_bar(height=22).encode(x=alt.X("low_usd:Q", **x), x2="high_usd:Q")
    names = base.mark_text(align="left", dx=6).encode(x="right_usd:Q", text="ends:N")
    middle = alt.Chart(frame.head(1)).mark_rule(strokeDash=[4, 3]).encode(x="base_usd:Q")
    words = "; ".join(
        f"{r.input} from {r.low:.3g} to {r.high:.3g}: ${r.low_usd:.2f} to ${r.high_usd:.2f}"
        for r in frame.itertuples()
    )
    return finish(
        alt.layer(span, names, middle).properties(height=120),
        title="Whether the machine is in use matters more than the software on it",
        subtitle="Each input moved alone between its two ends; the dashed line is the typical case",
        description=f"Bars around ${worst.base_usd:.2f} per million output tokens. {words}.",
    )
