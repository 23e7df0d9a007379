"""Published figures, recomputed: *ours · published · gap · source*, and whether they agree.

A row of ``data/published/published_figures.csv`` holds a formula on public functions and its inputs
(`econ.ledger.recompute`). The numbers alone put it into one of three classes:

* ``reproduced``: ours lies within the row's ``tolerance_frac`` of the published value.
* ``inside a band``: ours and the published value both lie between the row's ``low`` and ``high``: a
  bound under a measurement, or the 90 % of a prediction.
* ``we disagree``: ours lies somewhere else. The row's reason says why; where the row is asserted,
  its ``low`` and ``high`` hold ours in place, so that it cannot move unseen.

Only the first two are met. Rows with ``asserted`` false are shown, and counted nowhere. Two sorts
are counted apart: a ``model`` row calls a function that a notebook uses; an ``arithmetic`` row
checks a sum of published numbers or of facts.

>>> frame = ledger_frame("tokens")
>>> frame.loc["claude-image-1092", ["ours", "published", "verdict"]].to_dict()
{'ours': 1590.0, 'published': 1590.0, 'verdict': 'reproduced'}
"""

from __future__ import annotations

import argparse
import math

import pandas as pd

from econ.catalog import table
from econ.catalog.guard import one_of
from econ.catalog.reading import BadTable
from econ.catalog.units import short
from econ.ledger.recompute import evaluate, inputs_of, is_model

VERDICTS = REPRODUCED, IN_BAND, DISAGREE = "reproduced", "inside a band", "we disagree"
SORTS = ("model", "arithmetic")


def ledger_frame(topic: str | None = None) -> pd.DataFrame:
    """All published figures of a topic, or of all topics, recomputed.

    Parameters
    ----------
    topic : str, optional
        E.g. ``"tokens"``, ``"tco"``, ``"energy"``.

    Returns
    -------
    DataFrame
        ``topic``, ``claim``, ``ours``, ``published``, ``unit``, ``gap`` (ours / published − 1),
        ``tolerance_frac``, ``low`` and ``high`` (between them ours must lie), ``within`` (whether
        it does), ``verdict``, ``sort``, ``asserted``, ``source``, ``because`` (the reason of the
        tolerance, the band or the disagreement), ``note``; indexed by the row's identifier.

    Raises
    ------
    UnknownName
        For an unknown topic, with the nearest.
    BadTable
        For a row that cannot be computed; the message names the row and the column.
    """
    rows = table("published_figures")
    if topic is not None:
        one_of("topic", topic, rows["topic"].unique())
        rows = rows[rows["topic"] == topic]
    low, high = _limits(rows)
    ours = pd.Series({id: recomputed(id) for id in rows.index}, dtype="float64")
    frame = rows.assign(
        ours=ours,
        gap=ours / rows["published"] - 1,
        low=low,
        high=high,
        within=ours.between(low, high),
        sort=[_sort(id) for id in rows.index],
        because=rows["tolerance_reason"],
    )
    return frame.assign(verdict=_verdicts(frame))[
        ["topic", "claim", "ours", "published", "unit", "gap", "tolerance_frac", "low", "high",
         "within", "verdict", "sort", "asserted", "source", "because", "note"]
    ]  # fmt: skip


def recomputed(id: str) -> float:
    """Our value of one published figure.

    Parameters
    ----------
    id : str
        The row's identifier in ``data/published/published_figures.csv``.

    Examples
    --------
    >>> round(recomputed("deepseek-nodes"), 2)
    226.86
    """
    rows = table("published_figures")
    one_of("published figure", id, rows.index)
    where, formula = f"published_figures.csv row {id!r}", rows.loc[id, "compute"]
    try:
        inputs = inputs_of(rows["inputs"], id)
    except (TypeError, ValueError) as error:
        raise BadTable(f"{where}, column inputs: {error}") from error
    try:
        value = float(evaluate(formula, inputs))
    except Exception as error:  # whatever a formula can raise, the row is named
        raise BadTable(f"{where}, column compute: {formula}: {error}") from error
    if not math.isfinite(value):
        raise BadTable(f"{where}, column compute: {formula} is {value}")
    return value


def _sort(id: str) -> str:
    rows = table("published_figures")
    return SORTS[not is_model(rows.loc[id, "compute"], inputs_of(rows["inputs"], id))]


def _limits(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Where ours must lie: around the published value, or in the row's band, open if one-sided."""
    banded = rows[["low", "high"]].notna().any(axis=1)
    unclear = rows.index[banded == rows["tolerance_frac"].notna()]
    if len(unclear):
        raise BadTable(
            f"published_figures.csv row {unclear[0]!r}, column tolerance_frac: a row has either "
            "a tolerance or a band (low, high)"
        )
    slack = (rows["published"] * rows["tolerance_frac"]).abs()
    low = rows["low"].fillna(-math.inf).where(banded, rows["published"] - slack)
    high = rows["high"].fillna(math.inf).where(banded, rows["published"] + slack)
    return low, high


def _verdicts(frame: pd.DataFrame) -> pd.Series:
    """One of `VERDICTS` a row, from ours, the published value and the limits alone."""
    both = frame["within"] & frame["published"].between(frame["low"], frame["high"])
    agree = frame["tolerance_frac"].notna().map({True: REPRODUCED, False: IN_BAND})
    return agree.where(both, DISAGREE)


def counts_frame(frame: pd.DataFrame | None = None) -> pd.DataFrame:
    """How many asserted rows of each sort fall into each class.

    Parameters
    ----------
    frame : DataFrame, optional
        Rows of `ledger_frame`; all where it is left out.

    Returns
    -------
    DataFrame
        One row a sort, one column a class, and ``met`` (the first two classes) and ``rows``.
    """
    rows = ledger_frame() if frame is None else frame
    asserted = rows[rows["asserted"]]
    counts = pd.crosstab(asserted["sort"].astype(str), asserted["verdict"].astype(str))
    counts = counts.reindex(index=list(SORTS), columns=list(VERDICTS), fill_value=0)
    met = counts[REPRODUCED] + counts[IN_BAND]
    return counts.assign(met=met, rows=met + counts[DISAGREE])


def summary(frame: pd.DataFrame | None = None) -> str:
    """The counts in one sentence: what is met, and what is not.

    Examples
    --------
    >>> print(summary(ledger_frame("queueing")))
    12 of 12 published figures are met: 12 reproduced, 0 inside a band that holds the published \
value. On 0 we disagree, and say why.
    """
    n = counts_frame(frame).sum()
    return (
        f"{n['met']} of {n['rows']} published figures are met: {n[REPRODUCED]} reproduced, "
        f"{n[IN_BAND]} inside a band that holds the published value. "
        f"On {n[DISAGREE]} we disagree, and say why."
    )


def show(topic: str | None = None, *, dated: bool = False) -> pd.DataFrame:
    """The ledger for a reader: claim, ours, published, gap, verdict, sort, source; the date of the
    figure, ``as_of``, too if it is to be ``dated``.
    """  # fmt: skip
    frame = ledger_frame(topic)
    return _shown(frame).assign(as_of=dates(frame)) if dated else _shown(frame)


def dates(frame: pd.DataFrame) -> pd.Series:
    """The date of each figure of a ledger's rows."""
    return table("published_figures")["as_of"].reindex(frame.index)


def disagreements_frame() -> pd.DataFrame:
    """The asserted figures on which we disagree: claim, ours, published, gap, because, source,
    as_of.
    """  # fmt: skip
    frame = ledger_frame()
    rows = frame[frame["asserted"] & (frame["verdict"] == DISAGREE)]
    table = _shown(rows)[["claim", "ours", "published", "gap"]]
    return table.assign(because=rows["because"], source=rows["source"], as_of=dates(rows))


def misses_frame(visible_frac: float = 0.01) -> pd.DataFrame:
    """Rows whose gap a reader would see, largest first: claim, ours, published, gap, verdict, why.

    Parameters
    ----------
    visible_frac : float
        The smallest relative gap that is listed, e.g. 0.01.
    """
    frame = ledger_frame()
    rows = frame[frame["gap"].abs() > visible_frac].sort_values("gap", key=abs, ascending=False)
    columns = _shown(rows)[["claim", "ours", "published", "gap", "verdict"]]
    return columns.assign(why=rows["because"].fillna(rows["note"]).fillna(""))


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    def digits(value: float) -> str:
        return short(value, 4)

    return pd.DataFrame(
        {
            "claim": frame["claim"],
            "ours": frame["ours"].map(digits),
            "published": frame["published"].map(digits) + " " + frame["unit"],
            "gap": frame["gap"].map("{:+.1%}".format),
            "verdict": frame["verdict"].where(frame["asserted"], "not asserted"),
            "sort": frame["sort"],
            "source": frame["source"],
        }
    )


def main(arguments: list[str] | None = None) -> None:
    """``python -m econ.ledger [--topic TOPIC]``: print the ledger, its classes and counts."""
    parser = argparse.ArgumentParser(prog="python -m econ.ledger", description=main.__doc__)
    parser.add_argument("--topic", choices=sorted(set(table("published_figures")["topic"])))
    frame = ledger_frame(parser.parse_args(arguments).topic)
    print(_shown(frame).to_string())
    disagree = frame[frame["asserted"] & (frame["verdict"] == DISAGREE)]
    for row in disagree.itertuples():
        print(f"we disagree on {row.Index}, because {row.because}")
    moved = frame.index[frame["asserted"] & ~frame["within"]]
    if len(moved):
        print(f"OUTSIDE its tolerance or band: {', '.join(moved)}")
    print(counts_frame(frame).to_string())
    print(summary(frame))
    print(f"shown but not asserted: {(~frame['asserted']).sum()}")
