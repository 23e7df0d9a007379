"""What an annotation allows as an argument, and the conversion to what is then used.

>>> wanted("n_spare", "int", {}).check(1.0)
1
>>> wanted("ttft_s", "float | None", {}).check("0.3")
Traceback (most recent call last):
    ...
econ.arguments.WrongArgument: ttft_s = '0.3' is outside its range: a finite number or None
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from numbers import Number
from pathlib import Path
from typing import Any

LARGEST = 1e60  # size of a number; beyond it products overflow
NAMED: dict[str, Any] = {"Path": Path, "dict": dict, "Callable": Callable}
UNITS = ("_s", "_usd", "_frac", "_tokens", "_flop", "_bytes", "_w", "_j", "_per_s", "_usd_per_mtok")
MOST_DIGITS = 15  # of a whole number
NUMBERS = {"float", "int", "complex"}
ARRAYS = {"Amount", "Numbers", "ArrayLike", "Size", "Array", "Whole", "ndarray"}
LISTS = {"Sequence", "Iterable", "Collection", "list", "tuple", "Iterator"}


class WrongArgument(TypeError, ValueError):
    """An argument of the wrong kind; the message repeats its name, its value and what is wanted."""


def wrong(name: str, value: Any, wanted: str) -> WrongArgument:
    """The error to raise for an argument."""
    from econ.catalog.guard import shown

    return WrongArgument(f"{name} = {shown(value)} is outside its range: {wanted}")


def number(name: str, value: Any, is_whole: bool = False, is_free: bool = False) -> Any:
    """A scalar as a number of Python: finite unless ``is_free``, whole where that is asked."""
    wanted = "a whole number" if is_whole else "a finite number"
    kind = type(value)
    if kind is not int and kind is not float:
        if hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0:
            value = value.item()
        if isinstance(value, Decimal | Fraction):
            try:
                value = float(value)
            except (OverflowError, ValueError):
                raise wrong(name, value, wanted) from None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong(name, value, wanted)
    if is_whole and not isinstance(value, int):
        if is_free and value in (float("inf"), -float("inf")):
            return value
        if value != value or value in (float("inf"), -float("inf")) or value != int(value):
            raise wrong(name, value, wanted)
        value = int(value)
    if is_whole and abs(value) > 10**MOST_DIGITS:
        raise wrong(name, value, f"{wanted} of at most {MOST_DIGITS} digits")
    if not is_free and not abs(value) <= LARGEST:
        raise wrong(name, value, f"{wanted} of at most {LARGEST:g} in size")
    return value


def array(name: str, value: Any) -> Any:
    """An array or column of numbers whose integers have 64 bits; NaN in it is an empty cell."""
    import numpy as np

    kind = value.dtype.kind if isinstance(value.dtype, np.dtype) else "O"
    if kind in "cSUVmM":
        raise wrong(name, value, "numbers")
    if kind in "iu" and value.dtype != np.int64:
        if kind == "u" and value.dtype.itemsize == 8 and (np.asarray(value) > 2**62).any():
            raise wrong(name, value, "whole numbers of at most 62 bits")
        return value.astype(np.int64)
    if kind == "f" and value.dtype.itemsize != 8:
        return value.astype(np.float64)
    return value


def table(name: str, value: Any) -> Any:
    """A table whose columns have different names."""
    import pandas as pd

    if not isinstance(value, pd.DataFrame):
        raise wrong(name, value, f"a pandas DataFrame, not {type(value).__name__}")
    if not value.columns.is_unique:
        twice = value.columns[value.columns.duplicated()][0]
        raise WrongArgument(f"{name}: column {twice!r} is there twice")
    return value


def _numbers(name: str, values: Any) -> list[Any]:
    """A list of numbers or of such lists; NaN in it is an empty cell."""
    found: list[Any] = []
    for i, value in enumerate(values):
        if isinstance(value, list | tuple):
            found.append(_numbers(f"{name}[{i}]", value))
        elif getattr(value, "ndim", 0):
            found.append(array(f"{name}[{i}]", value))
        else:
            try:
                found.append(number(name, value, is_free=True))
            except WrongArgument:
                raise wrong(name, values, "numbers") from None
    return found


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What an annotation allows."""

    name: str
    parts: frozenset[str]  # its alternatives, without what stands in brackets
    classes: tuple[type, ...]
    inner: Wanted | None  # of a list's entries
    is_open: bool  # whether it names something that cannot be checked
    is_free: bool  # whether a number may be infinite or NaN, as its default is
    is_field: bool = False  # of an input object, which speaks of ranges and other objects itself

    def check(self, value: Any) -> Any:
        """The value to use, or an error that names the argument."""
        if value is None:
            if self.is_open or "None" in self.parts or self._speaks_itself:
                return None
            raise wrong(self.name, value, self.words)
        kind = type(value)
        if kind is str:
            if self.is_open or self.parts & {"str", "Path"} or isinstance(value, self.classes):
                return value
            if self.inner is not None and (self.inner.is_open or "str" in self.inner.parts):
                return value  # a single name is a list of one
            if self._speaks_itself:
                return value
            raise wrong(self.name, value, self.words)
        if "DataFrame" in self.parts and not self.is_open and len(self.parts - {"None"}) == 1:
            return table(self.name, value)
        if "DataFrame" in self.parts and hasattr(value, "columns"):
            return value
        if self.classes and isinstance(value, self.classes) and kind is not bool:
            return value
        if kind is bool or kind.__name__ in ("bool", "bool_"):
            if "bool" in self.parts:
                return bool(value)
            if self.is_open and not self.parts & (NUMBERS | ARRAYS):
                return value
            raise wrong(self.name, value, self.words)
        if getattr(value, "dtype", None) is not None and getattr(value, "ndim", None):
            if self.parts & (NUMBERS | ARRAYS) or (self.inner and self.inner.parts & NUMBERS):
                return array(self.name, value)
            if self.is_open or self.inner is not None:
                return value
            raise wrong(self.name, value, self.words)
        if isinstance(value, Number) or hasattr(value, "dtype"):
            return self._number(value)
        if self.inner is not None and isinstance(value, list | tuple):
            return self._entries(value)
        if self.parts & ARRAYS and isinstance(value, list | tuple):
            return _numbers(self.name, value)
        if self.is_open or self.is_field or isinstance(value, self.classes):
            return value
        if self.classes and kind.__module__.partition(".")[0] not in sys.stdlib_module_names:
            return value  # a class of one's own with the same methods
        if self.inner is not None and hasattr(value, "__iter__"):
            return value
        raise wrong(self.name, value, self.words)

    def _number(self, value: Any) -> Any:
        if self.parts & NUMBERS:
            return number(self.name, value, "float" not in self.parts, self.is_free)
        if "str" in self.parts and isinstance(value, Number) and not self.is_open:
            raise wrong(self.name, value, self.words)
        if "bool" in self.parts and value in (0, 1):
            return bool(value)
        if self.parts & ARRAYS or self.is_open:
            if (isinstance(value, complex) and self.parts & ARRAYS) or getattr(
                value, "dtype", 0
            ) == "O":
                raise wrong(self.name, value, "a number")
            if isinstance(value, Decimal | Fraction):
                return number(self.name, value)
            return value.item() if hasattr(value, "dtype") and hasattr(value, "item") else value
        if self.inner is not None:  # a single number is a list of one, where the function says so
            return self.inner._number(value)
        if self._speaks_itself:
            return value
        raise wrong(self.name, value, self.words)

    @property
    def _speaks_itself(self) -> bool:
        """Whether an input object is to say that this is no such object or name."""
        return self.is_field and not self.parts & (NUMBERS | ARRAYS | {"bool"})

    def _entries(self, values: Any) -> Any:
        assert self.inner is not None
        if self.inner.is_open or not self.inner.parts - {"None"}:
            return values
        entries = [
            dataclasses.replace(self.inner, name=f"{self.name}[{i}]").check(value)
            if type(value) is not float or value != value or not self.inner.parts & {"float"}
            else value
            for i, value in enumerate(values)
        ]
        return tuple(entries) if type(values) is tuple else entries

    @property
    def words(self) -> str:
        """What is wanted, for a message."""
        if "float" in self.parts:
            return "a finite number" + (" or None" if "None" in self.parts else "")
        if "int" in self.parts:
            return "a whole number" + (" or None" if "None" in self.parts else "")
        if self.parts & ARRAYS:
            return "numbers"
        if self.parts == {"str"}:
            return "text"
        if self.parts == {"bool"}:
            return "True or False"
        if self.inner is not None:
            return "a list"
        return f"{' or '.join(sorted(self.parts))}"


def _alternatives(text: str) -> list[str]:
    """The parts of an annotation between its outermost bars.

    >>> _alternatives("str | Sequence[int | None] | None")
    ['str', 'Sequence[int | None]', 'None']
    """
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter in "[(") - (letter in "])")
        if letter == "|" and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [part.strip() for part in [*parts, text[start:]]]


def wanted(name: str, annotation: Any, scope: Mapping[str, Any], default: Any = 0) -> Wanted:
    """What an annotation (its text) allows, its names looked up in a module."""
    if not isinstance(annotation, str):
        annotation = "Any" if annotation is inspect.Parameter.empty else _text(annotation)
    if annotation == "Any" and name.endswith(UNITS):
        annotation = "Amount | Range | str"  # what its unit says; a word where a function has one
    parts, classes, inner, is_open = set(), [], None, False
    for part in _alternatives(annotation):
        stem, _, inside = part.partition("[")
        stem = stem.rpartition(".")[2]
        parts.add(stem)
        if stem in LISTS:
            inside = inside.removesuffix("]").removesuffix(", ...")
            fixed = stem == "tuple" and "," in inside.replace(", ...", "")
            inner = wanted(name, "Any" if fixed or not inside else inside, scope)
            continue
        is_open = is_open or stem == "Mapping"  # a column is one, too
        found = NAMED.get(stem, scope.get(stem)) or _class_of(stem)
        if isinstance(found, type) and not _is_form(found):
            classes.append(found)
        elif found is Callable:
            classes.append(types.FunctionType)
            is_open = True
        elif stem not in NUMBERS | ARRAYS | {"None", "str", "bool", "DataFrame"}:
            is_open = True
    is_open = is_open or (
        "str" in parts and bool(classes)
    )  # the catalogue knows what names it takes
    free = isinstance(default, float) and not abs(default) < float("inf")
    return Wanted(name, frozenset(parts), tuple(classes), inner, is_open, free)


def _class_of(name: str) -> Any:
    """A class of `econ` or pandas that a module names for types alone."""
    if name == "Series" and "pandas" in sys.modules:
        return sys.modules["pandas"].Series
    modules = [m for stem, m in list(sys.modules.items()) if stem.startswith("econ.")]
    found = {id(vars(m)[name]): vars(m)[name] for m in modules if name in vars(m)}
    return next(iter(found.values())) if len(found) == 1 else None


def _is_form(found: type) -> bool:
    """Whether a class is none that objects are instances of."""
    return found.__module__ == "typing" or getattr(found, "_is_protocol", False)


def _text(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
