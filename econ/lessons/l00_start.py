"""Lesson 00, what does an answer cost?: the panel of its bill."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.charts import Panel, choice, figure, panel, slider
from econ.latency.bound import parts_frame
from econ.scenario import Scenario
from econ.terms import Finance

MODELS = ("llama-3.1-8b", "qwen3-32b", "llama-3.1-70b", "gpt-oss-120b")


def parts_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`parts_frame`: what a thousand answers pay for."""
    total, first = frame["usd_per_1000"].sum(), frame.iloc[0]
    biggest = frame.loc[frame["usd_per_1000"].idxmax()]
    return figure(
        frame,
        "usd_per_1000",
        "part",
        kind="bar",
        form="${:.2f}",
        x_title="USD per thousand answers",
        finding="What do a thousand answers pay for?",
        says=f"A thousand answers cost ${total:.2f}, most of it for {biggest.part} "
        f"(${biggest.usd_per_1000:.2f}). One user sees {first.tokens_per_s_per_user:.0f} tokens "
        f"per second; an answer takes {first.answer_s:.1f} s; a million output tokens cost "
        f"${first.cost_usd_per_mtok:.2f}.",
    )


def bill_panel(scenario: Scenario, slowdown: float) -> Panel:
    """The bill of the scenario's answers by batch, length, rent and model."""

    def parts(batch: int, output_tokens: int, rent: float, model: str) -> pd.DataFrame:
        case = scenario.with_(model=model, finance=Finance(cost_usd_per_gpu_hour=rent))
        return parts_frame(case, batch, output_tokens=output_tokens, slowdown=slowdown)

    rent = round(20 * float(scenario.cost_usd_per_gpu_hour)) / 20
    return panel(
        parts,
        parts_chart,
        batch=slider(1, 5000, value=50, log=True, label="Batch (requests)"),
        output_tokens=slider(10, 20_000, value=200, log=True, label="Output (tokens)"),
        rent=slider(1, 8, value=rent, step=0.05, label="Rent (USD/GPU-hour)"),
        model=choice(MODELS, value=scenario.model_id, label="Model"),
        presets={
            "alone (batch 1)": {"batch": 1},
            "shared (batch 50)": {},
            "shared, ten times the output": {"output_tokens": 2000},
        },
    )
