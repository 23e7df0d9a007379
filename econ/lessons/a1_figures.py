"""Page A1, how far off are we?: the ledger as charts, ours against the published figures.

>>> from econ.ledger import ledger_frame
>>> str(counts_chart(ledger_frame("queueing")).title.text)
'12 of 12 published figures are met'
"""

from __future__ import annotations

import pandas as pd

from econ.catalog import accelerators_frame, table
from econ.catalog.rents import rents
from econ.charts import Drawing, figure, three
from econ.charts.theme import PALETTE
from econ.ledger import summary
from econ.ledger.ledger import VERDICTS, dates

COLORS = ("blue", "sky", "vermilion", "grey")
SHOWN = "shown, not asserted"
MOST_GAPS = 25  # rows of a chart that one can still read
EDGE_PERCENT = 30  # where a strip of gaps ends
SEEN_FRAC = 0.01  # a smaller gap is not seen in a chart


def counts_chart(frame: pd.DataFrame) -> Drawing:
    """`ledger_frame`: rows of each topic by class; what is not asserted apart."""
    verdict = frame["verdict"].astype(object).where(frame["asserted"], SHOWN)
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


# -- do the bands hold, and what nobody knows ----------------------------------------------------
PROMISED_FRAC = 0.9  # of the runs, that a band is to hold
METRICS = {"tpot_s": "time per token", "benchmark_mean_ttft_s": "time to the first token"}


def coverage_frame() -> pd.DataFrame:
    """Runs that a fit never saw: left_out, what, measured, percent inside the band, n_runs."""
    rows = table("band_coverage").query("metric in @METRICS")
    return rows.assign(
        percent=100 * rows["covered_frac"], measured=rows["metric"].map(METRICS)
    ).reset_index(drop=True)[
        ["left_out", "what", "measured", "percent", "n_runs", "source", "as_of"]
    ]


def coverage_chart(frame: pd.DataFrame) -> Drawing:
    """`coverage_frame`: one point for each kind, engine, model or half-year that was left out."""
    good = (frame["percent"] >= 100 * PROMISED_FRAC).sum()
    worst = frame.loc[frame["percent"].idxmin()]
    below = frame["percent"] < 100 * PROMISED_FRAC  # the others would write over one another
    names = (frame["left_out"] + " " + frame["what"].astype(str)).where(below, "")
    return figure(
        frame.assign(name=names),
        "percent",
        "left_out",
        kind="point",
        by="measured",
        legend=True,
        label="name",
        rule_x=100 * PROMISED_FRAC,
        x_title="Measured runs inside the band (%)",
        finding=f"{good} of {len(frame)} bands hold {PROMISED_FRAC:.0%} of runs they never saw; "
        f"the worst holds {worst['percent']:.0f} %",
        subtitle="Each point: everything of one kind was left out of the fit and then predicted",
        says=f"Points for {len(frame)} tests by what was left out; {good} at or above "
        f"{100 * PROMISED_FRAC:.0f} %. The worst: {worst['left_out']} {worst['what']}, "
        f"{worst['measured']}, {worst['percent']:.0f} % of {worst['n_runs']} runs.",
    )


def unchecked_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """`ledger_frame`: figures that are shown and not counted, with the reason and the source."""
    rows = frame[~frame["asserted"]]
    reason = rows["note"].where(rows["note"].notna() & rows["note"].ne(""), rows["because"])
    return pd.DataFrame(
        {"claim": rows["claim"], "reason": reason, "source": rows["source"], "as_of": dates(rows)}
    ).reset_index(drop=True)


def unknown_frame() -> pd.DataFrame:
    """What the tables of this kit do not hold: what, how_many, examples; counted, not written."""
    rented, chips = rents(), accelerators_frame()
    without_rent = [id for id in chips["id"] if id not in rented]
    sized, scored = set(table("models").index), table("quality")
    closed = scored[scored["open_weights"].eq(False)]["model"].unique()
    no_size = [model for model in closed if model not in sized]
    bands = table("calibration_bands").reset_index(drop=True)
    assumed = bands[bands["n_rows"].isna() | (bands["n_rows"] == 0)]["regime"].unique()
    fitted = set(table("band_coverage").query("left_out == 'accelerator'")["what"])
    unmeasured = [id for id in chips["id"] if id not in fitted]
    rows = [
        ("accelerators nobody in our lists rents out by the hour", without_rent),
        ("accelerators without measured runs behind the latency bands", unmeasured),
        ("closed models with a score and a price, whose size is not published", no_size),
        ("regimes of the latency model whose band is assumed, for no run exists", list(assumed)),
    ]
    return pd.DataFrame(
        [(what, len(items), ", ".join(map(str, items[:4]))) for what, items in rows],
        columns=["what", "how_many", "examples"],
    )
