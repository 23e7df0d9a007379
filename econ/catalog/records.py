"""Frozen dataclasses to and from JSON: names where they serve, whole objects where they do not.

>>> from econ.catalog.ranges import Range
>>> read_object(Range, {"low": 1, "typical": 2, "high": 4}, "rent", {}, {}).typical
2
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from econ.catalog.documents import strict_json
from econ.catalog.guard import one_of, shown
from econ.catalog.ranges import Range

RANGE_KEYS = {f.name for f in fields(Range)}
Classes = Mapping[tuple[Any, str], Any]


def parse(text: object, what: str) -> Any:
    """The JSON value of a text, or an error in one line."""
    if not isinstance(text, str):
        raise ValueError(f"{what} is read from text, not from {shown(text)}")
    return strict_json(text.removeprefix("\ufeff"), what)  # a mark that some editors write


def read_object(cls: type, values: Any, where: str, parts: Classes, objects: Classes) -> Any:
    """An object of ``cls`` from a JSON object whose keys are its fields.

    ``parts``: fields that are always objects; ``objects``: fields where a name or an object may
    stand, both by (class, field). An unknown key names its nearest.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{where}: expected an object, not {values!r}")
    if not dataclasses.is_dataclass(cls):
        raise ValueError(f"cls = {cls!r} is outside its range: a dataclass")
    known = {f.name: str(f.type) for f in fields(cls)}
    for name in values:
        one_of(f"key of {where}", name, known)
    required = {
        f.name
        for f in fields(cls)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    }
    if missing := sorted(required - values.keys()):
        raise ValueError(f"{where}: no key {', '.join(missing)}")

    def value_of(name: str, value: Any) -> Any:
        inside = f"{where}.{name}"
        if (cls, name) in parts:
            return read_object(parts[cls, name], value, name, parts, objects)
        if isinstance(value, dict) and (cls, name) in objects:
            return read_object(objects[cls, name], value, inside, parts, objects)
        if isinstance(value, dict) and "float" in known[name] and RANGE_KEYS.issuperset(value):
            return read_object(Range, value, inside, parts, objects)
        if value is None and known[name].endswith("None"):
            return None
        if (known[name] == "str" or (cls, name) in objects) and not isinstance(value, str):
            raise ValueError(f"{inside} = {value!r} is not text")
        if isinstance(value, list):
            return tuple(
                read_object(Range, v, inside, parts, objects) if isinstance(v, dict) else v
                for v in value
            )
        return value

    return cls(**{name: value_of(name, value) for name, value in values.items()})


def plain_json(answer: Mapping[str, Any]) -> str:
    """An answer as JSON; what is not a finite number becomes null.

    >>> plain_json({"cost_usd": float("nan")})
    '{\\n  "cost_usd": null\\n}'
    """
    return json.dumps(_plain(answer), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):  # of NumPy or pandas
        return _plain(value.tolist())
    if value is not None and not isinstance(value, str | int | float):
        raise ValueError(f"{shown(value)} is nothing that JSON can hold")
    return None if isinstance(value, float) and not math.isfinite(value) else value
