"""Notebook 16: cards with a verdict, charts and panels of the claims."""

import math

from econ.ledger import claim, claims_frame
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
