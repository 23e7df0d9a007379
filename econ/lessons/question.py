"""Questions: what is asked, what is true, and what to say of each wrong answer.

A question is defined once, by `question`, with a function that computes its truth from its inputs.
Predictions and exercises show it; nothing here draws or stores anything.

>>> question("demo-1", "How long do {n} steps of 10 ms take?", unit="ms", inputs={"n": (3, 5)},
...          wrong=[Wrong(lambda q: 10, "That is one step.")], hints=("Count.", "n × 10 ms"),
...          work=lambda q: f"{q.n} steps of 10 ms are {10 * q.n} ms.", truth=lambda q: 10 * q.n)
>>> q = find("demo-1")
>>> n = inputs(q).n  # this learner's own: 3 or 5
>>> judge(q, f"{n / 100} s").words, judge(q, 10).words, judge(q, 10.3 * n).mark
('right.', 'That is one step.', 'close')
>>> hints(q)[-1] == f"{8 - n} steps of 10 ms are {80 - 10 * n} ms."
True
>>> forget("demo-1")
"""

from __future__ import annotations

import importlib
import itertools
import math
import pkgutil
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from econ.arguments import wanted
from econ.catalog.guard import one_of, shown, unknown
from econ.catalog.tables import remember
from econ.lessons import memory
from econ.lessons.quantities import parse, units_of

Inputs = SimpleNamespace
Text = str | Callable[[Inputs], str]
CLOSE_FRAC = 0.05  # beyond the tolerance, but no other mistake than a rounding
SLIP_FRAC = 0.004  # how near an answer must be to a wrong one to be taken for it
MOST_ITEMS = 5  # of an order: 120 ways


@dataclass(frozen=True)
class Wrong:
    """A wrong answer and the sentence for it.

    ``answer``: a number, a function of the inputs, a span ``(low, high)``, an option's key, or the
    keys of an order. ``idea``: its row in the table ``misconceptions``, if it has one.
    """

    answer: Any
    says: Text
    idea: str = ""


@dataclass(frozen=True)
class Question:
    """What is asked; `question` describes the fields."""

    id: str
    prompt: Text
    truth: Callable[[Inputs], Any]
    unit: str = ""
    inputs: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    wrong: tuple[Wrong, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)
    hints: tuple[Text, ...] = ()
    work: Text = ""
    twin: Text = ""
    because: Text = ""
    tolerance_frac: float = 0.01
    whole: bool = False
    limits: tuple[float, float] = (-math.inf, math.inf)
    slider: tuple[float, float] | None = None
    rubric: tuple[str, ...] = ()
    code: bool = False

    @property
    def kind(self) -> str:
        """``number``, ``choose``, ``order`` or ``justify``."""
        if self.rubric:
            return "justify"
        return "choose" if self.options else "order" if self.items else "number"


@dataclass(frozen=True)
class Verdict:
    """``mark``: right, close, wrong or refused (no answer at all); the words; the wrong idea."""

    mark: str
    words: str
    idea: str = ""


@dataclass(frozen=True)
class Zone:
    """A verdict for all numbers from ``low`` to ``high``."""

    low: float
    high: float
    verdict: Verdict


_registered: dict[str, Question] = {}
Truth = Callable[[Inputs], Any]


def question(id: str, prompt: Text, *, truth: Truth, **more: Any) -> None:
    """Register a question.

    Parameters
    ----------
    id : str
        Notebook and number for an exercise (``"13-1"``), notebook and a word for a prediction
        (``"13-share"``).
    prompt : str or callable
        What is asked. ``{name}`` is replaced by that input; a function of the inputs computes it.
    truth : callable
        The right answer from the inputs.
    unit : str
        Of a number, e.g. ``"ms"``; other units of its kind are understood.
    inputs : dict
        Name → values of which a learner gets one each, e.g. ``{"years": (4, 5, 6)}``. The first
        ones stand in committed outputs.
    wrong : list of Wrong
        The wrong answers that have a sentence of their own.
    options : dict
        Key → words, of a choice; for *find the wrong line*, the lines.
    items : dict
        Key → words, at most five, of an order; the truth is the keys in their order.
    hints : tuple
        A nudge, then the formula.
    work : str or callable
        How the answer is found, with the inputs' numbers. With other inputs it is the third hint.
    twin : str or callable
        The third hint of a question that has no inputs.
    because : str or callable
        Why the truth is true: the last sentence of a reveal.
    tolerance_frac : float
        Largest relative gap that is right, e.g. 0.01; about 0.25 for a prediction.
    whole : bool
        Whether a count is asked: the whole numbers on both sides of the truth are right.
    limits : tuple
        Numbers outside are impossible and refused, e.g. ``(0, 1)``.
    slider : tuple
        Ends of a prediction's slider, e.g. ``(0.01, 100)``.
    rubric : tuple of str
        What a justification should say: makes the choice one to be justified in words.
    code : bool
        Whether the options are lines of code.

    Raises
    ------
    ValueError
        If the same id is there already or a choice has a wrong answer that is no option.
    """
    kinds = Question.__annotations__
    new: dict[str, Any] = {
        name: wanted(name, kinds.get(name, Any), globals()).check(value)
        for name, value in more.items()
    }
    if id in _registered:
        raise ValueError(f"question {id!r} is there already")
    if len(new.get("items", ())) > MOST_ITEMS:
        raise ValueError(f"question {id!r} orders more than {MOST_ITEMS} items")
    for wrong in new.get("wrong", ()) if new.get("options") else ():
        one_of("option", wrong.answer, new["options"])
    if new.get("slider"):
        new.setdefault("limits", (0, math.inf))
    _registered[id] = Question(id, prompt, truth, **new)


def questions_of(notebook: str = "") -> dict[str, Question]:
    """Id → question, of one notebook (``"13"``) or of all.

    A notebook's questions are imported, with what they compute from, when they are first asked for:
    a reader of one lesson does not wait for the others.
    """
    package = importlib.import_module("econ.lessons.questions")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.name.startswith(f"{package.__name__}.q{notebook}"):
            importlib.import_module(module.name)
    return {id: q for id, q in _registered.items() if id.startswith(notebook)}


def forget(*ids: str) -> None:
    """Take questions back, those of a test."""
    for id in ids:
        del _registered[id]


def find(id: Any) -> Question:
    """The question of that name; `UnknownName` lists the nearest."""
    if isinstance(id, str) and id not in _registered:
        questions_of(id[:2])
    if not isinstance(id, str) or id not in _registered:
        raise unknown("question", id, sorted(questions_of()))
    return _registered[id]


# -- inputs and texts ----------------------------------------------------------------------------
def inputs(q: Question, shift: int = 0) -> Inputs:
    """This learner's inputs of a question; with ``shift=1`` those of its twin."""
    seed = memory.seed() if q.inputs else 0
    drawn = {}
    for name, values in q.inputs.items():
        start = zlib.crc32(f"{seed} {q.id} {name}".encode()) if seed else 0
        drawn[name] = values[(start + shift) % len(values)]
    return Inputs(**drawn)


def truth(q: Question) -> Any:
    """What is true for this learner's inputs; computed once."""
    return _truth(q.truth, tuple(vars(inputs(q)).items()))


@remember
def _truth(function: Truth, numbers: tuple[tuple[str, Any], ...]) -> Any:
    return function(Inputs(**dict(numbers)))


def text(words: Text, numbers: Inputs) -> str:
    """Words with their numbers in place."""
    return words(numbers) if callable(words) else words.format(**vars(numbers))


def prompt(q: Question) -> str:
    """What this learner is asked."""
    return text(q.prompt, inputs(q))


def hints(q: Question) -> list[str]:
    """A nudge, the formula, and the same worked with other numbers, as far as there are any."""
    own = [text(h, inputs(q)) for h in q.hints]
    twin = text(q.twin, inputs(q)) if q.twin else ""
    if q.work and q.inputs and not twin:
        twin = text(q.work, inputs(q, shift=1))
    return [*own, twin] if twin else own


# -- judging -------------------------------------------------------------------------------------
def judge(q: Question, answer: Any) -> Verdict:
    """What to say of an answer, whatever its type."""
    if q.kind == "number":
        try:
            value = parse(answer, q.unit)
        except ValueError as error:
            return Verdict("refused", f"{error}.")
        return next(z.verdict for z in zones(q) if z.low <= value <= z.high)
    if q.kind == "order":
        return orders(q)[keys] if (keys := _keys(q, answer)) else Verdict("refused", _all_items(q))
    key = _option(q, answer)
    if key is None:
        return Verdict("refused", f"{shown(answer)} is none of: {', '.join(q.options)}.")
    return choices(q)[key]


def zones(q: Question) -> list[Zone]:
    """Every number's verdict; the first zone that holds a number is the one that counts."""
    numbers = inputs(q)
    true = float(truth(q))
    slip = min(q.tolerance_frac, SLIP_FRAC) if not q.slider else q.tolerance_frac
    units = _other_units(q, true, slip)
    rows = [z for z in units if z.low > q.limits[1]]  # 87 for 0.87: the unit, not impossible
    rows += _impossible(q)
    low, high = _around(true, q.tolerance_frac)
    if q.whole:
        low, high = min(low, math.floor(true + 1e-9)), max(high, math.ceil(true - 1e-9))
    rows.append(Zone(low, high, Verdict("right", "right.")))
    for wrong in q.wrong:
        answer = wrong.answer(numbers) if callable(wrong.answer) else wrong.answer
        low, high = answer if isinstance(answer, tuple) else _around(float(answer), slip)
        rows.append(Zone(low, high, Verdict("wrong", text(wrong.says, numbers), wrong.idea)))
    rows += units
    if true:
        words = "the right size with the wrong sign."
        rows.append(Zone(*_around(-true, slip), Verdict("wrong", words)))
        words = "the reciprocal: turn the division around."
        rows.append(Zone(*_around(1 / true, slip), Verdict("wrong", words)))
    words = "close, but not within the rounding: carry more digits, or look for a count off by one."
    rows.append(Zone(*_around(true, max(CLOSE_FRAC, 2 * q.tolerance_frac)),
                      Verdict("close", words)))  # fmt: skip
    nudge = f" {text(q.hints[0], numbers)}" if q.hints else ""
    rows.append(Zone(-math.inf, true, Verdict("wrong", f"too small.{nudge}")))
    rows.append(Zone(true, math.inf, Verdict("wrong", f"too large.{nudge}")))
    return rows


def _around(value: float, frac: float) -> tuple[float, float]:
    gap = abs(value) * frac + 1e-12
    return value - gap, value + gap


def _other_units(q: Question, true: float, slip_frac: float) -> list[Zone]:
    """Where an answer would be right in another unit of the same dimension."""
    return [
        Zone(*_around(true / size, slip_frac), Verdict(
            "wrong", f"that would be right in {name}; the unit of this answer is {q.unit}."))
        for name, size in units_of(q.unit).items() if size != 1.0 and true
    ]  # fmt: skip


def _impossible(q: Question) -> list[Zone]:
    (low, high), unit = q.limits, "" if q.unit == "share" else q.unit
    verdict = Verdict("refused", f"impossible: {_span(low, high)} {unit}".strip() + ".")
    below, above = math.nextafter(low, -math.inf), math.nextafter(high, math.inf)
    outside = [Zone(-math.inf, below, verdict), Zone(above, math.inf, verdict)]
    return [z for z in outside if math.isfinite(z.low) or math.isfinite(z.high)]


def _span(low: float, high: float) -> str:
    if high == math.inf:
        return f"it is at least {low:g}"
    return f"it lies between {low:g} and {high:g}"


def choices(q: Question) -> dict[str, Verdict]:
    """Each option's verdict."""
    numbers = inputs(q)
    nudge = text(q.hints[0], numbers) if q.hints else "Read the options once more."
    verdicts = {key: Verdict("wrong", f"not this one. {nudge}") for key in q.options}
    for wrong in q.wrong:
        verdicts[wrong.answer] = Verdict("wrong", text(wrong.says, numbers), wrong.idea)
    verdicts[truth(q)] = Verdict("right", "right.")
    return verdicts


def orders(q: Question) -> dict[tuple[str, ...], Verdict]:
    """The verdict on each order of the items."""
    numbers = inputs(q)
    true = tuple(truth(q))
    own = {tuple(w.answer): Verdict("wrong", text(w.says, numbers), w.idea) for w in q.wrong}
    verdicts = {}
    for keys in itertools.permutations(true):
        n_right = sum(a == b for a, b in zip(keys, true, strict=True))
        words = f"{n_right} of {len(true)} are in their place."
        verdicts[keys] = own.get(keys, Verdict("wrong", words))
    verdicts[true] = Verdict("right", "right.")
    return verdicts


def _option(q: Question, answer: Any) -> str | None:
    words = str(answer).strip().casefold() if isinstance(answer, str | int | float) else None
    for key, label in q.options.items():
        if words in (key.casefold(), label.casefold()):
            return key
    return None


def _keys(q: Question, answer: Any) -> tuple[str, ...] | None:
    if isinstance(answer, str):
        answer = answer.replace(",", " ").split()
    if not isinstance(answer, Iterable):
        return None
    keys = tuple(itertools.islice((str(a).strip() for a in answer), MOST_ITEMS + 1))
    return keys if sorted(keys) == sorted(q.items) else None


def _all_items(q: Question) -> str:
    return f"name all of {', '.join(sorted(q.items))}, each once, in their order."
