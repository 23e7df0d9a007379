"""Latency: how long a token takes, from the datasheet to a calibrated prediction with a band.

`predict` takes a scenario and the number of concurrent users, and says TTFT, TPOT and throughput,
what a token's time is made of, and how far predictions of such cases were off. `predict_frame` does
the same for a table of deployments, `max_throughput_frame` for work without users who wait.
`users_within` turns it round: the most users within the SLO. `read_bench` and `fit_stack` bring in
runs of your own.

>>> from econ.scenario import Scenario
>>> one = predict(Scenario.default(), concurrency=32)
>>> one.bound_by, one.regime
("others' prompts", 'calibrated')
"""

from econ.latency.adapters import AdapterMemory, adapter_memory, adapter_params
from econ.latency.bench_rows import read_bench
from econ.latency.bound import Envelope, envelope, reality_frame
from econ.latency.calibration import Band, Calibration, bands
from econ.latency.frame import max_throughput_frame, predict_frame
from econ.latency.own_stack import compare_frame, fit_stack
from econ.latency.prediction import (
    Prediction,
    flop_per_token,
    kv_bytes_per_token,
    max_batch,
    predict,
    weight_bytes,
)
from econ.latency.speculation import speculation_frame, tokens_per_check
from econ.latency.steps import DoesNotFit, answer_s
from econ.latency.users import users_within

__all__ = [
    "AdapterMemory",
    "Band",
    "Calibration",
    "DoesNotFit",
    "Envelope",
    "Prediction",
    "adapter_memory",
    "adapter_params",
    "answer_s",
    "bands",
    "compare_frame",
    "envelope",
    "fit_stack",
    "flop_per_token",
    "kv_bytes_per_token",
    "max_batch",
    "max_throughput_frame",
    "predict",
    "predict_frame",
    "read_bench",
    "reality_frame",
    "speculation_frame",
    "tokens_per_check",
    "users_within",
    "weight_bytes",
]
