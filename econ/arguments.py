"""What an annotation allows as an argument, and the conversion to what is then used.

>>> wanted("n_spare", "int", {}).check(1.0)
1
>>> wanted("loads", "Sequence[float]", {}).check(range(1, 3))
range(1, 3)
>>> wanted("loads", "Sequence[float]", {}).check([1.0, "2"])
Traceback (most recent call last):
    ...
econ.arguments.WrongArgument: loads[1] = '2' is outside its range: a finite number
>>> wanted("ttft_s", "float | None", {}).check("0.3")
Traceback (most recent call last):
    ...
econ.arguments.WrongArgument: ttft_s = '0.3' is outside its range: a finite number or None
"""

from __future__ import annotations

import builtins
import collections
import dataclasses
import importlib
import inspect
import operator
import sys
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from econ.quantities import Span, is_number, plain, span_of, within

NO_LIMIT = float("inf")  # the default of what may be infinite, e.g. a limit among others
LARGEST = 1e60  # size of a number; beyond it, products overflow
MOST_DIGITS = 15  # of a whole number
NO_NUMBERS = "cSUVmM"  # dtypes that are no numbers
LISTS = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable,
         collections.abc.Collection, collections.abc.Iterator)  # fmt: skip
STEMS = {"pd": "pandas", "np": "numpy"}  # modules that annotations name
IMPORT = {"__import__": __import__}  # numpy imports parts of itself when first asked for them


class WrongArgument(TypeError, ValueError):
    """An argument of the wrong kind; the message repeats its name, its value and what is wanted."""


class Amounts:
    """Stands for a number, or an array, list or column of numbers."""


class Arrays:
    """Stands for an array, list or column of numbers."""


class Unknown:
    """Stands for a name that cannot be looked up: it allows everything."""

    def __class_getitem__(cls, item: Any) -> type:
        return cls


NAMED: dict[str, Any] = {
    **dict.fromkeys(("Amount", "Numbers", "Size"), Amounts),
    "ArrayLike": Arrays,
    "Path": Path,
    "Callable": Callable,
    "Any": Any,
}


def wrong(name: str, value: Any, wanted: str) -> WrongArgument:
    """The error to raise for an argument."""
    from econ.catalog.guard import shown

    return WrongArgument(f"{name} = {shown(value)} is outside its range: {wanted}")


# -- numbers, arrays, tables ---------------------------------------------------------------------
def number(name: str, value: Any, is_whole: bool = False, is_free: bool = False) -> Any:
    """A scalar as a number of Python: finite unless ``is_free``, whole where that is asked."""
    wanted = "a whole number" if is_whole else "a finite number"
    if not is_number(value):
        raise wrong(name, value, wanted)
    try:
        value = plain(value)
    except (OverflowError, ValueError):
        raise wrong(name, value, wanted) from None
    if is_free and isinstance(value, int) and abs(value) > LARGEST:
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


def array(name: str, value: Any, is_whole: bool = False) -> Any:
    """An array or column of numbers, at least one, whose integers have 64 bits.

    NaN in it is an empty cell.
    """
    import numpy as np

    kind = value.dtype.kind if isinstance(value.dtype, np.dtype) else "O"
    if value.size == 0:
        raise wrong(name, value, "numbers, at least one")
    if is_whole and kind == "f":
        if not (np.asarray(value) == np.floor(np.clip(value, -(2**62), 2**62))).all():
            raise wrong(name, value, "whole numbers")
        return value.astype(np.int64)
    if kind in NO_NUMBERS:
        raise wrong(name, value, "numbers")
    if kind == "O":
        try:
            numbers = np.array([number(name, v, is_free=True) for v in value], dtype=float)
        except WrongArgument:
            raise wrong(name, value, "numbers") from None
        return type(value)(numbers, value.index) if hasattr(value, "index") else numbers
    if kind in "iu" and value.dtype != np.int64:
        if kind == "u" and value.dtype.itemsize == 8 and (np.asarray(value) > 2**62).any():
            raise wrong(name, value, "whole numbers of at most 62 bits")
        return value.astype(np.int64)
    if kind == "f" and value.dtype.itemsize != 8:
        return value.astype(np.float64)
    return value


def listed(name: str, values: Any, is_whole: bool = False) -> Any:
    """A list of numbers, or of lists of equal length, as an array."""
    import numpy as np

    try:
        numbers = np.asarray(values)
    except (ValueError, OverflowError):  # lists of unequal length
        numbers = None
    is_odd = numbers is None or numbers.dtype.kind not in "iufbO" or numbers.ndim == 0
    if is_odd or any(isinstance(v, bool) for v in values):
        raise wrong(name, values, "numbers")
    return array(name, numbers, is_whole)


def table(name: str, value: Any) -> Any:
    """A table whose columns have different names."""
    if not value.columns.is_unique:
        twice = value.columns[value.columns.duplicated()][0]
        raise WrongArgument(f"{name}: column {twice!r} is there twice")
    for column, dtype in value.dtypes.items():
        if dtype.kind == "c":
            raise WrongArgument(f"{name}: column {column!r} has complex numbers")
    return value


# -- kinds of arguments --------------------------------------------------------------------------
@dataclasses.dataclass(frozen=True)
class Kind:
    """One alternative of an annotation: what it takes, and how that is converted."""

    words: str
    takes: Callable[[Any], bool]
    use: Callable[[str, Any], Any] = lambda name, value: value
    n_before: int = 1  # kinds that take less are tried first
    has_id: bool = False  # whether its objects go by their identifier, too
    exact: type | None = None  # whose values need no conversion


OPEN = Kind("anything", lambda value: True, n_before=9)
NONE = Kind("None", lambda value: value is None, n_before=5, exact=types.NoneType)
TEXT = Kind("a text", lambda value: isinstance(value, str), exact=str)
TRUTH = Kind(
    "True or False",
    lambda v: type(v).__name__ in ("bool", "bool_") or (is_number(v) and v in (0, 1)),
    lambda name, value: bool(value),
    n_before=2,
    exact=bool,
)
SPAN = Kind("a Range", lambda value: type(value).__name__ == "Range")
TABLE = Kind("a pandas DataFrame", lambda value: hasattr(value, "iterrows"), table)


def _is_list(value: Any) -> bool:
    if isinstance(value, str | bytes | Mapping) or hasattr(value, "columns"):
        return False
    return hasattr(value, "__iter__") and getattr(value, "ndim", 1) != 0


def _numbers(is_whole: bool, is_free: bool) -> Kind:
    words = "a whole number" if is_whole else "a finite number"
    of = int if is_whole else float
    return Kind(words, is_number, lambda name, v: number(name, v, is_whole, is_free), exact=of)


def _arrays(is_free: bool, or_scalar: bool, is_whole: bool = False) -> Kind:
    def use(name: str, value: Any) -> Any:
        if is_number(value):
            return number(name, value, is_free=is_free)
        if getattr(value, "dtype", None) is not None:
            return array(name, value, is_whole)
        return listed(name, list(value), is_whole)

    def takes(value: Any) -> bool:
        return _is_list(value) or (or_scalar and is_number(value))

    return Kind("numbers", takes, use, 3, exact=float if or_scalar else None)


def _entries(inner: Wanted | list[Wanted], of: type) -> Kind:
    """A list of things of one kind, where a single thing is a list of one; or of given kinds."""

    def use(name: str, value: Any) -> Any:
        if isinstance(inner, list):
            entries = list(value)
            if len(entries) != len(inner):
                raise wrong(name, value, f"{len(inner)} entries")
            return tuple(
                one.named(f"{name}[{i}]").check(entry)
                for i, (one, entry) in enumerate(zip(inner, entries, strict=True))
            )
        if not _is_list(value):
            entries = [inner.named(name).check(value)]
        elif inner.is_number and (isinstance(value, range) or hasattr(value, "dtype")):
            return value if isinstance(value, range) else array(name, value)
        elif inner.is_open:
            return value
        else:
            entries = [
                entry if inner.is_plain(entry) else inner.named(f"{name}[{i}]").check(entry)
                for i, entry in enumerate(value)
            ]
        if isinstance(value, set | frozenset):
            return type(value)(entries)
        is_same = _is_list(value) and all(map(operator.is_, entries, value))
        if is_same and type(value) is of:
            return value  # which a function may fill
        return tuple(entries) if isinstance(value, tuple) or of is tuple else entries

    def takes(value: Any) -> bool:
        takes_one = isinstance(inner, Wanted) and not inner.is_open and inner.takes(value)
        return _is_list(value) or takes_one

    return Kind("a list", takes, use, 4)


def _mapping(key: Wanted, value: Wanted, of: type) -> Kind:
    def use(name: str, argument: Any) -> Any:
        if not isinstance(argument, Mapping):  # a row of a table
            argument = argument.to_dict()
        if key.is_open and value.is_open:
            return argument
        entries = {
            key.named(f"a key of {name}").check(k): value.named(f"{name}[{k!r}]").check(v)
            for k, v in argument.items()
        }
        if of is dict:  # which a function may fill
            argument.update(entries)
        return entries if type(argument) is dict and of is not dict else argument

    def takes(argument: Any) -> bool:
        is_row = hasattr(argument, "to_dict") and not hasattr(argument, "columns") and value.is_open
        return isinstance(argument, Mapping) or is_row

    return Kind("a mapping", takes, use, 3)


def _path(name: str, value: Any) -> Any:
    if "\0" in str(value):
        raise wrong(name, value, "a path without a zero byte")
    return value


def _instances(of: type) -> Kind:
    words = f"{'an' if of.__name__[0] in 'AEIOU' else 'a'} {of.__name__}"
    if getattr(of, "_is_protocol", False):
        members = {**vars(of), **of.__annotations__}
        needed = [name for name in members if not name.startswith("_")]
        return Kind(words, lambda v: all(hasattr(v, name) for name in needed), n_before=0)
    fields = getattr(of, "__dataclass_fields__", ())  # such objects equal themselves
    takes: Callable[[Any], bool] = lambda v: isinstance(v, of) and (v == v) is not False  # noqa: E731
    return Kind(words, takes, n_before=0, has_id="id" in fields, exact=of if fields else None)


@dataclasses.dataclass
class Wanted:
    """What a parameter takes."""

    name: str
    kinds: tuple[Kind, ...]
    is_number: bool = False  # whether numbers are all it takes
    span: Span | None = None  # of a number, by its unit

    def __post_init__(self) -> None:
        self._plain = {kind.exact for kind in self.kinds} - {None}
        self._plain |= {int} if float in self._plain else set()
        self._most = min(LARGEST, self.span.high if self.span else LARGEST)

    @property
    def is_open(self) -> bool:
        """Whether it takes everything."""
        return OPEN in self.kinds

    def takes(self, value: Any) -> bool:
        """Whether a value is of one of the kinds."""
        return any(kind.takes(value) for kind in self.kinds)

    def named(self, name: str) -> Wanted:
        """The same under another name."""
        return dataclasses.replace(self, name=name)

    def is_plain(self, value: Any) -> bool:
        """Whether a value is used as it is, which most are: an exact type, a usual number."""
        of = type(value)
        if of not in self._plain:
            return False
        if of is float:
            return bool(0 <= value <= self._most)
        return of is not int or 0 <= value <= min(self._most, 10**MOST_DIGITS)

    def check(self, value: Any) -> Any:
        """The value to use, or an error that names the argument."""
        if self.is_plain(value):
            return value
        for kind in self.kinds:
            if kind.takes(value):
                used = kind.use(self.name, value)
                if self.span is not None and is_number(used):
                    within(self.name, used, self.span)
                return used
        raise wrong(self.name, value, " or ".join(k.words for k in self.kinds))


# -- from annotations to kinds -------------------------------------------------------------------
class _Names(dict[str, Any]):
    """What the names in a module's annotations stand for; those imported for types alone, too."""

    def __init__(self, scope: Mapping[str, Any]):
        super().__init__(NAMED)
        self.scope = scope

    def __missing__(self, name: str) -> Any:
        if name in self.scope:
            return self.scope[name]
        if hasattr(builtins, name):
            return getattr(builtins, name)
        if name in STEMS:
            return importlib.import_module(STEMS[name])
        if name == "npt":
            return importlib.import_module("numpy.typing")
        modules = [m for stem, m in list(sys.modules.items()) if stem.startswith("econ.")]
        candidates = {id(vars(m)[name]): vars(m)[name] for m in modules if name in vars(m)}
        return next(iter(candidates.values())) if len(candidates) == 1 else Unknown


def wanted(name: str, annotation: Any, scope: Mapping[str, Any], default: Any = 0) -> Wanted:
    """What a parameter takes by its annotation, whose names are looked up in a module.

    A parameter without an annotation takes everything; one whose name has a unit takes numbers.
    Where the default is infinite or NaN, other such numbers are taken too.
    """
    if annotation in ("Any", inspect.Parameter.empty):
        annotation = Any if span_of(name) is None else "Amount"
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, {"__builtins__": IMPORT}, _Names(scope))
        except (AttributeError, TypeError):  # of a library that is not there
            annotation = Any
    is_free = isinstance(default, float) and not abs(default) < float("inf")
    kinds = {kind.words: kind for part in _parts(annotation) for kind in [_kind(part, is_free)]}
    if default is None:
        kinds["None"] = NONE
    if "a Path" in kinds:  # a text beside it is one, too
        for words in kinds.keys() & {"a Path", TEXT.words}:
            kinds[words] = dataclasses.replace(kinds[words], use=_path, exact=None)
    ordered = sorted(kinds.values(), key=lambda kind: kind.n_before)
    return Wanted(name, tuple(ordered), all(k.takes is is_number for k in ordered), span_of(name))


def _parts(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of a type."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def _kind(of: Any, is_free: bool) -> Kind:
    """What one type takes."""
    simple = {None: NONE, types.NoneType: NONE, str: TEXT, bool: TRUTH, object: OPEN, Unknown: OPEN}
    if isinstance(of, type | None) and of in simple:
        return simple[of]
    if of in (int, float):
        return _numbers(of is int, is_free)
    origin, inner = typing.get_origin(of) or of, typing.get_args(of)
    module = getattr(origin, "__module__", "")
    if origin in (Amounts, Arrays) or (module == "numpy" and origin.__name__ == "ndarray"):
        return _arrays(is_free, origin is Amounts, "int64" in str(inner[1:]))
    if origin is Callable or origin is collections.abc.Callable:
        return Kind("a function", callable)
    if not isinstance(origin, type) or module == "typing":
        return OPEN
    if origin.__name__ == "DataFrame":
        return TABLE
    if issubclass(origin, Mapping):
        key, value = inner if len(inner) == 2 else (Any, Any)
        return _mapping(wanted("", key, {}), wanted("", value, {}), origin)
    if origin in LISTS:
        if origin is tuple and Ellipsis not in inner and len(inner) > 1:
            return _entries([wanted("", part, {}, NO_LIMIT) for part in inner], origin)
        return _entries(wanted("", inner[0] if inner else Any, {}, NO_LIMIT), origin)
    return _instances(origin)


def as_field(check: Wanted) -> Wanted:
    """What the field of an input object takes: its names are text, and its numbers may be ranges.

    Which names there are, what a `Range` may stand for, and the limits of a number are said by the
    object itself.
    """
    extra = [SPAN] if any(kind.takes is is_number for kind in check.kinds) else []
    if any(kind.has_id for kind in check.kinds):
        extra.append(TEXT)
    return dataclasses.replace(check, kinds=(*check.kinds, *extra), is_number=False, span=None)
