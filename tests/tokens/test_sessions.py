"""Sessions and their kinds: what is refused, and what the drawn ones look like."""

from __future__ import annotations

import numpy as np
import pytest

from econ.tokens.session_loads import (
    QUANTITIES,
    SessionLoad,
    Spread,
    session_load,
    session_loads_frame,
)
from econ.tokens.sessions import Sessions

TWO = {"session": [0, 0], "branch": [0, 0], "input_tokens": [100, 200], "output_tokens": [10, 10],
           "wait_s": [0.0, 5.0], "waits_for": [[], [0]], "branch_parent": [-1],
           "branch_from_tokens": [0]}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"wait_s": [0.0, -1.0]}, "row 2, column wait_s: -1.0 is outside its range"),
        ({"waits_for": [[1], [0]]}, "row 1, column waits_for: 1 waits for itself .* a cycle"),
        ({"waits_for": [[], [7]]}, "waits_for: 7 is no row"),
        ({"input_tokens": [100, 105]}, "row 2, column input_tokens: 105 is shorter than"),
        ({"input_tokens": [100, 0]}, "row 2, column input_tokens: 0 is no whole number"),
        ({"input_tokens": [100, 1.5]}, "row 2, column input_tokens: 1.5 is no whole number"),
        ({"branch": [0, 3]}, "row 2, column branch: 3 is not from 0 to 0"),
        ({"branch_parent": [0]}, "branch_parent: 0 does not come before it"),
        ({"branch_from_tokens": [5]}, "branch_from_tokens: 5 lies before"),
        ({"patience_s": [0.0, 1.0]}, "patience_s: 0.0 is outside its range"),
        ({"output_tokens": [10]}, "column output_tokens holds 1 entries"),
        (
            {"branch": [0, 1], "branch_parent": [-1, 0], "branch_from_tokens": [0, 200]},
            "row 2, column input_tokens: 200 is no longer than the prefix",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_by_its_row(change, words):
    with pytest.raises(ValueError, match=words):
        Sessions.of(**(TWO | change))


def test_a_sub_agent_shares_what_its_branch_shares():
    three = Sessions.of(
        session=[0, 0, 0], branch=[0, 1, 0], input_tokens=[100, 90, 200],
        output_tokens=[10, 10, 10], wait_s=[0.0, 0.0, 0.0], waits_for=[[], [0], [0, 1]],
        branch_parent=[-1, 0], branch_from_tokens=[0, 80], kind=[0, 2, 1],
    )  # fmt: skip
    assert three.known_tokens().tolist() == [0, 80, 109]
    assert three.known_tokens(50).tolist() == [0, 50, 100]
    assert three.frame()["kind"].tolist() == ["user", "agent", "tool"]
    assert three.part(1).n_turns == 3


@pytest.mark.parametrize("id", session_loads_frame().index)
def test_drawn_sessions_have_the_means_of_their_kind(id):
    load = session_load(id)
    drawn = load.draw(1500, seed=2)
    first = np.diff(drawn.waits_at) == 0
    assert first.sum() == drawn.n_sessions
    assert drawn.output_tokens.mean() == pytest.approx(load.answer_tokens.mean, rel=0.1)
    if not (load.agent_frac or load.abandoned_frac):
        assert drawn.n_turns / 1500 == pytest.approx(load.mean_turns, rel=0.1)
    longest = drawn.input_tokens + drawn.output_tokens
    assert longest.max() <= load.context_limit_tokens
    assert drawn.solved.mean() == pytest.approx(
        load.solved_frac * (1 - load.abandoned_frac), abs=0.05
    )
    again = load.draw(1500, seed=2, rate_per_s=2 * load.rate_per_s)
    np.testing.assert_array_equal(again.input_tokens, drawn.input_tokens)
    np.testing.assert_allclose(2 * again.start_s[first], drawn.start_s[first])


def test_the_coding_agent_meets_the_statistics_it_was_fitted_to_and_others():
    drawn = session_load("coding-agent").draw(3000, seed=1)
    steps = np.bincount(drawn.session)
    assert steps.mean() == pytest.approx(83.7, rel=0.05)  # 357,161 calls of 4,265 sessions
    assert drawn.input_tokens.mean() == pytest.approx(54.9e9 / 357161, rel=0.05)
    assert drawn.output_tokens.mean() == pytest.approx(186.9e6 / 357161, rel=0.05)
    # not fitted: read to written, and what a perfect cache leaves (19 % of 2.34 of 54.9 billion)
    ratio = drawn.input_tokens.sum() / drawn.output_tokens.sum()
    assert ratio == pytest.approx(293.7, rel=0.1)
    assert 1 - drawn.hit_frac == pytest.approx(0.19 * 2.34 / 54.9, rel=0.25)
    assert np.median(drawn.input_tokens) == pytest.approx(121_000, rel=0.2)


def test_a_kind_of_session_is_checked():
    load = session_load("voice")
    with pytest.raises(ValueError, match="context_limit_tokens = 5,000"):
        load.replace(context_limit_tokens=5000)
    with pytest.raises(ValueError, match="solved_frac = 70"):
        load.replace(solved_frac=70)
    with pytest.raises(ValueError, match="rising from 0 to 1"):
        Spread((0, 0.5), (1, 2))
    assert Spread((0, 1), (3, 3)).mean == 3
    with pytest.raises(TypeError, match="tool_s"):
        load.replace(tool_s=3.0)
    assert {f.name for f in SessionLoad.__dataclass_fields__.values()} >= set(QUANTITIES)


def test_a_spread_has_the_mean_of_its_draws():
    for name in QUANTITIES:
        spread = getattr(session_load("coding-agent"), name)
        shares = (np.arange(400_000) + 0.5) / 400_000
        assert spread.at(shares).mean() == pytest.approx(spread.mean, rel=2e-3)
