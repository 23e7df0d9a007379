"""A fall split into bounds: the rest is what the others leave, never a single number."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog import model
from econ.trends import split
from econ.trends.split import REST, split_frame

BOUNDS = st.tuples(st.floats(0.2, 50), st.floats(1, 10)).map(lambda b: (b[0], b[0] * b[1]))


@given(st.floats(1.5, 1e4), st.lists(BOUNDS, max_size=4))
def test_any_choice_within_the_bounds_leaves_a_rest_within_its_own(total, bounds):
    rows = split_frame(total, {f"cause {i}": b for i, b in enumerate(bounds)}).set_index("part")
    for pick in (0, 1):
        chosen = math.prod(b[pick] for b in bounds)
        low, high = rows.loc[REST, ["low", "high"]]
        assert low * (1 - 1e-9) <= total / chosen <= high * (1 + 1e-9)
    assert (rows["low"] <= rows["high"] * (1 + 1e-12)).all()


def test_shares_of_exact_causes_sum_to_one():
    rows = split_frame(100, {"a": (10, 10)})
    assert rows["share_low"].tolist() == pytest.approx([0.5, 0.5])
    assert rows["share_high"].tolist() == pytest.approx([0.5, 0.5])


def test_hardware_and_software_are_ranges_and_not_the_best_of_four():
    hardware = split.hardware_factor("2022-11", "2024-10")
    software = split.software_factor("2022-11", "2024-10")
    assert hardware[0] < hardware[1] == pytest.approx(0.7019 ** -(23 / 12), rel=1e-3)
    assert software[0] < 1.2 < 2 < software[1]
    rows = split_frame(280, {"hardware": hardware, "software": software}).set_index("part")
    both = rows.loc[["hardware", "software"]]
    assert both["share_low"].sum() < 0.10  # the old "25 %" was the upper end of both
    assert both["share_high"].sum() == pytest.approx(0.25, abs=0.02)


def test_parameters_by_hand():
    big, small = model("llama-3.1-405b"), model("qwen3-8b")
    low, high = split.parameters_factor("llama-3.1-405b", "qwen3-8b")
    assert {low, high} == {
        big.n_params / small.n_params,
        big.active_params / small.active_params,
    }
    assert split.precision_factor("bf16", "fp4")[1] > 3.5
    assert split.precision_factor("fp8", "bf16") == (1.0, 1.0)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: split_frame(0, {}), "total_factor = 0"),
        (lambda: split_frame(1, {}), "a price that did not move"),
        (lambda: split_frame(9, {"a": (3, 2)}), "a = 3 to 2: give the lower factor first"),
        (lambda: split_frame(9, {"a": (-1, 2)}), "a: low = -1"),
    ],
)
def test_what_is_no_split_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
