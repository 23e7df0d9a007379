"""Questions of lesson 03: how far can a model of latency be trusted?"""

from __future__ import annotations

from econ.lessons.question import Inputs, Wrong, question


@question(
    "03-true",
    "Which of these four sentences is **true**?",
    options={
        "mean": "The mean TTFT of a benchmark is what a user waits.",
        "flag": "How often an engine sends its tokens is a detail of its launch.",
        "year": "A measurement of last year holds today, on the same silicon.",
        "date": "A measured latency needs its load, its software and its date.",
    },
    wrong=[
        Wrong("mean", "A benchmark opens with all its clients at once. That burst makes the mean, "
              "about 1.9 times the median that a user waits later.", "mean-ttft-is-wait"),
        Wrong("flag", "A stream interval of 30 steps holds a token back for half a second: a flag "
              "can break a limit that the hardware keeps.", "launch-flag-detail"),
        Wrong("year", "New kernels and schedulers change latency by tens of percent within months, "
              "on the same accelerator.", "last-year-holds"),
    ],
    because="Each of the three moves the number more than a model's error does.",
)  # fmt: skip
def _true_of_trust(q: Inputs) -> str:
    return "date"
