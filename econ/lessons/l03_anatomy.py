"""Lesson 03, anatomy of a step: its parts, and how far a model of latency can be trusted.

>>> frame = anatomy_frame("llama-3.1-70b", "h100-sxm", tp=4, precision="fp8", input_tokens=1000)
>>> bool(frame["batch"].max() >= 64)
True
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from econ.catalog import model as model_of
from econ.catalog import table
from econ.catalog.units import MILLI
from econ.charts import Drawing, Panel, figure
from econ.charts.theme import PALETTE
from econ.latency.fit import measured
from econ.latency.prediction import DoesNotFit, Prediction, predict, predict_frame
from econ.latency.runs import measured_runs, sample_medians
from econ.lessons.deployments import deployment_panel
from econ.scenario import Scenario

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
# columns of measured_medians that make a launch: the same in all of them, on different days
LAUNCH = ["model", "accelerator", "n_gpu", "tp", "ep", "dp", "precision", "engine", "input_tokens",
          "output_tokens", "concurrency"]  # fmt: skip
LEAST_DAYS = 30
# one colour a part, in the order in which they are stacked: memory blue, arithmetic green, software
# warm
PART_COLOURS = {
    "weights": PALETTE["blue"],
    "compute": PALETTE["green"],
    "kv cache": PALETTE["sky"],
    "kernels": PALETTE["orange"],
    "links": PALETTE["vermilion"],
    "host": PALETTE["grey"],
    "others' prompts": PALETTE["purple"],
}


def anatomy_frame(
    model: str,
    accelerator: str,
    *,
    tp: int,
    precision: str,
    input_tokens: float,
    output_tokens: float = 500,
    batches: tuple[int, ...] = BATCHES,
) -> pd.DataFrame:
    """What a token's time is made of, batch by batch: batch, part, time_ms, total_ms.

    Ends at the last batch that memory holds; raises where not even one request fits.
    """
    case = Scenario.of(
        model, accelerator, tp=tp, precision=precision,
        input_tokens=input_tokens, output_tokens=output_tokens,
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for batch in batches:
        try:
            one = predict(case, concurrency=batch)
        except DoesNotFit:
            if rows:
                break
            raise
        if one.batch < 0.8 * batch:
            break
        rows += [
            {
                "batch": batch,
                "part": part,
                "time_ms": one.parts_s.get(part, 0.0) / MILLI,
                "total_ms": one.tpot_s / MILLI,
            }
            for part in PART_COLOURS
        ]
    return pd.DataFrame(rows)


def touched_frame(models: list[str], batches: tuple[int, ...] = BATCHES) -> pd.DataFrame:
    """The share of a mixture's experts that a batch reaches: 1 − (1 − k/E)^batch."""
    rows = []
    for id in models:
        net = model_of(id)
        share = net.experts_per_token / net.n_experts
        rows += [(id, b, 100 * (1 - (1 - share) ** b)) for b in batches]
    return pd.DataFrame(rows, columns=["model", "batch", "touched_percent"])


def parity_frame() -> pd.DataFrame:
    """Measured runs of the shipped sample beside the prediction, with the factor between them."""
    runs = measured_runs(medians=sample_medians().iloc[:0])
    ours = predict_frame(runs.drop(columns=["ttft_s", "tpot_s"]))
    truth = measured(runs)
    return runs.assign(
        measured_ms=truth["tpot_s"] / MILLI,
        predicted_ms=ours["tpot_s"].to_numpy() / MILLI,
        factor=ours["tpot_s"].to_numpy() / truth["tpot_s"].to_numpy(),
        ttft_factor=ours["benchmark_mean_ttft_s"].to_numpy()
        / truth["benchmark_mean_ttft_s"].to_numpy(),
    )


def bands_frame(predictions: dict[str, Prediction]) -> pd.DataFrame:
    """Predictions with the band that holds 90 % of unseen runs: case, regime, low, TPOT, high."""
    rows = []
    for name, one in predictions.items():
        low, high = one.band("tpot_s")
        rows.append((name, one.regime, low / MILLI, one.tpot_s / MILLI, high / MILLI))
    return pd.DataFrame(rows, columns=["case", "regime", "low_ms", "tpot_ms", "high_ms"])


def waits_frame(prediction: Prediction) -> pd.DataFrame:
    """The wait for a first token, several ways: statistic, ttft_s, times_median."""
    rows = {
        "median user": prediction.ttft_s,
        "one in 20 waits longer": prediction.ttft_p95_s,
        "one in 100 waits longer": prediction.ttft_p99_s,
        "mean of a benchmark": prediction.benchmark_mean_ttft_s,
    }
    frame = pd.DataFrame({"statistic": list(rows), "ttft_s": list(rows.values())})
    return frame.assign(times_median=frame["ttft_s"] / prediction.ttft_s)


def flag_frame(
    s: Scenario, *, concurrency: float, intervals: tuple[int, ...] = (1, 10, 30)
) -> pd.DataFrame:
    """One launch flag: after how many steps an engine sends what it wrote, and the gaps felt."""
    rows = []
    for n in intervals:
        one = predict(s.with_(stream_interval=n), concurrency=concurrency)
        rows.append((n, one.tpot_s / MILLI, one.itl_p50_s / MILLI, one.itl_p99_s / MILLI))
    columns = ["stream_interval", "tpot_ms", "median_gap_ms", "p99_gap_ms"]
    return pd.DataFrame(rows, columns=columns)


def dated_frame() -> pd.DataFrame:
    """Launches measured again at least a month later: accelerator, concurrency, days, ratio.

    ``ratio`` is the later TPOT over the earlier one: the same launch on the same silicon.
    """
    rows = []
    runs = table("measured_medians").assign(day=lambda f: pd.to_datetime(f["as_of"]))
    for launch, again in runs.groupby(LAUNCH):
        first, last = (
            again.loc[again["day"] == d] for d in (again["day"].min(), again["day"].max())
        )
        days = (last["day"].iloc[0] - first["day"].iloc[0]).days
        if days < LEAST_DAYS:
            continue
        named = dict(zip(LAUNCH, launch, strict=True))
        before, after = (float(f["tpot_s"].median()) / MILLI for f in (first, last))
        name = (f"{named['accelerator']}, {named['concurrency']:.0f} users, "
                f"{named['input_tokens']:,.0f} in, {named['output_tokens']:,.0f} out")  # fmt: skip
        rows.append((name, days, before, after, 100 * (after / before - 1)))
    columns = ["launch", "days", "before_ms", "after_ms", "change_percent"]
    return pd.DataFrame(rows, columns=columns).sort_values("change_percent", ignore_index=True)


def coverage_frame(metric: str = "tpot_s") -> pd.DataFrame:
    """How many runs of a group left out lie inside the band: left_out, what, n_runs, percent."""
    rows = table("band_coverage").query("metric == @metric")
    frame = rows[["left_out", "what", "n_runs"]].assign(percent=100 * rows["covered_frac"])
    return frame.sort_values("percent", kind="stable", ignore_index=True)


def parts_by_speed_frame(
    s: Scenario, *, concurrency: float, n_gpus: tuple[int, ...] = (2, 4, 8)
) -> pd.DataFrame:
    """A split over more accelerators: tp, tpot_ms, users' speed, tokens per GPU, links' share."""
    rows = []
    for n in n_gpus:
        one = predict(s.with_(tp=n, n_gpu=n), concurrency=concurrency)
        rows.append((n, one.tpot_s / MILLI, one.tokens_per_s_per_user,
                     one.output_tokens_per_s_per_gpu, one.shares["links"]))  # fmt: skip
    return pd.DataFrame(rows, columns=["tp", "tpot_ms", "tokens_per_s_per_user",
                                       "output_tokens_per_s_per_gpu", "links_frac"])  # fmt: skip


# -- charts and panels -----------------------------------------------------------------------------
def anatomy_chart(frame: pd.DataFrame) -> Drawing:
    """`anatomy_frame`: a token's time, stacked by what takes it, over the batch."""
    last = frame[frame["batch"] == frame["batch"].max()]
    top = last.loc[last["time_ms"].idxmax()]
    return figure(
        frame,
        "batch",
        "time_ms",
        by="part",
        kind="column",
        colors=PART_COLOURS,
        x_title="Batch (concurrent requests)",
        y_title="Time per output token (ms)",
        finding="What takes a token's time?",
        says=f"Stacked bars over batch {frame['batch'].min()} to {frame['batch'].max()}: "
        f"time per output token {frame['total_ms'].iloc[0]:.1f} ms to {top.total_ms:.1f} ms; at "
        f"the largest batch that fits, {top.part} takes most ({top.time_ms:.1f} ms).",
    )


def anatomy_panel() -> Panel:
    """The anatomy by model, accelerator, parallelism and prompt."""
    presets: dict[str, dict[str, Any]] = {
        "8B on one chip": {"model": "llama-3.1-8b", "tp": 1},
        "70B on four": {},
        "70B, long prompts": {"prompt": 10_000},
    }
    return deployment_panel(anatomy_frame, anatomy_chart, presets)
