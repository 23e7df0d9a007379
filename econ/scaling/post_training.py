"""After pretraining: tuning, distilling, retrieval, reinforcement learning, and when each pays.

All have a fixed cost and change what a request costs afterwards, so each comparison is a
break-even: fixed cost over what a request saves. Shares of pretraining that were published are
small; what grows is the number of models made from one.

>>> f"{fine_tune_flop(8e9, 50e6, n_epochs=3):.1e}", f"{fine_tune_flop(8e9, 50e6, 3, 0.01):.1e}"
('7.2e+18', '4.8e+18')
>>> break_even_requests(500, 0.004, 0.001)
166666.66666666666
>>> break_even_requests(500, 0.001, 0.004)            # it never pays
inf

Reinforcement learning over its compute: a sigmoid with a ceiling, and what a ceiling hides.

The reward of a recipe rises from where the model starts to a ceiling A. How much of that way is
done after C accelerator-hours follows a sigmoid in log C. Two recipes of one model can therefore
cross: the one that leads in a short trial need not lead in a long run.

>>> short, long = rl_law("scalerl-8b-batch-512"), rl_law("scalerl-8b-batch-2048")
>>> short.at(3000, 0.3) > long.at(3000, 0.3), short.at(1e5, 0.3) < long.at(1e5, 0.3)
(True, True)
>>> round(crossing_gpu_hours(short, long, 0.3), -3)
34000.0
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.guard import (
    count,
    each,
    fraction,
    in_range,
    not_negative,
    positive,
)
from econ.catalog.tables import row_of, table
from econ.scaling.optimal import FLOP_TO_READ, FLOP_TO_TRAIN, training_flop
from econ.scaling.price import answer_prices
from econ.scenario import Scenario

STORED_BYTES_PER_PARAM = 12.0  # bf16 weight and gradient, two fp32 moments (Dettmers et al. 2023)


def fine_tune_flop(
    params: float, tokens: float, n_epochs: float = 1.0, trained_frac: float = 1.0
) -> float:
    """FLOP to fine-tune a model.

    Parameters
    ----------
    params : float
        Parameters N, e.g. 8e9.
    tokens : float
        Read per epoch, e.g. 50e6.
    n_epochs : float
        Passes over them.
    trained_frac : float
        Share of the weights that is trained, e.g. 0.01 for an adapter.

    Notes
    -----
    4·N + 2·N·(share trained) per token and epoch: forward 2 and gradients of activations 2, whether
    or not a weight is trained; gradients of weights 2 for those that are. An adapter (LoRA) saves
    memory more than work.
    """
    fraction("trained_frac", trained_frac)
    positive("n_epochs", n_epochs, 1e6)
    all_trained = float(training_flop(params, tokens)) * n_epochs
    return all_trained * (2 + trained_frac) / 3


def fine_tune_bytes(params: float, bytes_per_param: float = STORED_BYTES_PER_PARAM) -> float:
    """Memory for weights, gradients and optimiser state; activations come on top.

    >>> fine_tune_bytes(65e9) / 1e9
    780.0
    """
    return positive("params", params) * positive("bytes_per_param", bytes_per_param, 64)


def distil_flop(
    teacher_params: float, student_params: float, tokens: float, n_epochs: float = 1.0
) -> float:
    """FLOP to distil: the teacher writes ``tokens`` once (2·N each), the student trains on them.

    >>> f"{distil_flop(70e9, 8e9, 1e9):.2e}"
    '1.88e+20'
    """
    positive("teacher_params", teacher_params)
    positive("tokens", tokens)
    return FLOP_TO_READ * teacher_params * tokens + fine_tune_flop(student_params, tokens, n_epochs)


def rl_flop(
    params: float, steps: int, n_prompts_per_step: int, n_attempts: int, attempt_tokens: float
) -> float:
    """FLOP of policy-gradient training: per token written 2·N, 2·N by the reference, 6·N to learn.

    Tokens = steps × prompts × attempts × their length. In time the writing dominates: it runs at
    the speed of decoding (`econ.scaling.price`), not of training.

    >>> f"{rl_flop(8e9, 56, 512, 8, 400):.1e}"
    '7.3e+18'
    """
    for name, value in (("steps", steps), ("n_prompts_per_step", n_prompts_per_step),
                        ("n_attempts", n_attempts)):  # fmt: skip
        count(name, value, 1)
    tokens = (
        float(steps) * n_prompts_per_step * n_attempts * positive("attempt_tokens", attempt_tokens)
    )
    return (2 * FLOP_TO_READ + FLOP_TO_TRAIN) * positive("params", params) * tokens


def break_even_requests(
    fixed_usd: float, before_usd_per_request: float, after_usd_per_request: float
) -> float:
    """Requests after which a fixed cost has paid for itself; infinite where nothing is saved."""
    not_negative("fixed_usd", fixed_usd)
    for name, value in (("before_usd_per_request", before_usd_per_request),
                        ("after_usd_per_request", after_usd_per_request)):  # fmt: skip
        not_negative(name, value)
    saved = before_usd_per_request - after_usd_per_request
    if fixed_usd == 0:
        return 0.0 if saved >= 0 else math.inf
    return fixed_usd / saved if saved > 0 else math.inf


def shares_frame() -> pd.DataFrame:
    """Published post-training beside pretraining: id, method, share_frac, models_for_30_fold.

    The last: how many such models take thirty times the pretraining, a figure that was published
    for all descendants of one model together and is often quoted as if for one.
    """
    rows = table("post_training_runs")
    share = rows["post_training"] / rows["pretraining"]
    return rows.assign(share_frac=share, models_for_30_fold=30 / share)


@dataclass(frozen=True, kw_only=True)
class Route:
    """A way to a quality: a scenario of serving, and what is paid once to get there.

    Parameters
    ----------
    name : str
        What a reader calls it.
    scenario : Scenario
        Model, deployment and the lengths of a request; its SLO must be met.
    flop : float
        Trained once, e.g. 1e20 of fine-tuning.
    data_usd : float
        Paid once for data or an index, e.g. 20,000.
    search_usd : float
        Paid with each request beside the model, e.g. 0.0014 of a search with its reranking.
    right_low_frac, right_high_frac : float
        Share of the requests that are answered right, as a range, since it is seldom measured.
    """

    name: str
    scenario: Scenario
    flop: float = 0.0
    data_usd: float = 0.0
    search_usd: float = 0.0
    right_low_frac: float = 1.0
    right_high_frac: float = 1.0

    def __post_init__(self) -> None:
        for name in ("flop", "data_usd", "search_usd"):
            not_negative(name, getattr(self, name))
        in_range("right_low_frac", self.right_low_frac, 1e-6, 1.0)
        in_range("right_high_frac", self.right_high_frac, self.right_low_frac, 1.0)


def routes_frame(routes: Sequence[Route], training_usd_per_flop: float) -> pd.DataFrame:
    """Ways to one quality, priced.

    Parameters
    ----------
    routes : sequence of Route
        The first is what the others are compared with.
    training_usd_per_flop : float
        Price of a trained FLOP, e.g. 1.8e-18.

    Returns
    -------
    DataFrame
        ``route``, ``model``, ``input_tokens``, ``fixed_usd``, ``usd_per_request``,
        ``break_even_requests``, ``reason``. A route that cannot be served within its limits has NaN
        and its reason.

    Examples
    --------
    >>> large = Scenario.default().with_(input_tokens=3000, output_tokens=300, ttft_s=10)
    >>> small = large.with_(model="llama-3.1-8b", n_gpu=1, tp=1)
    >>> frame = routes_frame([Route(name="large", scenario=large),
    ...                       Route(name="tuned", scenario=small, data_usd=1e4)], 1.8e-18)
    >>> bool(1e6 < frame.break_even_requests[1] < 1e8)
    True
    """
    positive("training_usd_per_flop", training_usd_per_flop, 1.0)
    if not routes:
        raise ValueError("no routes to compare")
    scenarios = [route.scenario for route in routes]
    prices = answer_prices(scenarios)
    fixed = [route.flop * training_usd_per_flop + route.data_usd for route in routes]
    search = [route.search_usd for route in routes]
    per_request = (prices["cost_usd_per_answer"] + search).tolist()
    return pd.DataFrame(
        {
            "route": [route.name for route in routes],
            "model": [s.model_id for s in scenarios],
            "input_tokens": [s.workload.mean_input_tokens for s in scenarios],
            "fixed_usd": fixed,
            "usd_per_request": per_request,
            "break_even_requests": [
                math.nan
                if math.isnan(usd)
                else break_even_requests(max(once - fixed[0], 0.0), per_request[0], usd)
                for once, usd in zip(fixed, per_request, strict=True)
            ],
            "reason": prices["reason"],
        }
    )


def routes_quality_frame(
    routes: Sequence[Route], training_usd_per_flop: float, n_requests: float
) -> pd.DataFrame:
    """Ways to an answer whose quality is *not* the same: what a right answer costs with each.

    Parameters
    ----------
    routes : sequence of Route
        The first is what the others are compared with.
    training_usd_per_flop : float
        Price of a trained FLOP, e.g. 1.8e-18.
    n_requests : float
        Over the life; what is paid once is shared by them, e.g. 1e8.

    Returns
    -------
    DataFrame
        ``route``, ``usd_per_request`` (with its share of what is paid once), ``right_low_frac``,
        ``right_high_frac``, ``usd_per_right_low``, ``usd_per_right``, ``usd_per_right_high`` and
        ``pays_from_frac``: the share of right answers from which the route costs no more per right
        answer than the first at the middle of its range; above 1 it never does.

    Examples
    --------
    >>> large = Scenario.default().with_(input_tokens=3000, output_tokens=300, ttft_s=10)
    >>> small = large.with_(model="llama-3.1-8b", n_gpu=1, tp=1)
    >>> frame = routes_quality_frame(
    ...     [Route(name="large", scenario=large, right_low_frac=0.8),
    ...      Route(name="small", scenario=small, right_low_frac=0.4, right_high_frac=0.6)],
    ...     1.8e-18, 1e8)
    >>> bool(0 < frame["pays_from_frac"].iloc[1] < 0.4)
    True
    """
    positive("n_requests", n_requests, 1e20)
    rows = routes_frame(routes, training_usd_per_flop)
    usd = rows["usd_per_request"] + rows["fixed_usd"] / n_requests
    low, high = (
        np.array([getattr(r, f"right_{end}_frac") for r in routes]) for end in ("low", "high")
    )
    middle = (low + high) / 2
    return pd.DataFrame(
        {
            "route": rows["route"],
            "usd_per_request": usd,
            "right_low_frac": low,
            "right_high_frac": high,
            "usd_per_right_low": usd / high,
            "usd_per_right": usd / middle,
            "usd_per_right_high": usd / low,
            "pays_from_frac": middle[0] * usd / usd.iloc[0],
        }
    )


LEAST_HOURS, MOST_HOURS = 1e2, 1e8  # accelerator-hours between which a crossing is looked for


@dataclass(frozen=True, kw_only=True)
class RewardLaw:
    """A recipe of reinforcement learning: ceiling A, hours to half the gain C_mid, steepness B.

    Parameters
    ----------
    ceiling_frac : float
        Share of the problems solved in the limit, e.g. 0.61.
    midpoint_gpu_hours : float
        Accelerator-hours to half of the gain, e.g. 2,542.
    steepness : float
        Exponent, e.g. 1.9.

    Notes
    -----
    R(C) = R₀ + (A − R₀) / (1 + (C_mid / C)^B), with R₀ where the model starts.

    References
    ----------
    Khatri et al. 2025, The art of scaling reinforcement learning compute for LLMs.
    """

    ceiling_frac: float
    midpoint_gpu_hours: float
    steepness: float

    def __post_init__(self) -> None:
        fraction("ceiling_frac", self.ceiling_frac)
        positive("midpoint_gpu_hours", self.midpoint_gpu_hours)
        positive("steepness", self.steepness, 50)

    def gained(self, gpu_hours: float | np.ndarray) -> float | np.ndarray:
        """Share of the attainable gain after so many accelerator-hours; it needs no start.

        >>> rl_law("scalerl-8b").gained(2542)
        0.5
        """
        hours = np.asarray(each(not_negative, "gpu_hours", gpu_hours), dtype="float64")
        with np.errstate(divide="ignore", over="ignore"):
            share = 1 / (1 + (self.midpoint_gpu_hours / hours) ** self.steepness)
        return float(share) if share.ndim == 0 else share

    def at(self, gpu_hours: float | np.ndarray, start_frac: float) -> float | np.ndarray:
        """Share of the problems solved after so many accelerator-hours, from a start."""
        in_range("start_frac", start_frac, 0.0, self.ceiling_frac)
        return start_frac + (self.ceiling_frac - start_frac) * self.gained(gpu_hours)

    def gpu_hours_for(self, gained_frac: float) -> float:
        """Accelerator-hours after which so much of the gain is there.

        >>> round(rl_law("scalerl-8b").gpu_hours_for(0.95))
        11781
        """
        in_range("gained_frac", gained_frac, 1e-9, 1 - 1e-9, says="between 0 and 1")
        odds = gained_frac / (1 - gained_frac)
        return self.midpoint_gpu_hours * math.pow(odds, 1 / self.steepness)


def rl_law(id: str) -> RewardLaw:
    """A published law of ``data/scaling/rl_laws.csv``, e.g. ``"scalerl-8b"``."""
    row = row_of("rl_laws", id, "law of reinforcement learning")
    names = ("ceiling_frac", "midpoint_gpu_hours", "steepness")
    return RewardLaw(**{name: float(row[name]) for name in names})


def rl_laws_frame(n: int = 40) -> pd.DataFrame:
    """The published laws over their hours: recipe, gpu_hours, gained_percent, ceiling_frac.

    Shares of the attainable gain, since no start is printed beside them.
    """
    hours = np.geomspace(300, 1e5, n)
    parts = [
        pd.DataFrame({"gpu_hours": hours, "gained_percent": 100 * np.asarray(law.gained(hours))})
        .assign(recipe=row.title, ceiling_frac=law.ceiling_frac)
        for row, law in ((row, rl_law(row.Index)) for row in table("rl_laws").itertuples())
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def crossing_gpu_hours(quick: RewardLaw, slow: RewardLaw, start_frac: float) -> float:
    """Accelerator-hours from which the slower recipe of a higher ceiling leads.

    Parameters
    ----------
    quick, slow : RewardLaw
        Two recipes for one model; the second has the higher ceiling.
    start_frac : float
        Share of the problems that the model solves untrained.

    Raises
    ------
    ValueError
        Where the second never passes the first.
    """
    from scipy.optimize import brentq

    def lead(log_hours: float) -> float:
        hours = math.exp(log_hours)
        return float(slow.at(hours, start_frac)) - float(quick.at(hours, start_frac))

    ends = math.log(LEAST_HOURS), math.log(MOST_HOURS)
    if lead(ends[1]) <= 0 or lead(ends[0]) >= 0:
        raise ValueError(
            f"start_frac = {start_frac:g}: between {LEAST_HOURS:g} and {MOST_HOURS:g} hours the "
            "second recipe does not pass the first"
        )
    return math.exp(float(brentq(lead, *ends)))
