"""The power law by hand, its limits, and how a replica's time divides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog import UnknownName, accelerator
from econ.energy.power import PowerLaw, load_frame, phases, unit_energy
from econ.latency.calibration import Calibration
from econ.latency.prediction import case_of
from econ.latency.steps import prefill, prepare
from tests.energy.test_consumption import S

LAW = PowerLaw(idle_frac=0.1, awake_frac=0.2, memory_frac=0.5, compute_frac=2.0)
shares = st.floats(0, 1)


def test_by_hand():
    # 700 · (0.2 + 0.5 · 0.6 + 2 · 0.05) = 420
    assert LAW.power_w(700, memory_load_frac=0.6, compute_load_frac=0.05) == pytest.approx(420)
    assert LAW.power_w(700) == pytest.approx(140)
    assert LAW.idle_power_w(700) == pytest.approx(70)


@given(shares, shares, shares, st.floats(1, 2000))
def test_power_rises_with_load_between_awake_and_tdp(memory, compute, more, tdp_w):
    power_w = LAW.power_w(tdp_w, memory_load_frac=memory, compute_load_frac=compute)
    assert 0.2 * tdp_w * 0.999999 <= power_w <= tdp_w * 1.000001
    higher = min(memory + more * (1 - memory), 1.0)
    assert LAW.power_w(tdp_w, memory_load_frac=higher, compute_load_frac=compute) >= power_w


def test_units_of_energy_give_the_law_back():
    chip, unit = accelerator("h100-sxm"), unit_energy("h100-sxm", LAW)
    per_s = 0.4 * chip.memory_bandwidth_bytes_per_s, 0.1 * chip.peak_bf16_flop_per_s
    watts = per_s[0] * unit["energy_j_per_byte"] + per_s[1] * unit["energy_j_per_flop"]
    law_w = LAW.power_w(700, memory_load_frac=0.4, compute_load_frac=0.1)
    assert watts + 0.2 * 700 == pytest.approx(law_w)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"awake_frac": 0.05}, "power at work is not below idle"),
        ({"idle_frac": 12}, "a share, not a percentage"),
        ({"memory_frac": -1}, "memory_frac = -1"),
        ({"compute_frac": float("nan")}, "compute_frac = nan"),
    ],
)
def test_a_law_that_cannot_be_is_refused(changed, says):
    values = {n: getattr(LAW, n) for n in LAW.names()} | changed
    with pytest.raises(ValueError, match=says):
        PowerLaw(**values)


@pytest.mark.parametrize("bad", [0, -700, float("inf"), "700"])
def test_a_tdp_that_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match="tdp_w"):
        LAW.power_w(bad)


def test_the_fitted_law_is_the_table_and_lies_in_its_intervals():
    law = PowerLaw.fitted()
    assert law.names() == ["idle_frac", "awake_frac", "memory_frac", "compute_frac"]
    for name, (low, high) in law.intervals.items():
        assert low <= getattr(law, name) <= high
    assert law.idle_frac < law.awake_frac


def test_time_divides_into_prefill_and_decode():
    k = Calibration.fitted()
    p = prepare(case_of(S, 32, k), k)
    loads = phases(p, k, rate_per_s=1.0, batch=32)
    assert loads.prefill_share_frac == pytest.approx(prefill(p, k).prefill_s)
    # weights alone: bytes over bandwidth, times decode steps per second of decoding
    bandwidth = p.shapes.bandwidth_bytes_per_s
    steps_per_s = 1.0 * p.load.output_tokens / 32 / (1 - loads.prefill_share_frac)
    weights = p.shapes.dense_bytes / p.split.tp / bandwidth * steps_per_s
    assert loads.decode_memory_load_frac > weights
    caches = 32 * p.kv_read_bytes / p.kv_shard / bandwidth * steps_per_s
    assert loads.decode_memory_load_frac == pytest.approx(weights + caches, rel=1e-6)


def test_loads_are_shares_whatever_is_asked():
    k = Calibration.fitted()
    for rate in (1e-9, 1.0, 1e9):
        loads = phases(prepare(case_of(S, 32, k), k), k, rate, 32)
        assert all(0 <= float(load) <= 1 for load in loads)


def test_load_frame_ends_at_the_limit():
    frame = load_frame("h100-sxm")
    assert frame["power_w"].max() == 700
    assert np.isclose(
        frame.groupby("phase")["power_w"].min(), 700 * PowerLaw.fitted().awake_frac
    ).all()
    with pytest.raises(ValueError, match="tpu-v6e has no published TDP"):
        load_frame("tpu-v6e")
    with pytest.raises(UnknownName, match="h100-sxm"):
        load_frame("h100-smx")
