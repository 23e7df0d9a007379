"""Questions of lesson 03: how far can a model of latency be trusted?"""

from __future__ import annotations

import functools

import econ.latency as latency
from econ.catalog import model
from econ.latency.calibration import Calibration
from econ.latency.fit import held_out, summary
from econ.latency.runs import measured_runs
from econ.lessons.question import Wrong, question
from econ.scenario import Scenario


@functools.cache
def _served(stream_interval: int = 1) -> latency.Prediction:
    """64 users of Llama-3.1-70B on four H100, an engine started with that interval."""
    s = Scenario.of("llama-3.1-70b", "h100-sxm", tp=4, precision="fp8", input_tokens=1000,
                    output_tokens=500, stream_interval=stream_interval)  # fmt: skip
    one: latency.Prediction = latency.predict(s, concurrency=64)
    return one


def _mean_over_median() -> float:
    one = _served()
    return one.benchmark_mean_ttft_s / one.ttft_s


@functools.cache
def _datasheet_error_percent() -> float:
    """Median error of TPOT where bandwidth and peak FLOP/s are all that is known."""
    runs = measured_runs()
    predicted = held_out(runs, names=[], start=Calibration.datasheet(), ttft_weight_frac=0.0)
    return float(100 * summary(runs, predicted).loc["tpot_s"].median_frac)


question(
    "03-error",
    "A roofline from the datasheet uses bandwidth and peak FLOP/s and ignores software. How far "
    "off is its time per token, in **percent**, for the median of several hundred measured runs?",
    unit="percent",
    slider=(0, 100),
    tolerance_frac=0.2,
    wrong=[Wrong((0, 30), "That is how a forecast would do. A roofline is a bound: launches, "
                 "collectives and other users' prompts come on top of it.", "roofline-forecast")],
    because="A bound says what cannot happen, not what will.",
    truth=lambda q: _datasheet_error_percent(),
)  # fmt: skip


question(
    "03-true",
    "Which of these four sentences is **true**?",
    options={
        "mean": "The mean TTFT of a benchmark is what a user waits.",
        "flag": "How often an engine sends its tokens is a detail of its launch.",
        "year": "A measurement of last year holds today, on the same silicon.",
        "date": "A measured latency needs its load, its software and its date.",
    },
    wrong=[
        Wrong("mean", lambda q: "A benchmark opens with all its clients at once. That burst makes "
              f"the mean {_mean_over_median():.1f} times the median, and the median is what a user "
              "of this lesson's server waits later.", "mean-ttft-is-wait"),
        Wrong("flag", lambda q: "A stream interval of 30 steps makes the usual gap between two "
              f"messages {_served(30).itl_p50_s:.1f} s: a flag can break a limit that the hardware "
              "keeps.", "launch-flag-detail"),
        Wrong("year", "New kernels and schedulers change latency by tens of percent within months, "
              "on the same accelerator.", "last-year-holds"),
    ],
    because="Each of the three moves the number more than a model's error does.",
    truth=lambda q: "date",
)  # fmt: skip


question(
    "03-1",
    "A small model drafts **{drafts}** tokens, and each is accepted with probability "
    "**{accepted}**. How many **tokens** does one checked step give on average?",
    unit="tokens",
    inputs={"drafts": (4, 3, 5), "accepted": (0.8, 0.7, 0.6)},
    wrong=[
        Wrong(lambda q: q.drafts * q.accepted, "That lets a token count after an earlier one was "
              "rejected. All that follow the first rejection are lost."),
        Wrong(lambda q: latency.tokens_per_check(q.accepted, q.drafts) - 1, "One is missing: the "
              "large model adds a token of its own in every check."),
        Wrong(lambda q: q.drafts + 1, "That is the best case, in which nothing is rejected."),
    ],
    hints=("Which drafts count after one was rejected?",
           "1 + a + a² + … + aᵏ, where k is the number of drafts."),
    work=lambda q: f"With {q.drafts} drafts at {q.accepted}: " + " + ".join(
        f"{q.accepted**i:.3g}" for i in range(q.drafts + 1))
    + f" = {latency.tokens_per_check(q.accepted, q.drafts):.2f} tokens.",
    truth=lambda q: float(latency.tokens_per_check(q.accepted, q.drafts)),
)  # fmt: skip


def _touched(batch: int) -> float:
    net = model("gpt-oss-120b")
    return float(1 - (1 - net.experts_per_token / net.n_experts) ** batch)


question(
    "03-2",
    "gpt-oss-120b sends each token to 4 of 128 experts. Which **share** of the experts does a "
    "batch of **{batch}** touch?",
    unit="share",
    inputs={"batch": (16, 8, 32)},
    wrong=[
        Wrong(lambda q: q.batch * 4 / 128, "That would be so if no two tokens chose the same "
              "expert. By chance some do."),
        Wrong(4 / 128, "That is one token. The batch has {batch}."),
        Wrong(lambda q: 1 - _touched(q.batch), "That is the share that stays untouched."),
    ],
    hints=("With which chance does one token miss a given expert?",
           "1 − (1 − 4/128) to the power of the batch."),
    work=lambda q: f"A batch of {q.batch}: 1 − (124/128)^{q.batch} = {_touched(q.batch):.1%}.",
    truth=lambda q: _touched(q.batch),
)  # fmt: skip


question(
    "03-3",
    "A prediction says {tpot_ms} ms per token, and its band is a factor of **{factor}** either "
    "way. The SLO allows {limit_ms} ms. By what factor would the server have to be faster, so "
    "that the *whole* band lies within the SLO?",
    unit="times",
    inputs={"tpot_ms": (40, 36, 45), "factor": (1.5, 1.6, 2.0), "limit_ms": (50, 45)},
    wrong=[
        Wrong(lambda q: q.limit_ms / q.tpot_ms, "That is how much slower the typical case may get. "
              "The upper end of the band already lies beyond the limit."),
        Wrong(lambda q: q.tpot_ms / q.factor / q.limit_ms, "That is the lower end of the band. The "
              "upper end, {tpot_ms} × {factor} ms, is the one that has to fit."),
        Wrong(lambda q: q.tpot_ms * q.factor, "Those are the milliseconds of the upper end. "
              "Compare them with the limit."),
    ],
    hints=("Which end of the band has to keep the limit?", "TPOT × factor ÷ limit."),
    work=lambda q: f"{q.tpot_ms} ms × {q.factor} = {q.tpot_ms * q.factor:.0f} ms; divided by "
    f"{q.limit_ms} ms, {q.tpot_ms * q.factor / q.limit_ms:.2f} times.",
    truth=lambda q: float(q.tpot_ms * q.factor / q.limit_ms),
)  # fmt: skip
