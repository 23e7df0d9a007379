"""One bill for three scaling laws: pretraining, post-training, and the compute of each answer.

Training is paid once and shared by all requests; thinking and further attempts are paid with every
one of them. Which part is largest depends on how many requests there will be, and on the price of
a token, which depends on the SLO (`econ.scaling.price`).

>>> s = Scenario.default().with_(input_tokens=500, output_tokens=500, ttft_s=10, tpot_s=0.1)
>>> training = dict(training_tokens=15e12, training_usd_per_flop=1.8e-18)
>>> small = lifetime_bill(s, n_requests=1e8, **training)
>>> large = lifetime_bill(s, n_requests=1e12, thinking_tokens=4000, **training)
>>> small.largest, large.largest
('pretraining', 'test-time compute')
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import count, each, fraction, not_negative, positive
from econ.latency.prediction import flop_per_token
from econ.scaling.optimal import FLOP_TO_READ, training_flop
from econ.scaling.price import TooSlow, answer_prices
from econ.scaling.test_time import Verifier
from econ.scenario import Scenario
from econ.station import Result, station

PARTS = ("pretraining", "post-training", "plain answers", "test-time compute", "checking")
MOST_REQUESTS = 1e20


@dataclass(frozen=True, kw_only=True)
class Bill(Result):
    """What a model takes over its life, part by part, in USD and in FLOP.

    Attributes
    ----------
    n_requests : float
        Over the life, e.g. 1e9.
    accuracy_frac : float
        Share of the requests that are answered right.
    usd, flop : tuple of float
        By part, in the order of `PARTS`: ``plain answers`` is one attempt without thinking at every
        request; thinking and all further attempts are ``test-time compute``.
    answer_s : float
        Time of an answer with its thinking.
    assumption : str
        Who says which attempt is right, and at what price: what the share of right answers and
        the part ``checking`` rest on. A check takes no FLOP of this model.
    """

    n_requests: float
    accuracy_frac: float
    usd: tuple[float, ...]
    flop: tuple[float, ...]
    answer_s: float
    assumption: str = ""

    @property
    def total_usd(self) -> float:
        """All parts."""
        return sum(self.usd)

    @property
    def cost_usd_per_answer(self) -> float:
        """Total over requests."""
        return self.total_usd / self.n_requests

    @property
    def cost_usd_per_correct(self) -> float:
        """Total over right answers; infinite where none is right."""
        right = self.n_requests * self.accuracy_frac
        return self.total_usd / right if right else float("inf")

    @property
    def largest(self) -> str:
        """The part that costs most."""
        return max(zip(self.usd, PARTS, strict=True))[1]

    @property
    def training_frac(self) -> float:
        """Share of pretraining and post-training in the total."""
        return sum(self.usd[:2]) / self.total_usd

    def at(self, n_requests: float) -> Bill:
        """The same model with another demand: training stays, inference grows in step."""
        grow = positive("n_requests", n_requests, MOST_REQUESTS) / self.n_requests
        usd, flop = (
            (*parts[:2], *(part * grow for part in parts[2:])) for parts in (self.usd, self.flop)
        )
        return dataclasses.replace(self, n_requests=n_requests, usd=usd, flop=flop)

    def row(self) -> dict[str, Any]:
        """The numbers of the bill in one row: totals, costs of an answer, the largest part."""
        names = ("total_usd", "cost_usd_per_answer", "cost_usd_per_correct", "training_frac")
        totals = {name: getattr(self, name) for name in names}
        return {**super().row(), **totals, "largest": self.largest}

    def frame(self) -> pd.DataFrame:
        """One row per part: part, usd, flop, share, usd_per_request."""
        frame = pd.DataFrame({"part": PARTS, "usd": self.usd, "flop": self.flop})
        return frame.assign(
            share=frame["usd"] / self.total_usd, usd_per_request=frame["usd"] / self.n_requests
        )


@station(headline="cost_usd_per_answer")
def lifetime_bill(
    s: Scenario,
    *,
    training_tokens: float,
    n_requests: float,
    training_usd_per_flop: float,
    thinking_tokens: float = 0.0,
    n_attempts: int = 1,
    post_training_frac: float = 0.0,
    accuracy_frac: float = 1.0,
    answer_limit_s: float = math.inf,
    verifier: Verifier | None = None,
) -> Bill:
    """The bill of a model over all its requests.

    Parameters
    ----------
    s : Scenario
        Model, deployment, SLO and finance; its mean lengths are those of a plain answer.
    training_tokens : float
        Read in pretraining, e.g. 15e12.
    n_requests : float
        Over the life, e.g. 1e10.
    training_usd_per_flop : float
        Price of a trained FLOP, e.g. 1.8e-18 (`training_usd_per_flop`).
    thinking_tokens : float
        Written before each answer, e.g. 2000.
    n_attempts : int
        Answers to each request, all at once.
    post_training_frac : float
        Post-training over pretraining; published are 0.002 to 0.05.
    accuracy_frac : float
        Share of the requests that are answered right.
    answer_limit_s : float
        Limit on an answer with its thinking, e.g. 60; by default none.
    verifier : Verifier, optional
        Who checks every attempt; its price is the part ``checking``. Without one nothing is
        checked: of several attempts the most frequent answer is taken.

    Raises
    ------
    TooSlow
        Where no load meets the limits.

    Notes
    -----
    pretraining = 6 · active parameters · training tokens · USD per FLOP; inference = requests ·
    attempts · price of an answer at the cheapest load within the limits (`answer_price`); checking
    = requests · attempts · price of a check.
    """
    positive("n_requests", n_requests, MOST_REQUESTS)
    fraction("accuracy_frac", accuracy_frac)
    not_negative("post_training_frac", post_training_frac, 1e6)
    not_negative("thinking_tokens", thinking_tokens, 1e9)
    positive("training_usd_per_flop", training_usd_per_flop, 1.0)
    count("n_attempts", n_attempts, 1)
    model, lengths = s.resolved_model, s.workload
    long = lengths.mean_output_tokens + thinking_tokens
    answers = [s, s.with_(output_tokens=long) if thinking_tokens else s]
    prices = answer_prices(answers, answer_limit_s=answer_limit_s)
    for reason in prices.loc[prices["reason"] != "", "reason"].head(1):
        raise TooSlow(reason)
    plain, full = prices["cost_usd_per_answer"]
    plain_flop, full_flop = (
        FLOP_TO_READ * model.active_params * lengths.mean_input_tokens
        + tokens * flop_per_token(model, lengths.mean_input_tokens + tokens / 2)
        for tokens in (lengths.mean_output_tokens, long)
    )
    pretraining = float(training_flop(model.active_params, training_tokens))
    training = (pretraining, pretraining * post_training_frac)
    return Bill(
        n_requests=n_requests,
        accuracy_frac=accuracy_frac,
        usd=(
            *(flop * training_usd_per_flop for flop in training),
            float(n_requests * plain),
            float(n_requests * max(n_attempts * full - plain, 0.0)),
            n_requests * n_attempts * (verifier.usd_per_attempt if verifier else 0.0),
        ),
        flop=(
            *training,
            float(n_requests * plain_flop),
            float(n_requests * (n_attempts * full_flop - plain_flop)),
            0.0,
        ),
        assumption=_assumption(n_attempts, verifier),
        answer_s=float(prices["answer_s"].iloc[1]),
    )


def _assumption(n_attempts: int, verifier: Verifier | None) -> str:
    """Who picks the answer, in words."""
    if verifier:
        return verifier.assumption
    if n_attempts == 1:
        return "one attempt, nobody checks it"
    return f"a vote of {n_attempts} attempts, nobody checks them"


def demand_frame(bill: Bill, n_requests: Sequence[float]) -> pd.DataFrame:
    """The parts of a bill over the demand: n_requests, part, usd, share, usd_per_request."""
    demand = np.asarray(each(positive, "n_requests", n_requests, MOST_REQUESTS), dtype="float64")[
        :, None
    ]
    grow = np.where(np.arange(len(PARTS)) < 2, 1.0, demand / bill.n_requests)
    usd = grow * np.array(bill.usd)
    return pd.DataFrame(
        {
            "n_requests": np.repeat(demand.ravel(), len(PARTS)),
            "part": PARTS * len(demand),
            "usd": usd.ravel(),
            "share": (usd / usd.sum(axis=1, keepdims=True)).ravel(),
            "usd_per_request": (usd / demand).ravel(),
        }
    )


def demand_that_passes_training(bill: Bill) -> float:
    """Requests after which inference has cost as much as all training.

    Divided by requests a week it answers "after how many weeks does inference pass training?": an
    answer that is proportional to the assumed price of a FLOP and of an answer.
    """
    return sum(bill.usd[:2]) / (sum(bill.usd[2:]) / bill.n_requests)
