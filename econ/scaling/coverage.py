"""Coverage: the share of problems that at least one of many attempts solves, and where it ends.

Problems differ in difficulty: the chance p that one attempt succeeds follows a distribution over
problems, here a Beta(a, b). Averages over problems then fall far short of what one "average
problem" suggests: that is the lesson of repeated sampling (Brown et al. 2024).

>>> round(float(pass_at_k(200, 20, 10)), 4)          # 200 attempts, 20 right, of which we draw 10
0.6602
>>> swe = Difficulty.through(0.159, 250, 0.56)       # 15.9 % with one attempt, 56 % with 250
>>> round(float(swe.coverage(250)), 2), round(1 - (1 - swe.mean_frac) ** 250, 4)
(0.56, 1.0)

Where attempts should go when problems differ: to all alike, until one passes, or by difficulty.

The same number of attempts for each problem goes mostly to those that are solved already and to
those that nothing solves. Whoever stops at the first right answer saves the former. Whoever knows
beforehand how hard each problem is gives most to those in the middle.

>>> law = Difficulty(a=0.5, b=1.5)
>>> rows = split_frame(law, 16).set_index("way")["solved_frac"]
>>> bool(rows.drop("all alike").min() > rows["all alike"])
True
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from econ.catalog.guard import (
    count,
    each,
    fraction,
    in_range,
    not_negative,
    positive,
)
from econ.catalog.tables import row_of

MOST = 10**9  # attempts
FEW = 64  # draws or right answers up to which pass@k is a plain product
N_NODES = 48  # quadrature over difficulty


def pass_at_k(n: int | np.ndarray, c: int | np.ndarray, k: int | np.ndarray) -> float | np.ndarray:
    """The chance that at least one of ``k`` attempts is right, from ``c`` right ones of ``n``.

    Parameters
    ----------
    n : int or array
        Attempts that were made, e.g. 200.
    c : int or array
        Right ones among them, 0 to n.
    k : int or array
        Attempts that are drawn, 1 to n.

    Returns
    -------
    float or array
        A share; arrays are broadcast.

    Raises
    ------
    ValueError
        For ``c`` or ``k`` greater than ``n``: more draws than attempts need a law of difficulty
        (`Difficulty`), not an estimator.

    Notes
    -----
    1 − C(n − c, k)/C(n, k), unbiased, by logarithms of beta functions, which neither overflow nor
    cancel.

    References
    ----------
    Chen et al. 2021, Evaluating large language models trained on code.

    Examples
    --------
    >>> float(pass_at_k(10_000, 1, 10_000)), float(pass_at_k(10_000, 0, 100))
    (1.0, 0.0)
    """
    n, c, k = (np.asarray(v, dtype="float64") for v in (n, c, k))
    for name, values, low in (("n", n, 1), ("c", c, 0), ("k", k, 1)):
        for bad in values[~((values >= low) & (values <= MOST) & (values % 1 == 0))].flat[:1]:
            count(name, float(bad), low, MOST)
    n, c, k = np.broadcast_arrays(n, c, k)
    for name, values in (("c", c), ("k", k)):
        for i in np.flatnonzero(values.ravel() > n.ravel())[:1]:
            raise ValueError(
                f"{name} = {values.ravel()[i]:g} is outside its range: at most n = "
                f"{n.ravel()[i]:g}, the attempts made"
            )
    few, many = np.minimum(c, k), np.maximum(c, k)  # the ratio is the same with c and k exchanged
    left = n - few - many
    with np.errstate(divide="ignore", invalid="ignore"):
        log_none = special.betaln(n - few + 1, few) - special.betaln(np.maximum(left, 0) + 1, few)
        i = np.arange(FEW)  # factor by factor where they are few: exact to the last digits
        factors = np.log1p(-many[..., None] / (n[..., None] - i))
        summed = np.where(i < few[..., None], factors, 0.0).sum(axis=-1)
        log_none = np.where(few <= FEW, summed, log_none)
    chance = np.where(c == 0, 0.0, np.where(left < 0, 1.0, -np.expm1(np.minimum(log_none, 0.0))))
    return float(chance) if chance.ndim == 0 else chance


def coverage_curve(n: np.ndarray, c: np.ndarray, k: list[int]) -> pd.DataFrame:
    """Coverage over problems: k, coverage (mean pass@k), independent (one average problem).

    ``n`` attempts and ``c`` right ones for each problem. ``independent`` is 1 − (1 − p̄)^k with the
    mean success p̄: what coverage would be if all problems were equally hard.
    """
    n, c = np.broadcast_arrays(np.atleast_1d(n), np.atleast_1d(c))
    if n.size == 0:
        raise ValueError("no problems: n is empty")
    pass_at_k(n, c, 1)  # checks them
    mean = float((c / n).mean())
    rows = [
        (j, float(np.mean(pass_at_k(n, c, j))), coverage_if_alike(mean, j))
        for j in np.atleast_1d(k).tolist()
    ]
    return pd.DataFrame(rows, columns=["k", "coverage", "independent"])


def coverage_if_alike(first_frac: float, k: float) -> float:
    """Coverage if every problem were as hard as the average one: 1 − (1 − p)^k.

    >>> coverage_if_alike(0.159, 250)
    1.0
    """
    fraction("first_frac", first_frac)
    return -math.expm1(_log_miss(first_frac, k))


def _log_miss(p: float, k: float) -> float:
    return k * math.log1p(-p) if p < 1 else -math.inf


@dataclass(frozen=True, kw_only=True)
class Difficulty:
    """How the chance of one attempt is spread over problems: Beta(a, b); mean a/(a + b)."""

    a: float
    b: float

    def __post_init__(self) -> None:
        positive("a", self.a, 1e9)
        positive("b", self.b, 1e9)

    @property
    def mean_frac(self) -> float:
        """Success of one attempt, averaged over problems."""
        return self.a / (self.a + self.b)

    def coverage(self, k: float | np.ndarray) -> float | np.ndarray:
        """Share of problems that at least one of ``k`` attempts solves: 1 − B(a, b + k)/B(a, b).

        For large k the rest falls as k^(−a): a power law, not an exponential.
        """
        k = np.asarray(each(not_negative, "k", k), dtype="float64")
        rest = special.betaln(self.a, self.b + k)
        solved: float | np.ndarray = -np.expm1(rest - special.betaln(self.a, self.b))
        return solved

    def attempts_for(self, coverage_frac: float) -> float:
        """Attempts that reach a coverage, as a fractional number; at least 1."""
        from scipy.optimize import brentq

        fraction("coverage_frac", coverage_frac)
        if coverage_frac >= 1:
            raise ValueError("coverage_frac = 1: no number of attempts solves every problem")
        if self.coverage(1) >= coverage_frac:
            return 1.0
        if self.coverage(MOST) < coverage_frac:
            raise ValueError(
                f"coverage_frac = {coverage_frac:g} takes more than {MOST:g} attempts a problem"
            )
        return math.exp(
            brentq(lambda x: self.coverage(math.exp(x)) - coverage_frac, 0, math.log(MOST))
        )

    def quantiles(self, n: int = N_NODES) -> tuple[np.ndarray, np.ndarray]:
        """Difficulties and weights that stand for the distribution: Gauss–Legendre in its rank."""
        return _quantiles(self.a, self.b, n)

    @classmethod
    def fit(cls, n: np.ndarray, c: np.ndarray) -> Difficulty:
        """The likeliest Beta for right attempts ``c`` of ``n`` per problem (beta-binomial)."""
        n, c = (np.asarray(v, dtype="float64") for v in (n, c))
        pass_at_k(n, c, 1)  # checks them
        if c.sum() == 0 or (c == n).all():
            raise ValueError("all attempts are wrong, or all are right: no spread to fit")

        def unlikely(t: np.ndarray) -> float:
            a, b = np.exp(t)
            return -float((special.betaln(c + a, n - c + b) - special.betaln(a, b)).sum())

        return cls._solved(unlikely, float((c / n).mean()))

    @classmethod
    def through(cls, first_frac: float, k: int, coverage_frac: float) -> Difficulty:
        """The Beta with this success of one attempt and this coverage at ``k``."""
        from scipy.optimize import brentq

        in_range("first_frac", first_frac, 1e-9, 1 - 1e-9, says="between 0 and 1")
        most = -math.expm1(_log_miss(first_frac, count("k", k, 2, MOST)))
        says = f"between {first_frac:g}, one attempt, and {most:.6g}, equal problems"
        low, high = first_frac * (1 + 1e-9), most * (1 - 1e-12)
        in_range("coverage_frac", coverage_frac, low, high, says=says)

        def at(x: float) -> Difficulty:
            total = math.exp(x)
            return cls(a=first_frac * total, b=(1 - first_frac) * total)

        return at(brentq(lambda x: at(x).coverage(k) - coverage_frac, -14, 18))

    @classmethod
    def _solved(cls, objective: Callable[[np.ndarray], float], mean: float) -> Difficulty:
        from scipy.optimize import minimize

        start = np.log([0.3, 0.3 * (1 - mean) / mean])
        minimum = minimize(
            objective, start, method="Nelder-Mead",
            options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000},
        )  # fmt: skip
        a, b = np.exp(minimum.x)
        return cls(a=float(a), b=float(b))


@functools.lru_cache(maxsize=256)
def _quantiles(a: float, b: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = _nodes(n)
    levels = special.betaincinv(a, b, (nodes + 1) / 2), weights / 2
    for values in levels:
        values.flags.writeable = False  # shared by all who ask
    return levels


@functools.cache
def _nodes(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(n)


def difficulty(id: str) -> Difficulty:
    """A fitted difficulty of ``data/scaling/coverage_fits.csv``: a model on a benchmark."""
    row = row_of("coverage_fits", id, "fitted coverage")
    return Difficulty(a=float(row["a"]), b=float(row["b"]))


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
