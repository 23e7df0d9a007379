"""Questions of lesson 05: how many users can be served well?"""

from __future__ import annotations

import functools
import math

import numpy as np

from econ.lessons.l05_goodput.load import N, grown, loops_frame, saturation_per_s
from econ.lessons.l05_goodput.queues import drawn_queue, waits_s
from econ.lessons.question import Inputs, Wrong, question
from econ.scenario import Scenario
from econ.serving import max_rate_per_s
from econ.serving.queueing import mm1_e2e_quantile_s, mm1_wait_s


@functools.cache
def _most() -> float:
    return float(saturation_per_s(Scenario.default()))


question(
    "05-rate",
    lambda q: f"The server completes at most {_most():.1f} requests/s. What is the highest rate of "
    "arrivals, in **requests/s**, at which 95 % of them are still good?",
    unit="requests/s",
    slider=(0, 20),
    tolerance_frac=0.1,
    wrong=[Wrong((11, math.inf), lambda q: f"At {_most():.1f} requests/s the server is full, and "
                 "hardly any request is in time. Throughput counts late answers; goodput does "
                 "not.", "throughput-is-goodput")],
    because="Beyond that rate, the batch grows until every token takes longer than its limit.",
    truth=lambda q: float(max_rate_per_s(Scenario.default(), n=N)),
)  # fmt: skip


@functools.cache
def _open_loop_factor() -> float:
    """How much the median TTFT grows in 15 minutes of arrivals that do not wait."""
    loops = loops_frame(Scenario.default(), 128, [1, 1.22])
    return float(grown(loops).iloc[1])


question(
    "05-loops",
    "A load test with 128 fixed clients runs well. Then an update makes every step 22 % slower. "
    "By which **factor** does the median time to first token grow for users who arrive without "
    "waiting for each other, within 15 minutes?",
    unit="times",
    slider=(1, 1000),
    limits=(1, math.inf),
    tolerance_frac=0.4,
    wrong=[
        Wrong((1, 1.6), "That is what the test with fixed clients shows. They ask again only after "
              "their answer, so they slow their own arrivals. Users do not.",
              "closed-loop-shows-queue"),
        Wrong((1.7, 10), "Capacity that falls below the load lets the queue grow with every "
              "minute: a small error in capacity becomes a large one in latency.",
              "capacity-error-is-latency-error"),
    ],
    because="Past saturation the wait has no value of its own; it grows until somebody stops it.",
    truth=lambda q: _open_loop_factor(),
)  # fmt: skip


SERVICE_S, TAIL = 0.4, 0.99


question(
    "05-1",
    "One server has Poisson arrivals, exponential service times of 0.4 s on average, and a load of "
    "**{load:.0%}**. One request in a hundred stays in the system longer than how many "
    "**seconds**?",
    unit="s",
    inputs={"load": (0.9, 0.8, 0.85)},
    wrong=[
        Wrong(lambda q: SERVICE_S / (1 - q.load), "That is the mean. One request in a hundred "
              "takes 4.6 times as long, and those users complain.", "mean-is-felt"),
        Wrong(SERVICE_S * math.log(100), "That is the tail of the service alone, in an empty "
              "server. At this load requests wait for each other."),
        Wrong(lambda q: SERVICE_S / (1 - q.load) * math.log(100 * q.load), "That is the *wait*. "
              "The time in the system includes the service."),
        Wrong(lambda q: SERVICE_S / (1 - q.load) * 2, "You took the logarithm to base 10. The tail "
              "of an exponential needs the natural one."),
    ],
    hints=("How is the time in this system distributed, and with which mean?",
           "Mean s / (1 − ρ), times ln 100."),
    work=lambda q: f"At {q.load:.0%}: 0.4 / {1 - q.load:.2f} × ln 100 = "
    f"{SERVICE_S / (1 - q.load) * math.log(100):.1f} s.",
    truth=lambda q: float(mm1_e2e_quantile_s(q.load / SERVICE_S, SERVICE_S, TAIL)),
)  # fmt: skip


FIRST_S = 0.5


question(
    "05-2",
    "The first token of an answer came after 0.5 s, and the last of its **{tokens}** tokens after "
    "**{last_s} s**. What was its TPOT in **seconds**?",
    unit="s",
    inputs={"tokens": (60, 80, 50), "last_s": (12.3, 9.1, 10.4)},
    tolerance_frac=0.004,
    wrong=[
        Wrong(lambda q: (q.last_s - FIRST_S) / q.tokens, "You divided by the tokens. Between "
              "{tokens} tokens lie one fewer gaps."),
        Wrong(lambda q: q.last_s / q.tokens, "That spreads the wait for the first token over all "
              "of them. TPOT counts the gaps after the first."),
        Wrong(lambda q: q.last_s / (q.tokens - 1), "The wait for the first token is still in it. "
              "TPOT counts the gaps after the first."),
    ],
    hints=("From which moment on do the gaps count, and how many are there?",
           "(Last − first) ÷ (tokens − 1)."),
    work=lambda q: f"({q.last_s} − 0.5) ÷ {q.tokens - 1} = "
    f"{(q.last_s - FIRST_S) / (q.tokens - 1):.4f} s.",
    truth=lambda q: float((q.last_s - FIRST_S) / (q.tokens - 1)),
)  # fmt: skip


def _mean_over_gaps(q: Inputs) -> float:
    short, long = (10, 100), (1000, 20)  # gaps, and milliseconds each
    return (short[0] * short[1] + long[0] * long[1]) / (short[0] + long[0])


question(
    "05-mean",
    "Two answers: 11 tokens with gaps of 100 ms, and 1,001 tokens with gaps of 20 ms. The mean "
    "TPOT over the two *requests* is 60 ms. What is the mean over all *gaps*, in "
    "**milliseconds**?",
    unit="ms",
    slider=(10, 110),
    tolerance_frac=0.05,
    wrong=[Wrong((55, 65), "That is the mean over requests, in which the short answer weighs as "
                 "much as the long one. Over gaps, the long one has a hundred times its weight.",
                 "request-mean-is-token-mean")],
    because="A report has to say over what it takes the mean.",
    truth=_mean_over_gaps,
)  # fmt: skip


question(
    "05-3",
    "**{ttft:.0%}** of requests meet the limit on TTFT, and **{tpot:.0%}** meet the limit on TPOT. "
    "What is the smallest **share** of requests that can be good?",
    unit="share",
    inputs={"ttft": (0.95, 0.97, 0.93), "tpot": (0.9, 0.92, 0.88)},
    limits=(0, 1),
    tolerance_frac=0.002,
    wrong=[
        Wrong(lambda q: q.ttft * q.tpot, "That is right if the two are independent. At worst, "
              "no request misses both, so the two kinds of late requests add up."),
        Wrong(lambda q: min(q.ttft, q.tpot), "That is the best case: everybody who misses one "
              "limit misses the other too. The question is how bad it can be."),
        Wrong(lambda q: (q.ttft + q.tpot) / 2, "A request has to meet both limits, so the share "
              "is smaller than either."),
        Wrong(lambda q: 2 - q.ttft - q.tpot, "That is the share that is late. The question is the "
              "rest."),
    ],
    hints=("Could it be that no request misses both limits? How many are late then?",
           "1 − (those who miss TTFT) − (those who miss TPOT)."),
    work=lambda q: f"1 − {1 - q.ttft:.2f} − {1 - q.tpot:.2f} = {q.ttft + q.tpot - 1:.2f}.",
    truth=lambda q: float(q.ttft + q.tpot - 1),
)  # fmt: skip


def _closed_form_s(q: Inputs) -> float:
    return float(mm1_wait_s(q.load, 1.0))


@functools.cache
def _waits(load: float) -> tuple[float, float]:
    """Mean and P95 of the waits of `drawn_queue`."""
    waits = waits_s(drawn_queue(load))
    return float(waits.mean()), float(np.percentile(waits, 95))


question(
    "05-4",
    "Write a queue in ten lines. `lesson.drawn_queue({load})` holds 50,000 requests for one "
    "server: the gap before each arrival and the service it needs, in seconds. Each waits for as "
    "long as the one before it waited and was served, less the gap. What is the mean **wait** in "
    "**seconds**?",
    unit="s",
    inputs={"load": (0.8, 0.75, 0.7)},
    tolerance_frac=0.005,
    wrong=[
        Wrong(lambda q: _waits(q.load)[0] + float(drawn_queue(q.load)["service_s"].mean()),
              "That is the time in the system. The wait ends when the service begins."),
        Wrong(lambda q: _waits(q.load)[1], "That is the 95th percentile. The question "
              "is the mean."),
        Wrong(lambda q: float(drawn_queue(q.load)["service_s"].mean()), "That is the service. How "
              "long does a request wait before it?"),
        Wrong(lambda q: float((drawn_queue(q.load)["service_s"].shift(1)
                               - drawn_queue(q.load)["gap_s"]).clip(lower=0).mean()),
              "You left out the wait of the request before: the next one waits for that as well."),
    ],
    hints=("Who has to be finished before a request can be served, and when did it arrive?",
           "wait = max(0, wait before + service before − gap), starting at 0."),
    work=lambda q: f"At {q.load:.0%}, with other draws: the mean of max(0, wait + service − gap) "
    f"comes out near the closed form, {_closed_form_s(q):.2f} s.",
    truth=lambda q: _waits(q.load)[0],
)  # fmt: skip
