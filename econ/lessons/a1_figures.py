"""Page A1, how far off are we?: the ledger as charts, ours against the published figures.

>>> from econ.ledger import ledger_frame
>>> str(counts_chart(ledger_frame("queueing")).title.text)
'12 of 12 published figures are met'
"""

from __future__ import annotations

import pandas as pd

from econ.charts import Drawing, figure, three
from econ.charts.theme import PALETTE
from econ.ledger import summary
from econ.ledger.ledger import VERDICTS

COLORS = ("blue", "sky", "vermilion", "grey")
SHOWN = "shown, not asserted"
MOST_GAPS = 25  # rows of a chart that one can still read
SEEN_FRAC = 0.01  # a smaller gap is not seen in a chart


def counts_chart(frame: pd.DataFrame) -> Drawing:
    """`ledger_frame`: rows of each topic by class; what is not asserted apart."""
    verdict = frame["verdict"].where(frame["asserted"], SHOWN)
    counts = pd.crosstab(frame["topic"], verdict.rename("verdict"))
    counts = counts.reindex(frame["topic"].unique(), columns=[*VERDICTS, SHOWN], fill_value=0)
    topics = "; ".join(f"{topic} {n}" for topic, n in frame["topic"].value_counts().items())
    return figure(
        counts.reset_index().melt("topic", value_name="rows"),
        "rows",
        "topic",
        kind="bar",
        by="verdict",
        colors=dict(zip(counts.columns, [PALETTE[name] for name in COLORS], strict=True)),
        x_title="Published figures",
        finding=summary(frame).split(":")[0],
        subtitle="Reproduced, or inside a band that holds the published value; on the others we "
        "disagree",
        says=f"Bars by topic: {len(frame)} figures. {summary(frame)} Rows of each topic: {topics}.",
    )


def parity_chart(frame: pd.DataFrame) -> Drawing:
    """`ledger_frame`: ours against published, over all orders of magnitude."""
    rows = frame[(frame["ours"] > 0) & (frame["published"] > 0)]
    near = (rows["gap"].abs() <= SEEN_FRAC).mean()
    return figure(
        rows,
        "published",
        "ours",
        kind="parity",
        by="topic",
        log="xy",
        x_title="Published (each in its unit, log)",
        y_title="Ours (same unit, log)",
        finding=f"{near:.0%} of the figures come out within {SEEN_FRAC:.0%}",
        says=f"Points of {len(rows)} figures along the line on which both are equal, from "
        f"{three(rows['published'].min())} to {rows['published'].max():.2g}; "
        f"{(rows['gap'].abs() > 0.1).sum()} lie more than 10% off it.",
    )


def gaps_chart(frame: pd.DataFrame) -> Drawing:
    """The rows of `ledger_frame` with a visible gap, largest first."""
    far = frame[frame["gap"].abs() > SEEN_FRAC].sort_values("gap", key=abs, ascending=False)
    largest, farthest = far.iloc[0], far.head(MOST_GAPS)
    return figure(
        farthest.assign(name=farthest.index),
        "ours",
        "name",
        kind="gap",
        against="published",
        finding=f"{len(far)} of {len(frame)} figures are more than {SEEN_FRAC:.0%} off",
        subtitle=f"The {len(farthest)} farthest; beside each point: ours · published",
        says=f"Points for {len(farthest)} figures around a line at zero; the farthest: "
        f"{largest['claim']}, ours {three(largest['ours'])}, published "
        f"{three(largest['published'])} {largest['unit']}.",
    )
