"""What a simulation returns: per-request times, and what a latency promise makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.guard import positive
from econ.serving.cost import PS_PER_S

NEVER = np.iinfo(np.int64).max  # the time of what did not happen
OVERLOAD_FRAC = 0.05
MIN_REQUESTS_TO_JUDGE = 20


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

    def __new__(cls, requests_per_s: float, **parts):
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
class Result:
    """Times of every request, in the order given; NaN where a request did not get so far.

    ``arrival_ps``, ``first_token_ps`` and ``done_ps`` are the exact integers behind the seconds
    (`NEVER` where unreached). ``arrival_ps`` is when a request reached the scheduler; it was sent
    ``lag_ps`` earlier, which TTFT and e2e count.
    """

    arrival_ps: np.ndarray
    first_token_ps: np.ndarray
    done_ps: np.ndarray
    input_tokens: np.ndarray
    output_tokens: np.ndarray
    n_preemptions: np.ndarray
    n_replicas: int
    n_events: int
    engine: str
    stopped: bool
    lag_ps: np.ndarray | int = 0

    def __repr__(self) -> str:
        done = int((self.done_ps != NEVER).sum())
        state = f", overloaded (backlog {self.backlog:,})" if self.overloaded else ""
        state += ", stopped early" if self.stopped else ""
        return f"Result({done:,} of {self.n_requests:,} requests done{state})"

    @property
    def n_requests(self) -> int:
        """Requests given."""
        return len(self.arrival_ps)

    @property
    def arrival_s(self) -> np.ndarray:
        """Arrival of each request at the scheduler."""
        return _seconds(self.arrival_ps)

    @property
    def first_token_s(self) -> np.ndarray:
        """When each first token appeared."""
        return _seconds(self.first_token_ps)

    @property
    def done_s(self) -> np.ndarray:
        """When each last token appeared."""
        return _seconds(self.done_ps)

    @property
    def ttft_s(self) -> np.ndarray:
        """Time to first token: first_token − arrival + lag."""
        return _difference(self.first_token_ps, self.arrival_ps - self.lag_ps)

    @property
    def e2e_s(self) -> np.ndarray:
        """End to end: done − arrival + lag."""
        return _difference(self.done_ps, self.arrival_ps - self.lag_ps)

    @property
    def tpot_s(self) -> np.ndarray:
        """Time per output token after the first: (e2e − TTFT)/(n − 1); NaN for a single token."""
        steps = np.where(self.output_tokens > 1, self.output_tokens - 1, np.nan)
        return _difference(self.done_ps, self.first_token_ps) / steps

    @property
    def request_mean_tpot_s(self) -> float:
        """TPOT averaged over requests: what the typical request sees."""
        return float(np.nanmean(self.tpot_s)) if (self.output_tokens > 1).any() else np.nan

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
        """Good requests per second of `span_s`: both limits met, by the same request.

        A single-token request has no TPOT and meets that limit. An unfinished one is not good.
        """
        positive("slo_ttft_s", slo_ttft_s)
        positive("slo_tpot_s", slo_tpot_s)
        finished = self.done_ps != NEVER
        ttft_met = finished & (self.ttft_s <= slo_ttft_s)
        tpot_met = finished & ((self.output_tokens == 1) | (self.tpot_s <= slo_tpot_s))
        good = ttft_met & tpot_met
        missed_ttft, missed_tpot = int((~ttft_met).sum()), int((~tpot_met).sum())
        if missed_ttft == missed_tpot:
            binding = "both" if missed_ttft else "none"
        else:
            binding = "ttft" if missed_ttft > missed_tpot else "tpot"
        return Goodput(
            _rate(int(good.sum()), self.span_s),
            tokens_per_s=_rate(int(self.output_tokens[good].sum()), self.span_s),
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


def _seconds(time_ps: np.ndarray) -> np.ndarray:
    return np.where(time_ps == NEVER, np.nan, time_ps / PS_PER_S)


def _difference(end_ps: np.ndarray, start_ps: np.ndarray) -> np.ndarray:
    reached = end_ps != NEVER
    out = np.full(len(end_ps), np.nan)
    out[reached] = (end_ps[reached] - start_ps[reached]) / PS_PER_S
    return out


def _rate(amount: int, span_s: float) -> float:
    return amount / span_s if span_s > 0 else (float("inf") if amount else 0.0)
