"""From an accelerator-hour to a token: functions of numbers, for a chain of one's own.

>>> f"{cost_usd_per_mtok(1.41, 90):.2f}"          # a vendor's example, printed there as 4.20
'4.35'
>>> use = Utilisation(available_frac=0.97, allocated_frac=0.85, busy_frac=0.6)
>>> round(use.useful_frac, 3)
0.495
>>> round(cost_usd_per_mtok(1.41, 90, use.useful_frac), 2)
8.8

Whose time a token takes: input, cached input and output priced by machine time, not by list.

Two routes. Where prefill and decode run on machines of their own, each pool's hours are its
tokens' cost. Where they share steps, a token costs the time that one more of its kind adds to a
request, read off the latency model at the operating point.

>>> pools = pool_cost_frame(2.0, prefill_gpu_hours=95.5 * 8 * 24, decode_gpu_hours=131.4 * 8 * 24,
...                         fresh_tokens=266e9, cached_tokens=342e9, output_tokens=168e9)
>>> pools.set_index("kind")["cost_usd_per_mtok"].round(3).to_dict()      # cached as dear as fresh
{'input': 0.06, 'output': 0.3}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.guard import each, fraction, not_negative, positive
from econ.catalog.units import (
    HOUR_S,
    per_second_from_per_hour,
    usd_per_mtok_from_usd_per_token,
    usd_per_token_from_usd_per_mtok,
)
from econ.latency.prediction import answer_s, predict
from econ.scenario import Scenario
from econ.station import require_certain
from econ.tco.finance import Amount, plain
from econ.tco.hours import hour_parts


@dataclass(frozen=True, kw_only=True)
class Utilisation:
    """Three shares of the owned hours; the fourth, MFU or MBU, is inside tokens per second.

    Parameters
    ----------
    available_frac : float
        Neither broken nor in maintenance, e.g. 0.98.
    allocated_frac : float
        Of these, given to somebody, e.g. 0.85.
    busy_frac : float
        Of these, serving at the stated throughput, e.g. 0.6.
    """

    available_frac: Amount = 1.0
    allocated_frac: Amount = 1.0
    busy_frac: Amount = 1.0

    def __post_init__(self) -> None:
        for name in ("available_frac", "allocated_frac", "busy_frac"):
            object.__setattr__(self, name, each(positive, name, getattr(self, name), 1.0))

    @property
    def useful_frac(self) -> Amount:
        """The product: useful hours per owned hour."""
        return self.available_frac * self.allocated_frac * self.busy_frac


def cost_usd_per_mtok(
    cost_usd_per_gpu_hour: Amount, tokens_per_s_per_gpu: Amount, utilisation_frac: Amount = 1.0
) -> Amount:
    """USD per million tokens of a machine that writes so many while it is busy.

    Parameters
    ----------
    cost_usd_per_gpu_hour : float or array
        Of every hour paid for, e.g. 3.85 for a rented H100.
    tokens_per_s_per_gpu : float or array
        While busy, e.g. 800. Which tokens are counted, output or all, is the caller's to say.
    utilisation_frac : float or array
        Busy hours per paid hour, e.g. 0.6.

    Returns
    -------
    float or array
        USD per million tokens; NaN in an array stays NaN.

    Raises
    ------
    ValueError
        For no throughput, or a utilisation of 0 or above 1.

    Notes
    -----
    USD per GPU-hour / 3600 / (tokens/s per GPU · utilisation) · 10⁶.

    Examples
    --------
    >>> cost_usd_per_mtok(3.60, [1000.0, 2000.0], 0.5).tolist()
    [2.0, 1.0]
    """
    each(not_negative, "cost_usd_per_gpu_hour", cost_usd_per_gpu_hour)
    each(positive, "tokens_per_s_per_gpu", tokens_per_s_per_gpu)
    each(positive, "utilisation_frac", utilisation_frac, 1.0)
    cost, rate, use = (
        plain(v) for v in (cost_usd_per_gpu_hour, tokens_per_s_per_gpu, utilisation_frac)
    )
    usd: Amount = usd_per_mtok_from_usd_per_token(per_second_from_per_hour(cost) / (rate * use))
    return float(usd) if np.ndim(usd) == 0 else usd


def cost_usd_per_good_mtok(
    cost_usd_per_gpu_hour: Amount,
    tokens_per_s_per_gpu: Amount,
    good_frac: Amount,
    utilisation_frac: Amount = 1.0,
) -> Amount:
    """USD per million tokens of requests that met their SLO; the late ones cost as much.

    Parameters are those of `cost_usd_per_mtok`; ``good_frac`` is the share of tokens in good
    requests, e.g. 0.95 (`econ.serving.simulate`).

    Examples
    --------
    >>> cost_usd_per_good_mtok(3.60, 1000.0, 0.8)
    1.25
    """
    good = each(positive, "good_frac", good_frac, 1.0)
    return cost_usd_per_mtok(cost_usd_per_gpu_hour, tokens_per_s_per_gpu, utilisation_frac) / good


def added_by_use(full_use_usd: float, left_frac: Mapping[str, float]) -> pd.Series:
    """What each loss of use adds to a cost at full use, one on top of the other.

    Parameters
    ----------
    full_use_usd : float
        Cost per token (or hour) if every paid hour were used.
    left_frac : mapping of str to float
        What is left after each loss, in the order in which they are counted, e.g.
        ``{"downtime": 0.98, "idle hours": 0.6}``.

    Returns
    -------
    pandas.Series
        USD of each loss; with ``full_use_usd`` they sum to the cost over the product of the shares.

    Examples
    --------
    >>> added_by_use(1.0, {"downtime": 0.8, "idle hours": 0.5}).to_dict()
    {'downtime': 0.25, 'idle hours': 1.25}
    """
    for name, share in left_frac.items():
        positive(name, share)
        fraction(name, share)
    growth = 1 / pd.Series(left_frac, dtype=float).cumprod()
    return full_use_usd * growth.diff().fillna(growth - 1)


def cost_usd_per_request(
    cost_usd_per_gpu_hour: Amount, requests_per_s_per_gpu: Amount, utilisation_frac: Amount = 1.0
) -> Amount:
    """USD per request of a machine that completes so many per second and GPU while busy.

    Examples
    --------
    >>> round(cost_usd_per_request(3.60, 2.0, 0.5) * 1000, 2)      # a thousand requests
    1.0
    """
    each(positive, "requests_per_s_per_gpu", requests_per_s_per_gpu)
    mtok = cost_usd_per_mtok(cost_usd_per_gpu_hour, requests_per_s_per_gpu, utilisation_frac)
    return usd_per_token_from_usd_per_mtok(mtok)


def cost_usd_per_accepted_task(
    attempt_usd: Amount, accepted_frac: Amount, review_usd: Amount = 0.0
) -> Amount:
    """USD until an attempt is accepted, each tried and reviewed anew.

    Parameters
    ----------
    attempt_usd : float or array
        USD of one attempt, e.g. 0.02.
    accepted_frac : float or array
        Share of attempts that are accepted, e.g. 1/3.
    review_usd : float or array
        USD to look at one attempt, e.g. 0.48.

    Returns
    -------
    float or array
        (attempt + review) / share. Attempts are taken as independent; a task that no attempt solves
        is not in the sum, so this is a floor.

    Examples
    --------
    >>> cost_usd_per_accepted_task(0.02, 0.5, review_usd=0.48)
    1.0
    """
    attempt_usd = each(not_negative, "attempt_usd", attempt_usd)
    review_usd = each(not_negative, "review_usd", review_usd)
    return (attempt_usd + review_usd) / each(positive, "accepted_frac", accepted_frac, 1.0)


OTHERS = "others' prompts"  # the part of TPOT that other users' prefill takes
MEMORY = "memory"  # the part of TTFT that waits for room in the KV cache
NUDGE = 0.01  # relative change of a length for its marginal time


def pool_cost_frame(
    cost_usd_per_gpu_hour: float,
    *,
    prefill_gpu_hours: float,
    decode_gpu_hours: float,
    fresh_tokens: float,
    output_tokens: float,
    cached_tokens: float = 0.0,
    cached_time_frac: float = 1.0,
) -> pd.DataFrame:
    """Cost per million tokens of separate pools for prefill and decode.

    Parameters
    ----------
    cost_usd_per_gpu_hour : float
        The same in both pools, e.g. 2.0.
    prefill_gpu_hours, decode_gpu_hours : float
        GPU-hours of each pool.
    fresh_tokens, cached_tokens, output_tokens : float
        Tokens of the same time.
    cached_time_frac : float
        Prefill time of a cached token over a fresh one: 1 spreads the pool over all input alike
        (what a published rate "including hits" does), 0 gives cached input free.

    Returns
    -------
    pandas.DataFrame
        Columns kind, tokens, usd, cost_usd_per_mtok.

    Raises
    ------
    ValueError
        For hours that no token takes, or a number outside its range.
    """
    positive("cost_usd_per_gpu_hour", cost_usd_per_gpu_hour)
    for name, value in (("prefill_gpu_hours", prefill_gpu_hours),
                        ("decode_gpu_hours", decode_gpu_hours),
                        ("fresh_tokens", fresh_tokens), ("cached_tokens", cached_tokens),
                        ("output_tokens", output_tokens)):  # fmt: skip
        not_negative(name, value)
    fraction("cached_time_frac", cached_time_frac)
    weight = fresh_tokens + cached_time_frac * cached_tokens
    for name, hours, timed in (
        ("prefill_gpu_hours", prefill_gpu_hours, weight),
        ("decode_gpu_hours", decode_gpu_hours, output_tokens),
    ):
        if hours and not timed:
            raise ValueError(f"{name} = {hours:g}, but no token takes that time: nothing to price")
    token_usd = cost_usd_per_gpu_hour * prefill_gpu_hours / weight if weight else 0.0
    if cached_time_frac == 1:
        rows = [("input", fresh_tokens + cached_tokens, token_usd * weight)]
    else:
        rows = [("fresh input", fresh_tokens, token_usd * fresh_tokens)]
        rows += [("cached input", cached_tokens, token_usd * cached_time_frac * cached_tokens)]
    rows += [("output", output_tokens, cost_usd_per_gpu_hour * decode_gpu_hours)]
    return _priced(rows)


def request_gpu_s(
    s: Scenario,
    *,
    concurrency: float,
    fresh_tokens: float | None = None,
    cached_tokens: float | None = None,
    output_tokens: float | None = None,
) -> float:
    """GPU-seconds that one request takes of a loaded deployment.

    Parameters
    ----------
    s : Scenario
        Model, deployment, and the lengths that are not given.
    concurrency : float
        Users over all replicas, e.g. 64.
    fresh_tokens, cached_tokens, output_tokens : float, optional
        Of one request; by default the workload's means and its cached share. A cached token is held
        and read but not computed.

    Returns
    -------
    float
        Seconds.

    Notes
    -----
    Little's law: time to answer · GPUs / users.

    Examples
    --------
    >>> s = Scenario.default()
    >>> alone, busy = (request_gpu_s(s, concurrency=n) for n in (4, 64))
    >>> busy < 0.2 * alone
    True
    """
    require_certain("request_gpu_s", s)
    lengths = _lengths(s)
    fresh = lengths["fresh_tokens"] if fresh_tokens is None else fresh_tokens
    cached = lengths["cached_tokens"] if cached_tokens is None else cached_tokens
    output = lengths["output_tokens"] if output_tokens is None else output_tokens
    not_negative("cached_tokens", cached)
    bare = s.with_(input_tokens=fresh, output_tokens=output, cached_frac=0.0)
    short = predict(bare, concurrency=concurrency)
    ttft_s, tpot_s = short.ttft_s, short.tpot_s
    if cached:
        full = predict(bare.with_(input_tokens=fresh + cached), concurrency=concurrency)
        tpot_s = full.tpot_s - full.parts_s[OTHERS] + short.parts_s[OTHERS]
        ttft_s += full.ttft_parts_s[MEMORY] - short.ttft_parts_s[MEMORY]
    return float(answer_s(ttft_s, tpot_s, output)) * s.deployment.n_gpu / concurrency


def marginal_cost_frame(s: Scenario, *, concurrency: float) -> pd.DataFrame:
    """What one more token of each kind costs at this operating point, and what is left over.

    Parameters
    ----------
    s : Scenario
        With its price of an hour, utilisation, lengths and cached share.
    concurrency : float
        Users over all replicas, e.g. 64.

    Returns
    -------
    pandas.DataFrame
        Columns kind, tokens, usd (of one request), cost_usd_per_mtok. The last row, ``per
        request``, is what no token explains: fixed overheads, and curvature where it is negative.
        All rows sum to the request's whole cost, so the split can be checked.

    Notes
    -----
    The cost of a kind is its tokens times the derivative of `request_gpu_s` in them, by central
    differences of 1 %, or of one token.

    Where prompts keep the machine busy an output token costs next to nothing: its steps take place
    in the time in which others' prompts would be waited for anyway.

    Examples
    --------
    >>> s = Scenario.default().with_(cost_usd_per_gpu_hour=2.0)
    >>> split = marginal_cost_frame(s, concurrency=64)
    >>> request_usd = request_gpu_s(s, concurrency=64) * 2.0 / 3600
    >>> bool(abs(split["usd"].sum() / request_usd - 1) < 1e-9)
    True
    """
    require_certain("marginal_cost_frame", s)
    hour_usd = sum(part.usd_per_gpu_hour for part in hour_parts(s))
    usd_per_s = per_second_from_per_hour(hour_usd) / s.finance.utilisation_frac
    at = _lengths(s)
    kinds = {"fresh_tokens": "fresh input", "cached_tokens": "cached input",
             "output_tokens": "output"}  # fmt: skip
    rows = []
    for name, kind in kinds.items():
        if name == "cached_tokens" and not at[name]:
            continue
        nudge = max(at[name] * NUDGE, 1.0)  # a token has no parts
        most, least = at[name] + nudge, max(at[name] - nudge, min(at[name], 1.0))
        less_s, more_s = (
            request_gpu_s(s, concurrency=concurrency, **{**at, name: n}) for n in (least, most)
        )
        rows.append((kind, at[name], (more_s - less_s) / (most - least) * usd_per_s * at[name]))
    request_usd = request_gpu_s(s, concurrency=concurrency) * usd_per_s
    return _priced([*rows, ("per request", 0.0, request_usd - sum(usd for *_, usd in rows))])


def pool_gpu_hours(tokens: float, tokens_per_s_per_gpu: float) -> float:
    """GPU-hours a pool needs for so many tokens at its rate.

    Examples
    --------
    >>> pool_gpu_hours(7.2e6, 1_000)
    2.0
    """
    not_negative("tokens", tokens)
    positive("tokens_per_s_per_gpu", tokens_per_s_per_gpu)
    return tokens / tokens_per_s_per_gpu / HOUR_S


def list_split_frame(
    bill_usd: float, *, input_tokens: float, output_tokens: float, output_over_input_factor: float
) -> pd.DataFrame:
    """A bill shared by a price list's ratio of output to input: a convention, not a measurement.

    Parameters
    ----------
    bill_usd : float
        What is to be shared.
    input_tokens, output_tokens : float
        Tokens of the same time.
    output_over_input_factor : float
        Price of an output token over an input token, e.g. 4.

    Returns
    -------
    pandas.DataFrame
        Columns kind, tokens, usd, cost_usd_per_mtok.

    Examples
    --------
    >>> split = list_split_frame(6.0, input_tokens=3e6, output_tokens=1e6,
    ...                          output_over_input_factor=3)
    >>> split["cost_usd_per_mtok"].tolist()
    [1.0, 3.0]
    """
    not_negative("bill_usd", bill_usd)
    positive("input_tokens", input_tokens)
    positive("output_tokens", output_tokens)
    positive("output_over_input_factor", output_over_input_factor)
    token_usd = bill_usd / (input_tokens + output_over_input_factor * output_tokens)
    rows = [("input", input_tokens, token_usd * input_tokens)]
    rows += [("output", output_tokens, token_usd * output_over_input_factor * output_tokens)]
    return _priced(rows)


def _lengths(s: Scenario) -> dict[str, float]:
    """Mean tokens of a request by kind."""
    load = s.workload
    fresh_frac = 1 - float(load.cached_frac)
    return {
        "fresh_tokens": load.mean_input_tokens * fresh_frac,
        "cached_tokens": load.mean_input_tokens * (1 - fresh_frac),
        "output_tokens": load.mean_output_tokens,
    }


def _priced(rows: list[tuple[str, float, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["kind", "tokens", "usd"])
    known = frame["tokens"].where(frame["tokens"] > 0)
    return frame.assign(cost_usd_per_mtok=usd_per_mtok_from_usd_per_token(frame["usd"] / known))
