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

OTHERS = "others' prompts"  # the part of TPOT that other users' prefill takes
ROOM = "memory"  # the part of TTFT that waits for room in the KV cache
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
    """Cost per million tokens of separate pools: kind, tokens, usd, cost_usd_per_mtok.

    ``cached_time_frac`` is the prefill time of a cached token over a fresh one: 1 spreads the pool
    over all input alike (what a published rate "including hits" does), 0 gives cached input free.
    """
    positive("cost_usd_per_gpu_hour", cost_usd_per_gpu_hour)
    for name, value in (("prefill_gpu_hours", prefill_gpu_hours),
                        ("decode_gpu_hours", decode_gpu_hours),
                        ("fresh_tokens", fresh_tokens), ("cached_tokens", cached_tokens),
                        ("output_tokens", output_tokens)):  # fmt: skip
        not_negative(name, value)
    fraction("cached_time_frac", cached_time_frac)
    for name, hours, read in (
        ("prefill_gpu_hours", prefill_gpu_hours, fresh_tokens + cached_time_frac * cached_tokens),
        ("decode_gpu_hours", decode_gpu_hours, output_tokens),
    ):
        if hours and not read:
            raise ValueError(f"{name} = {hours:g}, but no token takes that time: nothing to price")
    prefill_usd = cost_usd_per_gpu_hour * prefill_gpu_hours
    if cached_time_frac == 1:
        rows = [("input", fresh_tokens + cached_tokens, prefill_usd)]
    else:
        weight = fresh_tokens + cached_time_frac * cached_tokens
        each_usd = prefill_usd / weight if weight else 0.0
        rows = [("fresh input", fresh_tokens, each_usd * fresh_tokens)]
        rows += [("cached input", cached_tokens, each_usd * cached_time_frac * cached_tokens)]
    rows += [("output", output_tokens, cost_usd_per_gpu_hour * decode_gpu_hours)]
    return _priced(pd.DataFrame(rows, columns=["kind", "tokens", "usd"]))


def machine_s(
    *, fresh_tokens: float, output_tokens: float, cached_tokens: float = 0.0, **case: object
) -> float:
    """GPU-seconds that one request takes of a loaded deployment.

    Formula: time to answer × GPUs / concurrency (Little). A cached token is held and read but not
    computed. ``case``: concurrency, and the rest as `econ.scenario.Scenario.of` takes it.
    """
    not_negative("cached_tokens", cached_tokens)
    users = case.pop("concurrency")
    base = Scenario.of(**case, input_tokens=fresh_tokens, output_tokens=output_tokens)
    short = predict(base, concurrency=users)
    ttft_s, tpot_s = short.ttft_s, short.tpot_s
    if cached_tokens:
        longer = base.with_(input_tokens=fresh_tokens + cached_tokens)
        whole = predict(longer, concurrency=users)
        tpot_s = whole.tpot_s - whole.parts_s[OTHERS] + short.parts_s[OTHERS]
        ttft_s += whole.ttft_parts_s[ROOM] - short.ttft_parts_s[ROOM]
    return answer_s(ttft_s, tpot_s, output_tokens) * base.deployment.n_gpu / users


def marginal_cost_frame(
    cost_usd_per_gpu_hour: float,
    *,
    fresh_tokens: float,
    output_tokens: float,
    cached_tokens: float = 0.0,
    utilisation_frac: float = 1.0,
    **case: object,
) -> pd.DataFrame:
    """What one more token of each kind costs at this operating point, and what is left over.

    Columns: kind, tokens, usd (of one request), cost_usd_per_mtok. The last row, ``per request``,
    is what no token explains: fixed overheads, and curvature where it is negative. All rows sum to
    the request's whole cost, so the split can be checked.

    >>> case = dict(model="llama-3.1-70b", accelerator="h100-sxm", tp=4, precision="fp8",
    ...             concurrency=64)
    >>> split = marginal_cost_frame(2.0, fresh_tokens=1000, output_tokens=500, **case)
    >>> whole = machine_s(fresh_tokens=1000, output_tokens=500, **case) * 2.0 / 3600
    >>> bool(abs(split["usd"].sum() / whole - 1) < 1e-9)
    True
    """
    positive("cost_usd_per_gpu_hour", cost_usd_per_gpu_hour)
    positive("utilisation_frac", utilisation_frac, 1.0)
    at = {"fresh_tokens": fresh_tokens, "cached_tokens": cached_tokens,
          "output_tokens": output_tokens}  # fmt: skip
    usd_per_s = per_second_from_per_hour(cost_usd_per_gpu_hour) / utilisation_frac
    whole_usd = machine_s(**case, **at) * usd_per_s
    rows = []
    for name, kind in (("fresh_tokens", "fresh input"), ("cached_tokens", "cached input"),
                       ("output_tokens", "output")):  # fmt: skip
        if name == "cached_tokens" and not cached_tokens:
            continue
        nudge = NUDGE * at[name]
        least = max(at[name] - nudge, min(at[name], 1.0))  # there is no part of a first token
        ends = [machine_s(**case, **{**at, name: n}) for n in (least, at[name] + nudge)]
        each_s = (ends[1] - ends[0]) / (at[name] + nudge - least)
        rows.append((kind, at[name], each_s * usd_per_s * at[name]))
    rows.append(("per request", 0.0, whole_usd - sum(usd for *_, usd in rows)))
    return _priced(pd.DataFrame(rows, columns=["kind", "tokens", "usd"]))


def _priced(frame: pd.DataFrame) -> pd.DataFrame:
    known = frame["tokens"].where(frame["tokens"] > 0)
    return frame.assign(cost_usd_per_mtok=usd_per_mtok_from_usd_per_token(frame["usd"] / known))


def pool_gpu_hours(tokens: float, tokens_per_s_per_gpu: float) -> float:
    """GPU-hours a pool needs for so many tokens at its rate.

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

    >>> split = list_split_frame(6.0, input_tokens=3e6, output_tokens=1e6,
    ...                          output_over_input_factor=3)
    >>> split["cost_usd_per_mtok"].tolist()
    [1.0, 3.0]
    """
    not_negative("bill_usd", bill_usd)
    positive("input_tokens", input_tokens)
    positive("output_tokens", output_tokens)
    positive("output_over_input_factor", output_over_input_factor)
    each_usd = bill_usd / (input_tokens + output_over_input_factor * output_tokens)
    rows = [("input", input_tokens, each_usd * input_tokens)]
    rows += [("output", output_tokens, each_usd * output_over_input_factor * output_tokens)]
    return _priced(pd.DataFrame(rows, columns=["kind", "tokens", "usd"]))
