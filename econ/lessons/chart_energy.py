"""Charts and panels of notebook 04: load, batch, phases, boundaries, the trend, the error."""

from __future__ import annotations

import functools

import altair as alt
import pandas as pd

from econ.catalog import classroom, table
from econ.charts.grammar import axis, bars, finish, lines
from econ.charts.panels import Panel, choice, slider
from econ.charts.shapes import describe, parity, waterfall
from econ.charts.tables import three
from econ.charts.theme import INK, PALETTE
from econ.energy.consumption import Energy, energy
from econ.lessons import energy_cases as cases
from econ.scenario import Scenario

CHIPS = list(classroom())
MODELS = ["llama-3.1-8b", "qwen3-32b", "llama-3.1-70b", "gpt-oss-120b", "deepseek-v3"]
SERVED = Scenario.default()
PHASES = {"prefill": PALETTE["orange"], "decode": PALETTE["blue"]}


def load_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`power.load_frame`: watts over the load of memory and of arithmetic."""
    ends = frame.groupby("phase", sort=False)["power_w"].agg(["first", "last"])
    words = "; ".join(f"{r.Index} {r.first:.0f} to {r.last:.0f} W" for r in ends.itertuples())
    full = frame[frame["power_w"] >= frame["tdp_w"]]
    at = f"{full['load_percent'].min():.0f} %" if len(full) else "no"
    return lines(
        frame,
        "load_percent",
        "power_w",
        color="phase",
        legend=True,
        x_title="Load: share of the datasheet's bandwidth or FLOP/s in use (%)",
        y_title="Power of one accelerator (W)",
        title=f"Arithmetic reaches the power limit at {at} of its peak, reading never",
        description=f"Two lines over load 0 to 100 %: {words}; the limit is "
        f"{frame['tdp_w'].iloc[0]:.0f} W.",
    )


def batch_chart(
    frame: pd.DataFrame, measured: pd.DataFrame, guess: float | None = None
) -> alt.LayerChart:
    """`batch_frame` with measured points: joules per token over the batch; the guess is a factor
    from the first measured point to the last."""
    x = alt.X("concurrency:Q", **axis("Batch (concurrent requests, log)", True))
    y = alt.Y("energy_j_per_token:Q", **axis("Energy per output token (J, log)", True))
    line = alt.Chart(frame[["concurrency", "energy_j_per_token"]]).mark_line().encode(x=x, y=y)
    dots = alt.Chart(measured[["concurrency", "energy_j_per_token"]]).mark_point(
        filled=True, size=110, color=PALETTE["vermilion"]
    )
    layers = [line, dots.encode(x=x, y=y)]
    at = frame.set_index("concurrency")["energy_j_per_token"]
    one, many = measured.iloc[0], measured.iloc[-1]
    if guess:
        mark = pd.DataFrame(
            {"energy_j_per_token": [one.energy_j_per_token / guess], "name": ["your guess"]}
        )
        rule = alt.Chart(mark).encode(y=y)
        layers += [
            rule.mark_rule(color=PALETTE["vermilion"], strokeDash=[5, 4]),
            rule.mark_text(align="left", dy=-7, color=PALETTE["vermilion"]).encode(
                text="name:N", x=alt.value(4)
            ),
        ]
    told = describe(measured, "energy_j_per_token", "concurrency", "J")
    return finish(
        alt.layer(*layers).properties(height=280),
        title=f"{one.energy_j_per_token / many.energy_j_per_token:.1f} times fewer joules "
        f"a token measured at batch {many.concurrency:.0f} than at {one.concurrency:.0f}",
        subtitle="Line: predicted, accelerators alone. Points: measured",
        description=f"Line falling from {at.iloc[0]:.2f} J per token at batch {at.index[0]} to "
        f"{at.iloc[-1]:.3f} J at {at.index[-1]}. Measured, by batch: {told}.",
    )


def triangle_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`batch_frame`: energy against time per token, one point a batch."""
    first, last = frame.iloc[0], frame.iloc[-1]
    close = alt.Scale(type="log", nice=False, padding=24)
    base = alt.Chart(frame[["concurrency", "tpot_ms", "energy_j_per_token"]]).encode(
        x=alt.X("tpot_ms:Q", **axis("Time per output token (ms, log)", True, scale=close)),
        y=alt.Y(
            "energy_j_per_token:Q", **axis("Energy per output token (J, log)", True, scale=close)
        ),
        order="concurrency:Q",
    )
    line = base.mark_line(color=PALETTE["grey"], point={"size": 90, "color": PALETTE["blue"]})
    names = base.mark_text(align="left", dx=8, dy=-6, fontSize=11).encode(text="concurrency:Q")
    return finish(
        alt.layer(line, names),
        title="Cheap in joules and quick in milliseconds lie at opposite ends",
        subtitle="Beside each point: concurrent requests",
        description=f"Points from batch {first.concurrency} ({three(first.tpot_ms)} ms, "
        f"{three(first.energy_j_per_token)} J per token) to batch {last.concurrency} "
        f"({three(last.tpot_ms)} ms, {three(last.energy_j_per_token)} J per token).",
    )


def triangle_panel() -> Panel:
    """Batch, energy and latency by model, chip, parallelism, precision and prompt."""

    def frame(model: str, chip: str, tp: int, precision: str, prompt: int) -> pd.DataFrame:
        return cases.batch_frame(
            model, chip, tp=tp, precision=precision, input_tokens=prompt, output_tokens=500
        )

    case = {"chip": "h100-sxm", "tp": 4, "precision": "fp8", "prompt": 1000}
    return Panel(
        frame,
        triangle_chart,
        [
            slider("prompt", "Prompt (tokens)", 100, 20_000, value=1000, log=True),
            choice("model", "Model", MODELS, value="llama-3.1-70b"),
            choice("chip", "Accelerator", CHIPS, value="h100-sxm"),
            choice("tp", "Tensor parallel", [1, 2, 4, 8], value=4),
            choice("precision", "Precision", ["bf16", "fp8", "fp4"], value="fp8"),
        ],
        presets={
            "70B on four H100": {**case, "model": "llama-3.1-70b"},
            "8B on one": {**case, "model": "llama-3.1-8b", "tp": 1},
            "70B, long prompts": {**case, "model": "llama-3.1-70b", "prompt": 10_000},
        },
    )


def phase_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`phase_frame`: a request's energy by phase over its prompt."""
    shown = frame.assign(prompt=[f"{n:,.0f} tokens" for n in frame["input_tokens"]])
    read = shown[shown["phase"] == "prefill"].reset_index(drop=True)
    words = "; ".join(f"{r.prompt} {100 * r.share:.0f} %" for r in read.itertuples())
    order, kinds = read["prompt"].tolist(), list(PHASES)
    bar = alt.Chart(shown[["prompt", "phase", "energy_j"]]).mark_bar().encode(
        x=alt.X("energy_j:Q", title="Energy of a request, accelerators (J)"),
        y=alt.Y("prompt:N", sort=order, title="Prompt"),
        color=alt.Color("phase:N", title=None, legend=alt.Legend(orient="top"),
                        scale=alt.Scale(domain=kinds, range=list(PHASES.values()))),
        order=alt.Order("rank:Q"),
    ).transform_calculate(rank=f"indexof({kinds!r}, datum.phase)")  # fmt: skip
    return finish(
        alt.layer(bar),
        title="A long prompt is paid in prefill, a short one in decode",
        subtitle="The same answer after prompts of rising length",
        description=f"Stacked bars by prompt length; share of prefill: {words}.",
    )


def prompt_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`prompt_frame`: one published prompt at five boundaries."""
    shown = frame.assign(label=[f"{w:.2f} Wh" for w in frame["energy_wh"]])
    return bars(
        shown[["boundary", "energy_wh", "label"]],
        "energy_wh",
        "boundary",
        sort=None,
        text="label",
        x_title="Energy of one prompt (Wh)",
        height=190,
        title=f"One prompt, five boundaries, a factor of {frame['factor'].iloc[-1]:.1f}",
        subtitle="Median text prompt of Google Gemini, May 2025",
        description="Bars: " + describe(frame, "energy_wh", "boundary", "Wh") + ".",
    )


def ladder_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`request_boundary_frame`: what each rung adds to a request, to a total at the site."""
    first, last = frame.iloc[0], frame.iloc[-1]
    names = ["accelerators", "+ host", "+ idle capacity", "+ building (PUE)"]
    return waterfall(
        frame.assign(step=names),
        "adds",
        "step",
        x_title="Energy of a request (Wh)",
        total="at the site",
        title=f"The site uses {last.typical / first.typical:.1f} times what the accelerators do",
        subtitle="What each rung adds; the range is in the words below",
        description="Steps: "
        + describe(frame.assign(step=names), "adds", "step", "Wh")
        + f"; at the site {three(last.typical)} Wh, between {three(last.low)} and "
        f"{three(last.high)} Wh.",
    )


@functools.cache
def served(concurrency: int = 32) -> Energy:
    """The lesson's deployment at a load."""
    return energy(SERVED, concurrency=concurrency)


def ladder_panel() -> Panel:
    """The boundary ladder by load, share of time at work and operator."""

    def frame(users: int, busy: int, operator: str) -> pd.DataFrame:
        return cases.request_boundary_frame(served(users), operator, busy / 100)

    operators = table("operators").index.tolist()
    return Panel(
        frame,
        ladder_chart,
        [
            slider("users", "Concurrent requests", 1, 200, value=32, log=True),
            slider("busy", "Time at work (%)", 5, 100, value=80, step=5),
            choice("operator", "Operator (PUE)", operators, value="industry"),
        ],
        presets={
            "busy, hyperscale": {"users": 100, "busy": 90, "operator": "google"},
            "as set": {"users": 32, "busy": 80, "operator": "industry"},
            "mostly waiting": {"users": 5, "busy": 20, "operator": "industry"},
        },
    )


def growth_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`growth_frame`: growth a year by measure with 90 % intervals, and the claim."""
    base = alt.Chart(frame).encode(y=alt.Y("measure:N", sort=None, title=None))
    x = alt.X("growth:Q", title="Growth a year (%)", scale=alt.Scale(zero=True))
    span = base.mark_rule(strokeWidth=3, color=PALETTE["grey"])
    tint = alt.Color(
        "kind:N", legend=None,
        scale=alt.Scale(domain=["claim", "ours"], range=[PALETTE["vermilion"], PALETTE["blue"]]),
    )  # fmt: skip
    dot = base.transform_calculate(kind="datum.low === datum.high ? 'claim' : 'ours'")
    return finish(
        alt.layer(span.encode(x=alt.X("low:Q"), x2="high:Q"),
                  dot.mark_point(size=120).encode(x=x, color=tint)).properties(height=150),
        title="40 % a year holds only where ever fewer bits are counted",
        subtitle="NVIDIA's server boards 2018 to 2025; lines: 90 % interval of the trend",
        description="Growth a year: " + describe(frame, "growth", "measure", "%") + ".",
    )  # fmt: skip


NAMES = {
    "accelerators_j": "the accelerators' band",
    "host_frac": "host's share",
    "busy_frac": "time at work",
    "idle_frac": "idle power",
    "pue": "PUE",
}


def tornado_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`boundary_tornado_frame`: the site's joules as each input moves alone."""
    shown = frame.assign(name=[NAMES[i] for i in frame["input"]])
    shown = shown[["name", "low", "high", "typical"]]
    base = alt.Chart(shown).encode(y=alt.Y("name:N", sort=None, title=None))
    bar = base.mark_bar(height=18).encode(
        x=alt.X("low:Q", title="Energy per output token at the site (J)",
                scale=alt.Scale(zero=False)),
        x2="high:Q",
    )  # fmt: skip
    rule = base.mark_rule(color=INK).encode(x=alt.X("mean(typical):Q"), y=alt.Y())
    top = shown.iloc[0]
    words = "; ".join(f"{r.name} {three(r.low)} to {three(r.high)} J"
                      for r in shown.itertuples(index=False))  # fmt: skip
    return finish(
        alt.layer(bar, rule).properties(height=34 * len(shown)),
        title=f"What moves the figure most: {top['name']}",
        subtitle="Each input alone across the middle 90 % of its range; line: all typical",
        description=f"Bars around {three(top.typical)} J: {words}.",
    )


def parity_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`energy_trends.parity_frame`: the law against measured joules per token."""
    off = (frame["factor"] - 1).abs()
    return parity(
        frame[["measured_j", "ours_j", "accelerator"]],
        "measured_j",
        "ours_j",
        color="accelerator",
        x_title="Measured energy per output token (J, log)",
        y_title="By the power law at the measured throughput (J, log)",
        title=f"Half of {len(frame)} runs within {100 * off.median():.0f} %",
        subtitle="ML.ENERGY runs of 2024, each model left out of the fit; dashed: both are equal",
        description=f"{len(frame)} runs from {three(frame['measured_j'].min())} to "
        f"{three(frame['measured_j'].max())} J per token; median error {100 * off.median():.0f} %, "
        f"90 % within {100 * off.quantile(0.9):.0f} %.",
    )
