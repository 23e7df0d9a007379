"""What a vote or a verifier makes of many attempts at a question.

>>> round(float(majority_vote_accuracy(0.6, 41)), 4)
0.9035

What it costs to know which attempt is right, and what a verifier's errors leave of coverage.

Attempts pay only where somebody recognises the right one. A test suite costs next to nothing, a
model that judges reads every attempt, a person costs more than all attempts together: each has a
price per attempt, a share of right answers that it passes, and a share of wrong ones.

>>> judge = Verifier(name="a judge", usd_per_attempt=0.001, false_positive_frac=0.1)
>>> tests = Verifier(name="tests", usd_per_attempt=1e-5)
>>> law = Difficulty(a=0.4, b=1.2)
>>> rows = verifiers_frame([judge, tests], law, attempt_usd=0.002)
>>> bool(rows["best_frac"].iloc[1] > rows["best_frac"].iloc[0])
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from econ.catalog.guard import count, each, fraction, not_negative, positive
from econ.scaling.coverage import MOST, Difficulty

EXACT_VOTES = 64  # beyond them the difference of two counts is near enough a bell curve
FEW_VOTES, MOST_VOTES = 100, 260  # expected on two answers, and far more than can come of it


def majority_vote_accuracy(
    p: float | np.ndarray, k: int, rival_frac: float = 1.0
) -> float | np.ndarray:
    """The chance that the most frequent of ``k`` independent answers is right.

    Parameters
    ----------
    p : float or array
        The chance that one answer is right, e.g. 0.6.
    k : int
        Votes, e.g. 41.
    rival_frac : float
        Share of the wrong answers that agree on one rival; the others are all different.

    Returns
    -------
    float or array
        A share; ties are broken by lot.

    Notes
    -----
    With ``rival_frac`` = 1 it is the jury theorem of Condorcet: below one half, voting hurts. Many
    votes converge to 1 where p exceeds the rival's chance, to 0 where it does not. Beyond 64 votes
    by the normal approximation, unless so few of them fall on the two leading answers that these
    can be counted.

    Examples
    --------
    >>> round(float(majority_vote_accuracy(0.4, 41)), 4)                  # two answers
    0.0965
    >>> round(float(majority_vote_accuracy(0.4, 41, rival_frac=0.3)), 4)  # scattered errors
    0.9714
    """
    count("k", k, 1, MOST)
    fraction("rival_frac", rival_frac)
    p = np.asarray(each(fraction, "p", p), dtype="float64")
    rival = rival_frac * (1 - p)
    both = np.minimum(p + rival, 1.0)
    if k <= EXACT_VOTES:
        won = _plurality(p, both, k, k)
    else:
        spread = np.sqrt(np.maximum(k * (both - (p - rival) ** 2), 1e-300))
        won = special.ndtr(k * (p - rival) / spread)
        few = k * both <= FEW_VOTES
        if few.any():
            won = np.asarray(won)
            won[few] = _plurality(p[few], both[few], k, min(k, MOST_VOTES))
    return float(won) if won.ndim == 0 else won


def _plurality(p: np.ndarray, both: np.ndarray, k: int, n_most: int) -> np.ndarray:
    """Sum over m, the votes for the right answer and its rival; all other votes stand alone.

    ``n_most`` bounds m, where more is beyond all chance.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(both > 0, p / both, 0.0)[..., None]
    m = np.arange(n_most + 1)
    votes = special.bdtr(m, k, both[..., None])
    weight = np.diff(votes, axis=-1, prepend=0.0)
    half = m // 2
    tie = np.where(m % 2 == 0, _pmf(half, m, share), 0.0)
    win = 1 - special.bdtr(half, np.maximum(m, 1), share) + tie / 2
    win[..., 0] = 0.0
    # one vote for the right answer ties with every other answer that has one: a lot among k
    win[..., 1] = share[..., 0] / k
    if k >= 2:
        win[..., 2] = share[..., 0] ** 2 + 2 * share[..., 0] * (1 - share[..., 0]) / k
    won: np.ndarray = (weight * win).sum(axis=-1)
    return won


def _pmf(x: np.ndarray, m: np.ndarray, share: np.ndarray) -> np.ndarray:
    below = np.where(x > 0, special.bdtr(np.maximum(x - 1, 0), np.maximum(m, 1), share), 0.0)
    chance: np.ndarray = special.bdtr(x, np.maximum(m, 1), share) - below
    return chance


def best_of_n_accuracy(
    p: float | np.ndarray,
    n: int,
    *,
    true_positive_frac: float = 1.0,
    false_positive_frac: float = 0.0,
) -> float | np.ndarray:
    """The chance that the answer picked of ``n`` is right, with a verifier that errs.

    Parameters
    ----------
    p : float or array
        The chance that one answer is right, e.g. 0.1.
    n : int
        Answers, e.g. 1000.
    true_positive_frac, false_positive_frac : float
        Shares t of right and f of wrong answers that the verifier passes. One of those passed is
        picked by lot; if none passes, one of all.

    Notes
    -----
    With s = p·t and a = s + (1 − p)·f:

        accuracy = (1 − (1 − a)^n)·s/a + (1 − a)^n · p(1 − t)/(1 − a)

    A perfect verifier gives coverage. With f > 0 it ends at s/a, however many attempts.

    Examples
    --------
    >>> round(float(best_of_n_accuracy(0.1, 1000, false_positive_frac=0.05)), 3)
    0.69
    """
    count("n", n, 1, MOST)
    t = fraction("true_positive_frac", true_positive_frac)
    f = fraction("false_positive_frac", false_positive_frac)
    p = np.asarray(each(fraction, "p", p), dtype="float64")
    passed = p * t + (1 - p) * f
    none = np.exp(n * np.log1p(-np.minimum(passed, 1 - 1e-16)))
    with np.errstate(divide="ignore", invalid="ignore"):
        right = np.where(passed > 0, p * t / passed, 0.0)
        rest = np.where(passed < 1, p * (1 - t) / (1 - passed), 0.0)
    picked = (1 - none) * right + none * rest
    return float(picked) if picked.ndim == 0 else picked


KS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 500, 1000)
NEAR_BEST_FRAC = 0.95  # of the gain: attempts beyond it buy little
N_PROBLEMS = 192  # difficulties that stand for all


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """Somebody or something that says of each attempt whether it is right.

    Parameters
    ----------
    name : str
        What a reader calls it, e.g. ``"unit tests"``.
    usd_per_attempt : float
        Price of one check, e.g. 0.0005.
    true_positive_frac, false_positive_frac : float
        Shares of right and of wrong attempts that it passes, e.g. 0.95 and 0.05.
    """

    name: str
    usd_per_attempt: float = 0.0
    true_positive_frac: float = 1.0
    false_positive_frac: float = 0.0

    def __post_init__(self) -> None:
        not_negative("usd_per_attempt", self.usd_per_attempt, 1e4)
        fraction("true_positive_frac", self.true_positive_frac)
        fraction("false_positive_frac", self.false_positive_frac)

    def accuracy_frac(self, law: Difficulty, n_attempts: int) -> float:
        """Share of the problems whose picked answer is right, over all difficulties."""
        p, weight = law.quantiles(N_PROBLEMS)
        picked = best_of_n_accuracy(
            p, n_attempts, true_positive_frac=self.true_positive_frac,
            false_positive_frac=self.false_positive_frac,
        )  # fmt: skip
        return float(weight @ np.asarray(picked))

    @property
    def assumption(self) -> str:
        """What a bill assumes when it counts on this verifier."""
        return (
            f"{self.name}: passes {self.true_positive_frac:.0%} of right and "
            f"{self.false_positive_frac:.0%} of wrong attempts, at {self.usd_per_attempt:.3g} USD "
            "each"
        )


def verifiers_frame(
    verifiers: Sequence[Verifier],
    law: Difficulty,
    attempt_usd: float,
    n_attempts: Sequence[int] = KS,
) -> pd.DataFrame:
    """Verifiers on one set of problems: how far attempts carry with each, and for how much.

    Parameters
    ----------
    verifiers : sequence of Verifier
        Those to compare.
    law : Difficulty
        How hard the problems are.
    attempt_usd : float
        Price of one attempt, e.g. 0.002.
    n_attempts : sequence of int
        Numbers of attempts that are tried.

    Returns
    -------
    DataFrame
        ``verifier``, ``usd_per_attempt``, ``best_frac`` (the highest share that any number of
        attempts reaches), ``n_attempts`` (the fewest that give 95 % of that gain), ``right_frac``
        and ``usd_per_right`` there, ``checking_share_frac`` (of the cost).
    """
    positive("attempt_usd", attempt_usd, 1e4)
    if not verifiers:
        raise ValueError("no verifiers to compare")
    rows = []
    for one in verifiers:
        right = np.array([one.accuracy_frac(law, k) for k in n_attempts])
        enough = right[0] + NEAR_BEST_FRAC * (right.max() - right[0])
        at = int(np.argmax(right >= enough))
        usd = n_attempts[at] * (attempt_usd + one.usd_per_attempt)
        rows.append(
            (one.name, one.usd_per_attempt, right.max(), n_attempts[at], right[at], usd / right[at],
             n_attempts[at] * one.usd_per_attempt / usd)
        )  # fmt: skip
    columns = ["verifier", "usd_per_attempt", "best_frac", "n_attempts", "right_frac",
               "usd_per_right", "checking_share_frac"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
