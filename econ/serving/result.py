"""What a simulation returns: the times of every request, and what they amount to under an SLO."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.catalog.guard import positive
from econ.serving.cost import PS_PER_S
from econ.serving.replicas import Disaggregated, Replica
from econ.station import Result
from econ.terms import Slo

NEVER = np.iinfo(np.int64).max  # the time of what did not happen
OVERLOAD_FRAC = 0.05
MIN_REQUESTS_TO_JUDGE = 20
PERCENTILES = (50, 95, 99)
Seconds = NDArray[np.float64]
Whole = NDArray[np.int64]
Met = NDArray[np.bool_]


class Goodput(float):
    """Good requests per second, as a number that also carries its parts.

    A request is good when it meets the TTFT and the TPOT limit. ``good_frac`` is its share of all
    requests, ``tokens_per_s`` the output tokens of good requests per second, ``ttft_met_frac``
    and ``tpot_met_frac`` the share that meets each limit alone, ``binding`` the limit that more
    requests miss: "ttft", "tpot", "both" (equally) or "none".
    """

    requests_per_s: float
    tokens_per_s: float
    good_frac: float
    ttft_met_frac: float
    tpot_met_frac: float
    binding: str

    def __new__(cls, requests_per_s: float, **parts: Any) -> Goodput:
        self = super().__new__(cls, requests_per_s)
        self.requests_per_s = float(requests_per_s)
        for name, value in parts.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        return (
            f"Goodput({self.requests_per_s:.4g} requests/s, {self.tokens_per_s:.4g} tokens/s, "
            f"{self.good_frac:.1%} good, binding: {self.binding})"
        )


@dataclass(frozen=True, eq=False, repr=False)
class RequestTimes:
    """The times of every request, in the order given; NaN where a request did not get so far.

    ``arrival_ps``, ``first_token_ps`` and ``done_ps`` are the exact integers behind the seconds
    (`NEVER` where unreached). ``arrival_ps`` is when a request reached the scheduler; it was sent
    ``lag_ps`` earlier, which TTFT and e2e count. ``engine`` is the one that ran (c, numba or
    python), ``stopped`` says that some requests were left unfinished, ``n_most_running`` is the
    most that ran on one replica at a time: a batch limit above it changes nothing.
    """

    arrival_ps: Whole
    first_token_ps: Whole
    done_ps: Whole
    input_tokens: Whole
    output_tokens: Whole
    n_preemptions: Whole
    n_replicas: int
    n_events: int
    engine: str
    stopped: bool
    lag_ps: Whole | int = 0
    n_most_running: int = 0

    def __repr__(self) -> str:
        done = int((self.done_ps != NEVER).sum())
        state = f", overloaded (backlog {self.backlog:,})" if self.overloaded else ""
        state += ", stopped early" if self.stopped else ""
        return f"RequestTimes({done:,} of {self.n_requests:,} requests done{state})"

    @property
    def n_requests(self) -> int:
        """Number of requests."""
        return len(self.arrival_ps)

    @property
    def arrival_s(self) -> Seconds:
        """Arrival of each request at the scheduler."""
        return _seconds(self.arrival_ps)

    @property
    def first_token_s(self) -> Seconds:
        """When each first token appeared."""
        return _seconds(self.first_token_ps)

    @property
    def done_s(self) -> Seconds:
        """When each last token appeared."""
        return _seconds(self.done_ps)

    @property
    def ttft_s(self) -> Seconds:
        """Time to first token: first_token − arrival + lag."""
        return _difference(self.first_token_ps, self.arrival_ps - self.lag_ps)

    @property
    def e2e_s(self) -> Seconds:
        """End to end: done − arrival + lag."""
        return _difference(self.done_ps, self.arrival_ps - self.lag_ps)

    @property
    def tpot_s(self) -> Seconds:
        """Time per output token after the first: (e2e − TTFT)/(n − 1); NaN for a single token."""
        steps = np.where(self.output_tokens > 1, self.output_tokens - 1, np.nan)
        tpot_s: Seconds = _difference(self.done_ps, self.first_token_ps) / steps
        return tpot_s

    @property
    def request_mean_tpot_s(self) -> float:
        """TPOT averaged over requests: what the typical request sees."""
        gaps_s = self.tpot_s[np.isfinite(self.tpot_s)]
        return float(gaps_s.mean()) if len(gaps_s) else np.nan

    @property
    def token_mean_tpot_s(self) -> float:
        """TPOT averaged over tokens: long requests weigh more."""
        gap = _difference(self.done_ps, self.first_token_ps)
        seen = np.isfinite(gap)
        tokens = (self.output_tokens - 1)[seen].sum()
        return float(gap[seen].sum() / tokens) if tokens else np.nan

    @property
    def span_s(self) -> float:
        """From the first arrival to the last completion."""
        finished = self.done_ps[self.done_ps != NEVER]
        return float((finished.max() - self.arrival_ps[0]) / PS_PER_S) if len(finished) else 0.0

    @property
    def throughput_requests_per_s(self) -> float:
        """Requests completed per second of `span_s`, however late."""
        return _rate(int((self.done_ps != NEVER).sum()), self.span_s)

    @property
    def throughput_tokens_per_s(self) -> float:
        """Output tokens of completed requests per second of `span_s`."""
        return _rate(int(self.output_tokens[self.done_ps != NEVER].sum()), self.span_s)

    def waiting_at(self, time_s: float) -> int:
        """Requests that had arrived by then and had no first token yet."""
        at = round(time_s * PS_PER_S)
        return int(((self.arrival_ps <= at) & (self.first_token_ps > at)).sum())

    @property
    def backlog(self) -> int:
        """Requests without a first token when the last one arrived, that one left out."""
        at = self.arrival_ps[-1]
        return int(((self.arrival_ps < at) & (self.first_token_ps > at)).sum())

    @property
    def overloaded(self) -> bool:
        """Whether demand outran the system.

        The backlog at the last arrival exceeds 5 % of all requests and is above the backlog half
        way: it was still growing. Never with fewer than 20 requests, or if all arrive at once.
        """
        first, last = int(self.arrival_ps[0]), int(self.arrival_ps[-1])
        if self.n_requests < MIN_REQUESTS_TO_JUDGE or first == last:
            return False
        half = (first + last) / 2 / PS_PER_S
        backlog = self.backlog
        return backlog > OVERLOAD_FRAC * self.n_requests and backlog > self.waiting_at(half)

    def goodput(self, slo_ttft_s: float, slo_tpot_s: float) -> Goodput:
        """Good requests per second of `span_s`: the same request meets both limits.

        A request of a single token has no TPOT and meets that limit; an unfinished one is not good.
        """
        return next(self.goodputs([(slo_ttft_s, slo_tpot_s)]))

    def goodputs(self, limits_s: Iterable[tuple[float, float]]) -> Iterator[Goodput]:
        """`goodput` under several pairs of limits on TTFT and TPOT."""
        finished, single, span_s = self.done_ps != NEVER, self.output_tokens == 1, self.span_s
        ttft_s, tpot_s = self.ttft_s, self.tpot_s
        for slo_ttft_s, slo_tpot_s in limits_s:
            positive("slo_ttft_s", slo_ttft_s)
            positive("slo_tpot_s", slo_tpot_s)
            ttft_met = finished & (ttft_s <= slo_ttft_s)
            yield self._goodput(ttft_met, finished & (single | (tpot_s <= slo_tpot_s)), span_s)

    def _goodput(self, ttft_met: Met, tpot_met: Met, span_s: float) -> Goodput:
        """Of requests that meet each limit."""
        good = ttft_met & tpot_met
        missed_ttft, missed_tpot = int((~ttft_met).sum()), int((~tpot_met).sum())
        if missed_ttft == missed_tpot:
            binding = "both" if missed_ttft else "none"
        else:
            binding = "ttft" if missed_ttft > missed_tpot else "tpot"
        return Goodput(
            _rate(int(good.sum()), span_s),
            tokens_per_s=_rate(int(self.output_tokens[good].sum()), span_s),
            good_frac=float(good.mean()),
            ttft_met_frac=float(ttft_met.mean()),
            tpot_met_frac=float(tpot_met.mean()),
            binding=binding,
        )

    def frame(self) -> pd.DataFrame:
        """One row per request."""
        names = ["arrival_s", "input_tokens", "output_tokens", "first_token_s", "done_s"]
        names += ["ttft_s", "tpot_s", "e2e_s", "n_preemptions"]
        return pd.DataFrame({name: getattr(self, name) for name in names})


@dataclass(frozen=True, kw_only=True, eq=False)
class Service(Result):
    """What the users of a scenario get, and what of it is good.

    A request is good when it meets the TTFT and the TPOT limit of the SLO. ``goodput`` counts good
    requests, ``good_tokens_per_s`` their output tokens, per second from the first arrival to the
    last completion. ``binding`` names the limit that more requests miss: ttft, tpot, both (equally)
    or none; ``meets_slo`` says whether ``attainment_frac`` of the requests are good and the queue
    does not grow. ``overloaded``: it still grew when the last request arrived. ``requests`` holds
    the times of every request, ``replica`` what served them.

    ``mean_first_answer_s`` is the time to the first token that is not thinking, where the share
    ``reasoning_frac`` of an answer's tokens is thinking and comes first.

    ``regime`` and ``bands`` are those of the step equations (`econ.latency.predict`) at as many
    users as were present, from held-out runs in a closed loop; the queue itself has nothing fitted.
    Both are empty where an own replica served.
    """

    rate_per_s: float
    n_requests: int
    goodput: float
    good_tokens_per_s: float
    good_frac: float
    attainment_frac: float
    ttft_met_frac: float
    tpot_met_frac: float
    binding: str
    meets_slo: bool
    overloaded: bool
    p50_ttft_s: float
    p95_ttft_s: float
    p99_ttft_s: float
    p50_tpot_s: float
    p95_tpot_s: float
    p99_tpot_s: float
    p50_e2e_s: float
    p95_e2e_s: float
    p99_e2e_s: float
    mean_ttft_s: float
    mean_first_answer_s: float
    mean_e2e_s: float
    request_mean_tpot_s: float
    token_mean_tpot_s: float
    throughput_requests_per_s: float
    throughput_tokens_per_s: float
    n_preemptions: int
    n_backlog: int
    requests: RequestTimes = field(repr=False)
    replica: Replica | Disaggregated = field(repr=False)
    regime: str = ""
    bands: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        requests: RequestTimes,
        slo: Slo,
        replica: Replica | Disaggregated,
        rate_per_s: float,
        reasoning_frac: float = 0.0,
    ) -> Service:
        """The figures of one simulation under an SLO."""
        good = requests.goodput(float(slo.ttft_s), float(slo.tpot_s))
        times_s: dict[str, Any] = {}
        for name in ("ttft_s", "tpot_s", "e2e_s"):
            reached = getattr(requests, name)
            reached = reached[np.isfinite(reached)]
            at_percentiles = np.percentile(reached, PERCENTILES) if len(reached) else (np.nan,) * 3
            for q, value in zip(PERCENTILES, at_percentiles, strict=True):
                times_s[f"p{q}_{name}"] = float(value)
            if name != "tpot_s":
                times_s[f"mean_{name}"] = float(reached.mean()) if len(reached) else np.nan
        shares = ("good_frac", "ttft_met_frac", "tpot_met_frac", "binding")
        figures = (
            "n_requests", "overloaded", "request_mean_tpot_s", "token_mean_tpot_s",
            "throughput_requests_per_s", "throughput_tokens_per_s",
        )  # fmt: skip
        return cls(
            rate_per_s=float(rate_per_s),
            goodput=good.requests_per_s,
            good_tokens_per_s=good.tokens_per_s,
            attainment_frac=float(slo.attainment_frac),
            meets_slo=good.good_frac >= float(slo.attainment_frac) and not requests.overloaded,
            mean_first_answer_s=times_s["mean_ttft_s"]
            + reasoning_frac * (times_s["mean_e2e_s"] - times_s["mean_ttft_s"]),
            n_preemptions=int(requests.n_preemptions.sum()),
            n_backlog=requests.backlog,
            requests=requests,
            replica=replica,
            **{name: getattr(good, name) for name in shares},
            **{name: getattr(requests, name) for name in figures},
            **times_s,
        )


def _seconds(time_ps: Whole) -> Seconds:
    return np.where(time_ps == NEVER, np.nan, time_ps / PS_PER_S)


def _difference(end_ps: Whole, start_ps: Whole) -> Seconds:
    reached = end_ps != NEVER
    if reached.all():
        return (end_ps - start_ps) / PS_PER_S
    out = np.full(len(end_ps), np.nan)
    out[reached] = (end_ps[reached] - start_ps[reached]) / PS_PER_S
    return out


def _rate(amount: int, span_s: float) -> float:
    return amount / span_s if span_s > 0 else (float("inf") if amount else 0.0)
