"""The rows behind the headline sentences of lesson 10, each with its source and date."""

from __future__ import annotations

import pandas as pd

from econ.catalog import table
from econ.catalog.rents import rent
from econ.lessons.l10_trends.frontier import NAMES
from econ.trends import changes, frontier, tasks
from econ.trends.hardware import RENTED, rents_frame
from econ.trends.prices import PRICE
from econ.trends.rates import year_of


def steps_frame() -> pd.DataFrame:
    """Each step of a level's cheapest price: day, offer, score, and the sources of both.

    The last step of a level is what is cheapest today.
    """
    rows = []
    for level, name in NAMES.items():
        path = frontier.cheapest_frame(level).dropna(subset=["purchasable"])
        offer = path[["model", "seller", "purchasable"]]
        for date in path.loc[offer.ne(offer.shift()).any(axis=1), "date"]:
            best = frontier.on_sale_frame(level, date).iloc[0]
            rows.append({"level": name, "date": date, **best[["model", "seller", "since", PRICE,
                         "reasoning", "score_frac", "source", "score_source"]]})  # fmt: skip
    return pd.DataFrame(rows)


def lost_record_frame(level_frac: float = 0.82) -> pd.DataFrame:
    """Months in which a level cost more than its record: date, purchasable, record_low, model."""
    path = frontier.cheapest_frame(level_frac).dropna(subset=["purchasable"])
    rows = path[path["purchasable"] > 1.01 * path["record_low"]]
    return rows[["date", "purchasable", "record_low", "model", "seller"]].reset_index(drop=True)


def tasks_frame(least_frac: float = 0.5) -> pd.DataFrame:
    """Runs that solve at least half: price per token and per solved task, with a date."""
    rows = tasks.task_runs_frame().dropna(subset=[PRICE])
    return rows[rows["solved_frac"] >= least_frac].reset_index(drop=True)


def moved_rows_frame() -> pd.DataFrame:
    """Each confirmed change of a price, largest rise first."""
    rows = changes.changes_frame()
    lists = table("offers").rename(columns={"since": "date"})
    lists = lists.drop_duplicates(["model", "seller", "date"])[
        ["model", "seller", "date", "source"]
    ]
    rows = rows.merge(lists, on=["model", "seller", "date"], how="left")
    return rows.sort_values("change_factor", ascending=False, ignore_index=True)


def rents_shown_frame() -> pd.DataFrame:
    """Quarterly medians, and what the course pays: the catalogue's newer medians as ``course``.

    Both are medians of list prices of specialised clouds; month and panel differ.
    """
    rows = rents_frame().assign(course=float("nan"))
    newest = table("rentals").query("term == 'on-demand' and source == 'rent-offers'")
    newest = newest[newest["accelerator"].isin(RENTED)]
    points = pd.DataFrame(
        {
            "accelerator": newest["accelerator"],
            "date": newest["as_of"],
            "year": 1970 + year_of(newest["as_of"]),
            "course": [rent(id) for id in newest["accelerator"]],
            "source": newest["source"],
            "note": newest["note"],
        }
    )
    return pd.concat([rows, points], ignore_index=True)
