"""The cases of notebook 01 by a second route."""

import pytest

from econ.catalog import price, table
from econ.lessons import l01_tokens as cases
from econ.tokens.count import count_tokens, image_tokens
from econ.tokens.workloads import workload


def test_jobs_add_up_and_a_chat_turn_by_hand():
    frame = cases.jobs_frame("gpt-5.6-terra", "OpenAI")
    assert frame.groupby("job")["share"].sum().to_numpy() == pytest.approx([1.0] * 4)
    chat, listed = workload("chat"), price("gpt-5.6-terra", "OpenAI")
    usd = (
        chat.mean_input_tokens * listed.input_usd_per_mtok
        + chat.mean_output_tokens * listed.output_usd_per_mtok
    ) / 1e6
    assert frame[frame["job"] == "chat turn"]["usd"].sum() == pytest.approx(usd)


def test_a_list_without_write_rate_writes_for_nothing_extra():
    frame = cases.jobs_frame("gemini-3.5-flash", "Google")
    assert frame[frame["part"] == "cache write"]["usd"].sum() == 0


def test_growth_is_quadratic_without_caching():
    frame = cases.growth_frame(turns=200, system_tokens=0)
    run = frame[frame["way"] == "history re-sent"].set_index("turn")["total_usd"]
    assert run[200] / run[100] == pytest.approx(4, rel=0.05)
    linear = frame[frame["way"] == "if linear"].set_index("turn")["total_usd"]
    assert linear[200] == pytest.approx(200 * run[1])


def test_tasks_divide_the_same_bill_two_ways():
    frame = cases.tasks_frame()
    row = frame[frame["model"] == "gpt-5 (high)"].iloc[0]
    raw = table("task_costs").loc["gpt-5 (high)"]
    assert row.usd_per_solved == pytest.approx(raw.total_usd / (0.88 * 225))
    tokens = raw.prompt_tokens + raw.completion_tokens
    assert row.usd_per_mtok == pytest.approx(raw.total_usd / tokens * 1e6)
    # the lesson: the cheapest token is not the cheapest solved task
    assert frame["usd_per_mtok"].idxmin() != frame["usd_per_solved"].idxmin()


def test_spread_encloses_the_paragraph():
    frame = cases.spread_frame()
    assert len(frame) >= 20
    slack = 0.02  # joining sentences moves a token or two across their border
    assert (frame["low"] <= frame["whole"] + slack).all()
    assert (frame["whole"] <= frame["high"] + slack).all()


def test_images_are_those_of_the_rule():
    frame = cases.images_frame([512])
    assert set(frame["scheme"]) == {"openai-tile", "claude-area", "gemini-tile", "pixtral"}
    for row in frame.itertuples():
        assert row.tokens == image_tokens(512, 512, row.scheme)


def test_a_thousand_words_by_hand():
    frame = cases.words_frame().set_index("language")
    text = table("parallel_text").set_index("name")["text"]
    tokens = 1000 * count_tokens(text["Hindi"], "tekken") / len(text["English"].split())
    assert frame.loc["Hindi", "tokens"] == pytest.approx(tokens)
    usd = tokens * price("mistral-medium-latest", "Mistral").output_usd_per_mtok / 1e6
    assert frame.loc["Hindi", "mistral-medium-latest"] == pytest.approx(usd)
    assert (frame[list(cases.SELLERS)].min(axis=1) > 0).all()


def test_media_are_those_of_the_rules_and_take_time_in_order():
    frame = cases.media_frame().set_index("scheme")
    assert frame.loc["voxtral", "tokens"] == 60 * 12.5
    film = price("gemini-3.5-flash", "Google").input_usd_per_mtok * 60 * 263 / 1e6
    assert frame.loc["gemini-video", "usd"] == pytest.approx(film)
    by_length = frame.sort_values("tokens")["prefill_s"]
    assert by_length.is_monotonic_increasing
    # by hand at half of the peak: 2 FLOP for each of 70.6 billion weights
    floor_s = 2 * 70.6e9 * 15_780 / (4 * 1979e12)
    assert (
        floor_s < by_length.iloc[-1] < 6 * floor_s
    )  # attention over the context, links and the overhead come on top
