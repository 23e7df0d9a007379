"""Notebook 16: cards with a verdict, charts and panels of the claims."""

import math

from econ.catalog import table
from econ.ledger import claim, claims_frame, sheet_frame
from econ.lessons import memory
from econ.lessons.l16_claims import (
    claims_chart,
    power_panel,
    score_frame,
    verdict,
    verdicts_chart,
)


def test_the_chart_names_every_wrong_claim():
    frame = claims_frame()
    drawn = claims_chart(frame)
    for row in frame[frame["verdict"] == "wrong"].itertuples():
        assert row.title in drawn.description


def test_a_card_takes_any_word_and_keeps_a_verdict(tmp_path, monkeypatch):
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "learner.json"))
    assert "No verdict yet" in repr(verdict("gemini-024", ...))
    assert "is no verdict" in repr(verdict("gemini-024", 3))
    assert "We agree" in repr(verdict("gemini-024", " Right "))
    assert "otherwise" in repr(verdict("o3-172", "right"))
    assert score_frame().to_numpy().tolist() == [
        ["0.24 Wh for a prompt", "right", "right"],
        ["172 times the compute", "right", "wrong"],
    ]
    page = verdict("rack-15x", "other")._repr_html_()
    assert "<details>" in page
    assert "$" not in page  # a bare sign would start a formula
    memory.remember("verdicts", "gone", {"word": "right"})
    assert len(score_frame()) == 3
    assert math.isnan(claim("posttrain-30x").recomputed)
    assert "cannot be recomputed" in verdict("posttrain-30x", ...).ours


def test_the_power_panel_follows():
    panel = power_panel()
    assert "13%" in panel.readout
    assert "26%" in panel.set(power_w=1_000, pue=1.2).readout


def test_the_verdicts_chart_counts_and_marks_a_guess():
    frame = claims_frame()
    drawn = verdicts_chart(frame, guess=5)
    assert verdicts_chart(frame).data["claims"].sum() == len(frame)
    assert "your guess" in str(drawn.to_dict())
    assert f"wrong {(frame['verdict'] == 'wrong').sum()}" in drawn.description


def test_every_claim_has_a_denominator_a_way_out_a_source_and_a_date():
    rows = sheet_frame()
    known = table("sources").index
    assert len(rows) == len(table("claims")) >= 25
    for column in ("decided_by", "buyer_asks", "would_hold_if", "as_of"):
        assert rows[column].str.len().gt(3).all(), column
    assert set(rows["source"]) <= set(known)
    assert rows["as_of"].str.startswith("2026").sum() >= 8  # the headlines of 2026, and ours


def test_the_labs_headline_counts_wrong_and_other_above_right():
    counts = claims_frame()["verdict"].value_counts()
    assert counts["wrong"] > counts["right"]
    assert counts["other"] > counts["right"]
    ours = claims_frame()["id"].str.startswith("ours-")
    assert ours.sum() == 3
    assert (claims_frame()[ours]["verdict"] != "right").all()
    assert claim("h100-110").recomputed < 110 / 3
    assert claim("sglang-020").asked > 1.5 * claim("sglang-020").claimed


def test_the_next_racks_claims_fail_without_their_own_terms():
    """A tenth of the cost takes ten times the dearer hour; 35 and 50 need drafted tokens."""
    assert claim("vr-tenth").asked > 15
    for id in ("gb300-35x", "gb300-50x-mw"):
        one = claim(id)
        assert one.asked < one.claimed / 5
    assert claim("omni-9x").asked < 2
