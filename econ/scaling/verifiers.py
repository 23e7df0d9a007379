"""What it costs to know which attempt is right, and what a verifier's errors leave of coverage.

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

from econ.catalog.guard import fraction, not_negative, positive
from econ.scaling.coverage import Difficulty
from econ.scaling.test_time import best_of_n_accuracy

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
