"""Topic ``test-time``: attempts, votes, and how sure a score is."""

from __future__ import annotations

import math

from econ.ledger.recompute import recompute
from econ.scaling import test_time
from econ.scaling.test_time import majority_vote_accuracy, pass_at_k


@recompute("pass_at_k")
def pass_at(n: int, c: int, k: int) -> float:
    """At least one right of k drawn."""
    return float(pass_at_k(n, c, k))


@recompute("majority_vote_accuracy")
def vote_of(p: float, k: int) -> float:
    """A majority of k votes between two answers."""
    return float(majority_vote_accuracy(p, k))


@recompute()  # the formula that the lesson refutes: it speaks for no model of ours
def coverage_if_alike(first_frac: float, k: int) -> float:
    """Coverage if all problems were equally hard."""
    return test_time.coverage_if_alike(first_frac, k)


@recompute()
def standard_error_points(p: float, n: int) -> float:
    """Binomial standard error of a score, in points."""
    return 100 * math.sqrt(p * (1 - p) / n)
