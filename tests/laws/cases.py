"""Services that the laws are tried on: any model and accelerator that fit, any load."""

import dataclasses

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

import econ
from econ.catalog import accelerators_frame
from econ.catalog.guard import UnknownName

MODELS = ("llama-3.1-8b", "llama-3.1-70b", "qwen3-32b", "gpt-oss-120b", "deepseek-v3")
KNOWN = accelerators_frame()
CHIPS = tuple(KNOWN.index[KNOWN["peak_bf16_flop_per_s"].notna()])
LENGTHS = st.integers(16, 30_000)
# the same cases in every run
law = settings(max_examples=10, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def services(draw, chips=CHIPS, models=MODELS):
    """A scenario and its users, which fit."""
    chip, tp = draw(st.sampled_from(chips)), draw(st.sampled_from([1, 2, 4, 8]))
    precision = draw(st.sampled_from(["bf16", "fp8"]))
    try:
        s = econ.Scenario.of(
            draw(st.sampled_from(models)), chip, tp=tp, precision=precision,
            input_tokens=draw(LENGTHS), output_tokens=draw(st.integers(16, 2000)),
            cost_usd_per_gpu_hour=2.0,
        )  # fmt: skip
        users = draw(st.integers(1, 256))
        econ.latency.predict(s, concurrency=users)
    except (UnknownName, ValueError):
        assume(False)
    return s, users


def with_chip(s, **factors):
    """The same on an accelerator of one's own whose quantities are multiplied."""
    chip = s.deployment.resolved_accelerator
    own = {n: getattr(chip, n) * k for n, k in factors.items() if getattr(chip, n, None)}
    return s.with_(accelerator=dataclasses.replace(chip, **own))
