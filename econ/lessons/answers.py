"""Exercises and predictions: an answer is checked against the model and the likely slip is named.

The expected value is computed when it is needed, by the functions that the notebook uses; it is
written down nowhere. A check prints and never raises, so that a notebook runs through while answers
are still missing.

>>> @exercise("demo-1", unit="s")
... def _():
...     return 0.25
>>> check("demo-1", ...)
demo-1: not answered yet.
>>> check("demo-1", 0.2501)
demo-1: right.
>>> check("demo-1", 250)
demo-1: a factor of 1000 too large. Milliseconds for seconds, or thousands for ones?
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from econ.catalog.units import GB, GIB, HOUR_S, KWH_J, MTOK
from econ.lessons import memory


@dataclass(frozen=True)
class Exercise:
    """What an answer is compared with: its unit, the expected value and how far it may differ."""

    id: str
    unit: str
    expected: Callable[[], Any]
    tolerance_frac: float
    hints: dict[str, str]


EXERCISES: dict[str, Exercise] = {}

# ratio of answer to truth → the slip behind it
SLIPS = [
    (1e3, "a factor of 1000 too large. Milliseconds for seconds, or thousands for ones?"),
    (1e-3, "a factor of 1000 too small. Seconds for milliseconds, or ones for thousands?"),
    (MTOK, "a factor of a million too large. Per token or per million tokens?"),
    (1 / MTOK, "a factor of a million too small. Per token or per million tokens?"),
    (100.0, "a factor of 100 too large. A percentage where a share (0 to 1) is asked?"),
    (0.01, "a factor of 100 too small. A share where a percentage is asked?"),
    (HOUR_S, "a factor of 3600 too large. Per hour instead of per second?"),
    (1 / HOUR_S, "a factor of 3600 too small. Per second instead of per hour?"),
    (KWH_J, "a factor of 3.6 million too large. Joules instead of kilowatt-hours?"),
    (1 / KWH_J, "a factor of 3.6 million too small. Kilowatt-hours instead of joules?"),
    (8.0, "a factor of 8 too large. Bits instead of bytes, or all heads instead of KV heads?"),
    (0.125, "a factor of 8 too small. Bytes instead of bits?"),
    (GIB / GB, "7 % too large. Is a gigabyte 10⁹ or 2³⁰ bytes here?"),
    (GB / GIB, "7 % too small. Is a gigabyte 10⁹ or 2³⁰ bytes here?"),
    (2.0, "a factor of 2 too large. Something counted twice?"),
    (0.5, "a factor of 2 too small. Something left out, such as keys and values?"),
]  # fmt: skip


def exercise(
    id: str, unit: str, tolerance_frac: float = 0.01, **hints: str
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register the function below as the answer to an exercise.

    Parameters
    ----------
    id : str
        Notebook and number, e.g. ``"02-3"``.
    unit : str
        Unit of the answer in words; empty for a share or a word.
    tolerance_frac : float
        Largest relative gap that counts as right, e.g. 0.01.
    **hints : str
        ``hint``: what to look at where no slip is recognised.
    """

    def register(expected: Callable[[], Any]) -> Callable[[], Any]:
        EXERCISES[id] = Exercise(id, unit, expected, tolerance_frac, hints)
        return expected

    return register


def check(id: str, answer: Any) -> None:
    """Print whether an answer is right, and the likely slip if it is not.

    Parameters
    ----------
    id : str
        The exercise, e.g. ``"02-3"``.
    answer : number or str
        The learner's; ``...`` for none yet.
    """
    id = str(id)
    if id not in EXERCISES:
        near = difflib.get_close_matches(id, EXERCISES, n=3)
        print(f"No exercise {id!r}; nearest: {', '.join(near or sorted(EXERCISES))}.")
        return
    if answer is ... or answer is None:
        print(f"{id}: not answered yet.")
        return
    try:
        verdict, right = _verdict(EXERCISES[id], answer)
    except Exception as error:  # ours, not the learner's: a lesson goes on
        print(f"{id}: could not be checked ({type(error).__name__}: {error}).")
        return
    print(f"{id}: {verdict}")
    memory.remember("exercises", id, {"right": right})


def _verdict(task: Exercise, answer: Any) -> tuple[str, bool]:
    truth = task.expected()
    if isinstance(truth, str):
        right = str(answer).strip().casefold() == truth.casefold()
        return ("right." if right else f"{answer!r} is not it. {_hint(task)}"), right
    if isinstance(answer, bool) or not isinstance(answer, numbers.Real):
        kind = type(answer).__name__
        return f"a number in {task.unit} is asked, this is a {kind}.", False
    value = _float(answer)
    if not math.isfinite(value):
        return f"{value} is not a finite number.", False
    if math.isclose(value, truth, rel_tol=task.tolerance_frac, abs_tol=1e-12):
        return "right.", True
    if truth and math.isclose(value, -truth, rel_tol=task.tolerance_frac):
        return "the right size with the wrong sign.", False
    if value and truth:
        ratio = value / truth
        for factor, words in SLIPS:
            if math.isclose(ratio, factor, rel_tol=max(task.tolerance_frac, 0.004)):
                return words, False
        if math.isclose(value * truth, 1, rel_tol=task.tolerance_frac):
            return "the reciprocal: turn the division around.", False
    side = "large" if value > truth else "small"
    return f"not yet: {_round(value)} {task.unit} is too {side}. {_hint(task)}", False


def _float(number: numbers.Real) -> float:
    """The number as a float; infinite where it is too large to be one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _hint(task: Exercise) -> str:
    return task.hints.get("hint", "Read the question's units once more.")


def _round(x: float) -> str:
    return f"{x:,.4g}" if abs(x) >= 1000 or abs(x) < 1e-3 else f"{x:.4f}"


def predict(id: str, guess: Any, unit: str) -> float | None:
    """Remember a learner's guess for a later chart.

    Parameters
    ----------
    id : str
        Notebook and quantity, e.g. ``"00-cost"``.
    guess : number
        ``...`` for none yet.
    unit : str
        Its unit in words, e.g. ``"USD"``.

    Returns
    -------
    float or None
        The guess; None where there is none or it is no number.

    Examples
    --------
    >>> predict("demo", ..., "USD")
    No guess yet. Put a number of USD in place of the dots.
    """
    if guess is ... or guess is None:
        print(f"No guess yet. Put a number of {unit} in place of the dots.")
        return None
    real = isinstance(guess, numbers.Real) and not isinstance(guess, bool)
    value = _float(guess) if real else math.nan
    if not math.isfinite(value):
        print(f"{guess!r} is not a number of {unit}.")
        return None
    print(f"Your guess: {value:g} {unit}. A later chart will show it.")
    memory.remember("guesses", id, {"value": value, "unit": unit})
    return value
