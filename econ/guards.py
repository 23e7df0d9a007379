"""Every public function checks its arguments by name and annotation, and uses what it checked.

`guard_package` sets a loader that wraps the public functions, methods and input objects of each
module of `econ` as the module is loaded, so that no function repeats these checks:

* a number is a finite number: scalars of NumPy, `Decimal` and `Fraction` become Python's, arrays of
  short integers become 64-bit ones, a whole number given as ``1.0`` becomes ``1``; text, truth
  values, complex numbers and None are refused where the annotation does not name them;
* text is text, a table is a table whose columns differ, an object is of the annotated class;
* a table that lacks a column that is read, or has no rows where some are needed, is named;
* a sum that overflows, divides by zero or has no value ends the call, as does a table that no
  memory holds, and the numbers it is laid to are repeated: no warning, no NaN in its place.

The limits of a quantity stay with the function that knows them (`econ.catalog.guard`). Inside a
checked call the calls of `econ` itself are not checked again, save stations and input objects.

>>> from econ.tco import annuity_usd_per_month
>>> annuity_usd_per_month(True, 0.1, 5)
Traceback (most recent call last):
    ...
econ.arguments.WrongArgument: capital_usd = True is outside its range: numbers
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import linecache
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import Any

from econ.arguments import OPEN, Wanted, WrongArgument, as_field, wanted
from econ.quantities import is_number, plain

# compiled engines, checks themselves, what the guard needs to speak, and the command that ends in
# one line where Ctrl-C comes while the guard is still loading
UNGUARDED = {"econ.guards", "econ.arguments", "econ.quantities", "econ.catalog.guard",
             "econ.serving.engine", "econ.__main__"}  # fmt: skip
UNGUARDED_STEM = "econ.serving.session_"
FAULTS = (TypeError, LookupError, ValueError, ArithmeticError, AttributeError, MemoryError)
USUAL = 1e-25, 1e30  # size of a number that is no zero; others are named where a sum fails
UNEQUAL = ("could not be broadcast", "must match", "zip() argument")
ROWS = ("Pandas", "DataFrame", "Series")
NO_CELLS = (dict, list, tuple, set, bytes, complex)


class _Inside(threading.local):
    """Whether this thread is inside a checked call."""

    call = False


_inside = _Inside()
observe: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], None] | None = None


class _Plan:
    """The checks of a function's parameters, made when it is first called."""

    def __init__(self, function: Callable[..., Any], scope: Mapping[str, Any], n_skipped: int):
        from numpy import errstate

        self.strict = functools.partial(errstate, over="raise", divide="raise", invalid="raise")
        is_field = function.__name__ == "__init__"
        self.positional: list[Wanted | None] = [None] * n_skipped
        self.by_name: dict[str, Wanted | None] = {}
        self.rest: Wanted | None = None
        self.others: Wanted | None = None
        for p in list(inspect.signature(function).parameters.values())[n_skipped:]:
            by_name = wanted(p.name, p.annotation, scope, p.default)
            known = as_field(by_name) if is_field else by_name
            check = None if by_name.kinds == (OPEN,) else known
            if p.kind is p.VAR_POSITIONAL:
                self.rest = check
            elif p.kind is p.VAR_KEYWORD:
                self.others = check
            else:
                self.by_name[p.name] = check
                if p.kind is not p.KEYWORD_ONLY:
                    self.positional.append(check)

    def numbers(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """The numbers that a failed sum is laid to: the strange ones in the arguments, or all."""
        from econ.catalog.guard import shown

        names = [check.name if check else "" for check in self.positional]
        arguments = [*zip(names, args, strict=False), *kwargs.items()]
        near = [(name, value) for name, value in arguments if name and is_number(value)]
        strange = [one for argument in arguments for one in _strange(*argument)]
        return ", ".join(f"{name} = {shown(value)}" for name, value in strange[:3] or near)

    def convert(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments to use; ``kwargs`` are replaced in place."""
        known = self.positional
        for name, value in kwargs.items():
            check = self.by_name.get(name)
            if check is not None:
                kwargs[name] = check.check(value)
            elif name not in self.by_name:
                kwargs[name] = self.others.named(name).check(value) if self.others else plain(value)
        return tuple(
            (value if check is None else check.check(value))
            for value, check in zip(args, [*known, *[self.rest] * (len(args) - len(known))])  # noqa: B905
        )


def guarded(
    function: Callable[..., Any], scope: Mapping[str, Any], n_skipped: int = 0, always: bool = False
) -> Callable[..., Any]:
    """A function that converts and checks its arguments; ``n_skipped`` leaves out self or cls."""
    plan: _Plan | None = None

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        inside = _inside.call
        if inside and not always:
            return function(*args, **kwargs)
        nonlocal plan
        if plan is None:
            plan = _Plan(function, scope, n_skipped)
        if observe is not None and not inside:
            observe(checked, args, kwargs)
        args = plan.convert(args, kwargs)
        _inside.call = True
        try:
            if inside:
                return function(*args, **kwargs)
            with plan.strict():
                return function(*args, **kwargs)
        except FAULTS as error:
            if _is_said(error):
                raise
            reason = _reason(error, (*args, *kwargs.values()))
            if reason is None and isinstance(error, ArithmeticError | MemoryError):
                numbers = plan.numbers(args, kwargs) or "these arguments"
                reason = f"cannot be computed with {numbers} ({str(error) or 'out of memory'})"
            if reason is None:
                raise
            raise WrongArgument(f"{function.__name__}: {reason}") from error
        finally:
            _inside.call = inside

    for name in ("cache_clear", "cache_info"):
        if hasattr(function, name):
            setattr(checked, name, getattr(function, name))
            checked.__wrapped__ = function.__wrapped__  # type: ignore[attr-defined]
    return checked


def _is_said(error: Exception) -> bool:
    """Whether a line of `econ` raised the error on purpose, so that it says what is wrong."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not trace.tb_frame.f_globals.get("__name__", "").startswith("econ."):
        return False
    line = linecache.getline(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
    return line.lstrip().startswith("raise")


def _strange(name: str, value: Any, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """The numbers of unusual size in an argument: alone, in a list, a column, a field."""
    import numpy as np

    if is_number(value):
        size = abs(value if isinstance(value, int) else float(value))
        if size and not USUAL[0] <= size <= USUAL[1]:
            yield name, value
    elif hasattr(value, "iterrows"):
        for column in value.select_dtypes("number"):
            yield from _strange(f"column {column}", value[column].to_numpy())
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "iuf" and value.size:
            sizes = np.abs(value[value != 0].astype(float))
            ends = (sizes.min(), sizes.max()) if sizes.size else ()
            yield from (pair for end in ends for pair in _strange(name, end))
    elif depth and isinstance(value, list | tuple):
        for i, entry in enumerate(value[:100]):
            yield from _strange(f"{name}[{i}]", entry, depth - 1)
    elif depth and isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _strange(f"{name}[{key!r}]", entry, depth - 1)
    elif depth and dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):  # of an object that may be half made
            yield from _strange(field.name, getattr(value, field.name, None), depth - 1)


def _reason(error: Exception, values: tuple[Any, ...]) -> str | None:
    """What is wrong with a table, list or mapping that made a call fail; None where nothing is."""
    frames = [v if hasattr(v, "iterrows") else v.to_frame() for v in values if hasattr(v, "iloc")]
    if any(len(frame) == 0 for frame in frames):
        return "the table has no rows"
    if any(isinstance(v, list | tuple | set | frozenset) and not v for v in values):
        return "a list is empty: give one entry or more"
    missing = _missing(error)
    if missing is not None:
        for kind, known in [
            *(("table", list(frame.columns)) for frame in frames),
            *(("mapping", list(v)) for v in values if isinstance(v, Mapping)),
        ]:
            if missing not in known:
                what = "column" if kind == "table" else "entry"
                has = ", ".join(map(str, known[:12]))
                return f"the {kind} has no {what} {missing}; it has {has or 'none'}"
    if any(words in str(error) for words in UNEQUAL):
        return f"lists of different lengths: {error}"
    is_sum = isinstance(error, ArithmeticError | MemoryError)  # which no text has a part in
    odd = next(filter(None, (_odd_cell(frame, not is_sum) for frame in frames)), None)
    if odd is None and frames and not is_sum:
        columns = ", ".join(f"{name} ({dtype})" for name, dtype in frames[0].dtypes[:12].items())
        return f"the table does not fit: {error}; its columns: {columns}"
    return odd


def _missing(error: Exception) -> Any:
    """The column or entry that an error says is not there; None where it says something else."""
    if type(error) is KeyError and error.args:
        return error.args[0]
    is_row = isinstance(error, AttributeError) and type(error.obj).__name__ in ROWS
    return error.name if is_row else None  # type: ignore[attr-defined]


def _odd_cell(frame: Any, with_texts: bool) -> str | None:
    """The first cell of a table that can be no cell, or is no number or text where that is held."""
    from econ.catalog.columns import columns as dictionary

    known = {n: c.is_number for n, c in dictionary().items() if c.is_number or with_texts}
    for name, dtype in frame.dtypes.items():
        of_numbers = known.get(name)
        if dtype.kind != "O":
            is_odd = dtype.kind not in "iuf" if of_numbers else dtype.kind in "iuf"
            if of_numbers is not None and is_odd and frame[name].notna().any():
                return f"column {name}: {dtype} instead of {'numbers' if of_numbers else 'texts'}"
            continue
        for row, cell in frame[name].dropna().items():
            is_text = isinstance(cell, str | bool) or type(cell).__module__.startswith("econ.")
            is_odd = of_numbers is not None and not (is_number(cell) if of_numbers else is_text)
            if is_odd or isinstance(cell, NO_CELLS):
                what = {True: "number", False: "text", None: "cell"}[of_numbers]
                return f"column {name}, row {row}: {cell!r:.60} is no {what}"
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
