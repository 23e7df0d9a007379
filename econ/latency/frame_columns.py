"""The columns of a table of deployments: names looked up once, numbers with their defaults."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.engines import LAUNCH, WAITS
from econ.deployment import MOST_GPU
from econ.latency import steps

AS_MANY_AS_FIT = sys.float_info.max  # a concurrency that is missing, or "max"; infinity is refused
COUNTS = ("n_gpu", "tp", "pp", "ep", "dp")
LARGEST = {"input_tokens": 1e8, "output_tokens": 1e8, "concurrency": 1e7, "software_maturity": 1e3}
OPTIONAL = {
    "software_maturity": 1.0,
    "cached_frac": 0.0,
    "max_batch": steps.NO_LIMIT,
    "n_rounds": steps.BENCHMARK_ROUNDS,
    "n_requests": steps.NO_LIMIT,
    "is_cold": 1.0,
    "is_even": 0.0,
}
EMPTY_IS_DEFAULT = ("max_batch", "n_rounds", "n_requests", "is_cold", "is_even")


def with_columns(frame: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """`DataFrame.assign` for many columns: the frame is put together once, not once a column, and
    holds the new arrays themselves."""
    if not frame.columns.is_unique or any(name in frame for name in columns):
        return pd.DataFrame({**dict(frame.items()), **columns}, index=frame.index)
    new = [pd.Series(v, frame.index, name=name, copy=False) for name, v in columns.items()]
    return pd.concat([frame, *new], axis=1)


def texts(values: np.ndarray) -> Any:
    """A column of texts, most of them empty."""
    if not len(values):
        return values
    filled = np.flatnonzero(values != "")
    code = np.zeros(len(values), np.intp)
    others, different = pd.factorize(values[filled])
    code[filled] = others + 1
    return pd.array(["", *different], dtype="str").take(code)


def combined(*codes: tuple[np.ndarray, int]) -> tuple[np.ndarray, np.ndarray]:
    """Each row's combination of codes, counted from 0, and the first row of each combination.

    Codes come with the number of their different values.
    """
    joint = np.zeros(len(codes[0][0]), np.intp)
    n = min(len(joint), 1)
    for code, size in codes:
        if size > 1:
            joint, different = pd.factorize(joint * size + code)
            n = len(different)
    first = np.zeros(n, np.intp)
    first[joint[::-1]] = np.arange(len(joint))[::-1]
    return joint, first


def constant(values: Any) -> Any:
    """The array; a view of its one number where all are alike."""
    if np.size(values) > 1 and values[0] == values[-1] and (values == values[0]).all():
        return np.broadcast_to(values[0], values.shape)
    return values


def is_constant(values: Any) -> bool:
    """Whether all the rows of a column are one number, as `constant` found."""
    return not isinstance(values, np.ndarray) or (values.strides == (0,) and len(values) > 0)


def some(values: Any, rows: Any) -> Any:
    """Some rows of a column; one number where all are alike."""
    if isinstance(values, np.ndarray):
        return values[0] if is_constant(values) else values[rows]
    return values


def note(reason: np.ndarray, why: list[str], code: np.ndarray) -> None:
    """Write down what is wrong with each code for its rows, where they have no reason yet."""
    if any(why):
        known = np.array(why, dtype=object)
        rows = np.flatnonzero((known != "")[code])
        rows = rows[reason[rows] == ""]
        reason[rows] = known[code[rows]]


class Lookup:
    """Distinct names of a column, each resolved once; what cannot be resolved keeps its reason."""

    def __init__(self, code: Any, names: Any, resolve: Callable[[Any], Any]):
        self.code = code
        self.items: list[Any] = []
        self.reasons: list[str] = []
        for name in names:
            try:
                self.items.append(resolve(name))
                self.reasons.append("")
            except (ValueError, TypeError) as error:
                self.items.append(None)
                self.reasons.append(str(error))

    @classmethod
    def of(
        cls, frame: pd.DataFrame, column: str, resolve: Callable[[Any], Any], default: str = ""
    ) -> Lookup:
        """A column of a frame; the default where the frame has no such column."""
        if column not in frame:
            return cls(np.zeros(len(frame), np.intp), [default][: len(frame)], resolve)
        code, names = pd.factorize(frame[column], use_na_sentinel=False)
        return cls(code, names, resolve)

    @staticmethod
    def combined(*columns: Lookup) -> tuple[np.ndarray, list[tuple[Any, ...]]]:
        """Each row's combination of items, and the combinations that occur."""
        code, first = combined(*((column.code, len(column.items)) for column in columns))
        return code, [tuple(c.items[c.code[row]] for c in columns) for row in first]


def _usual(name: str, engine: Lookup) -> Any:
    """A setting of each row's engine; one number where all engines agree."""
    values = np.array([float(getattr(e, name)) for e in engine.items])
    return values[engine.code] if len(set(values.tolist())) > 1 else float(values.max(initial=0.0))


def launch_of(
    numbers: dict[str, Any], engine: Lookup, policy: Lookup, scheduling: Lookup
) -> dict[str, Any]:
    """The launch settings of each row: its own, or else those of its engine."""
    rows: dict[str, Any] = {}
    for name in LAUNCH:
        stated = numbers.get(name)
        if stated is None:
            rows[name] = _usual(name, engine)
        else:
            rows[name] = np.where(np.isnan(stated), _usual(name, engine), stated)
    for name, column, word in (
        ("is_prefill_first", policy, "prefill_first"),
        ("is_sync", scheduling, "sync"),
    ):
        rows[name] = _usual(name, engine)
        if any(column.items):
            own = np.array([np.nan if not item else float(item == word) for item in column.items])
            own = own[column.code]
            rows[name] = np.where(np.isnan(own), rows[name], own)
    return rows


def numbers_of(frame: pd.DataFrame) -> dict[str, Any]:
    """The numeric columns of a frame of deployments, with the defaults of those left out.

    ``tp`` defaults to what ``n_gpu`` leaves; ``n_gpu`` to tp · pp · dp; ``dp`` to 1, or, for
    experts spread wider than ``tp``, to what ``n_gpu`` leaves.
    """
    one = np.broadcast_to(1.0, len(frame))
    numbers: dict[str, Any] = {
        name: _floats(frame[name])
        for name in (*COUNTS, "input_tokens", "output_tokens", "concurrency", *OPTIONAL, *LAUNCH)
        if name in frame
    }
    for name in ("pp", "ep"):
        numbers.setdefault(name, one)
    if "dp" not in numbers:
        numbers["dp"] = one
        if "tp" in numbers and "n_gpu" in numbers:
            left = numbers["n_gpu"] / (numbers["tp"] * numbers["pp"])
            numbers["dp"] = np.where(numbers["ep"] > numbers["tp"], left, one)
    if "tp" not in numbers:
        n_gpu = numbers.get("n_gpu", one)
        numbers["tp"] = n_gpu / (numbers["pp"] * numbers["dp"])
    numbers.setdefault("n_gpu", numbers["tp"] * numbers["pp"] * numbers["dp"])
    for name in EMPTY_IS_DEFAULT:
        if name in numbers:
            value = numbers[name]
            numbers[name] = np.where(np.isnan(value), OPTIONAL[name], value)
    numbers.setdefault("concurrency", AS_MANY_AS_FIT * one)
    unsaid = np.flatnonzero(np.isnan(numbers["concurrency"]))
    if len(unsaid):
        words = frame["concurrency"].iloc[unsaid]
        as_many = words.isna() | (words.astype(str).str.strip().str.lower() == "max")
        users = numbers["concurrency"].copy()
        users[unsaid[as_many.to_numpy()]] = AS_MANY_AS_FIT
        numbers["concurrency"] = users
    return OPTIONAL | numbers


def _floats(values: pd.Series) -> np.ndarray:
    """A column's numbers; what is none is missing."""
    if not isinstance(values.dtype, np.dtype) or values.dtype.kind not in "iuf":
        values = pd.to_numeric(values, errors="coerce")
        if values.dtype.kind == "c":
            return np.full(len(values), np.nan)
    numbers: np.ndarray = values.to_numpy("float64")
    return numbers


def refuse_numbers(numbers: dict[str, Any], reason: np.ndarray) -> None:
    """Reasons of rows whose counts are not whole or whose loads are outside their range."""

    def refuse(name: str, good: np.ndarray, says: str) -> None:
        for row in np.flatnonzero(~np.broadcast_to(good, len(reason))):
            if not reason[row]:
                reason[row] = f"{name} = {numbers[name][row]:g} is outside its range: {says}"

    def column(name: str) -> Any:
        """Its numbers, or the one of all rows; None where it is a default."""
        value = numbers[name]
        if not isinstance(value, np.ndarray):
            return None
        return value[:1] if is_constant(value) else value

    for name in COUNTS:
        value = column(name)
        good = (value >= 1) & (value <= MOST_GPU) & (value == np.floor(value))
        refuse(name, good, f"a whole number from 1 to {MOST_GPU:g}")
    for name, most in LARGEST.items():
        if (value := column(name)) is not None:
            good = (value > 0) & (value <= most)
            if name == "concurrency":
                good |= value == AS_MANY_AS_FIT
            refuse(name, good, f"above 0, up to {most:g}")
    for name in ("cached_frac", "is_cold", "is_even"):
        if (value := column(name)) is not None:
            refuse(name, (value >= 0) & (value <= 1), "0 to 1")
    for name in ("max_batch", *LAUNCH):
        least = 0 if name in WAITS else 1
        if (value := column(name)) is not None:
            good = (value >= least) & (value == np.floor(value))
            refuse(name, good, f"a whole number, {least} or more")
    for name in ("n_rounds", "n_requests"):
        if (value := column(name)) is not None:
            refuse(name, value >= 1, "1 or more")
