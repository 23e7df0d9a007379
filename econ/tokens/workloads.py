"""What is asked of a service: when requests arrive and how long they are.

Five named workloads ship as quantiles of real traces (`workload("chat")`); a learner's own trace
takes the same place (`Workload.from_trace(read_trace(path))`). Lengths are drawn from the
quantiles, joined by straight lines in the logarithm; input and output keep the trace's rank
correlation; gaps between arrivals are gamma with the trace's coefficient of variation.

>>> chat = workload("chat")
>>> trace = chat.sample(1000, seed=1)
>>> trace.columns.tolist()
['arrival_s', 'input_tokens', 'output_tokens']
>>> workload("chatt")
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown workload 'chatt'; nearest: chat
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.guard import count, fraction, in_range, not_negative, one_of, positive
from econ.catalog.laws import Numbers, gamma_share, normal_share
from econ.catalog.ranges import Range, ends
from econ.catalog.tables import remember, row_of, table
from econ.tokens.tasks import Task
from econ.tokens.trace_columns import OPTIONAL, TRACE_COLUMNS
from econ.tokens.traces import MAX_TOKENS, check_trace

QUANTILES = (
    *(0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    *(0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0),
)
ARRIVALS = ("gamma", "all_at_once")


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A stream of requests, as distributions.

    Parameters
    ----------
    id, title : str
        Name and a few words.
    arrival : str
        ``"gamma"``: gaps follow a gamma law; ``"all_at_once"``: a batch job.
    rate_per_s : float or Range
        Mean arrivals per second, e.g. 5.5.
    arrival_cv : float or Range
        Standard deviation of the gaps over their mean: 1 is Poisson, greater is bursty.
    input_quantile_tokens, output_quantile_tokens : tuple of float
        Lengths at the quantiles `QUANTILES`, rising.
    rank_correlation : float or Range
        Spearman's correlation of input and output lengths.
    cached_frac : float or Range
        Share of input tokens that an unlimited prefix cache would serve.
    reasoning_frac : float or Range
        Share of output tokens spent on reasoning.
    source : str
        Key of the source.
    task : Task, optional
        What these calls add up to where they are turns of sessions; ``cached_frac`` is then what
        the cache of one fleet served, so stations that look for another fleet refuse it.

    Raises
    ------
    ValueError
        For a number outside its range, or lengths that do not rise.
    """

    id: str
    title: str = ""
    arrival: str = "gamma"
    rate_per_s: float = 1.0
    arrival_cv: float = 1.0
    input_quantile_tokens: tuple[float, ...]
    output_quantile_tokens: tuple[float, ...]
    rank_correlation: float = 0.0
    cached_frac: float = 0.0
    reasoning_frac: float = 0.0
    source: str = ""
    task: Task | None = None

    def __post_init__(self) -> None:
        one_of("arrival process", self.arrival, ARRIVALS)
        if self.task is not None and not isinstance(self.task, Task):
            raise ValueError(f"task = {self.task!r} is no Task")
        ends(positive, "rate_per_s", self.rate_per_s, 1e9)
        ends(positive, "arrival_cv", self.arrival_cv, 1e3)
        ends(fraction, "cached_frac", self.cached_frac)
        ends(fraction, "reasoning_frac", self.reasoning_frac)
        ends(in_range, "rank_correlation", self.rank_correlation, -0.999, 0.999)
        for name in ("input_quantile_tokens", "output_quantile_tokens"):
            lengths = getattr(self, name)
            if isinstance(lengths, tuple) and any(isinstance(v, Range) for v in lengths):
                continue  # an uncertain length, the same at all quantiles: numbers come later
            try:
                values = tuple(float(v) for v in lengths)
            except (TypeError, ValueError):
                values = ()
            object.__setattr__(self, name, values)
            # "not all rising" also refuses a NaN in the middle
            if len(values) != len(QUANTILES) or not all(np.diff(values) >= 0):
                raise ValueError(
                    f"{name} = {lengths!r} is outside its range: {len(QUANTILES)} rising lengths, "
                    f"at the quantiles {QUANTILES}"
                )
            in_range(f"{name}[0]", values[0], 1, MAX_TOKENS)
            in_range(f"{name}[-1]", values[-1], 1, MAX_TOKENS)

    @property
    def mean_input_tokens(self) -> float:
        """Mean prompt length."""
        return _mean(self.input_quantile_tokens)

    @property
    def mean_output_tokens(self) -> float:
        """Mean output length, reasoning included."""
        return _mean(self.output_quantile_tokens)

    def alive_frac(self, ttl_s: float | None) -> float:
        """Share of requests that come while the entry of the one before is still in a cache.

        Parameters
        ----------
        ttl_s : float, optional
            Life of an entry after its last use, e.g. 300; None for ever.

        Notes
        -----
        For a beginning that all requests share: P(gap ≤ ttl) of the gamma gaps that `sample` draws.

        Examples
        --------
        >>> import dataclasses
        >>> rare = dataclasses.replace(workload("chat"), rate_per_s=1 / 300, arrival_cv=1.0)
        >>> round(rare.alive_frac(300.0), 3), rare.alive_frac(None)  # 1 − 1/e
        (0.632, 1.0)
        """
        if ttl_s is None or self.arrival == "all_at_once":
            return 1.0
        n_gaps = not_negative("ttl_s", ttl_s, 1e9) * float(self.rate_per_s)
        return gamma_share(float(self.arrival_cv), n_gaps)

    def sample(self, n: int, seed: int = 0) -> pd.DataFrame:
        """Draw requests.

        Parameters
        ----------
        n : int
            Requests, e.g. 10,000.
        seed : int
            Of the random numbers; the same seed gives the same requests.

        Returns
        -------
        DataFrame
            ``arrival_s``, ``input_tokens``, ``output_tokens``, in order of arrival.
        """
        n = count("n", n, 1, 20_000_000)
        rng = np.random.default_rng(count("seed", seed, 0))
        # Spearman's ρ of a Gaussian copula is 6/π·asin(r/2)
        r = 2 * np.sin(np.pi * self.rank_correlation / 6)
        a = rng.standard_normal(n)
        b = r * a + np.sqrt(1 - r**2) * rng.standard_normal(n)
        if self.arrival == "all_at_once":
            arrival = np.zeros(n)
        else:
            shape = self.arrival_cv**-2
            arrival = np.cumsum(rng.gamma(shape, 1 / (shape * self.rate_per_s), n))
        return pd.DataFrame(
            {
                "arrival_s": arrival,
                "input_tokens": _draw(self.input_quantile_tokens, normal_share(a)),
                "output_tokens": _draw(self.output_quantile_tokens, normal_share(b)),
            }
        )

    @classmethod
    def from_trace(cls, trace: pd.DataFrame, id: str = "own", title: str = "") -> Workload:
        """The workload that a trace shows.

        Parameters
        ----------
        trace : DataFrame
            Columns as `read_trace` returns them; ``cached_tokens`` gives ``cached_frac``.
        id, title : str
            Name and a few words.

        Raises
        ------
        ValueError
            With the first row and column that break a rule of a trace.

        Examples
        --------
        >>> Workload.from_trace(workload("code").sample(5000)).arrival
        'gamma'
        """
        trace = check_trace(trace, id)
        gaps = np.diff(trace["arrival_s"])
        timed = len(gaps) > 1 and gaps.mean() > 0
        lengths = trace[TRACE_COLUMNS[1:]]
        varied = (lengths.min() < lengths.max()).all()  # ranks of equal lengths do not correlate
        rho = lengths.rank().corr().iloc[0, 1] if varied else 0.0  # Spearman
        return cls(
            id=id,
            title=title,
            arrival="gamma" if timed else "all_at_once",
            rate_per_s=float(1 / gaps.mean()) if timed else 1.0,
            arrival_cv=max(_gap_cv(trace["arrival_s"].to_numpy()), 0.01) if timed else 1.0,
            input_quantile_tokens=tuple(trace["input_tokens"].quantile(QUANTILES)),
            output_quantile_tokens=tuple(trace["output_tokens"].quantile(QUANTILES)),
            rank_correlation=float(np.clip(rho, -0.99, 0.99)),
            cached_frac=float(trace[OPTIONAL].sum() / trace["input_tokens"].sum())
            if OPTIONAL in trace
            else 0.0,
        )


def _gap_cv(arrival: np.ndarray) -> float:
    """The coefficient of variation of the gaps between arrivals.

    Where most gaps are zero and the rest are whole ticks, the log has a coarse clock and gaps would
    measure its tick: Poisson arrivals stamped every 3 s at 3.4/s show 3.06. Counts in windows of
    ten ticks do not: for independent gaps their variance over their mean tends to cv² (Cox,
    Renewal Theory, 1962).
    """
    gaps = np.diff(arrival)
    plain = float(gaps.std() / gaps.mean())
    positive_gaps = gaps[gaps > 0]
    tick = np.median(positive_gaps)
    coarse = len(positive_gaps) < len(gaps) / 2 and np.quantile(positive_gaps, 0.05) > 0.9 * tick
    window = (arrival - arrival[0] + tick / 2) // (10 * tick)
    n_whole = window[-1]  # the last window is cut short
    if not coarse or n_whole < 10:
        return plain
    busy = np.unique(window[window < n_whole], return_counts=True)[1]  # the rest count 0
    mean = busy.sum() / n_whole
    return float(np.sqrt(((busy**2).sum() / n_whole - mean**2) / mean))


def _draw(lengths: tuple[float, ...], share: Numbers) -> Numbers:
    """Lengths at given quantiles, straight in the logarithm between the known ones."""
    between = np.interp(share, QUANTILES, np.log(lengths))
    return np.asarray(np.rint(np.exp(between)), dtype=np.int64)


@functools.lru_cache(maxsize=4096)
def _mean(lengths: tuple[float, ...]) -> float:
    """The exact mean of that distribution: between neighbours it is Δx/Δln x."""
    x, q = np.array(lengths), np.diff(QUANTILES)
    step, log_step = np.diff(x), np.diff(np.log(x))
    flat = log_step < 1e-12
    middle = np.where(flat, x[:-1], step / np.where(flat, 1, log_step))
    return float((q * middle).sum())


@remember
def workload(id: str) -> Workload:
    """A named workload.

    Parameters
    ----------
    id : str
        ``"chat"``, ``"code"``, ``"rag"``, ``"reasoning"`` or ``"batch"``.

    Returns
    -------
    Workload
        Arrivals and lengths as fitted to the trace named in its source.

    Raises
    ------
    UnknownName
        For another name, with the nearest.
    """
    row, lengths = row_of("workloads", id, "workload"), table("workload_lengths")
    lengths = lengths[lengths["workload"] == id].sort_values("quantile")
    return Workload(
        id=id,
        title=row.title,
        arrival=row.arrival,
        rate_per_s=float(row.rate_per_s),
        arrival_cv=float(row.arrival_cv),
        input_quantile_tokens=tuple(lengths["input_tokens"]),
        output_quantile_tokens=tuple(lengths["output_tokens"]),
        rank_correlation=float(row.rank_correlation),
        cached_frac=float(row.cached_frac),
        reasoning_frac=float(row.reasoning_frac),
        source=row.source,
    )


def workloads_frame() -> pd.DataFrame:
    """The named workloads: arrivals, mean lengths, what was fitted and what is assumed."""
    rows = table("workloads")
    loads = [workload(id) for id in rows.index]
    return rows.assign(
        mean_input_tokens=[w.mean_input_tokens for w in loads],
        mean_output_tokens=[w.mean_output_tokens for w in loads],
    )
