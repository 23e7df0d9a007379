"""Where attempts should go when problems differ: to all alike, until one passes, or by difficulty.

The same number of attempts for each problem goes mostly to those that are solved already and to
those that nothing solves. Whoever stops at the first right answer saves the former. Whoever knows
beforehand how hard each problem is gives most to those in the middle.

>>> law = Difficulty(a=0.5, b=1.5)
>>> rows = split_frame(law, 16).set_index("way")["solved_frac"]
>>> bool(rows.drop("all alike").min() > rows["all alike"])
True
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog.guard import in_range, positive
from econ.scaling.coverage import MOST, Difficulty

N_PROBLEMS = 400  # difficulties that stand for all
WAYS = ("all alike", "until one passes", "by known difficulty")


def attempts_by_difficulty(p: np.ndarray, weight: np.ndarray, n_attempts: float) -> np.ndarray:
    """Attempts for each problem that solve most with a mean number, when its chance is known.

    Parameters
    ----------
    p, weight : array
        Chance of one attempt, and share of the problems that are like it.
    n_attempts : float
        Of all problems, e.g. 16.

    Notes
    -----
    With h = −ln(1 − p), k attempts leave exp(−h k) unsolved, and the next one gains h exp(−h k).
    Every problem gets attempts until that gain falls to one level λ for all: k = ln(h / λ) / h, at
    least 0. Attempts are shared in fractions.

    Examples
    --------
    >>> p = np.array([0.9, 0.1, 1e-6])
    >>> attempts_by_difficulty(p, np.full(3, 1 / 3), 4.0).round(1).tolist()
    [1.8, 10.2, 0.0]
    """
    from scipy.optimize import brentq

    positive("n_attempts", n_attempts, MOST)
    if np.shape(p) != np.shape(weight) or not np.isfinite(weight).all() or np.ndim(p) != 1:
        raise ValueError("p and weight are outside their range: lists of as many finite numbers")
    chance = np.clip(np.asarray(p, dtype="float64"), 1e-300, 1 - 1e-12)
    rate = -np.log1p(-chance)

    def shared(log_level: float) -> np.ndarray:
        k: np.ndarray = np.maximum(np.log(rate) - log_level, 0.0) / rate
        return k

    def over(log_level: float) -> float:
        return float(weight @ shared(log_level)) - n_attempts

    if not over(-700.0) > 0:
        raise ValueError(f"n_attempts = {n_attempts} is outside its range: more than can be shared")
    return shared(brentq(over, -700.0, float(np.log(rate.max()))))


def split_frame(law: Difficulty, n_attempts: float) -> pd.DataFrame:
    """What one mean number of attempts solves, by how the attempts are shared out.

    Parameters
    ----------
    law : Difficulty
        How hard the problems are.
    n_attempts : float
        Attempts a problem, on the mean, e.g. 16.

    Returns
    -------
    DataFrame
        ``way``, ``solved_frac``, ``alike_attempts`` (how many each problem would need if all got
        the same), ``saving_factor`` (those over the mean). A checker recognises every right answer;
        what it costs to know a difficulty is not counted.
    """
    in_range("n_attempts", n_attempts, 1.0, 1e5)
    p, weight = law.quantiles(N_PROBLEMS)
    solved = {
        "all alike": float(law.coverage(n_attempts)),
        "until one passes": float(law.coverage(_patience(p, weight, n_attempts))),
        "by known difficulty": float(
            weight @ -np.expm1(attempts_by_difficulty(p, weight, n_attempts) * np.log1p(-p))
        ),
    }
    rows = pd.DataFrame({"way": WAYS, "solved_frac": [solved[way] for way in WAYS]})
    rows["alike_attempts"] = [law.attempts_for(share) for share in rows["solved_frac"]]
    return rows.assign(saving_factor=rows["alike_attempts"] / n_attempts)


def _patience(p: np.ndarray, weight: np.ndarray, n_attempts: float) -> float:
    """The most attempts a problem may take, so that those that are made have this mean."""
    from scipy.optimize import brentq

    def over(log_most: float) -> float:
        attempts = -np.expm1(np.exp(log_most) * np.log1p(-p)) / p
        return float(weight @ attempts) - n_attempts

    return float(np.exp(brentq(over, 0.0, np.log(MOST))))


def fifths_frame(small: Difficulty, large: Difficulty, attempts_factor: float) -> pd.DataFrame:
    """A small model's many attempts against a large model's one, by fifth of difficulty.

    Parameters
    ----------
    small, large : Difficulty
        Of two models on one set of problems.
    attempts_factor : float
        Attempts of the small one for the FLOP of one of the large: the ratio of their parameters.

    Returns
    -------
    DataFrame
        ``fifth`` (1 is the easiest), ``small_frac``, ``large_frac``, ``better``. Both models are
        taken to find the same problems hard, so that ranks can be compared.

    References
    ----------
    Snell et al. 2024, Scaling LLM test-time compute optimally can be more effective than scaling
    model parameters: the same comparison with measured fifths.

    Examples
    --------
    >>> from econ.scaling.coverage import difficulty
    >>> rows = fifths_frame(difficulty("pythia-410m-math"), difficulty("pythia-12b-math"), 29)
    >>> rows["better"].iloc[0], rows["better"].iloc[-1]
    ('small', 'large')
    """
    positive("attempts_factor", attempts_factor, MOST)
    n = 40  # ranks a fifth
    ranks = (np.arange(5 * n) + 0.5) / (5 * n)
    p = {name: _at_rank(law, ranks).reshape(5, n)[::-1] for name, law in
         (("small", small), ("large", large))}  # fmt: skip
    small_frac = (-np.expm1(attempts_factor * np.log1p(-p["small"]))).mean(axis=1)
    large_frac = p["large"].mean(axis=1)
    return pd.DataFrame(
        {
            "fifth": np.arange(1, 6),
            "small_frac": small_frac,
            "large_frac": large_frac,
            "better": np.where(small_frac > large_frac, "small", "large"),
        }
    )


def _at_rank(law: Difficulty, ranks: np.ndarray) -> np.ndarray:
    from scipy.special import betaincinv

    p: np.ndarray = betaincinv(law.a, law.b, ranks)
    return p
