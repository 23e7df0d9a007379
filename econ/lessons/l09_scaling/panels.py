"""The panels of lesson 09, and its charts that are more than one call."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.rents import rent
from econ.catalog.units import GIGA, KILO, MEGA, MTOK, TERA
from econ.charts import Drawing, Panel, choice, figure, overlay, panel, slider, three
from econ.charts.theme import PALETTE
from econ.lessons.l09_scaling.service import attempts_frame
from econ.lessons.l09_scaling.training import lesson_price, life_frame, served
from econ.scaling.bill import PARTS, Bill, demand_frame, lifetime_bill
from econ.scaling.laws import law as as_law
from econ.scaling.price import training_runs_frame, training_usd_per_flop

USD, FLOP = "USD", "FLOP"
SCALES = ((TERA, "trillion"), (GIGA, "billion"), (MEGA, "million"), (KILO, "thousand"))
LIFE_COLOURS = {
    "training": PALETTE["blue"],
    "inference": PALETTE["orange"],
    "both": PALETTE["grey"],
}
PART_COLOURS = dict(
    zip(PARTS, (PALETTE[c] for c in ("blue", "green", "sky", "orange", "grey")), strict=True)
)
N_REQUESTS = tuple(10.0 ** float(e) for e in np.arange(6, 13.01, 0.5))


def amount(value: float) -> str:
    """A large number in words.

    >>> amount(2e10), amount(31_623), amount(12)
    ('20 billion', '31.6 thousand', '12')
    """
    for size, name in SCALES:
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value:.3g}"


def bins_frame(values: pd.Series, n: int = 24) -> pd.DataFrame:
    """A histogram on a logarithmic axis: low, high, resamples."""
    edges = np.geomspace(values.min(), values.max(), n + 1)
    counts, _ = np.histogram(values, edges)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "resamples": counts})


def off_by_two_nats(frame: pd.DataFrame) -> float:
    """The loss given up at half or twice the best size, the largest over the budgets."""
    return max(_off_by_two(curve) for _, curve in frame.groupby("budget"))


def _off_by_two(curve: pd.DataFrame) -> float:
    """The loss given up at half or twice the best size, the larger of both."""
    best = curve[curve["is_optimum"]].iloc[0]
    at = np.log([best.params_b / 2, best.params_b * 2])
    return float(np.interp(at, np.log(curve["params_b"]), curve["loss"]).max() - best.loss)


def life_chart(frame: pd.DataFrame) -> Drawing:
    """`life_frame`: cost of all models of one quality; the cheapest to train and for life."""
    unit = frame["unit"].iloc[0]
    best = frame[frame["kind"] == "cheapest for life"].iloc[0]
    usual = frame[frame["kind"] == "cheapest to train"].iloc[0]
    form = "${:,.0f}" if unit == USD else "{:.2g} FLOP"
    return figure(
        frame.assign(marked=frame["kind"] != "curve"),
        "params_b",
        "cost",
        by="part",
        colors=LIFE_COLOURS,
        legend=True,
        mark="marked",
        log="xy",
        height=320,
        y_title=f"Cost for life ({unit})",
        finding="Equally good models: which is the cheapest to own?",
        subtitle="Points: the cheapest for life (left) and the cheapest to train (right)",
        says=f"Models of equal loss. Cheapest to train: {three(usual.params_b)} B on "
        f"{three(usual.tokens_per_param)} tokens per parameter, {form.format(usual.cost)} for "
        f"life. Cheapest for life: {three(best.params_b)} B on {three(best.tokens_per_param)}, "
        f"{form.format(best.cost)}: {best.saving_frac:.0%} less.",
    )


def life_panel() -> Panel:
    """Lifetime cost by demand, quality, law and currency."""
    paid: dict[str, Any] = {
        "training_usd_per_flop": training_usd_per_flop(rent("h100-sxm", "reserved")),
        "price": lesson_price(),
    }

    def life(demand: float, quality: float, law: str, unit: str) -> pd.DataFrame:
        return life_frame(quality, demand * GIGA, law, **(paid if unit == USD else {}))

    laws = [(as_law(id).title, id) for id in ("besiroglu2024", "hoffmann2022", "kaplan2020")]
    sizes = [(f"{b} B", b * GIGA) for b in (1, 7, 13, 70, 400)]
    return panel(
        life,
        life_chart,
        demand=slider(1, 500_000, value=2000, log=True, label="Served (B tokens)"),
        quality=choice(sizes, value=13 * GIGA, label="As good as optimal"),
        law=choice(laws, label="Law"),
        unit=choice([FLOP, USD], label="Count"),
        presets={
            "100 billion tokens": {"demand": 100},
            "2 trillion tokens": {"demand": 2000},
            "the same in USD": {"demand": 2000, "unit": USD},
        },
    )


def coverage_chart(frame: pd.DataFrame, other: pd.DataFrame, guess: float | None = None) -> Drawing:
    """`coverage_frame`: measured points, a law of difficulty, and problems all alike.

    ``other`` holds two points of another benchmark (k, percent, name), with the learner's guess.
    """
    points, laws = frame[frame["way"] == "measured"], frame[frame["way"] != "measured"]
    last = laws.set_index(["k", "way"])["percent"].loc[points["k"].max()]
    first, final = other.iloc[0], other.iloc[-1]
    titles: dict[str, Any] = {
        "x_title": "Attempts a problem",
        "y_title": "Solved by at least one (%)",
        "log": "x",
    }
    curves = figure(laws, "k", "percent", by="way", finding="Curves", legend=True, guess=guess,
                    **titles)  # fmt: skip
    marks = pd.concat([points.assign(name="measured, Pythia-12B on MATH"), other])
    measured = figure(marks, "k", "percent", by="name", kind="point", finding="Points",
                      colors={"SWE-bench Lite": PALETTE["green"]}, **titles)  # fmt: skip
    words = "; ".join(f"{r.percent:.0f} % at {r.k:,}" for r in points.itertuples())
    both: Any = overlay(
        curves,
        measured,
        finding="Problems are not alike: attempts help, far less than they would",
        says=f"Measured: {words}. "
        f"At {points['k'].max():,} the law of difficulty gives "
        f"{last['problems of differing difficulty']:.0f} %, problems all alike "
        f"{last['all problems alike']:.0f} %. {final['name']}: {first.percent:.1f} % at "
        f"{first.k:,}, {final.percent:.0f} % at {final.k:,}.",
    )
    chart: Drawing = both.resolve_scale(color="independent")
    return chart


def attempts_chart(frame: pd.DataFrame) -> Drawing:
    """`attempts_frame`: what attempts buy by how one of them is picked."""
    ends = frame[frame["k"] == frame["k"].max()].set_index("way")["percent"]
    start = frame["percent"].iloc[0]
    picked = frame[frame["way"] == "this verifier"].set_index("k")["percent"]
    enough = int(picked.index[picked >= start + 0.95 * (picked.max() - start)][0])
    words = "; ".join(f"{way} {p:.0f} %" for way, p in ends.items())
    return figure(
        frame,
        "k",
        "percent",
        by="way",
        legend=True,
        log="x",
        x_title="Attempts a problem",
        y_title="Right answers handed over (%)",
        finding="How far do attempts carry, and who picks?",
        says=f"From {start:.0f} % with one attempt. At {frame['k'].max():,}: {words}. "
        f"This verifier gives 95 % of its gain by {enough:,} attempts.",
    )


def attempts_panel() -> Panel:
    """Attempts by model and by the errors of the verifier."""

    def attempts(passed: float, right: int, id: str) -> pd.DataFrame:
        return attempts_frame(id, right / 100, passed / 100)

    models = [(f"Llama-3-{n}B", f"llama-3-{n}b-instruct-math") for n in (8, 70)]
    return panel(
        attempts,
        attempts_chart,
        passed=slider(0, 30, value=2, step=0.5, label="Wrong passed (%)"),
        right=slider(50, 100, value=95, label="Right passed (%)"),
        id=choice(models, label="Model on MATH"),
        presets={
            "a perfect checker": {"right": 100, "passed": 0.0},
            "2 % wrong passed": {"passed": 2.0},
            "20 % wrong passed": {"passed": 20.0},
        },
    )


def bill_chart(frame: pd.DataFrame) -> Drawing:
    """`demand_frame`: shares of the bill over the number of requests."""
    first, last = frame["n_requests"].min(), frame["n_requests"].max()
    ends = frame.loc[frame.groupby("n_requests")["usd"].idxmax()]
    total = frame.groupby("n_requests")["usd"].sum()
    trained = frame[frame["part"].isin(PARTS[:2])].groupby("n_requests")["share"].sum()
    passed = trained.index[trained < 0.5]
    when = f"from {amount(passed[0])} requests on" if len(passed) else "at no demand shown"
    return figure(
        frame,
        "n_requests",
        "share",
        by="part",
        kind="area",
        colors=PART_COLOURS,
        log="x",
        x_title="Requests over the life",
        y_title="Share of the bill",
        finding="What is the bill made of?",
        says=f"Shares of the bill over {amount(first)} to {amount(last)} requests, "
        f"${amount(total.iloc[0])} to ${amount(total.iloc[-1])}. Largest at first: "
        f"{ends['part'].iloc[0]} ({ends['share'].iloc[0]:.0%}); at last: {ends['part'].iloc[-1]} "
        f"({ends['share'].iloc[-1]:.0%}). Answers cost more than training {when}.",
    )


@functools.lru_cache(maxsize=256)
def _bill(model: str, thinking: float, attempts: int, post: float) -> Bill:
    tokens = float(training_runs_frame().loc[model, "tokens"])
    per_flop = training_usd_per_flop(rent("h100-sxm", "reserved"))
    bill: Bill = lifetime_bill(
        served(model, input_tokens=500, output_tokens=500), training_tokens=tokens,
        n_requests=MTOK, thinking_tokens=thinking, n_attempts=attempts,
        post_training_frac=post / 100, training_usd_per_flop=per_flop,
    )  # fmt: skip
    return bill


def bill_panel() -> Panel:
    """The bill over demand by model, thinking, attempts and post-training."""

    def shares(thinking: int, attempts: int, post: float, model: str) -> pd.DataFrame:
        return demand_frame(_bill(model, thinking, attempts, post), N_REQUESTS)

    plain = {"thinking": 0, "attempts": 1}
    return panel(
        shares,
        bill_chart,
        thinking=slider(0, 20_000, value=2000, step=500, label="Thinking (tokens)"),
        attempts=slider(1, 100, value=4, log=True, label="Attempts"),
        post=slider(0, 100, value=2, step=0.5, label="Post-training (%)"),
        model=choice([f"llama-3.1-{n}b" for n in (8, 70, 405)], value="llama-3.1-70b"),
        presets={
            "8B, plain answers": {**plain, "model": "llama-3.1-8b"},
            "70B, plain answers": plain,
            "70B, 10,000 tokens of thought": {**plain, "thinking": 10_000},
        },
    )
