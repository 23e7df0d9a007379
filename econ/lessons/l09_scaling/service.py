"""In service: attempts, votes, thinking, families."""

from __future__ import annotations

import functools
import json
import math
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import each, fraction, not_negative, positive, unknown
from econ.catalog.tables import row_of, table
from econ.scaling.coverage import Difficulty, coverage_if_alike, difficulty
from econ.scaling.price import SizePrice, answer_prices
from econ.scaling.test_time import best_of_n_accuracy, majority_vote_accuracy
from econ.scenario import Scenario

KS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
N_HARD = 192  # difficulties that stand for all: a vote jumps where the rival is as likely
MEASURED_KS = (1, 10, 100, 1000, 10_000)


def measured_frame(ids: tuple[str, ...]) -> pd.DataFrame:
    """Measured coverage at powers of ten: id, k, coverage."""
    rows = [row_of("coverage_fits", id, "fitted coverage") for id in ids]
    points = [(r.id, k, float(r[f"coverage_{k}_frac"])) for r in rows for k in MEASURED_KS]
    return pd.DataFrame(points, columns=["id", "k", "coverage"])


def coverage_frame(id: str) -> pd.DataFrame:
    """Measured, by a law of difficulty, and as if problems were alike: k, way, percent."""
    points = measured_frame((id,))
    law, first = difficulty(id), float(points["coverage"].iloc[0])
    rows = [(k, "measured", 100 * c) for k, c in zip(points["k"], points["coverage"], strict=True)]
    rows += [(k, "problems of differing difficulty", 100 * float(law.coverage(k))) for k in KS]
    rows += [(k, "all problems alike", 100 * coverage_if_alike(first, k)) for k in KS]
    return pd.DataFrame(rows, columns=["k", "way", "percent"])


def swe_frame() -> pd.DataFrame:
    """SWE-bench Lite as published: 15.9 % at one attempt, 56 % at 250: k, percent, name.

    The figures are those of the ledger's row ``monkeys-alike``.
    """
    row = table("published_figures").loc["monkeys-alike"]
    inputs = json.loads(row.inputs)
    points = [(1, 100 * inputs["first_frac"]), (inputs["k"], 100 * row.published)]
    return pd.DataFrame(points, columns=["k", "percent"]).assign(name="SWE-bench Lite")


def held_out_frame() -> pd.DataFrame:
    """Ten thousand attempts foretold from one and from a hundred: measured, beta, independent.

    The Beta law is put through coverage at 1 and at 100 alone; the last decades are unseen.
    """
    rows = []
    for r in table("coverage_fits").itertuples():
        guess = Difficulty.through(r.coverage_1_frac, 100, r.coverage_100_frac).coverage(10_000)
        alike, truth = coverage_if_alike(r.coverage_1_frac, 10_000), r.coverage_10000_frac
        rows.append((r.id, truth, float(guess), alike, float(guess) - truth, alike - truth))
    columns = ["id", "measured", "beta", "independent", "beta_error", "independent_error"]
    return pd.DataFrame(rows, columns=columns)


@functools.cache
def rival_frac(id: str) -> float:
    """The share of wrong answers that agree on one rival: fitted to where voting ends.

    A vote of many is right where p > r·(1 − p); r puts that share of problems at the plateau.
    """
    from scipy.special import betaincinv

    row = table("coverage_fits").loc[id] if id in table("coverage_fits").index else None
    if row is None or pd.isna(row.vote_frac):
        known = table("coverage_fits").dropna(subset=["vote_frac"])
        raise unknown("coverage with a measured vote", id, known.index)
    p = float(betaincinv(row.a, row.b, 1 - row.vote_frac))
    return min(p / (1 - p), 1.0)


def attempts_frame(
    id: str, true_positive_frac: float = 1.0, false_positive_frac: float = 0.0
) -> pd.DataFrame:
    """Accuracy over attempts by how one is picked: k, way, percent.

    ``perfect verifier`` is coverage; ``this verifier`` errs with the given shares; ``majority
    vote`` needs none. One attempt stands at k = 1 of each.
    """
    law, rows = difficulty(id), []
    p, weight = law.quantiles(N_HARD)
    for k, vote in zip(KS, vote_curve(id), strict=True):
        picked = best_of_n_accuracy(
            p, k, true_positive_frac=true_positive_frac, false_positive_frac=false_positive_frac
        )
        rows += [
            (k, "perfect verifier", 100 * float(law.coverage(k))),
            (k, "this verifier", 100 * float(weight @ picked)),
            (k, "majority vote", 100 * vote),
        ]
    return pd.DataFrame(rows, columns=["k", "way", "percent"])


@functools.cache
def vote_curve(id: str) -> tuple[float, ...]:
    """Accuracy of a majority vote of each number of attempts in `KS`, over problems."""
    p, weight = difficulty(id).quantiles(N_HARD)
    rival = rival_frac(id)
    return tuple(float(weight @ majority_vote_accuracy(p, k, rival)) for k in KS)


def thinking_accuracy(tokens: float | np.ndarray, id: str) -> float | np.ndarray:
    """Accuracy after so many thinking tokens: a line in log₂, within the range that was measured.

    Outside that range there is no answer: the data do not show where the line bends.

    >>> round(float(thinking_accuracy(9130, "claude-3.7-sonnet-aime")), 3)
    0.466
    """
    row = row_of("thinking_curves", id, "thinking curve")
    each(positive, "tokens", tokens)
    x = np.asarray(tokens, dtype="float64")
    for bad in x[(x < row.low_tokens) | (x > row.high_tokens)].flat[:1]:
        raise ValueError(
            f"tokens = {bad:g} is outside its range: {row.low_tokens:g} to {row.high_tokens:g}, "
            f"what was measured for {id}"
        )
    right_frac = row.reference_frac + row.gain_frac_per_doubling * np.log2(x / row.reference_tokens)
    return float(right_frac) if right_frac.ndim == 0 else right_frac


def thinking_frame(id: str, s: Scenario, limits_s: tuple[float, ...]) -> pd.DataFrame:
    """Cost of a right answer over thinking length, under limits on the whole answer.

    Columns: tokens, limit, accuracy, usd_per_answer, usd_per_correct, concurrency. What cannot be
    served within its limit is left out.
    """
    row = table("thinking_curves").loc[id] if id in table("thinking_curves").index else None
    if row is None:
        raise unknown("thinking curve", id, table("thinking_curves").index)
    lengths = np.geomspace(row.low_tokens, row.high_tokens, 12)
    cases = [(limit, n, s.with_(output_tokens=n)) for limit in limits_s for n in lengths]
    limits, tokens, scenarios = (list(column) for column in zip(*cases, strict=True))
    prices = answer_prices(scenarios, answer_limit_s=limits)
    right = thinking_accuracy(np.clip(tokens, row.low_tokens, row.high_tokens), id)
    frame = pd.DataFrame(
        {
            "tokens": tokens,
            "limit": ["no limit" if math.isinf(t) else f"within {t:g} s" for t in limits],
            "accuracy": right,
            "usd_per_answer": prices["cost_usd_per_answer"],
            "usd_per_correct": prices["cost_usd_per_answer"] / right,
            "concurrency": prices["concurrency"],
        }
    )
    return frame.dropna(subset=["usd_per_answer"]).reset_index(drop=True)


def family_frame(
    n_requests: float,
    training_usd_per_flop: float,
    price: SizePrice,
    *,
    attempt_tokens: float = 400,
    family: str = "pythia",
) -> pd.DataFrame:
    """A family of models, trained alike, for one demand: what a solved problem costs.

    Columns: id, params, k, coverage, training_usd, usd_per_problem, usd_per_solved. Every problem
    is tried k times and a checker finds the right one; training is shared by all problems.
    """
    positive("n_requests", n_requests, 1e20)
    positive("training_usd_per_flop", training_usd_per_flop, 1.0)
    not_negative("attempt_tokens", attempt_tokens, 1e9)
    fits = table("coverage_fits")
    fits = fits[fits["id"].str.startswith(family)]
    if fits.empty:
        raise unknown("family", family, {i.split("-")[0] for i in table("coverage_fits").index})
    outcomes = []
    for r in fits.itertuples():
        law = difficulty(r.id)
        trained = 6 * r.params * r.training_tokens * training_usd_per_flop
        for k in KS:
            usd = trained / n_requests + k * attempt_tokens * price(r.params)
            right = float(law.coverage(k))
            outcomes.append((r.id, r.params, k, right, trained, usd, usd / right))
    columns = ["id", "params", "k", "coverage", "training_usd", "usd_per_problem", "usd_per_solved"]
    return pd.DataFrame(outcomes, columns=columns)


def size_frame(
    n_requests: tuple[float, ...],
    coverage_frac: float,
    training_usd_per_flop: float,
    price: SizePrice,
    **more: Any,
) -> pd.DataFrame:
    """Every size with the fewest attempts that reach a coverage, at each demand.

    Columns: those of `family_frame`, with requests, and size as text. A size that never
    reaches the coverage is left out.
    """
    fraction("coverage_frac", coverage_frac)
    rows = []
    for demand in n_requests:
        family = family_frame(demand, training_usd_per_flop, price, **more)
        first = family[family["coverage"] >= coverage_frac].groupby("id", sort=False).head(1)
        rows.append(first.assign(requests=demand))
    frame = pd.concat(rows, ignore_index=True)
    if frame.empty:
        raise ValueError(f"coverage_frac = {coverage_frac:g}: no size reaches it in {KS[-1]:,}")
    return frame.assign(size=frame["id"].str.split("-").str[1].str.upper())
