"""Whole units and every break-even: by hand, by brute force, by a published slip."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.tco.whole_units import break_even, units, units_needed


def test_a_vendors_example():
    peak = 30_000 * 4 * 0.2 / 3600
    need = units(peak_per_s=peak, per_s_per_instance=2.5, gpus_per_instance=2)
    assert (need.n_instances, need.n_servers, need.n_gpu) == (3, 1, 8)


@given(k=st.integers(0, 10_000), per=st.floats(0.001, 1e4))
def test_a_full_unit_does_not_open_the_next(k, per):
    assert units_needed(k * per, per) == k


@given(n=st.floats(0.01, 1e4), per=st.floats(0.01, 100), gpus=st.sampled_from([1, 2, 3, 8, 16]))
def test_what_is_bought_suffices_and_one_server_less_does_not(n, per, gpus):
    need = units(peak_per_s=n, per_s_per_instance=per, gpus_per_instance=gpus)
    fit = max(8 // gpus, 1)
    each = 1 if gpus <= 8 else gpus / 8
    could = need.n_servers / each * fit * per
    assert could >= n * (1 - 1e-8)
    assert could - fit * per < n * (1 + 1e-8)
    assert 0 < need.used_frac <= 1 + 1e-8


def test_spares_and_racks_are_whole_too():
    need = units(peak_per_s=210, per_s_per_instance=10, gpus_per_instance=8, spare_frac=0.05,
                 n_spare_servers=1, servers_per_rack=4)  # fmt: skip
    assert (need.n_servers, need.n_spare_servers, need.n_racks) == (21 + 2 + 1, 3, 6)


def test_the_published_slip_145_is_124_when_every_head_count_is_tried():
    n = np.arange(1, 1001)
    nodes = (np.ceil(n / 24) + 1) * 12_728.705778 + 30_000
    even = break_even(n, nodes, 962.5 * n)
    assert even.lasting == 124
    assert even.first < 124
    assert len(even.pays_from) + len(even.stops_at) > 1
    by_hand = max(k for k in n if nodes[k - 1] > 962.5 * k) + 1
    assert even.lasting == by_hand


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
def test_crossings_are_those_of_brute_force(costs):
    a, b = np.array(costs, dtype=float).T
    x = np.arange(len(costs), dtype=float)
    even = break_even(x, a, b)
    pays, now, begins, stops = a <= b, False, [], []
    for i, p in enumerate(pays):
        if p and not now:
            begins.append(float(i))
        if now and not p:
            stops.append(float(i))
        now = p
    assert list(even.pays_from) == begins
    assert list(even.stops_at) == stops
    assert (even.lasting is not None) == bool(pays[-1])


def test_never_is_an_answer():
    even = break_even([1, 2, 3], [5, 5, 5], [1, 1, 1])
    assert even.first is None
    assert even.lasting is None
    assert str(even) == "never, up to 3"


@pytest.mark.parametrize("x", [[1, 1], [2, 1], [], [[1, 2]]])
def test_a_quantity_rises(x):
    with pytest.raises(ValueError, match="quantity"):
        break_even(x, np.zeros(np.shape(x)), np.zeros(np.shape(x)))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"per_s_per_instance": 0}, "n_per_unit = 0"),
        ({"peak_per_s": -1}, "peak_per_s = -1"),
        ({"gpus_per_instance": 0}, "gpus_per_instance = 0"),
        ({"spare_frac": 5}, "spare_frac = 5"),
    ],
)
def test_bad_numbers_are_named(more, says):
    with pytest.raises(ValueError, match=says):
        units(**{"peak_per_s": 1, "per_s_per_instance": 1} | more)
