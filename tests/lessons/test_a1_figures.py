"""Page A1: each headline sentence fails if the rows under it change sign."""

from econ.catalog import table
from econ.ledger import disagreements_frame, ledger_frame
from econ.lessons import a1_figures as page


def test_most_figures_are_met_and_the_rest_says_why():
    frame = ledger_frame()
    asserted = frame[frame["asserted"]]
    met = asserted["verdict"] != "we disagree"
    assert met.mean() > 0.9
    assert (asserted["gap"].abs() <= 0.01).mean() > 0.6
    rows = disagreements_frame()
    assert len(rows) == (~met).sum() > 0
    assert rows["because"].str.len().gt(10).all()
    assert set(rows["source"]) <= set(table("sources").index)
    inside = asserted[asserted["verdict"] == "inside a band"]
    assert ((inside["low"] <= inside["published"]) & (inside["published"] <= inside["high"])).all()


def test_most_bands_hold_nine_of_ten_unseen_runs_and_the_worst_is_named():
    frame = page.coverage_frame()
    good = frame["percent"] >= 90
    assert 0.85 < good.mean() < 1  # the sentence says that some do not
    words = str(page.coverage_chart(frame).description)
    worst = frame.loc[frame["percent"].idxmin()]
    assert f"{worst['percent']:.0f} %" in words
    assert str(worst["what"]) in words
    assert set(frame["source"]) <= set(table("sources").index)


def test_what_is_not_known_is_counted():
    gaps = page.unknown_frame().set_index("what")["how_many"]
    assert (gaps > 0).all()
    frame = ledger_frame()
    unchecked = page.unchecked_frame(frame)
    assert len(unchecked) == (~frame["asserted"]).sum()
    assert unchecked["reason"].fillna("").str.len().gt(0).all()
