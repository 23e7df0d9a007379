"""Published figures, recomputed: *ours · published · gap · source*.

A row of ``data/published_figures.csv`` names a recomputation of `econ.ledger` and its inputs.
Two sorts are counted apart: ``model`` rows call a function that a notebook uses and speak for the
models; ``arithmetic`` rows check a ratio, of published numbers or of facts. A row agrees within
its ``tolerance_frac``, or inside its band (``low``, ``high``) where the source gives a range or the
gap is the lesson, as with a bound beside a measurement. Rows with ``asserted`` false are shown, not
held.

>>> frame = ledger_frame("tokens")
>>> frame.loc["claude-image-1092", ["ours", "published"]].tolist()
[1590.0, 1590.0]
"""

from __future__ import annotations

import argparse
import importlib
import json
import math

import pandas as pd

from econ.catalog import table
from econ.catalog.guard import unknown
from econ.catalog.tables import BadTable
from econ.catalog.units import short
from econ.ledger.recompute import RECOMPUTE, is_model

TOPICS = (
    "energy", "latency", "queueing", "scaling", "tco", "tco_units", "test_time", "tokens", "trends",
)  # fmt: skip
for _topic in TOPICS:  # a topic's module registers its own
    importlib.import_module(f"econ.ledger.{_topic}")


def ledger_frame(topic: str | None = None) -> pd.DataFrame:
    """All rows of a topic (or all topics), recomputed.

    Columns: ``topic``, ``claim``, ``ours``, ``published``, ``unit``, ``gap`` (ours/published − 1),
    ``tolerance_frac``, ``low`` and ``high`` (where ours must lie), ``within``, ``sort`` (model or
    arithmetic), ``asserted``, ``source``, ``note``.
    """
    rows = table("published_figures")
    if topic is not None:
        if topic not in set(rows["topic"]):
            raise unknown("topic", topic, rows["topic"].unique())
        rows = rows[rows["topic"] == topic]
    low, high = _limits(rows)
    ours = pd.Series([_run(r.id, r.compute, r.inputs) for r in rows.itertuples()], rows.index)
    return rows.assign(
        ours=ours,
        gap=ours / rows["published"] - 1,
        low=low,
        high=high,
        within=ours.between(low, high),
        sort=["model" if is_model(c) else "arithmetic" for c in rows["compute"]],
    )[
        ["topic", "claim", "ours", "published", "unit", "gap", "tolerance_frac", "low", "high",
         "within", "sort", "asserted", "source", "note"]
    ]  # fmt: skip


def _limits(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Where ours must lie: around the published value, or in the row's band, open if one-sided."""
    banded = rows[["low", "high"]].notna().any(axis=1)
    unclear = rows.index[banded == rows["tolerance_frac"].notna()]
    if len(unclear):
        raise BadTable(
            f"published_figures.csv row {unclear[0]!r}, column tolerance_frac: a row has either "
            "a tolerance or a band (low, high)"
        )
    slack = rows["published"] * rows["tolerance_frac"]
    low = rows["low"].fillna(-math.inf).where(banded, rows["published"] - slack)
    high = rows["high"].fillna(math.inf).where(banded, rows["published"] + slack)
    return low, high


def _run(id: str, name: str, inputs: str) -> float:
    """Recompute one row; whatever goes wrong names the row."""
    where = f"published_figures.csv row {id!r}"
    if name not in RECOMPUTE:
        raise BadTable(f"{where}, column compute: {unknown('recomputation', name, RECOMPUTE)}")
    try:
        value = float(RECOMPUTE[name](**json.loads(inputs)))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise BadTable(f"{where}, column inputs: {name}({inputs}): {error}") from error
    if not math.isfinite(value):
        raise BadTable(f"{where}, column inputs: {name}({inputs}) is {value}")
    return value


def show(topic: str | None = None) -> pd.DataFrame:
    """The ledger for a reader: claim, ours, published, gap, sort, source."""
    return _shown(ledger_frame(topic))


def misses_frame(visible_frac: float = 0.01) -> pd.DataFrame:
    """Rows whose gap a reader would see, largest first: claim, ours, published, gap, why."""
    frame, rows = ledger_frame(), table("published_figures")
    far = frame[frame["gap"].abs() > visible_frac].sort_values("gap", key=abs, ascending=False)
    why = rows["tolerance_reason"].fillna(rows["note"])
    shown = _shown(far)[["claim", "ours", "published", "gap"]]
    return shown.assign(why=why.reindex(far.index).fillna(""))


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    def digits(value: float) -> str:
        return short(value, 4)

    return pd.DataFrame(
        {
            "claim": frame["claim"],
            "ours": frame["ours"].map(digits),
            "published": frame["published"].map(digits) + " " + frame["unit"],
            "gap": frame["gap"].map("{:+.1%}".format),
            "sort": frame["sort"],
            "source": frame["source"],
        }
    )


def main(arguments: list[str] | None = None) -> None:
    """``python -m econ.ledger [--topic TOPIC]``: print the ledger and its counts."""
    parser = argparse.ArgumentParser(prog="python -m econ.ledger", description=main.__doc__)
    parser.add_argument("--topic", choices=sorted(set(table("published_figures")["topic"])))
    frame = ledger_frame(parser.parse_args(arguments).topic)
    kept = frame["within"].map({True: "yes", False: "NO"}).where(frame["asserted"], "not asserted")
    print(_shown(frame).assign(within=kept).to_string())
    held = frame[frame["asserted"]]
    for sort, rows in held.groupby("sort"):
        by_band = rows["tolerance_frac"].isna().sum()
        print(
            f"{sort}: {rows['within'].sum()} of {len(rows)} within their tolerance or band "
            f"({by_band} by a band)"
        )
    print(f"shown but not asserted: {len(frame) - len(held)}")


if __name__ == "__main__":
    main()
