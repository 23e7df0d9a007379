"""Vidur's half of `bench_vidur`: run by Vidur's own interpreter, it knows nothing of econ.

    PYTHON_OF_VIDUR bench/vidur_side.py CASE.json ANSWER.json

Vidur's scheduler, events and requests run as they are. Three things are put in their place: its
learned step times by the affine cost of the case, its request generator by the requests of the
case, and its files and plots by nothing.
"""

import dataclasses
import json
import logging
import sys
import tempfile
import time

from vidur import config, simulator
from vidur.entities import Request
from vidur.execution_time_predictor import ExecutionTimePredictorRegistry
from vidur.request_generator import RequestGeneratorRegistry

PS_PER_S = 10**12


class StepTime:
    """A step's time in the form that Vidur's batches read."""

    def __init__(self, total_s):
        self.total_time = self.model_time = total_s


class Affine:
    """The cost of a step, in whole picoseconds, from the batch that Vidur scheduled."""

    def __init__(self, cost_ps):
        self.cost = cost_ps

    def get_execution_time(self, batch, _stage):
        """Base, tokens, context of the decoding requests, and pairs of the prefills."""
        cost, prefills = self.cost, 0
        total = cost["base"] + cost["per_token"] * batch.total_num_q_tokens
        for request, new, kv in zip(
            batch.requests, batch.num_q_tokens, batch.num_kv_tokens, strict=True
        ):
            if request.is_prefill_complete:
                total += cost["per_ctx_token"] * (kv - 1)  # it counts the first token on its own
            else:
                prefills += 1
                total += cost["prefill_per_pair"] * new * (2 * (kv - new) + new)
        return StepTime((total + cost["prefill_base"] * (prefills > 0)) / PS_PER_S)


def simulated(case):
    """The requests of a case after Vidur has served them, and the processor seconds of its loop."""
    requests = [Request(*row) for row in case["requests"]]

    class Given:
        def generate(self):
            return requests

    ExecutionTimePredictorRegistry.get = classmethod(lambda *_, **__: Affine(case["cost_ps"]))
    RequestGeneratorRegistry.get = classmethod(lambda *_, **__: Given())
    if case["policy"] == "chunked_prefill":
        scheduler = config.SarathiSchedulerConfig(chunk_size=case["token_budget"])
    else:
        scheduler = config.VllmSchedulerConfig(max_tokens_in_batch=case["token_budget"])
    scheduler.batch_size_cap = case["max_batch"]
    quiet = {f.name: False for f in dataclasses.fields(config.MetricsConfig)
             if f.type in (bool, "bool")}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        run = simulator.Simulator(
            config.SimulationConfig(
                cluster_config=config.ClusterConfig(
                    replica_config=config.ReplicaConfig(
                        num_pipeline_stages=1, tensor_parallel_size=1
                    ),
                    cache_config=config.CacheConfig(num_blocks=10**9),
                    replica_scheduler_config=scheduler,
                ),
                metrics_config=config.MetricsConfig(output_dir=folder, **quiet),
            )
        )
        run._write_output = lambda: None
        start = time.process_time()
        run.run()
        spent_s = time.process_time() - start
    return requests, spent_s


def main(case_file, answer_file):
    """Read a case, write its times."""
    logging.disable(logging.CRITICAL)
    with open(case_file) as file:
        case = json.load(file)
    done, spent_s = simulated(case)
    answer = {
        "cpu_s": spent_s,
        "first_token_s": [r.prefill_completed_at for r in done],
        "done_s": [r.completed_at for r in done],
    }
    with open(answer_file, "w") as file:
        json.dump(answer, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
