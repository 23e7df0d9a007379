"""Charts and panels of notebook 02: anatomy of a step, memory, roofline, ours and measured."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.catalog import classroom
from econ.charts.grammar import axis, bars, finish, lines
from econ.charts.panels import Panel, choice, slider
from econ.charts.theme import PALETTE
from econ.lessons import latency_cases as cases

CHIPS = list(classroom())
MODELS = ["llama-3.1-8b", "qwen3-32b", "llama-3.1-70b", "gpt-oss-120b", "deepseek-v3"]
# one colour a part: memory blue, arithmetic green, everything that is software warm
PART_COLOURS = {
    "weights": PALETTE["blue"],
    "compute": PALETTE["green"],
    "kv cache": PALETTE["sky"],
    "kernels": PALETTE["orange"],
    "links": PALETTE["vermilion"],
    "host": PALETTE["grey"],
    "others' prompts": PALETTE["purple"],
}


def anatomy_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`anatomy_frame`: a token's time, stacked by what takes it, over the batch."""
    parts = list(PART_COLOURS)
    last = frame[frame["batch"] == frame["batch"].max()]
    top = last.loc[last["time_ms"].idxmax()]
    first_ms = frame["total_ms"].iloc[0]
    stack = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("batch:O", title="Batch (concurrent requests)", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("time_ms:Q", title="Time per output token (ms)"),
            color=alt.Color(
                "part:N",
                title=None,
                sort=parts,
                scale=alt.Scale(domain=parts, range=list(PART_COLOURS.values())),
            ),
            order=alt.Order("rank:Q"),
        )
        .transform_calculate(rank=f"indexof({parts!r}, datum.part)")
    )
    return finish(
        alt.layer(stack).properties(width=420),
        title="What takes a token's time?",
        description=f"Stacked bars over batch {frame['batch'].min()} to {frame['batch'].max()}: "
        f"time per output token {first_ms:.1f} ms to {top.total_ms:.1f} ms; at the largest batch "
        f"that fits, {top.part} takes most ({top.time_ms:.1f} ms).",
    )


def anatomy_panel() -> Panel:
    """The anatomy by model, chip, parallelism and prompt."""

    def frame(model: str, chip: str, tp: int, precision: str, prompt: int) -> pd.DataFrame:
        return cases.anatomy_frame(model, chip, tp=tp, precision=precision, input_tokens=prompt)

    case = {"chip": "h100-sxm", "tp": 4, "precision": "fp8", "prompt": 1000}
    return Panel(
        frame,
        anatomy_chart,
        [
            slider("prompt", "Prompt (tokens)", 100, 20_000, value=1000, log=True),
            choice("model", "Model", MODELS, value="llama-3.1-70b"),
            choice("chip", "Accelerator", CHIPS, value="h100-sxm"),
            choice("tp", "Tensor parallel", [1, 2, 4, 8], value=4),
            choice("precision", "Precision", ["bf16", "fp8", "fp4"], value="fp8"),
        ],
        presets={
            "8B on one chip": {**case, "model": "llama-3.1-8b", "tp": 1},
            "70B on four": {**case, "model": "llama-3.1-70b"},
            "70B, long prompts": {**case, "model": "llama-3.1-70b", "prompt": 10_000},
        },
    )


def memory_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`memory_frame`: weights and KV cache against the memory."""
    total, row = frame["size_gb"].sum(), frame.iloc[0]
    verdict = "fits" if total <= row.limit_gb else "does not fit"
    stack = alt.Chart(frame).encode(y=alt.value(30))
    mark = stack.mark_bar(height=38).encode(
        x=alt.X("size_gb:Q", title="Memory (GB)"),
        color=alt.Color("part:N", title=None, sort=["weights", "KV cache"],
                        scale=alt.Scale(domain=["weights", "KV cache"])),
        order=alt.Order("rank:Q"),
    ).transform_calculate(rank="datum.part === 'weights' ? 0 : 1")  # fmt: skip
    wall = alt.Chart(frame).mark_rule(strokeWidth=3, color=PALETTE["vermilion"])
    limit = wall.encode(x=alt.X("max(limit_gb):Q"))
    return finish(
        alt.layer(mark, limit, data=frame).properties(height=60),
        title="Does it fit?",
        description=f"Weights {frame['size_gb'].iloc[0]:.0f} GB and KV cache "
        f"{frame['size_gb'].iloc[1]:.0f} GB for {row.batch} sequences, against "
        f"{row.limit_gb:.0f} GB usable (the line): {verdict}. At most {row.n_fit:,} sequences "
        "of this length fit.",
    )


def memory_panel() -> Panel:
    """Memory by model, chip, count, precision, context and batch."""

    def frame(
        model: str, chip: str, n_gpu: int, precision: str, context: int, batch: int
    ) -> pd.DataFrame:
        return cases.memory_frame(
            model, chip, n_gpu=n_gpu, precision=precision, context_tokens=context, batch=batch
        )

    case = {"chip": "h100-sxm", "n_gpu": 4, "precision": "fp8", "batch": 50}
    return Panel(
        frame,
        memory_chart,
        [
            slider("batch", "Batch (sequences)", 1, 5000, value=50, log=True),
            slider("context", "Context (tokens)", 500, 1_000_000, value=5000, log=True),
            choice("model", "Model", MODELS, value="llama-3.1-70b"),
            choice("chip", "Accelerator", CHIPS, value="h100-sxm"),
            choice("n_gpu", "Count", [1, 2, 4, 8, 16], value=4),
            choice("precision", "Precision", ["bf16", "fp8", "fp4"], value="fp8"),
        ],
        presets={
            "70B, 5,000 tokens": {**case, "model": "llama-3.1-70b", "context": 5000},
            "70B, 50,000 tokens": {**case, "model": "llama-3.1-70b", "context": 50_000},
            "gpt-oss, 50,000 tokens": {**case, "model": "gpt-oss-120b", "context": 50_000},
        },
    )


def roof_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`roof_frame`: the roof of a chip with decode and prefill under it."""
    decode = frame[frame["kind"] == "decode"]
    ridge = frame["ridge"].iloc[0]
    beyond = decode[decode["intensity"] >= ridge]["label"]
    said = (
        f"decode reaches it from {beyond.iloc[0]} on" if len(beyond) else "decode never reaches it"
    )
    base = alt.Chart(frame).encode(
        x=alt.X("intensity:Q", **axis("Arithmetic intensity (FLOP per byte, log)", True)),
        y=alt.Y("rate_tflops:Q", **axis("Attainable rate (TFLOP/s, log)", True)),
    )
    roof = base.transform_filter("datum.kind === 'roof'").mark_line(color=PALETTE["grey"])
    dots = base.transform_filter("datum.kind !== 'roof'").mark_point(
        filled=True, size=90, opacity=1
    )
    dots = dots.encode(
        color=alt.Color("kind:N", title=None, scale=alt.Scale(domain=["decode", "prefill"]),
                        legend=alt.Legend(orient="top"))
    )  # fmt: skip
    names = base.transform_filter("datum.kind !== 'roof'").mark_text(align="left", dx=8, dy=8)
    return finish(
        alt.layer(roof, dots, names.encode(text="label:N"), data=frame),
        title="Under which part of the roof does the work stand?",
        description=f"The roof bends at {ridge:.0f} FLOP per byte; {said}. Decode at batch 1 has "
        f"{decode['intensity'].iloc[0]:.1f} FLOP per byte and at {decode['label'].iloc[-1]} "
        f"{decode['intensity'].iloc[-1]:.0f}; prefill "
        f"{frame[frame['kind'] == 'prefill']['intensity'].iloc[0]:,.0f}.",
    )


def roof_panel() -> Panel:
    """The roofline by model, chip, precision and context."""

    def frame(model: str, chip: str, precision: str, context: int) -> pd.DataFrame:
        return cases.roof_frame(model, chip, precision=precision, context_tokens=context)

    case = {"chip": "h100-sxm", "precision": "bf16", "context": 1000}
    return Panel(
        frame,
        roof_chart,
        [
            slider("context", "Context (tokens)", 100, 100_000, value=1000, log=True),
            choice("model", "Model", MODELS, value="llama-3.1-8b"),
            choice("chip", "Accelerator", CHIPS, value="h100-sxm"),
            choice("precision", "Precision", ["bf16", "fp8", "fp4"], value="bf16"),
        ],
        presets={
            "short context": {**case, "model": "llama-3.1-8b"},
            "long context": {**case, "model": "llama-3.1-8b", "context": 50_000},
            "fewer KV bytes (MLA)": {**case, "model": "deepseek-v3", "context": 50_000},
        },
    )


def ladder_chart(frame: pd.DataFrame, guess: float | None = None) -> alt.LayerChart:
    """`ladder_frame`: the held-out error as terms of the model are added."""
    shown = frame.assign(
        percent=100 * frame["median_frac"],
        label=[f"{100 * m:.0f} %" for m in frame["median_frac"]],
        step=[f"{r.rung} ({r.n_parameters})" for r in frame.itertuples()],
    )
    first, last = shown.iloc[0], shown.iloc[-1]
    words = "; ".join(f"{r.rung} {r.percent:.0f} %" for r in shown.itertuples())
    return bars(
        shown,
        "percent",
        "step",
        sort=None,
        text="label",
        x_title="Median error of TPOT on runs left out of the fit (%)",
        height=190,
        guess=guess,
        title=f"From {first.percent:.0f} % to {last.percent:.0f} %, one piece of physics at a time",
        subtitle="In brackets: parameters fitted so far",
        description=f"Bars of the median held-out error as terms are added: {words}.",
    )


def parity_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`parity_frame`: predicted against measured time per output token."""
    off = (frame["factor"] - 1).abs()
    kinds = sorted(frame["accelerator"].unique())
    ends = [frame["measured_ms"].min(), frame["measured_ms"].max()]
    line = alt.Chart(pd.DataFrame({"measured_ms": ends, "predicted_ms": ends}))
    x = alt.X("measured_ms:Q", **axis("Measured time per output token (ms, log)", True))
    y = alt.Y("predicted_ms:Q", **axis("Predicted (ms, log)", True))
    colour = alt.Color("accelerator:N", title=None, scale=alt.Scale(domain=kinds),
                       legend=alt.Legend(orient="top"))  # fmt: skip
    dots = alt.Chart(frame[["measured_ms", "predicted_ms", "accelerator", "model"]])
    dots = dots.mark_point(filled=True, size=28, opacity=0.6).encode(
        x=x, y=y, color=colour, tooltip=["model", "accelerator", "measured_ms", "predicted_ms"]
    )
    return finish(
        alt.layer(line.mark_line(color=PALETTE["grey"], strokeDash=[4, 3]).encode(x=x, y=y), dots)
        .properties(height=340, width=420),
        title=f"Half of the runs are within {100 * off.median():.0f} % of the prediction",
        subtitle="The shipped sample of measured runs; on the dashed line both are equal",
        description=f"{len(frame)} runs on {', '.join(kinds)}: measured {ends[0]:.1f} to "
        f"{ends[1]:.0f} ms per token; median error {100 * off.median():.0f} %, 90 % of runs within "
        f"{100 * off.quantile(0.9):.0f} %.",
    )  # fmt: skip


def touched_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`touched_frame`: experts that a batch reaches."""
    at = frame[frame["batch"] == 32].set_index("model")["touched_percent"]
    words = "; ".join(f"{m} {v:.0f} %" for m, v in at.items())
    return lines(
        frame,
        "batch",
        "touched_percent",
        color="model",
        legend=True,
        log_x=True,
        x_title="Batch (concurrent requests, log)",
        y_title="Experts touched in a step (%)",
        title="A batch touches most experts: sparse for one, dense for many",
        description=f"Lines over batch 1 to {frame['batch'].max()}; at batch 32: {words}.",
    )


def speculation_chart(frames: dict[str, pd.DataFrame]) -> alt.LayerChart:
    """`speculation_frame` for several acceptance rates: the gain over the batch."""
    long = pd.concat([f.assign(acceptance=name) for name, f in frames.items()], ignore_index=True)
    ends = long.groupby("acceptance", sort=False)["speedup"].agg(["first", "last"])
    words = "; ".join(f"{r.Index}: {r.first:.1f} to {r.last:.1f}" for r in ends.itertuples())
    return lines(
        long,
        "batch",
        "speedup",
        color="acceptance",
        legend=True,
        log_x=True,
        x_title="Batch (concurrent requests, log)",
        y_title="Speed-up of a user's tokens (×)",
        title="Speculation helps the lonely user most",
        subtitle="Four drafts a step; a draft costs a twentieth of a step",
        description=f"Lines of the speed-up over batch {long['batch'].min()} to "
        f"{long['batch'].max()}: {words}.",
    )
