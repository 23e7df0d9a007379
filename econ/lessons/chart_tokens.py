"""Charts and panels of notebook 01: languages, pictures, jobs, conversations, tasks."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.catalog import price
from econ.charts.grammar import bars, finish, guess_layers, lines, points
from econ.charts.panels import Panel, choice, slider
from econ.charts.theme import FAINT
from econ.lessons.token_cases import growth_frame

# what a reader will look for first; the rest of the points keep a tooltip
NAMED_TASKS = {
    "gpt-oss-120b (high)": "gpt-oss-120b",
    "gemini-2.5-flash-preview-05-20 (no think)": "gemini-2.5-flash",
    "DeepSeek-V3.2-Exp (Chat)": "DeepSeek-V3.2 (chat)",
    "DeepSeek R1 (0528)": "DeepSeek-R1",
    "gpt-5 (low)": "gpt-5 (low)",
    "gpt-5 (high)": "gpt-5 (high)",
    "claude-opus-4-20250514 (no think)": "claude-opus-4",
    "grok-4 (high)": "grok-4",
    "o3-pro (high)": "o3-pro",
}


def compression_chart(frame: pd.DataFrame, guess: float | None = None) -> alt.LayerChart:
    """`compression_frame`: tokens of the same paragraph relative to English, two tokenizers."""
    frame = frame[frame["group"] == "language"]
    newest = frame["tokenizer"].iloc[-1]
    order = frame[frame["tokenizer"] == newest].sort_values("relative")["name"].tolist()
    y = alt.Y("name:N", sort=order, title=None)
    x = alt.X("relative:Q", title="Tokens relative to the English paragraph")
    base = alt.Chart(frame)
    span = base.mark_line(color=FAINT, strokeWidth=4).encode(y=y, x=x, detail="name:N")
    kinds = list(dict.fromkeys(frame["tokenizer"]))
    dots = base.mark_point(filled=True, opacity=1).encode(
        y=y,
        x=x,
        color=alt.Color("tokenizer:N", scale=alt.Scale(domain=kinds),
                        legend=alt.Legend(title=None, orient="top")),
        shape=alt.Shape("tokenizer:N", scale=alt.Scale(domain=kinds)),
        tooltip=["name", "tokenizer", "tokens", alt.Tooltip("relative", format=".2f")],
    )  # fmt: skip
    rows = frame.set_index(["tokenizer", "name"])["relative"]
    layers = [span, dots, *guess_layers(guess, "x")]
    low, high = rows[newest].idxmin(), rows[newest].idxmax()
    words = "; ".join(
        f"{kind}: {rows[kind].min():.1f} to {rows[kind].max():.1f} times English" for kind in kinds
    )
    return finish(
        alt.layer(*layers).properties(height=14 * len(order), width=480),
        title=f"The same paragraph takes up to {rows.max():.1f} times the tokens",
        subtitle="One short paragraph of ours in each language, old and new tokenizer",
        description=f"Dots for {len(order)} languages and {len(kinds)} tokenizers. {words}. "
        f"Under {newest} the fewest are for {low}, the most for {high}.",
    )


def images_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`images_frame`: tokens of a square picture by its side."""
    wide = frame.set_index(["side_px", "scheme"])["tokens"].unstack()  # noqa: PD010
    words = "; ".join(
        f"{s} {wide[s].iloc[0]:,.0f} to {wide[s].iloc[-1]:,.0f} tokens" for s in wide.columns
    )
    most = wide.loc[1024]
    return lines(
        frame,
        "side_px",
        "tokens",
        color="scheme",
        x_title="Side of a square picture (px)",
        y_title="Tokens",
        title=f"A 1024 px picture is {most.min():,.0f} to {most.max():,.0f} tokens, by whose rule",
        description=f"Lines of tokens over side {wide.index[0]} to {wide.index[-1]} px: {words}.",
    )


def jobs_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`jobs_frame`: what the bill of four jobs is made of."""
    shown = frame[frame["usd"] > 0]
    top = shown.loc[shown.groupby("job", sort=False)["share"].idxmax()]
    words = "; ".join(f"{r.job}: {r.share:.0%} {r.part}" for r in top.itertuples())
    return bars(
        shown.assign(percent=100 * shown["share"]),
        "percent",
        "job",
        color="part",
        nice=False,
        sort=None,
        x_title="Share of the bill (%)",
        title="Each job pays for something else",
        subtitle="The same price list; mean lengths of the named workloads",
        height=170,
        description=f"Stacked bars of four jobs on one price list; the largest part each: {words}.",
    )


def growth_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`growth_frame`: a conversation's running bill."""
    last = frame[frame["turn"] == frame["turn"].max()].set_index("way")["total_usd"]
    turns = frame["turn"].max()
    return lines(
        frame,
        "turn",
        "total_usd",
        color="way",
        legend=True,
        x_title="Turn",
        y_title="Bill so far (USD)",
        title="How does a conversation's bill grow?",
        description=f"After {turns} turns the conversation has cost "
        f"${last['history re-sent']:.4f}; with prompt caching "
        f"${last['with prompt caching']:.4f}; "
        f"{last['history re-sent'] / last['if linear']:.1f} times what a straight line from the "
        "first turn predicts.",
    )


def growth_panel() -> Panel:
    """A conversation's bill by turns, lengths and price list."""
    sellers = {"gpt-5.6-terra": "OpenAI", "claude-sonnet-4-6": "Anthropic",
               "gemini-3.5-flash": "Google", "mistral-medium-latest": "Mistral"}  # fmt: skip

    def frame(turns: int, user: int, assistant: int, model: str) -> pd.DataFrame:
        return growth_frame(turns, user, assistant, model=model, provider=sellers[model])

    start = {"user": 60, "assistant": 250, "model": "gpt-5.6-terra"}
    return Panel(
        frame,
        growth_chart,
        [
            slider("turns", "Turns", 2, 100, value=40),
            slider("user", "User writes (tokens)", 10, 2000, value=60, step=10),
            slider("assistant", "Model writes (tokens)", 10, 2000, value=250, step=10),
            choice("model", "Price list", list(sellers), value="gpt-5.6-terra"),
        ],
        presets={f"{n} turns": {"turns": n, **start} for n in (5, 20, 80)},
    )


def tasks_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`tasks_frame`: what a token cost against what a solved task cost."""
    frame = frame.assign(label=frame["model"].map(NAMED_TASKS).fillna(""))
    cheap = frame.loc[frame["usd_per_solved"].idxmin()]
    dear = frame.loc[frame["usd_per_solved"].idxmax()]
    token = frame.loc[frame["usd_per_mtok"].idxmin()]
    return points(
        frame,
        "usd_per_mtok",
        "usd_per_solved",
        label="label",
        log_x=True,
        log_y=True,
        x_title="Bill divided by all tokens (USD per million, log)",
        y_title="Bill divided by solved tasks (USD, log)",
        title="The cheapest token is not the cheapest solved task",
        subtitle="aider polyglot benchmark, 2025: each point is a model as run and billed",
        height=380,
        description=f"{len(frame)} models: USD per million tokens from "
        f"{frame['usd_per_mtok'].min():.2f} to {frame['usd_per_mtok'].max():.2f}, USD per solved "
        f"task from {cheap.usd_per_solved:.4f} ({cheap.model}) to {dear.usd_per_solved:.2f} "
        f"({dear.model}). The cheapest token was that of {token.model}, at "
        f"{token.usd_per_solved:.4f} USD per solved task.",
    )


def listed_frame(models: dict[str, str]) -> pd.DataFrame:
    """List prices of some models (model → provider), for a table."""
    rows = [price(model, provider) for model, provider in models.items()]
    names = ["model", "input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok"]
    frame = pd.DataFrame([{n: getattr(p, n) for n in [*names, "in_force_since"]} for p in rows])
    ratio = frame["output_usd_per_mtok"] / frame["input_usd_per_mtok"]
    return frame.assign(output_over_input=ratio)
