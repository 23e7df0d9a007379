"""What a trace asks of a fleet: its load in words, and the peak over the mean that sizes it.

>>> from econ.tokens.workloads import workload
>>> describe_frame(workload("chat").sample(2000, 1))["what"].tolist()[:3]
['requests', 'duration', 'arrivals']
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog.guard import positive
from econ.catalog.units import HOUR_S, MINUTE_S
from econ.tokens.trace_columns import OPTIONAL
from econ.tokens.traces import check_trace
from econ.tokens.workloads import Workload


def describe_frame(trace: pd.DataFrame) -> pd.DataFrame:
    """A trace in words.

    Parameters
    ----------
    trace : pandas.DataFrame
        Columns arrival_s, input_tokens, output_tokens, optionally cached_tokens.

    Returns
    -------
    pandas.DataFrame
        Columns what, value, unit, and matters: why it counts for a plan.
    """
    trace = check_trace(trace)
    w = Workload.from_trace(trace)
    hours = (trace["arrival_s"].iloc[-1] - trace["arrival_s"].iloc[0]) / HOUR_S
    peak, window_s = peak_factor(trace)
    cached = trace[OPTIONAL].sum() / trace["input_tokens"].sum() if OPTIONAL in trace else np.nan
    rows = [("requests", len(trace), "", "how sure the tails are"),
            ("duration", hours, "h", "a few hours do not show a day")]  # fmt: skip
    if w.arrival != "all_at_once":
        rows += [
            ("arrivals", w.rate_per_s, "requests/s", "the mean load"),
            ("variation of gaps", w.arrival_cv, "", "1 is Poisson; above it, bursts queue up"),
            ("peak over mean", peak, f"in windows of {window_s:.0f} s", "what sizes the fleet"),
        ]
    for name in ("input", "output"):
        lengths = trace[f"{name}_tokens"]
        rows += [
            (f"mean {name}", lengths.mean(), "tokens", "the cost"),
            (f"99 % of {name}s within", lengths.quantile(0.99), "tokens", "the tail of latency"),
        ]
    why = "saves reading" if np.isfinite(cached) else "not in this trace: taken as none"
    rows.append(("cached input", cached, "share", why))
    return pd.DataFrame(rows, columns=["what", "value", "unit", "matters"])


def peak_factor(trace: pd.DataFrame, window_s: float = 5 * MINUTE_S) -> tuple[float, float]:
    """The load of the busiest window over the mean load.

    Parameters
    ----------
    trace : pandas.DataFrame
        Columns arrival_s, input_tokens, output_tokens.
    window_s : float
        Length of a window, e.g. 300; at most a twentieth of the trace.

    Returns
    -------
    tuple of float
        The factor, 1 or above, and the window that was used, in seconds.

    Examples
    --------
    >>> even = pd.DataFrame({"arrival_s": np.arange(3600.0), "input_tokens": 9, "output_tokens": 5})
    >>> round(peak_factor(even)[0], 2)
    1.0
    """
    positive("window_s", window_s)
    arrival = check_trace(trace)["arrival_s"].to_numpy()
    span_s = float(arrival[-1] - arrival[0])
    if span_s <= 0:
        return 1.0, window_s
    window_s = min(window_s, span_s / 20)
    n_whole = max(int(span_s / window_s + 1e-9), 1)
    counts = np.bincount(((arrival - arrival[0]) / window_s).astype(int), minlength=n_whole)
    counts = counts[:n_whole]  # the last window is cut short
    return float(counts.max() / counts.mean()), window_s
