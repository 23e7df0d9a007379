"""Charts and panels of notebook 05, second half: post-training, attempts, thinking, the bill."""

from __future__ import annotations

import functools

import altair as alt
import numpy as np
import pandas as pd

from econ.catalog.rents import rent
from econ.catalog.units import MTOK
from econ.charts.grammar import SHORT, axis, finish, lines
from econ.charts.panels import Panel, choice, slider
from econ.charts.shapes import heat
from econ.charts.tables import three
from econ.charts.theme import PALETTE
from econ.lessons import test_time_cases as cases
from econ.lessons.chart_scaling import amount
from econ.lessons.scaling_cases import lesson_serving
from econ.scaling.bill import PARTS, Bill, demand_frame, lifetime_bill
from econ.scaling.price import LADDER, training_runs_frame, training_usd_per_flop

PART_COLOURS = dict(
    zip(PARTS, (PALETTE[c] for c in ("blue", "green", "sky", "orange")), strict=True)
)
BILLED = ["llama-3.1-8b", "llama-3.1-70b", "llama-3.1-405b"]
N_REQUESTS = tuple(10.0**e for e in np.arange(6, 13.01, 0.5))


def routes_chart(frame: pd.DataFrame, n_most: float) -> alt.LayerChart:
    """`routes_frame`: total cost of each way over the requests."""
    known = frame.dropna(subset=["usd_per_request"])
    demand = np.geomspace(1e3, n_most, 40)
    long = pd.concat(
        [
            pd.DataFrame({"requests": demand, "route": r.route,
                          "usd": r.fixed_usd + r.usd_per_request * demand})
            for r in known.itertuples()
        ]
    )  # fmt: skip
    last = long[long["requests"] == demand[-1]].sort_values("usd")
    words = "; ".join(f"{r.route} ${r.usd:,.0f}" for r in last.itertuples())
    return lines(
        long, "requests", "usd", color="route", legend=True, log_x=True, log_y=True,
        short_x=True, nice=False,
        x_title="Requests over the life (log)",
        y_title="Fixed and running cost (USD, log)",
        title=f"{last['route'].iloc[0].capitalize()} is cheapest at {amount(n_most)} requests",
        description=f"Cost of {len(known)} ways over the number of requests; at {amount(n_most)}: "
        f"{words}.",
    )  # fmt: skip


def rl_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """Accuracy over reinforcement-learning steps: columns steps, percent, model."""
    ends = frame.groupby("model", sort=False)["percent"].agg(["first", "last"])
    words = "; ".join(f"{r.Index}: {r.first:.0f} to {r.last:.0f} %" for r in ends.itertuples())
    small, large = ends["last"].iloc[0], ends["first"].iloc[-1]
    return lines(
        frame, "steps", "percent", color="model", legend=True,
        x_title="Steps of reinforcement learning",
        y_title="Right on GSM8K (%)",
        title=f"The smallest, trained: {small:.0f} %; the largest, untrained: {large:.0f} %",
        description=f"Fitted curves over {frame['steps'].max():.0f} steps: {words}.",
    )  # fmt: skip


def coverage_chart(
    frame: pd.DataFrame, other: pd.DataFrame, guess: float | None = None
) -> alt.LayerChart:
    """`coverage_frame`: measured points, a law of difficulty, and problems all alike.

    ``other`` holds two points of another benchmark (k, percent, name), with the learner's guess.
    """
    other = other.assign(label=[f"{p:.3g} %" for p in other["percent"]])
    wide = frame.pivot_table(index="k", columns="way", values="percent")
    measured = wide["measured"].dropna()
    last = wide.loc[measured.index[-1]]
    alike, spread = "all problems alike", "problems of differing difficulty"
    curve = lines(
        frame[frame["way"] != "measured"], "k", "percent", color="way", legend=True, log_x=True,
        x_title="Attempts a problem (log)", y_title="Problems solved by at least one (%)",
        title="-", description="Two curves under the measured points.", guess=guess,
    )  # fmt: skip
    dots = alt.Chart(frame[frame["way"] == "measured"]).mark_point(
        filled=True, size=90, opacity=1, color=PALETTE["vermilion"]
    ).encode(x="k:Q", y="percent:Q")  # fmt: skip
    ink, first, final = PALETTE["green"], other.iloc[0], other.iloc[-1]
    two = alt.Chart(other).encode(x="k:Q", y="percent:Q")
    marks = two.mark_point(filled=True, shape="diamond", size=110, opacity=1, color=ink)
    names = two.mark_text(color=ink, align="left", dx=8, dy=10).encode(text="label:N")
    return finish(
        alt.layer(curve, dots, marks, names),
        title="Problems are not alike: attempts help, far less than they would",
        subtitle=f"Circles: measured, Pythia-12B on MATH; diamonds: {final['name']}",
        description=f"Measured: {'; '.join(f'{p:.0f} % at {k:,}' for k, p in measured.items())}. "
        f"At {measured.index[-1]:,} the law of difficulty gives {last[spread]:.0f} %, problems all "
        f"alike {last[alike]:.0f} %. {final['name']}: {first.percent:.1f} % at {first.k:,}, "
        f"{final.percent:.0f} % at {final.k:,}.",
    )


def attempts_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`attempts_frame`: what attempts buy by how one of them is picked."""
    ends = frame[frame["k"] == frame["k"].max()].set_index("way")["percent"]
    start = frame["percent"].iloc[0]
    shown = frame[frame["way"] == "this verifier"].set_index("k")["percent"]
    enough = int(shown.index[shown >= start + 0.95 * (shown.max() - start)][0])
    words = "; ".join(f"{way} {p:.0f} %" for way, p in ends.items())
    return lines(
        frame, "k", "percent", color="way", legend=True, log_x=True,
        x_title="Attempts a problem (log)", y_title="Right answers handed over (%)",
        title="How far do attempts carry, and who picks?",
        description=f"From {start:.0f} % with one attempt. At {frame['k'].max():,}: {words}. "
        f"This verifier gives 95 % of its gain by {enough:,} attempts.",
    )  # fmt: skip


def attempts_panel() -> Panel:
    """Attempts by model and by the errors of the verifier."""

    def frame(id: str, found: int, passed: float) -> pd.DataFrame:
        return cases.attempts_frame(id, found / 100, passed / 100)

    small, large = "llama-3-8b-instruct-math", "llama-3-70b-instruct-math"
    return Panel(
        frame,
        attempts_chart,
        [
            slider("passed", "Wrong passed (%)", 0, 30, value=2, step=0.5),
            slider("found", "Right passed (%)", 50, 100, value=95),
            choice("id", "Model on MATH",
                   [("Llama-3-8B", small), ("Llama-3-70B", large)], value=small),
        ],
        presets={
            "a perfect checker": {"id": small, "found": 100, "passed": 0.0},
            "2 % wrong passed": {"id": small, "found": 95, "passed": 2.0},
            "20 % wrong passed": {"id": small, "found": 95, "passed": 20.0},
        },
    )  # fmt: skip


def thinking_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`thinking_frame`: cost of a right answer over thinking length, under limits on the answer."""
    ends = frame.groupby("limit", sort=False).last()
    words = "; ".join(
        f"{r.Index}: up to {r.tokens:,.0f} tokens, ${r.usd_per_correct:.3f}"
        for r in ends.itertuples()
    )
    free = frame[frame["limit"] == "no limit"]
    grown = free["usd_per_correct"].iloc[-1] / free["usd_per_correct"].iloc[0]
    longer = free["tokens"].iloc[-1] / free["tokens"].iloc[0]
    return lines(
        frame, "tokens", "usd_per_correct", color="limit", legend=True, log_x=True, log_y=True,
        nice=False,
        points=True, x_title="Thinking tokens (log)", y_title="USD per right answer (log)",
        title=f"{longer:.0f} times the thinking: {grown:.0f} times the cost of a right answer",
        subtitle="Limits on the whole answer force small batches, until nothing fits",
        description=f"Cost of a right answer over {free['tokens'].iloc[0]:,.0f} to "
        f"{free['tokens'].iloc[-1]:,.0f} thinking tokens. The last point of each limit: {words}.",
    )  # fmt: skip


def family_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`size_frame`: USD per solved problem by size and demand, the cheapest of each named."""
    frame = frame.assign(demand=[amount(n) for n in frame["requests"]])
    best = frame.loc[frame.groupby("requests", sort=False)["usd_per_solved"].idxmin()]
    words = "; ".join(
        f"{r.demand} problems: {r.size} with {r.k:,} attempts at ${three(r.usd_per_solved)}"
        for r in best.itertuples()
    )
    return heat(
        frame, "demand", "size", "usd_per_solved", log=True,
        x_title="Problems over the life", y_title="Parameters",
        value_title="USD (log)",
        title="USD per solved problem: the more problems, the larger the cheapest model",
        subtitle="Each size with the fewest attempts that solve a quarter of the problems",
        description=f"USD per solved problem. Cheapest: {words}.",
    )  # fmt: skip


def bill_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`demand_frame`: shares of the bill over the number of requests."""
    order = list(PARTS)
    first, last = frame["n_requests"].min(), frame["n_requests"].max()
    ends = frame.loc[frame.groupby("n_requests")["usd"].idxmax()].set_index("n_requests")
    total = frame.groupby("n_requests")["usd"].sum()
    trained = frame[frame["part"].isin(PARTS[:2])].groupby("n_requests")["share"].sum()
    passed = trained.index[trained < 0.5]
    when = f"from {amount(passed[0])} requests on" if len(passed) else "at no demand shown"
    across = alt.Axis(tickCount=6, grid=False, labelExpr=SHORT)
    stack = (
        alt.Chart(frame)
        .mark_area()
        .encode(
            x=alt.X("n_requests:Q", **axis("Requests over the life (log)", True, axis=across)),
            y=alt.Y("share:Q", title="Share of the bill", axis=alt.Axis(format="%"),
                    stack="zero", scale=alt.Scale(domain=[0, 1])),
            color=alt.Color(
                "part:N", title=None, sort=order, legend=alt.Legend(orient="top", columns=2),
                scale=alt.Scale(domain=order, range=list(PART_COLOURS.values())),
            ),
            order=alt.Order("rank:Q"),
        )
        .transform_calculate(rank=f"indexof({order!r}, datum.part)")
    )  # fmt: skip
    return finish(
        alt.layer(stack),
        title="What is the bill made of?",
        description=f"Shares of the bill over {amount(first)} to {amount(last)} requests, "
        f"${amount(total.iloc[0])} to ${amount(total.iloc[-1])}. Largest at first: "
        f"{ends['part'].iloc[0]} ({ends['share'].iloc[0]:.0%}); at last: {ends['part'].iloc[-1]} "
        f"({ends['share'].iloc[-1]:.0%}). Answers cost more than training {when}.",
    )


@functools.lru_cache(maxsize=256)
def _bill(model: str, thinking: float, attempts: int, post: float) -> Bill:
    tp, tokens = LADDER[model], training_runs_frame().loc[model, "tokens"]
    per_flop = training_usd_per_flop(rent("h100-sxm", "reserved"))
    return lifetime_bill(
        model, training_tokens=tokens, n_requests=MTOK, input_tokens=500, answer_tokens=500,
        thinking_tokens=thinking, n_attempts=attempts, post_training_frac=post / 100,
        serving=lesson_serving().replace(tp=tp), training_usd_per_flop=per_flop,
    )  # fmt: skip


def bill_panel() -> Panel:
    """The bill over demand by model, thinking, attempts and post-training."""

    def frame(model: str, thinking: int, attempts: int, post: float) -> pd.DataFrame:
        return demand_frame(_bill(model, thinking, attempts, post), N_REQUESTS)

    plain = {"thinking": 0, "attempts": 1, "post": 2.0}
    return Panel(
        frame,
        bill_chart,
        [
            slider("thinking", "Thinking (tokens)", 0, 20_000, value=2000, step=500),
            slider("attempts", "Attempts", 1, 100, value=4, log=True),
            slider("post", "Post-training (%)", 0, 100, value=2, step=0.5),
            choice("model", "Model", BILLED, value="llama-3.1-70b"),
        ],
        presets={
            "8B, plain answers": {**plain, "model": "llama-3.1-8b"},
            "70B, plain answers": {**plain, "model": "llama-3.1-70b"},
            "70B, 10,000 tokens of thought": {**plain, "model": "llama-3.1-70b",
                                              "thinking": 10_000},
        },
    )  # fmt: skip
