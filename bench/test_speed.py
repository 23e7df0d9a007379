"""Speed of what a reader waits for: a panel's model call, a chart, a look-up (`make bench`)."""

import pytest

from econ.catalog import catalog
from econ.latency.bound import envelope
from econ.lessons.l00_start import batches_frame
from econ.lessons.l01_tokens import growth_chart, growth_frame, growth_panel
from econ.lessons.l05_goodput import (
    live_cost_frame,
    live_load_frame,
    load_panel,
)
from econ.lessons.l06_arranging import live_policies_frame
from econ.scenario import Scenario
from econ.serving import warm_up
from econ.tokens.count import count_tokens
from econ.tokens.workloads import workload

SCENARIO = Scenario.default()


@pytest.mark.parametrize("name", ["h100-sxm", "mi300x"])
def test_look_up_of_an_accelerator(benchmark, name):
    benchmark(catalog.accelerator, name)


def test_one_envelope(benchmark):
    benchmark(envelope, SCENARIO, 64)


def test_ten_batches(benchmark):
    benchmark(batches_frame, SCENARIO)


def test_a_panels_model_call(benchmark):
    benchmark(growth_frame, 100)


def test_a_panels_chart(benchmark):
    frame = growth_frame(100)
    benchmark(growth_chart, frame)


def test_a_panels_whole_move(benchmark):
    panel, turns = growth_panel(), iter(range(10**9))
    benchmark(lambda: panel.set(turns=2 + next(turns) % 99))


@pytest.mark.parametrize("name", ["load", "policies", "cost"])
def test_a_live_simulation(benchmark, name):
    """The panels of notebook 05: ten thousand requests simulated again."""
    warm_up()
    call, *case = {
        "load": (live_load_frame, 8.0, 1.0, "chunked_prefill", "scenario"),
        "policies": (live_policies_frame, 20.0, 1.0, 20.0, 2048),
        "cost": (live_cost_frame, 8.0, 1.0, 3.85),
    }[name]
    benchmark(call, *case)


def test_a_live_panels_whole_move(benchmark):
    warm_up()
    panel, moves = load_panel(), iter(range(10**9))
    benchmark(lambda: panel.set(rate=0.5 + next(moves) % 27 / 2))


def test_counting_ten_thousand_words(benchmark):
    text = "The price of a token is not the price of an answer. " * 1000
    benchmark(count_tokens, text, "tekken")


def test_sampling_a_hundred_thousand_requests(benchmark):
    benchmark(workload("chat").sample, 100_000)
