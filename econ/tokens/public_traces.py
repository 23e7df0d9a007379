"""Real load: public production traces, fetched once from their home and checked.

``data/tokens/traces.csv`` holds their address, checksum and statistics; the rows themselves stay at
their source. A trace of your own is read by `econ.tokens.read_trace`.

>>> traces_frame().loc["azure-code", "gap_cv"]      # Poisson would be 1
np.float64(13.15)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from econ.catalog.guard import positive, unknown
from econ.catalog.reading import read_columns
from econ.catalog.tables import table
from econ.tokens.traces import check_trace

AZURE_COLUMNS = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
STATISTICS = (0.5, 0.95, 0.99)


def traces_frame() -> pd.DataFrame:
    """The traces that can be fetched, and what they look like."""
    return table("traces")


def fetch_trace(id: str, folder: str | Path | None = None) -> pd.DataFrame:
    """A public trace, downloaded once (needs pooch and a network).

    Parameters
    ----------
    id : str
        A row of `traces_frame`, e.g. ``"azure-conv"``.
    folder : path, optional
        Where the file is kept; the user's cache by default.

    Returns
    -------
    DataFrame
        ``arrival_s``, ``input_tokens``, ``output_tokens``.

    Raises
    ------
    UnknownName
        For an unknown trace.
    ValueError
        For a file that does not match its checksum.
    """
    rows = table("traces")
    if id not in rows.index:
        raise unknown("trace", id, rows.index)
    import pooch

    row = rows.loc[id]
    where = folder if folder is not None else pooch.os_cache("inference-economics")
    file = pooch.retrieve(
        row.url, known_hash=f"sha256:{row.sha256}", fname=row.url.rsplit("/", 1)[1], path=where
    )
    return read_azure(file)


def read_azure(path: str | Path) -> pd.DataFrame:
    """A file of the Azure LLM inference trace 2023 in this project's columns.

    Arrival counts from the first request. Requests with the same timestamp keep the file's order.
    """
    raw = read_columns(path, AZURE_COLUMNS)
    at = pd.to_datetime(raw["TIMESTAMP"], format="ISO8601")
    frame = pd.DataFrame(
        {
            "arrival_s": (at - at.iloc[0]) / pd.Timedelta(seconds=1),
            "input_tokens": raw["ContextTokens"],
            "output_tokens": raw["GeneratedTokens"],
        }
    )
    return check_trace(frame.sort_values("arrival_s", kind="stable"), Path(path).name)


def trace_statistics(trace: pd.DataFrame) -> dict[str, float]:
    """Count, rate, burstiness and lengths of a trace: the columns of ``data/tokens/traces.csv``.

    >>> even = pd.DataFrame({"arrival_s": [0, 1, 2], "input_tokens": 9, "output_tokens": 5})
    >>> {k: v for k, v in trace_statistics(even).items() if k in ("rate_per_s", "gap_cv")}
    {'rate_per_s': 1.0, 'gap_cv': 0.0}
    """
    trace = check_trace(trace)
    gaps = np.diff(trace["arrival_s"])
    positive("the time from the first arrival to the last", float(gaps.sum()))
    statistics = {
        "n_requests": len(trace),
        "duration_s": float(gaps.sum()),
        "rate_per_s": float(1 / gaps.mean()),
        "gap_cv": float(gaps.std() / gaps.mean()),
    }
    for name in ("input_tokens", "output_tokens"):
        statistics[f"mean_{name}"] = float(trace[name].mean())
        for q in STATISTICS:
            statistics[f"p{round(q * 100)}_{name}"] = float(trace[name].quantile(q))
    return statistics
