"""The lesson's queues against their laws, and the simulator against the lesson's queues."""

import numpy as np
import pytest

from econ.lessons import queue_cases
from econ.serving import warm_up


@pytest.fixture(autouse=True, scope="module")
def _warm():
    warm_up()


def test_the_closed_form_has_the_exponential_law_s_ratios():
    frame = queue_cases.mm1_frame([0.3, 0.9]).pivot_table(
        index="load_percent", columns="what", values="service_times"
    )
    assert (frame["P99"] / frame["mean"]).to_numpy() == pytest.approx(np.log(100))
    assert (frame["P50"] / frame["mean"]).to_numpy() == pytest.approx(np.log(2))
    assert frame["mean"].to_numpy() == pytest.approx([1 / 0.7, 10.0])


def test_the_simulator_is_each_textbook_queue_within_sampling_error():
    frame = queue_cases.queues_frame(0.5, n=200_000)
    known = frame.dropna(subset=["simulated"])
    exact = known[known["queue"] != "gaps vary twice as much"]  # Kingman's is an approximation
    assert len(exact) == 5
    assert exact["simulated"].to_numpy() == pytest.approx(exact["formula"].to_numpy(), rel=0.1)
    assert frame["simulated"].isna().sum() == 2
    with pytest.raises(ValueError, match=r"load_frac = 1\.5"):
        queue_cases.queues_frame(1.5)
