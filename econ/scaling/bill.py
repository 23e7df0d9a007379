"""One bill for three scaling laws: pretraining, post-training, and the compute of each answer.

Training is paid once and shared by all requests; thinking and further attempts are paid with every
one of them. Which part is largest depends on how many requests there will be, and on the price of
a token, which depends on the promise of speed (`econ.scaling.price`).

>>> serving = Serving(accelerator="h100-sxm", tp=4, cost_usd_per_gpu_hour=3.85)
>>> case = dict(training_tokens=15e12, input_tokens=500, answer_tokens=500, serving=serving,
...             training_usd_per_flop=1.8e-18)
>>> small = lifetime_bill("llama-3.1-70b", n_requests=1e8, **case)
>>> large = lifetime_bill("llama-3.1-70b", n_requests=1e12, thinking_tokens=4000, **case)
>>> small.largest, large.largest
('pretraining', 'test-time compute')
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog import model as model_of
from econ.catalog.guard import count, each, fraction, not_negative, positive
from econ.latency.prediction import flop_per_token
from econ.scaling.optimal import FLOP_TO_READ, training_flop
from econ.scaling.price import Serving, TooSlow, answer_prices_frame

PARTS = ("pretraining", "post-training", "plain answers", "test-time compute")


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a model takes over its life, part by part, in USD and in FLOP.

    ``plain answers`` is one attempt without thinking at every request; thinking and all further
    attempts are ``test-time compute``. ``accuracy_frac`` is the share of requests answered right.
    """

    n_requests: float
    accuracy_frac: float
    usd: tuple[float, ...]
    flop: tuple[float, ...]
    answer_s: float

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
        grow = positive("n_requests", n_requests, 1e20) / self.n_requests
        scaled = {
            name: (*values[:2], *(v * grow for v in values[2:]))
            for name, values in (("usd", self.usd), ("flop", self.flop))
        }
        return dataclasses.replace(self, n_requests=n_requests, **scaled)

    def frame(self) -> pd.DataFrame:
        """One row per part: part, usd, flop, share, usd_per_request."""
        frame = pd.DataFrame({"part": PARTS, "usd": self.usd, "flop": self.flop})
        return frame.assign(
            share=frame["usd"] / self.total_usd, usd_per_request=frame["usd"] / self.n_requests
        )


def lifetime_bill(
    model: str,
    *,
    training_tokens: float,
    n_requests: float,
    input_tokens: float,
    answer_tokens: float,
    serving: Serving,
    training_usd_per_flop: float,
    thinking_tokens: float = 0.0,
    n_attempts: int = 1,
    post_training_frac: float = 0.0,
    accuracy_frac: float = 1.0,
) -> Bill:
    """The bill of a catalogue model over all its requests.

    * pretraining: 6 · active parameters · training tokens, at a price per FLOP
    * post-training: ``post_training_frac`` of that (published: 0.2 % to 5 %)
    * inference: ``n_attempts`` answers of thinking + answer tokens per request, each at the price
      of the cheapest crowd within the serving's limits; all attempts run at once

    Limits that no crowd meets raise `TooSlow`.
    """
    positive("n_requests", n_requests, 1e20)
    fraction("accuracy_frac", accuracy_frac)
    not_negative("post_training_frac", post_training_frac, 1e6)
    not_negative("thinking_tokens", thinking_tokens, 1e9)
    positive("training_usd_per_flop", training_usd_per_flop, 1.0)
    count("n_attempts", n_attempts, 1)
    net = model_of(model)
    lengths = [answer_tokens, answer_tokens + thinking_tokens]
    cases = pd.DataFrame({"output_tokens": lengths, "input_tokens": input_tokens, "model": model})
    priced = answer_prices_frame(cases, serving)
    for reason in priced.loc[priced["reason"] != "", "reason"].head(1):
        raise TooSlow(reason)
    plain, full = priced["cost_usd_per_answer"]
    flop_of = [
        FLOP_TO_READ * net.active_params * input_tokens
        + out * flop_per_token(model, input_tokens + out / 2)
        for out in lengths
    ]
    trained = float(training_flop(net.active_params, training_tokens))
    flop = (
        trained,
        trained * post_training_frac,
        n_requests * flop_of[0],
        n_requests * (n_attempts * flop_of[1] - flop_of[0]),
    )
    usd = (
        trained * training_usd_per_flop,
        trained * post_training_frac * training_usd_per_flop,
        n_requests * plain,
        n_requests * max(n_attempts * full - plain, 0.0),
    )
    return Bill(
        n_requests=n_requests,
        accuracy_frac=accuracy_frac,
        usd=tuple(map(float, usd)),
        flop=tuple(map(float, flop)),
        answer_s=float(priced["answer_s"].iloc[1]),
    )


def demand_frame(bill: Bill, n_requests: tuple[float, ...]) -> pd.DataFrame:
    """The parts of a bill over the demand: n_requests, part, usd, share, usd_per_request."""
    demand = np.asarray(each(positive, "n_requests", n_requests, 1e20), dtype="float64")[:, None]
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
