"""What sellers list: prices with dates, for sale on a day or not; the price package beside them."""

import datetime

import pandas as pd
import pytest

from econ.catalog import UnknownName, offers_frame, prices_frame, table
from econ.catalog import audit as refreshing
from econ.catalog.__main__ import main
from econ.catalog.audit import USD, price_changes_frame, refresh_prices


def test_offers_are_many_dated_and_confirmed_by_two_lists():
    rows = offers_frame()
    assert rows["model"].nunique() > 150
    assert rows["seller"].nunique() > 20
    assert (rows["n_lists"] >= 1).all()
    ended = rows[rows["until"] != ""]
    assert (ended["since"] <= ended["until"]).all()
    assert (rows["since"] < "2025-02").any()
    assert (rows["since"] >= "2026-10").any()  # the newest quarter


def test_for_sale_means_listed_and_not_retired():
    assert "OpenAI" in set(offers_frame("gpt-5.6-luna", on="2026-11-28")["seller"])
    before, after = (
        offers_frame("gpt-5.6-luna", seller="OpenAI", on=day)["input_usd_per_mtok"].tolist()
        for day in ("2026-07-15", "2026-11-28")
    )
    assert (before, after) == ([1.0], [0.2])
    haiku = offers_frame("claude-3-haiku", seller="AWS Bedrock")
    assert haiku["retired"].tolist() == ["2026-09-10"]
    assert offers_frame("claude-3-haiku", seller="AWS Bedrock", on="2026-09-10").empty


@pytest.mark.parametrize(
    ("look_up", "says"),
    [
        (lambda: offers_frame("gpt-oss-121b"), "unknown sold model 'gpt-oss-121b'; nearest: gpt-o"),
        (lambda: offers_frame("gpt-oss-120b", seller="Grok"), "seller of gpt-oss-120b 'Grok'"),
        (lambda: offers_frame(on="2026-11"), "on = '2026-11' is outside its range: a day"),
        (lambda: offers_frame(on="2026-02-30"), "day is out of range|outside its range"),
    ],
)
def test_what_is_not_sold_is_refused(look_up, says):
    with pytest.raises((UnknownName, ValueError), match=says):
        look_up()


# -- what the package can refresh -----------------------------------------------------------
DAY = datetime.date(2026, 11, 28)


def test_dated_prices_stand_beside_those_of_the_package():
    changes = price_changes_frame(DAY)
    assert len(changes) > 40
    same = changes[changes["state"] == "as listed"]
    for name in USD:
        assert same[name].to_numpy() == pytest.approx(same[f"{name}_now"].to_numpy())
    assert len(same) > 0.8 * len(changes)  # most lists agree; else the join is wrong


def test_a_refresh_adds_what_changed_and_dates_what_did_not(tmp_path, monkeypatch, capsys):
    written = {}

    def keep(name, rows):
        written[name] = rows

    monkeypatch.setattr(refreshing, "write_table", keep)
    changes = refresh_prices(datetime.date(2026, 12, 31))
    rows = written["api_prices"]
    changed = changes[changes["state"] == "changed"]
    assert len(rows) == len(prices_frame()) + len(changed)
    keys = ["provider", "model", "in_force_since"]
    assert not rows.duplicated(keys).any()
    new = rows[rows["in_force_since"] == "2026-12"].merge(changed, on=["provider", "model"])
    assert len(new) == len(changed)
    dates = new["input_usd_per_mtok_x"].astype(float).to_numpy()
    assert dates == pytest.approx(new["input_usd_per_mtok_now"].to_numpy())
    confirmed = rows.merge(changes[changes["state"] == "as listed"][keys], on=keys)
    assert set(confirmed["as_of"]) == {"2026-12-31"}
    assert set(confirmed["source"]) == {"genai-prices"}
    untouched = table("api_prices")
    assert len(untouched) == len(prices_frame())  # nothing was written
    main(["--refresh", "--on", "2026-11-28"])
    assert "Nothing written" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--write"])
    with pytest.raises(SystemExit):
        main(["--on", "nonsense"])
    assert "on = 'nonsense' is outside its range" in capsys.readouterr().err
    assert isinstance(rows, pd.DataFrame)
