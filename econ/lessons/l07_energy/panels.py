"""The panels of lesson 07."""

from __future__ import annotations

import functools
from typing import Any

import pandas as pd

from econ.catalog import table
from econ.charts import Drawing, Panel, choice, figure, panel, slider, three
from econ.energy.consumption import Energy, energy
from econ.lessons.deployments import deployment_panel
from econ.lessons.l07_energy.tables import (
    RUNGS,
    batch_frame,
    request_boundary_frame,
)
from econ.scenario import Scenario


@functools.cache
def served(concurrency: int = 32) -> Energy:
    """The lesson's deployment at a load."""
    prediction: Energy = energy(Scenario.default(), concurrency=concurrency)
    return prediction


def triangle_chart(frame: pd.DataFrame) -> Drawing:
    """`batch_frame`: energy against time per token, one point a batch."""
    first, last = frame.iloc[0], frame.iloc[-1]
    return figure(
        frame[["concurrency", "tpot_ms", "energy_j_per_token"]],
        "tpot_ms",
        "energy_j_per_token",
        kind="path",
        label="concurrency",
        log="xy",
        y_title="Energy per output token (J)",
        finding="Cheap in joules and quick in milliseconds lie at opposite ends",
        subtitle="Beside each point: concurrent requests",
        says=f"Points from batch {first.concurrency} ({three(first.tpot_ms)} ms, "
        f"{three(first.energy_j_per_token)} J per token) to batch {last.concurrency} "
        f"({three(last.tpot_ms)} ms, {three(last.energy_j_per_token)} J per token).",
    )


def triangle_panel() -> Panel:
    """Batch, energy and latency by model, accelerator, parallelism, precision and prompt."""
    presets: dict[str, dict[str, Any]] = {
        "70B on four H100": {},
        "8B on one": {"model": "llama-3.1-8b", "tp": 1},
        "70B, long prompts": {"prompt": 10_000},
    }
    return deployment_panel(batch_frame, triangle_chart, presets, output_tokens=500)


def ladder_chart(frame: pd.DataFrame) -> Drawing:
    """`request_boundary_frame`: what each rung adds to a request, to a total at the site."""
    first, last = frame.iloc[0], frame.iloc[-1]
    steps = "; ".join(
        f"{name.removeprefix('+ ')} {three(wh)} Wh"
        for name, wh in zip(RUNGS, frame["adds"], strict=True)
    )
    return figure(
        frame.assign(step=RUNGS),
        "adds",
        "step",
        kind="waterfall",
        total="at the site",
        x_title="Energy of a request (Wh)",
        finding=f"The site uses {last.typical / first.typical:.1f} times what the accelerators do",
        subtitle="What each rung adds; the range is in the words below",
        says=f"Steps: {steps}; at the site {three(last.typical)} Wh, between {three(last.low)} and "
        f"{three(last.high)} Wh.",
    )


def ladder_panel() -> Panel:
    """The boundary ladder by load, share of time at work and operator."""

    def rungs(users: int, busy: int, operator: str) -> pd.DataFrame:
        return request_boundary_frame(served(users), operator, busy / 100)

    return panel(
        rungs,
        ladder_chart,
        users=slider(1, 200, value=32, log=True, label="Concurrent requests"),
        busy=slider(5, 100, value=80, step=5, label="Time at work (%)"),
        operator=choice(table("operators").index, value="industry", label="Operator (PUE)"),
        presets={
            "busy, hyperscale": {"users": 100, "busy": 90, "operator": "google"},
            "as set": {"users": 32},
            "mostly waiting": {"users": 5, "busy": 20},
        },
    )
