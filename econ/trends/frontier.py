"""A living price frontier: what a level of quality costs today, and what it has cost at best.

Candidates are all pairs of an offer on which two price lists agree (`econ.catalog.offers_frame`)
and an independent score (`econ.catalog.quality_frame`). *Purchasable* is the cheapest that is for
sale on a day; *record low* is the cheapest that ever was. A price per token is not a price per
answer: models that think write more tokens.

>>> frontier = cheapest_frame(0.75, per="token")
>>> frontier["date"].iloc[-1], bool((frontier["record_low"] <= frontier["purchasable"]).all())
('2026-11-28', True)
>>> newest_candidate()["release"]
'2026-07-09'

How fast levels of quality get cheaper: by level and by window, with breaks and a test.

One rate for "the price of intelligence" does not exist: it hangs on the level, on the window, on
whether a token or an answer is priced, and on whether the price is one that can be paid today or
the lowest that ever was.

>>> rates = rates_frame(levels_frac=(0.54, 0.75), windows=("2025-01-01",))
>>> bool((rates["fall_per_year"] > 1).all())
True
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from econ.catalog import offers_frame, quality_frame, table
from econ.catalog.guard import fraction, one_of
from econ.catalog.offers import for_sale
from econ.catalog.scores import BENCHMARK
from econ.catalog.tables import remember
from econ.catalog.units import MTOK
from econ.trends.fits import fit_break, fit_trend
from econ.trends.forecast import backtest_frame
from econ.trends.prices import PRICE, blended_usd_per_mtok
from econ.trends.rates import year_of

PER = {"token": PRICE, "answer": "usd_per_answer"}
EFFORTS = ("any", "off")  # thinking or not; without thinking
WINDOW_START = "2025-01-01"
LEVELS = (0.30, 0.43, 0.54, 0.66, 0.75, 0.85)  # GPT-3.5, 4o mini, 4o, 4.1, o1, GPT-5 on GPQA
MOST_PLAIN_TOKENS = 3000.0  # of an answer as served that is taken for one without thinking
TOKENS = ("input_tokens_per_question", "output_tokens_per_answer")


def window_end() -> str:
    """The last day on which the price lists were read."""
    return str(table("offers")["as_of"].max())


def candidates_frame(thinking: str = "any") -> pd.DataFrame:
    """Every offer with a score: what could be bought, how good it is, what it asks.

    Parameters
    ----------
    thinking : str
        ``"any"`` or ``"off"``: only answers without thinking, or, where a model is measured as it
        is served, of fewer than 3,000 tokens.

    Returns
    -------
    DataFrame
        ``model, seller, variant, since, until, retired, release, reasoning, score_frac,
        price_usd_per_mtok`` (three parts input to one part output), ``usd_per_answer`` (the tokens
        that the benchmark took, empty where they were not counted), ``n_lists``, ``source``,
        ``score_source``; one row an offer, a source of scores and an effort.

    Raises
    ------
    UnknownName
        For another value of ``thinking``.
    """
    one_of("thinking", thinking, EFFORTS)
    return _candidates(thinking).copy()


@remember
def _candidates(thinking: str) -> pd.DataFrame:
    scores = quality_frame(BENCHMARK)
    if thinking == "off":
        served = scores["reasoning"] == "as served"
        short = served & (scores["output_tokens_per_answer"] < MOST_PLAIN_TOKENS)
        scores = scores[(scores["reasoning"] == "off") | short]
    columns = [
        "model",
        "release",
        "reasoning",
        "score_frac",
        "stderr_frac",
        "open_weights",
        *TOKENS,
    ]
    scores = scores[[*columns, "source"]].rename(columns={"source": "score_source"})
    rows = offers_frame().merge(scores, on="model")
    input_usd, output_usd = rows["input_usd_per_mtok"], rows["output_usd_per_mtok"]
    tokens_in, tokens_out = (rows[name] for name in TOKENS)
    rows[PRICE] = blended_usd_per_mtok(input_usd, output_usd)
    rows["usd_per_answer"] = (tokens_in * input_usd + tokens_out * output_usd) / MTOK
    return rows.drop(columns=["vendor", "kind", "stale_after", "as_of"])


def newest_candidate(candidates: pd.DataFrame | None = None) -> pd.Series:
    """The candidate that was released last: a frontier whose newest is old says nothing of today.

    Parameters
    ----------
    candidates : DataFrame, optional
        Rows of `candidates_frame`; all by default.
    """
    rows = candidates_frame() if candidates is None else candidates
    return rows.sort_values(["release", "since", "model"], kind="stable").iloc[-1]


def _value(per: str) -> str:
    one_of("per", per, PER)
    return PER[per]


def months(start: str, end: str) -> list[str]:
    """The first day of each month between two days, and the last of them."""
    firsts = pd.date_range(start, end, freq="MS").strftime("%Y-%m-%d").tolist()
    return [*firsts, end] if firsts[-1:] != [end] else firsts


def on_sale_frame(level_frac: float, on: str, *, thinking: str = "any") -> pd.DataFrame:
    """All candidates that reach a level and are for sale on a day, cheapest per token first.

    Parameters
    ----------
    level_frac : float
        Share of right answers on GPQA Diamond, e.g. 0.75.
    on : str
        ``YYYY-MM-DD``.
    thinking : str
        See `candidates_frame`.
    """
    fraction("level_frac", level_frac)
    rows = candidates_frame(thinking)
    rows = rows[(rows["score_frac"] >= level_frac) & for_sale(rows, on)]
    return rows.sort_values([PRICE, "model"], kind="stable", ignore_index=True)


def cheapest_frame(
    level_frac: float,
    *,
    per: str = "token",
    thinking: str = "any",
    start: str = WINDOW_START,
    end: str | None = None,
) -> pd.DataFrame:
    """The cheapest way to a level, month by month.

    Parameters
    ----------
    level_frac : float
        Share of right answers on GPQA Diamond, e.g. 0.75.
    per : str
        ``"token"`` (USD per million, three parts input to one part output) or ``"answer"`` (USD,
        with the tokens that the benchmark took).
    thinking : str
        ``"any"`` or ``"off"``.
    start, end : str, optional
        Days; January 2025 to the last reading of the lists.

    Returns
    -------
    DataFrame
        ``date``, ``purchasable`` (the cheapest for sale; empty where none is), ``record_low`` (the
        cheapest so far), ``model``, ``seller``, ``reasoning``, ``n_models`` and ``n_offers`` (for
        sale at the level), ``newest`` (latest release among them). A record low below the
        purchasable price was withdrawn or raised.

    Raises
    ------
    ValueError
        Where nothing in the window reaches the level.

    Examples
    --------
    >>> by_token, by_answer = (cheapest_frame(0.54, per=p) for p in ("token", "answer"))
    >>> falls = [f["purchasable"].dropna() for f in (by_token, by_answer)]
    >>> token, answer = (float(f.iloc[0] / f.iloc[-1]) for f in falls)
    >>> token > answer > 1                               # an answer got less cheaper than a token
    True
    """
    value = _value(per)
    fraction("level_frac", level_frac)
    rows = candidates_frame(thinking)
    rows = rows[(rows["score_frac"] >= level_frac) & rows[value].notna()]
    if rows.empty:
        best = candidates_frame(thinking)["score_frac"].max()
        raise ValueError(
            f"level_frac = {level_frac:g}: no offer with a score reaches it; the best is {best:g}"
        )
    lines = []
    for day in months(start, end or window_end()):
        sold = rows[for_sale(rows, day)]
        if sold.empty:
            lines.append({"date": day, "n_models": 0, "n_offers": 0})
            continue
        best = sold.loc[sold[value].idxmin()]
        lines.append(
            {
                "date": day,
                "purchasable": float(best[value]),
                "model": best["model"],
                "seller": best["seller"],
                "reasoning": best["reasoning"],
                "score_frac": float(best["score_frac"]),
                "n_models": int(sold["model"].nunique()),
                "n_offers": len(sold.drop_duplicates(["model", "seller", "variant", PRICE])),
                "newest": sold["release"].max(),
            }
        )
    frame = pd.DataFrame(lines)
    if "purchasable" not in frame:
        raise ValueError(f"level_frac = {level_frac:g}: nothing that reaches it was for sale then")
    return frame.assign(record_low=frame["purchasable"].cummin().ffill())


def frontier_at_frame(
    dates: Sequence[str], *, per: str = "token", thinking: str = "any"
) -> pd.DataFrame:
    """The whole frontier on several days: offers that nothing cheaper matches in quality.

    One level with one factor is fragile: a level that moves by 0.02 may be met by another model at
    another price. The whole curve shows where.

    Parameters
    ----------
    dates : sequence of str
        Days, e.g. ``("2025-03-01", "2026-11-28")``.
    per, thinking : str
        See `cheapest_frame`.

    Returns
    -------
    DataFrame
        ``date, score_frac, price_usd_per_mtok`` or ``usd_per_answer``, ``model, seller,
        reasoning``; by date, rising in both.

    Examples
    --------
    >>> curve = frontier_at_frame(["2025-03-01", "2026-11-28"])
    >>> all(part["score_frac"].is_monotonic_increasing for _, part in curve.groupby("date"))
    True
    """
    value = _value(per)
    rows = candidates_frame(thinking).dropna(subset=[value])
    parts = []
    for day in dates:
        sold = rows[for_sale(rows, day)].sort_values([value, "score_frac"], ascending=[True, False])
        best = sold["score_frac"].cummax().shift(fill_value=-1.0)
        parts.append(sold[sold["score_frac"] > best].assign(date=day))
    columns = ["date", "score_frac", value, "model", "seller", "reasoning", "release"]
    return pd.concat(parts)[columns].reset_index(drop=True)


def sensitivity_frame(
    level_frac: float,
    shift_frac: float = 0.02,
    *,
    per: str = "token",
    start: str = "2025-03-01",
    end: str | None = None,
) -> pd.DataFrame:
    """By how much a level got cheaper, and how that hangs on where exactly the level stands.

    Parameters
    ----------
    level_frac : float
        The level in the middle, e.g. 0.66.
    shift_frac : float
        How far it moves either way: about one standard error of a score, e.g. 0.02.
    per, start, end : str
        See `cheapest_frame`.

    Returns
    -------
    DataFrame
        ``level_frac, before, after, fall_factor, model_before, model_after``; three rows.

    Examples
    --------
    >>> falls = sensitivity_frame(0.62)["fall_factor"]
    >>> bool(falls.max() > 5 * falls.min())
    True
    """
    rows = []
    for level in (level_frac - shift_frac, level_frac, level_frac + shift_frac):
        path = cheapest_frame(level, per=per, start=start, end=end).dropna(subset=["purchasable"])
        first, last = path.iloc[0], path.iloc[-1]
        fall = first["purchasable"] / last["purchasable"]
        rows.append(
            (level, first["date"], first["purchasable"], last["purchasable"], fall, first["model"],
             last["model"])
        )  # fmt: skip
    columns = ["level_frac", "start", "before", "after", "fall_factor", "model_before",
               "model_after"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def density_frame(level_frac: float = 0.0, *, thinking: str = "any") -> pd.DataFrame:
    """How many candidates stand behind each month of a frontier: a strip under its chart.

    Returns
    -------
    DataFrame
        ``date``, ``n_models``, ``n_offers``, ``newest`` and ``newest_age_years``: how old the
        newest model for sale at the level was.

    Examples
    --------
    >>> rows = density_frame(0.5)
    >>> bool(rows["n_models"].iloc[-1] > 60)
    True
    """
    rows = cheapest_frame(level_frac, thinking=thinking)
    ages = np.round(year_of(rows["date"]) - year_of(rows["newest"].fillna(rows["date"])), 3)
    columns = ["date", "n_models", "n_offers", "newest"]
    return rows.reindex(columns=columns).assign(newest_age_years=ages)


WINDOWS = (WINDOW_START, "2025-12-01")  # all of it, and the last twelve months

COLUMNS = [
    "level_frac", "per", "priced_as", "start", "end", "n_points", "fall_per_year", "low", "high",
    "reason",
]  # fmt: skip


def quarterly_frame(level_frac: float, per: str = "token") -> pd.DataFrame:
    """The cheapest way to a level at each quarter's first day, and at the window's end.

    Successive months mostly repeat a price; quarters are nearer to independent points.
    """
    path = cheapest_frame(level_frac, per=per).dropna(subset=["purchasable"])
    is_first = path["date"].str[5:].isin(["01-01", "04-01", "07-01", "10-01"])
    return path[is_first | (path["date"] == window_end())].reset_index(drop=True)


def rates_frame(
    levels_frac: Sequence[float] = LEVELS,
    windows: Sequence[str] = WINDOWS,
    pers: Sequence[str] = ("token", "answer"),
    *,
    priced_as: str = "purchasable",
) -> pd.DataFrame:
    """The fall per year with its 90 % interval, by level, window and what is priced.

    Parameters
    ----------
    levels_frac : sequence of float
        Shares of right answers on GPQA Diamond.
    windows : sequence of str
        First days; each window ends with the last reading of the lists.
    pers : sequence of str
        ``"token"``, ``"answer"``.
    priced_as : str
        ``"purchasable"`` or ``"record_low"``.

    Returns
    -------
    DataFrame
        ``level_frac, per, priced_as, start, end, n_points, fall_per_year, low, high``; times
        cheaper per year from a line through quarterly logarithms, Student's t. Where there is no
        rate, ``reason`` says why.

    Examples
    --------
    >>> row = rates_frame((0.66,), ("2026-10-01",), ("token",)).iloc[0]
    >>> row["reason"]
    '2 dated points are no trend: any two lie on a line, so nothing says how far it is off'
    """
    rows = []
    for level in levels_frac:
        for per in pers:
            path = quarterly_frame(level, per)
            for start in windows:
                part = path[path["date"] >= start]
                ends = (part["date"].min(), part["date"].max()) if len(part) else (start, "")
                key = (level, per, priced_as, *ends, len(part))
                try:
                    fit = fit_trend(part, priced_as, interval="t")
                except ValueError as error:
                    rows.append((*key, None, None, None, str(error)))
                    continue
                rows.append((*key, fit.fall_per_year, *fit.fall_interval, ""))
    return pd.DataFrame(rows, columns=COLUMNS)


def breaks_frame(levels_frac: Sequence[float] = LEVELS, per: str = "token") -> pd.DataFrame:
    """Where each level's fall changed its rate, and whether the data pay for the bend.

    Returns
    -------
    DataFrame
        ``level_frac, at, before_per_year, after_per_year`` (factors of the price), ``evidence``
        and ``earned``, from `fit_break` on quarters; levels of fewer than six are left out.

    Examples
    --------
    >>> set(breaks_frame((0.54,)).columns) >= {"at", "earned"}
    True
    """
    rows = []
    for level in levels_frac:
        path = quarterly_frame(level, per)
        try:
            bend = fit_break(path, "purchasable")
        except ValueError:
            continue
        rows.append(
            (level, bend.at, bend.before_per_year, bend.after_per_year, bend.evidence_factor,
             bend.earned)
        )  # fmt: skip
    columns = ["level_frac", "at", "before_per_year", "after_per_year", "evidence", "earned"]
    return pd.DataFrame(rows, columns=columns)


def forecasts_frame(
    levels_frac: Sequence[float] = LEVELS, per: str = "token", *, years: float = 0.5
) -> pd.DataFrame:
    """The trend's forecasts of the past against "no change", by level.

    Parameters
    ----------
    levels_frac, per
        See `rates_frame`.
    years : float
        How far ahead, e.g. 0.5: a year leaves few tests in a window of two.

    Returns
    -------
    DataFrame
        ``level_frac, n_tests, trend_off, no_change_off`` (medians of how far each was off, as a
        factor), ``better``.

    Examples
    --------
    >>> tests = forecasts_frame((0.54,))
    >>> bool((tests[["trend_off", "no_change_off"]] >= 1).all(axis=None))
    True
    """
    rows = []
    for level in levels_frac:
        try:
            tests = backtest_frame(
                quarterly_frame(level, per), n_known=3, years=years, value="purchasable"
            )
        except ValueError:
            continue
        off = tests[["trend_off", "no_change_off"]].median()
        better = "trend" if off["trend_off"] < off["no_change_off"] else "no change"
        rows.append((level, len(tests), *off, better))
    columns = ["level_frac", "n_tests", "trend_off", "no_change_off", "better"]
    return pd.DataFrame(rows, columns=columns)
