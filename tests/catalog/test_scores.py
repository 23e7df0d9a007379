"""Quality: dated scores, independent apart from vendors' own, floors, what narrow formats cost."""

import math

import pytest

from econ.catalog import (
    UnknownName,
    models_above,
    precision_loss,
    quality,
    quality_frame,
    table,
    vendor_gap_frame,
)
from econ.catalog.scores import EFFORTS


def test_there_are_many_dated_models_with_tokens_per_answer():
    rows = quality_frame()
    assert rows["model"].nunique() >= 60
    assert set(rows["reasoning"]) <= set(EFFORTS)
    counted = rows.dropna(subset=["output_tokens_per_answer"])
    assert counted["model"].nunique() >= 60
    assert rows["release"].str.fullmatch(r"\d{4}-\d{2}(-\d{2})?").all()
    assert rows["release"].max() >= "2026-07"


def test_vendors_and_independent_measurements_do_not_mix():
    independent, vendor = (quality_frame(measured_by=who) for who in ("independent", "vendor"))
    assert set(independent["kind"]) == {"measured", "derived"}
    assert set(vendor["kind"]) == {"vendor_claim"}
    assert len(quality_frame(measured_by=None)) == len(independent) + len(vendor)
    gaps = vendor_gap_frame()
    assert len(gaps) > 40
    assert 0.0 < gaps["gap_frac"].median() < 0.05  # vendors measure themselves a little higher
    assert gaps["gap_frac"].min() < -0.05  # not all of them
    row = gaps.set_index("model").loc["gpt-oss-120b"]
    assert row["gap_frac"] == pytest.approx(0.801 - 0.78)


def test_what_has_no_open_licence_ships_as_classes_only():
    """Artificial Analysis: no score finer than 0.02, no count finer than ten steps a decade."""
    rows = quality_frame(measured_by="independent").query("source == 'artificial-analysis'")
    assert len(rows) > 200
    assert set(rows["kind"]) == {"derived"}
    steps = 50 * rows["score_frac"]
    assert (steps - steps.round()).abs().max() < 1e-9
    assert rows["stderr_frac"].median() > 0.02
    tokens = rows[["output_tokens_per_answer", "input_tokens_per_question"]].stack().dropna()
    leading = {float(f"{n:e}".split("e")[0]) for n in tokens}
    assert leading <= {1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8}


def test_thinking_costs_tokens_and_raises_the_score():
    thinking, plain = quality("deepseek-v3.2"), quality("deepseek-v3.2", reasoning="off")
    assert thinking.score_frac > plain.score_frac
    assert thinking.output_tokens_per_answer > 3 * plain.output_tokens_per_answer


def test_a_score_has_an_error_from_the_number_of_questions():
    one = quality("gpt-oss-120b")
    assert one.stderr_frac == pytest.approx(math.sqrt(0.78 * 0.22 / 198))
    published = quality_frame().query("source == 'epoch-benchmarks' and model == 'gpt-oss-120b'")
    assert 0.027 in published["stderr_frac"].tolist()


def test_a_model_of_the_same_shape_does_not_lend_its_quality():
    assert quality("kimi-k2.6").model == "kimi-k2.6"
    with pytest.raises(UnknownName, match="unknown scored model 'Qwen3-VL-32B'"):
        quality("Qwen3-VL-32B")  # an alias of the shape of qwen3-32b


def test_models_above_a_floor_reach_it_with_the_fewest_tokens():
    rows = models_above(0.75)
    assert rows["model"].is_unique
    assert (rows["score_frac"] >= 0.75).all()
    assert rows["score_frac"].is_monotonic_decreasing
    assert rows.loc[~rows["decided"], "score_frac"].max() < 0.9
    every = quality_frame()
    for row in rows.dropna(subset=["output_tokens_per_answer"]).itertuples():
        same = every[(every["model"] == row.model) & (every["score_frac"] >= 0.75)]
        assert row.output_tokens_per_answer == same["output_tokens_per_answer"].min()
    assert len(models_above(0.85)) < len(rows)
    earlier = models_above(0.75, on="2025-06-30")
    assert set(earlier["model"]) < set(rows["model"])
    assert (earlier["release"] <= "2025-06-30").all()


@pytest.mark.parametrize(
    ("look_up", "says"),
    [
        (lambda: models_above(0.99), r"no model reaches it .* the best is [\w.-]+ with 0\.9"),
        (lambda: models_above(0.9, on="2024-01-01"), r"the best is [\w.-]+ with 0\."),
        (lambda: models_above(0.1, on="2020-01-01"), "none was released by 2020-01-01"),
        (lambda: models_above(75), "floor_frac = 75 is outside its range: 0 to 1"),
        (lambda: quality("gpt-oss-121b"), "unknown scored model 'gpt-oss-121b'; nearest: gpt-oss"),
        (lambda: quality("gpt-5", "GPQA"), "unknown benchmark 'GPQA'; nearest: GPQA-Diamond"),
        (lambda: quality("gpt-oss-120b", reasoning="maximal"), "unknown effort of gpt-oss-120b"),
        (lambda: quality_frame(measured_by="us"), "unknown measured_by 'us'"),
        (lambda: precision_loss("fp6"), "unknown precision 'fp6'"),
    ],
)
def test_what_nobody_measured_is_refused_with_the_nearest(look_up, says):
    with pytest.raises(ValueError, match=says):
        look_up()


def test_narrower_formats_cost_more_and_say_their_source():
    losses = [precision_loss(p) for p in ("bf16", "fp8", "int8")]
    assert [r.typical for r in losses] == sorted(r.typical for r in losses)
    assert losses[0].high == 0.0
    assert set(table("precision_losses")["source"]) <= set(table("sources").index)
