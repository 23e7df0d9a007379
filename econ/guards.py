"""Every public function checks its arguments by name and annotation, and uses what it checked.

`guard_package` sets a loader that wraps the public functions, methods and input objects of each
module of `econ` as the module is loaded, so that no function repeats these checks:

* a number is a finite number: scalars of NumPy, `Decimal` and `Fraction` become Python's, arrays of
  short integers become 64-bit ones, a whole number given as ``1.0`` becomes ``1``; text, truth
  values, complex numbers and None are refused where the annotation does not name them;
* text is text, a table is a table whose columns differ, an object is of the annotated class;
* a table that lacks a column that is read, or has no rows where some are needed, is named.

The limits of a quantity stay with the function that knows them (`econ.catalog.guard`). Inside a
checked call the calls of `econ` itself are not checked again, save stations and input objects.

>>> from econ.tco import annuity_usd_per_month
>>> annuity_usd_per_month(True, 0.1, 5)
Traceback (most recent call last):
    ...
econ.guards.WrongArgument: capital_usd = True is outside its range: numbers
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import sys
import threading
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from numbers import Number
from pathlib import Path
from typing import Any

LARGEST = 1e60  # size of a number; beyond it products overflow
MOST_DIGITS = 15  # of a whole number
NUMBERS = {"float", "int", "complex"}
ARRAYS = {"Amount", "Numbers", "ArrayLike", "Size", "Array", "Whole", "ndarray"}
LISTS = {"Sequence", "Iterable", "Collection", "list", "tuple", "Iterator"}
# compiled engines, checks themselves and what the guard needs to speak
UNGUARDED = {"econ.guards", "econ.catalog.guard", "econ.serving.engine"}
UNGUARDED_STEM = "econ.serving.session_"
Check = Callable[[str, Any], Any]
_inside = threading.local()
observe: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], None] | None = None


class WrongArgument(TypeError, ValueError):
    """An argument of the wrong kind; the message repeats its name, its value and what is wanted."""


def wrong(name: str, value: Any, wanted: str) -> WrongArgument:
    """The error to raise for an argument."""
    from econ.catalog.guard import shown

    return WrongArgument(f"{name} = {shown(value)} is outside its range: {wanted}")


# -- one argument --------------------------------------------------------------------------------
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
    if kind in "cSUVbmM":
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
            if self.inner is not None and "str" in self.inner.parts:
                return value  # a single name is a list of one
            if self._speaks_itself:
                return value
            raise wrong(self.name, value, self.words)
        if "DataFrame" in self.parts and not self.is_open and len(self.parts - {"None"}) == 1:
            return table(self.name, value)
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
            if isinstance(value, complex) or getattr(value, "dtype", 0) == "O":
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
        found = {"Path": Path, "Mapping": Mapping, "dict": dict, "Callable": Callable}.get(
            stem, scope.get(stem)
        )
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


def _is_form(found: type) -> bool:
    """Whether a class is none that objects are instances of."""
    return found.__module__ == "typing" or getattr(found, "_is_protocol", False)


def _text(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


# -- one function --------------------------------------------------------------------------------
class _Plan:
    """The checks of a function's parameters, made when it is first called."""

    def __init__(self, function: Callable[..., Any], scope: Mapping[str, Any], skip: int):
        is_field = function.__name__ == "__init__"
        self.positional: list[Wanted | None] = [None] * skip
        self.by_name: dict[str, Wanted] = {}
        self.rest: Wanted | None = None
        self.others: Wanted | None = None
        for p in list(inspect.signature(function).parameters.values())[skip:]:
            check = wanted(p.name, p.annotation, scope, p.default)
            parts = check.parts | ({"None"} if p.default is None else set())
            check = dataclasses.replace(check, parts=parts, is_field=is_field)
            if p.kind is p.VAR_POSITIONAL:
                self.rest = check
            elif p.kind is p.VAR_KEYWORD:
                self.others = check
            else:
                self.by_name[p.name] = check
                if p.kind is not p.KEYWORD_ONLY:
                    self.positional.append(check)

    def convert(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments to use; ``kwargs`` are replaced in place."""
        known = self.positional
        for name, value in kwargs.items():
            check = self.by_name.get(name)
            if check is not None:
                kwargs[name] = check.check(value)
            elif self.others is not None:
                kwargs[name] = dataclasses.replace(self.others, name=name).check(value)
        return tuple(
            (value if check is None else check.check(value))
            for value, check in zip(args, [*known, *[self.rest] * (len(args) - len(known))])  # noqa: B905
        )


def guarded(
    function: Callable[..., Any], scope: Mapping[str, Any], skip: int = 0, always: bool = False
) -> Callable[..., Any]:
    """A function that converts and checks its arguments; ``skip`` leaves out self or cls."""
    plan: _Plan | None = None

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        inside = getattr(_inside, "call", False)
        if inside and not always:
            return function(*args, **kwargs)
        nonlocal plan
        if plan is None:
            plan = _Plan(function, scope, skip)
        if observe is not None and not inside:
            observe(checked, args, kwargs)
        args = plan.convert(args, kwargs)
        if inside:
            return function(*args, **kwargs)
        _inside.call = True
        try:
            return function(*args, **kwargs)
        except (KeyError, IndexError, ValueError) as error:
            if (reason := _of_table(error, (*args, *kwargs.values()))) is None:
                raise
            raise WrongArgument(f"{function.__name__}: {reason}") from error
        finally:
            _inside.call = False

    for name in ("cache_clear", "cache_info"):
        if hasattr(function, name):
            setattr(checked, name, getattr(function, name))
    return checked


def _of_table(error: Exception, values: Iterable[Any]) -> str | None:
    """What a table lacks that made pandas or NumPy raise; None where that is not the reason."""
    pandas = sys.modules.get("pandas")
    frames = [v for v in values if pandas is not None and isinstance(v, pandas.DataFrame)]
    if not frames or type(error) not in (KeyError, IndexError, ValueError):
        return None
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_globals.get("__name__", "").startswith("econ."):
        return None
    columns = ", ".join(map(str, frames[0].columns[:12]))
    if type(error) is KeyError:
        return f"the table has no column {error.args[0]}; it has {columns}"
    if any(len(frame) == 0 for frame in frames):
        return "the table has no rows"
    return None


# -- one package ---------------------------------------------------------------------------------
def guard_module(module: types.ModuleType) -> None:
    """Wrap the public functions and input objects that a module defines."""
    scope = vars(module)
    for name, thing in list(scope.items()):
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if isinstance(thing, types.FunctionType) or hasattr(thing, "cache_info"):
            always = hasattr(thing, "headline")
            if not hasattr(thing, "__signature__"):  # a form of its own: it checks by itself
                scope[name] = guarded(thing, scope, always=always)
        elif type(thing) is type and not issubclass(thing, Exception | tuple):
            _guard_class(thing, scope)


def _guard_class(thing: type, scope: Mapping[str, Any]) -> None:
    is_input = not dataclasses.is_dataclass(thing) or hasattr(thing, "__post_init__")
    for name, member in list(vars(thing).items()):
        if name.startswith("_") and not (name == "__init__" and is_input):
            continue
        if isinstance(member, types.FunctionType):
            setattr(thing, name, guarded(member, scope, 1, always=name == "__init__"))
        elif isinstance(member, classmethod):
            setattr(thing, name, classmethod(guarded(member.__func__, scope, 1)))
        elif isinstance(member, staticmethod):
            setattr(thing, name, staticmethod(guarded(member.__func__, scope)))


class _Loader(SourceFileLoader):
    def exec_module(self, module: types.ModuleType) -> None:
        super().exec_module(module)
        guard_module(module)


class _Finder:
    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        if not name.startswith("econ.") or name in UNGUARDED or name.startswith(UNGUARDED_STEM):
            return None
        spec: ModuleSpec | None = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def guard_package() -> None:
    """Check the arguments of all public functions of `econ` from here on."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
        importlib.invalidate_caches()
