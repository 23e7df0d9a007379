"""Answers to the exercises of notebook 00."""

from __future__ import annotations

from econ.catalog.units import HOUR_S, MILLI, MTOK
from econ.latency.bound import envelope, parts_frame, reality_frame
from econ.lessons.answers import exercise
from econ.scenario import Scenario


@exercise("00-1", unit="ms", hint="Bytes of all weights over the bandwidth of four chips.")
def step_at_batch_one() -> float:
    """The time to read the default scenario's weights once."""
    return envelope(Scenario.default(), batch=1).weights_s / MILLI


def _measured_throughput() -> float:
    run = reality_frame().set_index("batch").loc[64]
    return float(64 / run.measured_tpot_s / run.n_gpu)


@exercise("00-2", unit="tokens/s per GPU", hint="64 users, one token each per step, four GPUs.")
def measured_throughput() -> float:
    """Decode throughput of the measured run at batch 64."""
    return _measured_throughput()


@exercise("00-3", unit="USD per million tokens", hint="Rent per second over tokens per second.")
def rent_of_a_million_tokens() -> float:
    """What a million output tokens of that run cost in rent."""
    rent = Scenario.default().cost_usd_per_gpu_hour
    return rent / HOUR_S / _measured_throughput() * MTOK


@exercise("00-4", unit="", hint="Divide each part of the longer bill by the shorter one's.")
def fastest_growing_part() -> str:
    """The part of the bill that grows most when the output is ten times as long."""
    case = Scenario.default()
    short, long = (parts_frame(case, 50, output_tokens=n) for n in (200, 2000))
    growth = long["usd_per_1000"] / short["usd_per_1000"]
    return str(long["part"][growth.idxmax()])
