"""A day's list prices: read from the price package once, then from the user's cache folder.

The package takes half a second of processor time to load, most of it for what a price list does not
need, and its prices change with its version and the day alone. So a process that has not loaded it
reads what an earlier one wrote, whole (``XDG_CACHE_HOME``, by default ``~/.cache``). Where nothing
can be written each process loads the package.

>>> day = datetime.date(2026, 11, 29)
>>> rows = prices_of_day(day, lambda name: name == "gpt-4o-mini")
>>> rows[0]["output_usd_per_mtok"] == prices_of_day(day, "gpt-4o-mini".__eq__)[0][
...     "output_usd_per_mtok"]
True
"""

from __future__ import annotations

import contextlib
import datetime
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from econ.catalog.documents import replace
from econ.catalog.prices import package_source, prices_now_frame, rows_json, rows_of

PACKAGE = "genai_prices"
FORMAT = 1  # of the files; another where their rows change


def cache_dir() -> Path:
    """Where files lie that can be written anew."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "inference-economics"


def prices_of_day(day: datetime.date, named: Callable[[str], bool]) -> list[dict[str, Any]]:
    """Rows of `econ.catalog.prices_now_frame` at a day's noon (UTC), of the models that are wanted.

    Parameters
    ----------
    day : datetime.date
        Whose prices count.
    named : callable
        Says of a model's name on a list whether it is wanted.

    Raises
    ------
    ImportError
        Without genai-prices (and without a saved list), with what to install.
    """
    moment = datetime.datetime.combine(day, datetime.time(12), datetime.UTC)
    if PACKAGE in sys.modules or importlib.util.find_spec(PACKAGE) is None:
        rows: list[dict[str, Any]] = prices_now_frame(moment, named).to_dict("records")
        return rows
    version = package_source().replace(" ", "-")
    file = cache_dir() / f"{version}-{day.isoformat()}-{FORMAT}.json"
    with contextlib.suppress(OSError, ValueError):
        return rows_of(file.read_text(encoding="utf-8"), named)
    text = rows_json(prices_now_frame(moment))
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        for old in file.parent.glob("genai-prices-*.json"):
            old.unlink()
        replace(file, text.encode())
    return rows_of(text, named)
