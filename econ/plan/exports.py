"""Files that an answer leaves behind: tables, scenarios, pages; never over one that is there.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> export(pd.DataFrame({"name": ["=1+1"], "usd": [2.5]}), folder / "plan.csv").read_text()
"name,usd\\n'=1+1,2.5\\n"
>>> export(pd.DataFrame({"usd": [2.5]}), folder / "plan.csv")
Traceback (most recent call last):
    ...
FileExistsError: plan.csv is there already and is left as it is; a free name: plan-2.csv
"""

from __future__ import annotations

import importlib.util
import io
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from econ.catalog.documents import check_writable, write_new
from econ.catalog.guard import unknown
from econ.scenario import Scenario

ENDINGS = {
    ".csv": pd.DataFrame, ".parquet": pd.DataFrame, ".json": Scenario, ".html": str, ".md": str,
    ".toml": str, ".xlsx": bytes,
}  # fmt: skip
NO_PARQUET = "{}: Parquet needs pyarrow: pip install 'inference-economics[notebooks]'"
DIGITS = "%.6g"  # of a figure in CSV; Parquet keeps them all
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def export(thing: pd.DataFrame | Scenario | str | bytes, path: str | Path) -> Path:
    """Write a table (.csv, .parquet), a scenario (.json), a text (.html, .md, .toml) or a workbook
    (.xlsx, as bytes) to a new file.

    The file appears complete or not at all. Text that a spreadsheet would run as a formula is
    quoted in CSV.

    Parameters
    ----------
    thing : pandas.DataFrame, Scenario, str or bytes
        What the ending of ``path`` takes.
    path : str or Path
        A file that does not exist yet, in a folder that does.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileExistsError
        Where the file exists; it is left as it is, and a free name is given.
    FileNotFoundError
        Where the folder does not exist.
    ValueError
        For an unknown ending, or a table that Parquet cannot hold.
    """
    path = Path(path)
    kind = ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise unknown("ending of an export", path.suffix, ENDINGS)
    if not isinstance(thing, kind):
        raise ValueError(f"{path.name}: a {path.suffix} file takes a {kind.__name__}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.name}: the folder {path.parent.name!r} is not there")
    return write_new(path, _bytes(thing, path))


def check_new(names: Sequence[str], endings: Sequence[str]) -> None:
    """Refuse, before the work, what could not be written after it.

    Parameters
    ----------
    names : sequence of str
        Files to write, e.g. ``["plan.html"]``.
    endings : sequence of str
        Those that are possible, e.g. ``(".html", ".csv")``.

    Raises
    ------
    ValueError
        For another ending, or a name that stands twice.
    ImportError
        For Parquet without pyarrow.
    OSError
        For a file that is there, or a folder that is not there or takes no file.
    """
    for name in names:
        ending = Path(name).suffix.lower()
        if ending not in endings:
            kinds = f"{', '.join(endings[:-1])} or {endings[-1]}" if endings[1:] else endings[0]
            raise ValueError(f"{name}: give a {kinds} file")
        if ending == ".parquet" and importlib.util.find_spec("pyarrow") is None:
            raise ImportError(NO_PARQUET.format(name))
        check_writable(name)
    if twice := [name for name, n in Counter(map(os.path.abspath, names)).items() if n > 1]:
        raise ValueError(f"{twice[0]} is named twice")


def _bytes(thing: pd.DataFrame | Scenario | str | bytes, path: Path) -> bytes:
    if isinstance(thing, bytes):
        return thing
    if isinstance(thing, Scenario):
        return (thing.to_json() + "\n").encode()
    if isinstance(thing, str):
        return thing.encode(errors="replace")
    if path.suffix.lower() == ".csv":
        text = str(_harmless(thing).to_csv(index=False, lineterminator="\n", float_format=DIGITS))
        return text.encode(errors="replace")  # half a character is no reason to fail
    try:
        buffer = io.BytesIO()
        thing.to_parquet(buffer, index=False)
    except ImportError:
        raise ImportError(NO_PARQUET.format(path.name)) from None
    except (ValueError, TypeError) as error:  # what Arrow raises on cells of mixed kinds
        raise ValueError(f"{path.name}: Parquet cannot hold this table: {error}") from None
    return buffer.getvalue()


def _harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with an apostrophe before text and names of columns that begin like a formula."""

    def text(value: object) -> object:
        return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value

    columns = []
    for k in range(frame.shape[1]):  # by place: a name may be there twice
        column = frame.iloc[:, k]
        is_number = pd.api.types.is_numeric_dtype(column) or column.dtype == bool
        columns.append(column if is_number else column.astype(object).map(text))
    out = pd.concat(columns, axis=1) if columns else frame.copy()
    return out.set_axis([text(name) for name in frame.columns], axis=1)
