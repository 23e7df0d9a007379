"""Published figures, recomputed and held within the tolerance each row states."""

import json

import pytest

from econ import ledger
from econ.facts import table

FRAME = ledger.ledger_frame()


@pytest.mark.parametrize("id", FRAME.index[FRAME["asserted"]])
def test_ours_is_within_the_rows_tolerance(id):
    row = FRAME.loc[id]
    assert row.within, f"ours {row.ours:g}, published {row.published:g} {row.unit}: {row.gap:+.2%}"


def test_tolerances_are_narrow_or_explained():
    rows = table("published_figures")
    wide = rows[rows["tolerance_frac"] > 0.03]
    rough = {"kv-per-token-13b", "llama7b-14gb", "little-8b"}  # rules of thumb, a median for a mean
    assert set(wide.index[wide["asserted"]]) <= rough, "a wide band needs a name here and a reason"
    assert (rows["tolerance_reason"].str.len() > 3).all()


def test_a_wrong_figure_fails():
    row = FRAME.loc["claude-image-1092"]
    assert abs(row.ours / (row.published * 1.01) - 1) > row.tolerance_frac


def test_model_rows_speak_for_the_models_apart_from_arithmetic():
    held = FRAME[FRAME["asserted"]]
    assert set(held["sort"]) == {"model", "arithmetic"}
    assert (held["sort"] == "model").sum() >= 10


def test_every_registered_recomputation_is_used_and_known():
    used = set(table("published_figures")["compute"])
    assert used == set(ledger.RECOMPUTE)
    for inputs in table("published_figures")["inputs"]:
        assert isinstance(json.loads(inputs), dict)


def test_the_ledger_prints_and_names_unknown_topics(capsys):
    ledger.main(["--topic", "tokens"])
    printed = capsys.readouterr().out
    assert "within their tolerance" in printed
    assert "1,590" in printed
    with pytest.raises(ValueError, match="nearest: tokens"):
        ledger.ledger_frame("token")
