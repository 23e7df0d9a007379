"""Lesson 07, energy: batch, phases, boundaries, reasoning.

>>> frame = batch_frame("llama-3.1-8b", "h100-sxm", input_tokens=100, output_tokens=400,
...                     batches=(1, 8, 64))
>>> bool(frame["energy_j_per_token"].is_monotonic_decreasing)
True
"""

from __future__ import annotations

import functools
import json
from typing import Any

import pandas as pd

from econ.catalog import table
from econ.catalog.guard import one_of
from econ.catalog.ranges import Range
from econ.catalog.units import KILO, WH_J
from econ.charts import Drawing, Panel, choice, figure, panel, slider, three
from econ.energy.boundaries import boundary_frame
from econ.energy.consumption import Energy, energy
from econ.energy.frame import energy_frame
from econ.lessons.deployments import deployment_panel
from econ.scenario import Scenario
from econ.sweeps import sweep

RUNGS = ("accelerators", "+ host", "+ idle capacity", "+ building (PUE)")
INPUTS = {  # what a tornado calls them
    "accelerators_j": "the accelerators' band",
    "host_frac": "host's share",
    "busy_frac": "time at work",
    "idle_frac": "idle power",
    "pue": "PUE",
}
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
PREDICTED_ROWS = r"mle-(?!power-).*-b\d+"  # of the ledger: joules per token of measured runs
REASONING = {  # the two runs behind the published factors of 13 and 52
    "chat": {"input_tokens": 100, "output_tokens": 842, "concurrency": 3008},
    "reasoning": {"input_tokens": 250, "output_tokens": 11_287, "concurrency": 128},
}


def batch_frame(
    model: str,
    accelerator: str,
    *,
    tp: int = 1,
    precision: str = "bf16",
    input_tokens: float,
    output_tokens: float,
    batches: tuple[int, ...] = BATCHES,
) -> pd.DataFrame:
    """Energy over the number of users: `energy_frame`, with time per token in ms and tokens/J.

    Ends where memory holds no more; raises where not even one request fits.
    """
    settings = {"tp": tp, "precision": precision, "input_tokens": input_tokens,
                "output_tokens": output_tokens, "concurrency": list(batches)}  # fmt: skip
    rows = energy_frame(pd.DataFrame({"model": model, "accelerator": accelerator, **settings}))
    if rows["reason"].iloc[0]:
        raise ValueError(rows["reason"].iloc[0])
    rows = rows[(rows["reason"] == "") & (rows["batch"] >= 0.7 * rows["concurrency"])]
    return rows.assign(
        tpot_ms=rows["tpot_s"] * KILO, tokens_per_joule=1 / rows["energy_j_per_token"]
    )


def measured_batches_frame() -> pd.DataFrame:
    """Published measured points beside the prediction: claim, concurrency, published, ours (J per
    output token), low, high."""
    published = table("published_figures")
    published = published[published.index.str.fullmatch(PREDICTED_ROWS)]
    rows = []
    for row in published.itertuples():
        case = json.loads(row.inputs)
        users = case.pop("concurrency")
        ours = energy(Scenario.of(case.pop("id"), case.pop("chip"), **case), concurrency=users)
        rows.append((row.claim, users, row.published, ours.j_per_output_token, *ours.band()))
    columns = ["claim", "concurrency", "published", "ours", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def phase_frame(
    s: Scenario,
    input_tokens: tuple[float, ...] = (100, 300, 1000, 3000, 8000, 20_000),
    *,
    concurrency: float = 32,
) -> pd.DataFrame:
    """A request's energy by phase over the length of its prompt.

    Columns: input_tokens, phase, energy_j, power_w (of the phase), share.
    """
    requests = sweep(energy, s, input_tokens=input_tokens, concurrency=concurrency)
    parts_j = {"prefill": requests["prefill_j_per_input_token"] * requests["input_tokens"]}
    total_j = requests["j_per_output_token"] * s.workload.mean_output_tokens
    parts_j["decode"] = total_j - parts_j["prefill"]
    phases = [
        requests[["input_tokens"]].assign(
            phase=phase,
            energy_j=part_j,
            power_w=requests[f"{phase}_power_w"],
            share=part_j / total_j,
        )
        for phase, part_j in parts_j.items()
    ]
    return pd.concat(phases).sort_index(kind="stable", ignore_index=True)


def request_boundary_frame(
    one: Energy, operator: str = "google", busy_frac: float | None = None
) -> pd.DataFrame:
    """`boundary_frame` of one request in Wh, with what each rung adds.

    The PUE is the operator's; its ends are the lowest and the highest of any operator listed.
    """
    known = table("operators")["pue"]
    one_of("operator", operator, known.index)
    pue = Range(float(known.min()), float(known[operator]), float(known.max()))
    frame = boundary_frame(one, pue=pue, busy_frac=busy_frac)
    for column in ("low", "typical", "high", "low_se", "high_se", "adds"):
        frame[column] = frame[column] * one.output_tokens / WH_J
    return frame


def reasoning_frame() -> pd.DataFrame:
    """Chat against reasoning on 8 × B200, predicted and published.

    Columns: case, tokens, J per token and J per answer, by us and as measured.
    """
    inputs = table("published_figures").set_index("id").loc["reasoning-energy-factor", "inputs"]
    measured = json.loads(inputs)["measured"]
    rows = []
    for name, case in REASONING.items():
        lengths: dict[str, Any] = dict(case)
        users = lengths.pop("concurrency")
        s = Scenario.of("deepseek-v3", "b200-sxm", tp=8, precision="fp8", **lengths)
        one = energy(s, concurrency=users)
        tokens, joules = measured[name]
        rows.append((name, tokens, one.j_per_output_token, joules / tokens,
                     one.j_per_request, joules))  # fmt: skip
    columns = ["case", "tokens", "ours_j_per_token", "measured_j_per_token", "ours_j", "measured_j"]
    return pd.DataFrame(rows, columns=columns)


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
