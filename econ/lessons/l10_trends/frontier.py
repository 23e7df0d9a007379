"""The living frontier as lesson 10 shows it: paths, curves, rates, rises, and an owner's value."""

from __future__ import annotations

import pandas as pd

from econ.catalog import table
from econ.trends import changes, frontier, levels, owned, split
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
    rows = levels.rates_frame(pers=("token",)).dropna(subset=["fall_per_year"])
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
