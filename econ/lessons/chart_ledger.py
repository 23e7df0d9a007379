"""Charts of the ledger page: ours against the published figures, topic by topic."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.charts.grammar import bars
from econ.charts.shapes import gaps, parity
from econ.charts.tables import three
from econ.ledger import summary

MOST = 25  # rows of a chart that one can still read
NEAR = 0.01  # a gap that nobody would see in a chart


def counts_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`ledger_frame`: rows of each topic by class; what is not asserted apart."""
    verdict = frame["verdict"].where(frame["asserted"], "shown, not asserted")
    counts = (
        frame.assign(verdict=verdict).groupby(["topic", "verdict"], sort=False).size()
    ).rename("rows")
    return bars(
        counts.reset_index(),
        "rows",
        "topic",
        x_title="Published figures",
        color="verdict",
        title=summary(frame).split(":")[0],
        subtitle="Reproduced, or inside a band that holds the published value; on the others we "
        "disagree",
        description=f"Bars by topic: {len(frame)} figures. {summary(frame)} Rows of each topic: "
        + "; ".join(f"{t} {c}" for t, c in frame["topic"].value_counts().items())
        + ".",
    )


def parity_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`ledger_frame`: ours against published, over all orders of magnitude."""
    both = frame[(frame["ours"] > 0) & (frame["published"] > 0)]
    near = (both["gap"].abs() <= NEAR).mean()
    return parity(
        both,
        "published",
        "ours",
        color="topic",
        x_title="Published (each in its unit, log)",
        y_title="Ours (same unit, log)",
        title=f"{near:.0%} of the figures come out within {NEAR:.0%}",
        description=f"Points of {len(both)} figures along the line on which both are equal, from "
        f"{three(both['published'].min())} to {both['published'].max():.2g}; "
        f"{(both['gap'].abs() > 0.1).sum()} lie more than 10% off it.",
    )


def gaps_chart(frame: pd.DataFrame) -> alt.LayerChart | None:
    """The rows of `ledger_frame` with a visible gap, largest first; None where all agree."""
    far = frame[frame["gap"].abs() > NEAR]
    far = far.reindex(far["gap"].abs().sort_values(ascending=False).index)
    if far.empty:
        return None
    largest = far.iloc[0]
    shown = far.head(MOST)
    return gaps(
        shown.assign(name=shown.index),
        "name",
        "ours",
        "published",
        title=f"{len(far)} of {len(frame)} figures are more than {NEAR:.0%} off",
        subtitle=f"The {len(shown)} farthest; beside each point: ours · published",
        description=f"Points for {len(shown)} figures around a line at zero; the farthest: "
        f"{largest.claim}, ours {three(largest.ours)}, published {three(largest.published)} "
        f"{largest.unit}.",
    )
