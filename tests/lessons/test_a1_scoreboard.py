"""Page A1's scoreboard: each sentence fails if the rows under it change sign."""

from econ.catalog import table
from econ.lessons import a1_scoreboard as page


def test_the_title_is_of_the_best_peer_and_of_the_same_runs():
    every = page.board_frame().query("metric == 'tpot_s'").set_index("tool")
    peer = page.best_peer()
    others = every[~every.index.str.startswith(page.REFERENCE)]
    assert (others["median_error_frac"] >= peer["median_error_frac"]).all()
    assert peer["paired_reference_error_frac"] < peer["median_error_frac"]  # else the title lies
    title = " ".join(page.scoreboard_chart(page.board_frame()).title.text)
    assert peer["tool"] in title
    assert f"{peer['paired_reference_error_frac']:.1%}" in title


def test_each_sentence_names_the_side_that_the_interval_names():
    lines = page.sentences().splitlines()
    assert len(lines) == len(page.METRICS)
    for metric, line in zip(page.METRICS, lines, strict=True):
        peer = page.best_peer(metric)
        side = {"worse": "this kit is better", "better": f"{peer['tool']} is better"}
        assert side.get(peer["verdict"], "do not tell them apart") in line
        low, high = peer["difference_low_frac"], peer["difference_high_frac"]
        assert peer["verdict"] == ("worse" if low > 0 else "better" if high < 0 else
                                   "not told apart")  # fmt: skip


def test_groups_are_counted_by_verdict():
    frame = page.peer_by_group_frame(page.best_peer()["tool"])
    title = " ".join(page.peer_chart(frame).title.text)
    better, worse = ((frame["verdict"] == word).sum() for word in ("better", "worse"))
    assert f"less in {better} of {len(frame)} groups" in title
    assert (frame.query("verdict == 'worse'")["difference_points"] > 0).all()
    assert worse > better  # the section's message


def test_where_a_peer_is_better_is_said_row_by_row():
    better = page.better_frame()
    beyond_chance = better["difference_high_frac"] < 0
    assert (beyond_chance == (better["verdict"] == "better")).all()
    assert (better["median_error_frac"] < better["paired_reference_error_frac"]).all()
    assert 0 <= len(better) < page.n_comparisons()
    assert table("scoreboard")["source"].isin(table("sources").index).all()
