"""Charts of notebook 03 about load: queues, the knee, bursts, loops, and the panel that loads."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.charts.grammar import axis, finish, lines
from econ.charts.panels import Panel, choice, slider
from econ.charts.shapes import describe
from econ.charts.tables import three
from econ.charts.theme import PALETTE
from econ.lessons import goodput_cases as cases

SCENARIO = "scenario"  # the promise of the default scenario itself
PROMISES = [SCENARIO, "chat", "chat-interactive", "reasoning"]
POLICIES = {"chunked": "chunked_prefill", "whole prompts first": "prefill_first"}


def mm1_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`mm1_frame`: mean, median and P99 of the time in an M/M/1 queue over its load."""
    at = frame[frame["load_percent"].round(6) == 80].set_index("what")["service_times"]
    return lines(
        frame,
        "load_percent",
        "service_times",
        color="what",
        log_y=True,
        x_title="Load (% of what one server can do)",
        y_title="Time in the system (service times, log)",
        title=f"At 80 % load one in a hundred takes {at['P99']:.0f} service times",
        subtitle="One server, Poisson arrivals, exponential service",
        description="Lines over the load that bend upwards without end as it nears 100 %. At 80 %: "
        + "; ".join(f"{k} {v:.1f} service times" for k, v in at.items())
        + ".",
    )


def knee_chart(frame: pd.DataFrame, guess: float | None = None) -> alt.LayerChart:
    """`knee_frame`: requests completed and good per second over the rate of arrivals."""
    good = frame[frame["what"] == "good"]
    best = good.loc[good["requests_per_s"].idxmax()]
    done = frame[frame["what"] == "completed"]["requests_per_s"].max()
    last = good.iloc[-1]
    return lines(
        frame,
        "rate_per_s",
        "requests_per_s",
        color="what",
        points=True,
        guess=guess,
        guess_of="x",
        x_title="Arrivals (requests/s)",
        y_title="Served (requests/s)",
        title=f"Past {best.rate_per_s:g} requests/s more load means fewer good answers",
        description=f"Two lines over arrivals. Completed requests rise to {done:.1f} per second "
        f"and stay there. Good ones rise with them to {best.requests_per_s:.1f} at "
        f"{best.rate_per_s:g} arrivals per second and fall to {last.requests_per_s:.1f} at "
        f"{last.rate_per_s:g}.",
    )


def load_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`live_load_frame`: every percentile of TTFT and TPOT against its limit."""
    row = frame.iloc[0]
    kinds = ["TTFT", "TPOT"]
    worst = frame[frame["percentile"] == 99].set_index("what")["of_limit"]
    binding = {"none": "no request misses a limit", "both": "both limits are missed equally often"}
    said = binding.get(row.binding, f"{row.binding.upper()} is the limit that binds")
    drawn = frame[["what", "percentile", "of_limit"]]
    base = alt.Chart(drawn).encode(
        x=alt.X(
            "percentile:Q", title="Percentile of the requests", scale=alt.Scale(domain=[0, 100])
        ),
        y=alt.Y("of_limit:Q", **axis("Time as a multiple of its limit (log)", True)),
    )
    scale = alt.Scale(domain=kinds, range=[PALETTE["blue"], PALETTE["orange"]])
    mark = base.mark_line().encode(
        color=alt.Color("what:N", scale=scale, legend=alt.Legend(title=None, orient="top"))
    )
    limit = alt.Chart(drawn).transform_aggregate(rows="count()")
    limit = limit.mark_rule(color=PALETTE["vermilion"], strokeDash=[5, 4], strokeWidth=2)
    over = ", and the queue grows" if row.overloaded else ""
    return finish(
        alt.layer(mark, limit.encode(y=alt.YDatum(1)), data=drawn),
        title=f"{row.good_frac:.0%} good: {row.goodput_requests_per_s:.1f} of {row.rate_per_s:g} "
        f"requests/s{over}",
        subtitle=f"{row.n_requests:,.0f} simulated requests; dashed: the limit",
        description=f"{row.n_requests:,.0f} requests at {row.rate_per_s:g} per second: "
        f"{row.good_frac:.1%} are good, {row.goodput_requests_per_s:.2f} per second; {said}{over}. "
        f"P99 of TTFT is {three(worst['TTFT'])} times its limit, of TPOT {three(worst['TPOT'])} "
        f"times.{_small(row.n_requests)}",
    )


def load_panel() -> Panel:
    """The default scenario under load, every request simulated again at each move."""

    def frame(rate: float, burst: float, policy: str, promise: str) -> pd.DataFrame:
        return cases.live_load_frame(rate, burst, POLICIES[policy], promise)

    case = {"burst": 1, "policy": "chunked", "promise": SCENARIO}
    return Panel(
        frame,
        load_chart,
        [
            slider("rate", "Arrivals (requests/s)", 0.5, 14, value=8, step=0.5),
            slider("burst", "Gap variation", 0.5, 4, value=1, step=0.5),
            choice("policy", "Prefill", list(POLICIES), value="chunked"),
            choice("promise", "Promise (SLO)", PROMISES, value=SCENARIO),
        ],
        presets={
            "6 requests/s": {**case, "rate": 6},
            "10 requests/s": {**case, "rate": 10},
            "6 requests/s in bursts": {**case, "rate": 6, "burst": 3},
        },
        heading="Which percentiles keep within their limits?",
    )


def bursts_chart(frame: pd.DataFrame, limit_s: float) -> alt.LayerChart:
    """`bursts_frame`: P99 of TTFT over the rate, for even and bursty arrivals."""
    at = frame[frame["rate_per_s"] == 4].set_index("arrivals")["p99_ttft_s"]
    first, last = at.index[0], at.index[-1]
    return lines(
        frame,
        "rate_per_s",
        "p99_ttft_s",
        color="arrivals",
        legend=True,
        log_y=True,
        points=True,
        guess=None,
        x_title="Arrivals (requests/s, on average)",
        y_title="P99 of TTFT (s, log)",
        title=f"At the same mean rate, bursts multiply the tail by {at[last] / at[first]:.0f}",
        subtitle=f"Compared at 4 requests/s; the limit on TTFT is {limit_s:g} s",
        description="P99 of TTFT over the rate of arrivals, one line for each burstiness. At 4 "
        f"requests/s: {describe(at.reset_index(), 'p99_ttft_s', 'arrivals', 's')}.",
    )


def loops_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`loops_frame`: the median TTFT of a machine that gets slower, in both loops."""
    ends = frame[frame["slowdown"] == frame["slowdown"].max()]
    slow, grown = frame["slowdown"].max() - 1, cases.grown(frame)
    return lines(
        frame.assign(percent=100 * (frame["slowdown"] - 1)),
        "percent",
        "p50_ttft_s",
        color="loop",
        legend=True,
        log_y=True,
        points=True,
        x_title="Each step takes longer by (%)",
        y_title="Median TTFT (s, log)",
        title=f"{slow:.0%} slower: {grown.iloc[0]:.1f} × for the test, {grown.iloc[1]:,.0f} × and "
        f"{grown.iloc[-1]:,.0f} × for the public",
        subtitle="Closed: a fixed number of clients. Open: arrivals that do not wait, watched for "
        "so long",
        description=f"Median TTFT over the slowdown. At {slow:.0%} slower: "
        f"{describe(ends, 'p50_ttft_s', 'loop', 's')}; grown "
        f"{describe(grown.rename('x').reset_index(), 'x', 'loop', '-fold')}.",
    )


def watch_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`watch_frame`: TTFT by the minute of arrival at loads around what the machine completes."""
    ends = frame.groupby("load", sort=False).tail(1).set_index("load")
    worst = ends.iloc[-1]
    return lines(
        frame,
        "minute",
        "ttft_s",
        color="load",
        legend=True,
        x_title="Minute of arrival",
        y_title="TTFT (s, median of those who arrive then)",
        title=f"Above what it completes, the wait has no value: {worst.ttft_s:.0f} s and rising",
        description="TTFT by minute of arrival. At the end: "
        f"{describe(ends.reset_index(), 'ttft_s', 'load', 's')}. Requests without a first token "
        f"when the last one arrives: {describe(ends.reset_index(), 'backlog', 'load')}.",
    )


def _small(n_requests: int) -> str:
    """What a reader should know where the simulation is small."""
    if n_requests >= cases.LIVE_REQUESTS:
        return ""
    return " (Without numba fewer requests are simulated; the tail is rougher.)"
