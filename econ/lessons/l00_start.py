"""Lesson 00, what does an answer cost?: the tables and the panel of its bill."""

from __future__ import annotations

import pandas as pd

from econ.catalog import table
from econ.catalog.units import KILO
from econ.charts import Drawing, Panel, choice, figure, panel, slider
from econ.latency.bound import Envelope, envelope, reality_frame
from econ.latency.steps import DoesNotFit
from econ.scenario import Scenario
from econ.terms import Finance

MODELS = ("llama-3.1-8b", "qwen3-32b", "llama-3.1-70b", "gpt-oss-120b")


def batches_frame(
    scenario: Scenario, batches: list[int] | None = None, slowdown: float = 1.0
) -> pd.DataFrame:
    """The envelope over batch sizes, up to the largest that fits: speed for a user against cost."""
    rows = []
    for batch in batches or [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048]:
        try:
            e = envelope(scenario, batch, slowdown=slowdown)
        except DoesNotFit:
            break
        rows.append(
            {
                "batch": batch,
                "tpot_s": e.step_s,
                "tokens_per_s_per_user": e.tokens_per_s_per_user,
                "answer_s": e.answer_s,
                "output_tokens_per_s_per_gpu": e.output_tokens_per_s_per_gpu,
                "energy_j_per_token": e.energy_j_per_token,
                "cost_usd_per_mtok": e.cost_usd_per_mtok,
            }
        )
    if not rows:
        envelope(scenario, 1)  # raises DoesNotFit with the missing bytes
    return pd.DataFrame(rows)


def parts_frame(
    scenario: Scenario, batch: int, *, output_tokens: float | None = None, slowdown: float = 1.0
) -> pd.DataFrame:
    """What a thousand answers pay for: part, usd_per_1000, and the answer's speed beside it.

    Rented time is split by what the machine does in it: prefill, reading weights, reading the KV
    cache (or computing, where compute sets the pace).
    """
    e = envelope(scenario, batch, output_tokens=output_tokens, slowdown=slowdown)
    decode_usd = e.accelerator_usd * (1 - e.prefill_s / e.machine_s)
    if e.compute_s > e.weights_s + e.kv_s:
        decode = {"computing": decode_usd}
    else:
        share = e.weights_s / (e.weights_s + e.kv_s)
        decode = {
            "reading weights": decode_usd * share,
            "reading the KV cache": decode_usd * (1 - share),
        }
    parts = {"prefill": e.accelerator_usd - decode_usd, **decode}
    return pd.DataFrame(
        {
            "part": list(parts),
            "usd_per_1000": [KILO * usd for usd in parts.values()],
            "tokens_per_s_per_user": 1 / e.step_s,
            "answer_s": e.answer_s,
            "cost_usd_per_mtok": e.cost_usd_per_mtok,
        }
    )


def bill_frame(scenario: Scenario, batch: int = 32) -> pd.DataFrame:
    """One answer's chain from tokens to USD: link, low, typical, high, unit, where it is refined.

    Energy is that of the accelerators alone, at their thermal design power: an upper bound on what
    they draw in that time; host, idle hours and building are left to notebook 07.

    Low is the physical bound; typical and high stretch the time by the median and the largest
    slowdown of `reality_frame`.
    """
    slow = reality_frame()["slowdown"]
    cases = [envelope(scenario, batch, slowdown=s) for s in (1.0, slow.median(), slow.max())]
    links = [
        ("tokens read", "input_tokens", "tokens", "01"),
        ("tokens written", "output_tokens", "tokens", "01"),
        ("prefill", "prefill_s", "s", "02"),
        ("one decode step", "step_s", "s", "02, 03"),
        ("whole answer, no queue", "answer_s", "s", "05"),
        ("rent of an answer", "accelerator_usd", "USD", "11"),
        ("rent per million output tokens", "cost_usd_per_mtok", "USD/Mtok", "11"),
    ]
    rows = [
        (name, *(getattr(c, key) for c in cases), unit, notebook)
        for name, key, unit, notebook in links
    ]
    joules = [accelerators_j(c) for c in cases]
    rows.insert(-2, ("accelerators' energy at TDP", *joules, "J", "07"))
    return pd.DataFrame(rows, columns=["link", "low", "typical", "high", "unit", "notebook"])


def accelerators_j(e: Envelope) -> float:
    """Joules of one answer at the accelerators: thermal design power times their time."""
    return e.n_gpu * float(e.scenario.deployment.resolved_accelerator.tdp_w or 0) * e.machine_s


def ranges_frame(scenario: Scenario, batch: int = 64) -> pd.DataFrame:
    """How far three inputs move the cost of a million output tokens, one at a time.

    Columns: ``input``, ``low``, ``high`` (of the input), ``low_usd``, ``high_usd``, ``base_usd``.
    Slowdown as measured (`reality_frame`), rent from the cheapest to the dearest dated row of this
    accelerator, share of time in use from that of enterprise clusters to that of a provider
    (``data/tco/utilisation.csv``).
    """
    slow = reality_frame()["slowdown"]
    rents = table("rentals").query("accelerator == @scenario.deployment.accelerator_id")
    rent = rents["usd_per_gpu_hour"]
    used = table("utilisation")

    def usd(slowdown: float, rent: float, busy: float) -> float:
        finance = Finance(cost_usd_per_gpu_hour=rent, utilisation_frac=busy)
        case = scenario.with_(finance=finance)
        return float(envelope(case, batch, slowdown=slowdown).cost_usd_per_mtok)

    base = (float(slow.median()), scenario.cost_usd_per_gpu_hour, 1.0)
    ends = {
        "software slowdown (×)": (0, slow.min(), slow.max()),
        "rent (USD/GPU-hour)": (1, rent.min(), rent.max()),
        "share of time in use": (2, used["high"].max(), used["low"].min()),
    }
    rows = []
    for name, (place, low, high) in ends.items():
        cases = [(*base[:place], float(v), *base[place + 1 :]) for v in (low, high)]
        rows.append((name, low, high, usd(*cases[0]), usd(*cases[1]), usd(*base)))
    return pd.DataFrame(rows, columns=["input", "low", "high", "low_usd", "high_usd", "base_usd"])


def parts_chart(frame: pd.DataFrame) -> Drawing:
    """`parts_frame`: what a thousand answers pay for."""
    total, first = frame["usd_per_1000"].sum(), frame.iloc[0]
    biggest = frame.loc[frame["usd_per_1000"].idxmax()]
    return figure(
        frame,
        "usd_per_1000",
        "part",
        kind="bar",
        form="${:.2f}",
        x_title="USD per thousand answers",
        finding="What do a thousand answers pay for?",
        says=f"A thousand answers cost ${total:.2f}, the largest part of it for {biggest.part} "
        f"(${biggest.usd_per_1000:.2f}). One user sees {first.tokens_per_s_per_user:.0f} tokens "
        f"per second; an answer takes {first.answer_s:.1f} s; a million output tokens cost "
        f"${first.cost_usd_per_mtok:.2f}.",
    )


def bill_panel(scenario: Scenario, slowdown: float) -> Panel:
    """The bill of the scenario's answers by batch, length, rent and model."""

    def parts(batch: int, output_tokens: int, rent: float, model: str) -> pd.DataFrame:
        case = scenario.with_(model=model, finance=Finance(cost_usd_per_gpu_hour=rent))
        return parts_frame(case, batch, output_tokens=output_tokens, slowdown=slowdown)

    rent = round(20 * float(scenario.cost_usd_per_gpu_hour)) / 20
    return panel(
        parts,
        parts_chart,
        batch=slider(1, 5000, value=50, log=True, label="Batch (requests)"),
        output_tokens=slider(10, 20_000, value=200, log=True, label="Output (tokens)"),
        rent=slider(1, 8, value=rent, step=0.05, label="Rent (USD/GPU-hour)"),
        model=choice(MODELS, value=scenario.model_id, label="Model"),
        presets={
            "alone (batch 1)": {"batch": 1},
            "shared (batch 50)": {},
            "shared, ten times the output": {"output_tokens": 2000},
        },
    )
