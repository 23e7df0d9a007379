"""Whose time a token takes: input, cached input and output priced by machine time, not by list.

Two routes. Where prefill and decode run on machines of their own, each pool's hours are its
tokens' cost. Where they share steps, a token costs the time that one more of its kind adds to a
request, read off the latency model at the operating point.

>>> pools = pool_cost_frame(2.0, prefill_gpu_hours=95.5 * 8 * 24, decode_gpu_hours=131.4 * 8 * 24,
...                         fresh_tokens=266e9, cached_tokens=342e9, output_tokens=168e9)
>>> pools.set_index("kind")["cost_usd_per_mtok"].round(3).to_dict()      # cached as dear as fresh
{'input': 0.06, 'output': 0.3}
"""

from __future__ import annotations

import pandas as pd

from econ.catalog.guard import fraction, not_negative, positive
from econ.catalog.units import HOUR_S, per_second_from_per_hour, usd_per_mtok_from_usd_per_token
from econ.latency.prediction import answer_s, predict
from econ.scenario import Scenario
from econ.station import require_certain
from econ.tco.hours import hour_parts

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
