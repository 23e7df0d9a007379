"""Charts and panels of notebook 05, first half: fits, budgets, whole lives."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from econ.catalog.rents import rent
from econ.catalog.units import GIGA, KILO, MEGA, TERA
from econ.charts.grammar import SHORT, axis, finish, lines
from econ.charts.panels import Panel, choice, slider
from econ.charts.tables import three
from econ.charts.theme import PALETTE
from econ.lessons import scaling_cases as cases
from econ.scaling.laws import law
from econ.scaling.price import training_usd_per_flop

LIFE_COLOURS = {
    "training": PALETTE["blue"],
    "inference": PALETTE["orange"],
    "both": PALETTE["grey"],
}
USD, FLOP = "USD", "FLOP"
SCALES = ((TERA, "trillion"), (GIGA, "billion"), (MEGA, "million"), (KILO, "thousand"))


def amount(value: float) -> str:
    """A large number in words.

    >>> amount(2e10), amount(31_623), amount(12)
    ('20 billion', '31.6 thousand', '12')
    """
    for size, name in SCALES:
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value:.3g}"


def two(value: float) -> str:
    """A number to two digits, without powers of ten.

    >>> two(327.2), two(0.598)
    ('330', '0.6')
    """
    return three(float(f"{value:.2g}"))


def fitted_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`fitted_frame`: runs over their data, one colour a size, the law as lines through them."""
    sizes = sorted(frame["params_b"].unique())
    shown = frame.assign(size=[amount(p * GIGA) for p in frame["params_b"]])
    order = [amount(p * GIGA) for p in sizes]
    off = frame["error_frac"].abs()
    across = alt.Axis(tickCount=6, grid=False, labelExpr=SHORT)
    x = alt.X("tokens:Q", **axis("Training tokens (log)", True, axis=across))
    paint = alt.Color(
        "size:N", sort=order, title="Parameters",
        scale=alt.Scale(domain=order, range=_ramp(len(order))),
    )  # fmt: skip
    base = alt.Chart(shown)
    dots = base.mark_point(filled=True, size=55, opacity=1).encode(
        x=x, y=alt.Y("loss:Q", **axis("Loss (nats per token)")), color=paint
    )
    curve = base.mark_line(strokeWidth=1.6, opacity=0.8).encode(
        x=x, y=alt.Y("predicted:Q", title="Loss (nats per token)"), color=paint
    )
    return finish(
        alt.layer(curve, dots).properties(width=480),
        title=f"Five numbers describe {len(frame)} runs to {100 * off.median():.1f} %",
        subtitle="Points: measured; lines: the fitted law",
        description=f"{len(frame)} runs of {len(sizes)} sizes from {order[0]} to {order[-1]}: loss "
        f"{frame['loss'].max():.2f} to {frame['loss'].min():.2f} nats per token; the law misses "
        f"half of them by less than {100 * off.median():.1f} %, the worst by "
        f"{100 * off.max():.1f} %.",
    )


def _ramp(n: int) -> list[str]:
    """Light to dark blue in n steps: sizes are an order, not kinds."""
    ends = [np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)])
            for c in (PALETTE["sky"], "#08306b")]  # fmt: skip
    steps = [ends[0] + (ends[1] - ends[0]) * i / max(n - 1, 1) for i in range(n)]
    return ["#" + "".join(f"{round(v):02x}" for v in step) for step in steps]


def recommended_chart(frame: pd.DataFrame, flop: float) -> alt.LayerChart:
    """`recommended_frame`: how the resamples spread over tokens per parameter."""
    low, middle, high = frame["tokens_per_param"].quantile([0.025, 0.5, 0.975])
    edges = np.geomspace(frame["tokens_per_param"].min(), frame["tokens_per_param"].max(), 25)
    counts, _ = np.histogram(frame["tokens_per_param"], edges)
    bins = pd.DataFrame({"left": edges[:-1], "right": edges[1:], "resamples": counts})
    base = alt.Chart(bins)
    bar = base.mark_bar(color=PALETTE["sky"]).encode(
        x=alt.X("left:Q", **axis("Tokens per parameter at the optimum (log)", True)),
        x2="right:Q",
        y=alt.Y("resamples:Q", title="Resamples"),
        y2=alt.datum(0),
    )
    rules = pd.DataFrame({"at": [low, middle, high], "name": [two(v) for v in (low, middle, high)]})
    marks = alt.Chart(rules).mark_rule(strokeDash=[5, 4]).encode(x="at:Q")
    names = alt.Chart(rules).mark_text(dy=-6, baseline="bottom").encode(
        x="at:Q", y=alt.value(0), text="name:N"
    )  # fmt: skip
    return finish(
        alt.layer(bar, marks, names).properties(height=190),
        title=f"They recommend {two(low)} to {two(high)} tokens a parameter",
        subtitle=f"The optimum at {flop:.3g} FLOP, {len(frame)} resamples; dashed: median, 95 %",
        description=f"Histogram of {len(frame)} resamples: at {flop:.3g} FLOP the optimum has a "
        f"median of {three(middle)} tokens per parameter, 95 % of resamples from {three(low)} to "
        f"{three(high)}.",
    )


def iso_flop_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`iso_flop_frame`: loss over size at fixed budgets, the optimum marked."""
    best = frame[frame["is_optimum"]]
    words = "; ".join(
        f"{r.budget}: {three(r.params_b)} B with {three(r.tokens_per_param)} tokens each"
        for r in best.itertuples()
    )
    base = alt.Chart(frame).encode(
        x=alt.X("params_b:Q", **axis("Parameters (billions, log)", True)),
        y=alt.Y("loss:Q", **axis("Loss (nats per token)")),
        color=alt.Color("budget:N", sort=None, title="Budget"),
    )
    dots = base.transform_filter("datum.is_optimum").mark_point(filled=True, size=110, opacity=1)
    lost = max(_off_by_two(curve) for _, curve in frame.groupby("budget"))
    return finish(
        alt.layer(base.mark_line(), dots, data=frame).properties(width=460),
        title="Every budget has a best size, and the valley is flat",
        subtitle=f"Half or twice the best size loses at most {lost:.3f} nats",
        description=f"Loss over size, one curve a budget. Best sizes: {words}. "
        f"Half or twice the best size loses at most {lost:.3f} nats.",
    )


def _off_by_two(curve: pd.DataFrame) -> float:
    """The loss given up at half or twice the best size, the larger of both."""
    best = curve[curve["is_optimum"]].iloc[0]
    at = np.log([best.params_b / 2, best.params_b * 2])
    return float(np.interp(at, np.log(curve["params_b"]), curve["loss"]).max() - best.loss)


def readings_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`readings_frame`: tokens per parameter over the budget, by law."""
    at = frame[frame["flop"] == frame["flop"].unique()[len(frame["flop"].unique()) // 2]]
    words = "; ".join(f"{r.title}: {three(r.tokens_per_param)}" for r in at.itertuples())
    span = at["tokens_per_param"].max() / at["tokens_per_param"].min()
    return lines(
        frame, "flop", "tokens_per_param", color="title", legend=True, log_x=True, log_y=True,
        x_title="Training budget (FLOP, log)",
        y_title="Tokens per parameter at the optimum (log)",
        title=f"One question, answers {three(span)} times apart",
        description=f"Lines of tokens per parameter over the budget; at {at['flop'].iloc[0]:.2g} "
        f"FLOP: {words}.",
    )  # fmt: skip


def life_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`life_frame`: cost of all models of one quality; the cheapest to train and for life."""
    unit = frame["unit"].iloc[0]
    best = frame[frame["kind"] == "cheapest for life"].iloc[0]
    usual = frame[frame["kind"] == "cheapest to train"].iloc[0]
    parts = list(LIFE_COLOURS)
    reach = np.log(frame["cost"].max() / frame["cost"].min())  # names a twentieth above or below
    apart = frame["kind"].map({"cheapest to train": 0.05, "cheapest for life": -0.05}).fillna(0)
    frame = frame.assign(name_at=frame["cost"] * np.exp(reach * apart))
    form = (lambda v: f"${v:,.0f}") if unit == USD else (lambda v: f"{v:.2g} FLOP")
    base = alt.Chart(frame).encode(
        x=alt.X("params_b:Q", **axis("Parameters (billions, log)", True, nice=False)),
        y=alt.Y("cost:Q", **axis(f"Cost for life ({unit}, log)", True, nice=False)),
    )
    curve = base.transform_filter("datum.kind === 'curve'").mark_line().encode(
        color=alt.Color("part:N", title=None, sort=parts, legend=alt.Legend(orient="top"),
                        scale=alt.Scale(domain=parts, range=list(LIFE_COLOURS.values()))),
    )  # fmt: skip
    marked = base.transform_filter("datum.kind !== 'curve'")
    dots = marked.mark_point(filled=True, size=120, opacity=1, color=PALETTE["vermilion"])
    names = marked.mark_text().encode(text="kind:N", y="name_at:Q")
    return finish(
        alt.layer(curve, dots, names, data=frame).properties(height=320),
        title="Equally good models: which is the cheapest to own?",
        description=f"Models of equal loss. Cheapest to train: {three(usual.params_b)} B on "
        f"{three(usual.tokens_per_param)} tokens per parameter, {form(usual.cost)} for life. "
        f"Cheapest for life: {three(best.params_b)} B on {three(best.tokens_per_param)}, "
        f"{form(best.cost)}: {best.saving_frac:.0%} less.",
    )


def life_panel() -> Panel:
    """Lifetime cost by demand, quality, law and currency."""
    paid = {
        "training_usd_per_flop": training_usd_per_flop(rent("h100-sxm", "reserved")),
        "price": cases.lesson_price(),
    }

    def frame(demand: float, quality: float, law: str, unit: str) -> pd.DataFrame:
        prices = paid if unit == USD else {}
        return cases.life_frame(quality, demand * GIGA, law, **prices)

    laws = [(law(id).title, id) for id in ("besiroglu2024", "hoffmann2022", "kaplan2020")]
    case = {"quality": 13 * GIGA, "law": "besiroglu2024", "unit": FLOP}
    return Panel(
        frame,
        life_chart,
        [
            slider("demand", "Served (B tokens)", 1, 500_000, value=2000, log=True),
            choice("quality", "As good as optimal",
                   [(f"{b} B", b * GIGA) for b in (1, 7, 13, 70, 400)], value=13 * GIGA),
            choice("law", "Law", laws, value="besiroglu2024"),
            choice("unit", "Count", [FLOP, USD], value=FLOP),
        ],
        presets={
            "100 billion tokens": {**case, "demand": 100},
            "2 trillion tokens": {**case, "demand": 2000},
            "the same in USD": {**case, "demand": 2000, "unit": USD},
        },
    )  # fmt: skip
