"""Lesson 06, arranging the work: batch limits, chunks, splits, pools, caches, drafts.

Every arrangement serves the same requests (common random numbers), so what differs between rows is
what the row names.

>>> from econ.scenario import Scenario
>>> pools_for(Scenario.default(), 1, 3).decode.n_replicas
3
>>> splits_frame(Scenario.default(), [2, 4, 8], n=500)["n_replicas"].tolist()
[2, 1]
"""

from __future__ import annotations

import dataclasses
import functools
import heapq
import itertools
from collections.abc import Iterable

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.catalog.units import MILLI
from econ.charts import Drawing, Panel, choice, figure, panel, slider
from econ.latency import predict
from econ.lessons.l05_goodput.load import N, n_live
from econ.scenario import Scenario
from econ.service_bill import Bill, bill
from econ.serving import (
    Disaggregated,
    Replica,
    Speculation,
    draw_requests,
    max_rate_per_s,
    replica,
    serve,
    simulate,
)
from econ.serving.queueing import little_concurrency
from econ.terms import Slo
from econ.tokens.workloads import Workload

SPLITS = ((1, 3), (2, 2), (3, 1))  # replicas that prefill, and that decode, of four
FEWEST = 1000  # requests for each arrangement of a panel, that its P99 means something


def answer_steps(n: int = 60, seed: int = 6) -> list[int]:
    """Lengths of some answers in steps, uneven as those of a chat."""
    rng = np.random.default_rng(seed)
    return [int(steps) for steps in np.ceil(rng.exponential(200, n))]


def continuous_steps(n_steps: Iterable[int], n_seats: int) -> int:
    """Steps until all answers are complete, each in the seat that is free first.

    >>> continuous_steps([3, 1, 1, 1], 2), static_steps([3, 1, 1, 1], 2)
    (3, 4)
    """
    todo = list(n_steps)
    free_at = [0] * min(count("n_seats", n_seats, 1), len(todo) or 1)
    for steps in todo:
        heapq.heapreplace(free_at, free_at[0] + steps)
    return max(free_at)


def static_steps(n_steps: Iterable[int], n_seats: int) -> int:
    """Steps if a batch is filled only when all of the one before are complete."""
    todo, n_seats = list(n_steps), count("n_seats", n_seats, 1)
    return sum(max(todo[i : i + n_seats]) for i in range(0, len(todo), n_seats))


def _one(scenario: Scenario) -> Replica:
    serving = replica(scenario)
    assert isinstance(serving, Replica), "one arrangement among others: not pools already"
    return serving


def seats_frame(
    scenario: Scenario, rate_per_s: float, max_batch: Iterable[int], *, n: int = N
) -> pd.DataFrame:
    """One replica by the sequences that it admits at a time.

    Columns: max_batch, p50_ttft_s, p99_tpot_ms, good_percent, max_rate_per_s.
    """
    rows = []
    for seats in max_batch:
        own = _one(scenario).replace(max_batch=seats)
        row = simulate(scenario, rate_per_s=rate_per_s, n=n, replica=own)
        most = max_rate_per_s(scenario, replica=own, n=n)
        rows.append((seats, row.p50_ttft_s, row.p99_tpot_s / MILLI, 100 * row.good_frac, most))
    columns = ["max_batch", "p50_ttft_s", "p99_tpot_ms", "good_percent", "max_rate_per_s"]
    return pd.DataFrame(rows, columns=columns)


def splits_frame(
    scenario: Scenario, tp: Iterable[int], n_gpu: Iterable[int] = (4,), *, n: int = N
) -> pd.DataFrame:
    """The same accelerators as few wide or many narrow replicas.

    Columns: n_gpu, tp, n_replicas, tpot_alone_ms (one user), max_rate_per_s, per_gpu_per_s.
    """
    rows = []
    for gpus, width in itertools.product(n_gpu, list(tp)):
        if gpus % width:
            continue
        split = dataclasses.replace(scenario.deployment, n_gpu=gpus, tp=width)
        case = scenario.with_(deployment=split)
        alone = predict(case, concurrency=case.n_replicas).tpot_s / MILLI
        rate = max_rate_per_s(case, n=n)
        rows.append((gpus, width, case.n_replicas, alone, rate, rate / gpus))
    columns = ["n_gpu", "tp", "n_replicas", "tpot_alone_ms", "max_rate_per_s", "per_gpu_per_s"]
    return pd.DataFrame(rows, columns=columns)


def full_bill(scenario: Scenario, *, n: int = N) -> Bill:
    """The bill of the service at the highest rate within its SLO."""
    case = scenario.with_(rate_per_s=max_rate_per_s(scenario, n=n))
    users = little_concurrency(case.workload.rate_per_s, simulate(case, n=n).mean_e2e_s)
    total: Bill = bill(case, concurrency=users)
    return total


def cached_frame(scenario: Scenario, cached_frac: Iterable[float], *, n: int = N) -> pd.DataFrame:
    """The highest good rate by the share of each prompt that a prefix cache holds.

    Columns: cached_percent, p50_ttft_s (at the workload's own rate), max_rate_per_s.
    """
    rows = []
    for share in cached_frac:
        case = scenario.with_(cached_frac=share)
        now = simulate(case, n=n).p50_ttft_s
        rows.append((100 * share, now, max_rate_per_s(case, n=n)))
    return pd.DataFrame(rows, columns=["cached_percent", "p50_ttft_s", "max_rate_per_s"])


def drafts_frame(
    scenario: Scenario,
    rates_per_s: Iterable[float],
    acceptance_frac: Iterable[float],
    *,
    draft_tokens: int = 4,
    n: int = 3000,
) -> pd.DataFrame:
    """Median TPOT with speculation over that without it, by load and by what is accepted.

    Columns: rate_per_s, drafts (the name of a line), speedup. The time of the model that drafts is
    not in it.
    """
    usual, rows = _one(scenario), []
    for rate in rates_per_s:
        plain = simulate(scenario, rate_per_s=rate, n=n, replica=usual).p50_tpot_s
        for share in acceptance_frac:
            guessing = Speculation(draft_tokens=draft_tokens, acceptance_frac=share)
            own = usual.replace(speculation=guessing)
            fast = simulate(scenario, rate_per_s=rate, n=n, replica=own).p50_tpot_s
            rows.append((rate, f"{share:.0%} accepted", plain / fast))
    return pd.DataFrame(rows, columns=["rate_per_s", "drafts", "speedup"])


def pools_for(scenario: Scenario, n_prefill: int, n_decode: int) -> Disaggregated:
    """Separate pools of so many of the scenario's replicas; KV caches move over its links."""
    count("n_prefill", n_prefill, 1)
    count("n_decode", n_decode, 1)
    d = scenario.deployment
    n = n_prefill + n_decode
    split = dataclasses.replace(d, n_gpu=n * d.n_gpu, dp=n * d.dp, policy="disaggregated")
    pools = replica(scenario.with_(deployment=split))
    assert isinstance(pools, Disaggregated)
    return dataclasses.replace(
        pools,
        prefill=pools.prefill.replace(n_replicas=n_prefill),
        decode=pools.decode.replace(n_replicas=n_decode),
    )


def arrangements(
    scenario: Scenario, token_budget: int = 2048
) -> dict[str, Replica | Disaggregated]:
    """Four replicas of the scenario, put to work in five ways."""
    four = _one(scenario.with_(token_budget=token_budget)).replace(n_replicas=4)
    ways: dict[str, Replica | Disaggregated] = {
        "prefill first": four.replace(policy="prefill_first"),
        "chunked": four.replace(policy="chunked_prefill"),
    }
    for n_prefill, n_decode in SPLITS:
        ways[f"pools {n_prefill} + {n_decode}"] = pools_for(scenario, n_prefill, n_decode)
    return ways


def budgets_frame(
    scenario: Scenario, rate_per_s: float, token_budget: Iterable[int], *, n: int = N
) -> pd.DataFrame:
    """One replica under chunked prefill by the tokens of a step, beside prefill first.

    Columns: policy, p99_ttft_s, p99_tpot_ms, good_percent, max_rate_per_s.
    """
    cases = {"whole prompts first": scenario.with_(policy="prefill_first")}
    for budget in token_budget:
        cases[f"chunks of {budget:,}"] = scenario.with_(token_budget=budget)
    rows = []
    for name, case in cases.items():
        row, most = simulate(case, rate_per_s=rate_per_s, n=n), max_rate_per_s(case, n=n)
        rows.append((name, row.p99_ttft_s, row.p99_tpot_s / MILLI, 100 * row.good_frac, most))
    columns = ["policy", "p99_ttft_s", "p99_tpot_ms", "good_percent", "max_rate_per_s"]
    return pd.DataFrame(rows, columns=columns)


def pools_frame(
    scenario: Scenario, tpot_limits_s: Iterable[float], *, n: int = 3000
) -> pd.DataFrame:
    """The highest good rate of four replicas, in five arrangements, over the limit on TPOT.

    Columns: arrangement, tpot_limit_ms, max_rate_per_s, n_gpu; good for the scenario's share.
    """
    ways, rows = arrangements(scenario), []
    for limit_s in tpot_limits_s:
        under = scenario.with_(tpot_s=limit_s)
        for name, serving in ways.items():
            rate = max_rate_per_s(under, replica=serving, n=n, tolerance_frac=0.02)
            rows.append((name, limit_s / MILLI, rate, 4 * scenario.deployment.n_gpu))
    return pd.DataFrame(rows, columns=["arrangement", "tpot_limit_ms", "max_rate_per_s", "n_gpu"])


def split_gain(pools: pd.DataFrame) -> pd.Series:
    """The best split's rate over chunked prefill's in `pools_frame`, by the limit on TPOT in ms."""
    wide = pools.pivot_table(index="tpot_limit_ms", columns="arrangement", values="max_rate_per_s")
    splits = [name for name in wide if name.startswith("pools")]
    return wide[splits].max(axis=1) / wide["chunked"]


def quoted_frame(scenario: Scenario, *, n: int = 3000) -> pd.DataFrame:
    """Good output tokens/s per GPU as pools are often quoted (decode GPUs only), and of all GPUs.

    Columns: arrangement, max_rate_per_s, per_decode_gpu, per_gpu, overstated (their ratio).
    """
    tokens, n_gpu = scenario.workload.mean_output_tokens, scenario.deployment.n_gpu
    rows = []
    for name, serving in arrangements(scenario).items():
        rate = max_rate_per_s(scenario, replica=serving, n=n)
        if isinstance(serving, Disaggregated):
            n_decode = serving.decode.n_replicas
            n_all = n_decode + serving.prefill.n_replicas
        else:
            n_decode = n_all = serving.n_replicas
        per_decode_gpu, per_gpu = (rate * tokens / (k * n_gpu) for k in (n_decode, n_all))
        rows.append((name, rate, per_decode_gpu, per_gpu, per_decode_gpu / per_gpu))
    columns = ["arrangement", "max_rate_per_s", "per_decode_gpu", "per_gpu", "overstated"]
    return pd.DataFrame(rows, columns=columns)


@functools.lru_cache(maxsize=8)
def _usual(token_budget: int) -> tuple[Workload, dict[str, Replica | Disaggregated]]:
    """Load and arrangements of the default scenario: what a move of a slider leaves as it is."""
    case = Scenario.default()
    return case.workload, arrangements(case, token_budget)


def live_policies_frame(
    rate_per_s: float, prompt_factor: float, tpot_limit_ms: float, token_budget: int
) -> pd.DataFrame:
    """Goodput of the five arrangements at one rate, re-simulated: arrangement, parts, verdict.

    Every prompt of the chat workload is ``prompt_factor`` times as long. The requests of `n_live`
    are shared out over the arrangements.
    """
    load, ways = _usual(token_budget)
    slo = Slo(tpot_s=tpot_limit_ms * MILLI)
    trace = draw_requests(load, rate_per_s, max(n_live() // len(ways), FEWEST))
    longer = np.maximum(1, np.rint(trace["input_tokens"] * prompt_factor)).astype("int64")
    trace = trace.assign(input_tokens=longer)
    rows = []
    for name, serving in ways.items():
        result = serve(trace, serving)
        good = result.goodput(slo.ttft_s, slo.tpot_s)
        p99 = [float(np.nanpercentile(x, 99)) for x in (result.ttft_s, result.tpot_s)]
        # of the rate, not of the span that the last answers stretch
        row = (
            name,
            good.good_frac * rate_per_s,
            good.good_frac,
            good.binding,
            p99[0],
            p99[1] / MILLI,
        )
        rows.append(row)
    columns = ["arrangement", "goodput_requests_per_s", "good_frac", "binding"]
    frame = pd.DataFrame(rows, columns=[*columns, "p99_ttft_s", "p99_tpot_ms"])
    return frame.assign(rate_per_s=rate_per_s, n_requests=len(trace))


def policies_chart(frame: pd.DataFrame) -> Drawing:
    """`live_policies_frame`: goodput of five arrangements at one rate."""
    top, row = frame.loc[frame["goodput_requests_per_s"].idxmax()], frame.iloc[0]
    binding = {"none": "no limit is missed", "both": "both limits bind"}
    verdicts = [
        f"{r.good_frac:.0%} good, {binding.get(r.binding, f'{r.binding.upper()} binds')}"
        for r in frame.itertuples()
    ]
    words = "; ".join(
        f"{r.arrangement} {r.goodput_requests_per_s:.1f} requests/s ({verdict})"
        for r, verdict in zip(frame.itertuples(), verdicts, strict=True)
    )
    return figure(
        frame.assign(verdict=verdicts),
        "goodput_requests_per_s",
        "arrangement",
        kind="bar",
        label="verdict",
        x_title="Good requests/s",
        finding=f"Best here: {top.arrangement}, {top.goodput_requests_per_s:.1f} of "
        f"{row.rate_per_s:g} requests/s good",
        subtitle=f"Four replicas; {row.n_requests:,.0f} simulated requests each",
        says=f"Bars of goodput at {row.rate_per_s:g} requests/s: {words}.",
    )


def policies_panel() -> Panel:
    """Five arrangements of sixteen GPUs, simulated again at each move."""

    def policies(rate: float, limit: float, prompt: float, budget: int) -> pd.DataFrame:
        return live_policies_frame(rate, prompt, limit, budget)

    return panel(
        policies,
        policies_chart,
        rate=slider(2, 50, value=20, label="Arrivals (requests/s)"),
        limit=slider(10, 100, value=20, log=True, label="Limit on TPOT (ms)"),
        prompt=slider(0.5, 5, value=1, log=True, label="Prompts longer by (×)"),
        budget=choice([512, 1024, 2048, 8192], value=2048, label="Tokens in a step"),
        presets={
            "limit 20 ms": {"rate": 30},
            "limit 50 ms": {"rate": 38, "limit": 50},
            "prompts five times as long": {"rate": 6, "prompt": 5},
        },
        heading="Which arrangement serves best?",
    )
