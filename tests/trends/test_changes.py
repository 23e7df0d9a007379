"""Prices that changed: confirmed by two lists, both ways, without surcharges and corrections."""

from econ.catalog import offers_frame
from econ.trends.changes import SURCHARGE, changes_frame, corrections_frame, rises_frame


def test_changes_by_hand():
    rows = changes_frame().set_index(["seller", "model"])
    luna = rows.loc[("OpenAI", "gpt-5.6-luna")]
    assert (luna["before"], luna["after"]) == (0.75 * 1 + 0.25 * 6, 0.75 * 0.2 + 0.25 * 1.2)
    assert luna["direction"] == "cut"
    assert rows.loc[("OpenAI", "o3"), "date"] == "2025-06-10"


def test_both_directions_are_there_and_the_rises_are_dots_with_size_and_date():
    rows, rises = changes_frame(), rises_frame()
    assert 5 <= len(rises) < len(rows)
    assert (rises["change_factor"] > 1).all()
    assert rises["date"].is_monotonic_increasing
    assert (rows["change_factor"] < 1).sum() > len(rises)  # in these lists cuts are more frequent
    factor = rows["change_factor"]
    assert ((factor - SURCHARGE).abs() > 1e-4).all()
    assert ((1 / factor - SURCHARGE).abs() > 1e-4).all()


def test_every_change_joins_two_offers():
    offers = offers_frame()
    for row in changes_frame().itertuples():
        same = offers[(offers["model"] == row.model) & (offers["seller"] == row.seller)]
        blend = 0.75 * same["input_usd_per_mtok"] + 0.25 * same["output_usd_per_mtok"]
        assert ((blend - row.before).abs() < 1e-9).any()
        assert ((blend - row.after).abs() < 1e-9).any()


def test_most_recorded_changes_are_not_confirmed():
    rows = corrections_frame()
    assert (rows["n_confirmed"] <= rows["n_recorded"]).all()
    assert (rows["n_rises_confirmed"] <= rows["n_rises"]).all()
    assert (rows["confirmed_frac"] < 0.42).all()  # 58 % of a labelled sample were corrections
