"""A table of deployments, looked up: names once per distinct value, rows of a kind in blocks.

A kind is a model on an accelerator in its precisions, under an engine, in a split. What belongs to
it is one number in a block of its rows; kinds of few rows share blocks of arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from econ.catalog.engines import SCHEDULINGS, Engine, Launch, find_engine
from econ.catalog.guard import check_date, unknown
from econ.catalog.precision import check_precision
from econ.deployment import KV_PRECISIONS, POLICIES, Split, split_rules
from econ.latency.calibration import Calibration, measured_names
from econ.latency.frame_columns import (
    COUNTS,
    Lookup,
    combined,
    constant,
    is_constant,
    launch_of,
    note,
    numbers_of,
    refuse_numbers,
    some,
)
from econ.latency.shapes import (
    CHIP_FIELDS,
    ENGINE_FIELDS,
    MODEL_FIELDS,
    Shapes,
    as_accelerator,
    as_model,
    chip_row,
    engine_row,
    generation,
    model_row,
)
from econ.latency.steps import Case, Load

BLOCK = 8192  # rows whose columns fit in the second-level cache
FEWEST_ALIKE = 2048  # rows of a kind that are worth a block of their own
REQUIRED = ("model", "accelerator", "input_tokens", "output_tokens")
Rows = slice | np.ndarray  # some rows of a table: neighbours, or by their positions


class Dates(NamedTuple):
    """Engine, generation and date of each row as a code, and what the calibration says of them."""

    code: np.ndarray
    items: list[tuple[str, str, str]]
    maturity: np.ndarray
    widening: np.ndarray

    def of_rows(self, rows: Rows) -> Any:
        """The maturity of some rows; one number where all are alike."""
        if len(set(self.maturity.tolist())) == 1:
            return float(self.maturity[0])
        return self.maturity[self.code[rows]]

    def under(self, calibration: Calibration) -> Dates:
        """The same rows under another calibration."""
        layer = calibration.software
        maturity = np.array([layer.maturity(*item) for item in self.items])
        return self._replace(
            maturity=maturity, widening=np.array([layer.widening(*item) for item in self.items])
        )

    @classmethod
    def of(cls, engine: Lookup, chip: Lookup, as_of: Lookup, calibration: Calibration) -> Dates:
        """The combinations that occur."""
        code, combinations = Lookup.combined(engine, chip, as_of)
        items = [
            (software.name, "" if accelerator is None else generation(accelerator), date or "")
            for software, accelerator, date in combinations
        ]
        empty = np.ones(len(items))
        return cls(code, items, empty, empty).under(calibration)


class Table(NamedTuple):
    """A frame of deployments, looked up: codes into rows of shapes, the numbers, what is wrong."""

    rows: tuple[tuple[tuple[str, ...], np.ndarray, np.ndarray], ...]  # fields, code, values
    numbers: dict[str, Any]
    model: Lookup
    accelerator: Lookup
    engine: Lookup
    dated: Dates
    reason: np.ndarray
    kind: np.ndarray  # which rows are alike in all but lengths, users and settings
    first: np.ndarray  # a row of each kind

    def under(self, calibration: Calibration) -> Table:
        """The same rows with the engines' habits of another calibration."""
        habits = (ENGINE_FIELDS, self.engine.code, _habits(self.engine, calibration))
        dated = self.dated.under(calibration)
        return self._replace(rows=(*self.rows[:2], habits), dated=dated)

    def shapes(self, rows: Any) -> Shapes:
        """The shapes of some rows."""
        columns = {
            name: value
            for names, code, values in self.rows
            for name, value in zip(names, values[:, code[rows]], strict=True)
        }
        return Shapes(**columns)

    def case(self, rows: Rows, kind: int | None = None) -> Case:
        """Some of the rows as a case of arrays; of one kind, with numbers for what they share."""
        one = rows if kind is None else self.first[kind]
        shapes = self.shapes(one)
        at = {n: some(v, one if n in COUNTS else rows) for n, v in self.numbers.items()}
        split = Split.of(shapes.is_moe, **{n: at[n] for n in COUNTS})
        load = Load(
            at["input_tokens"],
            at["output_tokens"],
            at["concurrency"] / split.n_replicas,
            at["cached_frac"],
            at["max_batch"],
            at["software_maturity"],
            self.dated.of_rows(rows),
            at["n_rounds"],
            at["n_requests"] / split.n_replicas,
            at["is_cold"],
            at["is_even"],
            Launch(**{name: at[name] for name in Launch._fields}),
        )
        return Case(shapes, split, load)

    def blocks(self) -> Iterator[tuple[Rows, Case, Any]]:
        """The rows in blocks, as cases, and the kind of each (one number for rows of one)."""
        size, n_rows = len(self.reason), np.bincount(self.kind, minlength=len(self.first))
        alike = np.flatnonzero(n_rows >= FEWEST_ALIKE)
        if not len(alike):
            for start in range(0, size, BLOCK):
                near = slice(start, min(start + BLOCK, size))
                yield near, self.case(near), self.kind[near]
            return
        order = np.argsort(self.kind.astype(np.min_scalar_type(len(n_rows))), kind="stable")
        ends = np.cumsum(n_rows)
        for kind in alike:
            for rows in _parts(order[ends[kind] - n_rows[kind] : ends[kind]]):
                yield rows, self.case(rows, kind), kind
        for rows in _parts(np.flatnonzero((n_rows < FEWEST_ALIKE)[self.kind])):
            yield rows, self.case(rows), self.kind[rows]

    def refuse_splits(self) -> None:
        """Write down the reasons of splits that the rules refuse, found once a kind."""
        shapes = self.shapes(self.first)
        counts = {n: self.numbers[n][self.first] for n in COUNTS}
        limits = {n: getattr(shapes, n) for n in ("n_heads", "n_layers", "n_experts")}
        values = counts | limits
        values["used"] = values["tp"] * values["pp"] * values["dp"]
        values["shared"] = values["tp"] * values["dp"]
        with np.errstate(all="ignore"):
            rules = split_rules(
                **counts, **limits, is_moe=shapes.is_moe, link=shapes.link_bytes_per_s
            )
        why = [""] * len(self.first)
        for broken, text in rules.values():
            for kind in np.flatnonzero(broken):
                why[kind] = why[kind] or text.format(**{n: v[kind] for n, v in values.items()})
        note(self.reason, why, self.kind)

    def novelty(self) -> np.ndarray:
        """Position in `REGIMES` of each kind, from the names alone."""
        models, chips = measured_names()
        new_model = np.array([m is None or m.id not in models for m in self.model.items], bool)
        new_chip = np.array([a is None or a.id not in chips for a in self.accelerator.items], bool)
        at_model, at_chip = self.model.code[self.first], self.accelerator.code[self.first]
        return np.asarray(new_chip[at_chip] + 2 * new_model[at_model], "int8")


def _parts(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Positions of rows in blocks of even size."""
    n = -(-len(rows) // BLOCK)
    yield from np.array_split(rows, n) if n else ()


def look_up(frame: pd.DataFrame, calibration: Calibration) -> Table:
    """A frame of deployments as a `Table`; rows that cannot be have a reason already."""
    if lacking := [name for name in REQUIRED if name not in frame]:
        raise ValueError(f"the frame has no column {', '.join(lacking)}")
    reason = np.full(len(frame), "", dtype=object)
    model = Lookup.of(frame, "model", as_model)
    chip = Lookup.of(frame, "accelerator", as_accelerator)
    precision = Lookup.of(frame, "precision", check_precision, "bf16")
    engine = Lookup.of(frame, "engine", lambda name: find_engine(name) or Engine())
    kv_precision, policy, scheduling = (
        Lookup.of(frame, name, functools.partial(_one_of, name, known))
        for name, known in (
            ("kv_precision", KV_PRECISIONS), ("policy", POLICIES), ("scheduling", SCHEDULINGS),
        )
    )  # fmt: skip
    as_of = Lookup.of(frame, "as_of", _date)
    checked = [model, chip, precision, kv_precision, policy, scheduling, as_of]
    if "has_pools" in frame:  # tables of scenarios have it, measured runs do not
        checked.append(Lookup.of(frame, "has_pools", refuse_pools))
    for column in checked:
        note(reason, column.reasons, column.code)

    shape_key, shape_rows = _rows(
        (model, precision, engine, kv_precision),
        MODEL_FIELDS,
        lambda m, p, e, kv: model_row(m, p, e.kv_bytes_per_element(p, kv)),
        reason,
    )
    chip_key, chip_rows = _rows((chip, precision), CHIP_FIELDS, chip_row, reason)
    numbers = numbers_of(frame)
    numbers |= launch_of(numbers, engine, policy, scheduling)
    numbers = {name: constant(values) for name, values in numbers.items()}
    refuse_numbers(numbers, reason)
    rows = (
        (MODEL_FIELDS, shape_key, shape_rows),
        (CHIP_FIELDS, chip_key, chip_rows),
        (ENGINE_FIELDS, engine.code, _habits(engine, calibration)),
    )
    codes = [(shape_key, shape_rows.shape[1]), (chip_key, chip_rows.shape[1])]
    codes.append((engine.code, len(engine.items)))
    for name in COUNTS:
        if not is_constant(numbers[name]):
            code, different = pd.factorize(numbers[name], use_na_sentinel=False)
            codes.append((code, len(different)))
    kind, first = combined(*codes)
    dated = Dates.of(engine, chip, as_of, calibration)
    looked_up = Table(rows, numbers, model, chip, engine, dated, reason, kind, first)
    if len(frame):
        looked_up.refuse_splits()
    return looked_up


def _habits(engine: Lookup, calibration: Calibration) -> np.ndarray:
    """A column of values for each distinct engine, under a calibration."""
    rows = [engine_row(calibration.engine(e.name)) for e in engine.items]
    return np.ascontiguousarray(np.array(rows).reshape(-1, len(ENGINE_FIELDS)).T)


def refuse_pools(has_pools: object) -> bool:
    """Separate pools for prompts and answers are two machines; the closed form knows one."""
    if has_pools:
        raise ValueError(
            "policy = 'disaggregated' has two pools, which the closed form does not know: "
            "econ.serving.simulate and econ.plan.plan do"
        )
    return False


def _date(as_of: object) -> str:
    """A date; empty (or missing) for today."""
    return check_date("" if as_of is None or as_of != as_of else str(as_of))


def _one_of(what: str, known: tuple[str, ...], name: object) -> str:
    """A known word; empty (or missing) for the engine's own."""
    text = "" if name is None or name != name else str(name)
    if text and text not in known:
        raise unknown(what, text, known)
    return text


def _rows(
    columns: tuple[Lookup, ...],
    names: tuple[str, ...],
    row_of: Callable[..., tuple[float, ...]],
    reason: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """One row of numbers for each combination of names that occurs, and each row's combination."""
    key, combinations = Lookup.combined(*columns)
    values = np.full((len(combinations), len(names)), np.nan)
    why = [""] * len(combinations)
    for code, items in enumerate(combinations):
        if any(item is None for item in items):
            continue
        try:
            values[code] = row_of(*items)
        except ValueError as error:
            why[code] = str(error)
    note(reason, why, key)
    return key, np.ascontiguousarray(values.T)
