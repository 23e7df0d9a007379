"""Lesson 16, is it true?: claims as cards with a verdict, and limits to move them against.

>>> print(verdict("gb200-30x", "other"))
A GB200 system has 30 times the throughput of an H200 system.
You: other. Ours: other.
"""

from __future__ import annotations

import html
import math
from typing import Any

import pandas as pd

from econ.catalog import cite, table
from econ.charts import Drawing, Panel, choice, figure, panel, slider, three
from econ.charts.tables import Table, safe
from econ.charts.theme import PALETTE
from econ.ledger import claim
from econ.ledger.claims import WORDS, Claim, ceiling_frame, power_frame
from econ.lessons import memory

TERMS = {"recomputed": "on its own terms", "asked": "what a buyer asks"}

# -- cards -------------------------------------------------------------------------------------
MEANS = {
    "right": "right: the figure can be recomputed and answers the question",
    "wrong": "wrong: its own figures give another number",
    "other": "right at most as the answer to another question",
}


class Card:
    """One claim: its words and source, a verdict, and the investigation to open.

    >>> print(verdict("gb200-30x", "other"))
    A GB200 system has 30 times the throughput of an H200 system.
    You: other. Ours: other.
    """

    def __init__(self, case: Claim, word: str | None, note: str):
        self.case, self.word, self.note = case, word, note

    @property
    def ours(self) -> str:
        """Our finding in words."""
        case, again = self.case, "cannot be recomputed: no inputs are published"
        if not math.isnan(case.recomputed):
            again = f"{three(case.recomputed)} {case.unit}"
        return (
            f"Ours: {MEANS[case.verdict]}. Claimed {three(case.claimed)} {case.unit}; by its own "
            f"terms {again}. {case.question} {three(case.asked)} {case.asked_unit}. "
            f"The claim would serve if {case.would_hold_if}."
        )

    def __str__(self) -> str:
        if self.word is None:
            return f"{self.case.text}.\n{self.note}"
        return f"{self.case.text}.\nYou: {self.word}. Ours: {self.case.verdict}."

    def __repr__(self) -> str:
        return f"{self.case.text}.\n{self.note}\n{self._steps()!r}\n{self.ours}"

    def _steps(self) -> Table:
        return Table(self.case.steps_frame(), value=three)

    def _repr_html_(self) -> str:
        source = cite(self.case.source)
        link = safe(source.text)
        if source.url:
            link = f'<a href="{html.escape(source.url)}">{link}</a>'
        return (
            f"<p><strong>{safe(self.case.text)}.</strong> {link}</p><p>{safe(self.note)}</p>"
            f"<details><summary>Our investigation</summary>{self._steps()._repr_html_()}"
            f"<p>{safe(self.ours)}</p></details>"
        )


def verdict(id: str, word: Any) -> Card:
    """A claim's card with a verdict: ``right``, ``wrong`` or ``other``; ``...`` for none yet.

    The verdict is kept for `score_frame`. An unknown word is refused on the card; it never raises
    for one. An unknown claim raises `UnknownName`.
    """
    case = claim(id)
    if word is ... or word is None:
        return Card(case, None, "No verdict yet: right, wrong or other?")
    answer = str(word).strip().casefold()
    if answer not in WORDS:
        return Card(case, None, f"{word!r} is no verdict; choose right, wrong or other.")
    memory.remember("verdicts", id, {"word": answer})
    agree = "We agree." if answer == case.verdict else "We see it otherwise."
    return Card(case, answer, f"Your verdict: {answer}. {agree}")


def score_frame() -> pd.DataFrame:
    """The learner's verdicts beside ours: title, yours, ours."""
    verdicts, known = memory.recall().get("verdicts", {}), table("claims").index
    rows = [
        (claim(id).title, verdict["word"], claim(id).verdict)
        for id, verdict in verdicts.items()
        if id in known and isinstance(verdict, dict) and verdict.get("word") in WORDS
    ]
    return pd.DataFrame(rows, columns=["claim", "yours", "ours"])


# -- all claims ----------------------------------------------------------------------------------
def claims_chart(frame: pd.DataFrame) -> Drawing:
    """`claims_frame`: ours over the claimed figure, on the claim's terms and on the buyer's."""
    rows = frame.assign(
        asked=frame["asked"].where(frame["asked_unit"] == frame["unit"]),
        # a ceiling far above a right claim says nothing about it
        recomputed=frame["recomputed"].where(
            frame["verdict"].ne("right") | (frame["recomputed"] < 2 * frame["claimed"])
        ),
    ).melt(["title", "claimed", "verdict"], list(TERMS), "kind", "ours")
    rows = rows.assign(kind=rows["kind"].map(TERMS), ratio=rows["ours"] / rows["claimed"])
    counts, wrong = frame["verdict"].value_counts(), frame[frame["verdict"] == "wrong"]
    finding = (
        f"{counts.get('wrong', 0)} of {len(frame)} claims fail on their own terms, "
        f"{counts.get('other', 0)} answer another question"
    )
    return figure(
        rows.dropna(subset=["ratio"]),
        "ratio",
        "title",
        kind="point",
        by="kind",
        log="x",
        rule_x=1,
        x_title="Ours over the claimed figure (log)",
        finding=finding,
        says=f"{finding}. Wrong on their own terms, with ours over theirs: "
        + "; ".join(f"{r.title} {three(r.recomputed / r.claimed)}" for r in wrong.itertuples())
        + ".",
    )


def verdicts_chart(frame: pd.DataFrame, guess: float | None = None) -> Drawing:
    """`claims_frame`: how many claims get which verdict, and by which test."""
    counts = frame.groupby(["verdict", "asks"]).size().rename("claims").reset_index()
    order = pd.Categorical(counts["verdict"], ["wrong", "other", "right"])
    counts = counts.assign(order=order).sort_values(["order", "claims"], ascending=[True, False])
    verdicts, tests = (
        frame["verdict"].value_counts(),
        frame.loc[frame["verdict"] == "wrong", "asks"].value_counts(),
    )
    return figure(
        counts.drop(columns="order"),
        "claims",
        "verdict",
        kind="bar",
        by="asks",
        guess=guess,
        x_title="Claims",
        finding=f"Most claims that fail, fail a test of {tests.index[0]}",
        says=f"Bars for {len(frame)} claims: "
        + "; ".join(f"{word} {n}" for word, n in verdicts.items())
        + ". The wrong ones fail by "
        + ", ".join(f"{test} ({n})" for test, n in tests.items())
        + ".",
    )


# -- limits to move a claim against --------------------------------------------------------------
def ceiling_chart(frame: pd.DataFrame) -> Drawing:
    """`ceiling_frame` with ``claimed``: the fastest one user can be served, by number of chips."""
    claimed, first, last = frame["claimed"].iloc[0], frame.iloc[0], frame.iloc[-1]
    rows = frame.assign(
        chips=[f"{n} chip{'s' if n > 1 else ''}" for n in frame["n_gpu"]],
        label=[f"{v:,.0f}" for v in frame["tokens_per_s"]],
    )
    enough = rows[(rows["tokens_per_s"] >= claimed) & (rows["memory"] == "fits")]["chips"]
    answer = f"{enough.iloc[0]} is the least count shown" if len(enough) else "none shown is enough"
    return figure(
        rows,
        "tokens_per_s",
        "chips",
        kind="bar",
        by="memory",
        by_title="Weights in memory",
        colors={"fits": PALETTE["blue"], "does not fit": PALETTE["grey"]},
        label="label",
        rule_x="claimed",
        x_title="Bandwidth ceiling for one user (tokens/s)",
        finding="How many chips does the claim take?",
        subtitle="Dashed: the claim",
        says=f"Bandwidth allows one user {first['tokens_per_s']:.1f} tokens/s on one chip and "
        f"{last['tokens_per_s']:.0f} on {last['n_gpu']}; for the claimed {claimed:.0f} {answer}.",
    )


def ceiling_panel() -> Panel:
    """The speed limit of one user by model, chip and precision."""

    def limit(claimed: float, model: str, chip: str, precision: str) -> pd.DataFrame:
        return ceiling_frame(model, chip, precision).assign(claimed=claimed)

    return panel(
        limit,
        ceiling_chart,
        claimed=slider(10, 1000, value=110, step=10, label="Claimed (tokens/s)"),
        model=choice(["llama-3.1-8b", "llama-2-70b", "llama-3.1-405b"], value="llama-2-70b"),
        chip=choice(
            ["a100-sxm-80gb", "h100-sxm", "h200-sxm", "b200-sxm"],
            value="h100-sxm",
            label="Accelerator",
        ),
        precision=choice(["bf16", "fp8", "int4"]),
        presets={
            "70B, bf16, H100": {},
            "70B, int4, H100": {"precision": "int4"},
            "8B, bf16, H100": {"model": "llama-3.1-8b"},
        },
    )


def power_chart(frame: pd.DataFrame) -> Drawing:
    """`power_frame`: purchase against electricity."""
    (purchase, electricity), share = frame["usd"], frame["share_frac"].iloc[1]
    return figure(
        frame.assign(label=[f"{r.usd:,.0f} ({r.share_frac:.0%})" for r in frame.itertuples()]),
        "usd",
        "part",
        kind="bar",
        label="label",
        x_title="USD over the whole life",
        finding="What share of the cost is power?",
        says=f"Purchase ${purchase:,.0f}, electricity ${electricity:,.0f}: power is {share:.0%} of "
        "the two.",
    )


def power_panel() -> Panel:
    """Electricity's share by price of the card, power, tariff and years."""
    server = {"power_w": 1_000, "pue": 1.2}
    return panel(
        power_frame,
        power_chart,
        capital_usd=slider(1_000, 50_000, value=30_000, step=1_000, label="Price (USD)"),
        power_w=slider(100, 2_000, value=500, step=100, label="Power (W)"),
        electricity_usd_per_kwh=slider(0.02, 0.5, value=0.1, step=0.01, label="Tariff (USD/kWh)"),
        years=slider(1, 10, value=10, label="Years"),
        pue=slider(1.0, 2.0, value=1.0, step=0.05, label="PUE"),
        presets={
            "as claimed": {},
            "whole server, PUE 1.2": server,
            "and a tariff of 0.30": {**server, "electricity_usd_per_kwh": 0.3},
        },
    )
