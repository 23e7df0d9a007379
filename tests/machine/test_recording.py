"""A recording survives its file, a class's files are pooled, a bad one has a reason."""

import dataclasses
import json

import numpy as np
import pytest

from econ.machine import Recording, measure, pool_frame, record, recorded, tiny_model
from econ.machine.probe import NO_COUNTERS, reasons
from econ.machine.recording import COLUMNS, _n_requests, served_workload


@pytest.fixture(scope="module")
def own():
    """The whole lab at a size that takes a second: its shapes are tested, not its times."""
    machine = measure(n_repeats=2, read_bytes=4e6)
    return record(machine, n_params=1e6, n_requests=6, n_closed=4, n_repeats=1,
                  batches=(1, 2, 3, 4), prompt_tokens=4, output_tokens=3)  # fmt: skip


def test_a_measured_machine_is_an_accelerator(own):
    machine = own.machine
    chip = machine.accelerator
    assert chip.memory_bandwidth_bytes_per_s == machine.memory_bandwidth_bytes_per_s > 0
    assert chip.peak_flop_per_s("fp32") == machine.peak_fp32_flop_per_s > 0
    assert chip.tdp_w is None
    assert set(machine.probes["probe"]) == {"memory", "cache", "product"}
    assert (machine.probes["low"] <= machine.probes["high"]).all()
    assert dataclasses.replace(machine, power_w=45.0).accelerator.tdp_w == 45


def test_the_lab_measures_everything_it_says(own):
    assert own.runs["batch"].tolist() == [1, 2, 3, 4]
    assert own.loads == ("50%", "80%", "110%", "closed")
    assert own.requests.groupby("load").size().to_dict() == {
        "110%": 6, "50%": 6, "80%": 6, "closed": 4,
    }  # fmt: skip
    assert (own.requests["done_s"] >= own.requests["first_token_s"]).all()
    rates = own.requests.groupby("load")["rate_per_s"].first()
    assert rates["110%"] / rates["50%"] == pytest.approx(2.2)


@pytest.mark.parametrize(("rate_per_s", "n"), [(100.0, 60), (5.0, 40), (0.1, 20)])
def test_a_slow_computer_serves_fewer_requests(rate_per_s, n):
    assert _n_requests(60, rate_per_s) == n


def test_a_file_gives_back_what_was_saved(own, tmp_path):
    again = Recording.from_json(own.save(tmp_path / "me.json").read_text(encoding="utf-8"))
    assert again.machine == own.machine
    for name, columns in COLUMNS.items():
        ours, theirs = (getattr(r, name)[list(columns)] for r in (own, again))
        assert ours.equals(theirs) or np.allclose(
            ours.select_dtypes("number"), theirs.select_dtypes("number"), equal_nan=True
        )


def test_a_class_is_pooled_and_a_bad_file_has_a_reason(own, tmp_path):
    own.save(tmp_path / "a.json")
    recorded().save(tmp_path / "b.json")
    (tmp_path / "c.json").write_text("{}")
    (tmp_path / "d.json").write_bytes(b"\xff\xfe\x00")
    values = json.loads(own.to_json())
    values["machine"]["memory_bytes"] = -1
    (tmp_path / "e.json").write_text(json.dumps(values))
    frame = pool_frame(tmp_path).set_index("file")
    assert frame.loc[["a", "b"], "reason"].eq("").all()
    assert frame.loc["b", "ridge_flop_per_byte"] == pytest.approx(
        recorded().machine.ridge_flop_per_byte
    )
    assert "format 1" in frame.loc["c", "reason"]
    assert frame.loc["d", "reason"]
    assert "memory_bytes = -1" in frame.loc["e", "reason"]
    with pytest.raises(ValueError, match="no files to pool"):
        pool_frame([])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ('{"format": 2}', "not a recording of format 1"),
        ('{"format": 1, "machine": {}}', "a recording without n_params"),
        ('{"format": 1, "machine": {}, "n_params": 1, "probes": [], "runs": [], "steps": [], '
         '"requests": []}', "runs of a recording: no column batch"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_recording_says_what_is_missing(text, words):
    with pytest.raises(ValueError, match=words):
        Recording.from_json(text)


def test_the_recorded_machine_carries_the_lesson():
    one = recorded()
    assert one.machine.is_recorded
    assert one.machine.is_usable
    assert one.shape.n_params == pytest.approx(65e6, rel=0.01)
    per_step = one.runs.set_index("batch")["p50_itl_s"]
    assert per_step[32] < 32 / 4 * per_step[1]  # batching pays


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"n_cores": 1}, "One core does the work"),
        ({"free_bytes": 0.5e9}, "Only 0.5 GB of memory are free"),
        ({"spread_ratio": 3.0}, "differ by a factor of 3.0: the processor throttles"),
        ({"load_per_core": 2.0}, "The computer is busy"),
    ],
)
def test_what_speaks_against_a_measurement_is_one_sentence(changed, words):
    well = {"n_cores": 4, "free_bytes": 8e9, "spread_ratio": 1.1, "load_per_core": 0.1}
    assert reasons(**well) == ()
    (sentence,) = reasons(**{**well, **changed})
    assert words in sentence
    assert sentence.endswith(".")


def test_without_counters_a_watt_meter_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setattr("econ.machine.host.POWERCAP", tmp_path)
    assert measure(n_repeats=2, read_bytes=1e6).notes == (NO_COUNTERS,)
    metered = measure(n_repeats=2, read_bytes=1e6, power_w=40.0)
    assert metered.notes == ()
    assert metered.accelerator.tdp_w == 40


def test_counters_are_read_and_wrap_round(monkeypatch, tmp_path):
    from econ.machine.host import EnergyCounter

    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    (zone / "max_energy_range_uj").write_text("1000000000")
    (zone / "energy_uj").write_text("900000000\n")
    inner = tmp_path / "intel-rapl:0:0"  # part of the package: counted there
    inner.mkdir()
    (inner / "energy_uj").write_text("5")
    monkeypatch.setattr("econ.machine.host.POWERCAP", tmp_path)
    counter = EnergyCounter()
    (zone / "energy_uj").write_text("950000000")
    assert counter.j == pytest.approx(50)
    (zone / "energy_uj").write_text("100000000")
    assert counter.j == pytest.approx(200)


def test_whom_it_serves_is_a_chat_in_small():
    load = served_workload(2.0)
    assert load.rate_per_s == 2
    assert 15 < load.mean_input_tokens < 40
    assert 6 < load.mean_output_tokens < 24


@pytest.mark.parametrize(
    ("bad", "words"),
    [({"n_repeats": 1}, "n_repeats = 1"), ({"read_bytes": 1e15}, "read_bytes = 1"),
     ({"power_w": -5}, "power_w = -5"), ({"engine": "jax"}, "unknown engine")],
)  # fmt: skip
def test_bad_settings_are_named(bad, words):
    with pytest.raises(ValueError, match=words):
        measure(**bad)


def test_a_run_refuses_what_cannot_be_timed():
    from econ.machine import run

    with pytest.raises(ValueError, match="output_tokens = 1 is outside its range"):
        run(1, 4, 1, model=tiny_model(1e6))
    with pytest.raises(ValueError, match="batch = 0"):
        run(0, 4, 2, model=tiny_model(1e6))
