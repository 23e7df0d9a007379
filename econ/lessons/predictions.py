"""Predictions: locked before the answer is shown, answered in words afterwards.

>>> guess = predict("00-cost")
>>> guess.value is None  # nothing is locked yet
True
>>> print(guess.lock(-5))
00-cost: impossible: it is at least 0 USD per million output tokens.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from econ.catalog.units import short
from econ.charts.tables import Table
from econ.lessons import memory
from econ.lessons.interface import say
from econ.lessons.quantities import parse
from econ.lessons.question import (
    Question,
    choices,
    find,
    inputs,
    judge,
    prompt,
    questions_of,
    text,
    truth,
)  # fmt: skip
from econ.lessons.views import Record, View, listed, markup, refresh, static_html

MANTISSAS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)  # of a slider over more than one power of ten
LINEAR_STEPS = 40
LOG_FROM = 20  # ratio of a slider's ends beyond which it moves in factors


class Prediction(View):
    """A prediction to make; ``.value`` is what was locked, None until then."""

    def __init__(self, q: Question):
        self.question = q
        spec: dict[str, Any] = {
            "id": q.id,
            "mode": "predict",
            "kind": q.kind,
            "prompt": markup(f"**{say('predict')}** {prompt(q)}"),
            "unit": q.unit,
        }
        if q.kind == "number":
            values = stops(*(q.slider or (0.01, 100)))
            spec["stops"] = [short(v) for v in values]
            spec["labels"] = [f"{short(v)} {q.unit}".strip() for v in values]
            spec["values"], spec["start"] = values, len(values) // 2
        else:
            spec["options"] = [[key, label] for key, label in q.options.items()]
            spec["labels"], spec["code"] = dict(q.options), q.code
        words = f"Predict: {prompt(q)}{listed(q)}"
        super().__init__(
            words,
            static_html(f"**{say('predict')}** {prompt(q)}", q),
            spec,
            self._record,
            self._store,
        )

    @property
    def value(self) -> Any:
        """What the learner locked: a number, an option's key, or None."""
        return _said(self.question)

    def lock(self, answer: Any) -> str:
        """Lock an answer, e.g. ``"3.2 USD"``; the first one counts. Returns what to say."""
        q = self.question
        if (locked := self.value) is not None:
            return f"{q.id}: locked at {_label(q, locked)} already; the first prediction counts."
        verdict = judge(q, answer)
        if verdict.mark == "refused":
            return f"{q.id}: {verdict.words}"
        guess = parse(answer, q.unit) if q.kind == "number" else _key(q, answer)
        memory.remember("predictions", q.id, {"said": guess})
        refresh(q.id)
        return f"{q.id}: locked at {_label(q, guess)}."

    def skip(self) -> str:
        """Leave this one out; the record says so."""
        if self.value is None:
            memory.remember("predictions", self.question.id, {"skipped": True})
            refresh(self.question.id)
        return f"{self.question.id}: skipped."

    def _record(self) -> Record:
        return _record(self.question)

    def _store(self, record: Record) -> None:
        if self.value is not None:
            return
        if record.get("skipped"):
            self.skip()
        elif "said" in record:
            self.lock(record["said"])


def predict(id: str) -> Prediction:
    """A prediction to lock or to skip, shown as the last value of a cell.

    Parameters
    ----------
    id : str
        The question, e.g. ``"00-cost"``.

    Returns
    -------
    Prediction
        ``.value`` is the locked answer or None: give it to a chart as ``guess``.
    """
    return Prediction(find(id))


def reveal(id: str) -> View:
    """What was predicted, what is true, the factor between, and the sentence for that wrong idea.

    Parameters
    ----------
    id : str
        The question, e.g. ``"00-cost"``.
    """
    q = find(id)
    answer = _answer(q)
    ideas = [(_wrong_label(q, w), text(w.says, inputs(q))) for w in q.wrong]
    spec = {
        "id": q.id,
        "mode": "reveal",
        "kind": q.kind,
        "prompt": markup(f"**{say('came_out')}**"),
        "waiting": markup(say("waiting")),
        "skipped": markup(say("you_skipped", answer=answer)),
        "verdicts": {str(k): markup(reveal_words(q, v)) for k, v in _every(q)},
    }
    verdicts = "".join(
        "\n- " + say("if_you_said", label=label, words=words) for label, words in ideas
    )
    rows = "".join(
        f"<li>{markup(say('if_you_said', label=f'**{i}**', words=w))[3:-4]}</li>" for i, w in ideas
    )
    html = markup(f"**{say('came_out')}.** {answer}") + (f"<ul>{rows}</ul>" if rows else "")
    return View(f"{answer}{verdicts}", html, spec, lambda: _record(q), lambda record: None)


def reveal_words(q: Question, locked: Any) -> str:
    """The answer to one prediction, in words."""
    verdict = judge(q, locked)
    words = say("you_said", said=_label(q, locked)) + " "
    if q.kind == "number":
        true = float(truth(q))
        if verdict.mark == "right":
            words += say("within", share=f"{q.tolerance_frac:.0%}") + " "
        elif locked and true:
            ratio = float(locked) / true
            factor = short(max(ratio, 1 / ratio), 2)
            words += say("times_large" if ratio > 1 else "times_small", factor=factor) + " "
        own = [text(w.says, inputs(q)) for w in q.wrong]
        sentence = verdict.words if verdict.words in own else ""
    else:
        sentence = say("is_right") if verdict.mark == "right" else verdict.words
    return f"{words}{sentence} {_answer(q)}".replace("  ", " ")


def _answer(q: Question) -> str:
    because = text(q.because, inputs(q)) if q.because else ""
    head = say("it_is" if q.kind == "number" else "right_answer", value=_label(q, truth(q)))
    return f"{head} {because}".strip()


def _label(q: Question, value: Any) -> str:
    if q.kind == "number":
        return f"{short(float(value))} {q.unit}".strip()
    return q.options.get(value, str(value)).rstrip(".")


def _wrong_label(q: Question, wrong: Any) -> str:
    answer = wrong.answer(inputs(q)) if callable(wrong.answer) else wrong.answer
    if isinstance(answer, tuple):
        low, high = (short(float(end)) for end in answer)
        ends = f"more than {low}" if high == "inf" else f"{low} to {high}"
        return f"{ends} {q.unit}".strip()
    return _label(q, answer)


def _key(q: Question, answer: Any) -> str:
    folded = str(answer).strip().casefold()
    return next(k for k, label in q.options.items() if folded in (k.casefold(), label.casefold()))


def _every(q: Question) -> list[tuple[Any, Any]]:
    """All that a slider or a choice can say, by its key on the page."""
    if q.kind == "number":
        return list(enumerate(stops(*(q.slider or (0.01, 100)))))
    return [(key, key) for key in choices(q)]


def _said(q: Question) -> Any:
    """The locked answer, if what is stored is one."""
    locked = memory.entry("predictions", q.id).get("said")
    return None if locked is None or judge(q, locked).mark == "refused" else locked


def _record(q: Question) -> Record:
    locked = _said(q)
    if locked is None:
        skipped = memory.entry("predictions", q.id).get("skipped") is True
        return {"skipped": True} if skipped else {}
    record = {"said": _label(q, locked), "words": markup(reveal_words(q, locked))}
    if q.kind != "number":
        record["key"] = locked
    return record


def stops(low: float, high: float) -> list[float]:
    """Where a slider can stand: round numbers, by factors where its ends lie far apart.

    >>> stops(1, 100)[:4], len(stops(0, 1))
    ([1.0, 1.2, 1.5, 2.0], 41)
    """
    if low <= 0 or high / low < LOG_FROM:
        return [round(low + (high - low) * i / LINEAR_STEPS, 10) for i in range(LINEAR_STEPS + 1)]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [float(f"{m * 10.0**p:.2g}") for p in powers for m in MANTISSAS]
    return [v for v in values if low * 0.999 <= v <= high * 1.001]


# -- calibration ---------------------------------------------------------------------------------
def calibration_frame() -> pd.DataFrame:
    """Every locked prediction beside the truth: ``question``, ``said``, ``true``, ``factor``,
    ``right``; ``factor`` is missing for a choice.
    """  # fmt: skip
    rows = []
    for id in sorted(memory.recall().get("predictions", {})):
        q = questions_of(id[:2]).get(id)
        if q is None or (locked := _said(q)) is None:
            continue
        true = truth(q)
        number = q.kind == "number" and locked and true
        factor = float(locked) / float(true) if number else math.nan
        right = judge(q, locked).mark == "right"
        rows.append([id, _label(q, locked), _label(q, true), factor, right])
    return pd.DataFrame(rows, columns=["question", "said", "true", "factor", "right"])


class Calibration(Table):
    """How well a learner guessed: a sentence, then every prediction."""

    def __init__(self, frame: pd.DataFrame):
        super().__init__(frame.assign(right=frame["right"].map({True: "yes", False: "no"})),
                         factor="{:.2g}")  # fmt: skip
        self.sentence = calibration_words(frame)

    def __repr__(self) -> str:
        return self.sentence if self.text.empty else f"{self.sentence}\n{super().__repr__()}"

    def _repr_html_(self) -> str:
        table = "" if self.text.empty else super()._repr_html_()
        return f"<p>{self.sentence}</p>{table}"


def calibration_words(frame: pd.DataFrame) -> str:
    """How well a learner guessed, in a sentence.

    >>> calibration_words(pd.DataFrame({"factor": [0.5, 4.0, 8.0], "right": [True, False, False]}))
    '1 of 3 predictions right. Half of the numbers were within a factor of 4; 2 of 3 were too high.'
    """
    if frame.empty:
        return "No prediction is locked yet."
    words = f"{int(frame['right'].sum())} of {len(frame)} predictions right."
    factors = frame["factor"].dropna()
    factors = factors[factors > 0]
    if factors.empty:
        return words
    typical = short(float(factors.where(factors >= 1, 1 / factors).median()), 2)
    high = int((factors > 1).sum())
    return (
        f"{words} Half of the numbers were within a factor of {typical}; "
        f"{high} of {len(factors)} were too high."
    )


def calibration() -> Calibration:
    """How well this learner guessed, over all lessons."""
    return Calibration(calibration_frame())
