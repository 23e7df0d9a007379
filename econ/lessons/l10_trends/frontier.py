"""The living frontier as lesson 10 shows it: paths, curves, rates, rises, an owner's value, and
the rows behind the lesson's headline sentences, each with its source and date."""

from __future__ import annotations

import pandas as pd

from econ.catalog import table
from econ.catalog.rents import rent
from econ.trends import changes, frontier, owned, split, tasks
from econ.trends.hardware import RENTED, rents_frame
from econ.trends.prices import PRICE
from econ.trends.rates import year_of

NAMES = {
    0.30: "GPT-3.5's level", 0.43: "GPT-4o mini's", 0.54: "GPT-4o's", 0.66: "GPT-4.1's",
    0.75: "o1's", 0.85: "GPT-5's",
}  # fmt: skip
SHOWN = (0.30, 0.54, 0.75, 0.85)  # levels of the chart of paths
DATES = ("2025-03-01", "2025-11-01", "2026-11-28")  # of whole frontiers
GPT_3_PARAMS = 175e9  # published of GPT-3; of its successor in the headline nothing is
FLASH_PARAMS = 8e9  # as the name of Gemini 1.5 Flash-8B says
OPEN_PAIR = ("llama-3.1-405b", "qwen3-8b")


def paths_frame(per: str = "token", levels_frac: tuple[float, ...] = SHOWN) -> pd.DataFrame:
    """What four levels cost month by month: ``year``, ``usd``, ``record``, ``level``, ``model``.

    ``usd`` is the cheapest for sale, per million tokens or per thousand answers; ``record`` the
    lowest so far.
    """
    scale = 1000.0 if per == "answer" else 1.0
    parts = [
        frontier.cheapest_frame(level, per=per)
        .dropna(subset=["purchasable"])
        .assign(level=NAMES[level])
        for level in levels_frac
    ]
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(
        year=1970 + year_of(rows["date"]),
        usd=scale * rows["purchasable"],
        record=scale * rows["record_low"],
    )


def density_frame() -> pd.DataFrame:
    """Models for sale with a score, month by month: ``year``, ``n_models``."""
    rows = frontier.density_frame()
    return rows.assign(year=1970 + year_of(rows["date"]))


def curves_frame(dates: tuple[str, ...] = DATES) -> pd.DataFrame:
    """The whole frontier on several days: ``score_frac``, price, ``day``."""
    rows = frontier.frontier_at_frame(list(dates))
    return rows.assign(day=pd.to_datetime(rows["date"]).dt.strftime("%B %Y"))


def token_and_answer_frame(start: str = "2025-03-01") -> pd.DataFrame:
    """By how much each level got cheaper since a day, per token and per answer."""
    rows = []
    for level, name in NAMES.items():
        falls = {}
        for per in ("token", "answer"):
            path = frontier.cheapest_frame(level, per=per, start=start)
            path = path.dropna(subset=["purchasable"])
            falls[per] = path["purchasable"].iloc[0] / path["purchasable"].iloc[-1]
        rows.append((name, level, path["date"].iloc[0][:7], falls["token"], falls["answer"]))
    columns = ["level", "score_frac", "since", "token_fall", "answer_fall"]
    return pd.DataFrame(rows, columns=columns)


def rates_frame() -> pd.DataFrame:
    """The yearly fall of each level over the whole window and over the last twelve months."""
    rows = frontier.rates_frame(pers=("token",)).dropna(subset=["fall_per_year"])
    span = rows["start"].lt("2026").map({True: "since it could be bought", False: "in 2026"})
    return rows.assign(level=rows["level_frac"].map(NAMES), span=span)


# -- a fall in bounds --------------------------------------------------------------------------
def headline_split_frame() -> pd.DataFrame:
    """The headline's fall as bounds: ``part, low, high, share_low, share_high``.

    Parameters: nothing is published of the first model, so from 1 to the ratio of GPT-3's size to
    the last one's; precision: 1 to 2; hardware and software from the rows of this lesson.
    """
    start, end = "2022-11", "2024-10"
    first = 20.0  # text-davinci-003, USD per million tokens
    last = float(table("quality_prices").loc["gemini-1.5-flash-8b", "price_usd_per_mtok"])
    causes = {
        "fewer parameters": (1.0, GPT_3_PARAMS / FLASH_PARAMS),
        "fewer bits": split.precision_factor("bf16", "fp8"),
        "hardware": split.hardware_factor(start, end),
        "software on the same silicon": split.software_factor(start, end),
    }
    return split.split_frame(first / last, causes)


def open_pair_frame() -> pd.DataFrame:
    """Two open models of GPT-4o's level, whose sizes are known: the fall between them in bounds."""
    old, new = OPEN_PAIR
    prices = [frontier.candidates_frame().query("model == @id")[PRICE].min() for id in (old, new)]
    start, end = "2024-07", frontier.window_end()[:7]
    causes = {
        "fewer parameters": split.parameters_factor(old, new),
        "hardware": split.hardware_factor(start, end),
        "software on the same silicon": split.software_factor(start, end),
    }
    return split.split_frame(prices[0] / prices[1], causes)


# -- prices that moved, rents that rose --------------------------------------------------------
def moves_frame() -> pd.DataFrame:
    """Each confirmed change as a dot: ``year``, ``change_factor``, ``direction``, ``name``."""
    rows = changes.changes_frame()
    return rows.assign(
        year=1970 + year_of(rows["date"]), name=rows["seller"] + ", " + rows["model"]
    )


def owner_frame(bought: str = "2023-11") -> pd.DataFrame:
    """An H100's value and its books by quarter: ``year``, ``usd``, ``low``, ``high``, ``what``."""
    rows = owned.owned_value_frame("h100-sxm", bought=bought)
    year = 1970 + year_of(rows["date"])
    value = pd.DataFrame(
        {"year": year, "usd": rows["value_usd"], "low": rows["value_low_usd"],
         "high": rows["value_high_usd"], "what": "worth by its rents"}
    )  # fmt: skip
    book = pd.DataFrame({"year": year, "usd": rows["book_usd"], "what": "in the books"})
    return pd.concat([value, book.assign(low=book["usd"], high=book["usd"])], ignore_index=True)


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
    return rows.sort_values("change_factor", ascending=False, kind="stable", ignore_index=True)


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
