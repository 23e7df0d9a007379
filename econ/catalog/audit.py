"""How old and how well sourced the data are.

>>> audit_frame("2026-12-01").query("table == 'accelerators'")["sources"].item() > 3
True
"""

from __future__ import annotations

import datetime

import pandas as pd

from econ.catalog.tables import table, table_names


def _day(on: str) -> str:
    try:
        return datetime.date.fromisoformat(on).isoformat()
    except ValueError:
        raise ValueError(f"on = {on!r} is outside its range: a date as YYYY-MM-DD") from None


def is_stale(stale_after: str, on: str | None = None) -> bool:
    """Whether a row is past its date on a day (YYYY-MM-DD; today if left out).

    >>> is_stale("2027-03-31", "2027-04-01"), is_stale("", "2027-04-01")
    (True, False)
    """
    return stale_after != "" and stale_after < _day(on or datetime.date.today().isoformat())


def audit_frame(on: str) -> pd.DataFrame:
    """Per table: rows, distinct sources, rows of each kind, oldest date, rows stale on a day."""
    stale = stale_frame(on)["table"].value_counts()
    rows = []
    for name in table_names():
        frame = table(name)
        kinds = frame["kind"].value_counts() if "kind" in frame else {}
        rows.append(
            {
                "table": name,
                "rows": len(frame),
                "sources": frame["source"].nunique() if "source" in frame else 0,
                "kinds": ", ".join(f"{k} {n}" for k, n in dict(kinds).items()),
                "oldest": frame["as_of"].min() if "as_of" in frame else "",
                "stale": int(stale.get(name, 0)),
            }
        )
    return pd.DataFrame(rows)


def stale_frame(on: str) -> pd.DataFrame:
    """Rows whose ``stale_after`` lies before a day: table, row, as_of, stale_after, source."""
    day, stale = _day(on), []
    for name in table_names():
        frame = table(name)
        if "stale_after" not in frame:
            continue
        old = frame[(frame["stale_after"] != "") & (frame["stale_after"] < day)]
        stale.append(
            pd.DataFrame(
                {
                    "table": name,
                    "row": old.index.astype(str),
                    "as_of": old["as_of"].to_numpy(),
                    "stale_after": old["stale_after"].to_numpy(),
                    "source": old["source"].to_numpy(),
                }
            )
        )
    columns = ["table", "row", "as_of", "stale_after", "source"]
    return pd.concat(stale, ignore_index=True) if stale else pd.DataFrame(columns=columns)
