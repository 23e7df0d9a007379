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
EDGE_PERCENT = 30  # where a strip of gaps ends
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


def spread_chart(frame: pd.DataFrame) -> Drawing:
    """`ledger_frame`: each figure's gap in percent, topic by topic; far ones at the edge."""
    rows = frame.assign(percent=(100 * frame["gap"]).clip(-EDGE_PERCENT, EDGE_PERCENT))
    near = (rows["gap"].abs() <= SEEN_FRAC).mean()
    beyond = int((100 * frame["gap"].abs() > EDGE_PERCENT).sum())
    typical = frame["gap"].abs().groupby(frame["topic"]).median()
    words = "; ".join(
        f"{topic} {100 * gap:.2g}%" if gap > 1e-4 else f"{topic} below 0.01%"
        for topic, gap in typical.items()
    )
    return figure(
        rows,
        "percent",
        "topic",
        kind="point",
        by="verdict",
        x_domain=(-EDGE_PERCENT - 2, EDGE_PERCENT + 2),
        rule_x=0.0,
        x_title=f"Ours over the published figure, less one (%; beyond {EDGE_PERCENT} at the edge)",
        finding=f"{near:.0%} of the figures come out within {SEEN_FRAC:.0%}",
        says=f"A point for each of {len(rows)} figures, in a row for its topic; {beyond} beyond "
        f"{EDGE_PERCENT}%. Median gap by topic: {words}.",
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
