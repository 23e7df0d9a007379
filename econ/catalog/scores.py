"""How good models are: dated scores with tokens per answer, and what narrow formats cost.

Independent scores stand apart from those that vendors report of themselves; a benchmark names what
was asked, ``reasoning`` how much the model may think. Scores and tokens of Artificial Analysis have
no open licence, so the table holds classes derived from them: a score to the nearest 0.02, which is
less than its standard error, and tokens in ten steps a decade. What needs a finer score than that
is not decided by one run of 198 questions either.

>>> one = quality("gpt-oss-120b")
>>> one.score_frac, one.reasoning, one.output_tokens_per_answer
(0.78, 'high', 10000.0)
>>> models_above(0.999)  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
ValueError: floor_frac = 0.999: no model reaches it on GPQA-Diamond (independent); the best is ...
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from econ.catalog.catalog import build
from econ.catalog.guard import fraction, one_of, unknown
from econ.catalog.names import identifier
from econ.catalog.precision import PRECISIONS
from econ.catalog.ranges import Range
from econ.catalog.tables import remember, table

BENCHMARK = "GPQA-Diamond"
MEASURED_BY = ("independent", "vendor")
EFFORTS = ("off", "as served", "low", "medium", "reasoning", "high", "max")  # rising
QUESTIONS = {BENCHMARK: 198}  # where a score's error is not published it follows from their number
LOSSLESS = ("bf16", "fp16", "fp32")


@dataclass(frozen=True, kw_only=True)
class Quality:
    """A score of a model on a benchmark.

    Attributes
    ----------
    model, vendor, release : str
        As the table calls it, its maker, its first day (YYYY-MM-DD).
    benchmark, reasoning : str
        What was asked, and how much the model may think: off, low, medium, high, max, reasoning
        (on; effort not stated) or as served.
    measured_by : str
        independent, or vendor.
    score_frac : float
        Share of the questions answered right.
    stderr_frac : float, optional
        Its standard error; where it is not published, √(p (1 − p) / n) for a benchmark of ``n``
        questions.
    output_tokens_per_answer, input_tokens_per_question : float, optional
        Mean tokens, reasoning included.
    open_weights : bool, optional
        Whether the weights can be downloaded.
    source, as_of : str
        Key of the source and its date.
    """

    model: str
    vendor: str = ""
    release: str = ""
    benchmark: str
    reasoning: str
    measured_by: str
    score_frac: float
    stderr_frac: float | None = None
    output_tokens_per_answer: float | None = None
    input_tokens_per_question: float | None = None
    open_weights: bool | None = None
    source: str = ""
    as_of: str = ""


def quality_frame(
    benchmark: str | None = BENCHMARK, *, measured_by: str | None = "independent"
) -> pd.DataFrame:
    """All scores on a benchmark, oldest model first.

    Parameters
    ----------
    benchmark : str, optional
        E.g. ``"GPQA-Diamond"``, ``"SWE-bench Verified"``; None for all.
    measured_by : str, optional
        ``"independent"`` or ``"vendor"``; None for both.

    Returns
    -------
    DataFrame
        The attributes of `Quality` as columns; a model has a row by source and effort.

    Raises
    ------
    UnknownName
        For another benchmark or another origin.

    Examples
    --------
    >>> quality_frame(measured_by="vendor")["model"].nunique() > 60
    True
    """
    rows = table("quality")
    if benchmark is not None:
        one_of("benchmark", benchmark, rows["benchmark"].unique())
        rows = rows[rows["benchmark"] == benchmark]
    if measured_by is not None:
        one_of("measured_by", measured_by, MEASURED_BY)
        rows = rows[rows["measured_by"] == measured_by]
    p = rows["score_frac"]
    spread = (p * (1 - p) / rows["benchmark"].map(QUESTIONS)) ** 0.5
    rows = rows.assign(stderr_frac=rows["stderr_frac"].fillna(spread))
    return rows.sort_values(["release", "model"], kind="stable", ignore_index=True)


@remember
def quality(
    model: str,
    benchmark: str = BENCHMARK,
    *,
    reasoning: str | None = None,
    measured_by: str = "independent",
) -> Quality:
    """The score of a model: its best effort, or one that is named.

    Parameters
    ----------
    model : str
        As the table calls it, e.g. ``"gpt-oss-120b"``; Hugging Face ids and the like are
        understood.
    benchmark : str
        E.g. ``"GPQA-Diamond"``.
    reasoning : str, optional
        An effort, e.g. ``"off"``; by default the one that scores best.
    measured_by : str
        ``"independent"`` or ``"vendor"``.

    Returns
    -------
    Quality
        The newest of equal scores.

    Raises
    ------
    UnknownName
        For a model, a benchmark or an effort without a score, with the nearest.

    Examples
    --------
    >>> quality("deepseek-ai/DeepSeek-V3.2", reasoning="off").score_frac
    0.76
    >>> quality("gpt-5", measured_by="vendor").score_frac > quality("gpt-5").score_frac
    True
    """
    rows = quality_frame(benchmark, measured_by=measured_by)
    known = pd.DataFrame(index=pd.Index(rows["model"].unique()))
    id = identifier("scored model", model, known, with_aliases=False)
    rows = rows[rows["model"] == id]
    if reasoning is not None:
        one_of(f"effort of {id} on {benchmark}", reasoning, rows["reasoning"].unique())
        rows = rows[rows["reasoning"] == reasoning]
    return build(Quality, rows.sort_values(["score_frac", "as_of"]).iloc[-1])


def models_above(
    floor_frac: float,
    benchmark: str = BENCHMARK,
    *,
    measured_by: str = "independent",
    on: str | None = None,
) -> pd.DataFrame:
    """The models that reach a floor of quality, each with the effort that takes fewest tokens.

    Parameters
    ----------
    floor_frac : float
        Least share of right answers, e.g. 0.75.
    benchmark, measured_by : str
        See `quality`.
    on : str, optional
        ``YYYY-MM-DD``: only models released by then.

    Returns
    -------
    DataFrame
        One row a model, best first, with the columns of `quality_frame` and ``decided``: whether
        the score is above the floor by two of its standard errors.

    Raises
    ------
    ValueError
        For a floor that nobody reaches, with the nearest that works, or outside 0 to 1.

    Examples
    --------
    >>> rows = models_above(0.75).set_index("model")
    >>> rows.loc["gpt-oss-120b", "reasoning"], bool(rows.loc["gpt-oss-120b", "decided"])
    ('high', False)
    """
    fraction("floor_frac", floor_frac)
    rows = quality_frame(benchmark, measured_by=measured_by)
    if on is not None:
        rows = rows[rows["release"] <= on]
    if rows.empty or rows["score_frac"].max() < floor_frac:
        says = f"floor_frac = {floor_frac:g}: no model reaches it on {benchmark} ({measured_by})"
        if rows.empty:
            raise ValueError(f"{says}, for none was released by {on}")
        best = rows.loc[rows["score_frac"].idxmax()]
        raise ValueError(f"{says}; the best is {best['model']} with {best['score_frac']:g}")
    rows = rows[rows["score_frac"] >= floor_frac]
    effort = rows["reasoning"].map(EFFORTS.index)
    rows = rows.assign(
        decided=rows["score_frac"] - 2 * rows["stderr_frac"].fillna(0) >= floor_frac, _effort=effort
    )
    rows = rows.sort_values(["output_tokens_per_answer", "_effort"], kind="stable")
    rows = rows.drop_duplicates("model").drop(columns="_effort")
    return rows.sort_values("score_frac", ascending=False, kind="stable", ignore_index=True)


def vendor_gap_frame(benchmark: str = BENCHMARK) -> pd.DataFrame:
    """Vendors' own scores minus independent ones, for models that have both.

    Returns
    -------
    DataFrame
        ``model, vendor_frac, independent_frac, gap_frac``, best effort of either.

    Examples
    --------
    >>> gaps = vendor_gap_frame()["gap_frac"]
    >>> bool(0 < gaps.median() < 0.05), bool(gaps.min() < -0.1)
    (True, True)
    """
    best = {
        who: quality_frame(benchmark, measured_by=who).groupby("model")["score_frac"].max()
        for who in MEASURED_BY
    }
    both = pd.DataFrame({f"{who}_frac": scores for who, scores in best.items()}).dropna()
    both["gap_frac"] = both["vendor_frac"] - both["independent_frac"]
    return both.rename_axis("model").reset_index()


@remember
def precision_loss(precision: str) -> Range:
    """Share of the score that a number format costs against 16 bits.

    Parameters
    ----------
    precision : str
        E.g. ``"fp8"``.

    Returns
    -------
    Range
        Low, typical and high share; below 0 it gained.

    Raises
    ------
    UnknownName
        For another precision.

    Notes
    -----
    A model's loss hangs on how it was quantised, on its size and on the task; a model trained in a
    format (gpt-oss in MXFP4) loses nothing by it. The ranges are for others.

    Examples
    --------
    >>> precision_loss("fp8").typical, precision_loss("bf16").high
    (0.002, 0.0)
    """
    if precision in LOSSLESS:
        return Range(0.0, 0.0, 0.0, "share")
    rows = table("precision_losses")
    if precision not in rows.index:
        raise unknown("precision", precision, PRECISIONS)
    row = rows.loc[precision]
    low, typical, high = (float(row[f"loss_{end}_frac"]) for end in ("low", "typical", "high"))
    return Range(low, typical, high, "share", source=str(row["source"]))
