"""The chain on the computer you sit at: measured, not read.

`measure` times memory and products and answers with a `Machine` whose ``accelerator`` every station
takes; `tiny_model` makes a transformer of Llama's shape with random weights; `run` serves a batch,
`serve` requests that arrive; `record` does all of it in a minute. What was measured is then held
against the model (`ladder_frame`) and against the simulator (`compare_frame`), and priced
(`own_cost`, `desk_frame`). `recorded` is a machine in ``data/``, for where nothing can be measured.

>>> import econ
>>> own = recorded().machine.accelerator
>>> s = econ.Scenario.of("llama-3.1-8b", own, precision="int4", cost_usd_per_gpu_hour=0.10)
>>> econ.latency.envelope(s, batch=1).tokens_per_s_per_user > 1
True
"""

from econ.machine.backends import installed
from econ.machine.cuda import cuda_frame, graph_frame
from econ.machine.ladder import (
    OwnFit,
    fit_runs,
    ladder_frame,
    own_scenario,
    prediction_frame,
    step_times_s,
)
from econ.machine.pricing import (
    OwnCost,
    desk_frame,
    held_out_reach_frame,
    own_cost,
    reach,
    scaled_tokens_per_s,
)
from econ.machine.probe import Machine, measure
from econ.machine.recording import Recording, pool_frame, record, recorded, served_workload
from econ.machine.runs import Run, run, runs_frame
from econ.machine.server import Served, serve
from econ.machine.simulator import compare_frame, own_replica, simulated, step_cost, steps_frame
from econ.machine.threads import threads_frame
from econ.machine.transformer import TinyModel, tiny_model, tiny_shape

__all__ = [
    "Machine",
    "OwnCost",
    "OwnFit",
    "Recording",
    "Run",
    "Served",
    "TinyModel",
    "compare_frame",
    "cuda_frame",
    "desk_frame",
    "fit_runs",
    "graph_frame",
    "held_out_reach_frame",
    "installed",
    "ladder_frame",
    "measure",
    "own_cost",
    "own_replica",
    "own_scenario",
    "pool_frame",
    "prediction_frame",
    "reach",
    "record",
    "recorded",
    "run",
    "runs_frame",
    "scaled_tokens_per_s",
    "serve",
    "served_workload",
    "simulated",
    "step_cost",
    "step_times_s",
    "steps_frame",
    "threads_frame",
    "tiny_model",
    "tiny_shape",
]
