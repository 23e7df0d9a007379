"""How old and how well sourced the data are, and what the installed price package says of prices.

``python -m econ.catalog --refresh`` shows it; with ``--write`` a changed price becomes a new row,
and a row that the package confirms gets its date. Rents, scores and accelerators have no package:
the audit lists which of their rows are stale.

>>> audit_frame("2026-12-01").query("table == 'accelerators'")["sources"].item() > 3
True
>>> import datetime
>>> sorted(set(price_changes_frame(datetime.date(2026, 11, 28))["state"]))
['as listed', 'changed']
"""

from __future__ import annotations

import datetime
import re

import numpy as np
import pandas as pd

from econ.catalog.prices import prices_now_frame
from econ.catalog.reading import read_rows
from econ.catalog.tables import data_dir, forget, resource, table, table_names, write_table


def day_of(on: str) -> datetime.date:
    """The day that a date as YYYY-MM-DD names.

    >>> day_of("2026-12-01").month
    12
    """
    try:
        return datetime.date.fromisoformat(on)
    except ValueError:
        raise ValueError(f"on = {on!r} is outside its range: a date as YYYY-MM-DD") from None


def is_stale(stale_after: str, on: str | None = None) -> bool:
    """Whether a row is past its date on a day (YYYY-MM-DD; today if left out).

    >>> is_stale("2027-03-31", "2027-04-01"), is_stale("", "2027-04-01")
    (True, False)
    """
    return (
        stale_after != ""
        and stale_after < (day_of(on) if on else datetime.date.today()).isoformat()
    )


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
    day, stale = day_of(on).isoformat(), []
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


USD = ("input_usd_per_mtok", "output_usd_per_mtok")
CACHE = ("cached_input_usd_per_mtok", "cache_write_usd_per_mtok")
GOOD_FOR_DAYS = 180
SOURCE = "genai-prices"
SAME = 1e-6


def price_changes_frame(on: datetime.date | None = None) -> pd.DataFrame:
    """The newest dated price of each model and seller beside what the package lists at noon (UTC).

    Parameters
    ----------
    on : date, optional
        The day; today by default.

    Returns
    -------
    DataFrame
        ``provider, model, in_force_since``, the prices of the table and, with ``_now``, of the
        package, and ``state``: ``as listed`` or ``changed``. Only what the package lists under the
        same names.

    Raises
    ------
    ImportError
        Without genai-prices.
    """
    day = on or datetime.date.today()
    moment = datetime.datetime.combine(day, datetime.time(12), tzinfo=datetime.UTC)
    now = prices_now_frame(moment).drop_duplicates(["provider", "model"])
    now = now.assign(_seller=now["provider"].map(_seller))
    dated = table("api_prices").sort_values("in_force_since", kind="stable")
    dated = dated.drop_duplicates(["provider", "model"], keep="last")
    dated = dated.assign(_seller=dated["provider"].map(_seller))
    both = dated.merge(
        now[["_seller", "model", *USD, *CACHE]], on=["_seller", "model"], suffixes=("", "_now")
    )
    same = pd.Series(True, index=both.index)
    for name in USD:
        same &= np.isclose(both[name], both[f"{name}_now"], rtol=SAME)
    columns = ["provider", "model", "in_force_since"]
    columns += [n for name in (*USD, *CACHE) for n in (name, f"{name}_now")]
    states = same.map({True: "as listed", False: "changed"})
    return both[columns].assign(state=states).reset_index(drop=True)


def refresh_prices(on: datetime.date | None = None) -> pd.DataFrame:
    """Write what the package says into ``data/catalog/api_prices.csv``; what it said comes back.

    A changed price becomes a row that is in force from the month of ``on``, if it is later than the
    row before; a confirmed row gets that day as its date. All rows are written, or none.
    """
    day = on or datetime.date.today()
    changes = price_changes_frame(day)
    path = data_dir() / resource("api_prices")["path"]
    head, cells = read_rows(path)
    rows = [dict(zip(head, row, strict=True)) for row in cells]
    seen = {(c.provider, c.model, c.in_force_since): c for c in changes.itertuples()}
    dates = {
        "source": SOURCE,
        "as_of": day.isoformat(),
        "stale_after": (day + datetime.timedelta(GOOD_FOR_DAYS)).isoformat(),
    }
    result = []
    for row in rows:
        change = seen.get((row["provider"], row["model"], row["in_force_since"]))
        if change is not None and change.state == "as listed":
            row |= dates
        elif change is not None:
            row["stale_after"] = ""
        result.append(row)
        month = day.strftime("%Y-%m")
        if change is not None and change.state == "changed" and month > row["in_force_since"][:7]:
            prices = {
                name: "" if pd.isna(value := getattr(change, f"{name}_now")) else f"{value:g}"
                for name in (*USD, *CACHE)
            }
            new = row | dates | prices | {"in_force_since": month, "kind": "list_price"}
            result.append(new | {"note": "", "batch_discount_frac": ""})
    write_table("api_prices", pd.DataFrame(result))
    forget()
    return changes


def _seller(name: str) -> str:
    """A seller's name as two lists may write it: "Together", "Together AI"."""
    return re.sub(r"[^a-z]|ai$", "", re.sub(r"\W", "", name.lower()))
